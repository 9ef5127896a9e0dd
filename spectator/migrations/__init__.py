"""The schema's history (Alembic), and the two things the site asks of it: is it current, bring it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from spectator.db import WRITING, db

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"  # the newest migration; a test holds it against the files, so that no boot has to load Alembic


def config() -> Config:
    """Return Alembic's configuration; there is no alembic.ini, the site's own settings say where the database is."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    return made


def is_current() -> bool:
    """Say whether the database has every migration; False also where it is empty."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)


def upgrade() -> None:
    """Bring the database to the newest schema, one transaction a migration."""
    from alembic import command

    made = config()
    with db.engine.connect().execution_options(**{WRITING: True}) as connection:
        made.attributes["connection"] = connection
        command.upgrade(made, "head")
        connection.commit()
