"""The schema's history (Alembic), and the two things the site asks of it: is it current, bring it up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from spectator.db import WRITING, db


def config() -> Config:
    """Return Alembic's configuration; there is no alembic.ini, the site's own settings say where the database is."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    return made


def is_current() -> bool:
    """Say whether the database has every migration; False also where it is empty."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def upgrade() -> None:
    """Bring the database to the newest schema, one transaction a migration."""
    made = config()
    with db.engine.connect().execution_options(**{WRITING: True}) as connection:
        made.attributes["connection"] = connection
        command.upgrade(made, "head")
        connection.commit()
