"""The rules for a draft, and the error messages for its author."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from spectator.formats import format_number, tag_problem
from spectator.i18n import gettext, lazy_gettext, ngettext
from spectator.media import is_picture_path
from spectator.models import NOTE_KINDS, STORY_KINDS
from spectator.publishing.fields import (
    FIELDS,
    LINE_FIELDS,
    MAX_BODY_BYTES,
    NAME_FIELDS,
    Draft,
    StoryField,
)
from spectator.text.html.editor_notes import EDITOR_NOTE
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import plain_text
from spectator.text.places.gazetteer import find_country
from spectator.text.words.excerpts import excerpt, word_count
from spectator.text.words.languages import canonical_tag
from spectator.text.words.normalization import normalize
from spectator.text.words.slugs import is_slug

_SPACES = re.compile(" +")

# Lines and tags of a body: each takes time and memory of its own, whatever its size.
MAX_BODY_PIECES = 100_000
# Elements that make a body without words worth storing.
_CONTENT_TAGS = ("img", "iframe", EDITOR_NOTE)
MAX_NAMES = 30
MAX_NOTE_LENGTH = 2000
NOTES_WITHOUT_TEXT = {
    "update": lazy_gettext("Describe the update."),
    "clarification": lazy_gettext("Describe the clarification."),
    "correction": lazy_gettext("Describe the correction."),
}


class ValidationError(Exception):
    """A draft that cannot be stored: `errors` maps each wrong field to a message for its author."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in errors.items()))
        self.errors = errors


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
    if not text.isprintable():  # it has invisible characters, or white space but plain spaces
        spaced = (" " if char.isspace() else char for char in text)
        text = "".join(
            char
            for char in spaced
            if char == "\u200c" or char == "\u200d" or not _is_invisible(char)
        )
    line = normalize(text)
    return _SPACES.sub(" ", line).strip() if "  " in line else line.strip()


def _is_invisible(char: str) -> bool:
    return char != " " and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}


def prepare(draft: Draft | PreparedDraft) -> PreparedDraft:
    """Check and clean a draft, unless that is done already.

    Raises ValidationError with a message for every wrong field.

    A pure but slow function: call it before `db.write()`. `articles.apply_draft` checks what only
    the database knows: that the section exists and that the slug is free.
    """
    if isinstance(draft, PreparedDraft):
        return draft
    errors = size_errors(draft)
    if errors:
        raise ValidationError(errors)  # the checks below need a limited size
    lines: dict[str, Any] = {name: clean_line(getattr(draft, name)) for name in LINE_FIELDS}
    names: dict[str, Any] = {name: _clean_names(getattr(draft, name)) for name in NAME_FIELDS}
    if not tag_problem(lines["language"]):
        lines["language"] = canonical_tag(lines["language"])
    cleaned = replace(draft, **lines, **names)
    errors = size_errors(cleaned)  # NFC writes some letters with two or three characters
    draft = replace(cleaned, body=stored_body(draft.body))
    text = plain_text(draft.body)
    errors |= _field_errors(draft)
    if not text.strip() and not any(f"<{name}" in draft.body for name in _CONTENT_TAGS):
        errors["body"] = str(FIELDS["body"].required)
    codes = []
    for name in draft.countries:
        country = find_country(name)
        if country is None:
            errors["countries"] = gettext(
                "“%(name)s” is not a country in our list. Use its English name or "
                "two-letter code.",
                name=name,
            )
        elif country.code not in codes:
            codes.append(country.code)
    if errors:
        raise ValidationError(errors)
    return PreparedDraft(draft, excerpt(text), word_count(text), tuple(codes))


def _clean_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for name in names if (line := clean_line(name))))


def body_size_problem(body: str) -> str:
    """Return the message about a body that is too large, "" if it is not."""
    if len(body.encode("utf-8", "replace")) > MAX_BODY_BYTES:
        return gettext(
            "The text is over %(limit)s kB. Split the story in two.",
            limit=format_number(MAX_BODY_BYTES // 1000),
        )
    if body.count("\n") + body.count("<") > MAX_BODY_PIECES:
        return gettext(
            "The text has over %(limit)s lines and tags. Split the story in two.",
            limit=format_number(MAX_BODY_PIECES),
        )
    return ""


def size_errors(draft: Draft) -> dict[str, str]:
    """Return a message for every field that is too large: nothing else may work on such a text."""
    return {
        name: problem
        for name, story_field in FIELDS.items()
        if (problem := size_problem(story_field, getattr(draft, name)))
    }


def size_problem(story_field: StoryField, value: Any) -> str:
    """Return a message about a value that is too large, "" if it is not."""
    limit, kind = story_field.limit, story_field.kind
    if kind == "body":
        return body_size_problem(value)
    if kind not in {"names", "picture"} and len(value) > limit:
        label = str(story_field.label)
        label = label[0].lower() + label[1:]
        return ngettext(
            "The %(field)s has %(number)s character. Use at most %(limit)s.",
            "The %(field)s has %(number)s characters. Use at most %(limit)s.",
            len(value),
            field=label,
            number=format_number(len(value)),
            limit=limit,
        )
    if kind == "names" and len(value) > MAX_NAMES:
        return ngettext(
            "Enter at most %(limit)s name.",
            "Enter at most %(limit)s names.",
            MAX_NAMES,
            limit=MAX_NAMES,
        )
    if kind == "names" and any(len(name) > limit for name in value):
        return ngettext(
            "One name is longer than %(limit)s character. Separate names with commas.",
            "One name is longer than %(limit)s characters. Separate names with commas.",
            limit,
            limit=limit,
        )
    return ""


def _field_errors(draft: Draft) -> dict[str, str]:
    errors = {
        name: str(FIELDS[name].required)
        for name in LINE_FIELDS
        if FIELDS[name].required and not getattr(draft, name)
    }
    if draft.kind not in STORY_KINDS:
        errors["kind"] = str(FIELDS["kind"].required)
    if problem := tag_problem(draft.language):
        errors["language"] = problem
    if draft.slug and not is_slug(draft.slug):
        errors["slug"] = gettext("Use lowercase letters, numbers and hyphens.")
    if draft.source_url and not is_http_url(draft.source_url):
        errors["source_url"] = gettext(
            "Enter a full web address that starts with https:// or http://."
        )
    if draft.source_url and not draft.source_name:
        errors["source_name"] = gettext("Name the source that you link to.")
    if draft.share_picture and not is_picture_path(draft.share_picture):
        errors["share_picture"] = gettext("Enter the address of a picture on this site.")
    if draft.picture_id is not None and not draft.picture_alt:
        errors["picture_alt"] = gettext("Describe the picture for readers who cannot see it.")
    return errors


def is_http_url(text: str) -> bool:
    """Return whether the text is a plain http or https URL with a host.

    It has no user name, white space or other character that browsers interpret differently.
    """
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port  # raises ValueError if it is not a number
    except ValueError:
        return False
    is_plain = not re.search(r"[\s<>\"'`\\{}|^\x00-\x1f]", text)
    return (
        is_plain and parts.scheme in {"http", "https"} and bool(host) and parts.username is None
    )


def note_too_long() -> str:
    """Return the message about a note or a reason that is too long."""
    limit = format_number(MAX_NOTE_LENGTH)
    return ngettext(
        "Use at most %(limit)s character.",
        "Use at most %(limit)s characters.",
        MAX_NOTE_LENGTH,
        limit=limit,
    )


def check_note(kind: str, text: str) -> str:
    """Return the text of a note as one line.

    Raises ValidationError for an unknown kind and for an empty or too long text.
    """
    if kind not in NOTE_KINDS:
        raise ValidationError(
            {"note_kind": gettext("Choose Update, Clarification or Correction.")}
        )
    if len(text) > MAX_NOTE_LENGTH:
        raise ValidationError({"note": note_too_long()})
    line = clean_line(text)
    if not line:
        raise ValidationError({"note": str(NOTES_WITHOUT_TEXT[kind])})
    return line
