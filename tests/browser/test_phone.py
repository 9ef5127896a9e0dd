"""An editor's work on a narrow phone, and the download size of the story form."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.running_site import RunningSite
from tests.browser.story_form import press
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 640},
    "has_touch": True,
    "is_mobile": True,
}
MAX_BYTES = 150_000
TARGET_PIXELS = 24  # WCAG 2.5.8
CONTROLS = "#story button, #story select, #story input, .top a, .top button"
SMALL_CONTROLS = f"""() => [...document.querySelectorAll("{CONTROLS}")]
  .filter(control => control.offsetParent && !control.closest(".check"))
  .map(control => [control, control.getBoundingClientRect()])
  .filter(([, box]) => box.width < {TARGET_PIXELS} || box.height < {TARGET_PIXELS})
  .map(([control, box]) => `${{control.outerHTML.slice(0, 80)}} ${{box.width}}x${{box.height}}`)"""


@pytest.fixture(params=["script", "no script"])
def phone(
    request: pytest.FixtureRequest, browser: Browser, site: RunningSite, editor_state: Any
) -> Iterator[Window]:
    """Editor's window on a phone, with and without JavaScript."""
    with open_window(
        browser, site, has_script=request.param == "script", storage_state=editor_state, **PHONE
    ) as window:
        yield window


def test_a_story_is_written_published_and_corrected_by_touch(phone: Window) -> None:
    page = phone.open("/newsroom/stories/")
    page.get_by_role("link", name="New story").first.tap()
    slug = f"from-a-phone-{'script' if phone.has_script else 'plain'}"
    page.locator("#headline").tap()
    page.keyboard.type("Written with a thumb")
    text = page.locator("#body-editor" if phone.has_script else "#body")
    text.tap()
    page.keyboard.type("The first words.")
    if phone.has_script:
        page.get_by_role("button", name="Bold").tap()
        page.keyboard.type(" Bold ones.")
        expect(page.locator("#save-status")).to_contain_text("Saved")
        page.locator("#authors-entry").tap()
        page.keyboard.type("Ama Serwaa,")
        expect(page.locator(".chip")).to_have_text(re.compile("Ama Serwaa"))
    page.locator("#section").select_option("society")
    page.locator("#slug").fill(slug)
    assert page.evaluate(SMALL_CONTROLS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    with page.expect_navigation():
        page.get_by_role("button", name="Publish", exact=True).tap()
    expect(page.locator(".notice")).to_have_text("Published. Readers see the story now.")
    page.locator("#note").fill("A word was missing.")
    press(page, "Publish correction")
    page.get_by_role("link", name="On the site").tap()
    expect(page.locator("h1")).to_have_text("Written with a thumb")
    expect(page.locator(".notes")).to_contain_text("A word was missing.")
    if phone.has_script:
        expect(page.locator(".prose strong")).to_have_text(re.compile("Bold ones."))


def test_the_bar_does_not_hide_the_focused_field(phone: Window) -> None:
    """Check WCAG 2.4.11."""
    page = phone.open("/newsroom/stories/new")
    for name in ("#source_url", "#slug", "#picture_credit", "#language"):
        page.locator(name).focus()
        page.wait_for_timeout(50)
        bar, field = page.locator(".bar").bounding_box(), page.locator(name).bounding_box()
        assert bar and field
        position = page.evaluate("getComputedStyle(document.querySelector('.bar')).position")
        assert (
            position == "static"  # the bar is part of the page and covers nothing
            or field["y"] + field["height"] / 2 < bar["y"]
            or field["y"] > bar["y"] + bar["height"]
        ), name


def test_the_story_form_loads_less_than_150_kb(
    browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    with open_window(browser, site, storage_state=editor_state, **PHONE) as window:
        sizes: dict[str, int] = {}
        window.page.on(
            "response",
            lambda response: sizes.update({response.url: len(gzip.compress(response.body(), 6))}),
        )
        window.open("/newsroom/stories/new")
        window.page.wait_for_load_state("networkidle")
        for url, size in sorted(sizes.items(), key=lambda item: -item[1]):
            print(f"{size:7} {urlsplit(url).path}")
        print(f"{sum(sizes.values())} bytes compressed in {len(sizes)} requests")
        assert sum("squire" in url or "purify" in url or "htmx" in url for url in sizes) == 3
        assert sum(sizes.values()) < MAX_BYTES
