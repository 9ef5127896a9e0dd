"""Faults of a database: its schema, and the server that has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from spectator import migrations
from spectator.db.poller import PollError
from spectator.migrations import HEAD, Schema
from spectator.operations import diagnosis, postgresql
from spectator.operations.database_copy import UNFINISHED
from spectator.operations.faults import Cause

URL = "postgresql+psycopg://user:secret@db.example/news"
NEWER = "9999"
SITE = diagnosis.REQUIRED_TABLES | {"alembic_version"}


@pytest.mark.parametrize(
    ("schema", "cause", "sentence"),
    [
        (Schema(frozenset(), None, None), Cause.EMPTY, "The database N is empty. Run: spectator"),
        (
            Schema(frozenset({"wp_posts"}), None, None),
            Cause.FOREIGN,
            "N is the database of another program. Check SPECTATOR_DATABASE_URL, or move the",
        ),
        (
            Schema(SITE | {UNFINISHED.name}, HEAD, HEAD),
            Cause.DAMAGED,
            "The database N is a copy that was not finished. "
            "Set SPECTATOR_DATABASE_URL to the old database, then repeat the copy.",
        ),
        (
            Schema(frozenset({"article"}), None, None),
            Cause.DAMAGED,
            "The database N is damaged (tables are missing). Stop the site and restore a backup",
        ),
        (
            Schema(SITE - {"outbox"}, HEAD, HEAD),
            Cause.DAMAGED,
            "The database N is damaged (tables are missing).",
        ),
        (
            Schema(SITE, "0001", None),
            Cause.OLDER,
            f"The database N has the older schema 0001; this code needs {HEAD}. Run: spectator",
        ),
        (
            Schema(SITE, NEWER, NEWER),
            Cause.NEWER,
            f"The database N has schema {NEWER}, but this code knows only {HEAD} and older. "
            "A newer version of the site upgraded it. Update the code in ",
        ),
        (
            Schema(SITE, NEWER, HEAD),
            Cause.NEWER,
            f"The database N has schema {NEWER}, but this code knows only {HEAD} and older. "
            "A newer version of the site upgraded it. This code can use it too. Update the code",
        ),
    ],
)
def test_faults_of_a_schema(schema: Schema, cause: Cause, sentence: str) -> None:
    [fault] = diagnosis._examine_schema("N", schema)
    assert fault.cause is cause and fault.path is None
    assert str(fault).startswith(sentence)
    is_usable = cause is Cause.NEWER and schema.oldest_code == HEAD
    assert fault.stops_reading is not is_usable
    assert str(fault).endswith("soon.") is is_usable
    assert ("restore the backup made before" in str(fault)) is (schema.oldest_code == NEWER)


def test_the_schema_of_this_code_has_no_fault() -> None:
    assert list(diagnosis._examine_schema("N", Schema(SITE, HEAD, HEAD))) == []
    assert (
        HEAD in migrations.supported_versions() and NEWER not in migrations.supported_versions()
    )


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (URL, "news on db.example"),
        ("postgresql+psycopg:///news", "news on this machine"),
    ],
)
def test_a_database_is_called_by_its_name_and_host(url: str, name: str) -> None:
    assert postgresql.database_name(url) == name
    fault = postgresql.no_answer_fault(url, PollError("connection\n refused"))
    assert str(fault) == (
        f"The database {name} does not answer (connection refused). "
        "Check that PostgreSQL runs, and SPECTATOR_DATABASE_URL."
    )
    assert (fault.cause, fault.path) == (Cause.NO_ACCESS, None)


def serve(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
    """Let the server answer with a good state, except for these values."""
    state = {"number": "150004", "encoding": "UTF8", "ctype": "c:C.UTF-8", "standby": False}
    row = (*(state | answers).values(),)[:4]
    time = datetime.now(UTC) - timedelta(seconds=answers.get("seconds", 0))
    connection = SimpleNamespace(
        fetch=lambda _query: [(*row, time)],
        fetch_texts=lambda _query: (b"1",),
        close=lambda: None,
    )
    monkeypatch.setattr(postgresql, "PollingConnection", lambda _url, _seconds: connection)


CREATE = "createdb --template=template0 --encoding=UTF8 --locale=C.UTF-8 NAME"


@pytest.mark.parametrize(
    ("answers", "cause", "sentence"),
    [
        (
            {"number": "149999"},
            Cause.OLDER,
            "The database news on db.example is PostgreSQL 14. Use PostgreSQL 15 or newer.",
        ),
        (
            {"encoding": "LATIN1"},
            Cause.WRONG_KIND,
            "The database news on db.example has the encoding LATIN1 instead of UTF8. "
            f"Create it again: {CREATE}",
        ),
        (
            {"ctype": "c:C"},
            Cause.WRONG_KIND,
            "The database news on db.example has the locale C, in which letters such as É have no "
            f"case. Create it again: {CREATE}",
        ),
        (
            {"ctype": "c:POSIX"},
            Cause.WRONG_KIND,
            "The database news on db.example has the locale",
        ),
        (
            {"standby": True},
            Cause.READ_ONLY,
            "The database news on db.example is a standby and cannot be written. "
            "Set SPECTATOR_DATABASE_URL to the primary server.",
        ),
        (
            {"seconds": 4},
            Cause.CLOCK,
            "The clocks of this machine and of the database differ by 4 s. "
            "Run a time service (NTP) on both.",
        ),
        (
            {"seconds": -4},
            Cause.CLOCK,
            "The clocks of this machine and of the database differ by",
        ),
    ],
)
def test_faults_of_a_server(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], cause: Cause, sentence: str
) -> None:
    serve(monkeypatch, **answers)
    [fault] = postgresql.examine_server(URL)
    assert fault.cause is cause and str(fault).startswith(sentence)
    assert fault.stops_reading is (cause not in {Cause.READ_ONLY, Cause.CLOCK})


def test_a_good_server_has_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for answers in ({}, {"number": "150000"}, {"seconds": 1}, {"ctype": "i:C"}):
        serve(monkeypatch, **answers)
        assert list(postgresql.examine_server(URL)) == []


def test_the_version_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    queries: list[str] = []

    def fetch(query: str) -> list[tuple[str]]:
        queries.append(query)
        return [("16.4",)]

    connection = SimpleNamespace(fetch=fetch, close=lambda: None)
    monkeypatch.setattr(postgresql, "PollingConnection", lambda _url, _seconds: connection)
    assert postgresql.version(URL) == "16.4"
    assert queries == ["SELECT current_setting('server_version')"]
    error = PollError("refused")

    def refuse(_query: str) -> list[tuple[str]]:
        raise error

    connection.fetch = refuse
    assert postgresql.version(URL) == "does not answer"
