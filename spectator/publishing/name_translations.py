"""Names of sections and topics in other languages, and descriptions of sections."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.db import db
from spectator.i18n import SOURCE_LANGUAGE, gettext, ngettext, translated_languages
from spectator.models import NameTranslation, Section, Topic, User
from spectator.publishing.permissions import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    is_publisher,
)
from spectator.publishing.validation import ValidationError, clean_line
from spectator.queries import name_translations
from spectator.text.words.folding import fold, tokens

MAX_NAME_LENGTH, MAX_DESCRIPTION_LENGTH, MAX_WORDS_LENGTH = 120, 300, 240
OWN = ""  # in place of a language: a section's own description
NAMED_MODELS: dict[str, type[Section] | type[Topic]] = {"section": Section, "topic": Topic}


class NameText(NamedTuple):
    """A name and a section's description in one language; "" if there is none."""

    name: str = ""
    description: str = ""


Texts = Mapping[str, NameText]  # by language, or OWN


def stored_texts(entity: Section | Topic) -> dict[str, NameText]:
    """Return the translations of a section or topic, and a section's own description as `OWN`."""
    rows = name_translations(entity.__tablename__, [entity.id])
    texts = {language: NameText(row.name, row.description) for (_, language), row in rows.items()}
    return texts | {OWN: NameText("", getattr(entity, "description", ""))}


def texts_version(texts: Texts) -> str:
    """Return a digest of texts, which tells whether somebody has changed them meanwhile."""
    values = sorted((language, *text) for language, text in texts.items() if any(text))
    return blake2b(json.dumps(values).encode(), digest_size=12).hexdigest()


def name_words(name: str) -> str:
    """Return the folded words of a name with single spaces, cut to whole words."""
    words = " ".join(token.text for token in tokens(name))
    return words if len(words) <= MAX_WORDS_LENGTH else ""


def translate_name(kind: str, row_id: int, by: User, texts: Texts, version: str) -> None:
    """Store the names of a section or topic, and a section's descriptions; "" removes one.

    `texts` holds the languages to change, `version` the `texts_version` of what the person started
    from. A section's name must differ from all others in its language; topics may share one.

    Raises ValidationError by `name-<language>` and `description-<language>`, ConflictError,
    ForbiddenError and NotFoundError.
    """
    if not is_publisher(by):
        raise ForbiddenError(gettext("Only editors can translate names. Ask an editor."))
    cleaned = {language: NameText(*map(clean_line, text)) for language, text in texts.items()}
    _check_texts(cleaned)
    with db.write() as session:
        row = session.get(NAMED_MODELS[kind], row_id) if kind in NAMED_MODELS else None
        entity = cast("Section | Topic | None", row)
        if entity is None:
            raise NotFoundError
        if not isinstance(entity, Section):
            cleaned = {code: NameText(text.name) for code, text in cleaned.items() if code != OWN}
        stored = stored_texts(entity)
        changes = {
            language: text
            for language, text in cleaned.items()
            if text != stored.get(language, NameText())
        }
        if not changes:
            return
        if texts_version(stored) != version:
            raise ConflictError
        if isinstance(entity, Section):
            _check_section_names(session, entity, changes)
        for language, text in changes.items():
            _store(session, entity, language, text)
        outbox.append(session, None, "names")


def _check_texts(texts: Texts) -> None:
    """Raise ValidationError for unknown languages and for texts that are too long."""
    languages = {OWN, SOURCE_LANGUAGE, *translated_languages()}
    errors = {
        f"name-{language}": gettext("There is no translation of the site in this language.")
        for language in texts
        if language not in languages
    }
    for language, text in texts.items():
        limits = (MAX_NAME_LENGTH, MAX_DESCRIPTION_LENGTH)
        for part, value, limit in zip(NameText._fields, text, limits, strict=True):
            if len(value) > limit:
                errors[f"{part}-{language}"] = ngettext(
                    "Use at most %(limit)s character.",
                    "Use at most %(limit)s characters.",
                    limit,
                    limit=limit,
                )
    if errors:
        raise ValidationError(errors)


def _check_section_names(session: Session, section: Section, texts: Texts) -> None:
    """Raise ValidationError if another section has one of the names in that language."""
    others = session.execute(
        select(Section.id, Section.name).where(Section.id != section.id)
    ).all()
    translations = name_translations("section")
    errors = {}
    for language, text in texts.items():
        for other_id, other_name in others:
            row = translations.get((other_id, language))
            if text.name and fold(text.name) == fold((row and row.name) or other_name):
                errors[f"name-{language}"] = gettext(
                    "Section “%(name)s” already has this name. Choose another name.",
                    name=other_name,
                )
    if errors:
        raise ValidationError(errors)


def _store(session: Session, entity: Section | Topic, language: str, text: NameText) -> None:
    if language == OWN:
        if isinstance(entity, Section):
            entity.description = text.description
        return
    key = (entity.__tablename__, entity.id, language)
    row = session.get(NameTranslation, key)
    if not any(text):
        if row is not None:
            session.delete(row)
        return
    kind, owner_id, _ = key
    session.merge(
        NameTranslation(
            kind=kind,
            owner_id=owner_id,
            language=language,
            name=text.name,
            description=text.description,
            words=name_words(text.name),
        )
    )
