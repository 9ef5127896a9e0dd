"""The site's answers, without a server and without its caches, as an export stores them.

Dates are written out, because an exported page may not say “Today”. The year of the footer is that
of the last change. So pages stay the same until somebody changes something.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask, render_template
from werkzeug.test import EnvironBuilder, run_wsgi_app

from spectator.templating import long_date

CLOCK_HEADERS = frozenset({"date", "expires"})  # differ each time, though nothing has changed


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of the site to a GET request."""

    status: str  # such as “200 OK”
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> int:
        """Return the number of the status."""
        return int(self.status[:3])

    def header(self, name: str) -> str:
        """Return a header, "" without one."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def is_page(self) -> bool:
        """Return whether the answer is HTML."""
        return self.header("content-type").startswith("text/html")


class Renderer:
    """The site of an app, asked directly."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.site_url: str = app.config["SITE_URL"]

    def get(self, url: str) -> Answer:
        """Return the answer to a path, which may have a query."""
        environ = self._environ(url)
        blocks, status, headers = run_wsgi_app(
            lambda *arguments: Flask.wsgi_app(self.app, *arguments), environ
        )
        try:
            lasting = [row for row in headers if row[0].lower() not in CLOCK_HEADERS]
            return Answer(status, lasting, b"".join(blocks))
        finally:
            if close := getattr(blocks, "close", None):
                close()

    def render(self, path: str, template: str, **context: object) -> str:
        """Return a template as the page at a path would show it."""
        with self.app.request_context(self._environ(path)):
            self.app.preprocess_request()
            return render_template(template, **context)

    def _environ(self, url: str) -> dict[str, object]:
        path, _, query = url.partition("?")
        builder = EnvironBuilder(path=path, query_string=query, base_url=self.site_url)
        try:
            return builder.get_environ()
        finally:
            builder.close()

    @contextmanager
    def lasting_dates(self, moment: datetime) -> Iterator[None]:
        """Write dates that stay right, and the year of the last change in the footer."""
        environment = self.app.jinja_env
        former = environment.filters["recent_date"], environment.globals["year"]
        year = moment.astimezone(ZoneInfo(self.app.config["TIMEZONE"])).year
        environment.filters["recent_date"] = long_date
        environment.globals["year"] = lambda: year
        try:
            yield
        finally:
            environment.filters["recent_date"], environment.globals["year"] = former
