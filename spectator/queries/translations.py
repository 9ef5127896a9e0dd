"""The versions of a story in several languages: an original and its translations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Tuple,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from spectator.db import db
from spectator.editions import Edition
from spectator.models import Article, Revision, Section
from spectator.models.article import EVER_PUBLIC
from spectator.text.words.language_tags import base_language
from spectator.urls import permalink_at


@dataclass(frozen=True, slots=True)
class LanguageVersion:
    """A published version of a story in a language, and its path."""

    language: str
    path: str
    is_original: bool


_GROUP_ID = bindparam("group_id", type_=Article.id.type)
# Two selects, because each reads one index.
_COLUMNS = (Article.id, Article.language, Article.slug, Article.published_at)
_PUBLISHED = (
    select(*_COLUMNS, Section.slug.label("section"))
    .join(Section, Section.id == Article.section_id)
    .where(Article.status.concat("") == "published")  # keeps SQLite from another index
)
_SELECT_GROUP = _PUBLISHED.where(Article.id == _GROUP_ID).union_all(
    _PUBLISHED.where(Article.translation_of_id == _GROUP_ID)
)


def language_versions(article: Any) -> list[LanguageVersion]:
    """Return the published versions of a story, the original first, if there are several.

    There is one of each language; if more were published, the newest is the one that readers get.
    """
    group_id = article.translation_of_id or article.id
    rows = db.session.execute(_SELECT_GROUP, {"group_id": group_id}).all()
    if len(rows) < 2 and all(row.id == article.id for row in rows):
        return []
    newest = {}
    for row in sorted(rows, key=lambda row: (row.id == group_id, row.published_at, row.id)):
        newest[row.language] = row
    versions = [
        LanguageVersion(
            language, permalink_at(row.section, row.slug, row.published_at), row.id == group_id
        )
        for language, row in newest.items()
    ]
    return sorted(versions, key=lambda version: (not version.is_original, version.language))


def preferred_language(edition: Edition) -> str:
    """Return the language, without a region, whose version of a story the lists prefer."""
    return edition.only or base_language(current_app.config["LANGUAGE"])


# Literals, because each bound value of a statement costs time whenever the statement is run.
_ZERO, _ONE = (literal_column(number, Integer) for number in "01")
_EMPTY, _PUBLIC, _REGION = (
    literal_column(f"'{text}'", String) for text in ("", "published", "-%")
)


def is_preferred_version(
    article_id: ColumnElement[int] | InstrumentedAttribute[int],
    is_listed: Callable[[type[Article]], ColumnElement[bool]] | None = None,
) -> ColumnElement[bool]:
    """Return the condition that a list shows this published version of a story.

    That is the version in the language `list_language` (a parameter of the statement), else the
    original, else the newest. Only versions in the list count: `is_listed` is a function of an
    alias of Article, by default every published version is in it.
    """
    own, other = aliased(Article), aliased(Article)
    is_same_story = or_(
        other.translation_of_id == own.id,
        other.id == own.translation_of_id,
        other.translation_of_id == own.translation_of_id,
    )
    better = select(_ONE).where(
        own.id == article_id,
        is_same_story,
        other.status.concat(_EMPTY) == _PUBLIC,  # keeps SQLite from another index
        _rank(other) > _rank(own),
    )
    if is_listed is not None:
        better = better.where(is_listed(other))
    return ~better.exists()


def _rank(version: type[Article]) -> Tuple:
    """Return by what the versions of a story are ordered, the preferred one last."""
    language = bindparam("list_language", type_=String)
    is_in_language = or_(version.language == language, version.language.like(language + _REGION))
    return tuple_(
        case((is_in_language, _ONE), else_=_ZERO),
        case((version.translation_of_id.is_(None), _ONE), else_=_ZERO),
        version.published_at,
        version.id,
    )


@dataclass(frozen=True, slots=True)
class OriginalChange:
    """A change of a public original since somebody last compared a translation with it.

    `action` and `at` are of the last correction, or of the last action if there is no correction or
    if the original was withdrawn later. `number` and `version` are those of the last revision,
    `checked_number` is the number of the revision with which the translation was compared.
    """

    original_id: int
    action: str
    at: datetime
    number: int
    version: int
    checked_number: int | None


# Actions on public stories, and those that are on public stories only after the publication.
_PUBLIC_ACTIONS = ("update", "correct", "withdraw", "reinstate", "edit_note", "remove_note")
_COMMON_ACTIONS = ("restore", "import")


def original_changes(articles: Iterable[Article]) -> dict[int, OriginalChange]:
    """Return what happened to the originals of these stories since they were last compared.

    Only an index is read, because the rows of revisions are as long as their texts.
    """
    translations = {
        article.id: (article.translation_of_id, article.original_version)
        for article in articles
        if article.translation_of_id is not None and article.original_version is not None
    }
    if not translations:
        return {}
    newest_changes = _newest_public_changes({original for original, _ in translations.values()})
    checked_numbers = _checked_numbers(list(translations))
    changes = {}
    for article_id, (original_id, checked_version) in translations.items():
        later = {
            change.action: change
            for change in newest_changes.get(original_id, ())
            if change.version > checked_version
        }
        if not later:
            continue
        newest = max(later.values(), key=lambda change: change.number)
        withdrawn_number = later["withdraw"].number if "withdraw" in later else 0
        correction = later.get("correct", newest)
        decisive = correction if correction.number > withdrawn_number else newest
        changes[article_id] = replace(
            newest,
            action=decisive.action,
            at=decisive.at,
            checked_number=checked_numbers[article_id],
        )
    return changes


def _newest_public_changes(original_ids: Collection[int]) -> dict[int, list[OriginalChange]]:
    """Return the newest revision of each action on the public ones of these stories."""
    actions = ("publish", *_PUBLIC_ACTIONS, *_COMMON_ACTIONS)
    # Versions, numbers and times of a story's revisions rise together.
    newest = (
        select(
            Revision.article_id,
            Revision.action,
            func.max(Revision.made_at),
            func.max(Revision.number),
            func.max(Revision.version),
        )
        .join(Article, Article.id == Revision.article_id)
        .where(Article.id.in_(original_ids), EVER_PUBLIC, Revision.version.is_not(None))
        .where(Revision.action.in_(actions))
        .group_by(Revision.article_id, Revision.action)
    )
    changes: dict[int, list[OriginalChange]] = {}
    publications: dict[int, int] = {}
    for original_id, action, at, number, version in db.session.execute(newest):
        if action == "publish":
            publications[original_id] = number
        else:
            assert version is not None
            change = OriginalChange(original_id, action, at, number, version, None)
            changes.setdefault(original_id, []).append(change)
    return {
        original_id: [
            change
            for change in newest_of_original
            if change.action not in _COMMON_ACTIONS
            or change.number > publications.get(original_id, 0)
        ]
        for original_id, newest_of_original in changes.items()
    }


def _checked_numbers(article_ids: Sequence[int]) -> dict[int, int | None]:
    """Return the revisions of the originals with which translations were last compared, by id."""
    number = (
        select(Revision.number)
        .where(
            Revision.article_id == Article.translation_of_id,
            Revision.version <= Article.original_version,
        )
        .order_by(Revision.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(Article.id, number).where(Article.id.in_(article_ids))
    return dict(db.session.execute(query).all())
