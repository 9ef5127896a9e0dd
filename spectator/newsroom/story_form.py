"""htmx targets of the story form: the story's URL, suggestions, other editors of the story."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import abort, render_template, request

from spectator import presence, publishing, queries
from spectator.db import db
from spectator.formats import language_name
from spectator.i18n import gettext, ngettext
from spectator.models import Article
from spectator.newsroom import bp, forms, locked_stories
from spectator.newsroom.security import current_user, large_form
from spectator.newsroom.story_loader import STORY_FRAGMENT_RULE, load_story
from spectator.newsroom.story_references import reference_label
from spectator.publishing.validation import clean_line
from spectator.text.places.gazetteer import suggest_countries
from spectator.text.words.slugs import is_slug, slugify
from spectator.urls import absolute_url, permalink


@bp.post(STORY_FRAGMENT_RULE + "/presence", endpoint="presence")
def update_presence(article_id: int) -> str:
    """Record that the user has the story open; show other editors and newer versions."""
    user, article = current_user(), queries.article_to_edit(article_id)
    if article is None or not publishing.may_edit(user, article):
        lock_message = ""
        if article is not None and locked_stories.is_locked_for(article, user):
            lock_message = locked_stories.describe_status_change(article)
        return render_template(
            "newsroom/_presence.html", other_editors=[], newer_by="", lock_message=lock_message
        )
    presence.touch(user.id, article_id)
    is_newer = article.version > forms.parse_version(request.form)
    newer_by = (queries.last_saved_by(article_id) or gettext("Somebody")) if is_newer else ""
    other_editors = presence.other_editors(article_id, user.id)
    return render_template(
        "newsroom/_presence.html", other_editors=other_editors, newer_by=newer_by, lock_message=""
    )


@bp.post(STORY_FRAGMENT_RULE + "/address", endpoint="address")
@bp.post("/fragments/stories/new/address", endpoint="address_new")
@large_form
def address_preview(article_id: int | None = None) -> str:
    """Show the URL that the story will have, or what is wrong with the slug."""
    article, sent = load_story(article_id, "edit") if article_id else None, request.form
    slug = clean_line(sent.get("slug", "")[:200])
    headline = clean_line(sent.get("headline", "")[:400])
    if slug and not is_slug(slug):
        message = gettext("Use lowercase letters, numbers and hyphens.")
        return render_template("newsroom/_address.html", error=message)
    current_slug = article.slug if article else ""
    try:
        if slug or headline:
            slug = publishing.unique_slug(db.session(), slug, headline, article_id, current_slug)
    except publishing.ValidationError as invalid:
        return render_template("newsroom/_address.html", error=invalid.errors["slug"])
    url = _future_url(slug, sent.get("section", "")[:120], article) if slug else ""
    return render_template("newsroom/_address.html", address=url, slug=slug, error="")


def _future_url(slug: str, section_name: str, article: Article | None) -> str:
    """Return the URL of a story once it is published, "" if the section is unknown."""
    section = queries.listing_by_path(f"/{slugify(section_name)}/")
    if section is None:
        return ""
    published_at = article.published_at if article and article.published_at else datetime.now(UTC)
    story = Article(slug=slug, section=section.subject, published_at=published_at)
    return absolute_url(permalink(story)) if story.section is not None else ""


@bp.get("/fragments/suggestions/<kind>")
def suggestions(kind: str) -> str:
    """Suggest existing names that match the input; for sources, the most recently used ones.

    Authors get no suggestions from colleagues' unpublished stories.
    """
    user = current_user()
    author_id = None if publishing.is_publisher(user) else user.id
    text = clean_line(request.args.get("q", "")[:100])
    if kind not in SUGGESTERS:
        abort(404)
    return render_template("newsroom/_options.html", options=SUGGESTERS[kind](text, author_id))


Options = list[tuple[str, str, str]]  # name, URL, remark


def _suggest_authors(text: str, author_id: int | None) -> Options:
    authors = queries.authors_like(slugify(text) if text else "", author_id)
    return [(name, "", _story_count(count)) for name, count in authors]


def _suggest_topics(text: str, author_id: int | None) -> Options:
    topics = queries.topics_like(slugify(text) if text else "", author_id)
    return [(name, "", _story_count(count)) for name, count in topics]


def _suggest_countries(text: str, _author_id: int | None) -> Options:
    countries = suggest_countries(text) if text else ()
    return [(country.name, "", country.code) for country in countries]


def _suggest_stories(text: str, author_id: int | None) -> Options:
    return [
        (reference_label(article), "", language_name(article.language))
        for article in queries.originals_like(text, author_id)
    ]


def _suggest_sources(text: str, author_id: int | None) -> Options:
    return [(name, url, "") for name, url in queries.sources_like(text, author_id)]


SUGGESTERS: dict[str, Callable[[str, int | None], Options]] = {
    "authors": _suggest_authors,
    "topics": _suggest_topics,
    "countries": _suggest_countries,
    "sources": _suggest_sources,
    "stories": _suggest_stories,
}


def _story_count(count: int) -> str:
    return ngettext("%(count)s story", "%(count)s stories", count)
