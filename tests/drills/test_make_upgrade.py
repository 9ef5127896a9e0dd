"""`make upgrade` moves a running site to a new version, or back if that version is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from spectator.db import sqlite
from spectator.migrations import HEAD
from tests.drills.running_site import ROOT, Site, eventually
from tests.drills.sizes import is_long
from tests.drills.upgrade_load import Load

pytestmark = pytest.mark.drill
REQUESTS_PER_SECOND = 50 if is_long() else 10
NEXT = "9998"
FIRST_TOLERANT = "0020"  # code before it answers 503 at /readyz on any newer schema
MIGRATION = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    motto = sa.Column("motto", sa.String(60), server_default="", nullable=False)
    op.add_column("section", motto)
"""
MAX_COMMITS = 8
IMPORT_EVERYTHING = """
import importlib, pkgutil, spectator
for module in pkgutil.walk_packages(spectator.__path__, "spectator."):
    if not module.name.startswith("spectator.migrations.") and "__main__" not in module.name:
        importlib.import_module(module.name)
"""
WRONG_ANSWERS = """
import sys
def answer_wrongly(environ, start_response):
    start_response("500 Broken", [("Content-Length", "6")])
    return [b"broken"]
if "gunicorn" in sys.argv[0]:  # not when `make upgrade` tries it
    app.wsgi_app = answer_wrongly
"""


def git(directory: Path, *words: str) -> str:
    identity = ("-c", "user.name=Drill", "-c", "user.email=drill@news.example")
    command = ["git", *identity, *words]
    result = subprocess.run(
        command, cwd=directory, capture_output=True, encoding="utf-8", check=True
    )
    return result.stdout.strip()


def copy_code(target: Path) -> None:
    """Copy the files of the project that a site needs, as they are in this checkout."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout.splitlines()
    for name in names:
        if (
            not name.startswith(("tests/", "benchmarks/", "docs/", ".ci"))
            and (ROOT / name).exists()
        ):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


@dataclass
class Deployment:
    """A site that runs from a clone of a repository in which the next version appears."""

    site: Site
    origin: Path

    def release(self, changes: dict[str, str]) -> None:
        """Commit a new version: the new contents of some files."""
        for name, content in changes.items():
            (self.origin / name).write_text(content, "utf-8")
        git(self.origin, "add", "--all")
        git(self.origin, "commit", "--quiet", "--message", "The next version")

    def read(self, name: str) -> str:
        return (self.origin / name).read_text("utf-8")

    def next_schema(self) -> dict[str, str]:
        """Return the changes of a version with one more migration."""
        path = "spectator/migrations/__init__.py"
        constants = self.read(path).replace(f'HEAD = "{HEAD}"', f'HEAD = "{NEXT}"')
        return {path: constants, f"spectator/migrations/versions/{NEXT}_motto.py": MIGRATION}

    def upgrade(self) -> tuple[int, str]:
        """Run `make upgrade` as an operator does; return its exit code and output."""
        command = ["make", "--no-print-directory", "upgrade", f"PYTHON={sys.executable}"]
        result = subprocess.run(
            command,
            cwd=self.site.checkout,
            env=self.site.environ,
            capture_output=True,
            encoding="utf-8",
        )
        return result.returncode, result.stdout + result.stderr

    def commit(self) -> str:
        return git(self.site.checkout, "rev-parse", "HEAD")

    def schema(self) -> str:
        with closing(sqlite.connect(str(self.site.data / "spectator.db"))) as connection:
            return str(
                connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            )


def install(checkout: Path) -> None:
    """Let a checkout use the packages of the tests, without installing any."""
    programs = checkout / ".venv/bin"
    programs.mkdir(parents=True)
    python = f'case "$1 $2" in "-m pip") exit 0;; esac\nexec {sys.executable} "$@"'
    for name, code in {
        "python": python,
        "spectator": f'exec {sys.executable} -m spectator "$@"',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{code}\n", "utf-8")
        (programs / name).chmod(0o755)
    (checkout / ".venv/runtime").touch()


@pytest.fixture
def deployment(make_site: Callable[[], Site], tmp_path: Path) -> Deployment:
    """Running site whose code is a clone."""
    origin, checkout = tmp_path / "origin", tmp_path / "checkout"
    copy_code(origin)
    git(origin, "init", "--quiet", "--initial-branch", "main")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "The first version")
    git(tmp_path, "clone", "--quiet", str(origin), str(checkout))
    install(checkout)
    site = make_site()
    site.checkout = checkout
    site.environ["PYTHONPATH"] = str(checkout)
    # Other sites of this machine may run under systemd; this one does not.
    site.environ["PATH"] = f"{without_systemctl(tmp_path)}:{os.environ['PATH']}"
    site.start()
    return Deployment(site, origin)


def without_systemctl(directory: Path) -> Path:
    programs = directory / "programs"
    programs.mkdir()
    (programs / "systemctl").write_text("#!/bin/sh\nexit 3\n", "utf-8")
    (programs / "systemctl").chmod(0o755)
    return programs


def test_an_upgrade_under_load_loses_no_request_and_no_save(deployment: Deployment) -> None:
    site, old = deployment.site, deployment.site.processes("web")
    deployment.release(deployment.next_schema())
    with Load(site, REQUESTS_PER_SECOND) as load:
        code, output = deployment.upgrade()
    assert code == 0, output
    assert "The site runs with the new version." in output
    assert deployment.schema() == NEXT and not old & site.processes("web")
    assert load.failures == []
    load.assert_nothing_is_lost()
    [backup] = (site.data / "backups").glob("before-upgrade-*.backup")
    assert backup.stat().st_mode & 0o777 == 0o600


def test_a_broken_version_is_taken_back(deployment: Deployment) -> None:
    site, running, commit = deployment.site, deployment.site.processes(), deployment.commit()
    module = deployment.read("spectator/site/__init__.py")
    first_line = "from __future__ import annotations\n"
    broken = module.replace(first_line, first_line + "import a_missing_package\n")
    deployment.release({"spectator/site/__init__.py": broken})
    with site.polling(["/", "/politics/"]):  # it never reaches readers
        code, output = deployment.upgrade()
    reason = "failed: ModuleNotFoundError: No module named 'a_missing_package'"
    assert code and reason in output, output
    assert "Nothing that was saved is lost." in output and "Traceback" not in output
    assert deployment.commit() == commit and site.processes() == running

    changes = deployment.next_schema() | {"spectator/site/__init__.py": module}
    wsgi = deployment.read("wsgi.py") + WRONG_ANSWERS
    deployment.release(changes | {"wsgi.py": wsgi})
    with Load(site, REQUESTS_PER_SECOND) as load:
        code, output = deployment.upgrade()
    assert code and "answers /readyz with 500" in output, output
    assert f"The site runs with the previous version, {commit[:12]}" in output
    # The old code serves again, on the new schema.
    assert deployment.commit() == commit and deployment.schema() == NEXT
    assert site.get("/readyz").status == 200
    assert load.statuses[0] == 0
    load.assert_nothing_is_lost()


def test_processes_of_the_release_before_serve_until_the_reload(
    make_site: Callable[[], Site], tmp_path: Path
) -> None:
    site = make_site()
    shutil.rmtree(site.data)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    version = extract_release_before(checkout)
    site.checkout = checkout
    site.environ["PYTHONPATH"] = str(checkout)
    assert site.spawn("spectator", "init").wait(60) == 0
    site.start()
    load = Load(site, REQUESTS_PER_SECOND)
    with load:
        old = site.processes("web")
        fresh = tmp_path / "fresh"
        copy_code(fresh)
        # Old processes may still import a module: there is no moment without them.
        (checkout / "spectator").rename(tmp_path / "former")
        (fresh / "spectator").rename(checkout / "spectator")
        shutil.copytree(fresh, checkout, dirs_exist_ok=True)
        assert site.spawn("spectator", "init").wait(60) == 0
        before = len(load.published)
        eventually(lambda: len(load.published) > before + 2, 30, "old processes save")
        assert site.processes("web") == old and site.master is not None
        site.master.send_signal(1)
        eventually(lambda: not old & site.processes("web"), 60, "new processes")
    if version < FIRST_TOLERANT:
        load.failures = [line for line in load.failures if not line.startswith("/readyz")]
    assert load.failures == []
    load.assert_nothing_is_lost()


def extract_release_before(target: Path) -> str:
    """Extract the last whole commit before the newest migration; return its schema version.

    A commit is whole if all of its modules can be imported. Skip the test without history.
    """
    newest = next((ROOT / "spectator/migrations/versions").glob(f"{HEAD}_*.py"))
    added = git(ROOT, "log", "--diff-filter=A", "--format=%H", "--", str(newest)).split()
    if not added:
        pytest.skip("the repository has no history of the newest migration")
    for commit in git(
        ROOT, "log", f"-{MAX_COMMITS}", "--skip=1", "--format=%H", added[-1]
    ).split():
        shutil.rmtree(target)
        target.mkdir()
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True)
        if archive.returncode == 0:
            subprocess.run(["tar", "-x", "-C", str(target)], input=archive.stdout, check=True)
            command = [sys.executable, "-c", IMPORT_EVERYTHING]
            if subprocess.run(command, cwd=target, capture_output=True).returncode == 0:
                versions = target.glob("spectator/migrations/versions/0*.py")
                return max(path.name[:4] for path in versions)
    pytest.skip(f"none of the {MAX_COMMITS} commits before the newest migration is whole")
