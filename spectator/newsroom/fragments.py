"""htmx targets of the story form. Each answers 200 and says in its body how it went."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from werkzeug.exceptions import NotFound

from spectator import presence, publishing, queries
from spectator.db import db
from spectator.media import PictureError, rendition_names
from spectator.models import Article
from spectator.newsroom import forms, locked_stories, previews
from spectator.newsroom.autosaves import AutosaveError, save_autosave
from spectator.newsroom.media import accept_upload
from spectator.newsroom.security import current_user
from spectator.publishing.validation import clean_line
from spectator.text.places.gazetteer import suggest_countries
from spectator.text.words.slugs import is_slug, slugify
from spectator.urls import absolute_url, permalink

STORY_RULE = "/fragments/stories/<int(max=2147483647):article_id>"
NEW_STORY_RULE = "/fragments/stories/new"
BODY_PICTURE_WIDTH = 960


def register(newsroom: Blueprint) -> None:
    """Add the htmx targets of the story form."""
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
    """Confirm that the user is logged in; `logged_out` answers if nobody is."""
    return render_template("newsroom/_autosave_status.html", outcome="in")


def autosave(article_id: int | None = None) -> str:
    """Autosave the form, and show the time and the weight of the page."""
    user, values = current_user(), forms.autosaved_values(current_user())
    seq = request.form.get("seq", "")[:10]
    article = _find_article(article_id)
    try:
        row = save_autosave(user, article_id, article, values)
    except AutosaveError as error:
        return _render_refusal(seq, f"Not saved: {error} Your text is kept on this device.")
    weight = previews.describe_page_weight(
        previews.article_from_form(forms.form_from_autosave(row, user), article)
    )
    status: dict[str, object] = {"outcome": "saved", "at": row.saved_at, "zone": forms.zone()}
    if article is not None and locked_stories.is_locked_for(article, user):
        address = url_for("newsroom.unsaved_text", article_id=article.id)
        status = {
            "outcome": "locked",
            "message": locked_stories.describe_status_change(article),
            "address": address,
        }
    return render_template(
        "newsroom/_autosave_status.html", seq=seq, weight=weight, article=article, **status
    )


def _render_refusal(seq: str, message: str) -> str:
    return render_template(
        "newsroom/_autosave_status.html", outcome="refused", seq=seq, message=message
    )


def _find_article(article_id: int | None) -> Article | None:
    return queries.article_to_edit(article_id) if article_id is not None else None


def update_presence(article_id: int) -> str:
    """Record that the user has the story open; show other editors and newer versions."""
    user, article = current_user(), _find_article(article_id)
    if article is None or not publishing.may_edit(user, article):
        lock_message = ""
        if article is not None and locked_stories.is_locked_for(article, user):
            lock_message = locked_stories.describe_status_change(article)
        return render_template(
            "newsroom/_presence.html", other_editors=[], newer_by="", lock_message=lock_message
        )
    presence.touch(user.id, article_id)
    is_newer = article.version > forms.parse_version(request.form)
    newer_by = (queries.last_saved_by(article_id) or "Somebody") if is_newer else ""
    other_editors = presence.other_editors(article_id, user.id)
    return render_template(
        "newsroom/_presence.html", other_editors=other_editors, newer_by=newer_by, lock_message=""
    )


def address_preview(article_id: int | None = None) -> str:
    """Show the URL that the story will have, or what is wrong with the slug."""
    user, article, sent = current_user(), _find_article(article_id), request.form
    if article is not None and not publishing.may_edit(user, article):
        raise publishing.ForbiddenError("This is a colleague's story.")
    slug = clean_line(sent.get("slug", "")[:200])
    headline = clean_line(sent.get("headline", "")[:400])
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
    story = Article(
        slug=free,
        section=section.subject if section else None,
        published_at=_publication_date(article),
    )
    url = absolute_url(permalink(story)) if free and story.section is not None else ""
    return render_template("newsroom/_address.html", address=url, slug=free, error="")


def _publication_date(article: Article | None) -> datetime:
    return article.published_at if article and article.published_at else datetime.now(UTC)


def preview_frame(article_id: int | None = None) -> str:
    """Show the frame with the preview of the unsaved story."""
    article = _find_article(article_id)
    form_id, seq = request.args.get("copy", "")[:40], request.args.get("seq", "")[:10]
    return render_template(
        "newsroom/_preview_frame.html",
        article=article,
        article_id=article_id,
        form_id=form_id,
        seq=seq,
    )


def suggestions(kind: str) -> str:
    """Suggest existing names that match the input; of sources the most recently used.

    Authors get no suggestions from colleagues' unpublished stories.
    """
    user = current_user()
    author_id = None if publishing.is_publisher(user) else user.id
    text = clean_line(request.args.get("q", "")[:100])
    part = slugify(text) if text else ""
    options: list[tuple[str, str, str]] = []
    if kind == "authors":
        authors = queries.authors_like(part, author_id)
        options = [(name, "", _story_count(count)) for name, count in authors]
    elif kind == "topics":
        topics = queries.topics_like(part, author_id)
        options = [(name, "", _story_count(count)) for name, count in topics]
    elif kind == "countries":
        countries = suggest_countries(text) if text else ()
        options = [(country.name, "", country.code) for country in countries]
    elif kind == "sources":
        options = [(name, url, "") for name, url in queries.sources_like(text, author_id)]
    else:
        raise NotFound
    return render_template("newsroom/_options.html", options=options)


def _story_count(count: int) -> str:
    return f"{count} {'story' if count == 1 else 'stories'}"


def upload_body_picture() -> str:
    """Store a picture for the story's body and return its figure, or what is wrong with it."""
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
    except PictureError as error:
        return _render_refusal("", str(error))
    assert picture is not None
    names = rendition_names(picture.digest, picture.extension, picture.width)
    name, width = next(
        ((name, width) for name, width in names if width >= BODY_PICTURE_WIDTH), names[-1]
    )
    height = max(1, round(picture.height * width / picture.width))
    size = {"name": name, "width": width, "height": height}
    return render_template("newsroom/_figure.html", alt=alt, caption=caption, credit=credit, **size)
