"""What htmx asks for while a story is written. Each answer is 200 and says how it went."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from werkzeug.exceptions import NotFound

from spectator import autosaves, publishing, queries
from spectator.db import db
from spectator.media import PictureError, rendition_names
from spectator.models import Article
from spectator.newsroom import forms, locked_stories, previews
from spectator.newsroom.autosaves import AutosaveError, save_autosave
from spectator.newsroom.media import accept_upload
from spectator.newsroom.security import current_user
from spectator.publishing.drafts import clean_line
from spectator.text.places.gazetteer import suggest_countries
from spectator.text.words.slugs import is_slug, slugify
from spectator.urls import absolute_url, permalink

STORY_RULE = "/fragments/stories/<int(max=2147483647):article_id>"
NEW_STORY_RULE = "/fragments/stories/new"
BODY_PICTURE_WIDTH = 960


def register(newsroom: Blueprint) -> None:
    """Add the targets of the writing screen."""
    newsroom.add_url_rule("/fragments/session", "session_fragment", session_status)
    newsroom.add_url_rule(STORY_RULE + "/autosave", "autosave", autosave, methods=["POST"])
    newsroom.add_url_rule(NEW_STORY_RULE + "/autosave", "autosave_new", autosave, methods=["POST"])
    newsroom.add_url_rule(STORY_RULE + "/presence", "presence", update_presence, methods=["POST"])
    newsroom.add_url_rule(STORY_RULE + "/address", "address", address_preview, methods=["POST"])
    newsroom.add_url_rule(
        NEW_STORY_RULE + "/address", "address_new", address_preview, methods=["POST"]
    )
    newsroom.add_url_rule(STORY_RULE + "/preview", "preview_frame", preview_frame)
    newsroom.add_url_rule(NEW_STORY_RULE + "/preview", "preview_frame_new", preview_frame)
    newsroom.add_url_rule("/fragments/suggestions/<kind>", "suggestions", suggestions)
    newsroom.add_url_rule(
        "/fragments/pictures", "body_picture", upload_body_picture, methods=["POST"]
    )


def session_status() -> str:
    """Say that this person is logged in; the guard says the contrary."""
    return render_template("newsroom/_outcome.html", outcome="in")


def autosave(article_id: int | None = None) -> str:
    """Keep what is in the form, apart from the story and its history, and say when, and what the story weighs."""
    user, values = current_user(), forms.autosaved_values(current_user())
    seq = request.form.get("seq", "")[:10]
    article = _find_article(article_id)
    try:
        row = save_autosave(user, article_id, article, values)
    except AutosaveError as refused:
        return _render_refusal(seq, f"Not saved: {refused} Your text is kept on this device.")
    weight = previews.describe_page_weight(
        previews.article_from_form(forms.form_from_autosave(row, user), article)
    )
    told: dict[str, object] = {"outcome": "saved", "at": row.saved_at, "zone": forms.zone()}
    if article is not None and locked_stories.is_locked_for(article, user):
        address = url_for("newsroom.unsaved_text", article_id=article.id)
        told = {
            "outcome": "moved",
            "message": locked_stories.describe_status_change(article),
            "address": address,
        }
    return render_template(
        "newsroom/_outcome.html", seq=seq, weight=weight, article=article, **told
    )


def _render_refusal(seq: str, message: str) -> str:
    return render_template("newsroom/_outcome.html", outcome="refused", seq=seq, message=message)


def _find_article(article_id: int | None) -> Article | None:
    return queries.article_to_edit(article_id) if article_id is not None else None


def update_presence(article_id: int) -> str:
    """Note that this person has the story open; say who else has, and whether a newer version was saved."""
    user, article = current_user(), _find_article(article_id)
    if article is None or not publishing.may_edit(user, article):
        has_moved = article is not None and locked_stories.is_locked_for(article, user)
        moved = (
            locked_stories.describe_status_change(article)
            if article is not None and has_moved
            else ""
        )
        return render_template("newsroom/_presence.html", others=[], newer_by="", moved=moved)
    autosaves.touch(user.id, article_id)
    is_newer = article.version > forms.parse_version(request.form)
    newer_by = (queries.last_saved_by(article_id) or "Somebody") if is_newer else ""
    others = autosaves.other_editors(article_id, user.id)
    return render_template("newsroom/_presence.html", others=others, newer_by=newer_by, moved="")


def address_preview(article_id: int | None = None) -> str:
    """Say at which address the story will stand, or what is wrong with the one that was typed."""
    user, article, sent = current_user(), _find_article(article_id), request.form
    if article is not None and not publishing.may_edit(user, article):
        raise publishing.ForbiddenError("This is a colleague's story.")
    slug, headline = (
        clean_line(sent.get("slug", "")[:200]),
        clean_line(sent.get("headline", "")[:400]),
    )
    section = queries.listing_by_path(f"/{slugify(sent.get('section', '')[:120])}/")
    if slug and not is_slug(slug):
        return render_template(
            "newsroom/_address.html", error="Use lowercase letters, numbers and hyphens."
        )
    current = article.slug if article else ""
    try:
        free = (
            publishing.unique_slug(db.session(), slug, headline, article_id, current)
            if slug or headline
            else ""
        )
    except publishing.ValidationError as invalid:
        return render_template("newsroom/_address.html", error=invalid.errors["slug"])
    shown = Article(
        slug=free,
        section=section.subject if section else None,
        published_at=_publication_date(article),
    )
    is_whole = bool(free) and shown.section is not None
    will_be = absolute_url(permalink(shown)) if is_whole else ""
    return render_template("newsroom/_address.html", address=will_be, slug=free, error="")


def _publication_date(article: Article | None) -> datetime:
    return article.published_at if article and article.published_at else datetime.now(UTC)


def preview_frame(article_id: int | None = None) -> str:
    """Show the story as it is being typed, in a frame."""
    article = _find_article(article_id)
    copy, seq = request.args.get("copy", "")[:40], request.args.get("seq", "")[:10]
    return render_template(
        "newsroom/_preview.html", article=article, article_id=article_id, copy=copy, seq=seq
    )


def suggestions(kind: str) -> str:
    """Offer names that stories carry already and that fit what was typed; for sources the last used.

    Authors are offered nothing of colleagues' unpublished stories.
    """
    user = current_user()
    author_id = None if publishing.is_publisher(user) else user.id
    typed = clean_line(request.args.get("q", "")[:100])
    part = slugify(typed) if typed else ""
    found: list[tuple[str, str, str]] = []
    if kind == "authors":
        found = [
            (name, "", _story_count(count)) for name, count in queries.authors_like(part, author_id)
        ]
    elif kind == "topics":
        found = [
            (name, "", _story_count(count)) for name, count in queries.topics_like(part, author_id)
        ]
    elif kind == "countries":
        found = (
            [(country.name, "", country.code) for country in suggest_countries(typed)]
            if typed
            else []
        )
    elif kind == "sources":
        found = [(name, link, "") for name, link in queries.sources_like(typed, author_id)]
    else:
        raise NotFound
    return render_template("newsroom/_options.html", options=found)


def _story_count(count: int) -> str:
    return f"{count} {'story' if count == 1 else 'stories'}"


def upload_body_picture() -> str:
    """Take in a picture for the text and give back its figure, or say what is wrong with it."""
    user, upload = current_user(), request.files.get("picture")
    alt, caption, credit = (
        clean_line(request.form.get(name, "")[:1000]) for name in ("alt", "caption", "credit")
    )
    if upload is None or not upload.filename:
        return _render_refusal("", "Choose a picture.")
    if not alt:
        return _render_refusal("", "Say what the picture shows, for readers who cannot see it.")
    try:
        picture = queries.picture(accept_upload(upload, user))
    except PictureError as refused:
        return _render_refusal("", str(refused))
    assert picture is not None
    names = rendition_names(picture.digest, picture.extension, picture.width)
    name, width = next(
        ((name, width) for name, width in names if width >= BODY_PICTURE_WIDTH), names[-1]
    )
    height = max(1, round(picture.height * width / picture.width))
    size = {"name": name, "width": width, "height": height}
    return render_template("newsroom/_figure.html", alt=alt, caption=caption, credit=credit, **size)
