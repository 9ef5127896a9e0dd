"""PostgreSQL beside SQLite: the same stories, each served by gunicorn, all on this machine.

Both write every commit to disk.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.search.postgres import MISSING, copy_to_postgresql
from benchmarks.search.sites import BenchSite, copy_site
from benchmarks.speed import cold, goals
from benchmarks.speed.cached_article import load_run
from benchmarks.speed.load import format_rates, interleave, median_ratio
from benchmarks.speed.publisher import add_editor, publish_or_correct
from benchmarks.speed.servers import run_gunicorn
from spectator import queries
from spectator.db import db
from tests import postgresql

CORRECTED = 10


def figures(
    site: BenchSite,
    paths_file: Path,
    folder: Path,
    seconds: float,
    rounds: int,
    publications: int,
) -> Iterator[Figure]:
    """Yield PostgreSQL's figures ÷ SQLite's, on copies of the site; none without PostgreSQL.

    The file contains paths of stories, one a line.
    """
    if postgresql.find_programs() is None:
        print(MISSING)
        return
    with postgresql.server(is_durable=True) as server:
        sites = {
            "sqlite": copy_site(site, folder / "sqlite"),
            "postgresql": copy_to_postgresql(
                copy_site(site, folder / "postgresql"), server, "whoosh"
            ),
        }
        sites["postgresql"].run("reindex")
        yield from _page_figures(sites, paths_file, seconds, rounds)
        times = interleave(
            {name: publication_timer(one, publications // rounds) for name, one in sites.items()},
            rounds,
        )
    medians = (statistics.median(times[name]) for name in ("postgresql", "sqlite"))
    yield goals.POSTGRESQL_PUBLISH.with_value(
        median_ratio(times["postgresql"], times["sqlite"]),
        "{:.3g} ÷ {:.3g} ms until the commit".format(*medians),
    )


def _page_figures(
    sites: dict[str, BenchSite], paths_file: Path, seconds: float, rounds: int
) -> Iterator[Figure]:
    """Yield the rates of a cached story, and the times of stories without the page cache."""
    path = paths_file.read_text("utf-8").split("\n", 1)[0]
    with (
        run_gunicorn("wsgi:app", sites["sqlite"].environ) as sqlite,
        run_gunicorn("wsgi:app", sites["postgresql"].environ) as postgres,
    ):
        runs = {"sqlite": load_run(sqlite, path, seconds)}
        runs["postgresql"] = load_run(postgres, path, seconds)
        rates = interleave(runs, rounds)
    ours, theirs = rates["postgresql"], rates["sqlite"]
    yield goals.POSTGRESQL_CACHED.with_value(
        median_ratio(ours, theirs), format_rates(ours, theirs)
    )
    with (
        run_gunicorn(cold.COLD_APP, sites["sqlite"].environ) as sqlite,
        run_gunicorn(cold.COLD_APP, sites["postgresql"].environ) as postgres,
    ):
        rates = interleave(
            {
                "sqlite": lambda: cold.request_rate(sqlite, paths_file, seconds),
                "postgresql": lambda: cold.request_rate(postgres, paths_file, seconds),
            },
            rounds,
        )
    ours, theirs = rates["postgresql"], rates["sqlite"]
    yield goals.POSTGRESQL_COLD.with_value(median_ratio(theirs, ours), format_rates(theirs, ours))


def publication_timer(site: BenchSite, number: int) -> Callable[[], float]:
    """Return a function that publishes and corrects stories.

    It returns the median milliseconds from the call to the commit; of `number` in each round.
    """
    published = 0

    def run() -> float:
        nonlocal published
        times = []
        with site.app_context() as app, app.test_request_context():
            by = add_editor(f"bench{published}@news.example")
            articles = list(db.session.scalars(queries.select_published().limit(CORRECTED)))
            ids = [article.id for article in articles]
            for index in range(published, published + number):
                started = time.perf_counter()
                publish_or_correct(index, by, ids)
                times.append((time.perf_counter() - started) * 1000)
                db.session.rollback()
        published += number
        return statistics.median(times)

    return run
