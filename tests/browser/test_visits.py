"""The window of browser tests reports faults."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Error

from tests.browser.running_site import RunningSite
from tests.browser.visits import open_window

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("script", "fault"),
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
def test_a_fault_of_the_page_is_noticed(
    script: str, fault: str, browser: Browser, site: RunningSite
) -> None:
    with pytest.raises(AssertionError, match=fault), open_window(browser, site) as visitor:
        visitor.open("/archive/").evaluate(f"() => {{ {script}; }}")
        visitor.page.wait_for_load_state("networkidle")
        visitor.page.wait_for_timeout(100)


def test_a_third_party_is_noticed(browser: Browser, site: RunningSite) -> None:
    with (
        pytest.raises(AssertionError, match="a third party was asked"),
        open_window(browser, site) as visitor,
        pytest.raises(Error, match="ERR_FAILED"),
    ):
        visitor.page.goto("https://elsewhere.example/")
