"""/metrics: who may read it, what it holds, and that its size depends on no visitor."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from spectator import create_app, metrics
from spectator.operations.site_status import StatusMonitor
from tests.conftest import settings

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "0123456789abcdef" * 2
# A web process: it shares its measurements, answers a request and dies without cleaning up.
WEB_PROCESS = """
import os, sys
from collections import deque
from pathlib import Path
from spectator import metrics
data = Path(sys.argv[1])
metrics.share(data)
request_metrics = metrics.RequestMetrics(lambda environ, start: start("200 OK", []) or [], deque())
for path in sys.argv[2:]:
    request_metrics({"PATH_INFO": path}, lambda status, headers, exc_info=None: None)
print(metrics.render(request_metrics).decode() + "end", flush=True)
sys.stdin.read()
os._exit(1)
"""


def read(client: FlaskClient) -> dict[str, float]:
    """Return the samples of /metrics: their values by name and labels."""
    text = client.get("/metrics").text
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def count(kind: str, status: str, cache: str) -> str:
    """Return the name of the sample that counts such requests."""
    labels = f'cache="{cache}",kind="{kind}",status="{status}"'
    return f"spectator_request_seconds_count{{{labels}}}"


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("198.51.100.7", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),  # through a proxy
        ("127.0.0.1", {"Via": "1.1 proxy"}, 403),
        ("198.51.100.7", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("198.51.100.7", {"Authorization": f"Bearer {TOKEN[:-1]}"}, 403),
        ("198.51.100.7", {"Authorization": TOKEN}, 403),
    ],
)
def test_only_the_machine_and_the_token_read_the_metrics(
    app: Flask, peer: str, headers: dict[str, str], status: int
) -> None:
    more = {"SPECTATOR_TRUSTED_PROXIES": "1", "SPECTATOR_METRICS_TOKEN": TOKEN}
    client = create_app(settings(app.config["DATA_DIR"], **more)).test_client()
    response = client.get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert response.status_code == status
    assert response.headers["Cache-Control"] == "no-store"
    assert ("spectator_" in response.text) is (status == 200)
    assert ("SPECTATOR_METRICS_TOKEN" in response.text) is (status == 403)


def test_requests_are_counted_by_kind_status_and_answer_of_the_cache(
    app: Flask, client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="A story")
    for path in ("/politics/a-story", "/politics/a-story", "/", "/politics/", "/feed.xml"):
        assert client.get(path).status_code == 200
    for path in ("/no/story", "/newsroom/stories/", "/static/nothing", "/fragments/related/1"):
        client.get(path)
    samples = read(client)
    assert samples[count("story", "200", "miss")] == 1
    hits = 'spectator_page_cache_hits_total{kind="story",status="200"}'
    assert samples[hits] == 1
    etag = client.get("/politics/a-story").headers["ETag"]
    conditional = FlaskClient(app).get("/politics/a-story", headers={"If-None-Match": etag})
    assert conditional.status_code == 304
    samples = read(client)
    assert (samples[hits], samples[hits.replace("200", "304")]) == (2, 1)
    assert samples[count("story", "200", "miss")] == 1, "a hit is counted once"
    for kind, status, cache in (
        ("front", "200", "miss"),
        ("list", "200", "miss"),
        ("feed", "200", "miss"),
        ("story", "404", "miss"),
        ("newsroom", "303", "none"),
        ("static", "404", "none"),
        ("fragment", "200", "miss"),
    ):
        assert samples[count(kind, status, cache)] == 1, kind
    labels = 'cache="miss",kind="story",le="+Inf",status="200"'
    assert samples[f"spectator_request_seconds_bucket{{{labels}}}"] == 1


def test_no_visitor_adds_a_series(app: Flask, client: FlaskClient) -> None:
    for number in range(20):
        client.get(f"/x{number}/y{number}?z={number}", headers={"X-Request-ID": f"{number}" * 20})
        client.open(f"/q{number}", method=f"METHOD{number}")
    series = app.extensions["request_metrics"].series
    assert {kind for kind, _, _ in series} == {"story"} and len(series) <= 4
    assert not re.search("x7|METHOD", client.get("/metrics").text)


def test_series_are_limited_in_number() -> None:
    request_metrics = metrics.RequestMetrics(lambda _environ, _start: [], deque())
    for number in range(2 * metrics.MAX_SERIES):
        request_metrics.observe("story", str(number), "hit", 0.1)
    assert len(request_metrics.series) <= metrics.MAX_SERIES
    assert 'kind="other"' in metrics.render(request_metrics).decode()


def test_a_request_that_raises_is_an_error() -> None:
    def fail(_environ: object, _start: object) -> list[bytes]:
        raise RuntimeError

    request_metrics = metrics.RequestMetrics(fail, deque())
    with pytest.raises(RuntimeError):
        request_metrics({"PATH_INFO": "/"}, lambda *_: None)  # type: ignore[arg-type,return-value]
    assert list(request_metrics.series) == [("front", "500", "none")]


def test_the_state_of_the_site_is_in_the_metrics(
    app: Flask, client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    catch_up()
    story()
    samples = read(client)
    assert samples["spectator_database_up"] == 1
    assert samples['spectator_waiting_changes{consumer="search index"}'] == 1
    assert 0 <= samples['spectator_oldest_waiting_change_seconds{consumer="search index"}'] < 60
    assert samples['spectator_table_rows{table="article"}'] == 1
    assert samples['spectator_index_bytes{index="index"}'] > 1000
    free, size = (
        samples[f'spectator_disk{part}_bytes{{directory="data"}}'] for part in ("_free", "")
    )
    assert 0 < free < size
    assert (
        samples["spectator_overdue_seconds"]
        == samples['spectator_warnings{kind="schedule"}']
        == 0
    )
    assert "spectator_backup_timestamp_seconds" not in samples


def test_without_a_database_requests_are_still_measured(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_monitor: object) -> None:
        raise OperationalError("select", {}, Exception("gone"))

    client.get("/")
    monkeypatch.setattr(StatusMonitor, "current", fail)
    samples = read(client)
    assert samples["spectator_database_up"] == 0
    assert samples[count("front", "200", "miss")] == 1
    assert not [name for name in samples if name.startswith("spectator_table_rows")]


def start_process(data: Path, *paths: str) -> tuple[subprocess.Popen[str], str]:
    """Start a web process that answers requests; return it and what it then reports."""
    process = subprocess.Popen(
        [sys.executable, "-c", WEB_PROCESS, str(data), *paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout
    lines: list[str] = []
    while lines[-1:] != ["end\n"]:
        lines.append(process.stdout.readline())
        assert lines[-1], "the process has ended"
    return process, "".join(lines)


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process and close its pipes."""
    process.kill()
    process.communicate()


def test_processes_share_their_counts_and_a_successor_goes_on_with_them(tmp_path: Path) -> None:
    first, _ = start_process(tmp_path, "/a/b", "/a/c", "/healthz")
    second, _ = start_process(tmp_path, "/a/b")
    assert metrics.read_totals(tmp_path) == (3, 0, 0)
    for process in (first, second):
        end(process)
    third, report = start_process(tmp_path, "/a/d")
    end(third)
    [line] = [
        text for text in report.splitlines() if text.startswith(count("story", "200", "none"))
    ]
    assert line.endswith(" 4.0"), "the counts of processes that were killed remain"
    names = sorted(path.name for path in (tmp_path / "metrics").iterdir())
    assert names == [
        *("0.lock", "1.lock", "counter_0.db", "counter_1.db"),
        *("histogram_0.db", "histogram_1.db"),
    ]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "metrics").iterdir()} == {0o600}
    metrics.clear(tmp_path)
    assert metrics.read_totals(tmp_path) == (0, 0, 0)


def test_the_series_of_a_process_fit_into_its_file(tmp_path: Path) -> None:
    """A file that grew could end the process on a full disk."""
    from prometheus_client import values

    file = tmp_path / "histogram_5.db"
    size = metrics.FILE_BYTES["histogram"]
    metrics._create_file(file, size)
    assert file.stat().st_mode & 0o777 == 0o600
    before = values.ValueClass
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path)
    values.ValueClass = metrics._value_class(5)
    try:
        request_metrics = metrics.RequestMetrics(lambda _environ, _start: [], deque())
        for number in range(metrics.MAX_SERIES + 10):
            request_metrics.observe("monitoring", f"status {number}", "miss", 0.1)
    finally:
        values.ValueClass = before
        del os.environ["PROMETHEUS_MULTIPROC_DIR"]
    assert file.stat().st_size == size


def test_without_space_a_process_measures_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fail)
    metrics.share(tmp_path)
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    assert "No space left" in caplog.text


@pytest.mark.parametrize("delay", [timedelta(seconds=5), timedelta(minutes=1)])
def test_a_missed_schedule_is_a_warning_that_leaves_the_site_ready(
    app: Flask, client: FlaskClient, story: Callable[..., int], delay: timedelta
) -> None:
    from sqlalchemy import update

    from spectator.db import db
    from spectator.models import Article

    article_id = story()
    with db.write() as session:
        at = datetime.now(UTC) - delay
        session.execute(update(Article).values(status="scheduled", published_at=at))
    response = client.get("/readyz")
    assert response.status_code == 200 and response.json
    lines = response.json["warnings"]["schedule"]
    assert len(lines) == (delay > timedelta(seconds=10))
    assert all(line.startswith(f"Story {article_id} was due at ") for line in lines)
    assert (read(client)["spectator_overdue_seconds"] >= 60) is bool(lines)
