"""Each search is counted once, without a database write in the reader's request."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from spectator import search_log
from spectator.db import db
from spectator.hosts import registry
from spectator.models import SearchCount

TODAY = datetime.now(UTC).date()


def data_dir(app: Flask) -> Path:
    """Return the site's data directory, in which the log is."""
    path: Path = app.config["DATA_DIR"]
    return path


def aggregate(app: Flask) -> None:
    """Count the searches in the log: the first run renames it, the second counts it."""
    search_log.aggregate(data_dir(app))
    search_log.aggregate(data_dir(app))


def counted() -> dict[str, tuple[int, int, int]]:
    """Return for each text its searches, the hits of the last one, and their milliseconds."""
    db.session.rollback()  # end the read transaction, to see the new counts
    rows = db.session.scalars(select(SearchCount).order_by(SearchCount.text))
    return {row.text: (row.times, row.hits, row.milliseconds) for row in rows}


def test_a_log_line_has_only_text_hits_duration_and_day(app: Flask) -> None:
    search_log.log_search(data_dir(app), "  Mali \n coup ", 3, 0.0124)
    line = (data_dir(app) / "searches.log").read_text()
    assert json.loads(line) == {"q": "Mali coup", "hits": 3, "ms": 12, "day": TODAY.isoformat()}
    assert (data_dir(app) / "searches.log").stat().st_mode & 0o777 == 0o600


def test_searches_are_counted_by_day_and_text_without_case(app: Flask) -> None:
    for text, hits in (("Mali", 1), ("mali", 2), ("ṢẸ́GUN", 0), ("mali", 4)):
        search_log.log_search(data_dir(app), text, hits, 0.01)
    aggregate(app)
    assert counted() == {"mali": (3, 4, 30), "ṣẹ́gun": (1, 0, 10)}
    search_log.log_search(data_dir(app), "MALI", 5, 0.02)
    aggregate(app)
    assert counted()["mali"] == (4, 5, 50)
    assert list(data_dir(app).glob("searches*")) == []


def test_aggregating_without_a_log_does_nothing(app: Flask) -> None:
    aggregate(app)
    assert counted() == {}


def test_a_log_of_unreadable_lines_counts_nothing(app: Flask) -> None:
    (data_dir(app) / "searches.log").write_bytes(b"rubbish\n")
    aggregate(app)
    assert counted() == {} and not list(data_dir(app).glob("searches*"))


@pytest.mark.parametrize(
    "line",
    [
        b"rubbish",
        b"{}",
        b'{"q": 1}',
        b"\xff\xfe",
        b"[]",
        b'{"q":"x","hits":"y","ms":1,"day":"2026-01-01"}',
        b'{"q":"x","hits":1e999,"ms":1,"day":"2026-01-01"}',
        b'{"q":"x","hits":99999999999999999999,"ms":1,"day":"2026-01-01"}',
        b'{"q":"x","hits":-1,"ms":0,"day":"2026-01-01"}',
        b'{"q":"\\ud800","hits":1,"ms":1,"day":"2026-01-01"}',
        b'{"q":["x"],"hits":1,"ms":1,"day":"2026-01-01"}',
    ],
)
def test_an_invalid_line_is_skipped(app: Flask, line: bytes) -> None:
    search_log.log_search(data_dir(app), "before", 1, 0)
    with (data_dir(app) / "searches.log").open("ab") as file:
        file.write(line + b"\n")
    search_log.log_search(data_dir(app), "after", 1, 0)
    aggregate(app)
    assert set(counted()) == {"before", "after"}


def test_the_log_has_a_maximum_size(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_log, "MAX_LOG_BYTES", 500)
    for number in range(100):
        search_log.log_search(data_dir(app), f"search {number}", 0, 0)
    assert 400 < (data_dir(app) / "searches.log").stat().st_size < 700


@pytest.mark.parametrize("path", ["missing/folder", "searches.log/inside"])
def test_a_search_that_cannot_be_logged_is_lost_without_an_error(app: Flask, path: str) -> None:
    search_log.log_search(data_dir(app), "logged", 0, 0)
    search_log.log_search(data_dir(app) / path, "lost", 0, 0)
    aggregate(app)
    assert set(counted()) == {"logged"}
    assert not (data_dir(app) / path).exists()


def test_a_log_is_not_counted_again_after_a_crash_between_counting_and_deleting_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_log.log_search(data_dir(app), "mali", 1, 0)
    unlink = Path.unlink

    def die(_path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", die)
    with pytest.raises(KeyboardInterrupt):
        aggregate(app)
    monkeypatch.setattr(Path, "unlink", unlink)
    search_log.log_search(data_dir(app), "mali", 1, 0)
    aggregate(app)
    assert counted()["mali"][0] == 2


def test_a_crash_between_renaming_a_log_and_counting_it_loses_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    search_log.log_search(data_dir(app), "mali", 1, 0)
    with monkeypatch.context() as patch:
        patch.setattr(search_log, "_read_counts", lambda _path: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            aggregate(app)
    search_log.log_search(data_dir(app), "mali", 1, 0)
    aggregate(app)
    assert counted()["mali"][0] == 2
    host = registry.find_own_host()
    assert host is not None and host.last_counted_log == 2


def test_a_line_written_after_the_log_was_renamed_is_counted(app: Flask) -> None:
    search_log.log_search(data_dir(app), "mali", 1, 0)
    line = (data_dir(app) / "searches.log").read_bytes()
    open_log = os.open(data_dir(app) / "searches.log", os.O_WRONLY | os.O_APPEND)
    search_log.aggregate(data_dir(app))  # renames the log
    os.write(open_log, line)
    os.close(open_log)
    search_log.aggregate(data_dir(app))  # counts it
    assert counted()["mali"][0] == 2


def test_old_counts_and_the_rarest_searches_are_deleted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_log, "MAX_ROWS", 3)
    with db.write() as session:
        long_ago = TODAY - timedelta(days=search_log.RETENTION_DAYS + 1)
        session.add(SearchCount(day=long_ago, text="old", times=9, hits=1, milliseconds=1))
    for text in ("often", "often", "twice", "twice", "once", "now", "now"):
        search_log.log_search(data_dir(app), text, 1, 0)
    aggregate(app)
    assert set(counted()) == {"often", "twice", "now"}


def test_a_disk_error_is_logged_and_counting_is_retried(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    search_log.log_search(data_dir(app), "mali", 1, 0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", refuse)
        aggregate(app)
    assert "Read-only file system" in caplog.text and counted() == {}
    aggregate(app)
    assert counted()["mali"][0] == 1


def test_a_full_or_uncounted_log_is_a_problem(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        search_log.find_problem(data_dir(app))
        == search_log.find_problem(data_dir(app) / "missing")
        == ""
    )
    search_log.log_search(data_dir(app), "mali", 1, 0)
    assert search_log.find_problem(data_dir(app)) == ""
    monkeypatch.setattr(search_log, "MAX_LOG_BYTES", 10)
    assert "full" in search_log.find_problem(data_dir(app))
    # Rename the log as `aggregate` does, before it counts it at its next call.
    os.rename(data_dir(app) / "searches.log", data_dir(app) / "searches.1.folding")
    assert search_log.find_problem(data_dir(app)) == ""
    monkeypatch.setattr(search_log, "MAX_DELAY_SECONDS", -1)
    assert "not counted" in search_log.find_problem(data_dir(app))


def _write(path: Path, name: str) -> None:
    for number in range(300):
        search_log.log_search(path, f"{name} {'x' * (number % 150)}", number, 0)


def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    writers = [
        multiprocessing.get_context("spawn").Process(target=_write, args=(tmp_path, f"p{n}"))
        for n in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    lines = (tmp_path / "searches.log").read_text().splitlines()
    assert len(lines) == 900
    assert {json.loads(line)["q"][:2] for line in lines} == {"p0", "p1", "p2"}
    assert all(date.fromisoformat(json.loads(line)["day"]) for line in lines)
