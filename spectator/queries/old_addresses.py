"""Where the addresses of an older site lead now.

An address whose page readers may not see counts as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import quote_plus

from flask import current_app
from sqlalchemy import exists, func, select
from sqlalchemy.orm import joinedload
from werkzeug.exceptions import HTTPException

from spectator.db import db
from spectator.editions import in_edition
from spectator.models import (
    Article,
    Author,
    Country,
    FormerName,
    MissingPage,
    OldAddress,
    Page,
    PagePicture,
    PictureUse,
    PublicListing,
    Section,
    Topic,
)
from spectator.models.article import EVER_PUBLIC
from spectator.old_addresses import (
    FRONT_PATH,
    Spelling,
    normalize_path,
    parse_query,
    spellings,
)
from spectator.queries.listings import is_public_listing, month_listing
from spectator.queries.pictures import picture_state_by_id
from spectator.urls import listing_path, permalink

Term = type[Section] | type[Topic] | type[Author] | type[Country]
TERMS: dict[str, Term] = {
    "section": Section,
    "topic": Topic,
    "author": Author,
    "country": Country,
}
PAGE_SIZE = 50
FEED, ARCHIVE, SITEMAP = "/feed.xml", "/archive/", "/sitemap.xml"
_FEEDS = re.compile(
    r"/(?:feed|rss|atom|rdf)(?:/(?:rss2?|atom|rdf))?|/wp-(?:rss2?|atom|rdf|feed)\.php"
)
_SITEMAPS = re.compile(r"/(?:[a-z_-]*-)?sitemap(?:[_-][a-z0-9_-]*)?\.xml(?:\.gz)?")
_DATE = re.compile("/?([0-9]{4})(?:/?([0-9]{2})(?:/?[0-9]{2})?)?")
_FURTHER_PAGE = re.compile("/page/[0-9]{1,5}")
_SEARCH = re.compile("/search/([^/]+)")


@dataclass(frozen=True, slots=True)
class Destination:
    """What an old address leads to: a path with 301, or 410 with the withdrawn story or page."""

    status: int
    path: str = ""
    article: Article | None = None
    page: Page | None = None


GONE = Destination(410)


def find_destination(path: str, query: str) -> Destination | None:
    """Return what a requested address leads to, None if it is no old address.

    `path` is decoded, `query` is not.
    """
    entries = spellings(path, query)
    rows = {row.address: row for row in _load([entry.address for entry in entries])}
    for entry in entries:
        row = rows.get(entry.address)
        destination = find_row_destination(row, entry) if row is not None else None
        if destination is not None:
            return destination
    return _find_standard_page(normalize_path(path).removeprefix("/index.php"), query)


def find_row_destination(row: OldAddress, entry: Spelling | None = None) -> Destination | None:
    """Return what a stored address leads to, None if readers may not see it."""
    find = DESTINATIONS.get(row.kind)
    return None if find is None else find(row, entry or Spelling(row.address))


def _load(addresses: Sequence[str]) -> Sequence[OldAddress]:
    if not addresses:
        return []
    return db.session.scalars(select(OldAddress).where(OldAddress.address.in_(addresses))).all()


def _article(row: OldAddress, _entry: Spelling) -> Destination | None:
    query = select(Article).options(joinedload(Article.section, innerjoin=True))
    article = db.session.scalar(query.where(Article.id == row.target_id, EVER_PUBLIC))
    if article is None:
        return None
    if article.status == "withdrawn":
        return Destination(410, article=article)
    return Destination(301, permalink(article))


def _page(row: OldAddress, _entry: Spelling) -> Destination | None:
    page = db.session.scalar(select(Page).where(Page.id == row.target_id, Page.status != "draft"))
    if page is None:
        return None
    return (
        Destination(410, page=page)
        if page.status == "withdrawn"
        else Destination(301, f"/{page.path}")
    )


def _term(row: OldAddress, entry: Spelling) -> Destination | None:
    model = TERMS[row.kind]
    query = select(model).where(model.id == row.target_id)
    if model is not Section:
        query = query.where(is_public_listing(row.kind, model))
    subject = cast("Section | Topic | Author | Country | None", db.session.scalar(query))
    return None if subject is None else _listing(listing_path(subject), entry)


def _month(row: OldAddress, entry: Spelling) -> Destination | None:
    month = month_listing(*divmod(row.target_id, 100))
    return None if month is None else _listing(month.path, entry)


def _listing(path: str, entry: Spelling) -> Destination:
    return Destination(301, f"{path}feed.xml" if entry.is_feed else path)


def _picture(row: OldAddress, _entry: Spelling) -> Destination | None:
    """Return the picture unless only stories show it that are not public."""
    state = picture_state_by_id(row.target_id)
    if state is None:
        return None
    if state.is_withdrawn:
        return GONE
    in_stories = select(Article.status).join(PictureUse, PictureUse.article_id == Article.id)
    on_pages = select(Page.status).join(PagePicture, PagePicture.page_id == Page.id)
    uses = in_stories.where(PictureUse.picture_id == state.id).union(
        on_pages.where(PagePicture.picture_id == state.id)
    )
    statuses = set(db.session.scalars(uses))
    is_secret = bool(statuses) and "published" not in statuses
    return None if is_secret else Destination(301, f"/media/{row.target}")


def _path(row: OldAddress, _entry: Spelling) -> Destination:
    return Destination(301, row.target)


def _gone(_row: OldAddress, _entry: Spelling) -> Destination:
    return GONE


DESTINATIONS: dict[str, Callable[[OldAddress, Spelling], Destination | None]] = {
    "article": _article,
    "page": _page,
    "section": _term,
    "topic": _term,
    "author": _term,
    "country": _term,
    "month": _month,
    "picture": _picture,
    "path": _path,
    "gone": _gone,
}


def paths_by_external_id(external_ids: Collection[str]) -> dict[str, str]:
    """Return the paths of imported stories and pages by their ids in the source.

    The path is "" if readers may not see it. Unknown ids are left out.
    """
    stories = select(Article).options(joinedload(Article.section, innerjoin=True))
    pages = select(Page.external_id, Page.status, Page.path)
    paths = {
        str(row.external_id): f"/{row.path}" if row.status == "published" else ""
        for row in db.session.execute(pages.where(Page.external_id.in_(external_ids)))
    }
    for article in db.session.scalars(stories.where(Article.external_id.in_(external_ids))):
        path = permalink(article) if article.is_public else ""
        paths[str(article.external_id)] = path
    return paths


def stored_addresses(text: str, page: int) -> tuple[Sequence[OldAddress], bool]:
    """Return a page of the addresses that contain a text, in order, and whether more follow."""
    query = select(OldAddress).where(OldAddress.kind != "ignored").order_by(OldAddress.address)
    if text:
        query = query.where(OldAddress.address.contains(text.lower(), autoescape=True))
    rows = db.session.scalars(query.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)).all()
    return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE


def top_missing_pages(days: int, limit: int = 50) -> Sequence[tuple[str, int]]:
    """Return the paths without a page that readers asked for most in recent days (UTC)."""
    since = datetime.now(UTC).date() - timedelta(days=days - 1)
    times = func.sum(MissingPage.times)
    query = select(MissingPage.path, times).where(MissingPage.day >= since)
    query = query.group_by(MissingPage.path).order_by(times.desc(), MissingPage.path)
    return [(path, int(number)) for path, number in db.session.execute(query.limit(limit))]


def find_listing(path: str) -> tuple[str, int] | None:
    """Return the kind and id of the list at a path like `/topic/peace/`, public or not.

    A month is its year and number, like 202405.
    """
    if month := re.fullmatch("/archive/([0-9]{4})/([0-9]{2})/?", path):
        return "month", int(month[1] + month[2])
    first, *rest = path.strip("/").split("/")
    kind, slug = (first, rest[0]) if len(rest) == 1 else ("section", "" if rest else first)
    if kind not in TERMS:
        return None
    model = TERMS[kind]
    row_id = db.session.scalar(select(model.id).where(model.slug == slug))
    if row_id is None:
        former = (FormerName.kind == kind, FormerName.part == "slug", FormerName.value == slug)
        row_id = db.session.scalar(select(FormerName.owner_id).where(*former))
    return None if row_id is None else (kind, row_id)


def _find_standard_page(path: str, query: str) -> Destination | None:
    """Return the page that every site of the older system has: search, feed, archive, sitemap."""
    fields = parse_query(query) if FRONT_PATH.fullmatch(f"{path}/") else {}
    search = _SEARCH.fullmatch(path)
    if search or "s" in fields:
        words = quote_plus(search[1] if search else fields["s"])
        return Destination(301, f"{in_edition('/search')}?q={words}")
    if month := _find_month(fields.get("m", path)):
        return Destination(301, month)
    if "paged" in fields or _FURTHER_PAGE.fullmatch(path):
        return Destination(301, in_edition(ARCHIVE))
    if "feed" in fields or _FEEDS.fullmatch(path):
        return Destination(301, in_edition(FEED))
    return Destination(301, SITEMAP) if _SITEMAPS.fullmatch(path) and _has_sitemap() else None


def _find_month(text: str) -> str:
    """Return the path of the month of a date like `/2024/05/17` or `202405`, "" if it has none.

    Of a year, return that of the archive.
    """
    date = _DATE.fullmatch(text)
    if date is None:
        return ""
    if date[2] is not None:
        month = month_listing(int(date[1]), int(date[2]))
        return "" if month is None else month.path
    first = int(date[1]) * 100
    is_in_year = PublicListing.key.between(first, first + 99)
    has_stories = select(exists().where(PublicListing.kind == "month", is_in_year))
    return in_edition(ARCHIVE) if db.session.scalar(has_stories) else ""


def _has_sitemap() -> bool:
    try:
        current_app.url_map.bind("").match(SITEMAP)
    except HTTPException:
        return False
    return True
