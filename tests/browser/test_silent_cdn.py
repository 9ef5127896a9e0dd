"""While the CDN does not respond, autosave, local drafts and readers' scripts work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.running_site import RunningSite
from tests.browser.test_autosave import KEPT_MESSAGE, autosaved_text, count_drafts
from tests.browser.windows import CDN, Window, open_window

pytestmark = pytest.mark.browser
SAVED = re.compile(r"Saved\s+\d\d:\d\d:\d\d")


@contextmanager
def visit_without_cdn(browser: Browser, site: RunningSite, **options: Any) -> Iterator[Window]:
    """Open a window in which requests to the CDN hang."""
    with open_window(browser, site, **options) as window:
        window.ignored_errors = ("net::ERR", "Failed to fetch")
        window.page.route(CDN, lambda route: None)
        yield window


@pytest.fixture
def form_window(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Page]:
    """Form of a new story while the CDN hangs."""
    with visit_without_cdn(browser, site, storage_state=editor_state) as window:
        window.page.goto(f"{site.url}/newsroom/stories/new", wait_until="commit")
        expect(window.page.locator("#story")).to_be_visible()
        yield window.page


def test_typed_text_is_autosaved_and_kept_locally(form_window: Page, site: RunningSite) -> None:
    form_window.get_by_label("Headline").fill("While the CDN hangs")
    form_window.locator("#body").fill("Plain words in the plain field.")
    expect(form_window.locator("#save-status")).to_have_text(SAVED, timeout=3000)
    assert "Plain words in the plain field." in autosaved_text(site)
    form_window.context.set_offline(True)
    form_window.locator("#body").fill("Plain words, and more.")
    expect(form_window.locator("#save-status")).to_have_text(KEPT_MESSAGE)
    assert count_drafts(form_window) == 1


def test_leaving_warns_unless_the_text_is_stored_locally(
    form_window: Page, site: RunningSite
) -> None:
    dialogs: list[str] = []

    def accept(dialog: Any) -> None:
        dialogs.append(dialog.type)
        dialog.accept()

    form_window.on("dialog", accept)
    form_window.get_by_label("Headline").press_sequentially("Typed a moment ago")
    form_window.goto(f"{site.url}/newsroom/stories/", wait_until="commit")
    expect(form_window.get_by_role("heading", name="Stories")).to_be_visible()
    assert dialogs == ["beforeunload"] or count_drafts(form_window) == 1


def test_an_editor_that_loads_late_waits_until_the_plain_field_is_left(
    browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    routes: list[Any] = []
    with open_window(browser, site, storage_state=editor_state) as window:
        page = window.page
        page.route(CDN, lambda route: routes.append(route))
        page.goto(f"{site.url}/newsroom/stories/new", wait_until="commit")
        page.locator("#body").press_sequentially("Started in")
        while routes:
            window.handle_foreign_route(routes.pop(0))
            page.wait_for_timeout(100)
        page.wait_for_load_state("load")
        page.keyboard.type(" the plain field")
        page.get_by_label("Headline").click()
        expect(page.locator("#body-editor")).to_have_text("Started in the plain field")


def test_a_draft_can_be_saved(form_window: Page) -> None:
    form_window.get_by_label("Headline").fill("Saved while the CDN hangs")
    form_window.locator("#body").fill("Words.")
    form_window.select_option("#section", "health")
    form_window.get_by_role("button", name="Save draft").click()
    expect(form_window.get_by_text("Saved.", exact=True)).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/society/", "/opinion/long", "/search?q=village"])
def test_the_search_box_shows_suggestions(browser: Browser, site: RunningSite, path: str) -> None:
    with visit_without_cdn(browser, site) as window:
        window.page.goto(site.url + path, wait_until="commit")
        box = window.page.locator("#sitesearch")
        box.press_sequentially("vil")
        expect(window.page.get_by_role("option").first).to_be_visible()
