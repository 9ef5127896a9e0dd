"""Related stories of a story: the automatic ones, pins and blocks."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import indexing, publishing, queries
from spectator.i18n import gettext
from spectator.models import Article
from spectator.newsroom import bp
from spectator.newsroom.security import current_user
from spectator.newsroom.story_loader import STORY_RULE, load_story
from spectator.newsroom.story_references import find_article_id, is_visible
from spectator.search import Index, IndexUnavailableError

MAX_SIMILAR = 8


def open_index(is_public: bool) -> Index:
    """Return the index of the public stories or of all other stories."""
    data = current_app.config["DATA_DIR"]
    return indexing.open_public_index(data) if is_public else indexing.open_newsroom_index(data)


@bp.get(STORY_RULE + "/related")
def related(article_id: int) -> str:
    """Show the related stories of a story and similar ones; to editors unpublished ones too."""
    return _render_related(article_id, {})


def _render_related(article_id: int, errors: dict[str, str], raw_input: str = "") -> str:
    article, user = load_story(article_id, "view"), current_user()
    scores = dict(queries.related_scores(article_id))
    pinned_ids, blocked_ids = queries.related_overrides(article_id)
    related_ids = [related_id for related_id in scores if related_id not in blocked_ids]
    # Pins that readers do not see: of this story until it is published, or on one that is not.
    waiting_ids = sorted(set(pinned_ids) - set(related_ids))
    overridden = queries.newsroom_articles_by_id([*waiting_ids, *sorted(blocked_ids)])
    visible = [story for story in overridden if is_visible(story, user)]
    public = _similar_articles(article, is_public=True)
    # Similarity depends on the words of all indexed stories, which an author must not learn.
    unpublished = (
        _similar_articles(article, is_public=False) if publishing.is_publisher(user) else []
    )
    excluded = {*scores, *blocked_ids, *pinned_ids}
    similar, unpublished = (
        [story for story in stories if story.id not in excluded][:MAX_SIMILAR]
        for stories in (public, unpublished)
    )
    return render_template(
        "newsroom/related.html",
        article=article,
        related_articles=queries.articles_by_id(related_ids),
        pinned_ids=pinned_ids,
        waiting_pins=[story for story in visible if story.id in waiting_ids],
        blocked_articles=[story for story in visible if story.id in blocked_ids],
        similar_articles=similar,
        similar_unpublished_articles=unpublished,
        may_set_related=publishing.may(user, "relate", article),
        errors=errors,
        raw_input=raw_input,
    )


def _similar_articles(article: Article, is_public: bool) -> list[Article]:
    """Return similar stories, best first; none if the index is unavailable."""
    try:
        document = indexing.build_document(article)
        hits = open_index(is_public).more_like_this(document, 2 * MAX_SIMILAR)
    except IndexUnavailableError:
        return []
    stories = queries.newsroom_articles_by_id([hit.id for hit in hits])
    return [story for story in stories if story.is_public == is_public and story.id != article.id]


@bp.post(STORY_RULE + "/related")
def set_related(article_id: int) -> Response | tuple[str, int]:
    """Pin a related story, block it, or remove that override."""
    raw_input, kind = request.form.get("related", "").strip()[:500], request.form.get("kind", "")
    other = find_article_id(raw_input)
    try:
        if other is None:
            raise publishing.ValidationError(
                {"related": gettext("Paste the URL of a story on this site.")}
            )
        publishing.set_related_override(article_id, current_user(), other, kind)
    except publishing.ValidationError as invalid:
        return _render_related(article_id, invalid.errors, raw_input), 422
    return redirect(url_for("newsroom.related", article_id=article_id), 303)
