"""The unit tests in a copy of the tree: which of them run a line, and do they pass."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import venv
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from coverage import CoverageData

ROOT = Path(__file__).parents[2]
FIRST_BATCH = 30  # cheap tests that kill most mutants
COVERAGE_SETTINGS = """[run]
source = spectator
relative_files = true
parallel = true
patch = subprocess
context = ${MUTATION_TEST-}
"""
# Code that only tests with a PostgreSQL server run, and the variable with the names of these tests.
POSTGRESQL = {
    "spectator/search/postgres/": "POSTGRESQL_SEARCH_TESTS",
    "spectator/db/postgresql_engine.py": "POSTGRESQL_TESTS",
}
POSTGRESQL_SECONDS = 600
# A confined process cannot report its lines: the tests of the module that starts it run them.
CONFINED = {"spectator/media/decoder.py": "spectator/media/sandbox.py"}
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")


class Batch(NamedTuple):
    """Tests to run together, their seconds, and the search engine if they use PostgreSQL."""

    tests: list[str]
    seconds: float
    engine: str = ""


class Copy:
    """Clone of the last commit, with a Python that imports the site from it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.python = str(directory / ".venv/bin/python")
        self.result = str(directory / "tests.json")
        git = ("git", "clone", "--quiet", "--shared", str(ROOT), str(directory))
        subprocess.run(git, check=True)
        venv.create(directory / ".venv")
        packages, own_packages = (
            next(prefix.glob("lib/python*/site-packages"))
            for prefix in (Path(sys.prefix), directory / ".venv")
        )
        code = f"{directory}\nimport site; site.addsitedir({str(packages)!r})\n"
        (own_packages / "copy.pth").write_text(code, encoding="utf-8")

    def run(self, *words: str, seconds: float = 0, **variables: str) -> int:
        """Run this copy's Python, with additional variables, and return its exit status.

        It is stopped after this CPU time, so that a busy machine makes no difference, and after ten
        times as long in any case.
        """
        limits: list[str] = []
        if seconds:
            limits += ["timeout", "--signal=KILL", str(10 * seconds)]
            limits += ["prlimit", f"--cpu={seconds:.0f}"]
        command = [*limits, self.python, *words]
        environ = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "MUTATION_RESULT": self.result}
        environ |= variables
        quiet = subprocess.DEVNULL
        return subprocess.run(
            command, cwd=self.directory, env=environ, stdout=quiet, stderr=quiet, check=False
        ).returncode

    def load(self) -> dict[str, Any]:
        """Return what the plugin wrote about the last run."""
        result: dict[str, Any] = json.loads(Path(self.result).read_text(encoding="utf-8"))
        return result

    def outcome(self, path: str, changed: str, batch: Batch) -> str:
        """Return whether tests notice a changed file."""
        file = self.directory / path
        source = file.read_text(encoding="utf-8")
        file.write_text(changed, encoding="utf-8")
        (self.directory / "tests.txt").write_text("\n".join(batch.tests), encoding="utf-8")
        words, variables = [*PYTEST, "-x", "@tests.txt"], {}
        if batch.engine:
            words = ["-m", "tests.postgresql", self.python, *words]
            variables = {"TEST_SEARCH": batch.engine}
        try:
            status = self.run(*words, seconds=30 + 4 * batch.seconds, **variables)
        finally:
            file.write_text(source, encoding="utf-8")
        # pytest's own statuses are small; a signal ends what takes too long.
        return "survived" if not status else "killed" if 0 < status < 100 else "timeout"


class Coverage:
    """Tests that pass, their seconds, and the lines that each of them runs."""

    def __init__(self, directory: Path) -> None:
        self.data = CoverageData(str(directory / "coverage"))
        self.data.read()
        result = json.loads((directory / "tests.json").read_text(encoding="utf-8"))
        self.seconds: dict[str, float] = result["passed"]

    @cached_property
    def cheapest_first(self) -> list[str]:
        """All tests, the fastest first."""
        return sorted(self.seconds, key=self.seconds.__getitem__)

    def batches(self, path: str, line: int) -> list[Batch]:
        """Return the tests of a line in the order to run them.

        Lines that run before any test, on import, are followed by every test. A line that no test
        seems to run, perhaps because its process is killed, has the tests of its module, or else of
        its package, and then those with PostgreSQL.
        """
        for start, variable in POSTGRESQL.items():
            if path.startswith(start):
                return [_postgresql_batch(variable)]
        contexts = self.data.contexts_by_lineno(path)
        lines, in_function = _statement((ROOT / path).read_text(encoding="utf-8"), line)
        names = {name for number in lines for name in contexts.get(number, ())}
        on_import = not in_function or names == {""}
        names -= {""}
        unmeasured = not names and not on_import
        if on_import or not names:
            names = self._tests_of(path) or self._tests_of(str(Path(path).parent))
        if path in CONFINED:
            names |= self._tests_of(CONFINED[path])
        first = [test for test in self.cheapest_first if test in names]
        rest = [test for test in self.cheapest_first if test not in names] if on_import else []
        batches = [
            Batch(tests, sum(map(self.seconds.__getitem__, tests)))
            for tests in (first[:FIRST_BATCH], first[FIRST_BATCH:], rest)
            if tests
        ]
        with_postgresql = POSTGRESQL.values() if unmeasured else ()
        return [*batches, *map(_postgresql_batch, with_postgresql)]

    def _tests_of(self, start: str) -> set[str]:
        """Return the tests that run any line of a file, or of the files in a directory."""
        paths = [path for path in self.data.measured_files() if path.startswith(start)]
        every = (self.data.contexts_by_lineno(path).values() for path in paths)
        return {name for by_line in every for names in by_line for name in names} - {""}


def _postgresql_batch(variable: str) -> Batch:
    """Return the tests with PostgreSQL that a variable of the Makefile names, its own first."""
    tests = sorted(os.environ[variable].split(), key=lambda path: "postgres" not in path)
    engine = "postgres" if variable == "POSTGRESQL_SEARCH_TESTS" else "whoosh"
    return Batch(tests, POSTGRESQL_SECONDS, engine)


def measure(directory: Path, copy: Copy) -> None:
    """Run every unit test once with coverage and keep the result in `directory`.

    Tests that fail so, for being slower, are run again without coverage.
    """
    settings = copy.directory / "coverage.ini"
    settings.write_text(f"{COVERAGE_SETTINGS}data_file = {copy.directory}/coverage\n")
    coverage = ("-m", "coverage", "run", f"--rcfile={settings}")
    plugin = ("-p", "tests.mutation.contexts")
    status = copy.run(*coverage, *PYTEST, *plugin, "-m", "not browser and not drill")
    if status > 1:  # more than failed tests
        raise SystemExit(f"pytest cannot run the unit tests (exit status {status})")
    result = copy.load()
    if result["failed"]:
        (copy.directory / "tests.txt").write_text("\n".join(result["failed"]), encoding="utf-8")
        copy.run(*PYTEST, *plugin, "@tests.txt")
        again = copy.load()
        result = {"passed": result["passed"] | again["passed"], "failed": again["failed"]}
    copy.run("-m", "coverage", "combine", f"--rcfile={settings}")
    directory.mkdir(parents=True)
    (directory / "tests.json").write_text(json.dumps(result), encoding="utf-8")
    shutil.copy(copy.directory / "coverage", directory)


def _statement(source: str, line: int) -> tuple[range, bool]:
    """Return the lines of the innermost statement (its head if it has a body), if in a function."""
    lines, in_function = range(line, line + 1), False
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.stmt) or not node.lineno <= line <= (node.end_lineno or 0):
            continue
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if body else node.end_lineno or 0
        if line <= last:
            lines = range(node.lineno, last + 1)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            in_function = True
    return lines, in_function
