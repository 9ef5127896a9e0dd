"""A browser window that records errors: third-party requests, console errors, wrong statuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, Route

from tests.browser.running_site import EDITOR, RunningSite

TIMEOUT_MS = 10_000
SCRIPT_HEADERS = {"content-type": "text/javascript", "access-control-allow-origin": "*"}
CDN = re.compile(r"^https://cdn\.jsdelivr\.net/")
STATUS_MESSAGE = "Failed to load resource: the server responded with a status of"


@dataclass
class Window:
    """A window on a site; any entry in `errors` fails the test when the window closes.

    `requests` are the URLs requested so far, `console` the messages in the browser's console.
    """

    page: Page
    site: RunningSite
    has_script: bool
    htmx_file: bytes
    expected_statuses: set[int] = field(default_factory=set)
    ignored_errors: tuple[str, ...] = ()
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a path of the site."""
        self.page.goto(self.site.url + path)
        return self.page

    @property
    def path(self) -> str:
        """Return the path and query of the current page."""
        parts = urlsplit(self.page.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def log_in(self) -> None:
        """Log in as the editor through the login page."""
        page = self.open("/newsroom/")
        page.get_by_label("Email").fill(EDITOR)
        page.get_by_label("Password").fill(self.site.password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/newsroom/stories/")

    def handle_foreign_route(self, route: Route) -> None:
        """Serve CDN files from npm; record and abort all other requests to third parties."""
        url = route.request.url
        if url == self.site.htmx_url:
            route.fulfill(status=200, body=self.htmx_file, headers=SCRIPT_HEADERS)
        elif url in self.site.cdn_files:
            route.fulfill(status=200, body=self.site.cdn_files[url], headers=SCRIPT_HEADERS)
        else:
            self.errors.append(f"request to a third party: {url}")
            route.abort()

    def record_console(self, message: ConsoleMessage) -> None:
        """Record a console message; an error fails the test, unless it is about a status.

        `record_response` records those.
        """
        self.console.append(message.text)
        is_error = message.type == "error" and not message.text.startswith(STATUS_MESSAGE)
        if is_error and not any(text in message.text for text in self.ignored_errors):
            self.errors.append(f"console at {self.page.url}: {message.text}")

    def record_response(self, response: Response) -> None:
        """Record an error status that the test did not expect."""
        if response.status >= 400 and response.status not in self.expected_statuses:
            self.errors.append(f"{response.status} for {response.url}")


@contextmanager
def open_window(
    browser: Browser,
    site: RunningSite,
    has_script: bool = True,
    htmx_file: bytes | None = None,
    **options: Any,
) -> Iterator[Window]:
    """Open a new window; any recorded error fails the test when it closes.

    `htmx_file` replaces the site's htmx, and `options` are Playwright's for a browser context.
    """
    context = browser.new_context(java_script_enabled=has_script, **options)
    context.set_default_timeout(TIMEOUT_MS)
    window = Window(
        context.new_page(), site, has_script, site.htmx_file if htmx_file is None else htmx_file
    )
    # Requests to the site are not routed through Python, which would cost time for each of them.
    context.route(re.compile(rf"^(?!{re.escape(site.url)}/)"), window.handle_foreign_route)
    context.on("request", lambda request: window.requests.append(request.url))
    context.on("console", window.record_console)
    context.on("response", window.record_response)
    context.on("weberror", lambda error: window.errors.append(f"uncaught: {error.error}"))
    try:
        yield window
    except BaseException as error:
        error.add_note(f"at {window.page.url}; errors: {window.errors}")
        raise
    finally:
        context.close()
    assert not window.errors, window.errors
