"""The preview shows unsaved text as readers would see it: in a pane on wide screens, or a tab."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.page_kinds import write
from tests.browser.running_site import RunningSite
from tests.browser.story_form import fill
from tests.browser.test_autosave import poll
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser
PREVIEW = re.compile(r"/newsroom/stories/\d+/preview\?copy=")  # the page in the pane's frame


@pytest.fixture(params=["site", "htmx_2_site"])
def wide_window(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Window]:
    """Editor's window on a wide screen."""
    site: RunningSite = request.getfixturevalue(request.param)
    size: dict[str, Any] = {"viewport": {"width": 1600, "height": 1000}}
    with open_window(browser, site, **size) as window:
        window.log_in()
        yield window


def test_the_pane_shows_text_while_it_is_typed(wide_window: Window) -> None:
    page = write(wide_window, "Stored headline")
    frame = page.frame_locator("#preview iframe")
    expect(frame.locator("h1")).to_have_text("Stored headline")
    page.get_by_label("Headline").fill("Typed headline")
    expect(frame.locator("h1")).to_have_text("Typed headline")
    page.locator("#body-editor").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" A last word.")
    expect(frame.locator(".prose")).to_contain_text("A last word.")
    page.get_by_label("Desktop").check()
    assert page.locator("#preview iframe").evaluate("frame => frame.clientWidth") == 1280
    page.get_by_label("Phone").check()
    assert page.locator("#preview iframe").evaluate("frame => frame.clientWidth") <= 362


SCROLL_TOP = "document.querySelector('#preview iframe').contentWindow.scrollY"


def test_the_pane_stays_scrolled_if_a_save_comes_before_the_last_preview(
    wide_window: Window,
) -> None:
    page = write(wide_window, "Long story")
    fill(page, {"body": "<p>Words.</p>" * 100})
    frame = page.frame_locator("#preview iframe")
    expect(frame.locator(".prose p")).to_have_count(100)
    page.evaluate("document.querySelector('#preview iframe').contentWindow.scrollTo(0, 400)")
    unanswered: list[Route] = []

    def answer_all_but_the_first(route: Route) -> None:
        if unanswered:
            route.continue_()
        else:
            unanswered.append(route)

    page.route(PREVIEW, answer_all_but_the_first)
    page.get_by_label("Headline").fill("First save")
    poll(page, "document.querySelector('#preview iframe').contentDocument.URL === 'about:blank'")
    page.get_by_label("Headline").fill("Second save")
    expect(frame.locator("h1")).to_have_text("Second save")
    poll(page, f"{SCROLL_TOP} === 400")


def test_the_pane_recovers_from_a_preview_that_could_not_be_loaded(wide_window: Window) -> None:
    wide_window.ignored_errors = ("net::ERR",)
    page = write(wide_window, "Stored headline")
    frame = page.frame_locator("#preview iframe")
    expect(frame.locator("h1")).to_have_text("Stored headline")
    page.route(PREVIEW, lambda route: route.abort())
    page.get_by_label("Headline").fill("First save")
    poll(page, "!document.querySelector('#preview iframe').contentDocument")
    page.unroute(PREVIEW)
    page.get_by_label("Headline").fill("Second save")
    expect(frame.locator("h1")).to_have_text("Second save")


def test_a_phone_requests_no_preview(
    browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    with open_window(
        browser, site, storage_state=editor_state, viewport={"width": 360, "height": 640}
    ) as window:
        page = write(window, "On a phone")
        page.get_by_label("Headline").fill("Typed on a phone")
        expect(page.locator("#save-status")).to_contain_text("Saved")
        page.wait_for_timeout(500)
        assert not [
            url for url in window.requests if url.endswith("/preview") or "/preview?" in url
        ]


def test_a_story_can_be_previewed_before_its_first_save(editor_window: Window) -> None:
    page = editor_window.open("/newsroom/stories/new")
    fill(page, {"headline": "Never saved", "body": "Only typed."})
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Preview", exact=True).click()
    preview = popup.value
    expect(preview.get_by_text("Your unsaved draft from")).to_be_visible()
    for name in ("Phone", "Desktop"):
        frame = (
            preview.get_by_role("region", name=name, exact=True).locator("iframe").content_frame
        )
        expect(frame.get_by_role("heading", name="Never saved")).to_be_visible()
        expect(frame.get_by_text("Only typed.")).to_be_visible()
    assert editor_window.path == "/newsroom/stories/new"  # the form stays open
    expect(page.get_by_label("Headline")).to_have_value("Never saved")
    preview.close()
