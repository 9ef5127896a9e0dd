"""A story as readers will see it: saved or as it is being typed, in frames, and by a link without an account."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import drafting, publishing, queries
from spectator.accounts import token_hash
from spectator.addresses import permalink
from spectator.media import rendition_names, rendition_path
from spectator.models import Article, Author, Country, Picture, PreviewLink, Section, Topic
from spectator.newsroom import forms
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.guard import current_user
from spectator.publishing.drafts import one_line
from spectator.text.excerpts import excerpt, word_count
from spectator.text.gazetteer import country_named
from spectator.text.html import plain_text
from spectator.text.paragraphs import stored_body
from spectator.text.slugs import slugify

ONE = "/stories/<int(max=2147483647):article_id>"
# Lighthouse's `mobileRegular3G`: one round trip of 300 ms before the first byte, then 700 kbit/s.
ROUND_TRIP_SECONDS, BYTES_A_SECOND = 0.3, 700_000 / 8
PHONE_WIDTH = 640  # the rendition that a phone of 360 CSS pixels takes


def register(newsroom: Blueprint) -> None:
    """Add the previews, the page with both frames, and links for people without an account."""
    newsroom.add_url_rule(ONE + "/preview", "preview", preview)
    newsroom.add_url_rule("/stories/new/preview", "preview_new", preview_new)
    newsroom.add_url_rule(ONE + "/proof", "proof", proof)
    newsroom.add_url_rule("/stories/new/proof", "proof_new", proof_new)
    newsroom.add_url_rule(ONE + "/links", "make_link", make_link, methods=["POST"])
    newsroom.add_url_rule(ONE + "/links/<int(max=2147483647):link_id>", "end_link", end_link, methods=["POST"])
    newsroom.add_url_rule("/shared/<token>", "shared", shared)


def preview(article_id: int) -> str:
    """Show a story exactly as readers will see it: as saved or, with `copy`, as this person is typing it."""
    article, user = viewable(article_id), current_user()
    row = drafting.kept_copy(user.id, request.args.get("copy", "")[:40])
    if row is not None and row.article_id == article_id:
        return page_of(typed(forms.of_autosave(row, user), article))
    return page_of(article, banner="" if "copy" in request.args else "as it was last saved")


def preview_new() -> str:
    """Show a new story as this person is typing it."""
    row = drafting.kept_copy(current_user().id, request.args.get("copy", "")[:40])
    if row is None or row.article_id is not None:
        abort(404)
    return page_of(typed(forms.of_autosave(row, current_user()), None))


def proof(article_id: int) -> str:
    """Show a story in a phone's frame and in a desktop's: as saved, or as this person typed it; with its links."""
    article, user = viewable(article_id), current_user()
    row = drafting.kept_copy(user.id, request.args.get("copy", "")[:40])
    row = row if row is not None and row.article_id == article_id else None
    return render_template(
        "newsroom/proof.html",
        article=article,
        row=row,
        links=_listed_links(article_id),
        days=drafting.LINK_DAYS,
        weight=weight_words(typed(forms.of_autosave(row, user), article) if row else article),
        may_share=publishing.may(user, "share", article),
        may_edit=publishing.may_edit(user, article),
    )


def proof_new() -> str:
    """Show a story that was never saved in a phone's frame and in a desktop's, as this person typed it."""
    row = drafting.kept_copy(current_user().id, request.args.get("copy", "")[:40])
    if row is None or row.article_id is not None:
        abort(404)
    weight = weight_words(typed(forms.of_autosave(row, current_user()), None))
    return render_template("newsroom/proof.html", article=None, row=row, weight=weight)


def make_link(article_id: int) -> Response | tuple[str, int]:
    """Make a link to the preview for somebody without an account."""
    article = viewable(article_id)
    if not publishing.may(current_user(), "share", article):
        raise publishing.Forbidden("Links are for stories that are not public yet, made by who may change them.")
    days = request.form.get("days", "")
    lasting = int(days) if days in {str(each) for each in drafting.LINK_DAYS} else drafting.LINK_DAYS[1]
    nonce = secrets.token_urlsafe(16)
    try:
        drafting.make_link(article_id, current_user().id, lasting, nonce, token_hash(link_token(nonce)))
    except drafting.TooMany:
        title, message = "No link was made", f"A story can have {drafting.MAX_LINKS} links. Revoke one you do not need."
        return render_template("newsroom/refused.html", title=title, message=message), 422
    return redirect(url_for("newsroom.proof", article_id=article_id, done="linked"), 303)


def end_link(article_id: int, link_id: int) -> Response:
    """Revoke a link."""
    article = viewable(article_id)
    if not publishing.may_edit(current_user(), article):
        raise publishing.Forbidden("Only who may change the story can end its links.")
    drafting.revoke_link(article_id, link_id)
    return redirect(url_for("newsroom.proof", article_id=article_id, done="revoked"), 303)


def shared(token: str) -> Response | str | tuple[str, int]:
    """Show a story that is not public yet to whoever has a link that still works; a published one is on the site."""
    article_id = drafting.linked_article_id(token_hash(token))
    article = queries.article_to_edit(article_id) if article_id is not None else None
    maker = drafting.link_maker(token_hash(token))
    may_show = article is not None and maker is not None and publishing.may(maker, "view", article)
    if article is None or article.status == "withdrawn" or not (may_show or article.is_public):
        message = "It has expired or was ended. Ask who sent it to you for a new one."
        return render_template("newsroom/refused.html", title="This link does not work any more", message=message), 410
    if article.is_public:
        return redirect(permalink(article), 303)
    return page_of(article, banner="for you alone: please do not pass it on", is_shared=True)


def viewable(article_id: int) -> Article:
    """Return a story that this person may look at; raises NotFound, Forbidden."""
    article = queries.article_to_edit(article_id)
    if article is None:
        raise publishing.NotFound
    if not publishing.may(current_user(), "view", article):
        raise publishing.Forbidden("This is a colleague's story; ask an editor.")
    return article


def page_of(article: Any, banner: str = "", is_shared: bool = False) -> str:
    """Return the page of a story; `banner` says what kind of preview it is, "" where a frame says so already."""
    return render_template("site/article.html", article=article, is_preview=True, banner=banner, is_shared=is_shared)


def typed(form: StoryForm, article: Article | None) -> Any:
    """Return what is being typed in the shape of a story, with whatever may still be wrong in it."""
    values = {name: one_line(form.values[name])[:500] for name in forms.LINES}
    body = stored_body(form.values["body"])
    text, now = plain_text(body), datetime.now(UTC)
    sections = {section.slug: section for section in queries.sections()}
    section = sections.get(values["section"]) or next(iter(sections.values()), Section(name="Section", slug="section"))
    headline = values["headline"] or "Headline"
    countries = [found for name in forms.names_in(form.values["countries"])[:30] if (found := country_named(name))]
    return SimpleNamespace(
        **(values | {"section": section, "headline": headline, "slug": values["slug"] or slugify(headline)}),
        id=article.id if article else 0,
        body=body,
        excerpt=excerpt(text),
        word_count=word_count(text),
        authors=[Author(name=each, slug=slugify(each)) for each in forms.names_in(form.values["authors"])[:30]],
        topics=[Topic(name=each, slug=slugify(each)) for each in forms.names_in(form.values["topics"])[:30]],
        countries=[Country(name=country.name, slug=country.slug) for country in countries],
        picture=form.picture,
        corrections=article.corrections if article else [],
        published_at=article.published_at if article else None,
        updated_at=article.updated_at if article else None,
        saved_at=now,
        is_public=article.is_public if article else False,
        status=article.status if article else "draft",
    )


def weight_words(article: Any) -> str:
    """Return what a story weighs for a reader who opens it on a phone: 9 KB, 0.4 s on 3G."""
    size = len(gzip.compress(page_of(article).encode(), 6))
    if article.picture:
        size += _picture_bytes(article.picture)
    seconds = ROUND_TRIP_SECONDS + size / BYTES_A_SECOND
    return f"{max(1, round(size / 1000))} KB, {seconds:.1f} s on 3G"


def _picture_bytes(picture: Picture) -> int:
    names = rendition_names(picture.digest, picture.extension, picture.width)
    name = next((name for name, width in names if width >= PHONE_WIDTH), names[-1][0])
    path = rendition_path(current_app.config["MEDIA"], name)
    return path.stat().st_size if path is not None and path.is_file() else 0


def link_token(nonce: str) -> str:
    """Return the token of a link, which its address ends in: 256 bits that only the secret key can make."""
    key = current_app.config["SECRET_KEY"].encode()
    digest = hmac.digest(key, f"preview link {nonce}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _listed_links(article_id: int) -> list[tuple[PreviewLink, str]]:
    """Return a story's links, each with its token; "" where another secret key made it, which cannot be shown."""
    rows = [(link, link_token(link.nonce)) for link in drafting.links(article_id)]
    return [(link, token if token_hash(token) == link.token_hash else "") for link, token in rows]
