"""The schema's history leads to exactly the schema that the models describe."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask

import spectator.models  # noqa: F401
from spectator import installation, migrations
from spectator.db import Base, db


def test_migrations_and_models_agree(app: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    assert migrations.is_current()


def test_the_head_is_the_newest_file() -> None:
    assert ScriptDirectory.from_config(migrations.config()).get_current_head() == migrations.HEAD


def test_initialising_twice_changes_nothing(app: Flask) -> None:
    assert installation.initialise(app) is False


def test_the_secret_is_for_its_owner_alone(app: Flask) -> None:
    assert (app.config["DATA_DIR"] / "secret_key").stat().st_mode & 0o777 == 0o600
