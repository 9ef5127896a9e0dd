"""Printed pages keep headings with their text and print the URLs of links.

The fixture `scripted_reader` runs a test with htmx 4 and with htmx 2.
"""

from __future__ import annotations

import pytest

from tests.browser.windows import Window

pytestmark = pytest.mark.browser

PRINTED_URL = "link => getComputedStyle(link, '::after').content"
BREAKS = (
    "element => [getComputedStyle(element).breakAfter, getComputedStyle(element).breakInside]"
)


def test_a_printed_story_shows_urls_and_keeps_headings_with_their_text(
    scripted_reader: Window,
) -> None:
    page = scripted_reader.open("/")
    page.locator(".hero h3 a").first.click()
    body = page.locator(".prose")
    body.evaluate(
        """prose => prose.insertAdjacentHTML("beforeend", '<h2>A part</h2>'
        + '<p><a href="https://example.org/a">a</a> <a href="/politics/">b</a>'
        + ' <a href="#x">c</a></p>')"""
    )
    links = body.locator("p:last-child a")
    assert links.nth(0).evaluate(PRINTED_URL) == "none"
    page.emulate_media(media="print")
    texts = [link.evaluate(PRINTED_URL) for link in links.all()]
    assert "https://example.org/a" in texts[0] and "/politics/" in texts[1] and texts[2] == "none"
    for name in ("h1", ".prose h2"):
        assert page.locator(name).first.evaluate(BREAKS) == ["avoid", "avoid"], name
