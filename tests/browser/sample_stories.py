"""Stories that browser tests import: a series, special cases and a long text."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from spectator.demo import STORIES as DEMO

SERIES_SECTION, SERIES_LENGTH = "society", 47
SERIES_START = datetime(2025, 3, 1, 6, 0, tzinfo=UTC)
LONG_TEXT_BYTES = 20_000
LONG_WORD = "Nyumbanikwetukunapendezasana" * 4
TOPICS = ("Market days", "Ferries", "School radio", "Wells", "Postal service")
COUNTRIES = ("ML", "KE", "GH", "SN", "TZ")

TABLE = (
    "<p>The harbour keeps a table of every boat.</p><table><caption>Every boat that came in "
    "during the year, by month and by what it had on board, as the harbour office counted"
    "</caption><thead><tr>"
    + "".join(f"<th>Column {number} of the ledger</th>" for number in range(1, 9))
    + "</tr></thead><tbody>"
    + "".join(
        f"<tr>{''.join(f'<td>{row * column} baskets</td>' for column in range(1, 9))}</tr>"
        for row in range(1, 6)
    )
    + f"</tbody></table><p>{LONG_WORD}</p><pre>{'-' * 300}</pre>"
    "<blockquote><p>A quoted line.</p></blockquote>"
    "<p>See https://example.org/" + "a-path-that-never-ends/" * 12 + "</p>"
)


def series() -> list[dict[str, Any]]:
    """Return over two pages of stories of one section, oldest first, three with each date."""
    return [
        {
            "id": f"series-{number}",
            "headline": f"Notes from the village, part {number}",
            "dek": f"What the {number}. visit to the market taught us.",
            "section": SERIES_SECTION,
            "authors": ["Ama Serwaa"],
            "countries": [COUNTRIES[number % 5]],
            "topics": [TOPICS[number % 5]],
            "published_at": (SERIES_START + timedelta(days=number // 3)).isoformat(),
            "body": "\n\n".join(
                f"Paragraph {paragraph} of part {number}. {'The road is long. ' * 30}"
                for paragraph in range(4)
            ),
        }
        for number in range(1, SERIES_LENGTH + 1)
    ]


def headlines_newest_first() -> list[str]:
    """Return the headlines of SERIES_SECTION, newest first; the demo's stories are newer."""
    demo = [story for story in demo_stories() if story["section"] == SERIES_SECTION]
    newest_first = sorted(demo, key=lambda story: story["published_at"], reverse=True)
    return [story["headline"] for story in [*newest_first, *reversed(series())]]


def special_cases() -> list[dict[str, Any]]:
    """Return one story for each kind of content that could break a page."""
    common = {
        "published_at": "2025-02-01T08:00:00Z",
        "authors": ["Ama Serwaa"],
        "topics": ["Ferries"],
    }
    return [
        common
        | {
            "id": "table",
            "slug": "table",
            "section": "business",
            "headline": f"The word {LONG_WORD}",
            "body": TABLE,
        },
        common
        | {
            "id": "pictured",
            "slug": "pictured",
            "section": "culture",
            "headline": "A harbour in the morning",
            "body": "The boats come in.\n\nThe market opens.",
            "lead_image": "harbour.jpg",
            "lead_image_alt": "Boats at a jetty",
            "lead_image_caption": "The jetty at six o'clock.",
            "lead_image_credit": "Drawing: Ama Serwaa",
            "source_name": "Harbour office",
            "source_url": "https://harbour.example/",
            "updated_at": "2025-02-02T08:00:00Z",
        },
        common
        | {
            "id": "arabic",
            "slug": "arabic",
            "section": "culture",
            "language": "ar",
            "headline": "السوق في الصباح: كيف يبدأ اليوم في أكبر سوق للسمك والخبز على الساحل "
            "الغربي للبلاد منذ سنوات",
            "dek": "كيف يبدأ اليوم",
            "body": "<p>تفتح السوق أبوابها في <em>السادسة</em>.</p><ul><li>السمك</li><li>"
            "الخبز</li></ul>"
            "<blockquote><p>نبدأ <i>قبل</i> الشمس.</p></blockquote>",
        },
        common
        | {
            "id": "long",
            "slug": "long",
            "section": "opinion",
            "headline": "A long read",
            "body": long_body(),
        },
        common
        | {
            "id": "gone",
            "slug": "gone",
            "section": "politics",
            "headline": "Gone",
            "body": "Gone.",
            "status": "withdrawn",
        },
    ]


def demo_stories() -> list[dict[str, Any]]:
    """Return the records of the demo's file."""
    return [json.loads(line) for line in DEMO.read_text(encoding="utf-8").splitlines() if line]


def long_body() -> str:
    """Return 20,000 bytes of real prose: distinct paragraphs of the English demo stories."""
    paragraphs = []
    remaining = LONG_TEXT_BYTES
    for story in demo_stories():
        if story["language"] != "en":
            continue
        for paragraph in re.findall(r"<p>(.*?)</p>", story["body"], re.DOTALL):
            text = (
                re.sub(r"<[^>]+>|&[a-z]+;", "", paragraph)
                .encode()[:remaining]
                .decode(errors="ignore")
            )
            paragraphs.append(text)
            remaining -= len(text.encode())
            if remaining <= 0:
                return "\n\n".join(paragraphs)
    raise AssertionError("the demo stories are too short")


def write_stories(directory: Path) -> Path:
    """Write the stories and their picture to a directory; return the file to import."""
    draw_picture(directory / "harbour.jpg")
    path = directory / "stories.jsonl"
    lines = (json.dumps(story, ensure_ascii=False) for story in [*series(), *special_cases()])
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def draw_picture(path: Path, size: tuple[int, int] = (1280, 800)) -> Path:
    """Draw a picture of a harbour into a file."""
    picture = Image.new("RGB", size, (214, 178, 120))
    pen = ImageDraw.Draw(picture)
    for step in range(0, size[0], 80):
        pen.polygon(
            [(step, size[1]), (step + 40, size[1] // 2), (step + 80, size[1])],
            fill=(30, 90, 110 + step % 120),
        )
    picture.save(path)
    return path
