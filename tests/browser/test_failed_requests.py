"""Readers see a message when an htmx request fails (503, offline, slow) and no stale results.

The fixture `scripted_reader` runs a test with htmx 4 and with htmx 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.axe import violations
from tests.browser.windows import Window

pytestmark = pytest.mark.browser

LOAD_MORE, SEARCH, RELATED = (
    "**/fragments/stream/**",
    "**/fragments/search?**",
    "**/fragments/related/**",
)
TIMEOUT_MS = 1500  # long enough for a successful retry on a busy machine
RESERVED_PIXELS = 300  # the height of the placeholder for related stories


def respond_503(page: Page, pattern: str) -> None:
    """Respond as a proxy does when the site is down."""
    page.route(pattern, lambda route: route.fulfill(status=503, body="<p>Out of order</p>"))


def go_offline(page: Page, pattern: str) -> None:
    """Abort the request as if offline, once the page's scripts have loaded."""
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.route(pattern, lambda route: route.abort("internetdisconnected"))


def hang(page: Page, pattern: str) -> None:
    """Never respond."""
    page.route(pattern, lambda _route: None)


def recover(page: Page, pattern: str) -> None:
    """Let the site respond again."""
    page.context.set_offline(False)
    page.unroute(pattern)


def shorten_timeout(route: Route) -> None:
    """Serve a page whose requests time out sooner."""
    response = route.fetch()
    html = response.text()
    assert "15000" in html, "the page sets no timeout"
    route.fulfill(response=response, body=html.replace("15000", str(TIMEOUT_MS)))


Failure = tuple[Callable[[Page, str], None], str]
FAILURES: dict[str, Failure] = {
    "503": (respond_503, "The site could not answer."),
    "offline": (go_offline, "You are offline."),
    "too slow": (hang, "The site took too long to answer."),
}


@pytest.fixture(params=FAILURES)
def failure(request: pytest.FixtureRequest, scripted_reader: Window) -> Failure:
    """Function that makes requests fail, and the message that readers see."""
    scripted_reader.ignored_errors = (
        "ERR_",
        "htmx",
        "fetch",
        "TypeError",
        "Abort",
        "timeout",
        "Response Status Error Code 503",
    )
    scripted_reader.expected_statuses = {503}
    if request.param == "too slow":
        scripted_reader.page.route(
            re.compile(r"[0-9]/(society/|search(\?.*)?|opinion/long)$"), shorten_timeout
        )
    return FAILURES[request.param]


def test_a_failed_load_more_shows_a_message_and_can_be_retried(
    scripted_reader: Window, failure: Failure
) -> None:
    fail, reason = failure
    page = scripted_reader.open("/society/")
    count = page.locator(".stream .card").count()
    fail(page, LOAD_MORE)
    button = page.get_by_role("link", name="Load more")
    for _ in range(2):  # a second failure replaces the first message
        with page.expect_request(LOAD_MORE):
            button.click()
        expect(page.get_by_role("status")).to_have_text(f"Could not load more stories. {reason}")
        expect(page.locator(".request-error")).to_have_count(1)
        expect(page.locator(".request-error p")).to_have_text(
            f"Could not load more stories. {reason}"
        )
        expect(page.locator(".request-error")).to_be_in_viewport()
    assert page.locator(".stream .card").count() == count
    assert not violations(page)
    recover(page, LOAD_MORE)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".stream .card").nth(count).get_by_role("link")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("20 more stories")
    expect(page.locator(".request-error")).to_have_count(0)


def test_a_failed_search_removes_the_previous_results(
    scripted_reader: Window, failure: Failure
) -> None:
    fail, reason = failure
    page = scripted_reader.open("/search?q=village&sort=newest")
    results, box = page.locator("#results"), page.get_by_label("Words, names or places")
    expect(results.locator(".card").first).to_be_visible()
    fail(page, SEARCH)
    box.fill("market")
    expect(page.get_by_role("status")).to_have_text(f"Could not show the results. {reason}")
    expect(results.locator("p")).to_have_text(f"Could not show the results. {reason}")
    expect(results.locator(".card")).to_have_count(0)
    assert "village" not in results.inner_text()
    # A reload searches for the typed words.
    assert scripted_reader.path == "/search?q=market&sort=newest"
    assert not violations(page)
    recover(page, SEARCH)
    page.get_by_role("button", name="Try again").click()
    expect(results.locator("h2").first).to_contain_text("“market”")
    expect(box).to_be_focused()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_typing_after_a_failed_search_searches_again(
    scripted_reader: Window, failure: Failure
) -> None:
    fail, _ = failure
    page = scripted_reader.open("/search?q=village")
    fail(page, SEARCH)
    box = page.get_by_label("Words, names or places")
    box.fill("mark")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    recover(page, SEARCH)
    box.press_sequentially("et")
    expect(page.locator("#results h2").first).to_contain_text("“market”")
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)


def test_failed_related_stories_leave_no_empty_space(
    scripted_reader: Window, failure: Failure
) -> None:
    fail, _ = failure
    page = scripted_reader.open("/opinion/long")
    related = page.get_by_role("region", name="You may also like")
    fail(page, RELATED)
    page.locator(".site-footer").scroll_into_view_if_needed()
    expect(page.locator(".related[hx-get]")).to_have_count(0)
    box = related.bounding_box()
    assert box and box["height"] < RESERVED_PIXELS, "empty space"
    expect(related.get_by_role("link", name="More in Opinion")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("")


def test_space_is_reserved_only_if_htmx_has_loaded(scripted_reader: Window) -> None:
    window = scripted_reader
    window.ignored_errors = ("ERR_", "Failed to load")
    window.page.route(window.site.htmx_url, lambda route: route.abort())
    page = window.open("/opinion/long")
    page.wait_for_load_state("load")
    box = page.locator(".related").bounding_box()
    assert box and box["height"] < RESERVED_PIXELS, "empty space"


def test_suggestions_for_earlier_text_disappear(scripted_reader: Window) -> None:
    page = scripted_reader.page
    page.clock.install()
    scripted_reader.open("/culture/pictured")
    box, options = page.get_by_label("Search all stories"), page.get_by_role("option")
    box.fill("harbour")
    page.clock.run_for(200)
    expect(options.first).to_be_visible()
    hang(page, "**/fragments/suggest?**")
    box.fill("ferry")
    page.clock.run_for(6000)
    expect(options).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("")
