"""A browser window on a site that notes every fault: foreign requests, console errors, wrong statuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Response, Route

from tests.browser.running_site import EDITOR, RunningSite

TIMEOUT_MS = 10_000
SCRIPT_HEADERS = {"content-type": "text/javascript", "access-control-allow-origin": "*"}
STATUS_MESSAGE = "Failed to load resource: the server responded with a status of"


@dataclass
class Visit:
    """A window, the site it shows, and what must not happen there: any entry in `faults` fails the test."""

    page: Page
    site: RunningSite
    has_script: bool
    htmx_file: bytes
    expected_statuses: set[int] = field(default_factory=set)
    excused: tuple[str, ...] = ()
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a path of the site."""
        self.page.goto(self.site.url + path)
        return self.page

    @property
    def path(self) -> str:
        """Return the path and query that the window is at."""
        parts = urlsplit(self.page.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def log_in(self) -> None:
        """Log in as the editor, from the newsroom's door."""
        page = self.open("/newsroom/")
        page.get_by_label("E-mail").fill(EDITOR)
        page.get_by_label("Password").fill(self.site.password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/newsroom/stories/")

    def serve(self, route: Route) -> None:
        """Let the site's own requests pass, answer the CDN's from the npm file, note and refuse everything else."""
        url = route.request.url
        self.requests.append(url)
        if url == self.site.htmx_url:
            route.fulfill(status=200, body=self.htmx_file, headers=SCRIPT_HEADERS)
        elif url in self.site.cdn_files:
            route.fulfill(status=200, body=self.site.cdn_files[url], headers=SCRIPT_HEADERS)
        elif url.startswith(f"{self.site.url}/"):
            route.continue_()
        else:
            self.faults.append(f"a third party was asked: {url}")
            route.abort()

    def hear(self, message: ConsoleMessage) -> None:
        """Note what the console says; an error is a fault. Statuses are `judge`'s."""
        self.console.append(message.text)
        is_error = message.type == "error" and not message.text.startswith(STATUS_MESSAGE)
        if is_error and not any(part in message.text for part in self.excused):
            self.faults.append(f"console at {self.page.url}: {message.text}")

    def judge(self, response: Response) -> None:
        """Note an answer that the test did not expect."""
        if response.status >= 400 and response.status not in self.expected_statuses:
            self.faults.append(f"{response.status} for {response.url}")


@contextmanager
def visit(
    browser: Browser, site: RunningSite, has_script: bool = True, htmx_file: bytes | None = None, **options: Any
) -> Iterator[Visit]:
    """Open a fresh window; when it closes, every fault it met fails the test."""
    context = browser.new_context(java_script_enabled=has_script, **options)
    context.set_default_timeout(TIMEOUT_MS)
    visitor = Visit(context.new_page(), site, has_script, site.htmx_file if htmx_file is None else htmx_file)
    context.route("**/*", visitor.serve)
    context.on("console", visitor.hear)
    context.on("response", visitor.judge)
    context.on("weberror", lambda error: visitor.faults.append(f"uncaught: {error.error}"))
    try:
        yield visitor
    except BaseException as error:
        error.add_note(f"at {visitor.page.url}; faults: {visitor.faults}")
        raise
    finally:
        context.close()
    assert not visitor.faults, visitor.faults
