"""The benchmarked site: generated stories, with the worker's tasks finished."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import func, select

from benchmarks.search.sites import ROOT, BenchSite, generated_site
from spectator import outbox, queries, related
from spectator.db import db
from spectator.models import Article
from spectator.urls import permalink

TIMEOUT_SECONDS, POLL_SECONDS = 900, 0.5


def settled_site(cache: Path, number: int) -> BenchSite:
    """Return a site of that many stories whose index and related stories are up to date."""
    site = generated_site(cache, number)
    if not site.has_index():
        site.reindex()
    with site.app_context():
        if is_caught_up():
            return site
    worker = subprocess.Popen(
        [sys.executable, "-m", "spectator", "worker"],
        cwd=ROOT,
        env=site.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_caught_up(site)
    finally:
        worker.terminate()
        worker.wait(30)
    return site


def wait_until_caught_up(site: BenchSite) -> None:
    """Wait for the worker; raise TimeoutError if it is too slow."""
    until = time.monotonic() + TIMEOUT_SECONDS
    with site.app_context():
        while not is_caught_up():
            if time.monotonic() > until:
                raise TimeoutError(f"the worker has not finished {site.data}")
            time.sleep(POLL_SECONDS)


def is_caught_up() -> bool:
    """Return whether the worker has computed related stories for every change so far."""
    db.session.rollback()
    offset = queries.consumer_offset(related.CONSUMER)
    return offset == outbox.newest_number() and queries.consumer_offset(related.FULL_PASS) is None


def article_paths(number: int) -> list[str]:
    """Return the paths of that many stories, spread evenly over the archive."""
    published = Article.status == "published"
    total = db.session.scalar(select(func.count()).select_from(Article).where(published)) or 0
    step = max(1, total // number)
    articles = queries.select_published().where(Article.id % step == 0).limit(number)
    return [permalink(article) for article in db.session.scalars(articles)]


def write_paths(site: BenchSite, number: int, file: Path) -> list[str]:
    """Write the paths of that many stories to a file, one a line; return them."""
    with site.app_context() as app, app.test_request_context():
        paths = article_paths(number)
    file.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    return paths
