"""Search over everything published."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, current_app, render_template, request

from spectator import indexing, queries
from spectator.models import Article
from spectator.search import Found, IndexUnavailable, Request, Sort
from spectator.text.html import plain_text
from spectator.text.snippets import highlight, snippet

PER_PAGE = 10
SORTS: tuple[Sort, ...] = ("relevance", "newest", "oldest")
FILTERS = ("section", "country", "topic", "author", "language")


@dataclass(frozen=True, slots=True)
class Result:
    """A hit: the story, its headline and its best passage as (piece, is_hit) pairs."""

    article: Article
    headline: list[tuple[str, bool]]
    snippet: list[tuple[str, bool]]


class BadFilter(ValueError):
    """A filter that cannot be read; the message says which."""


def register(site: Blueprint) -> None:
    """Add the search page."""
    site.add_url_rule("/search", "search", search)


def search() -> tuple[str, int]:
    """Show the stories that a reader's words and filters find, with the passage that matched."""
    given = {name: request.args.get(name, "").strip() for name in ("q", *FILTERS, "from", "to", "sort", "page")}
    page: dict[str, object] = {"request_text": given["q"][:200], "filters": given, "results": [], "total": 0}
    try:
        wanted = read_request(given)
    except BadFilter as error:
        return render_template("site/search.html", **page, error=str(error)), 400
    if not given["q"] and not any(given[name] for name in (*FILTERS, "from", "to")):
        return render_template("site/search.html", **page, is_blank=True), 200
    try:
        found = indexing.index_in(current_app.config["DATA_DIR"]).find(wanted)
    except IndexUnavailable:
        current_app.logger.warning("the search index is unavailable")
        return render_template("site/search.html", **page, is_unavailable=True), 503
    page |= {"results": results_of(found), "total": found.total, "mode": found.mode} | pager(given, wanted, found)
    return render_template("site/search.html", **page), 200


def read_request(given: dict[str, str]) -> Request:
    """Return the request that the address asks for; raises BadFilter."""
    sort = next((each for each in SORTS if each == (given["sort"] or "relevance")), None)
    if sort is None:
        raise BadFilter("Sort by relevance, newest or oldest.")
    if not re.fullmatch(r"[0-9]{0,4}", given["page"]):
        raise BadFilter("The page is a number.")
    return Request(
        text=given["q"],
        **{name: given[name][:100] for name in FILTERS},
        published_from=_day(given["from"]),
        published_to=_day(given["to"]),
        sort=sort,
        page=max(1, int(given["page"] or 1)),
        per_page=PER_PAGE,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadFilter("Write dates as year-month-day, for example 2024-05-31.") from error


def results_of(found: Found) -> list[Result]:
    """Return the stories found with their highlighted passages; one withdrawn a moment ago is left out."""
    return [
        Result(
            article,
            highlight(article.headline, found.terms, found.prefixes),
            snippet(plain_text(article.body), found.terms, prefixes=found.prefixes),
        )
        for article in queries.articles_by_id(found.ids, has_bodies=True)
    ]


def pager(given: dict[str, str], wanted: Request, found: Found) -> dict[str, object]:
    """Return the page's number, the number of pages and the addresses of its neighbours."""
    pages = -(-found.total // PER_PAGE)

    def address(number: int) -> str:
        query = {name: value for name, value in given.items() if value and name != "page"}
        return f"/search?{urlencode(query | ({'page': str(number)} if number > 1 else {}))}"

    return {
        "page": wanted.page,
        "pages": pages,
        "previous_url": address(wanted.page - 1) if 1 < wanted.page <= pages + 1 else "",
        "next_url": address(wanted.page + 1) if wanted.page < pages else "",
    }
