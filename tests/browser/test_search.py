"""A search finds a new story within seconds, even if the reader types no accents.

The fixture `reader` runs a test with htmx 4, with htmx 2 and without JavaScript.
"""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import expect

from tests.browser.story_form import publish
from tests.browser.windows import Window

pytestmark = pytest.mark.browser

MAX_SECONDS = 5.0


def test_a_new_story_is_found_within_seconds(editor_window: Window) -> None:
    window, word = editor_window, "bridge" if editor_window.has_script else "ferry"
    headline = f"Why the Ọ̀ṣun {word} keeps its name"
    body = "The old people say it without haste.\n\nThe name is carried from mother to daughter."
    path = publish(window, {"headline": headline, "body": body, "section": "culture"})
    published_at = time.monotonic()
    page = window.open("/search")
    while True:
        page.get_by_label("Words, names or places").fill(f"osun {word}")
        page.get_by_label("Words, names or places").press("Enter")
        page.wait_for_url("**/search?q=osun*")
        result = page.locator("#results .card", has=page.get_by_role("link", name=headline))
        if result.count():
            break
        assert time.monotonic() - published_at < MAX_SECONDS, page.locator(
            "#results"
        ).inner_text()
    assert {"Ọ̀ṣun", word} <= set(result.locator("h3 mark").all_inner_texts())
    result.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(headline)
    assert window.path == path


def test_a_search_without_results_says_so(reader: Window) -> None:
    page = reader.open("/")
    page.get_by_label("Search all stories").fill("xylophonists qwertzuiop")
    page.get_by_role("search").get_by_role("button").click()
    expect(page.get_by_role("heading", name="No story matches")).to_contain_text(
        "xylophonists qwertzuiop"
    )
    expect(page.get_by_label("Words, names or places")).to_have_value("xylophonists qwertzuiop")
