"""“You may also like” loads when the reader reaches it; otherwise it links to the section.

The fixture `scripted_reader` runs a test with htmx 4 and with htmx 2,
`plain_reader` without JavaScript.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.windows import Window

pytestmark = pytest.mark.browser

STORY = "/opinion/long"


def fragments(window: Window) -> list[str]:
    return [url for url in window.requests if "/fragments/" in url]


def test_related_stories_load_when_scrolled_into_view(scripted_reader: Window) -> None:
    window = scripted_reader
    page = window.open(STORY)
    page.wait_for_load_state("networkidle")
    assert fragments(window) == [], "fetched before they were in view"
    reserved = page.locator(".related").bounding_box()
    page.locator(".site-footer").scroll_into_view_if_needed()
    expect(page.locator(".related .card").first).to_be_visible()
    assert len(fragments(window)) == 1
    related = page.get_by_role("region", name="You may also like")
    titles = related.locator("h3").all_inner_texts()
    assert 1 <= len(titles) <= 4
    assert len(set(titles)) == len(titles) and "A long read" not in titles
    assert reserved is not None
    assert reserved["height"] >= 300, "no space is reserved, so the page would jump"
    first = related.locator("h3 a").first
    title = first.inner_text()
    first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_without_script_there_is_a_link_to_the_section(plain_reader: Window) -> None:
    window = plain_reader
    page = window.open(STORY)
    related = page.get_by_role("region", name="You may also like")
    related.get_by_role("link", name="More in Opinion").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Opinion")
    assert window.path == "/opinion/"
    assert fragments(window) == []
