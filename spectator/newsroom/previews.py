"""Previews of a story, saved or unsaved, and links to them for people without an account."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from flask import Response as FlaskResponse
from flask import (
    abort,
    after_this_request,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from spectator import autosaves, preview_links, publishing, queries
from spectator.editions import as_readers_see
from spectator.formats import format_number
from spectator.i18n import gettext, lazy_gettext, ngettext, story_page_language
from spectator.media import Location, avif_names, rendition_names, rendition_path
from spectator.models import Article, Author, Autosave, Country, Picture, Section, Topic
from spectator.newsroom import bp, forms
from spectator.newsroom.errors import render_error
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.security import current_user, public
from spectator.newsroom.story_loader import STORY_FRAGMENT_RULE, STORY_RULE, load_story
from spectator.newsroom.story_references import reference_number
from spectator.publishing.fields import LINE_FIELDS
from spectator.publishing.validation import clean_line
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import plain_text
from spectator.text.places.gazetteer import find_country
from spectator.text.words.excerpts import excerpt, word_count
from spectator.text.words.name_lists import split_names
from spectator.text.words.slugs import slugify
from spectator.urls import permalink

# Lighthouse's `mobileRegular3G`: one round trip of 300 ms before the first byte, then 700 kbit/s.
ROUND_TRIP_SECONDS, BYTES_PER_SECOND = 0.3, 700_000 / 8
PHONE_RENDITION_WIDTH = 720  # what a phone 360 CSS pixels wide needs
CONFIDENTIAL = lazy_gettext("Confidential – not published. Please don't forward.")
LINK_ENDED = (
    lazy_gettext("This link no longer works"),
    lazy_gettext("It has expired or been revoked. Ask the person who sent it for a new one."),
)


@bp.get(STORY_RULE + "/preview")
def preview(article_id: int) -> str:
    """Show a story as readers will see it: as saved or, with a form id, that form's text."""
    article, user = load_story(article_id, "view"), current_user()
    row = requested_autosave(article_id)
    if row is not None:
        return render_article(article_from_form(forms.form_from_autosave(row, user), article))
    # Only frames send the parameter. Once the autosave is gone, they show the saved story.
    is_in_frame = forms.FORM_ID_FIELD in request.args
    return render_article(article, banner="" if is_in_frame else "last saved version")


@bp.get("/stories/new/preview")
def preview_new() -> str:
    """Show a new story from the user's unsaved text."""
    row = requested_autosave(None)
    if row is None:
        abort(404)
    return render_article(article_from_form(forms.form_from_autosave(row, current_user()), None))


@bp.get(STORY_RULE + "/proof")
def proof(article_id: int) -> str:
    """Show a preview in a phone's and a desktop's frame, with the links that share it."""
    article, user = load_story(article_id, "view"), current_user()
    row = requested_autosave(article_id)
    story = article_from_form(forms.form_from_autosave(row, user), article) if row else article
    return render_template(
        "newsroom/proof.html",
        article=article,
        autosave=row,
        language=story.language,
        links=preview_links.list_active(article_id),
        days=preview_links.LIFETIME_DAYS,
        weight=describe_page_weight(story),
        may_share=publishing.may(user, "share", article),
        may_edit=publishing.may_edit(user, article),
    )


@bp.get("/stories/new/proof")
def proof_new() -> str:
    """Show, in both frames, the preview of a story that was never saved."""
    row = requested_autosave(None)
    if row is None:
        abort(404)
    story = article_from_form(forms.form_from_autosave(row, current_user()), None)
    return render_template(
        "newsroom/proof.html",
        article=None,
        autosave=row,
        language=story.language,
        weight=describe_page_weight(story),
    )


@bp.get(STORY_FRAGMENT_RULE + "/preview")
@bp.get("/fragments/stories/new/preview", endpoint="preview_frame_new")
def preview_frame(article_id: int | None = None) -> str:
    """Show the frame with the preview of the unsaved story. The preview checks the permission."""
    article = queries.article_to_edit(article_id) if article_id is not None else None
    return render_template(
        "newsroom/_preview_frame.html",
        article=article,
        article_id=article_id,
        form_id=forms.requested_form_id(request.args),
        seq=request.args.get("seq", "")[:10],
    )


@bp.post(STORY_RULE + "/links")
def create_link(article_id: int) -> Response | tuple[str, int]:
    """Create a link to the preview for somebody without an account."""
    load_story(article_id, "share")
    days = request.form.get("days", "")
    choices = {str(number): number for number in preview_links.LIFETIME_DAYS}
    lifetime = choices.get(days, preview_links.DEFAULT_LIFETIME_DAYS)
    try:
        preview_links.create(article_id, current_user().id, lifetime)
    except preview_links.LinkLimitReached:
        message = ngettext(
            "A story can have %(limit)s link. Revoke it first.",
            "A story can have %(limit)s links. Revoke one that you do not need.",
            preview_links.MAX_LINKS,
            limit=preview_links.MAX_LINKS,
        )
        return render_error(422, gettext("Link not created"), message)
    return redirect(url_for("newsroom.proof", article_id=article_id, done="linked"), 303)


@bp.post(STORY_RULE + "/links/<int(max=2147483647):link_id>")
def revoke_link(article_id: int, link_id: int) -> Response:
    """Revoke a link."""
    load_story(article_id, "edit")
    preview_links.revoke(article_id, link_id)
    return redirect(url_for("newsroom.proof", article_id=article_id, done="revoked"), 303)


@bp.get("/shared/<token>")
@public
def shared_preview(token: str) -> Response | str | tuple[str, int]:
    """Show an unpublished story to anyone with a valid link; redirect to a published one.

    A link is valid as long as its creator may view the story.
    """
    after_this_request(_hide_address)
    article_id = preview_links.article_id_by_token(token)
    article = queries.article_to_edit(article_id) if article_id is not None else None
    creator = preview_links.creator_by_token(token)
    may_show = article and creator and publishing.may(creator, "view", article)
    if article is None or article.status == "withdrawn" or not (may_show or article.is_public):
        return render_error(410, *LINK_ENDED)
    if article.is_public:
        return redirect(permalink(article), 303)
    return render_article(article, CONFIDENTIAL, is_shared=True)


def _hide_address(response: FlaskResponse) -> FlaskResponse:
    """Send no Referer from the page: anyone with its URL can see the story."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def requested_autosave(article_id: int | None) -> Autosave | None:
    """Return the user's autosave of a story (None: a new one) that the URL refers to."""
    return find_autosave(article_id, forms.requested_form_id(request.args))


def find_autosave(article_id: int | None, form_id: str) -> Autosave | None:
    """Return the user's autosave of a form, if the form is one of this story (None: a new one)."""
    row = autosaves.get(current_user().id, form_id)
    return row if row is not None and row.article_id == article_id else None


def render_article(article: Any, banner: str = "", is_shared: bool = False) -> str:
    """Return the page of a story with a notice above it, `banner`, which frames do not show.

    Its language is the one that readers will see, not that of the person who previews it.
    """
    language = story_page_language(article.language)
    topics = _translated_topics(article, language, is_shared)
    with as_readers_see(article.language):
        return render_template(
            "site/article.html",
            article=article,
            topic_names=topics,
            versions=queries.language_versions(article),
            is_preview=True,
            banner=banner,
            is_shared=is_shared,
        )


def _translated_topics(article: Any, language: str, is_shared: bool) -> dict[str, str]:
    """Return the topics' names in a language by their own names.

    Whoever is no editor gets only those that readers see; others may be in secret stories.
    """
    names = [topic.name for topic in article.topics]
    may_see_all = not is_shared and publishing.is_publisher(current_user())
    return queries.translated_topics(names, language, only_public=not may_see_all)


def article_from_form(form: StoryForm, article: Article | None) -> Any:
    """Return unsaved values in the shape of an article, invalid ones included."""
    values = {name: clean_line(form.values[name][:500]) for name in LINE_FIELDS}
    body = stored_body(form.values["body"])
    text, now = plain_text(body), datetime.now(UTC)
    sections = {section.slug: section for section in queries.sections()}
    section = sections.get(values["section"]) or next(
        iter(sections.values()), Section(name=gettext("Section"), slug="section")
    )
    headline = values["headline"] or gettext("Headline")
    countries = [
        country
        for name in split_names(form.values["countries"])[:30]
        if (country := find_country(name))
    ]
    return SimpleNamespace(
        **(
            values
            | {
                "section": section,
                "headline": headline,
                "slug": values["slug"] or slugify(headline),
            }
        ),
        id=article.id if article else 0,
        body=body,
        excerpt=excerpt(text),
        word_count=word_count(text),
        authors=[
            Author(name=name, slug=slugify(name))
            for name in split_names(form.values["authors"])[:30]
        ],
        topics=[
            Topic(name=name, slug=slugify(name))
            for name in split_names(form.values["topics"])[:30]
        ],
        countries=[Country(name=country.name, slug=country.slug) for country in countries],
        picture=form.picture,
        translation_of_id=publishing.known_original_id(
            reference_number(values["translation_of"]), current_user()
        ),
        notes=article.notes if article else [],
        published_at=article.published_at if article else None,
        updated_at=article.updated_at if article else None,
        saved_at=now,
        is_public=article.is_public if article else False,
        status=article.status if article else "draft",
    )


def describe_page_weight(article: Any) -> str:
    """Return the transfer size and time of a story's page on a phone: “9 KB, 0.4 s on 3G”."""
    size = len(gzip.compress(render_article(article).encode(), 6))
    if article.picture:
        size += _picture_bytes(article.picture)
    seconds = ROUND_TRIP_SECONDS + size / BYTES_PER_SECOND
    return gettext(
        "%(size)s KB, %(seconds)s s on 3G",
        size=format_number(max(1, round(size / 1000))),
        seconds=format_number(seconds, 1),
    )


def _picture_bytes(picture: Picture) -> int:
    """Return the size of a phone's rendition; estimated from the original's if in a bucket."""
    renditions = rendition_names(picture.digest, picture.extension, picture.width)
    if picture.has_avif:
        renditions = avif_names(picture.digest, picture.width, picture.height)
    wide = [rendition for rendition in renditions if rendition[1] >= PHONE_RENDITION_WIDTH]
    name, width = wide[0] if wide else renditions[-1]  # narrowest first
    location: Location = current_app.config["MEDIA"]
    if isinstance(location, str):  # a page does not wait for a bucket
        return picture.byte_size * width**2 // picture.width**2
    path = rendition_path(location, name)
    return path.stat().st_size if path is not None and path.is_file() else 0
