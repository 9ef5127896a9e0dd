"""One page of each kind, for tests that apply to every page."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import standing_pages
from tests.browser.story_form import fill, press
from tests.browser.windows import Window, open_window

PUBLIC_PAGES = {
    "front": "/",
    "section": "/society/",
    "country": "/country/mali/",
    "topic": "/topic/ferries/",
    "author": "/author/ama-serwaa/",
    "archive": "/archive/",
    "month": "/archive/2025/03/",
    "article with a cover": "/opinion/long",
    "article with a table and long words": "/business/table",
    "article with a picture": "/culture/pictured",
    "article in Arabic": "/culture/arabic",
    "search results": "/search?q=village&sort=oldest&country=kenya",
    "search results narrowed": "/search?q=the+in:society&from=2025-01-01&to=2025-12-31&page=2",
    "search with some words": "/search?q=village+xylophonists",
    "search without results": "/search?q=xylophonists",
    "search without results in a section": "/search?q=village+ledger&section=health",
    "search page after the last": "/search?q=village&page=50",
    "empty search": "/search",
}
ERROR_PAGES = {"not found": ("/politics/never-written", 404), "gone": ("/politics/gone", 410)}
NEWSROOM_PAGES = {
    "newsroom search": "/newsroom/search?q=village&in=published",
    "newsroom search without a hit": "/newsroom/search?q=zzzzz",
    "story list": "/newsroom/stories/",
    "story form": "/newsroom/stories/new",
    "password": "/newsroom/password",
}


def open_older_stories(window: Window) -> None:
    """Open the second page of a list as a reader without JavaScript does."""
    page = window.open("/society/")
    older = page.get_by_role("link", name="Load more").get_attribute("href")
    window.open(older or "")


def open_with_more_stories(window: Window) -> None:
    """Load more stories into a section's page."""
    page = window.open("/society/")
    page.get_by_role("link", name="Load more").click()
    expect(page.locator(".stream .card").nth(20)).to_be_visible()


def open_related(window: Window) -> None:
    """Open a story and wait for “You may also like”."""
    page = window.open("/culture/pictured")
    page.locator(".site-footer").scroll_into_view_if_needed()
    expect(page.locator(".related .card").first).to_be_visible()


def open_search_details(window: Window) -> None:
    """Open every disclosure on a results page."""
    page = window.open("/search?q=the")
    expect(page.locator("#results .card").first).to_be_visible()
    for summary in page.locator("summary").all():
        summary.click()


def open_refused_form(window: Window) -> None:
    """Send a form with several errors."""
    page = window.open("/newsroom/stories/new")
    window.expected_statuses = {422}
    fill(
        page, {"dek": "Only a dek", "countries": "Atlantis", "source_url": "javascript:alert(1)"}
    )
    press(page, "Publish")


def open_published_form(window: Window) -> None:
    """Open the form of a published story with a picture."""
    page = window.open("/newsroom/stories/?q=harbour+in+the+morning")
    page.get_by_role("link", name="A harbour in the morning").click()
    page.get_by_text("Withdraw this story").click()


def open_history(window: Window) -> None:
    """Open the comparison of a story's revisions."""
    page = write(window, "A story with a history")
    fill(page, {"body": "The first words, changed.\n\nAnd more of them."})
    press(page, "Save draft")
    page.get_by_role("link", name="History").click()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("ins").first).to_be_visible()


def open_related_overrides(window: Window) -> None:
    """Open a story's page of related stories: one pinned, one blocked, and an invalid URL."""
    open_published_form(window)
    page = window.page
    page.get_by_role("link", name="Related", exact=True).click()
    page.get_by_role("button", name=re.compile("^Block")).last.click()
    page.get_by_role("button", name=re.compile("^Pin: ")).first.click()
    window.expected_statuses = {422}
    page.get_by_label("Pin another story").fill("nothing like it")
    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text("Paste the URL of a story on this site.")


def open_searches(window: Window) -> None:
    """Open the page of reader searches."""
    with (
        closing(sqlite3.connect(window.site.data_dir / "spectator.db", timeout=10)) as connection,
        connection,
    ):
        for text, times, hits in (
            ("burkina faso", 1200, 31),
            ("a search that is as long as some are" * 4, 7, 0),
        ):
            row = (datetime.now(UTC).date().isoformat(), text, times, hits, times * 9)
            connection.execute("INSERT OR REPLACE INTO search_count VALUES (?, ?, ?, ?, ?)", row)
    window.open("/newsroom/searches")
    expect(window.page.get_by_role("link", name="burkina faso")).to_be_visible()


def open_proof(window: Window) -> None:
    """Open the preview of a saved draft, with a link for people without an account."""
    page = write(window, "A story to be shared")
    window.open(f"{window.path.partition('?')[0]}/proof")
    page.get_by_role("button", name="Create link").click()
    expect(page.get_by_role("button", name="Revoke link 1")).to_be_visible()


def open_conflict(window: Window) -> None:
    """Save over a newer version."""
    page = write(window, "A story of two")
    second_page = page.context.new_page()
    second_page.goto(page.url)
    fill(second_page, {"headline": "A story of two, theirs", "authors": "Ama Serwaa"})
    press(second_page, "Save draft")
    second_page.close()
    fill(page, {"headline": "A story of two, mine", "body": "My words.", "authors": "Zed"})
    window.expected_statuses = {409}
    press(page, "Save draft")
    expect(page.get_by_role("heading", level=1)).to_have_text("Two versions of one story")


def open_loss_warning(window: Window) -> None:
    """Save a story from which a table was deleted."""
    page = write(
        window,
        "A story with a table",
        "<p>Prices.</p><table><tbody><tr><td>Maize</td></tr></tbody></table>",
    )
    fill(page, {"body": "<p>Prices.</p>"})
    window.expected_statuses = {422}
    press(page, "Save draft")
    expect(page.get_by_role("alert").first).to_contain_text("about to remove a table")


def open_unsaved(window: Window) -> None:
    """Open a story with unsaved text."""
    page = write(window, "An unsaved story")
    page.get_by_label("Headline").fill("An unsaved story, changed")
    expect(page.locator("#save-status")).to_contain_text("Saved")
    page.goto(page.url.partition("?")[0])
    page.get_by_text("Show both versions side by side").first.click()


def open_refused_time(window: Window) -> None:
    """Schedule a story for a time that has passed."""
    page = window.open("/newsroom/stories/new")
    fill(page, {"headline": "Late", "body": "Words.", "section": "health"})
    page.get_by_label("Date and time").fill("2020-01-01T10:00")
    window.expected_statuses = {422}
    press(page, "Schedule")


def write(window: Window, headline: str, body: str = "The first words.") -> Page:
    """Save a new draft; return the page with its form."""
    page = window.open("/newsroom/stories/new")
    fill(page, {"headline": headline, "body": body, "section": "health"})
    press(page, "Save draft")
    return page


def path_opener(path: str, status: int = 200) -> Callable[[Window], None]:
    """Return a function that opens a path and expects a status."""

    def open_path(window: Window) -> None:
        window.expected_statuses = {status}
        response = window.page.goto(window.site.url + path)
        assert response is not None and response.status == status, path

    return open_path


PUBLIC: dict[str, Callable[[Window], None]] = {
    **{name: path_opener(path) for name, path in PUBLIC_PAGES.items()},
    **{name: path_opener(path, status) for name, (path, status) in ERROR_PAGES.items()},
    "older stories": open_older_stories,
    "loaded stories": open_with_more_stories,
    "related stories": open_related,
    "search results in detail": open_search_details,
    "refused search": path_opener("/search?q=village&from=yesterday", 400),
    "login": path_opener("/newsroom/login"),
}
BEHIND_LOGIN: dict[str, Callable[[Window], None]] = {
    **{name: path_opener(path) for name, path in NEWSROOM_PAGES.items()},
    "refused form": open_refused_form,
    "published form": open_published_form,
    "history": open_history,
    "proof": open_proof,
    "related overrides": open_related_overrides,
    "searches": open_searches,
    "conflict": open_conflict,
    "loss warning": open_loss_warning,
    "unsaved text": open_unsaved,
    "refused time": open_refused_time,
    **standing_pages.OPENERS,
}
ALL = PUBLIC | BEHIND_LOGIN


@contextmanager
def open_page(request: pytest.FixtureRequest, kind: str, **options: Any) -> Iterator[Window]:
    """Open a window with one page of a kind; newsroom pages open with the editor's session."""
    if kind in BEHIND_LOGIN:
        options["storage_state"] = request.getfixturevalue("editor_state")
    browser, site = (request.getfixturevalue(name) for name in ("browser", "site"))
    with open_window(browser, site, **options) as window:
        ALL[kind](window)
        window.page.wait_for_load_state("load")
        yield window
