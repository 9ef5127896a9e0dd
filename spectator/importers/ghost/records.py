"""Stories from the posts of Ghost."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spectator.i18n import gettext
from spectator.importers.body_urls import BodyUrls, note_paragraphs
from spectator.importers.ghost.addresses import addresses_of
from spectator.importers.ghost.bodies import SITE_PLACEHOLDER, convert_body
from spectator.importers.ghost.cards import Payload, text_of
from spectator.importers.ghost.joins import Joins
from spectator.importers.ghost.pictures import FileLibrary, PostFiles
from spectator.importers.records import Record
from spectator.importers.story_values import (
    StoryValues,
    host_of,
    language_or,
    parse_moment,
    split_section,
)
from spectator.media import StoredPicture
from spectator.publishing import Draft
from spectator.publishing.validation import is_http_url
from spectator.text.html.paragraphs import body_html
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.slugs import is_slug, slugify

# Columns that are read, or that say nothing about a story.
_READ = frozenset(
    "id uuid title slug mobiledoc lexical html markdown plaintext feature_image image featured"
    " page type status locale language visibility meta_title meta_description created_at"
    " created_by updated_at updated_by published_at published_by custom_excerpt author_id author"
    " authors tags canonical_url codeinjection_head codeinjection_foot comment_id"
    " feature_image_alt feature_image_caption email_only newsletter_id email_recipient_filter"
    " show_title_and_feature_image custom_template amp primary_author primary_tag url excerpt"
    " reading_time email_subject send_email_when_published access comments tiers".split()
)
_STATUSES = frozenset({"draft", "scheduled", "published", "sent"})
_OBJECT_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class GhostOptions:
    """How posts become stories.

    `site_url` is the old site's address, "" if it is not known. `sections` are the slugs of the
    site's sections, `library` has the files of the old site.
    """

    language: str
    section: str
    sections: Collection[str] = frozenset()
    site_url: str = ""
    library: FileLibrary | None = None


def is_page(post: Payload) -> bool:
    """Return whether a row of the table of posts is a page, in any version of Ghost."""
    return text_of(post, "type") == "page" or post.get("page") in (1, True, "1")


def location_of(post: Payload, number: int) -> str:
    """Return how reports name a post."""
    slug, name = text_of(post, "slug")[:100], gettext("post %(number)s", number=number)
    return f"{name} ({slug})" if slug else name


def build_record(
    post: Payload, size: int, number: int, joins: Joins, options: GhostOptions
) -> Record:
    """Return the story of a post."""
    values = StoryValues()
    meta = joins.meta_of(post)
    files = post_files(options)
    lead, (alt, caption), note = _lead_picture(post, meta, options, values)
    body = note + story_body(post, options, values, files)
    slug = text_of(post, "slug")
    section, topics = _section_and_topics(post, joins, options, values)
    status, published_at = publication(post, meta, values)
    source_name, source_url = _source(post, options, values)
    report_code(post, values)
    draft = Draft(
        headline=values.headline(text_of(post, "title"), body, slug),
        dek=values.line("dek", text_of(post, "custom_excerpt")),
        body=body,
        language=language_of(post, joins, options),
        slug=slug if is_slug(slug) else slugify(slug, 100) if slug else "",
        authors=_authors(post, joins, values),
        topics=values.names("topics", topics),
        source_name=source_name,
        source_url=source_url,
        search_title=values.line("search_title", text_of(meta, "meta_title")),
        search_description=values.line("search_description", text_of(meta, "meta_description")),
        picture_alt=alt,
        picture_caption=caption,
    )
    return Record(
        location=location_of(post, number),
        draft=draft,
        section=section,
        size=2 * size,
        external_id=external_id_of(post),
        status=status,
        published_at=published_at,
        updated_at=moment_of(post, "updated_at"),
        stored_picture=lead,
        pictures=tuple(files.used.values()),
        may_number_slug=True,
        unknown_keys=tuple(sorted(key[:40] for key in post.keys() - _READ if post[key])[:100]),
        feed_id=_feed_id(post),
        changes=tuple(dict.fromkeys(values.changes)),
        addresses=addresses_of(slug, options.site_url),
    )


def post_files(options: GhostOptions) -> PostFiles:
    """Return the files of one post, none of which exists without a copy of the old site's."""
    return PostFiles(options.library or FileLibrary(Path(), None))


def story_body(
    post: Payload, options: GhostOptions, values: StoryValues, files: PostFiles
) -> str:
    """Return the body of a post or page with the stored files, or a note that it has none."""
    html = convert_body(post, options.site_url, values.changes)
    if not html:
        text = gettext("The source has no text of this story.")
        values.changes.append(text)
        return note_paragraphs([text])
    urls = BodyUrls(options.site_url, files.find, values.changes)
    return body_html(urls.convert(html))


def _lead_picture(
    post: Payload, meta: Payload, options: GhostOptions, values: StoryValues
) -> tuple[StoredPicture | None, tuple[str, str], str]:
    """Return the lead picture, its alt text and caption, and a note if it is missing."""
    url = text_of(post, "feature_image", "image").replace(SITE_PLACEHOLDER, options.site_url)
    if not url:
        return None, ("", ""), ""
    alt = values.line("picture_alt", text_of(meta, "feature_image_alt"))
    caption = values.line("picture_caption", text_of(meta, "feature_image_caption"))
    url = BodyUrls(options.site_url).resolve(url)
    if options.library and (picture := options.library.get(url)) and picture.width:
        return picture, (alt, caption), ""
    name = " · ".join(filter(None, (url[:200], alt, caption)))
    note = BodyUrls(changes=values.changes).note_file(name)
    return None, ("", ""), f"<p>{note}</p>\n"


def _section_and_topics(
    post: Payload, joins: Joins, options: GhostOptions, values: StoryValues
) -> tuple[str, list[str]]:
    tags = joins.tags_in_order(post)
    if internal := ", ".join(tag.name for tag in tags if tag.is_internal):
        values.changes.append(gettext("Internal tags left out: %(names)s", names=internal[:500]))
    names = [tag.name for tag in tags if not tag.is_internal]
    return split_section(names, options.sections, options.section)


def _authors(post: Payload, joins: Joins, values: StoryValues) -> tuple[str, ...]:
    names = joins.authors(post)
    if "" in names:
        values.changes.append(gettext("An author is not in the file."))
    return values.names("authors", names)


def publication(post: Payload, meta: Payload, values: StoryValues) -> tuple[str, datetime | None]:
    """Return the status and the date. What was not on the public web is a draft."""
    status = text_of(post, "status") or "draft"
    published_at = moment_of(post, "published_at") or (
        moment_of(post, "created_at") if status == "published" else None
    )
    visibility = text_of(post, "visibility") or "public"
    if status == "draft":
        return "draft", None
    if visibility != "public":
        text = gettext("It was not public (%(value)s), so it is a draft.", value=visibility[:60])
    elif status not in _STATUSES or status == "sent" or meta.get("email_only"):
        text = gettext("It was not public (%(value)s), so it is a draft.", value=status[:60])
    elif published_at is None:
        text = gettext("It has no date, so it is a draft.")
    else:
        is_due = published_at <= datetime.now(UTC)
        return "published" if is_due else "scheduled", published_at
    values.changes.append(text)
    return "draft", published_at


def moment_of(post: Payload, name: str) -> datetime | None:
    """Return a time: ISO 8601, or milliseconds in the first versions."""
    value: Any = post.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            value = datetime.fromtimestamp(value / 1000, UTC).isoformat()
        except (ValueError, OverflowError, OSError):
            return None
    return parse_moment(value) if isinstance(value, str) else None


def _source(post: Payload, options: GhostOptions, values: StoryValues) -> tuple[str, str]:
    """Return the source of a story whose canonical address is on another site."""
    url = text_of(post, "canonical_url").replace(SITE_PLACEHOLDER, options.site_url)
    host = host_of(url)
    if not host or host == host_of(options.site_url):
        return "", ""
    return values.line("source_name", host), url if is_http_url(url) and len(url) < 2_000 else ""


def report_code(post: Payload, values: StoryValues) -> None:
    """Report code that Ghost put into the head or the foot of a page."""
    names = [name for name in ("codeinjection_head", "codeinjection_foot") if text_of(post, name)]
    if names:
        values.changes.append(gettext("Code left out: %(names)s", names=", ".join(names)))


def language_of(post: Payload, joins: Joins, options: GhostOptions) -> str:
    """Return the language of a post or page, or that of its site."""
    tag = text_of(post, "locale", "language") or text_of(joins.settings, *joins.settings)
    return language_or(tag, options.language)


def external_id_of(post: Payload) -> str:
    """Return the id of a story: the uuid, which is the same in every export of a post.

    Other ids of old versions are numbers that another site's posts have too, so there the slug is.
    """
    own_id = text_of(post, "id")
    name = text_of(post, "uuid") or (own_id if _OBJECT_ID.fullmatch(own_id) else "")
    name = name or text_of(post, "slug") or own_id
    return f"ghost:{plain_text(name)[:150]}" if name else ""


def _feed_id(post: Payload) -> str:
    own_id = text_of(post, "id")
    return own_id if _OBJECT_ID.fullmatch(own_id) else ""
