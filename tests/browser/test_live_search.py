"""Search results are updated while the reader types; URL, focus and history stay correct.

The fixture `scripted_reader` runs a test with htmx 4 and with htmx 2,
`reader` also without JavaScript.
"""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Locator, Page, Route, expect

from tests.browser.windows import Window

pytestmark = pytest.mark.browser

FRAGMENT = "**/fragments/search?**"  # the results alone, which typing requests
TYPING_PAUSE_MS = 350  # search.html: hx-trigger="input delay:350ms"
CANCELLED_REQUEST = ("htmx:sendAbort", "htmx:afterRequest")  # htmx 2 logs these as errors


def box(page: Page) -> Locator:
    """Return the search box."""
    return page.get_by_label("Words, names or places")


def fragment_requests(window: Window) -> list[str]:
    """Return the URLs of the results that typing has requested so far."""
    return [url for url in window.requests if "/fragments/search" in url]


def test_typing_updates_results_url_title_and_status(scripted_reader: Window) -> None:
    window, page = scripted_reader, scripted_reader.open("/search")
    history = page.evaluate("history.length")
    box(page).click()
    page.keyboard.type("village", delay=30)
    expect(page).to_have_url(re.compile(r"/search\?q=village$"))
    expect(page.locator("#results .card").first).to_contain_text("village")
    expect(page.get_by_role("status")).to_have_text(re.compile(r"^[0-9]+ stories$"))
    expect(page).to_have_title(re.compile("^village – Search"))
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("village")
    assert len(fragment_requests(window)) == 1, "more than one request for one word"
    assert page.evaluate("history.length") == history, "typing added history entries"
    page.keyboard.type(" xylophonists")
    expect(page.get_by_text("No stories with: xylophonists")).to_be_visible()
    box(page).fill("")
    expect(page).to_have_url(re.compile("/search$"))
    expect(page.locator("#results")).to_contain_text("Type a word, a name or a place.")


def test_changing_a_filter_updates_the_results(scripted_reader: Window) -> None:
    page = scripted_reader.open("/search?q=the&country=kenya&sort=oldest")
    page.get_by_label("Section", exact=True).select_option("society")
    expect(page).to_have_url(
        re.compile(r"/search\?q=the&section=society&country=kenya&sort=oldest$")
    )
    expect(page.get_by_role("link", name="Remove Section: Society")).to_be_visible()
    page.get_by_label("From", exact=True).fill("2025-03-05")
    expect(page).to_have_url(re.compile("from=2025-03-05"))
    expect(page.get_by_role("link", name="Remove From 5 March 2025")).to_be_visible()
    expect(page.get_by_label("From", exact=True)).to_be_focused()


def test_a_late_response_never_replaces_newer_results(scripted_reader: Window) -> None:
    window, page = scripted_reader, scripted_reader.open("/search")
    window.ignored_errors = CANCELLED_REQUEST
    routes: list[Route] = []
    page.route("**/fragments/search?q=village&**", lambda route: routes.append(route))
    box(page).press_sequentially("village")
    while not routes:
        page.wait_for_timeout(20)
    box(page).fill("market")
    expect(page.locator("#results h2").first).to_contain_text("“market”")
    with suppress(Error):  # htmx has cancelled it
        routes[0].fallback()
    page.wait_for_timeout(400)  # enough for a response that htmx did not cancel
    expect(page.locator("#results h2").first).to_contain_text("“market”")
    assert window.path == "/search?q=market"


def test_enter_opens_a_page_with_the_results(reader: Window) -> None:
    page = reader.open("/search")
    box(page).fill("village")
    box(page).press("Enter")
    page.wait_for_url("**/search?q=village*")
    expect(page.locator("#results .card").first).to_be_visible()
    expect(box(page)).to_have_value("village")


@pytest.mark.parametrize("is_fragment_requested", [True, False])
def test_enter_on_a_slow_connection_does_not_change_the_previous_history_entry(
    scripted_reader: Window, is_fragment_requested: bool
) -> None:
    window, page = scripted_reader, scripted_reader.open("/search?q=village")
    window.ignored_errors = CANCELLED_REQUEST
    # Hold back both responses: the page requested by Enter and the results requested by typing.
    navigations: list[Route] = []
    fragments: list[Route] = []
    page.route(
        re.compile(r"(?<!/fragments)/search\?q=market&section="),  # with its empty fields
        lambda route: navigations.append(route),
    )
    page.route(FRAGMENT, lambda route: fragments.append(route))
    box(page).fill("market")
    while is_fragment_requested and not fragments:
        page.wait_for_timeout(20)
    box(page).press("Enter", no_wait_after=True)
    page.wait_for_timeout(TYPING_PAUSE_MS + 250)  # until typing would have sent its request
    with suppress(Error):  # htmx has cancelled it
        for route in fragments:
            route.fallback()
    page.wait_for_timeout(600)  # until the response to typing would have changed the URL
    assert window.path == "/search?q=village", "the previous history entry has a new URL"
    navigations[0].fallback()
    page.wait_for_url("**/search?q=market*")
    page.go_back()
    assert window.path == "/search?q=village"


def test_back_returns_to_the_results_of_the_typed_words(scripted_reader: Window) -> None:
    page = scripted_reader.open("/search")
    box(page).press_sequentially("village")
    expect(page).to_have_url(re.compile(r"\?q=village$"))
    page.locator("#results .card a").first.click()
    expect(page.locator("article.story")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile(r"/search\?q=village$"))
    expect(box(page)).to_have_value("village")
    expect(page.locator("#results .card").first).to_be_visible()
    page.go_back()
    expect(page).to_have_url("about:blank")


def test_enter_searches_again_after_a_failed_request(scripted_reader: Window) -> None:
    scripted_reader.ignored_errors = ("ERR_", "htmx", "fetch")
    page = scripted_reader.open("/search?q=village")
    page.route(FRAGMENT, lambda route: route.abort())
    with page.expect_event("requestfailed"):
        box(page).fill("market")
    expect(page.locator("#results .request-error")).to_be_visible()
    expect(box(page)).to_have_value("market")
    box(page).press("Enter")
    page.wait_for_url("**/search?q=market*")
    expect(page.locator("#results h2").first).to_contain_text("“market”")
