"""Headlines of any script become slugs that can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.text.words.slugs import RESERVED_PATHS, is_slug, slugify


@pytest.mark.parametrize(
    ("headline", "slug"),
    [
        ("Mali Rebels Claim to Have Killed 131", "mali-rebels-claim-to-have-killed-131"),
        ("Ṣẹ́gun Ọ̀ṣun", "segun-osun"),
        ("አዲስ አበባ", "adis-abeba"),
        ("Côte d’Ivoire’s vote", "cote-divoires-vote"),
        ("N'Djamena; Nʼdjamena", "ndjamena-ndjamena"),
        ("ƙasar ɓauna", "kasar-bauna"),
        ("  --a__b/../c--  ", "a-b-c"),
        ("", "story"),
        ("!?…", "story"),
    ],
)
def test_headlines_become_slugs(headline: str, slug: str) -> None:
    assert slugify(headline) == slug


def test_arabic_words_have_different_slugs() -> None:
    assert slugify("القاهرة") not in {"story", slugify("الخرطوم")}


def test_a_long_headline_is_cut_at_a_word() -> None:
    assert slugify("seven words are more than fit here", limit=20) == "seven-words-are-more"
    assert slugify("seven words are mortal", limit=20) == "seven-words-are"
    assert slugify("a" * 300) == "a" * 80


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=300), st.integers(5, 100))
def test_every_text_has_a_slug_within_the_limit(text: str, limit: int) -> None:
    slug = slugify(text, limit)
    assert is_slug(slug)
    assert len(slug) <= limit
    assert slugify(slug, limit) == slug


@pytest.mark.parametrize(
    "text", ["", "A", "a--b", "-a", "a-", "a b", "a/b", "a.b", "é", "a\n", "a" * 101]
)
def test_invalid_slugs_are_recognized(text: str) -> None:
    assert not is_slug(text)


def test_a_megabyte_of_text_becomes_a_short_slug() -> None:
    assert len(slugify("ሀ" * 1_000_000)) <= 80
    assert not is_slug("a-" * 500_000)


@pytest.mark.parametrize(
    "name", ["feed.xml", "Feed XML", "Robots.txt", "Sitemap", "Newsroom", ".well-known", "Tag"]
)
def test_section_names_that_clash_with_routes_are_reserved(name: str) -> None:
    assert slugify(name) in RESERVED_PATHS


def test_the_first_path_segment_of_every_route_is_reserved() -> None:
    source = "".join(
        path.read_text() for path in (Path(__file__).parents[1] / "spectator").rglob("*.py")
    )
    decorated = r"""(?:add_url_rule|@\w+\.(?:route|get|post))\(\s*["']/([a-z][a-z.-]*)"""
    first_parts = set(re.findall(decorated, source))
    assert (
        first_parts
        - {"login", "logout", "password", "stories", "fragments", "shared", "suggest", "searches"}
        - {"pages", "redirects", "related", "status", "stream", "taxonomy"}
        <= RESERVED_PATHS
    )
    assert "search" in first_parts
