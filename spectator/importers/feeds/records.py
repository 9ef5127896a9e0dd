"""Stories from the entries of feeds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from html import escape
from urllib.parse import unquote, urlsplit

from spectator.i18n import gettext
from spectator.importers.bodies import convert_body
from spectator.importers.body_urls import BodyUrls, has_content, note_paragraphs
from spectator.importers.feeds.elements import Feed, FeedEntry
from spectator.importers.records import Record
from spectator.importers.story_values import (
    StoryValues,
    host_of,
    language_or,
    parse_moment,
    site_of,
    split_section,
)
from spectator.publishing import Draft
from spectator.publishing.fields import FIELDS
from spectator.publishing.validation import is_http_url
from spectator.text.html.paragraphs import body_html
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.slugs import is_slug

MAX_ID_LENGTH, MAX_SITE_LENGTH = 150, 39  # of the guid and the site in the id of a story
# What systems write after the beginning of a text.
_CUT = re.compile(r"\s*(?:\[?(?:…|\.\.\.)\]?|\[…\]|\[&hellip;\])\s*\Z")


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """How entries become stories: `sections` are the slugs of the site's sections.

    `site` is where the feed was read from, in the form of `site_of`; "" if nobody knows that.
    """

    language: str
    section: str
    zone: tzinfo = UTC
    sections: frozenset[str] = frozenset()
    is_published: bool = False
    site_url: str = ""
    site: str = ""


def build_record(entry: FeedEntry, feed: Feed, location: str, options: FeedOptions) -> Record:
    """Return the story of an entry; its id is unique among the feeds of the site."""
    base = BodyUrls(feed.base).resolve(entry.base) or feed.base
    entry.url = BodyUrls(base).resolve(entry.url)
    is_own = bool(options.site) and options.site == site_of(options.site_url)
    values = StoryValues()
    body = _body(entry, base if entry.base else entry.url or base, values)
    section, topics = split_section(entry.topics, options.sections, options.section)
    status, published_at = _publication(entry, options, values)
    source_name, source_url = ("", "") if is_own else _source(entry, feed, options, values)
    draft = Draft(
        headline=values.headline(entry.title, body, entry.url),
        dek=_dek(entry, body, values),
        body=body,
        language=language_or(entry.language or feed.language, options.language),
        slug=_slug(entry.url) if is_own else "",
        authors=values.names("authors", entry.authors or feed.authors),
        topics=values.names("topics", topics),
        source_name=source_name,
        source_url=source_url,
    )
    return Record(
        location=location,
        draft=draft,
        section=section,
        size=entry.size,
        external_id=_external_id(entry, feed, options),
        status=status,
        published_at=published_at,
        updated_at=parse_moment(entry.updated, options.zone) if published_at else None,
        is_publication_known=published_at is not None,
        feed_id=entry.guid,
        may_number_slug=True,
        changes=tuple(values.changes),
        addresses=(entry.url,) if is_own and entry.url else (),
    )


def _body(entry: FeedEntry, base: str, values: StoryValues) -> str:
    """Return the body, which begins with a note about each picture that is not in the text."""
    urls = BodyUrls(base, changes=values.changes)
    html = convert_body(urls.convert(entry.html), values.changes)
    files = [urls.resolve(url) for url in (*entry.pictures, *entry.files)]
    others = [url for url in files if escape(url) not in html]
    notes = "".join(f"<p>{urls.note_file(url)}</p>\n" for url in others)
    if not has_content(html):
        text = gettext("The source has no text of this story.")
        values.changes.append(text)
        html = note_paragraphs([text])
    return f"{notes}{body_html(html)}" if notes else html


def _publication(
    entry: FeedEntry, options: FeedOptions, values: StoryValues
) -> tuple[str, datetime | None]:
    """Return the status and the date of a new story.

    Drafts get theirs when they are published here.
    """
    if not options.is_published:
        return "draft", None
    published_at = parse_moment(entry.published or entry.updated, options.zone)
    if published_at is None:
        values.changes.append(gettext("It has no date, so it is a draft."))
        return "draft", None
    return "scheduled" if published_at > datetime.now(UTC) else "published", published_at


def _source(
    entry: FeedEntry, feed: Feed, options: FeedOptions, values: StoryValues
) -> tuple[str, str]:
    """Return the name of the feed, or of that it was copied from, and the link of the entry."""
    name = entry.source or feed.title or options.site or host_of(feed.url)
    name = values.line("source_name", name)
    url = entry.url if len(entry.url) <= FIELDS["source_url"].limit else ""
    return name, url if name and is_http_url(url) else ""


def _dek(entry: FeedEntry, body: str, values: StoryValues) -> str:
    """Return the summary, unless it is the beginning of the text, as most systems write it."""
    lines = plain_text(entry.summary).split("\n")
    summary = _CUT.sub("", lines[0])
    if not summary or " ".join(summary.split()) in " ".join(plain_text(body).split()):
        return ""
    return values.line("dek", summary)


def _slug(url: str) -> str:
    """Return the last part of an address if it is a slug."""
    try:
        slug = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2].lower()
    except ValueError:
        return ""
    return slug if is_slug(slug) else ""


def _external_id(entry: FeedEntry, feed: Feed, options: FeedOptions) -> str:
    """Return the id of the story: the guid, which is unique only within a site's feeds.

    What a feed says about its site may be wrong, so that stories of it have ids of their own.
    """
    kind, site = ("feed", options.site) if options.site else ("feed-file", host_of(feed.url))
    if len(site) > MAX_SITE_LENGTH or not site.isprintable():
        site = sha256(site.encode("utf-8", "replace")).hexdigest()[:32]
    guid = entry.guid or f"{entry.title}\n{entry.published}\n{entry.html}"
    is_long = len(guid) > MAX_ID_LENGTH or not guid.isprintable()
    digest = sha256(guid.encode("utf-8", "replace")).hexdigest()[:32]
    # A port or IPv6 address must not look like the beginning of a guid.
    return f"{kind}:{site.replace(':', '/')}:{digest if is_long or not entry.guid else guid}"
