"""The demo stories are real journalism in the import format: complete, credited and varied."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import spectator.demo
from spectator.text.places.gazetteer import country_by_code

LINES = (
    (Path(spectator.demo.__file__).parent / "stories.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
)
STORIES: list[dict[str, Any]] = [json.loads(line) for line in LINES]
KEYS = {
    *("id", "headline", "dek", "body", "section", "authors", "countries", "topics"),
    *("kind", "language", "source_name", "source_url", "published_at"),
}
SECTIONS = {"politics", "security", "business", "society", "health", "culture", "opinion"}
TAGS = {"p", "h2", "ul", "ol", "li", "strong", "em", "a", "blockquote"}
TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td"}
FIRST = datetime(2026, 8, 1, tzinfo=UTC)
LAST = datetime(2026, 11, 21, tzinfo=UTC)

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story["id"])


class Outline(HTMLParser):
    """Tags, links and text of a body; fails on tags closed out of order."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(body)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= ({"href"} if tag == "a" else set())
        self.links.extend(value or "" for _, value in attrs)
        if tag in {"p", "li", "h2", "td", "th"}:
            self.text += "\n"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_ids_and_headlines_are_unique() -> None:
    assert 26 <= len(STORIES) <= 28
    assert len({story["id"] for story in STORIES}) == len(STORIES)
    assert len({story["headline"].casefold() for story in STORIES}) == len(STORIES)


@each_story
def test_story_has_every_key_and_nothing_empty(story: dict[str, Any]) -> None:
    assert set(story) == KEYS
    assert all(story.values())
    assert re.fullmatch(r"demo(-[a-z0-9]+)+", story["id"])
    assert 10 <= len(story["headline"]) <= 80
    assert 40 <= len(story["dek"]) <= 160
    assert 1 <= len(story["topics"]) <= 4
    for key in ("authors", "countries", "topics"):
        assert len(story[key]) == len(set(story[key]))


@each_story
def test_body_is_plain_well_formed_html_of_a_short_read(story: dict[str, Any]) -> None:
    outline = Outline(story["body"])
    assert story["body"].startswith("<p>")
    assert outline.tags <= TAGS | TABLE_TAGS
    assert 250 <= len(outline.text.split()) <= 600
    assert not re.search(r"""["']""", outline.text), "typewriter quotes"
    assert {urlsplit(link).hostname for link in outline.links} <= {
        urlsplit(story["source_url"]).hostname
    }


@each_story
def test_countries_are_african_codes(story: dict[str, Any]) -> None:
    for code in story["countries"]:
        country = country_by_code(code)
        assert country
        assert country.is_african
        assert country.code == code


@each_story
def test_source_url_is_https(story: dict[str, Any]) -> None:
    address = urlsplit(story["source_url"])
    assert address.scheme == "https"
    assert address.hostname
    assert "." in address.hostname


@each_story
def test_story_was_published_in_the_three_months_before_the_demo(story: dict[str, Any]) -> None:
    assert FIRST <= datetime.fromisoformat(story["published_at"]) < LAST


@each_story
def test_story_shares_a_topic_with_another(story: dict[str, Any]) -> None:
    others = {topic for other in STORIES if other is not story for topic in other["topics"]}
    assert others & set(story["topics"])


def test_topics_are_spelt_one_way() -> None:
    topics = {topic for story in STORIES for topic in story["topics"]}
    assert len({topic.casefold() for topic in topics}) == len(topics)


def test_every_section_has_three_stories() -> None:
    counts = Counter(story["section"] for story in STORIES)
    assert set(counts) == SECTIONS
    assert min(counts.values()) >= 3


def test_fifteen_countries_and_six_languages() -> None:
    assert len({code for story in STORIES for code in story["countries"]}) >= 15
    languages = Counter(story["language"] for story in STORIES)
    assert languages.pop("en") >= 20
    assert languages == {"fr": 2, "sw": 1, "ha": 1, "am": 1, "ar": 1}


@pytest.mark.parametrize(
    ("language", "letters"),
    [("ha", "ɓɗƙ"), ("am", "ቡናኢ፣።"), ("ar", "مخطوة،"), ("fr", "éèêç’«\u00a0")],
)
def test_bodies_use_the_characters_of_their_language(language: str, letters: str) -> None:
    text = "".join(story["body"] for story in STORIES if story["language"] == language)
    assert [letter for letter in letters if letter not in text] == []


def test_two_stories_have_two_authors() -> None:
    assert sum(len(story["authors"]) == 2 for story in STORIES) >= 2


def test_publication_times_differ() -> None:
    moments = [datetime.fromisoformat(story["published_at"]) for story in STORIES]
    assert len(set(moments)) == len(moments)
    assert len({moment.hour for moment in moments}) >= 6


def test_one_story_has_a_table_with_a_head() -> None:
    assert any("<table><thead>" in story["body"] for story in STORIES)
