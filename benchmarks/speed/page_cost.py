"""Cost of pages in an idle process: `python -m benchmarks.speed.page_cost SAMPLES [PAGE…]`.

Prints JSON: for each page, or each page named, the median milliseconds of wall clock and of CPU.
Requests call the WSGI application beneath the page cache, so every request renders. The environment
configures the site. Linux only.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from sqlalchemy import event, func, select
from werkzeug.test import EnvironBuilder

from benchmarks.end_to_end import process_memory
from benchmarks.search.sites import ROOT, BenchSite
from benchmarks.speed.site import article_paths
from spectator import queries
from spectator.cli.context import create_ready_app
from spectator.db import db, sqlite
from spectator.models import Article
from spectator.pagecache import OUTBOX_NUMBER_ENVIRON_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

WARM_UPS = 10
CHUNK_BYTES = 1 << 24
COUNTRY, SECTION, RARE = "nigeria", "politics", "rare"
Costs = tuple[float, float]  # milliseconds of wall clock, of CPU


def unwrap_cache(site: Flask) -> WSGIApplication:
    """Return the site's own WSGI application, beneath all middleware.

    It is called as the page cache calls it for a page that is not stored, while nothing changes in
    the database.
    """
    inner: Any = site.wsgi_app
    while hasattr(inner, "app"):
        inner = inner.app

    def site_beneath_cache(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        return cast(
            "Iterable[bytes]", inner({**environ, OUTBOX_NUMBER_ENVIRON_KEY: 0}, start_response)
        )

    return site_beneath_cache


def measure(site: BenchSite, samples: int, *names: str) -> dict[str, Any]:
    """Measure the named pages of a site (all by default) in a new process; return its output."""
    command = [sys.executable, "-m", "benchmarks.speed.page_cost", str(samples), *names]
    done = subprocess.run(
        command, cwd=ROOT, env=site.environ, check=True, capture_output=True, encoding="utf-8"
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def cost(app: WSGIApplication, path: str) -> Costs:
    """Return the cost of one request; AssertionError unless the status is 200."""
    environ = EnvironBuilder(
        path=path.partition("?")[0], query_string=path.partition("?")[2]
    ).get_environ()
    statuses: list[str] = []
    started, spent = time.perf_counter(), time.process_time()
    chunks = app(environ, lambda status, _headers, _failure=None: statuses.append(status))
    body = b"".join(chunks)
    if hasattr(chunks, "close"):
        chunks.close()
    milliseconds = (time.perf_counter() - started) * 1000, (time.process_time() - spent) * 1000
    assert statuses == ["200 OK"], path
    assert body, path
    return milliseconds


def medians(app: WSGIApplication, paths: Sequence[str]) -> Costs:
    """Return the medians over these URLs, after some warm-up requests."""
    for path in paths[:WARM_UPS]:
        cost(app, path)
    costs = [cost(app, path) for path in paths]
    return statistics.median(wall for wall, _ in costs), statistics.median(
        cpu for _, cpu in costs
    )


def page_urls(samples: int) -> dict[str, list[str]]:
    """Return URLs of the current application's site by kind of page, `samples` of each."""
    total = (
        db.session.scalar(
            select(func.count()).select_from(Article).where(Article.status == "published")
        )
        or 0
    )
    middle, end = (cursor_at(index) for index in (total // 2, total - queries.PAGE_SIZE - 5))
    month = middle_month(total // 2)
    single = {
        "front page": "/",
        "load more, in the middle": f"/fragments/stream/?before={middle}",
        "load more, near the end": f"/fragments/stream/?before={end}",
        "load more of a section": f"/fragments/stream/{SECTION}/?before={middle}",
        "load more of a country": f"/fragments/stream/country/{COUNTRY}/?before={middle}",
        "archive": "/archive/",
        "archive month": month,
        "feed": "/feed.xml",
        "feed of a section": f"/{SECTION}/feed.xml",
        "feed of a country": f"/country/{COUNTRY}/feed.xml",
    }
    if queries.listing_by_path(f"/topic/{RARE}/") is not None:  # only `rows.rows_site` has it
        single["topic of few stories"] = f"/topic/{RARE}/"
    return {"article": article_paths(samples)} | {
        name: [path] * samples for name, path in single.items()
    }


def cursor_at(index: int) -> str:
    """Return the cursor after the story at an index of the whole stream."""
    article = db.session.scalars(queries.select_published().offset(index).limit(1)).one()
    return queries.cursor_after(article)


def middle_month(index: int) -> str:
    """Return the archive URL of the month of the story at an index."""
    article = db.session.scalars(queries.select_published().offset(index).limit(1)).one()
    assert article.published_at is not None
    return f"/archive/{article.published_at:%Y/%m}/"


def driver_cpu(app: WSGIApplication, engine: Any, paths: Sequence[str]) -> float:
    """Return the CPU milliseconds that the driver alone needs for an article page's queries."""
    statements: list[tuple[str, Any]] = []

    def record(
        _connection: object, _cursor: object, statement: str, parameters: Any, *_rest: object
    ) -> None:
        statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", record)
    for path in paths:
        cost(app, path)
    event.remove(engine, "before_cursor_execute", record)
    connection = sqlite.connect(engine.url.database)
    started = time.process_time()
    for statement, parameters in statements:
        connection.execute(statement, parameters).fetchall()
    milliseconds = (time.process_time() - started) * 1000 / len(paths)
    connection.close()
    return milliseconds


def warm_disk_cache(file: Path) -> None:
    """Read a file once, so that large sites do not wait for the disk either."""
    with file.open("rb") as stream:
        while stream.read(CHUNK_BYTES):
            pass


def main() -> None:
    """Measure the site that the environment configures; print JSON."""
    site = create_ready_app()
    app = unwrap_cache(site)
    with site.app_context(), site.test_request_context():
        warm_disk_cache(Path(db.engine.url.database or ""))
        pages: Mapping[str, list[str]] = page_urls(int(sys.argv[1]))
        engine = db.engine
        db.session.remove()
    result = {
        name: medians(app, paths)
        for name, paths in pages.items()
        if name in sys.argv[2:] or not sys.argv[2:]
    }
    resident = process_memory(os.getpid())["Rss"]
    raw = driver_cpu(app, engine, pages["article"])
    print(json.dumps({"pages": result, "raw_cpu": raw, "megabytes": resident}))


if __name__ == "__main__":
    main()
