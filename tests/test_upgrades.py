"""Databases that every earlier schema version wrote are upgraded and read back the same.

`python -m tests.upgrades.make` makes the file of a new version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from alembic import command
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, create_engine, inspect, text

from spectator import accounts, config, create_app, migrations
from spectator.accounts import hashing
from spectator.db import WRITE_OPTION, db, engine_options, prepare_engine, sqlite
from spectator.models import User
from spectator.operations import backup, database_copy, setup
from tests import postgresql
from tests.conftest import settings
from tests.upgrades.make import DIRECTORY, insert, literal
from tests.upgrades.samples import PASSWORD, SAMPLES, rows_of

VERSIONS = sorted(migrations.supported_versions())
FIRST_CHECKED = "0019"  # the first schema that says which older code may use it
FIRST_POSTGRESQL = "0018"  # older schemas were never used with PostgreSQL
# What migrations replace: the languages' names (0015), preview links with guessable URLs (0005).
REPLACED = {("article", "language"): "0015"}
DELETED = {"preview_link": "0005"}
# Filled by migrations from other tables, in databases that did not have them yet.
DERIVED = (
    *("author", "topic", "listed", "story_count", "language_count", "opened_list"),
    *("picture_use", "picture"),
)
UNIQUE = re.compile(r"CREATE UNIQUE INDEX|UNIQUE \(|CHECK \(", re.IGNORECASE)


def sql_of(version: str) -> list[str]:
    """Return the statements of a version's file."""
    return (DIRECTORY / f"{version}.sql").read_text("utf-8").split(";\n")[:-1]


def expected_rows(version: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a version's file as they must be after the upgrade."""
    with closing(sqlite.connect(":memory:")) as old:
        old.executescript((DIRECTORY / f"{version}.sql").read_text("utf-8"))
        old.row_factory = sqlite.Row
        for table in SAMPLES:
            is_old = old.execute(
                "SELECT 1 FROM sqlite_master WHERE name = ?", (table,)
            ).fetchone()
            if not is_old or version < DELETED.get(table, ""):
                continue
            for number, row in enumerate(old.execute(f'SELECT * FROM "{table}"')):
                replaced = {
                    name: SAMPLES[table][number][name]
                    for (changed, name), since in REPLACED.items()
                    if changed == table and version < since
                }
                yield table, dict(row) | replaced


def assert_has_row(connection: Connection, table: str, row: dict[str, Any]) -> None:
    """Check that a table has a row with these values, whatever else it has."""
    conditions = []
    for name, value in row.items():
        if value is None:
            conditions.append(f'"{name}" IS NULL')
        elif isinstance(value, dict):
            rows = connection.execute(text(f'SELECT "{name}" FROM "{table}"')).scalars()
            assert value in [json.loads(v) if isinstance(v, str) else v for v in rows]
        else:
            conditions.append(f'"{name}" = {literal(value)}')
    query = text(f'SELECT count(*) FROM "{table}" WHERE {" AND ".join(conditions)}')
    assert connection.execute(query).scalar() == 1, (table, row)


@pytest.fixture
def upgraded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """Site whose database is that of an earlier version, upgraded by `spectator init`."""
    with closing(sqlite.connect(str(tmp_path / "spectator.db"))) as old:
        old.executescript((DIRECTORY / f"{request.param}.sql").read_text("utf-8"))
    app = create_app(settings(tmp_path))
    with app.app_context():
        setup.initialise(app)
        yield app
        db.session.remove()
        db.engine.dispose()


def test_every_schema_version_has_a_file() -> None:
    files = sorted(path.stem for path in DIRECTORY.glob("*.sql"))
    assert files == VERSIONS, "run: python -m tests.upgrades.make"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_file_of_a_version_has_rows_of_every_table(version: str) -> None:
    statements = sql_of(version)
    tables = {match[1] for sql in statements if (match := re.match(r'CREATE TABLE "?(\w+)', sql))}
    assert tables
    for table in tables:
        assert any(sql.startswith(f'INSERT INTO "{table}"') for sql in statements), table


@pytest.mark.sqlite
@pytest.mark.parametrize("version", VERSIONS)
def test_a_backup_of_an_older_database_can_be_made_before_its_upgrade(
    tmp_path: Path, version: str
) -> None:
    with closing(sqlite.connect(str(tmp_path / "spectator.db"))) as old:
        old.executescript((DIRECTORY / f"{version}.sql").read_text("utf-8"))
    manifest = backup.make(config.load(settings(tmp_path)), tmp_path / "a.backup")
    assert backup.check(tmp_path / "a.backup").schema == manifest.schema == version


@pytest.mark.parametrize(
    ("upgraded", "version"), [(v, v) for v in VERSIONS], indirect=["upgraded"]
)
def test_an_older_database_is_upgraded_and_reads_back_the_same(
    upgraded: Flask, version: str
) -> None:
    assert migrations.is_current()
    with db.engine.connect() as connection:
        for table, row in expected_rows(version):
            assert_has_row(connection, table, row)
        for table in DERIVED:
            for row in SAMPLES[table]:
                assert_has_row(connection, table, row)
    assert_pages_are_the_same(upgraded.test_client())
    user = db.session.query(User).filter_by(email="editor@news.example").one()
    assert hashing.check_password(user, PASSWORD) and user.name == "Édith O'Brien"
    assert accounts.user_by_token("unknown") is None


def assert_pages_are_the_same(client: FlaskClient) -> None:
    """Check what readers get of the sample stories."""
    page = client.get("/politics/the-port")
    assert page.status_code == 200
    for words in (
        "Bandari ya Mombasa 1",
        "Amina Bello",
        "named another port",
        "Reuters",
        "“quoted”",
    ):
        assert words in page.text
    assert client.get("/politics/the-old-port").location.endswith("/politics/the-port")
    withdrawn = client.get("/politics/a-mistake")
    assert withdrawn.status_code == 410 and "Not true" in withdrawn.text
    assert client.get("/politics/a-draft").status_code == 404
    for path in ("/politics/", "/archive/2026/01/", "/topic/ports/", "/author/amina-bello/"):
        assert "/politics/the-port" in client.get(path).text, path
    assert client.get("/topic/cote-divoire/").status_code == 200


@pytest.mark.sqlite
@pytest.mark.parametrize("version", [v for v in VERSIONS if v > FIRST_CHECKED])
def test_a_migration_is_additive_or_says_which_code_it_needs(version: str) -> None:
    previous = VERSIONS[VERSIONS.index(version) - 1]
    with closing(sqlite.connect(":memory:")) as database:
        database.executescript((DIRECTORY / f"{version}.sql").read_text("utf-8"))
        ((oldest_code,),) = database.execute(migrations.SELECT_OLDEST_CODE).fetchall()
    if oldest_code < version:
        assert find_obstacles(previous, version) == []


def find_obstacles(previous: str, version: str) -> list[str]:
    """Return why code of the previous schema cannot use a version's: empty if it is additive."""
    new_schema = [sql for sql in sql_of(version) if sql.startswith("CREATE")]
    old_schema = [sql for sql in sql_of(previous) if sql.startswith("CREATE")]
    obstacles = []
    with closing(sqlite.connect(":memory:")) as database:
        database.executescript(";\n".join(new_schema))
        for sql in sql_of(previous):
            if sql.startswith("INSERT"):
                try:
                    database.execute(sql)
                except sqlite.Error as error:
                    obstacles.append(str(error))
    old_tables = {
        match[1] for sql in old_schema if (match := re.match(r'CREATE TABLE "?(\w+)', sql))
    }
    for table in old_tables:
        counts = [
            sum(
                len(UNIQUE.findall(sql))
                for sql in schema
                if re.search(rf'\b(?:TABLE|ON) "?{table}\b', sql)  # values may be called so too
            )
            for schema in (old_schema, new_schema)
        ]
        if counts[1] > counts[0]:
            obstacles.append(f"{table} has a new UNIQUE or CHECK constraint")
    return obstacles


@pytest.mark.parametrize(
    ("change", "obstacle"),
    [
        ('ALTER TABLE "section" RENAME COLUMN "position" TO "place"', "no column named position"),
        ("DROP TABLE related", "no such table: related"),
        ('ALTER TABLE "topic" ADD COLUMN "motto" TEXT NOT NULL DEFAULT NULL', "NOT NULL"),
        ("CREATE UNIQUE INDEX ix_new ON topic (ascii_form)", "topic has a new UNIQUE"),
    ],
)
def test_a_migration_that_older_code_cannot_live_with_is_noticed(
    change: str, obstacle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [sql for sql in sql_of(FIRST_CHECKED) if sql.startswith("CREATE")]
    (tmp_path / f"{FIRST_CHECKED}.sql").write_text(";\n".join(sql_of(FIRST_CHECKED)) + ";\n")
    with closing(sqlite.connect(":memory:")) as database:
        database.executescript(";\n".join([*lines, change]))
        changed = database.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
        ).fetchall()
    schema = [sql for (sql,) in changed if "sqlite_sequence" not in sql]
    (tmp_path / "9999.sql").write_text(";\n".join(schema) + ";\n", "utf-8")
    monkeypatch.setattr("tests.test_upgrades.DIRECTORY", tmp_path)
    assert any(obstacle in line for line in find_obstacles(FIRST_CHECKED, "9999"))


def test_the_code_names_the_oldest_code_that_the_schema_allows(app: Flask) -> None:
    assert migrations.current_schema().oldest_code == migrations.OLDEST_CODE


@pytest.mark.skipif(not postgresql.SERVER_URL, reason="runs with PostgreSQL")
@pytest.mark.parametrize("version", [v for v in VERSIONS if v >= FIRST_POSTGRESQL])
def test_an_older_database_of_postgresql_is_upgraded_and_reads_back_the_same(
    app: Flask, version: str
) -> None:
    name = f"{postgresql.DATABASE}_older"
    postgresql.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    postgresql.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    url = f"{postgresql.SERVER_URL}/{name}"
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine, ZoneInfo("UTC"))
    try:
        config = migrations.alembic_config()
        with engine.connect().execution_options(**{WRITE_OPTION: True}) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, version)
            inspector = inspect(connection)
            columns = {
                table: {column["name"] for column in inspector.get_columns(table)}
                for table in set(SAMPLES) & set(inspector.get_table_names())
            }
            filled = {"alembic_version", "schema_support"}
            for sql in sql_of(version):
                match = re.match(r'INSERT INTO "(\w+)"', sql)
                if match and match[1] not in filled:
                    connection.exec_driver_sql(sql.replace("%", "%%"))
            connection.commit()
        migrations.upgrade(engine)
        assert migrations.current_schema(engine).version == migrations.HEAD
        with engine.connect() as connection:
            for table, names in columns.items():
                for row in rows_of(version, table, names):
                    assert_has_row(connection, table, row)
    finally:
        engine.dispose()
        postgresql.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_sample_rows_are_written_as_both_databases_read_them() -> None:
    row = {"a": "it's", "b": True, "c": None, "d": {"é": 1}, "e": 2}
    values = """('it''s', TRUE, NULL, '{"é": 1}', 2)"""
    assert insert("t", row) == f'INSERT INTO "t" ("a", "b", "c", "d", "e") VALUES {values}'


def use_newer_schema(oldest_code: str) -> None:
    """Let the database say that a newer version upgraded it, and which code can use it."""
    with db.engine.connect().execution_options(**{WRITE_OPTION: True}) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        values = {"oldest_code": oldest_code}
        connection.execute(
            text("UPDATE schema_support SET version = '9999', oldest_code = :oldest_code"), values
        )
        connection.commit()


def test_older_code_runs_on_a_newer_schema_that_allows_it_and_says_so(
    app: Flask, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    use_newer_schema(migrations.HEAD)
    setup.require_ready(app.config)
    [line] = [record.getMessage() for record in caplog.records if "9999" in record.getMessage()]
    assert "has schema 9999" in line and "This code can use it too. Update the code" in line
    assert setup.initialise(app) is False
    assert migrations.current_schema().version == "9999"
    assert app.test_client().get("/readyz").status_code == 200
    manifest = backup.make(app.config, tmp_path / "a.backup")
    assert manifest.schema == "9999"


def test_older_code_refuses_a_newer_schema_that_does_not_allow_it(app: Flask) -> None:
    use_newer_schema("9998")
    with pytest.raises(setup.NotReadyError, match="has schema 9999, but this code knows only"):
        setup.require_ready(app.config)
    assert app.test_client().get("/readyz").status_code == 503


def test_a_newer_database_is_not_copied_without_its_new_columns(app: Flask) -> None:
    use_newer_schema(migrations.HEAD)
    with pytest.raises(database_copy.CopyError, match="Update the code"):
        database_copy.copy_database(db.engine, db.engine, lambda *_: None)
