"""RSS feeds of the site, every list and every search (RSS 2.0, rssboard.org/rss-specification)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from flask import Response, abort, current_app, redirect, render_template, request

from spectator import indexing, queries
from spectator.i18n import gettext
from spectator.models import Article
from spectator.search import IndexUnavailableError
from spectator.site import bp
from spectator.site.caching import cacheable, conditional
from spectator.site.listings import MONTH_RULE
from spectator.site.search_params import (
    InvalidFilter,
    SearchParams,
    parse_search_params,
    with_synonyms,
)


@bp.get("/feed.xml")
@bp.get("/<slug:section>/feed.xml", endpoint="section_feed")
@bp.get("/country/<slug:slug>/feed.xml", endpoint="country_feed")
@bp.get("/topic/<slug:slug>/feed.xml", endpoint="topic_feed")
@bp.get("/author/<slug:slug>/feed.xml", endpoint="author_feed")
@bp.get(f"{MONTH_RULE}feed.xml", endpoint="month_feed")
@cacheable()
def feed(**_parts: object) -> Response:
    """Send the newest twenty stories of a list as RSS."""
    listing = queries.listing_by_path(request.path.removesuffix("feed.xml"))
    if listing is None:
        abort(404)
    if listing.feed_path != request.path:
        return cast(Response, redirect(listing.feed_path, 301))
    return _render_rss(listing, queries.stream(listing).articles)


@bp.get("/search/feed.xml")
@conditional
def search_feed() -> Response:
    """Send the newest twenty stories of a search as RSS."""
    params = parse_search_params(request.args)
    articles = queries.load_bylines(queries.articles_by_id(_newest_hits(params)))
    paths = {
        "path": params.url({"sort": ""}),
        "feed_path": params.url({"sort": ""}, "/search/feed.xml"),
    }
    return _render_rss(
        {"kind": "search", "title": params.title or gettext("Search")} | paths, articles
    )


def _newest_hits(params: SearchParams) -> list[int]:
    """Return the ids of the newest stories that match.

    Aborts with 400 for an invalid filter and with 503 if the index is unavailable.
    """
    try:
        search_request = with_synonyms(params.to_search_request(queries.PAGE_SIZE))
        index = indexing.open_public_index(current_app.config["DATA_DIR"])
        return index.find(replace(search_request, sort="newest", page=1)).ids
    except InvalidFilter:
        abort(400)
    except IndexUnavailableError:
        abort(503)


def _changed_at(article: Article) -> datetime:
    """Return when a story was last published, updated or corrected."""
    return max(filter(None, (article.published_at, article.updated_at, article.saved_at)))


def _render_rss(listing: Any, articles: Sequence[Article]) -> Response:
    ids = [article.id for article in articles]
    xml = render_template(
        "feeds/rss.xml",
        listing=listing,
        articles=articles,
        feed_ids=queries.feed_ids(ids),
        changed_at=max((_changed_at(article) for article in articles), default=None),
    )
    return Response(xml, content_type="application/rss+xml; charset=utf-8")
