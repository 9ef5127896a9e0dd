"""The migrations lead to exactly the schema of the models."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import CheckConstraint, Connection, inspect, text

import spectator.models  # noqa: F401
from spectator import create_app, migrations, queries
from spectator.db import WRITE_OPTION, Base, db
from spectator.operations import hints, setup
from tests.conftest import settings

OldDatabase = Callable[[str], AbstractContextManager[Connection]]
SECTION = "INSERT INTO section (id, slug, name, position) VALUES (1, 'p', 'P', 1)"
ARTICLE_0001 = """
INSERT INTO article (id, headline, dek, slug, language, status, excerpt, word_count,
  source_name, source_url, published_at, created_at, saved_at, withdrawn_reason, version,
  section_id, picture_alt, picture_caption, picture_credit, body)
VALUES (1, 'H', '', 's', 'en', 'published', '', 0,
  '', '', '2026-01-02', '2026-01-01', '2026-01-01', '', 1,
  1, '', '', '', 'B')
"""
NOTES_0004 = """
INSERT INTO revision (article_id, number, action, content, made_at)
  VALUES (1, 1, 'publish', '{}', '2026-01-02 00:00:00.000000'),
         (1, 2, 'update', '{}', '2026-01-03 10:00:00.000123'),
         (1, 3, 'correct', '{}', '2026-01-04 10:00:00.000456')
"""
PICTURE_0014 = """
INSERT INTO picture (id, digest, extension, width, height, byte_size, created_at)
VALUES (:number, :number, 'jpg', 1, 1, 1, '2026-01-01')
"""
LISTED_0001 = [("month", 202601), ("section", 1)]


@pytest.fixture
def old_database(tmp_path: Path) -> Iterator[OldDatabase]:
    """Return a function that opens a database of an old revision with one section."""
    (tmp_path / "old").mkdir()
    app = create_app(settings(tmp_path / "old"))

    @contextmanager
    def open_at(revision: str) -> Iterator[Connection]:
        config = migrations.alembic_config()
        with db.engine.connect().execution_options(**{WRITE_OPTION: True}) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            connection.execute(text(SECTION))
            yield connection
            connection.commit()

    with app.app_context():
        yield open_at
        db.session.remove()
        db.engine.dispose()


def is_fixed(name: str | None, kind: str, _parents: object) -> bool:
    """Return whether a name is not that of a table of a search index in PostgreSQL."""
    return kind != "table" or not re.match(r"search_(documents|words)_", name or "")


def test_migrations_and_models_agree(app: Flask) -> None:
    with db.engine.connect() as connection:
        opts = {"compare_type": True, "include_name": is_fixed}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []
    assert migrations.is_current()


@pytest.mark.sqlite
def test_the_tables_refuse_what_the_models_refuse(app: Flask) -> None:
    inspector = inspect(db.engine)
    for table in Base.metadata.sorted_tables:
        checks = [check for check in table.constraints if isinstance(check, CheckConstraint)]
        stored = {
            " ".join(check["sqltext"].split())
            for check in inspector.get_check_constraints(table.name)
        }
        assert {" ".join(str(check.sqltext).split()) for check in checks} == stored, table.name


def test_the_head_is_the_newest_file() -> None:
    assert (
        ScriptDirectory.from_config(migrations.alembic_config()).get_current_head()
        == migrations.HEAD
    )


def test_a_database_of_the_first_schema_keeps_every_row(old_database: OldDatabase) -> None:
    with old_database("0001") as connection:
        connection.execute(text(ARTICLE_0001))
        connection.execute(
            text(
                "INSERT INTO correction (article_id, text, made_at) VALUES (1, 'x', '2026-01-01')"
            )
        )
        connection.execute(text("UPDATE article SET language = 'Arabic'"))
    migrations.upgrade()
    assert migrations.is_current()
    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT body FROM article")) == "B"
        assert connection.scalar(text("SELECT language FROM article")) == "ar"
        assert connection.execute(text("SELECT article_id, action FROM outbox")).all() == [
            (1, "update")
        ]
        assert connection.scalar(text("SELECT kind FROM correction")) == "correction"
        assert (
            connection.execute(text('SELECT kind, "key" FROM story_count ORDER BY kind')).all()
            == LISTED_0001
        )
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_pictures_of_published_and_withdrawn_stories_are_marked_as_once_public(
    old_database: OldDatabase,
) -> None:
    with old_database("0016") as connection:
        for number, status in enumerate(("published", "withdrawn", "draft"), 1):
            story = ARTICLE_0001.replace("(1, 'H'", f"({number}, 'H'").replace(
                "'s'", f"'s{number}'"
            )
            connection.execute(text(story.replace("published'", f"{status}'")))
            connection.execute(text(PICTURE_0014), {"number": number})
            connection.execute(
                text("INSERT INTO picture_use VALUES (:number, :number)"), {"number": number}
            )
    migrations.upgrade()
    with db.engine.connect() as connection:
        assert connection.scalars(text("SELECT was_public FROM picture ORDER BY id")).all() == [
            1,
            1,
            0,
        ]


def test_older_notes_get_the_kind_of_their_action(old_database: OldDatabase) -> None:
    with old_database("0004") as connection:
        connection.execute(text(ARTICLE_0001))
        connection.execute(text(NOTES_0004))
        for words, moment in (
            ("a", "2026-01-03 10:00:00.000123"),
            ("b", "2026-01-04 10:00:00.000456"),
            ("c", "2025"),
        ):
            values = {"words": words, "moment": moment}
            connection.execute(
                text(
                    "INSERT INTO correction (article_id, text, made_at) VALUES (1, :words, :moment)"
                ),
                values,
            )
    migrations.upgrade()
    with db.engine.connect() as connection:
        kinds = connection.execute(text("SELECT text, kind FROM correction ORDER BY text")).all()
        assert kinds == [("a", "update"), ("b", "correction"), ("c", "correction")]
        notes = connection.execute(
            text("SELECT number, note FROM revision ORDER BY number")
        ).all()
        assert notes == [(1, ""), (2, "a"), (3, "b")]


def test_initialising_twice_changes_nothing(app: Flask) -> None:
    assert setup.initialise(app) is False


def test_only_the_owner_can_read_the_secret_key(app: Flask) -> None:
    assert (app.config["DATA_DIR"] / "secret_key").stat().st_mode & 0o777 == 0o600


STORY_0004 = """
INSERT INTO article (id, headline, dek, slug, language, status, excerpt, word_count,
  source_name, source_url, published_at, updated_at, created_at, saved_at,
  withdrawn_reason, version, section_id, picture_alt, picture_caption, picture_credit, body)
VALUES (:id, 'H', '', 's' || :id, 'en', :status, '', 0,
  '', '', '2026-05-01 00:00:00', :updated, '2026-01-01 00:00:00', '2026-01-01 00:00:00',
  '', 1, 1, '', '', '', 'B')
"""


def test_names_merged_by_equal_slugs_are_listed_with_their_stories(
    old_database: OldDatabase,
) -> None:
    with old_database("0004") as connection:
        connection.execute(
            text("INSERT INTO author (id, slug, name) VALUES (1, 'ahmd-syd', 'أحمد سعيد')")
        )
        connection.execute(text("INSERT INTO topic (id, slug, name) VALUES (1, 'c', 'C++')"))
        for number, names in ((1, ["أحمد سعيد"]), (2, ["أحمد سيد"])):
            status = "published" if number == 2 else "draft"
            values = {"id": number, "status": status, "updated": "2025-01-01 00:00:00"}
            connection.execute(text(STORY_0004), values)
            content = json.dumps({"authors": names, "topics": ["C#"] if number == 1 else []})
            statement = (
                "INSERT INTO revision (article_id, number, action, content, made_at) "
                "VALUES (:id, 1, 'save', :content, '2026-01-01 00:00:00')"
            )
            connection.execute(text(statement), {"id": number, "content": content})
            connection.execute(
                text("INSERT INTO article_author VALUES (:id, 0, 1)"), {"id": number}
            )
        connection.execute(text("INSERT INTO article_topic VALUES (1, 1)"))
    migrations.upgrade()
    merged = [(row.kind, row.name, row.article_id) for row in queries.merged_names(10)]
    assert merged == [("author", "أحمد سيد", 2), ("topic", "C#", 1)]
    hint_lines = list(hints.find_hints())
    assert len(hint_lines) == 2
    assert (
        "“أحمد سيد”" in hint_lines[0]
        and "stories 2 " in hint_lines[0]
        and "“أحمد سعيد”" in hint_lines[0]
    )
    with db.engine.connect() as connection:
        assert (
            connection.execute(text("SELECT updated_at, feed_id FROM article")).all()
            == [(None, None)] * 2
        )
        forms = connection.execute(text("SELECT ascii_form, folded_form FROM topic")).all()
        assert forms == [("c", "c++")]
    assert queries.feed_ids([1, 2]) == {
        1: "urn:spectator:article:1",
        2: "urn:spectator:article:2",
    }
