"""Reads: lists neither repeat nor skip, cursors are validated, and private stories stay hidden."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask

from spectator import publishing, queries
from spectator.models import User
from tests.conftest import NEWEST, make_draft


def latest() -> queries.Listing:
    listing = queries.listing_by_path("/")
    assert listing is not None
    return listing


def test_a_stream_neither_repeats_nor_skips_while_stories_arrive(
    app: Flask, story: Callable[..., int]
) -> None:
    ids = [
        story(hours=number // 3, headline=f"Story {number}") for number in range(25)
    ]  # three at each moment
    seen: list[int] = []
    cursor = None
    while True:
        page = queries.stream(latest(), cursor, limit=4)
        seen += [article.id for article in page.articles]
        story(hours=-1, headline=f"Newer {len(seen)}")
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(seen) == sorted(ids)
    assert len(seen) == len(set(seen))


def test_an_archive_may_be_older_than_1970(app: Flask, editor: User) -> None:
    for year in (1957, 1960, 1963):
        at = datetime(year, 3, 6, tzinfo=UTC)
        publishing.create(
            make_draft(headline=f"In {year}"), editor, publishing.Action("publish", at)
        )
    first = queries.stream(latest(), limit=1)
    assert first.cursor is not None
    assert [article.headline for article in queries.stream(latest(), first.cursor).articles] == [
        "In 1960",
        "In 1957",
    ]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "1",
        "1-",
        "--1-2",
        "1-2-3",
        "9" * 19 + "-1",
        "1e5-2",
        "١-٢",
        "999999999999999999-1",
        "1-1\n",
    ],
)
def test_an_invalid_cursor_is_refused(app: Flask, cursor: str) -> None:
    with pytest.raises(queries.InvalidCursor):
        queries.stream(latest(), cursor)


def test_every_list_contains_its_published_stories(
    app: Flask, editor: User, story: Callable[..., int]
) -> None:
    filed = story(
        section="health", countries=("Mali",), topics=("Malaria",), authors=("Amina Diallo",)
    )
    story(headline="Other", section="culture")
    publishing.create(
        make_draft(headline="A draft", section="health", topics=("Malaria",)), editor
    )
    month = f"/archive/{NEWEST:%Y/%m}/"
    for path in ("/health/", "/country/mali/", "/topic/malaria/", "/author/amina-diallo/"):
        listing = queries.listing_by_path(path)
        assert listing is not None
        assert [article.id for article in queries.stream(listing).articles] == [filed]
        assert listing.path == path
    listing = queries.listing_by_path(month)
    assert listing is not None
    assert len(queries.stream(listing).articles) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere/",
        "/country/atlantis/",
        "/tag/x/",
        "/archive/2026/13/",
        "/archive/0000/01/",
        "/a/b/c/",
        "//",
    ],
)
def test_other_paths_are_no_list(app: Flask, path: str) -> None:
    assert queries.listing_by_path(path) is None


def test_the_front_page_repeats_no_story(app: Flask, story: Callable[..., int]) -> None:
    for number in range(30):
        section = ("politics", "health", "culture")[number % 3]
        story(hours=number, headline=f"Story {number}", section=section)
    front = queries.load_front_page(queries.sections())
    assert front.lead is not None
    ids = [
        front.lead.id,
        *(a.id for a in front.latest),
        *(a.id for _, rail in front.rails for a in rail),
    ]
    assert len(ids) == len(set(ids)) == 1 + 8 + 12
    assert [section.slug for section, _ in front.rails] == ["politics", "health", "culture"]


def test_an_empty_site_has_a_front_page(app: Flask) -> None:
    assert queries.load_front_page(queries.sections()) == queries.FrontPage(None, [], [], None)


def test_drafts_are_not_found_by_slug(app: Flask, editor: User) -> None:
    publishing.create(make_draft(), editor)
    assert queries.article_by_slug("a-headline") is None


def test_months_are_counted(app: Flask, story: Callable[..., int]) -> None:
    story()
    story(hours=24 * 40, headline="Earlier")
    assert queries.month_counts() == [(2026, 11, 1), (2026, 10, 1)]
