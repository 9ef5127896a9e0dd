"""The engine in PostgreSQL, on a server of its own: quality, and the cost of results pages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import create_engine, inspect, text

from benchmarks.figures import Figure, format_spread, quantile
from benchmarks.search.sites import BenchSite, generated_site
from benchmarks.search.speed import KINDS, WARM_UPS, page_opener, random_searches, search_kind
from spectator.db import WRITE_OPTION, engine_options, prepare_engine
from spectator.db.postgresql_engine import DerivedDatabase
from spectator.models import SearchIndex
from spectator.search import Index, open_shared_index
from spectator.search.postgres.generations import CREATE_GIN_INDEX, current_generation
from tests import postgresql

MISSING = "figures of PostgreSQL are left out: apt-get install postgresql"
# Of results pages in wall milliseconds, by the number of stories.
PAGE_GOALS = {100_000: 150.0, 1_000_000: 500.0}
MAX_QUALITY_LOSS = 0.02
MOST_GENERATED = 10_000  # beyond that every story is repeated at earlier dates
# Repeats a table's rows with other ids; rows that need a slug or a date get others too.
REPEAT = """
INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, generate_series(1, :times - 1) AS n
"""
GIN_INDEX = "SELECT indexname FROM pg_indexes WHERE tablename = :table AND indexdef LIKE '%gin%'"
UNIQUE = ("slug", "external_id", "feed_id", "form_key")
REPEATED_VALUES = {
    "id": "id + n * :step",
    "article_id": "article_id + n * :step",
    **{name: f"{name} || '-repeated-' || n" for name in UNIQUE},
    "published_at": "published_at - n * interval '37 hours'",
    "published": "published - n * 37 * 3600",
}
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def temporary_index() -> Iterator[Index | None]:
    """Yield a missing index in a new database; None, and say so, without PostgreSQL."""
    if postgresql.find_programs() is None:
        print(MISSING)
        yield None
        return
    with postgresql.server() as server:
        url = f"{server}/postgres"
        engine = create_engine(url, **engine_options(url))
        prepare_engine(engine, ZoneInfo("UTC"))
        with engine.execution_options(**{WRITE_OPTION: True}).begin() as connection:
            SearchIndex.__table__.create(connection)  # type: ignore[attr-defined]
        yield open_shared_index(DerivedDatabase(engine), "bench")
        engine.dispose()


def quality_figure(name: str, value: float, whoosh: float, fts5: float, note: str) -> Figure:
    """Return the row of a mean reciprocal rank, whose goal follows from that of Whoosh."""
    return Figure(
        f"  in PostgreSQL, {name}",
        value,
        "",
        round(whoosh - MAX_QUALITY_LOSS, 3),
        higher_is_better=True,
        baseline=fts5,
        note=note,
    )


@dataclass(frozen=True, slots=True)
class PostgresSite(BenchSite):
    """A site whose stories are in PostgreSQL, and with this engine its index too."""

    url: str = ""
    engine: str = "postgres"

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment for the site's processes."""
        database = {"SPECTATOR_DATABASE_URL": self.url, "SPECTATOR_SEARCH": self.engine}
        return BenchSite.environ.fget(self) | database  # type: ignore[attr-defined, no-any-return]


def copy_to_postgresql(site: BenchSite, server: str, engine: str = "postgres") -> PostgresSite:
    """Copy a site's stories to a new database of a server; the site keeps its data directory."""
    with psycopg.connect(f"{server}/postgres".replace("+psycopg", ""), autocommit=True) as one:
        one.execute("CREATE DATABASE bench TEMPLATE template0")
    moved = PostgresSite(site.data, site.number, f"{server}/bench", engine)
    site.run("database", "copy", moved.url)
    return moved


def page_figures(cache: Path, number: int, searches: int) -> Iterator[Figure]:
    """Yield the cost of results pages of a site with that many generated stories in PostgreSQL.

    The number is at most 10,000 or a multiple of it.
    """
    if postgresql.find_programs() is None:
        print(MISSING)
        return
    site = generated_site(cache, min(number, MOST_GENERATED))
    with postgresql.server() as server:
        moved = copy_to_postgresql(site, server)
        seconds = moved.run("reindex")
        name = f"reindex in PostgreSQL, {site.number:,} stories"
        yield Figure(name, site.number / seconds, "/s", higher_is_better=True, note="wall time")
        if number > site.number:
            repeat_stories(moved.url, number // site.number)
        yield from _page_figures(replace(moved, number=number), searches)


def repeat_stories(url: str, times: int) -> None:
    """Store every story and its document that many times, at earlier dates, without importing."""
    engine = create_engine(url)
    with engine.begin() as connection:
        generation = current_generation(connection, "public")
        assert generation
        step = connection.scalar(text("SELECT max(id) FROM article"))
        values = {"times": times, "step": step}
        (gin,) = connection.scalars(text(GIN_INDEX), {"table": generation.documents})
        connection.execute(text(f"DROP INDEX {gin}"))
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("article", "article_author", generation.documents):
            columns = [column["name"] for column in inspect(connection).get_columns(table)]
            repeated = [REPEATED_VALUES.get(column, f'"{column}"') for column in columns]
            statement = REPEAT.format(
                table=table,
                columns=", ".join(f'"{column}"' for column in columns),
                values=", ".join(repeated),
            )
            connection.execute(text(statement), values)
        connection.execute(
            generation.sql("UPDATE {terms} SET documents = documents * :times"), values
        )
        connection.execute(text("UPDATE search_index SET documents = documents * :times"), values)
        connection.execute(generation.sql(CREATE_GIN_INDEX))
    with engine.begin() as connection:
        connection.execute(generation.sql("ANALYZE article, {documents}, {terms}"))
    engine.dispose()


def _page_figures(site: PostgresSite, searches: int) -> Iterator[Figure]:
    texts = random_searches(searches + WARM_UPS)
    with site.app_context() as app:
        rows = measure(page_opener(app, "/search?q="), texts, server_pids(site.url))[WARM_UPS:]
    goal = PAGE_GOALS.get(site.number)
    name = f"results page in PostgreSQL, p95, {site.number:,} stories"
    yield Figure(name, quantile([wall for wall, _ in rows], 0.95), "ms", goal, note=_note(rows))
    for kind in KINDS:
        part = [
            row for text, row in zip(texts[WARM_UPS:], rows, strict=True)
            if search_kind(text) == kind
        ]  # fmt: skip
        value = quantile([wall for wall, _ in part], 0.95)
        yield Figure(f"  of these {kind}, p95", value, "ms", note=_note(part))


def _note(rows: Sequence[tuple[float, float]]) -> str:
    wall, cpu = zip(*rows, strict=True)
    return f"wall {format_spread(wall)}; CPU of both processes p95 {quantile(cpu, 0.95):.3g}"


def measure(
    function: Callable[[str], object], texts: Sequence[str], pids: Callable[[], Sequence[int]]
) -> list[tuple[float, float]]:
    """Return the wall and CPU milliseconds of this process and of others for each text.

    The system counts the CPU time of other processes in hundredths of a second.
    """
    rows = []
    for query in texts:
        cpu, started = time.process_time() + _cpu_seconds(pids()), time.monotonic()
        function(query)
        wall = time.monotonic() - started
        used = time.process_time() + _cpu_seconds(pids()) - cpu
        rows.append((wall * 1000, used * 1000))
    return rows


def server_pids(url: str) -> Callable[[], Sequence[int]]:
    """Return a function that lists the server's processes for a database."""
    connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    return lambda: [pid for (pid,) in connection.execute(query).fetchall()]


def _cpu_seconds(pids: Sequence[int]) -> float:
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _CLOCK_TICKS
