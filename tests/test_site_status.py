"""What `doctor`, /metrics, /readyz and the status page say about the state of the site."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask

from spectator import autosaves, metrics, queries
from spectator.db import Base, db
from spectator.models import (
    Autosave,
    LoginAttempt,
    LoginClient,
    MissingPage,
    Outbox,
    Presence,
    PreviewLink,
    SearchCount,
    TrafficHour,
    User,
    UserSession,
)
from spectator.operations import doctor, site_status
from spectator.operations.site_status import MAX_ROWS, STORY_TABLES, SlowFacts, StatusMonitor
from spectator.worker import Worker

GROWING_WITH_STORIES = {
    *STORY_TABLES,
    *("article_author", "article_country", "article_topic", "author", "topic", "correction"),
    *("former_name", "import_state", "name_translation", "picture_use", "related"),
    *("related_choice", "old_address", "page", "page_revision", "page_redirect"),
    *("page_picture", "page_import", "menu_entry"),
}
FIXED = {
    *("schema_support", "country", "section", "user", "follower", "alembic_version"),
    *("host", "lease", "search_index"),
}


def test_a_disk_with_less_than_five_percent_is_reported(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free, is_low in ((51_000_000_000, False), (49_000_000_000, True)):
        usage = SimpleNamespace(free=free, total=1_000_000_000_000)
        monkeypatch.setattr(shutil, "disk_usage", lambda _path, usage=usage: usage)
        sentences = site_status.read(app.config).warnings["disk"]
        expected = (
            f"Less than 5% of the disk of {app.config['DATA_DIR']} is free (49,000 MB). "
            "Free some space soon."
        )
        assert sentences == ((expected,) if is_low else ())


def test_a_backup_that_is_too_old_is_reported(app: Flask, tmp_path: Path) -> None:
    assert site_status.read(app.config).warnings["backup"] == ()
    app.config["BACKUP_TO"] = tmp_path
    [sentence] = site_status.read(app.config).warnings["backup"]
    assert "is missing" in sentence
    path = tmp_path / "spectator-2026-11-28.backup"
    path.touch()
    status = site_status.read(app.config)
    assert status.warnings["backup"] == () and status.last_backup_at is not None
    os.utime(path, (0, datetime.now(UTC).timestamp() - 40 * 3600))
    [sentence] = site_status.read(app.config).warnings["backup"]
    assert sentence.startswith(f"The last backup in {tmp_path} is of ")
    assert sentence in list(doctor.problems(app))


def test_a_table_that_the_worker_should_prune_is_reported(app: Flask) -> None:
    counts = {"login_attempt": 200_001, "outbox": 200_000, "article": 10**7}
    [sentence] = site_status.compute(app.config, SlowFacts(counts, None, None)).warnings["tables"]
    assert sentence.startswith("The table login_attempt has 200,001 rows; the worker should keep")


def test_every_table_has_a_bound_or_grows_with_the_stories() -> None:
    tables = {*Base.metadata.tables} - FIXED
    derived = {
        name
        for name in tables
        if name.startswith(("listed", "story_count", "language_count", "derivation", "opened"))
    }
    assert tables - derived - GROWING_WITH_STORIES == MAX_ROWS.keys()


def test_the_status_is_computed_at_most_every_two_seconds(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 101.9, 102.0, 399.0, 401.0])
    monkeypatch.setattr(site_status.time, "monotonic", lambda: next(clock))
    counted: list[int] = []
    count_rows = site_status.queries.count_rows
    monkeypatch.setattr(
        site_status.queries, "count_rows", lambda names: counted.append(1) or count_rows(names)
    )
    monitor = StatusMonitor(app.config)
    first = monitor.current()
    assert monitor.current() is first
    second = monitor.current()
    assert second is not first and monitor.current() is not second
    assert len(counted) == 1
    monitor.current()
    assert len(counted) == 2
    db.session.rollback()


def old_rows(user_id: int, article_id: int) -> dict[str, list[object]]:
    """Return rows by table that nobody needs any more."""
    past = datetime.now(UTC) - timedelta(days=400)
    autosave = Autosave(
        user_id=user_id, form_id="f", version=1, values={}, saved_at=past, discarded_at=past
    )
    link = PreviewLink(
        article_id=article_id, token_hash="h", nonce="n", made_at=past, expires_at=past
    )
    client = LoginClient(user_id=user_id, kind="address", value="192.0.2.1", seen_at=past)
    session = UserSession(token_hash="h", user_id=user_id, created_at=past, seen_at=past)
    search = SearchCount(day=past.date(), text="q", times=1, hits=1, milliseconds=1)
    return {
        "autosave": [autosave],
        "known_client": [client],
        "login_attempt": [LoginAttempt(email="a@b.example", address="192.0.2.1", at=past)],
        "missing_page": [MissingPage(day=past.date(), path="/a", times=1)],
        "outbox": [Outbox(article_id=article_id, action="update", at=past) for _ in range(3)],
        "presence": [Presence(article_id=article_id, user_id=user_id, seen_at=past)],
        "preview_link": [link],
        "search_count": [search],
        "traffic_hour": [TrafficHour(hour=past, requests=1, errors=0, slow=0)],
        "user_session": [session],
    }


def test_the_worker_prunes_every_table_with_a_bound(
    app: Flask,
    editor: User,
    idle_worker: Worker,
    story: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = old_rows(editor.id, story())
    assert rows.keys() == MAX_ROWS.keys()
    autosaves.prune()  # so that the next time the clock has not jumped
    with db.write() as session:
        session.add_all(row for group in rows.values() for row in group)
    (app.config["DATA_DIR"] / "searches.1.folding").write_text(
        '{"q": "ports", "hits": 1, "ms": 1, "day": "' + f'{datetime.now(UTC).date()}"' + "}\n"
    )
    idle_worker.maintenance.traffic.totals = metrics.RequestTotals(0, 0, 0)
    monkeypatch.setattr(metrics, "read_totals", lambda _data: metrics.RequestTotals(1, 0, 0))
    while idle_worker.run_once():
        pass
    idle_worker.next_maintenance_at = 0.0
    idle_worker.run_once()
    # What is left is of today: the newest row of the outbox, a search, a request.
    remaining = {name: count for name, count in queries.count_rows(MAX_ROWS).items() if count}
    assert remaining == {"outbox": 1, "search_count": 1, "traffic_hour": 1}
