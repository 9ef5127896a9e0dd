"""Upgrades of SQLite either keep every reference between rows, or change nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from spectator import migrations
from spectator.db import WRITE_OPTION, db
from spectator.operations import setup

pytestmark = pytest.mark.sqlite
BROKEN_NOTE = "INSERT INTO correction (article_id, text, made_at) VALUES (99, 'x', '2026-01-01')"
ADD_TABLE = "CREATE TABLE novelty (id INTEGER PRIMARY KEY)"
MIGRATION = """
from alembic import op
revision, down_revision = {revision!r}, {previous!r}
def upgrade():
    op.execute({statement!r})
"""


@pytest.fixture
def add_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that adds a migration for each statement, newer than all real ones."""
    original = migrations.alembic_config

    def add(*statements: str) -> None:
        previous = migrations.HEAD
        for number, statement in enumerate(statements, 9001):
            source = MIGRATION.format(
                revision=str(number), previous=previous, statement=statement
            )
            (tmp_path / f"{number}_test.py").write_text(source, "utf-8")
            previous = str(number)

    def config_with_more() -> Config:
        config = original()
        versions = Path(migrations.__file__).parent / "versions"
        config.set_main_option("version_locations", f"{versions}:{tmp_path}")
        return config

    monkeypatch.setattr(migrations, "alembic_config", config_with_more)
    return add


def break_reference() -> None:
    """Store a note of a story that does not exist."""
    with db.engine.connect().execution_options(**{WRITE_OPTION: True}) as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.cursor().execute("PRAGMA foreign_keys=OFF")
        connection.execute(text(BROKEN_NOTE))
        connection.commit()
        driver.cursor().execute("PRAGMA foreign_keys=ON")


def upgraded_schema() -> tuple[str | None, bool]:
    """Return the schema version, and whether the first added migration has made its table."""
    schema = migrations.current_schema()
    return schema.version, "novelty" in schema.tables


def test_an_upgrade_that_would_break_a_reference_changes_nothing(
    app: Flask, add_migrations: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    add_migrations(ADD_TABLE, BROKEN_NOTE)
    monkeypatch.setattr(migrations.Schema, "is_usable", False)
    for _ in range(2):  # a second `init` must not skip the check
        with pytest.raises(
            migrations.UpgradeError, match=r"from table correction to table article \(rows: 1\)"
        ):
            setup.initialise(app)
        assert upgraded_schema() == (migrations.HEAD, False)
        with db.engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM correction")) == 0
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_an_upgrade_that_fails_in_its_second_migration_undoes_the_first(
    app: Flask, add_migrations: Callable[..., None]
) -> None:
    add_migrations(ADD_TABLE, "DROP TABLE missing")
    with pytest.raises(DatabaseError, match="no such table: missing"):
        migrations.upgrade()
    assert upgraded_schema() == (migrations.HEAD, False)


def test_a_reference_that_was_broken_before_does_not_stop_an_upgrade(
    app: Flask, add_migrations: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    break_reference()
    add_migrations(ADD_TABLE)
    migrations.upgrade()
    assert upgraded_schema() == ("9001", True)
    assert "from table correction to table article were broken before the up" in caplog.text


def test_a_reference_that_was_broken_before_hides_no_new_one(
    app: Flask, add_migrations: Callable[..., None]
) -> None:
    break_reference()
    add_migrations(BROKEN_NOTE)
    with pytest.raises(migrations.UpgradeError, match="correction"):
        migrations.upgrade()
    assert upgraded_schema() == (migrations.HEAD, False)
