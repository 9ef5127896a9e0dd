"""The versions of a story in several languages: an original and its translations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from spectator.db import db
from spectator.models import Article, Section
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
