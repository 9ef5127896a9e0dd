"""RSS: the newest stories of the site, of every list and of every search (RSS 2.0, rssboard.org/rss-specification)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request

from spectator import indexing, queries
from spectator.models import Article
from spectator.search import IndexUnavailableError
from spectator.site.search_params import InvalidFilter, parse_search_params


def register(site: Blueprint) -> None:
    """Add a feed to the front page, to every list and to every search."""
    site.add_url_rule("/feed.xml", "feed", feed)
    site.add_url_rule("/search/feed.xml", "search_feed", search_feed)
    site.add_url_rule("/<slug:section>/feed.xml", "section_feed", feed)
    site.add_url_rule(
        "/archive/<int(fixed_digits=4):year>/<int(fixed_digits=2):month>/feed.xml",
        "month_feed",
        feed,
    )
    for kind in ("country", "topic", "author"):
        site.add_url_rule(f"/{kind}/<slug:slug>/feed.xml", f"{kind}_feed", feed)


def feed(**_parts: object) -> Response:
    """Give feed readers the newest twenty stories."""
    where = queries.listing_by_path(request.path.removesuffix("feed.xml"))
    if where is None:
        abort(404)
    if where.feed_path != request.path:
        return cast(Response, redirect(where.feed_path, 301))
    return _render_rss(where, queries.stream(where).articles)


def search_feed() -> Response:
    """Give feed readers the newest twenty stories that a search finds."""
    asked = parse_search_params(request.args)
    try:
        wanted = replace(asked.to_search_request(queries.PAGE_SIZE), sort="newest", page=1)
        found = indexing.open_public_index(current_app.config["DATA_DIR"]).find(wanted)
    except InvalidFilter:
        abort(400)
    except IndexUnavailableError:
        abort(503)
    paths = {
        "path": asked.url({"sort": ""}),
        "feed_path": asked.url({"sort": ""}, "/search/feed.xml"),
    }
    return _render_rss(
        {"kind": "search", "title": asked.title or "Search"} | paths,
        queries.articles_by_id(found.ids),
    )


def _changed_at(article: Article) -> datetime:
    """Return when a story was last published, updated or corrected."""
    return max(filter(None, (article.published_at, article.updated_at, article.saved_at)))


def _render_rss(listing: Any, articles: Sequence[Article]) -> Response:
    ids = [article.id for article in articles]
    xml = render_template(
        "feeds/rss.xml",
        listing=listing,
        articles=articles,
        bylines=queries.bylines(ids),
        feed_ids=queries.feed_ids(ids),
        changed_at=max((_changed_at(article) for article in articles), default=None),
    )
    return Response(xml, content_type="application/rss+xml; charset=utf-8")
