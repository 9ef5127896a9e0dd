"""The window of browser tests fails the test on any error of the page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Error

from tests.browser.running_site import RunningSite
from tests.browser.windows import open_window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("console.error('broken')", "broken"),
        ("setTimeout(() => { throw new Error('thrown') })", "thrown"),
        (
            "document.head.append(Object.assign(document.createElement('style'), "
            "{textContent: 'p {}'}))",
            "style-src",
        ),
        ("fetch('/politics/never-written')", "404 for"),
    ],
)
def test_an_error_of_the_page_fails_the_test(
    script: str, error: str, browser: Browser, site: RunningSite
) -> None:
    with pytest.raises(AssertionError, match=error), open_window(browser, site) as window:
        window.open("/archive/").evaluate(f"() => {{ {script}; }}")
        window.page.wait_for_load_state("networkidle")
        window.page.wait_for_timeout(100)


def test_a_request_to_a_third_party_fails_the_test(browser: Browser, site: RunningSite) -> None:
    with (
        pytest.raises(AssertionError, match="request to a third party"),
        open_window(browser, site) as window,
        pytest.raises(Error, match="ERR_FAILED"),
    ):
        window.page.goto("https://elsewhere.example/")
