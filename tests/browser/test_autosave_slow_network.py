"""Autosave and Save with slow connections, hotspots that intercept requests, and old browsers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Page, Request, Route, TimeoutError, expect

from tests.browser import axe
from tests.browser.running_site import RunningSite
from tests.browser.sample_stories import draw_picture
from tests.browser.test_autosave import (
    IGNORED_ERRORS,
    NEW_STORY_PATH,
    SAVED_MESSAGE,
    autosaved_text,
    expect_status,
    let_retries_pass,
    open_with_clock,
    type_text,
    wait_until_no_local_draft,
)
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser
NO_STORAGE = (
    "Object.defineProperty(window, 'indexedDB', {get() { throw new DOMException('blocked') }})"
)
OLD_BROWSER = """
    delete AbortSignal.timeout;
    delete HTMLFormElement.prototype.requestSubmit;
    document.addEventListener('DOMContentLoaded', () => {
      window.wasOld = !HTMLFormElement.prototype.requestSubmit;
    });
"""


@pytest.fixture
def form_window(browser: Browser, site: RunningSite, editor_state: object) -> Iterator[Window]:
    """Editor's window at the form of a new story, in which network errors are expected."""
    with open_window(browser, site, storage_state=editor_state) as window:
        window.ignored_errors = IGNORED_ERRORS
        window.open(NEW_STORY_PATH)
        yield window


def delay_request(page: Page, milliseconds: int) -> Callable[[Route], None]:
    """Return a route handler that delays a request without blocking the page."""

    def wait(route: Route) -> None:
        page.wait_for_timeout(milliseconds)
        route.continue_()

    return wait


def record_posts(page: Page, ending: str) -> list[str]:
    """Return a list to which every POST to a URL with this ending will be added."""
    posts: list[str] = []

    def record(request: Request) -> None:
        if request.method == "POST" and request.url.endswith(ending):
            posts.append(request.url)

    page.on("request", record)
    return posts


def write(page: Page, headline: str, text: str = "Words.") -> None:
    """Fill in the required fields; the cursor stays in the text."""
    page.get_by_label("Headline").fill(headline)
    page.select_option("#section", "health")
    type_text(page, text)


def post_slowly(page: Page, seconds: float, *scripts: tuple[float, str]) -> list[Route]:
    """Press Save and hold back the POST for some seconds; return the routes of all POSTs.

    Playwright cannot act on a page that is submitting a form, so the page itself runs the scripts,
    each after a number of seconds.
    """
    routes: list[Route] = []
    page.route(
        "**" + NEW_STORY_PATH,
        lambda route: (
            routes.append(route) if route.request.method == "POST" else route.continue_()
        ),
    )
    write(page, "In transit")
    for delay, script in scripts:
        page.evaluate(f"void setTimeout(() => {{ {script} }}, {delay * 1000})")
    page.evaluate(SAVE_SCRIPT)
    with suppress(TimeoutError):
        page.wait_for_event("close", timeout=seconds * 1000)
    return routes


SAVE_SCRIPT = "document.querySelector('.bar button[value=save]').click()"
STOP_SCRIPT = "document.getElementById('stop-sending').click()"
TYPE_SCRIPT = """
    const headline = document.getElementById("headline");
    headline.value += ", and more";
    headline.dispatchEvent(new Event("input", { bubbles: true }));
"""


def test_a_form_is_submitted_only_once_on_a_slow_connection(form_window: Window) -> None:
    page = form_window.page
    # Hold the POST back for longer than two retries take.
    routes = post_slowly(page, 11.5, (1, SAVE_SCRIPT), (3, TYPE_SCRIPT), (4.5, SAVE_SCRIPT))
    assert len(routes) == 1
    routes[0].continue_()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()


def test_text_typed_while_the_form_is_in_transit_is_offered_afterwards(
    form_window: Window,
) -> None:
    page = form_window.page
    routes = post_slowly(page, 2.5, (0.8, TYPE_SCRIPT))
    routes[0].continue_()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    headline = page.get_by_label("Headline")
    expect(headline).to_have_value("In transit")
    banner = page.get_by_role("region", name="saved only on this device")
    expect(banner).to_have_count(1)
    banner.get_by_role("button", name="Restore").click()
    expect(headline).to_have_value("In transit, and more")
    page.get_by_role("button", name="Save draft").click()
    wait_until_no_local_draft(page)
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(headline).to_have_value("In transit, and more")
    expect(banner).to_have_count(0)


def test_a_form_in_transit_can_be_cancelled(form_window: Window) -> None:
    page = form_window.page
    form_id = page.locator("[name=copy]").input_value()
    routes = post_slowly(page, 8, (1, TYPE_SCRIPT), (6.5, STOP_SCRIPT))
    assert len(routes) == 1
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(page.get_by_role("button", name="Save draft")).to_be_focused()
    expect_status(page).to_have_text(SAVED_MESSAGE)
    # The form keeps its id, by which the server recognizes the story if the POST arrived after all.
    expect(page.locator("[name=copy]")).to_have_value(form_id)
    assert "In transit, and more" in autosaved_text(form_window.site)
    wait_until_no_local_draft(page)
    page.unroute("**" + NEW_STORY_PATH)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(page.get_by_label("Headline")).to_have_value("In transit, and more")


def test_more_typing_does_not_abort_an_autosave_in_transit(form_window: Window) -> None:
    page = form_window.page
    posts = record_posts(page, "/autosave")
    page.route("**/autosave", delay_request(page, 4000))
    type_text(page, "Started.")
    page.wait_for_timeout(2000)
    type_text(page, " Typed on.")
    expect_status(page).to_have_text(SAVED_MESSAGE, timeout=6000)
    assert len(posts) == 1
    expect_status(page).to_have_text("Saving…", timeout=3000)
    expect_status(page).to_have_text(SAVED_MESSAGE, timeout=8000)
    assert "Typed on." in autosaved_text(form_window.site)


def test_an_expired_login_is_announced_once(form_window: Window) -> None:
    page = open_with_clock(form_window)
    cookies = page.context.cookies()
    page.context.clear_cookies()
    posts = record_posts(page, "/autosave")
    page.get_by_label("Headline").fill("Out")
    expect_status(page).to_contain_text("you are logged out")
    page.evaluate(
        """() => {
          window.changes = 0;
          const saved = document.getElementById("save-status");
          const observer = new MutationObserver(() => (window.changes += 1));
          observer.observe(saved, { childList: true, subtree: true });
        }"""
    )
    let_retries_pass(page, 2)
    assert page.evaluate("window.changes") == 0
    assert len(posts) == 1
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    expect_status(page).to_have_text(SAVED_MESSAGE)


def test_a_hotspots_page_is_not_taken_for_a_logout(form_window: Window) -> None:
    page = form_window.page
    page.route(
        "**/fragments/session", lambda route: route.fulfill(body="<h1>Welcome to the hotel</h1>")
    )
    write(page, "From a hotel")
    page.get_by_role("button", name="Save draft").click()
    expect_status(page).to_have_text(
        "The server does not answer. Kept on this device; will send when it does."
    )
    assert axe.violations(page) == []
    page.unroute("**/fragments/session")
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()


@pytest.mark.parametrize("script", [OLD_BROWSER, NO_STORAGE], ids=["old browser", "no storage"])
def test_an_old_browser_or_one_without_storage_can_submit(
    form_window: Window, script: str
) -> None:
    page = form_window.page
    page.add_init_script(script)
    page.reload()
    if script == OLD_BROWSER:
        assert page.evaluate("window.wasOld && !AbortSignal.timeout")
    write(page, "From an old telephone")
    expect_status(page).to_have_text(SAVED_MESSAGE)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()


def test_a_browser_without_storage_warns_before_leaving(form_window: Window) -> None:
    page = form_window.page
    page.add_init_script(NO_STORAGE)
    page.reload()
    page.context.set_offline(True)
    page.get_by_label("Headline").fill("Nowhere")
    expect_status(page).to_have_text(
        "Not saved. This browser cannot keep a copy, so copy your text somewhere safe."
    )
    dialogs: list[str] = []

    def accept(dialog: object) -> None:
        dialogs.append(dialog.type)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", accept)
    page.context.set_offline(False)
    page.route("**/autosave", lambda route: route.abort())
    form_window.open(NEW_STORY_PATH)
    assert dialogs == ["beforeunload"]


def test_selecting_a_picture_alone_is_not_autosaved_or_reported_as_saved(
    form_window: Window, tmp_path: object
) -> None:
    page = open_with_clock(form_window)
    posts = record_posts(page, "/autosave")
    page.locator("#picture").set_input_files(draw_picture(tmp_path / "boat.png", (90, 60)))  # type: ignore[operator]
    let_retries_pass(page, 1)
    expect(page.locator("#save-status")).to_have_text("")
    assert posts == []
    page.get_by_label("Headline").fill("With a picture")
    expect_status(page).to_have_text(re.compile("Saved"))
    wait_until_no_local_draft(page)
