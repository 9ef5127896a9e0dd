"""The reference article is published through the form and compared with its original by word.

The original is a page of the old site, as plain text. It is not part of the project; a short page
of the same layout is always tested.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.browser.running_site import CHECKOUT
from tests.browser.story_form import publish
from tests.browser.windows import Window

pytestmark = pytest.mark.browser

REFERENCE_PATH = CHECKOUT.parent / "shared" / "seed-article.txt"
SHORT_PAGE = """Home » What a Well Costs

What a Well Costs

Counting the Buckets of One Dry Season

by Ama Serwaa

The village’s well is forty metres deep. It wasn't always.

Every season takes a metre – and a day’s work – more.

Source: Village Water Committee

You may also like

white logo

The African Spectator stands as the compass for those seeking lucid, objective, and insightful \
commentary on Africa’s ever-evolving political and social landscape.

© 2024 The African Spectator. All Rights Reserved.
"""


@dataclass(frozen=True)
class PageText:
    """Plain text of a story's page, split into form fields and text around the story."""

    headline: str
    dek: str
    author: str
    paragraphs: list[str]
    source: str
    tagline: str

    @classmethod
    def parse(cls, text: str) -> PageText:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        breadcrumb, headline, dek, byline = lines[:4]
        tagline, copyright_notice = lines[-2:]
        end = next(number for number, line in enumerate(lines) if line.startswith("Source: "))
        assert breadcrumb == f"Home » {headline}" and lines[end + 1] == "You may also like"
        assert byline.startswith("by ") and copyright_notice.startswith("©")
        author, source = byline.removeprefix("by "), lines[end].removeprefix("Source: ")
        return cls(headline, dek, author, lines[4:end], source, tagline)

    def expected_texts(self) -> list[str]:
        """Return the texts that our page must show, in order.

        Unlike the original's, our breadcrumb includes the section and uses “›”.
        """
        breadcrumb = f"Home › Security › {self.headline}"
        top = [breadcrumb, self.headline, self.dek, f"by {self.author}"]
        return [
            *top,
            *self.paragraphs,
            f"Source: {self.source}",
            "You may also like",
            self.tagline,
        ]


def publish_and_compare(window: Window, original: PageText) -> None:
    entries = {
        "headline": original.headline,
        "dek": original.dek,
        "body": "\n\n".join(original.paragraphs),
        "section": "security",
        "authors": original.author,
        "countries": "Mali",
        "source_name": original.source,
    }
    page = window.open(publish(window, entries))
    expect(page.get_by_role("heading", level=1)).to_have_text(original.headline)
    assert page.locator(".prose p").all_inner_texts() == original.paragraphs
    text, position = " ".join(page.locator("body").inner_text().split()), 0
    for expected in original.expected_texts():
        offset = text.find(expected, position)
        assert offset >= 0, f"missing, or in the wrong order: {expected}"
        position = offset + len(expected)
    assert re.search(
        r"© 20\d\d The African Spectator\. All Rights Reserved\.$", text[position:]
    ), text[position:]


def test_the_page_of_the_reference_article_has_the_same_text(editor_window: Window) -> None:
    if not REFERENCE_PATH.is_file():
        pytest.skip("there is no ../shared/seed-article.txt; only the short page is tested")
    reference = PageText.parse(REFERENCE_PATH.read_text(encoding="utf-8"))
    assert len(reference.paragraphs) == 11
    publish_and_compare(editor_window, reference)


def test_the_page_of_a_short_article_has_the_same_text(editor_window: Window) -> None:
    publish_and_compare(editor_window, PageText.parse(SHORT_PAGE))
