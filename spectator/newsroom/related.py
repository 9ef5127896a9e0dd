"""The stories that go with one."""

from __future__ import annotations

import re

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import indexing, publishing, queries
from spectator.models import Article, User
from spectator.newsroom.previews import STORY_RULE, viewable_story
from spectator.newsroom.security import current_user
from spectator.search import Index, IndexUnavailableError

MAX_SIMILAR = 8


def register(newsroom: Blueprint) -> None:
    """Add the page of stories that go with one."""
    newsroom.add_url_rule(STORY_RULE + "/related", "related", related)
    newsroom.add_url_rule(STORY_RULE + "/related", "relate", set_related, methods=["POST"])


def index_of(is_public: bool) -> Index:
    """Return the index of what is public, or of what is not."""
    data = current_app.config["DATA_DIR"]
    return indexing.open_public_index(data) if is_public else indexing.open_newsroom_index(data)


def related(article_id: int) -> str:
    """Show what readers of a story are offered besides, and what else reads like it, public or not."""
    return _render_related(article_id, {})


def _render_related(article_id: int, errors: dict[str, str], raw_input: str = "") -> str:
    article, user = viewable_story(article_id), current_user()
    scores = dict(queries.related_scores(article_id))
    pins, forbidden = queries.related_overrides(article_id)
    shown = queries.articles_by_id([each for each in scores if each not in forbidden])
    public, private = (_similar_articles(article, is_public) for is_public in (True, False))
    return render_template(
        "newsroom/related.html",
        article=article,
        shown=shown,
        pins=pins,
        forbidden=[
            each
            for each in queries.newsroom_articles_by_id(sorted(forbidden))
            if is_visible(each, user)
        ],
        others=[each for each in public if each.id not in {*scores, *forbidden, *pins}][
            :MAX_SIMILAR
        ],
        unpublished=[each for each in private if is_visible(each, user)][:MAX_SIMILAR],
        may_relate=publishing.may(user, "relate", article),
        errors=errors,
        given=raw_input,
    )


def is_visible(article: Article, user: User) -> bool:
    """Say whether a person may know of a story: everybody of a public one, else who may look at it."""
    return article.is_public or publishing.may(user, "view", article)


def _similar_articles(article: Article, is_public: bool) -> list[Article]:
    """The stories that read like one, best first; none while the index is away."""
    try:
        found = index_of(is_public).more_like_this(
            indexing.build_document(article), 2 * MAX_SIMILAR
        )
    except IndexUnavailableError:
        return []
    alike = queries.newsroom_articles_by_id([each.id for each in found])
    return [each for each in alike if each.is_public == is_public and each.id != article.id]


def set_related(article_id: int) -> Response | tuple[str, int]:
    """Pin a story to this one, keep the two apart, or forget what was decided."""
    given, kind = request.form.get("related", "").strip()[:500], request.form.get("kind", "")
    other = find_article_id(given)
    try:
        if other is None:
            raise publishing.ValidationError({"related": "Paste the URL of a story on this site."})
        publishing.set_related_override(article_id, current_user(), other, kind)
    except publishing.ValidationError as invalid:
        return _render_related(article_id, invalid.errors, given), 422
    return redirect(url_for("newsroom.related", article_id=article_id), 303)


def find_article_id(text: str) -> int | None:
    """Return the id of the story that a number or an address names, None for what names none."""
    if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        return int(text)
    in_newsroom = re.search(r"/newsroom/stories/([0-9]{1,9})(?:[/?#]|$)", text, re.ASCII)
    if in_newsroom:
        return int(in_newsroom[1])
    slug = re.split(r"[?#]", text)[0].rstrip("/").rpartition("/")[2]
    article = queries.article_by_slug(slug[:120]) if slug else None
    return article.id if article else None
