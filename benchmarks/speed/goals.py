"""Names and goals of the speed figures."""

from __future__ import annotations

from benchmarks.figures import Figure


def at_least(name: str, goal: float, unit: str = "") -> Figure:
    """Return a figure where more is better."""
    return Figure(name, None, unit, goal, higher_is_better=True)


def at_most(name: str, goal: float, unit: str = "") -> Figure:
    """Return a figure where less is better."""
    return Figure(name, None, unit, goal)


CACHED = at_least("cached article ÷ constant bytes, gunicorn", 0.90)
NGINX_CACHED = at_least("cached article ÷ the same bytes as a file, nginx", 0.75)
COLD = at_least("cold article ÷ naive Flask + SQLAlchemy + Jinja", 0.90)
ARTICLE_CPU = at_most("cold article, CPU", 3.0, "ms")
FRONT_CPU = at_most("cold front page, CPU", 6.0, "ms")
DRIVER_CPU = Figure("raw sqlite3, the article's queries ÷ cold article, CPU", None)
REVALIDATED = at_least("304 revalidation ÷ cached 200", 0.95)
FIRST_REQUEST = at_most("first request after publishing − cold render, p99", 30.0, "ms")
FIRST_REQUEST_ERRORS = at_most("5xx while publishing at half of the maximum load", 0)
PUBLISH_DELAY = at_most("from publication until the page shows it, worst", 1000.0, "ms")
OUTAGE_PAGES = at_least("pages in nginx's cache, served while gunicorn is stopped", 100.0, "%")
MEMORY = at_most("memory of a process that served the largest site", 150.0, "MB")
FLOOD_MEMORY = at_most("memory growth during a flood of random URLs", 10.0, "MB")
IMPORT = at_least("import, stories a second, without the index", 1500.0, "/s")
POSTGRESQL_CACHED = at_least("cached article, PostgreSQL ÷ SQLite", 0.95)
POSTGRESQL_COLD = at_most("cold article, time with PostgreSQL ÷ SQLite", 2.0)
POSTGRESQL_PUBLISH = at_most("publishing, time with PostgreSQL ÷ SQLite", 2.0)
MAX_GROWTH = 1.2
PAGES = at_most("pages as the archive grows", MAX_GROWTH)
