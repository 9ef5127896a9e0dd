"""The listings that readers see: their paths, their pages, the archive."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import cast
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Tuple,
    and_,
    bindparam,
    desc,
    exists,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from spectator.db import UTCDateTime, db
from spectator.editions import Edition, current_edition, in_edition, split_path
from spectator.formats import country_name, format_month
from spectator.i18n import current_language, gettext
from spectator.models import (
    Article,
    Author,
    Country,
    FormerName,
    ListingRow,
    PublicListing,
    Section,
    Topic,
)
from spectator.queries.bylines import load_bylines
from spectator.queries.cards import select_cards
from spectator.queries.cursors import InvalidCursor, cursor_after, parse_cursor
from spectator.queries.translated_names import translated_name
from spectator.queries.translations import is_preferred_version, preferred_language
from spectator.times import month_key
from spectator.urls import listing_path

PAGE_SIZE = 20
MAX_ZONE_SPREAD = timedelta(hours=26)  # from UTC+14 to UTC-12
MAX_LOADED = 200  # stories that a page shows again after “Load more”


@dataclass(frozen=True, slots=True)
class Listing:
    """A listing of stories with a path: `kind` is latest, section, country, topic, author or month.

    `key` is the id of the subject, year × 100 + month for a month, 0 for the latest stories. A
    listing has the stories of its edition.
    """

    kind: str
    title: str
    path: str
    key: int = 0
    subject: Section | Country | Topic | Author | None = None
    edition: Edition = field(default_factory=current_edition)

    @property
    def feed_path(self) -> str:
        """Return the path of the listing's RSS feed."""
        return f"{self.path}feed.xml"

    @property
    def fragment_path(self) -> str:
        """Return the path of the htmx fragments that continue the listing."""
        prefix = self.edition.prefix
        return f"{prefix}/fragments/stream{self.path.removeprefix(prefix)}"


@dataclass(frozen=True, slots=True)
class Stream:
    """Consecutive stories of a listing, newest first, and the cursor of the next (None at the end).

    `is_truncated`: there were too many, and the newest ones are left out.
    """

    articles: list[Article]
    cursor: str | None
    is_truncated: bool = False


def sections() -> Sequence[Section]:
    """Return the sections in the order of the navigation."""
    return db.session.scalars(select(Section).order_by(Section.position, Section.id)).all()


def select_published() -> Select[Article]:
    """Return the query of published stories as cards (teasers) show them, newest first."""
    newest_first = (Article.published_at.desc(), Article.id.desc())
    return select_cards().where(Article.status == "published").order_by(*newest_first)


def published_article(article_id: int) -> Article | None:
    """Return a published story as a card shows it."""
    if article_id >= 2**63:  # SQLite has no such integers
        return None
    return db.session.scalar(select_published().where(Article.id == article_id))


def latest_listing() -> Listing:
    """Return the listing of the latest stories of the current edition."""
    return Listing("latest", gettext("Latest"), in_edition("/"))


def listing_by_path(path: str) -> Listing | None:
    """Return the listing at a path like `/`, `/politics/` or `/fr/archive/2024/05/`, None if none.

    A former path of a renamed author or topic returns the listing with its current path.
    """
    edition, rest = split_path(path)
    listing = _listing_by_rest(rest)
    if listing is None:
        return None
    path = edition.prefix + listing.path.removeprefix(listing.edition.prefix)
    return replace(listing, path=path, edition=edition)


def _listing_by_rest(path: str) -> Listing | None:
    if path == "/":
        return latest_listing()
    month = re.fullmatch(r"/archive/([0-9]{4})/([0-9]{2})/", path)
    if month:
        return month_listing(int(month[1]), int(month[2]))
    parts = path.strip("/").split("/")
    if len(parts) == 1:
        return _listing_by_slug("section", Section, parts[0])
    models: dict[str, type[Country] | type[Topic] | type[Author]]
    models = {"country": Country, "topic": Topic, "author": Author}
    if len(parts) == 2 and parts[0] in models:
        return _listing_by_slug(parts[0], models[parts[0]], parts[1])
    return None


def _listing_by_slug(
    kind: str, model: type[Section] | type[Country] | type[Topic] | type[Author], slug: str
) -> Listing | None:
    query = select(model)
    if kind != "section":  # every section is public; other names may occur in drafts only
        query = query.where(is_public_listing(kind, model))
    subject = cast(
        "Section | Country | Topic | Author | None",
        db.session.scalar(query.where(model.slug == slug)),
    )
    if subject is None and kind in {"author", "topic"}:
        former = select(FormerName.owner_id).where(
            FormerName.part == "slug", FormerName.value == slug
        )
        owner = former.where(FormerName.kind == kind).scalar_subquery()
        subject = cast("Topic | Author | None", db.session.scalar(query.where(model.id == owner)))
    if subject is None:
        return None
    return Listing(kind, _title(subject), listing_path(subject), subject.id, subject)


def _title(subject: Section | Country | Topic | Author) -> str:
    """Return the name of a listing's subject in the language of the page."""
    if isinstance(subject, Country):
        return country_name(subject.name)
    if isinstance(subject, Author):
        return subject.name
    model = type(subject)
    query = select(translated_name(model, current_language())).where(model.id == subject.id)
    return str(db.session.scalar(query))


def is_public_listing(
    kind: str, model: type[Section] | type[Country] | type[Topic] | type[Author]
) -> ColumnElement[bool]:
    """Return the condition that the listing of a country, topic or author is or was public."""
    return exists().where(PublicListing.kind == kind, PublicListing.key == model.id)


def month_listing(year: int, month: int) -> Listing | None:
    """Return the listing of a month in the newsroom's time zone, None if it was never public."""
    if not (1 <= year <= 9998 and 1 <= month <= 12):
        return None
    if db.session.get(PublicListing, ("month", year * 100 + month)) is None:
        return None
    return Listing(
        "month",
        format_month(year, month),
        in_edition(f"/archive/{year:04}/{month:02}/"),
        year * 100 + month,
    )


def nearest_month_listing(year: int, month: int) -> Listing | None:
    """Return the listing of the month whose stories follow or, if none do, precede an empty month.

    They are at most 26 hours away from it.
    Before a change of the newsroom's time zone those stories may have been in the empty month.
    """
    zone = ZoneInfo(current_app.config["TIMEZONE"])
    start, end = (
        datetime(*parts, 1, tzinfo=zone) for parts in ((year, month), _next_month(year, month))
    )
    query = select(Article.published_at).where(Article.status == "published").limit(1)
    before = query.where(
        Article.published_at < start, Article.published_at >= start - MAX_ZONE_SPREAD
    )
    after = query.where(Article.published_at >= end, Article.published_at < end + MAX_ZONE_SPREAD)
    for statement in (
        after.order_by(Article.published_at),
        before.order_by(Article.published_at.desc()),
    ):
        moment = db.session.scalar(statement)
        if moment is not None:
            return month_listing(*divmod(month_key(moment, zone), 100))
    return None


def _next_month(year: int, month: int) -> tuple[int, int]:
    return (year, month + 1) if month < 12 else (year + 1, 1)


def is_valid_cursor(text: str) -> bool:
    """Return whether a text is the cursor that `cursor_after` returns for a published story."""
    try:
        _, article_id = parse_cursor(text)
    except InvalidCursor:
        return False
    article = published_article(article_id)
    return article is not None and cursor_after(article) == text


def is_of_edition(language: InstrumentedAttribute[str], edition: Edition) -> ColumnElement[bool]:
    """Return the condition that a column of languages without regions belongs to an edition."""
    if edition.only:
        return language == edition.only
    return language.not_in(sorted(edition.without)) if edition.without else true()


def _is_listed(is_latest: bool) -> ColumnElement[bool]:
    if is_latest:  # each story is in one month; as a literal, because their index is partial
        return ListingRow.kind == literal_column("'month'")
    return and_(ListingRow.kind == bindparam("kind"), ListingRow.key == bindparam("key"))


@cache
def _select_stream(
    is_latest: bool, edition: Edition, has_start: bool, has_end: bool, has_excluded: bool
) -> Select[Article]:
    """Return the query of a page: a subquery finds the ids in an index, then cards are loaded.

    The start is the newer bound, exclusive, and the end the older one, inclusive. With an end, rows
    are read oldest first, so that the limit leaves out the newest.
    """
    is_unfiltered = is_latest and edition.has_all_stories
    table, id_column = (
        (Article, Article.id) if is_unfiltered else (ListingRow, ListingRow.article_id)
    )
    ids = select(id_column.label("id"), table.published_at.label("at")).limit(
        bindparam("number", type_=Integer)
    )
    if is_unfiltered:
        ids = ids.where(Article.status == "published")
    else:
        ids = ids.where(_is_listed(is_latest), is_of_edition(ListingRow.language, edition))
    position = tuple_(table.published_at, id_column)
    if has_start:
        ids = ids.where(position < cursor_parameters("start"))
    if has_end:
        ids = ids.where(position >= cursor_parameters("end"))
    is_listed = is_in_edition(edition) if is_latest else partial(_is_in_same_list, edition)
    ids = ids.where(is_preferred_version(id_column, is_listed))
    if has_excluded:
        ids = ids.where(id_column.not_in(bindparam("excluded", expanding=True)))
    order = (table.published_at, id_column)
    page = ids.order_by(*(order if has_end else map(desc, order))).subquery()
    page_order = (page.c.at, page.c.id)
    return (
        select_cards()
        .join(page, page.c.id == Article.id)
        .order_by(*(page_order if has_end else map(desc, page_order)))
    )


def is_in_edition(edition: Edition) -> Callable[[type[Article]], ColumnElement[bool]] | None:
    """Return the condition, as a function, that a published story is in an edition; None: all are.

    Each story is in one month.
    """
    if edition.has_all_stories:
        return None
    row = aliased(ListingRow)
    in_edition = (row.kind == literal_column("'month'")) & is_of_edition(row.language, edition)
    return lambda article: exists().where(in_edition, row.article_id == article.id)


def _is_in_same_list(edition: Edition, article: type[Article]) -> ColumnElement[bool]:
    """Return the condition that a published story is in the listing that a statement reads."""
    row = aliased(ListingRow)
    return exists().where(
        row.kind == bindparam("kind"),
        row.key == bindparam("key"),
        row.published_at == article.published_at,
        row.article_id == article.id,
        is_of_edition(row.language, edition),
    )


def cursor_parameters(name: str) -> Tuple:
    """Return the bind parameters of a cursor: `<name>_at` and `<name>_id`."""
    return tuple_(
        bindparam(f"{name}_at", type_=UTCDateTime), bindparam(f"{name}_id", type_=Integer)
    )


def _read_rows(
    listing: Listing, number: int, start: str | None, end: str | None, excluded: Collection[int]
) -> Sequence[Article]:
    values: dict[str, object] = {"kind": listing.kind, "key": listing.key, "number": number}
    values["list_language"] = preferred_language(listing.edition)
    for name, cursor in (("start", start), ("end", end)):
        if cursor is not None:
            values[f"{name}_at"], values[f"{name}_id"] = parse_cursor(cursor)
    if excluded:
        values["excluded"] = list(excluded)
    statement = _select_stream(
        listing.kind == "latest",
        listing.edition,
        start is not None,
        end is not None,
        bool(excluded),
    )
    return load_bylines(db.session.scalars(statement, values).all()[:: 1 if end is None else -1])


def stream(
    listing: Listing,
    before: str | None = None,
    limit: int = PAGE_SIZE,
    excluded: Collection[int] = (),
) -> Stream:
    """Return the page of a listing that follows a cursor, without the ids in `excluded`.

    Keyset pagination on (published_at, id): no story repeats or is skipped while new ones arrive.
    Raises InvalidCursor.
    """
    rows = _read_rows(listing, limit + 1, before, None, excluded)
    articles = list(rows[:limit])
    return Stream(articles, cursor_after(articles[-1]) if len(rows) > limit else None)


def stream_through(
    listing: Listing, before: str | None, through: str, excluded: Collection[int] = ()
) -> Stream:
    """Return the stories that follow a cursor, up to and including `through`, at most `MAX_LOADED`.

    If there are more, the newest are left out. These are the stories that a reader has loaded with
    “Load more”. If there are none, return the page that follows the cursor. Raises InvalidCursor.
    """
    rows = _read_rows(listing, MAX_LOADED + 1, before, through, excluded)
    if not rows:
        return stream(listing, before, excluded=excluded)
    articles = list(rows[-MAX_LOADED:])
    last = cursor_after(articles[-1])
    has_more = _read_rows(listing, 1, last, None, excluded)
    return Stream(articles, last if has_more else None, len(rows) > MAX_LOADED)
