"""What a story must be before it may be stored: the draft, its rules, and the messages for whoever wrote it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlsplit

from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import plain_text
from spectator.text.places.gazetteer import find_country
from spectator.text.words.excerpts import excerpt, word_count
from spectator.text.words.languages import canonical_tag, tag_problem
from spectator.text.words.slugs import is_slug

_SPACES = re.compile(" +")

MAX_BODY_BYTES = 1_000_000
MAX_LENGTHS = {
    "headline": 300,
    "dek": 500,
    "slug": 100,
    "source_name": 200,
    "source_url": 2000,
    "picture_alt": 500,
    "picture_caption": 1000,
    "picture_credit": 200,
    "language": 35,
    "section": 120,
}
LABELS = {
    "headline": "headline",
    "dek": "standfirst",
    "slug": "web address",
    "source_name": "source",
    "source_url": "source link",
    "picture_alt": "alt text",
    "picture_caption": "caption",
    "picture_credit": "credit",
    "language": "language",
    "section": "section",
}
MAX_NAMES = 30
MAX_NAME_LENGTH = 120


class ValidationError(Exception):
    """A draft that cannot be stored: `errors` maps each wrong field to a sentence for its author."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Draft:
    """A story as a form or an importer gives it; an empty slug is made from the headline.

    `section` is a slug, countries are English names or ISO 3166 codes, `authors` are in the order of the byline.
    """

    headline: str = ""
    dek: str = ""
    body: str = ""
    section: str = ""
    language: str = "en"
    slug: str = ""
    authors: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    source_name: str = ""
    source_url: str = ""
    picture_id: int | None = None
    picture_alt: str = ""
    picture_caption: str = ""
    picture_credit: str = ""


@dataclass(frozen=True, slots=True)
class PreparedDraft:
    """A draft that has passed: text normalised, body clean, countries as alpha-2 codes, derived fields computed."""

    draft: Draft
    excerpt: str
    word_count: int
    country_codes: tuple[str, ...] = field(default=())


def clean_line(text: str) -> str:
    """Return text as one NFC line without control or invisible direction characters (they could spoof a name)."""
    normal = text if text.isascii() else unicodedata.normalize("NFC", text)
    if (
        normal.isprintable()
    ):  # Python's word for: none of the categories below, and no space but the usual one
        return _SPACES.sub(" ", normal).strip() if "  " in normal else normal.strip()
    kept = (" " if char.isspace() else char for char in normal)
    visible = "".join(
        char for char in kept if char == "\u200c" or char == "\u200d" or not _is_invisible(char)
    )
    return _SPACES.sub(" ", visible).strip()


def _is_invisible(char: str) -> bool:
    return char != " " and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}


def prepare(draft: Draft) -> PreparedDraft:
    """Check and clean a draft; raises Invalid with a message for every wrong field.

    Pure and slow: call it before `db.write()`. That the section exists and the slug is free, the database says.
    """
    errors = _size_errors(draft)
    if errors:
        raise ValidationError(errors)  # nothing below may be asked to work on unbounded input
    lines: dict[str, Any] = {name: clean_line(getattr(draft, name)) for name in MAX_LENGTHS}
    names: dict[str, Any] = {
        name: _clean_names(getattr(draft, name)) for name in ("authors", "topics", "countries")
    }
    if not tag_problem(lines["language"]):
        lines["language"] = canonical_tag(lines["language"])
    draft = replace(draft, body=stored_body(draft.body), **lines, **names)
    text = plain_text(draft.body)
    errors = _field_errors(draft)
    if not text.strip() and "<img" not in draft.body and "<iframe" not in draft.body:
        errors["body"] = "Write the story's text."
    codes = []
    for name in draft.countries:
        country = find_country(name)
        if country is None:
            errors["countries"] = (
                f"“{name}” is not a country that we know; use its English name or ISO code."
            )
        elif country.code not in codes:
            codes.append(country.code)
    if errors:
        raise ValidationError(errors)
    return PreparedDraft(draft, excerpt(text), word_count(text), tuple(codes))


def _clean_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for name in names if (line := clean_line(name))))


def _size_errors(draft: Draft) -> dict[str, str]:
    errors = {
        name: f"The {LABELS[name]} is too long: {len(getattr(draft, name)):,} characters; {limit} is the most."
        for name, limit in MAX_LENGTHS.items()
        if len(getattr(draft, name)) > limit
    }
    if len(draft.body.encode("utf-8", "replace")) > MAX_BODY_BYTES:
        errors["body"] = (
            f"The text is too long: {MAX_BODY_BYTES // 1000:,} kB is the most. Split the story in two."
        )
    for name in ("authors", "countries", "topics"):
        given = getattr(draft, name)
        if len(given) > MAX_NAMES:
            errors[name] = f"At most {MAX_NAMES} are possible."
        elif any(len(each) > MAX_NAME_LENGTH for each in given):
            errors[name] = (
                f"One name is longer than {MAX_NAME_LENGTH} characters. Separate names with commas."
            )
    return errors


def _field_errors(draft: Draft) -> dict[str, str]:
    errors = {}
    if not draft.headline:
        errors["headline"] = "Write a headline."
    if not draft.section:
        errors["section"] = "Choose a section."
    if problem := tag_problem(draft.language):
        errors["language"] = problem
    if draft.slug and not is_slug(draft.slug):
        errors["slug"] = "Use lowercase letters, numbers and hyphens."
    if draft.source_url and not is_http_url(draft.source_url):
        errors["source_url"] = "This is not a web address; it begins with https:// or http://."
    if draft.source_url and not draft.source_name:
        errors["source_name"] = "Name the source that the link leads to."
    if draft.picture_id is not None and not draft.picture_alt:
        errors["picture_alt"] = "Say what the picture shows, for readers who cannot see it."
    return errors


def is_http_url(text: str) -> bool:
    """Say whether text is an http or https address with a host, and nothing a browser would read otherwise."""
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    is_plain = not re.search(r"[\s<>\"'`\\{}|^\x00-\x1f]", text)
    return is_plain and parts.scheme in {"http", "https"} and bool(host) and parts.username is None


DRAFT_FIELDS = tuple(each.name for each in fields(Draft))
