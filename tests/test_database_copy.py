"""`spectator database copy`: the rows, the proof that they are the same, and interrupted copies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import Engine, create_engine, func, select, text

from spectator import accounts, publishing
from spectator.cli import main
from spectator.db import Base, db, engine_options, prepare_engine
from spectator.importers import jsonl
from spectator.models import Article, LoginAttempt
from spectator.operations import database_copy, diagnosis
from spectator.operations.site_lock import require_stopped_site
from tests.conftest import make_draft, use_site

Story = Callable[..., int]


@pytest.fixture
def target(app: Flask, tmp_path: Path) -> Iterator[Engine]:
    """Engine of a new SQLite database."""
    url = f"sqlite:///{tmp_path}/target.db"
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine, ZoneInfo("UTC"))
    yield engine
    engine.dispose()


@pytest.fixture
def site(app: Flask, story: Story) -> Flask:
    """Site with published stories, one of them with everything that a story can have."""
    story(headline="É plain", topics=("Ports",), authors=("Amina", "Bola"), countries=("NG",))
    for number in range(12):
        story(headline=f"Story {number}")
    return app


def no_progress(_table: str, _rows: int) -> None:
    pass


def all_rows(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table)).all()), key=repr)
            for table in Base.metadata.sorted_tables
        }


def test_every_row_is_copied(site: Flask, target: Engine) -> None:
    counts = database_copy.copy_database(db.engine, target, no_progress)
    assert Path(target.url.database or "").stat().st_mode & 0o777 == 0o600
    assert counts["article"] == 13
    assert all_rows(target) == all_rows(db.engine)


def test_a_copied_site_goes_on_with_new_ids(site: Flask, target: Engine, tmp_path: Path) -> None:
    database_copy.copy_database(db.engine, target, no_progress)
    with target.execution_options(spectator_write=True).begin() as connection:
        connection.execute(text("INSERT INTO topic (slug, name) VALUES ('new', 'New')"))
        assert connection.scalar(text("SELECT max(id) FROM topic WHERE name <> 'New'")) == 1
        assert connection.scalar(text("SELECT id FROM topic WHERE name = 'New'")) == 2


def test_an_interrupted_copy_can_be_repeated(
    site: Flask, target: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_copy, "BATCH_ROWS", 5)

    def stop(table: str, rows: int) -> None:
        if table == "article" and rows >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database_copy.copy_database(db.engine, target, stop)
    with target.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(Article)) == 10
    [fault] = diagnosis.examine_database(target.url.render_as_string())
    assert "not finished" in fault.message
    database_copy.copy_database(db.engine, target, no_progress)
    assert all_rows(target) == all_rows(db.engine)
    assert not list(diagnosis.examine_database(target.url.render_as_string()))


def test_a_database_with_rows_is_never_overwritten(site: Flask, target: Engine) -> None:
    database_copy.copy_database(db.engine, target, no_progress)
    with pytest.raises(database_copy.CopyError, match="not empty"):
        database_copy.copy_database(db.engine, target, no_progress)


def test_a_copy_that_differs_is_reported(
    site: Flask, target: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(table: str, _rows: int) -> None:
        if table == "article":
            with target.execution_options(spectator_write=True).begin() as connection:
                connection.execute(text("UPDATE article SET dek = 'x' WHERE id = 7"))

    with pytest.raises(database_copy.CopyError, match="article differs"):
        database_copy.copy_database(db.engine, target, change)
    with pytest.raises(database_copy.CopyError, match="article differs"):  # still unfinished
        database_copy.copy_database(db.engine, target, change)
    database_copy.copy_database(db.engine, target, no_progress)


def test_the_command_copies_only_a_stopped_site(
    site: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_site(site, monkeypatch)
    words = ["database", "copy", f"sqlite:///{tmp_path}/other.db"]
    with require_stopped_site(site.config["DATA_DIR"]):  # as a running worker does
        result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.output) == (
        1,
        "spectator: The site is running. Stop it first, then try again.\n",
    )
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "copied and verified" in result.output
    url = f"sqlite:///{tmp_path}/third.db"
    result = CliRunner().invoke(main, ["database", "copy", "-"], input=f"{url}\n")
    assert result.exit_code == 0 and (tmp_path / "third.db").exists()
    result = CliRunner().invoke(main, ["database", "copy", "mysql://root@localhost/x"])
    assert result.exit_code == 1
    assert "use sqlite:////absolute/path/spectator.db or postgresql+psycopg://" in result.output


def test_publishing_continues_after_the_copy(site: Flask, editor: publishing.User) -> None:
    before = db.session.scalar(select(func.max(Article.id)))
    assert publishing.create(make_draft(), editor) == (before or 0) + 1


def test_logins_and_imports_store_no_zero_character(app: Flask) -> None:
    """PostgreSQL cannot hold one in a text, so it would differ from a copy or count as another."""
    with app.test_request_context(), pytest.raises(accounts.LoginError):
        accounts.log_in("a\0b@example.org", "x", accounts.Client("192.0.2.1", ""))
    assert db.session.scalar(select(LoginAttempt.email)) == "ab@example.org"
    line = json.dumps({"id": "a\0b", "headline": "Rain", "body": "It rains."}).encode()
    assert jsonl.parse_record(line, "line 1", "en", ZoneInfo("UTC")).external_id == "ab"
