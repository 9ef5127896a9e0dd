"""What PostgreSQL does by other means than SQLite: locks, connections, checks of the server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, select, text

from spectator import autosaves, outbox, publishing
from spectator.db import (
    StorageError,
    db,
    engine_options,
    postgresql_engine,
    prepare_engine,
)
from spectator.db.poller import MIN_ANSWER_SECONDS, PollError, PollingConnection
from spectator.models import Article, Outbox, Section, User
from spectator.operations import database_copy, diagnosis
from spectator.operations import postgresql as postgresql_faults
from tests import postgresql
from tests.conftest import make_draft

pytestmark = pytest.mark.skipif(not postgresql.SERVER_URL, reason="runs with PostgreSQL")
Story = Callable[..., int]


@pytest.fixture
def other_database() -> Iterator[Callable[..., str]]:
    """Return a function that creates a database with these options and returns its URL."""
    name = f"{postgresql.DATABASE}_other"

    def create(options: str = "") -> str:
        postgresql.execute(f"CREATE DATABASE {name} TEMPLATE template0 {options}")
        return f"{postgresql.SERVER_URL}/{name}"

    yield create
    postgresql.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_numbers_of_the_outbox_follow_the_order_of_commits(app: Flask) -> None:
    numbers: list[int] = []

    def append_second() -> None:
        with app.app_context(), db.write() as session:
            outbox.append(session, None, "second")

    thread = threading.Thread(target=append_second)
    with db.write() as session:
        thread.start()
        time.sleep(0.2)  # the other transaction would have its number by now
        outbox.append(session, None, "first")
        session.flush()
        numbers.append(outbox.newest_number())
    thread.join()
    assert numbers == [1]
    actions = select(Outbox.action).order_by(Outbox.seq)
    assert db.session.scalars(actions).all() == ["first", "second"]


def test_a_write_lock_that_is_held_too_long_is_a_storage_error(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = postgresql_engine.TAKE_WRITE_LOCK.replace("'1s'", "'50ms'")
    errors: list[StorageError] = []

    def write() -> None:
        with app.app_context(), pytest.raises(StorageError) as caught, db.write():
            pass
        errors.append(caught.value)

    with db.write():
        monkeypatch.setattr(postgresql_engine, "TAKE_WRITE_LOCK", impatient)
        monkeypatch.setattr(postgresql_engine, "LOCK_TIMEOUT_SECONDS", 0.12)
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert [error.cause for error in errors] == ["busy"]


def test_a_reading_session_sees_one_state(app: Flask) -> None:
    query = select(Section.name).where(Section.slug == "politics")
    assert db.session.scalar(query) == "Politics"

    def rename() -> None:
        with app.app_context(), db.write() as session:
            session.execute(text("UPDATE section SET name = 'Other' WHERE slug = 'politics'"))

    thread = threading.Thread(target=rename)
    thread.start()
    thread.join()
    assert db.session.scalar(query) == "Politics"
    db.session.rollback()
    assert db.session.scalar(query) == "Other"


def test_a_lost_connection_costs_no_request(
    app: Flask, client: FlaskClient, story: Story
) -> None:
    story()
    assert client.get("/").status_code == 200
    db.session.remove()
    postgresql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{postgresql.DATABASE}'"
    )
    assert client.get("/politics/").status_code == 200


def test_a_character_that_the_server_cannot_store_is_left_out(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(source_name="a"), editor)
    with db.write() as session:
        session.execute(text("UPDATE article SET source_name = :name"), {"name": "a\0b"})
    assert db.session.scalar(select(Article.source_name)) == "ab"
    values = {"head\0line": ["a\0b", {"c": "\0"}], "body": r"\u0000"}
    autosaves.save(editor.id, article_id, "f" * 22, 1, values)
    [row] = autosaves.list_unsaved(editor.id, article_id)
    assert row.values == {"headline": ["ab", {"c": ""}], "body": r"\u0000"}


def test_new_stories_get_ids_after_those_of_an_import(app: Flask, editor: User) -> None:
    prepared = publishing.prepare(make_draft())
    story = publishing.ImportedArticle(prepared, "Politics", "x", "draft", None)
    publishing.import_batch([story])
    assert publishing.create(make_draft(), editor) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'", "has the encoding SQL_ASCII"),
        ("ENCODING UTF8 LC_COLLATE 'C' LC_CTYPE 'C'", "letters such as É have no case"),
        ("ENCODING UTF8", "is empty. Run: spectator init"),
    ],
)
def test_a_database_with_wrong_settings_is_refused(
    app: Flask, other_database: Callable[..., str], options: str, message: str
) -> None:
    url = other_database(options)
    assert message in " ".join(map(str, diagnosis.examine_database(url)))


@pytest.mark.parametrize(
    "server", ["nobody:secret@127.0.0.1:1/x", "postgres:secret@127.0.0.1/none"]
)
def test_a_server_that_does_not_answer_is_reported_without_the_password(
    app: Flask, server: str
) -> None:
    (fault,) = diagnosis.examine_database(f"postgresql+psycopg://{server}")
    assert "does not answer" in fault.message
    assert "secret" not in str(fault)


def test_a_database_moves_from_and_to_sqlite(
    app: Flask, story: Story, other_database: Callable[..., str], tmp_path: Path
) -> None:
    for number in range(3):
        story(headline=f"Story {number}", topics=("Ports",), authors=("Amina",))
    urls = [f"sqlite:///{tmp_path}/a.db", other_database(), f"sqlite:///{tmp_path}/b.db"]
    engines = [db.engine, *map(open_engine, urls)]
    counts = []
    for source, target in pairwise(engines):
        counts.append(database_copy.copy_database(source, target, lambda *_: None))
        if target is engines[1]:  # SQLite can hold what PostgreSQL leaves out
            with target.execution_options(spectator_write=True).begin() as connection:
                connection.execute(text("UPDATE article SET dek = 'a' || char(0) || 'b'"))
                content = json.dumps({"dek": "a\0b"})
                connection.execute(text("UPDATE revision SET content = :c"), {"c": content})
    assert counts[0] == counts[1] == counts[2]
    assert counts[0]["article"] == 3
    for engine in engines[1:]:
        engine.dispose()


def open_engine(url: str) -> Engine:
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine, ZoneInfo("UTC"))
    return engine


def test_no_connection_waits_long_for_a_server_that_has_vanished(app: Flask) -> None:
    names = {*postgresql_engine.TIMEOUTS}
    with db.engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        assert names <= driver.info.get_parameters().keys()
    poller = PollingConnection(app.config["DATABASE_URL"], 1)
    assert poller.fetch("SELECT 1") == [(1,)]
    assert names <= poller.connection.info.get_parameters().keys()
    poller.close()


def test_a_query_for_polling_is_given_up_soon(app: Flask) -> None:
    connection = PollingConnection(app.config["DATABASE_URL"], 0.2)
    queries: list[Callable[[], object]] = [
        lambda: connection.fetch("SELECT pg_sleep(5)"),
        lambda: connection.fetch_texts("SELECT pg_sleep(5)"),
    ]
    with closing(connection):
        for query in queries:
            started = time.monotonic()
            with pytest.raises(PollError):
                query()
            assert MIN_ANSWER_SECONDS <= time.monotonic() - started < 4
            connection.next_attempt_at = 0.0
            assert connection.fetch_texts("SELECT 7") == (b"7",)


def test_cached_pages_do_not_wait_for_a_server_that_stops_answering(
    app: Flask, client: FlaskClient, story: Story
) -> None:
    story()
    app.extensions["page_cache"].poll_seconds = 0.0
    page = client.get("/")
    db.session.remove()
    with db.engine.connect() as blocker:
        driver: Any = blocker.connection.dbapi_connection
        timer = threading.Timer(8, driver.rollback)  # a test that fails must end as well
        blocker.execute(text("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE"))
        timer.start()
        started = time.monotonic()
        answers = [client.get("/") for _ in range(5)]
        seconds = time.monotonic() - started
        timer.cancel()
    assert [answer.data for answer in answers] == [page.data] * 5
    assert page.status_code == 200 and seconds < 4


def test_readyz_reports_that_the_disk_of_the_server_is_full(
    app: Flask,
    client: FlaskClient,
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catch_up()
    monitor = app.extensions["storage"]
    full = "DO $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END $$"
    for query, status, storage in (
        (postgresql_faults._WRITE_TEMPORARY_FILE, 200, "ok"),
        (full, 503, "full disk"),
        ("SELECT 1/0", 200, "ok"),
    ):
        monkeypatch.setattr(postgresql_faults, "_WRITE_TEMPORARY_FILE", query)
        monitor.next_quick_check_at = 0.0
        response = client.get("/readyz")
        assert (response.status_code, response.json["storage"]) == (status, storage)


def test_the_check_for_space_writes_to_the_disk_of_the_server(app: Flask) -> None:
    limit = "SET LOCAL temp_file_limit = '900kB'; "  # for superusers
    with closing(PollingConnection(app.config["DATABASE_URL"], 1)) as connection:
        query = postgresql_faults._WRITE_TEMPORARY_FILE
        assert connection.fetch_texts(query) == (b"80000",)
        with pytest.raises(PollError, match="temporary file size exceeds"):
            connection.fetch_texts(limit + query)
