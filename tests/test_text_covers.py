"""Covers: small, whole, always the same for a slug, varied over slugs, and nothing of the slug in them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from spectator.text.covers import cover

SLUGS = [f"story-{number}" for number in range(3000)]


def test_every_cover_is_small_and_whole() -> None:
    for drawing in {cover(slug) for slug in SLUGS}:
        assert len(drawing.encode()) < 700
        assert ElementTree.fromstring(drawing).tag == "svg"
        assert not re.search(r"\b(?:id|style|href|on\w+)=|<style|<script|\{|\}", drawing)
        assert 'class="cover"' in drawing
        assert 'aria-hidden="true"' in drawing


def test_a_slug_always_gets_the_same_cover_and_slugs_differ() -> None:
    assert cover("mali") == cover("mali")
    assert len({cover(slug) for slug in SLUGS[:300]}) >= 40


@pytest.mark.parametrize("slug", ["", "x" * 100_000, '"><script>', "\ud800", "ጋዜጣ"])
def test_no_slug_is_written_out(slug: str) -> None:
    assert "script" not in cover(slug)
    assert len(cover(slug)) < 700
