"""The reference article, published through the form and compared word for word."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.browser.running_site import CHECKOUT
from tests.browser.story_form import publish
from tests.browser.visits import Visit

pytestmark = pytest.mark.browser

SEED = CHECKOUT.parent / "shared" / "seed-article.txt"
SHORT = """Home » What a Well Costs

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
class SeedArticle:
    """Page as plain text, split into the form's entries and the expected parts in order."""

    headline: str
    dek: str
    author: str
    paragraphs: list[str]
    source: str
    line: str

    @classmethod
    def parse(cls, text: str) -> SeedArticle:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        source = next(number for number, line in enumerate(lines) if line.startswith("Source: "))
        assert lines[0] == f"Home » {lines[1]}" and lines[source + 1] == "You may also like"
        assert lines[3].startswith("by ") and lines[-1].startswith("©")
        author, name = lines[3].removeprefix("by "), lines[source].removeprefix("Source: ")
        return cls(lines[1], lines[2], author, lines[4:source], name, lines[-2])

    def parts(self) -> list[str]:
        """Return the visible texts from the top of the page to its end."""
        top = [f"Home › Security › {self.headline}", self.headline, self.dek, f"by {self.author}"]
        return [*top, *self.paragraphs, f"Source: {self.source}", "You may also like", self.line]


def post_and_read(visitor: Visit, seed: SeedArticle) -> None:
    entries = {
        "headline": seed.headline,
        "dek": seed.dek,
        "body": "\n\n".join(seed.paragraphs),
        "section": "security",
        "authors": seed.author,
        "countries": "Mali",
        "source_name": seed.source,
    }
    page = visitor.open(publish(visitor, entries))
    expect(page.get_by_role("heading", level=1)).to_have_text(seed.headline)
    assert page.locator(".prose p").all_inner_texts() == seed.paragraphs
    text, position = " ".join(page.locator("body").inner_text().split()), 0
    for part in seed.parts():
        offset = text.find(part, position)
        assert offset >= 0, f"missing, or not in its place: {part}"
        position = offset + len(part)
    assert re.search(r"© 20\d\d The African Spectator\. All Rights Reserved\.$", text[position:]), (
        text[position:]
    )


def test_the_seed_article_word_for_word(editor_window: Visit) -> None:
    if not SEED.is_file():
        pytest.skip(
            "../shared/seed-article.txt is not beside this checkout;"
            " the short page below is always posted"
        )
    seed = SeedArticle.parse(SEED.read_text(encoding="utf-8"))
    assert len(seed.paragraphs) == 11
    post_and_read(editor_window, seed)


def test_a_short_page_word_for_word(editor_window: Visit) -> None:
    post_and_read(editor_window, SeedArticle.parse(SHORT))
