"""What htmx asks for while a story is written. Each answer is 200 and says how it went."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from werkzeug.exceptions import NotFound

from spectator import drafting, publishing, queries
from spectator.addresses import absolute, permalink
from spectator.db import db
from spectator.media import PictureRefused, rendition_names
from spectator.models import Article
from spectator.newsroom import forms, moved_stories, previews
from spectator.newsroom.guard import current_user
from spectator.newsroom.media import receive
from spectator.newsroom.unsaved import AutosaveRefused, keep_typed
from spectator.publishing.drafts import one_line
from spectator.text.gazetteer import countries_like
from spectator.text.slugs import is_slug, slugify

ONE = "/fragments/stories/<int(max=2147483647):article_id>"
NEW = "/fragments/stories/new"
BODY_PICTURE_WIDTH = 960


def register(newsroom: Blueprint) -> None:
    """Add the targets of the writing screen."""
    newsroom.add_url_rule("/fragments/session", "session_fragment", session)
    newsroom.add_url_rule(ONE + "/autosave", "autosave", autosave, methods=["POST"])
    newsroom.add_url_rule(NEW + "/autosave", "autosave_new", autosave, methods=["POST"])
    newsroom.add_url_rule(ONE + "/presence", "presence", presence, methods=["POST"])
    newsroom.add_url_rule(ONE + "/address", "address", address, methods=["POST"])
    newsroom.add_url_rule(NEW + "/address", "address_new", address, methods=["POST"])
    newsroom.add_url_rule(ONE + "/preview", "preview_frame", preview_frame)
    newsroom.add_url_rule(NEW + "/preview", "preview_frame_new", preview_frame)
    newsroom.add_url_rule("/fragments/suggestions/<kind>", "suggestions", suggestions)
    newsroom.add_url_rule("/fragments/pictures", "body_picture", body_picture, methods=["POST"])


def session() -> str:
    """Say that this person is logged in; the guard says the contrary."""
    return render_template("newsroom/_outcome.html", outcome="in")


def autosave(article_id: int | None = None) -> str:
    """Keep what is in the form, apart from the story and its history, and say when, and what the story weighs."""
    user, values = current_user(), forms.autosaved_values(current_user())
    seq = request.form.get("seq", "")[:10]
    article = _story(article_id)
    try:
        row = keep_typed(user, article_id, article, values)
    except AutosaveRefused as refused:
        return _refused(seq, f"Not saved: {refused} Your text is kept on this device.")
    weight = previews.weight_words(previews.typed(forms.of_autosave(row, user), article))
    told: dict[str, object] = {"outcome": "saved", "at": row.saved_at, "zone": forms.zone()}
    if article is not None and moved_stories.has_moved_on(article, user):
        address = url_for("newsroom.unsaved_text", article_id=article.id)
        told = {"outcome": "moved", "message": moved_stories.moved_sentence(article), "address": address}
    return render_template("newsroom/_outcome.html", seq=seq, weight=weight, article=article, **told)


def _refused(seq: str, message: str) -> str:
    return render_template("newsroom/_outcome.html", outcome="refused", seq=seq, message=message)


def _story(article_id: int | None) -> Article | None:
    return queries.article_to_edit(article_id) if article_id is not None else None


def presence(article_id: int) -> str:
    """Note that this person has the story open; say who else has, and whether a newer version was saved."""
    user, article = current_user(), _story(article_id)
    if article is None or not publishing.may_edit(user, article):
        has_moved = article is not None and moved_stories.has_moved_on(article, user)
        moved = moved_stories.moved_sentence(article) if article is not None and has_moved else ""
        return render_template("newsroom/_presence.html", others=[], newer_by="", moved=moved)
    drafting.sign_in(user.id, article_id)
    is_newer = article.version > forms.version_in(request.form)
    newer_by = (queries.last_saved_by(article_id) or "Somebody") if is_newer else ""
    others = drafting.others_at(article_id, user.id)
    return render_template("newsroom/_presence.html", others=others, newer_by=newer_by, moved="")


def address(article_id: int | None = None) -> str:
    """Say at which address the story will stand, or what is wrong with the one that was typed."""
    user, article, sent = current_user(), _story(article_id), request.form
    if article is not None and not publishing.may_edit(user, article):
        raise publishing.Forbidden("This is a colleague's story.")
    slug, headline = one_line(sent.get("slug", "")[:200]), one_line(sent.get("headline", "")[:400])
    section = queries.listing(f"/{slugify(sent.get('section', '')[:120])}/")
    if slug and not is_slug(slug):
        return render_template("newsroom/_address.html", error="Use small letters a–z, digits and single hyphens only.")
    current = article.slug if article else ""
    try:
        free = publishing.free_slug(db.session(), slug, headline, article_id, current) if slug or headline else ""
    except publishing.Invalid as invalid:
        return render_template("newsroom/_address.html", error=invalid.errors["slug"])
    shown = Article(slug=free, section=section.thing if section else None, published_at=_date_of(article))
    is_whole = bool(free) and shown.section is not None
    will_be = absolute(permalink(shown)) if is_whole else ""
    return render_template("newsroom/_address.html", address=will_be, slug=free, error="")


def _date_of(article: Article | None) -> datetime:
    return article.published_at if article and article.published_at else datetime.now(UTC)


def preview_frame(article_id: int | None = None) -> str:
    """Show the story as it is being typed, in a frame."""
    article = _story(article_id)
    copy, seq = request.args.get("copy", "")[:40], request.args.get("seq", "")[:10]
    return render_template("newsroom/_preview.html", article=article, article_id=article_id, copy=copy, seq=seq)


def suggestions(kind: str) -> str:
    """Offer names that stories carry already and that fit what was typed; for sources the last used.

    Authors are offered nothing of colleagues' unpublished stories.
    """
    user = current_user()
    author_id = None if publishing.is_publisher(user) else user.id
    typed = one_line(request.args.get("q", "")[:100])
    part = slugify(typed) if typed else ""
    found: list[tuple[str, str, str]] = []
    if kind == "authors":
        found = [(name, "", _stories(count)) for name, count in queries.authors_like(part, author_id)]
    elif kind == "topics":
        found = [(name, "", _stories(count)) for name, count in queries.topics_like(part, author_id)]
    elif kind == "countries":
        found = [(country.name, "", country.code) for country in countries_like(typed)] if typed else []
    elif kind == "sources":
        found = [(name, link, "") for name, link in queries.sources_like(typed, author_id)]
    else:
        raise NotFound
    return render_template("newsroom/_options.html", options=found)


def _stories(count: int) -> str:
    return f"{count} {'story' if count == 1 else 'stories'}"


def body_picture() -> str:
    """Take in a picture for the text and give back its figure, or say what is wrong with it."""
    user, upload = current_user(), request.files.get("picture")
    alt, caption, credit = (one_line(request.form.get(name, "")[:1000]) for name in ("alt", "caption", "credit"))
    if upload is None or not upload.filename:
        return _refused("", "Choose a picture.")
    if not alt:
        return _refused("", "Say what the picture shows, for readers who cannot see it.")
    try:
        picture = queries.picture(receive(upload, user))
    except PictureRefused as refused:
        return _refused("", str(refused))
    assert picture is not None
    names = rendition_names(picture.digest, picture.extension, picture.width)
    name, width = next(((name, width) for name, width in names if width >= BODY_PICTURE_WIDTH), names[-1])
    height = max(1, round(picture.height * width / picture.width))
    size = {"name": name, "width": width, "height": height}
    return render_template("newsroom/_figure.html", alt=alt, caption=caption, credit=credit, **size)
