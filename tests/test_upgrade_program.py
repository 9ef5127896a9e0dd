"""The parts of `make upgrade`: which commit, which user and settings, and which site."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from spectator.operations import site_lock

ROOT = Path(__file__).resolve().parents[1]
Modules = dict[str, ModuleType]
MIGRATIONS = "spectator/migrations/__init__.py"
SYSTEMCTL = """
case "$1 $4" in
  is-active*) test "$3" = spectator-web || test "$3" = spectator-worker;;
  *WorkingDirectory) echo {directory};;
  show*) echo User=spectator; echo "EnvironmentFiles=/etc/spectator.env (ignore_errors=no)"
        echo 'Environment=SPECTATOR_DATA_DIR=/var/lib/spectator "SPECTATOR_SITE_NAME=The News"';;
esac
"""


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Modules:
    """Modules of the program, which is a directory and no package."""
    monkeypatch.syspath_prepend(str(ROOT / "deploy/upgrade"))
    names = ("commands", "checkout", "running_site")
    return {name: importlib.import_module(name) for name in names}


@pytest.fixture
def clone(
    tmp_path: Path, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Clone of a repository; returns a function that runs git in it (`origin=True`: in that)."""
    for name in (
        "GIT_AUTHOR_NAME",
        "GIT_COMMITTER_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_EMAIL",
    ):
        monkeypatch.setenv(name, "test@news.example")

    def git(*words: str, origin: bool = False) -> str:
        directory = tmp_path / ("origin" if origin else "clone")
        return subprocess.run(
            ["git", *words], cwd=directory, capture_output=True, encoding="utf-8", check=True
        ).stdout.strip()

    (tmp_path / "origin/spectator/migrations").mkdir(parents=True)
    (tmp_path / "clone").mkdir()
    git("init", "--quiet", "--initial-branch", "main", origin=True)
    release(git, tmp_path / "origin", "0019", "0018")
    git("clone", "--quiet", str(tmp_path / "origin"), ".")
    monkeypatch.setattr(modules["commands"], "ROOT", tmp_path / "clone")
    return git


def release(git: Callable[..., str], origin: Path, head: str, oldest_code: str) -> str:
    """Commit a version with these constants and return its commit."""
    text = f'HEAD = "{head}"\nOLDEST_CODE = "{oldest_code}"\n'
    (origin / MIGRATIONS).write_text(text, "utf-8")
    git("add", "--all", origin=True)
    git("commit", "--quiet", "--message", f"Version {head}", origin=True)
    return git("rev-parse", "HEAD", origin=True)


def test_a_named_version_takes_precedence_over_the_upstream_branch(
    clone: Callable[..., str], modules: Modules, tmp_path: Path
) -> None:
    choose = modules["checkout"].choose_commits
    before = clone("rev-parse", "HEAD")
    middle = release(clone, tmp_path / "origin", "0020", "0019")
    clone("tag", "v1", origin=True)
    newest = release(clone, tmp_path / "origin", "0021", "0020")
    assert choose("") == (before, newest)
    assert choose("v1") == (before, middle)
    with pytest.raises(modules["commands"].StepError, match="no version v9"):
        choose("v9")


def test_a_checkout_on_no_branch_needs_a_version(
    clone: Callable[..., str], modules: Modules, tmp_path: Path
) -> None:
    choose = modules["checkout"].choose_commits
    before = clone("rev-parse", "HEAD")
    newest = release(clone, tmp_path / "origin", "0020", "0019")
    clone("tag", "v1", origin=True)
    clone("checkout", "--quiet", "--detach")
    with pytest.raises(modules["commands"].StepError, match="on no branch"):
        choose("")
    assert choose("v1") == (before, newest)


def test_without_a_new_commit_it_returns_to_the_last_upgrade(
    clone: Callable[..., str], modules: Modules, tmp_path: Path
) -> None:
    choose = modules["checkout"].choose_commits
    before = clone("rev-parse", "HEAD")
    assert choose("") == ("", before)  # a new clone
    newest = release(clone, tmp_path / "origin", "0020", "0019")
    clone("pull", "--quiet")
    assert choose("") == (before, newest)
    clone("update-ref", modules["checkout"].DEPLOYED, newest)
    assert choose("") == ("", newest)


def test_changes_and_commits_of_the_checkout_are_never_thrown_away(
    clone: Callable[..., str], modules: Modules, tmp_path: Path
) -> None:
    choose, error = modules["checkout"].choose_commits, modules["commands"].StepError
    release(clone, tmp_path / "origin", "0020", "0019")
    (tmp_path / "clone" / MIGRATIONS).write_text("changed", "utf-8")
    with pytest.raises(error, match="not committed"):
        choose("")
    clone("commit", "--quiet", "--all", "--message", "Our own")
    with pytest.raises(error, match="commits of its own"):
        choose("")


def test_a_version_that_the_old_code_cannot_live_with_is_refused(
    clone: Callable[..., str], modules: Modules, tmp_path: Path
) -> None:
    old = clone("rev-parse", "HEAD", origin=True)
    next_version = release(clone, tmp_path / "origin", "0020", "0019")
    later = release(clone, tmp_path / "origin", "0021", "0020")
    clone("fetch", "--quiet")
    modules["checkout"].require_compatible(old, next_version)
    with pytest.raises(modules["commands"].StepError, match=r"needs code of schema 0020.*0019"):
        modules["checkout"].require_compatible(old, later)


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fake systemctl, with the pair of units active."""
    program = tmp_path / "systemctl"
    code = SYSTEMCTL.replace("{directory}", str(ROOT))
    program.write_text(f"#!/bin/sh\n{code}", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_commands_get_the_user_and_the_settings_of_the_active_units(
    systemctl: None, modules: Modules
) -> None:
    site = modules["running_site"].Site.find()
    assert site.units == ["spectator-web", "spectator-worker"]
    assert site.prefix[:6] == [
        *("systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--uid=spectator")
    ]
    assert "EnvironmentFile=/etc/spectator.env" in site.prefix
    assert site.prefix[-4:] == [
        *("-E", "SPECTATOR_DATA_DIR=/var/lib/spectator"),
        *("-E", "SPECTATOR_SITE_NAME=The News"),
    ]


def test_units_of_another_checkout_are_left_alone(
    systemctl: None, modules: Modules, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(modules["running_site"], "ROOT", tmp_path)
    assert modules["running_site"].Site.find().units == []


@pytest.fixture
def held_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Lock of a worker whose parent is this process; yields its id."""
    monkeypatch.setenv("SPECTATOR_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("KEEPER_PID", str(os.getpid()))
    with site_lock.hold(tmp_path, lambda: False):
        yield os.getpid()


def test_the_master_is_the_process_in_the_lock_if_it_is_gunicorn(
    held_lock: int, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = modules["running_site"].Site()
    assert site.master() == 0  # pytest
    monkeypatch.setattr(modules["running_site"], "arguments", lambda _: ["python", "gunicorn"])
    assert site.master() == held_lock


def test_a_lock_that_nobody_holds_names_no_master(
    tmp_path: Path, modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECTATOR_DATA_DIR", str(tmp_path))
    assert modules["running_site"].Site().master() == 0
    (tmp_path / "worker.lock").write_text(f"{os.getpid()}\n")
    assert modules["running_site"].Site().master() == 0


def test_a_failed_command_is_reported_with_its_last_line(modules: Modules) -> None:
    with pytest.raises(modules["commands"].StepError, match=r"^sh -c .* failed: second$"):
        modules["commands"].call("sh", "-c", "echo first >&2; echo second >&2; exit 3")
    with pytest.raises(modules["commands"].StepError, match=r"^The packages failed: second$"):
        code = "echo second >&2; echo 'make: *** [Makefile:1] Error 1' >&2; exit 2"
        modules["commands"].call("sh", "-c", code, step="The packages")


def test_a_missing_program_and_odd_output_are_reported_like_a_failed_step(
    modules: Modules,
) -> None:
    with pytest.raises(modules["commands"].StepError, match=r"^The packages failed: .*No such"):
        modules["commands"].call("/nonexistent/make", step="The packages")
    assert modules["commands"].call("printf", "\\377") == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.usefixtures("signals")
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (PermissionError(1, "Not permitted"), "PermissionError: [Errno 1] Not permitted"),
        (KeyboardInterrupt(), "It was interrupted."),
    ],
)
def test_any_failure_after_the_checkout_returns_to_the_old_code(
    modules: Modules,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    sentence: str,
) -> None:
    program = load_main()
    moves: list[str] = []

    def reload(_site: object) -> None:
        if len(moves) == 1:
            raise error

    site = modules["running_site"].Site
    monkeypatch.setattr(site, "run", lambda *_, step="": step)
    monkeypatch.setattr(site, "reload", reload)
    monkeypatch.setattr(program, "choose_commits", lambda _version: ("old", "new"))
    monkeypatch.setattr(program, "require_compatible", lambda *_: None)
    monkeypatch.setattr(program, "move_code", moves.append)
    assert program.upgrade(site(), "") == 1
    assert moves == ["new", "old"]
    assert f"The upgrade failed. {sentence}" in capsys.readouterr().out


def load_main() -> ModuleType:
    """Return the program's main module, which has the name of pytest's own."""
    path = ROOT / "deploy/upgrade/__main__.py"
    spec = importlib.util.spec_from_file_location("upgrade_main", path)
    assert spec is not None and spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program


def test_what_a_killed_upgrade_left_of_its_backup_is_deleted(
    modules: Modules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory, program = tmp_path / "backups", tmp_path / ".venv/bin/spectator"
    names = [f"before-upgrade-2026-11-{day}-071354.backup" for day in (27, 28, 29)]
    other_names = ["before-upgrade-notes", "spectator-2026-11-30.backup.unfinished"]
    for name in (f"{names[0]}.unfinished", *names, *other_names):
        directory.mkdir(exist_ok=True)
        (directory / name).touch()
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\ntest "$1" = backup && touch "$2"\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(modules["commands"], "ROOT", tmp_path)
    monkeypatch.setenv("SPECTATOR_BACKUP_TO", str(directory))
    new = "before-upgrade-2026-11-30-080000.backup"
    words = ("sh", "-c", load_main().BACKUP, "backup", "2026-11-30-080000")
    assert modules["commands"].call(*words) == str(directory / new)
    assert {path.name for path in directory.iterdir()} == {names[2], new, *other_names}
