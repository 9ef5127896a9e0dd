"""Every command reports a broken installation in one line, whose advice repairs it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.broken_installations import (
    CASES,
    NOBODY,
    STORY,
    Case,
    CommandResult,
    import_modules,
    run_command,
)
from tests.drills.running_site import free_port

COMMANDS = {"run": ["run", "--bind", "127.0.0.1:{port}"], "init": ["init"], "doctor": ["doctor"]}
COMMANDS["import"] = ["import", "jsonl", "{stories}"]
ADVICE = re.compile(r"(?:Run|as root|create a new one): (.*)$")
# Complaints of the doctor about every new site.
NEW_SITE_COMPLAINTS = ("Nobody can log in", "search index is missing", "Less than 500 MB")
MAX_REPAIRS = 3
RunCommand = Callable[..., CommandResult]


@pytest.fixture(scope="module", autouse=True)
def imported_modules(fresh_data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Import all modules of the commands, which may run as a user who cannot read the library."""
    parent = tmp_path_factory.mktemp("loading")
    (parent / "stories.jsonl").write_text(json.dumps(STORY), "utf-8")
    for command in ("init", "run", "import", "doctor"):
        arguments = [
            word.format(port=free_port(), stories=parent / "stories.jsonl")
            for word in COMMANDS[command]
        ]
        import_modules(run_command(parent / "data", arguments, 0, {}).modules)


@pytest.fixture
def parent_dir() -> Iterator[Path]:
    """Directory that other users may enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as directory:
        parent_dir = Path(directory)
        parent_dir.chmod(0o711)
        yield parent_dir
        if os.path.ismount(parent_dir / "site" / "data"):
            subprocess.run(["umount", "--lazy", str(parent_dir / "site" / "data")], check=True)


@pytest.fixture
def data(fresh_data: Path, parent_dir: Path) -> Path:
    """Data directory to break; its parent has a good copy of the database."""
    data = parent_dir / "site" / "data"
    shutil.copytree(fresh_data, data)
    shutil.copy(fresh_data / "spectator.db", data.with_name("good.db"))
    (parent_dir / "stories.jsonl").write_text(json.dumps(STORY), "utf-8")
    return data


@pytest.fixture
def attempt(request: pytest.FixtureRequest, data: Path, parent_dir: Path) -> RunCommand:
    """Return a function that runs one of the four commands as the case requires."""
    case: Case = request.getfixturevalue("case")
    uid = 0 if case.is_root else NOBODY
    environ = {name: text.format(data=data) for name, text in case.environ.items()}
    values = {"port": free_port(), "stories": parent_dir / "stories.jsonl"}

    def run(command: str) -> CommandResult:
        return run_command(
            data, [word.format(**values) for word in COMMANDS[command]], uid, environ
        )

    return run


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_command_reports_the_fault_and_following_its_advice_repairs_it(
    case: Case, data: Path, attempt: RunCommand
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    if not case.is_root:
        give_away(data.parent)
    case.damage(data)
    doctor = attempt("doctor")
    lines = [
        line[2:]
        for line in doctor.output.splitlines()
        if line.startswith("- ") and case.message in line
    ]
    assert doctor.code == 1 and lines, doctor
    line = lines[0]
    is_for_init = line.endswith("Run: spectator init")
    for command in ("run", "import", "init"):
        outcome = attempt(command)
        assert not outcome.exception and "Traceback" not in outcome.output, outcome
        assert "spectator doctor" not in outcome.output
        if is_for_init and command == "init":
            assert outcome.code == 0, outcome
        else:
            assert outcome.code == 1 and case.message in outcome.output.splitlines()[-1], outcome
            assert (
                len(
                    [
                        text
                        for text in outcome.output.splitlines()
                        if text.startswith("spectator:")
                    ]
                )
                == 1
            )
    for _ in range(MAX_REPAIRS):
        remaining = complaints(attempt("doctor"))
        if remaining:
            follow_advice(remaining[0], case, data, attempt)
    assert complaints(attempt("doctor")) == []
    assert attempt("run").code == attempt("import").code == 0


def complaints(doctor: CommandResult) -> list[str]:
    """Return the doctor's complaints about a site, without those about every new site."""
    lines = [line[2:] for line in doctor.output.splitlines() if line.startswith("- ")]
    return [
        line for line in lines if not any(complaint in line for complaint in NEW_SITE_COMPLAINTS)
    ]


def give_away(parent: Path) -> None:
    """Give the site to another user, as if it ran as a service."""
    for path in (parent, *parent.rglob("*")):
        os.chown(path, NOBODY, NOBODY)


def follow_advice(line: str, case: Case, data: Path, attempt: RunCommand) -> None:
    """Follow the advice of a message: run its command, or the repair of the case."""
    advice = ADVICE.search(line)
    if advice is not None and case.repair is None:
        for command in advice[1].split(" && "):
            if command == "spectator init":
                assert attempt("init").code == 0
            else:
                subprocess.run(command, shell=True, check=True)
    elif os.path.ismount(data):  # a read-only or full disk (`mount` and `fill` of the cases)
        subprocess.run(["mount", "-o", "remount,rw", str(data)], check=True)
        (data / "filler").unlink(missing_ok=True)
    elif case.repair is not None and case.message in line:
        case.repair(data)
    else:
        assert line.endswith("Run: spectator init"), f"no advice to follow: {line}"
        assert attempt("init").code == 0


def test_a_secret_is_never_shown(fresh_data: Path) -> None:
    outcome = run_command(fresh_data, ["doctor"], 0, {"SPECTATOR_SECRET_KEY": "hush-hush"})
    assert outcome.code == 1 and "SPECTATOR_SECRET_KEY" in outcome.output
    assert "hush" not in outcome.output


def test_the_doctor_creates_nothing(tmp_path: Path) -> None:
    outcome = run_command(tmp_path / "none", ["doctor"], 0, {})
    assert outcome.code == 1 and "is missing" in outcome.output
    assert not list(tmp_path.iterdir())


def test_the_cases_are_many_and_have_different_names() -> None:
    assert len(CASES) >= 30 and len({case.name for case in CASES}) == len(CASES)
    assert sys.platform != "linux" or {case.is_root for case in CASES} == {True, False}
