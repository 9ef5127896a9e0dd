"""RSS: the newest stories of the whole site and of every list (RSS 2.0, rssboard.org/rss-specification)."""

from __future__ import annotations

from flask import Blueprint, Response, abort, render_template, request

from spectator import queries


def register(site: Blueprint) -> None:
    """Add a feed to the front page and to every list."""
    site.add_url_rule("/feed.xml", "feed", feed)
    site.add_url_rule("/<slug:section>/feed.xml", "section_feed", feed)
    site.add_url_rule("/archive/<int(fixed_digits=4):year>/<int(fixed_digits=2):month>/feed.xml", "month_feed", feed)
    for kind in ("country", "topic", "author"):
        site.add_url_rule(f"/{kind}/<slug:slug>/feed.xml", f"{kind}_feed", feed)


def feed(**_parts: object) -> Response:
    """Give feed readers the newest twenty stories."""
    where = queries.listing(request.path.removesuffix("feed.xml"))
    if where is None:
        abort(404)
    articles = queries.stream(where).articles
    xml = render_template("feeds/rss.xml", listing=where, articles=articles)
    return Response(xml, content_type="application/rss+xml; charset=utf-8")
