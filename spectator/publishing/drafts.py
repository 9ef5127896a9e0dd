"""The draft of a story: its fields, the rules for them, and the error messages for its author."""

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
    """A draft that cannot be stored: `errors` maps each wrong field to a message for its author."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Draft:
    """A story as a form or an importer provides it; an empty slug is made from the headline.

    `section` is a slug, `countries` are English names or ISO 3166 codes, `authors` are in the
    order of the byline.
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
    """A valid draft with normalised text, sanitized body, country codes and derived fields.

    Country codes are ISO 3166 alpha-2.
    """

    draft: Draft
    excerpt: str
    word_count: int
    country_codes: tuple[str, ...] = field(default=())


def clean_line(text: str) -> str:
    """Return the text as one NFC line without control characters or invisible direction marks.

    Such characters could make one name look like another.
    """
    normal = text if text.isascii() else unicodedata.normalize("NFC", text)
    if normal.isprintable():  # no invisible characters, and no white space but plain spaces
        return _SPACES.sub(" ", normal).strip() if "  " in normal else normal.strip()
    spaced = (" " if char.isspace() else char for char in normal)
    visible = "".join(
        char for char in spaced if char == "\u200c" or char == "\u200d" or not _is_invisible(char)
    )
    return _SPACES.sub(" ", visible).strip()


def _is_invisible(char: str) -> bool:
    return char != " " and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}


def prepare(draft: Draft) -> PreparedDraft:
    """Check and clean a draft. Raises ValidationError with a message for every wrong field.

    A pure but slow function: call it before `db.write()`. `articles.apply_draft` checks what only
    the database knows: that the section exists and that the slug is free.
    """
    errors = _size_errors(draft)
    if errors:
        raise ValidationError(errors)  # the rest must not work on input of unlimited size
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
        errors["body"] = "Write the story."
    codes = []
    for name in draft.countries:
        country = find_country(name)
        if country is None:
            errors["countries"] = (
                f"“{name}” is not a country in our list. Use its English name or two-letter code."
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
        name: f"The {LABELS[name]} has {len(getattr(draft, name)):,} characters. "
        f"Use at most {limit}."
        for name, limit in MAX_LENGTHS.items()
        if len(getattr(draft, name)) > limit
    }
    if len(draft.body.encode("utf-8", "replace")) > MAX_BODY_BYTES:
        errors["body"] = f"The text is over {MAX_BODY_BYTES // 1000:,} kB. Split the story in two."
    for field_name in ("authors", "countries", "topics"):
        names = getattr(draft, field_name)
        if len(names) > MAX_NAMES:
            errors[field_name] = f"Enter at most {MAX_NAMES} names."
        elif any(len(name) > MAX_NAME_LENGTH for name in names):
            errors[field_name] = (
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
        errors["source_url"] = "Enter a full web address that starts with https:// or http://."
    if draft.source_url and not draft.source_name:
        errors["source_name"] = "Name the source that you link to."
    if draft.picture_id is not None and not draft.picture_alt:
        errors["picture_alt"] = "Describe the picture for readers who cannot see it."
    return errors


def is_http_url(text: str) -> bool:
    """Return whether the text is a plain http or https URL with a host.

    It has no user name, white space or other character that browsers interpret differently.
    """
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        return False
    is_plain = not re.search(r"[\s<>\"'`\\{}|^\x00-\x1f]", text)
    return is_plain and parts.scheme in {"http", "https"} and bool(host) and parts.username is None


DRAFT_FIELDS = tuple(draft_field.name for draft_field in fields(Draft))
