"""Search for people who are logged in, over what is not public too, and the stories that go with one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import indexing, publishing, queries
from spectator.models import Article
from spectator.newsroom.guard import current_user
from spectator.newsroom.previews import ONE, viewable
from spectator.search import MAX_PAGE, Found, Index, IndexUnavailable, Request
from spectator.text.html import plain_text
from spectator.text.snippets import highlight, snippet

PER_PAGE = 20
SOUGHT_AT_ONCE, MOST_SOUGHT = 100, 1000  # hits among which an author's own are looked for
ALIKE = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """A story found: its headline and best passage as (piece, is_hit) pairs, and whether this person may change it."""

    article: Article
    headline: list[tuple[str, bool]]
    snippet: list[tuple[str, bool]]
    is_editable: bool


def register(newsroom: Blueprint) -> None:
    """Add the search, and the page of stories that go with one."""
    newsroom.add_url_rule("/search", "search", search)
    newsroom.add_url_rule(ONE + "/related", "related", related)
    newsroom.add_url_rule(ONE + "/related", "relate", relate, methods=["POST"])


def search() -> tuple[str, int]:
    """Show the stories that have some words: those that are not public, or those that are."""
    text, is_public = request.args.get("q", "").strip()[:200], request.args.get("in") == "published"
    asked = request.args.get("page", "")
    page = min(int(asked), MAX_PAGE) if re.fullmatch(r"[1-9][0-9]?", asked, re.ASCII) else 1
    shown = {"text": text, "is_public": is_public, "page": page, "hits": [], "total": 0}
    try:
        shown |= _found(text, is_public, page) if text else {}
    except IndexUnavailable:
        return render_template("newsroom/search.html", **shown, is_unavailable=True), 503
    return render_template("newsroom/search.html", **shown), 200


def _found(text: str, is_public: bool, page: int) -> dict[str, object]:
    if not is_public and not publishing.is_publisher(current_user()):
        return _own_found(text)
    found = _index(is_public).find(Request(text, page=page, per_page=PER_PAGE))
    has_more = page < MAX_PAGE and found.total > page * PER_PAGE
    shown = {"hits": hits_of(found, is_public), "total": found.total, "mode": found.mode, "has_more": has_more}
    return shown | {"unknown": found.unknown}


def _own_found(text: str) -> dict[str, object]:
    """What an author sees of what is not public: their own stories among the best hits, all on one page."""
    hits: list[Hit] = []
    for number in range(1, MOST_SOUGHT // SOUGHT_AT_ONCE + 1):
        found = _index(False).find(Request(text, page=number, per_page=SOUGHT_AT_ONCE))
        hits += hits_of(found, False, current_user().id)
        if found.total <= number * SOUGHT_AT_ONCE:
            break
    return {"hits": hits, "total": len(hits), "mode": found.mode, "page": 1, "unknown": found.unknown}


def _index(is_public: bool) -> Index:
    data = current_app.config["DATA_DIR"]
    return indexing.index_in(data) if is_public else indexing.newsroom_index_in(data)


def hits_of(found: Found, is_public: bool, created_by_id: int | None = None) -> list[Hit]:
    """Return the stories found that this person may see; what changed its state a moment ago is left out."""
    user = current_user()
    return [
        Hit(
            article,
            highlight(article.headline, found.terms, found.prefixes),
            snippet(plain_text(article.body), found.terms, prefixes=found.prefixes),
            publishing.may_edit(user, article),
        )
        for article in queries.stories_by_id(found.ids, created_by_id)
        if article.is_public == is_public and (is_public or publishing.may(user, "view", article))
    ]


def related(article_id: int) -> str:
    """Show what readers of a story are offered besides, and what else reads like it, public or not."""
    return _related_page(article_id, {})


def _related_page(article_id: int, errors: dict[str, str], given: str = "") -> str:
    article, user = viewable(article_id), current_user()
    scores = dict(queries.related_scores(article_id))
    pins, forbidden = queries.related_choices(article_id)
    shown = queries.articles_by_id([each for each in scores if each not in forbidden])
    public, private = (_alike(article, is_public) for is_public in (True, False))
    return render_template(
        "newsroom/related.html",
        article=article,
        shown=shown,
        pins=pins,
        forbidden=queries.stories_by_id(sorted(forbidden)),
        others=[each for each in public if each.id not in {*scores, *forbidden, *pins}][:ALIKE],
        unpublished=[each for each in private if publishing.may(user, "view", each)][:ALIKE],
        may_relate=publishing.may(user, "relate", article),
        errors=errors,
        given=given,
    )


def _alike(article: Article, is_public: bool) -> list[Article]:
    """The stories that read like one, best first; none while the index is away."""
    try:
        found = _index(is_public).similar(indexing.document_of(article), 2 * ALIKE)
    except IndexUnavailable:
        return []
    alike = queries.stories_by_id([each.id for each in found])
    return [each for each in alike if each.is_public == is_public and each.id != article.id]


def relate(article_id: int) -> Response | tuple[str, int]:
    """Pin a story to this one, keep the two apart, or forget what was decided."""
    given, kind = request.form.get("related", "").strip()[:500], request.form.get("kind", "")
    other = named(given)
    try:
        if other is None:
            raise publishing.Invalid({"related": "Give the address or the number of a story on this site."})
        publishing.relate(article_id, current_user(), other, kind)
    except publishing.Invalid as invalid:
        return _related_page(article_id, invalid.errors, given), 422
    return redirect(url_for("newsroom.related", article_id=article_id), 303)


def named(text: str) -> int | None:
    """Return the id of the story that a number or an address names, None for what names none."""
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return int(text)
    in_newsroom = re.search(r"/newsroom/stories/([0-9]{1,9})(?:[/?#]|$)", text, re.ASCII)
    if in_newsroom:
        return int(in_newsroom[1])
    slug = re.split(r"[?#]", text)[0].rstrip("/").rpartition("/")[2]
    article = queries.article_at(slug[:120]) if slug else None
    return article.id if article else None
