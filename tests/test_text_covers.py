"""Generated covers are small, safe, stable and varied, and cost a page next to nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from hashlib import sha256
from xml.etree import ElementTree

import brotli  # type: ignore[import-untyped]
import pytest

from spectator.text.html.covers import cover

COVERS = [cover(f"a-story-{number}") for number in range(3000)]
SHAPES = {"svg", "g", "path"}
ATTRIBUTES = {
    *(
        "class",
        "viewBox",
        "preserveAspectRatio",
        "aria-hidden",
        "focusable",
        "fill",
        "transform",
        "d",
        "stroke",
    ),
    *("stroke-width", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap"),
}


def test_a_slug_keeps_its_cover_in_every_process() -> None:
    program = "from spectator.text.html.covers import cover; print(cover('mali-votes'))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    )
    assert run.stdout.strip() == cover("mali-votes")


def test_a_slug_keeps_its_cover_in_every_release() -> None:
    """Readers know a story by its cover. The digest changes only with a new drawing or colour."""
    drawings = sorted(set(COVERS))
    assert len(drawings) == 210
    digest = sha256("".join(drawings).encode()).hexdigest()
    assert digest == "6dd63d9a1fe7be3aa4f375a5f3c48d529234d77aa4d964d17a8b1bfac90f6f45"


def test_every_cover_is_small() -> None:
    assert max(len(drawing.encode()) for drawing in COVERS) < 700


def test_every_cover_is_well_formed_and_only_draws() -> None:
    for drawing in set(COVERS):
        elements = list(ElementTree.fromstring(drawing).iter())
        assert {element.tag for element in elements} <= SHAPES
        assert {name for element in elements for name in element.attrib} <= ATTRIBUTES
        assert not any(
            (element.text or "").strip() or (element.tail or "").strip() for element in elements
        )


def test_every_cover_is_decorative_and_sixteen_by_nine() -> None:
    for drawing in set(COVERS):
        root = ElementTree.fromstring(drawing).attrib
        assert root["class"] == "cover"
        assert (root["aria-hidden"], root["focusable"]) == ("true", "false")
        assert (root["viewBox"], root["preserveAspectRatio"]) == ("0 0 320 180", "xMidYMid slice")


def test_colours_are_all_filled_in() -> None:
    for drawing in set(COVERS):
        paints = re.findall(r'(?:fill|stroke)="([^"]*)"', drawing)
        assert all(re.fullmatch(r"none|#[0-9a-f]{6}", paint) for paint in paints)
        assert 3 <= len(set(paints) - {"none"}) <= 4
        assert "{" not in drawing


def test_covers_are_varied() -> None:
    assert len(set(COVERS[:300])) >= 100
    assert len({re.sub(r"#[0-9a-f]{6}", "", drawing) for drawing in COVERS}) >= 5


def test_a_front_page_of_covers_compresses_well() -> None:
    pages = ["".join(COVERS[start : start + 20]) for start in range(0, 400, 20)]
    assert max(len(brotli.compress(page.encode())) for page in pages) <= 1200


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "</svg><script>alert(1)</script>",
        '" onload="x',
        "{a}{0.__class__}%s",
        "\x00",
        "\ud800",
        "é" * 100_000,
    ],
    ids=["empty", "script", "quote", "format", "nul", "surrogate", "long"],
)
def test_hostile_slugs_are_harmless(slug: str) -> None:
    assert cover(slug) in set(COVERS)
