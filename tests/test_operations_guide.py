"""The recipes of docs/operations.md run as written; `make help` and the command's version."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from spectator import accounts, config, preview_links
from spectator.cli import main
from spectator.db import db, sqlite
from spectator.models import User

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs/operations.md").read_text("utf-8")


def recipe(title: str) -> str:
    """Return the shell lines under a heading of the guide."""
    chapter = GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return chapter.partition("```sh\n")[2].partition("```")[0]


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a recipe with other paths, without systemd and `-o` options."""

    def run(lines: str, **paths: str) -> subprocess.CompletedProcess[str]:
        for name, path in paths.items():
            lines = re.sub(rf"\b{name}=\S+", f"{name}={path}", lines)
        lines = lines.replace("/srv/spectator", str(ROOT)).replace(
            ".venv/bin/python", sys.executable
        )
        lines = re.sub(r"^systemctl.*$", ":", lines, flags=re.MULTILINE).replace(
            "-o spectator -g spectator ", ""
        )
        return subprocess.run(
            ["sh", "-ec", lines], capture_output=True, encoding="utf-8", cwd=tmp_path
        )

    return run


def count_rows(path: Path, table: str = "article") -> int:
    """Return the number of rows of a table in a database."""
    with closing(sqlite.connect(str(path))) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_backups_can_be_repeated_and_restored_without_sessions(
    app: Flask,
    editor: User,
    story: Callable[..., int],
    shell: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    data, backups = app.config["DATA_DIR"], tmp_path / "backups"
    (data / "media" / "originals").mkdir()
    article_id = story()
    accounts.log_in(editor.email, "a long password of editor", accounts.Client("192.0.2.1"))
    preview_links.create(article_id, editor.id, 30)
    for number in (1, 2):
        result = shell(recipe("A backup"), DATA=str(data), BACKUPS=str(backups))
        assert result.returncode == 0, result.stderr
        assert f"{number} stories are in {backups}/spectator-" in result.stdout
        story()
    [backup] = backups.glob("*.db")
    access = ("user_session", "preview_link")
    assert [count_rows(backup, table) for table in access] == [1, 1]
    assert count_rows(backup) == 2 and backup.stat().st_mode & 0o777 == 0o600
    assert (backups / "secret_key").exists() and (backups / "originals").is_dir()
    assert (data / "spectator.db-wal").stat().st_size > 0, "the database has changed since"
    db.session.remove()
    db.engine.dispose(close=False)  # like a killed site, leave the write-ahead log
    result = shell(recipe("Restoring a backup"), DATA=str(data), BACKUP=str(backup))
    assert result.returncode == 0, result.stderr
    assert count_rows(data / "spectator.db") == 2
    assert [count_rows(data / "spectator.db", table) for table in access] == [0, 0]
    assert (data / "spectator.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_of_a_mistyped_path_fails(
    shell: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    result = shell(
        recipe("A backup"), DATA=str(tmp_path / "mistyped"), BACKUPS=str(tmp_path / "backups")
    )
    assert (
        result.returncode != 0 and "no backup" in result.stderr and "Traceback" not in result.stderr
    )
    assert not list((tmp_path / "backups").iterdir()) and not (tmp_path / "mistyped").exists()


def test_make_help_shows_the_address_of_the_site() -> None:
    environ = os.environ | {"PORT": "8123", "HOST": "127.0.0.1"}
    result = subprocess.run(
        ["make", "help"], cwd=ROOT, env=environ, capture_output=True, encoding="utf-8", check=True
    )
    assert "http://127.0.0.1:8123" in result.stdout
    assert "$" not in result.stdout and "(HOST)" not in result.stdout


def test_the_version_option_prints_the_version() -> None:
    result = CliRunner().invoke(main, ["--version"], prog_name="spectator")
    assert result.output == f"spectator {config.version()}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", config.version())


@pytest.mark.parametrize("path", re.findall(r"`?(deploy/[a-z.-]+)`?", GUIDE))
def test_files_that_the_guide_names_exist(path: str) -> None:
    assert (ROOT / path.rstrip(".")).exists()
