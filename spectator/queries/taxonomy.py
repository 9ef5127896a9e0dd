"""The names of sections, countries, topics and authors, for search pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, Select, exists, literal, select, union_all

from spectator.db import db
from spectator.editions import Edition
from spectator.formats import country_name
from spectator.i18n import current_language
from spectator.models import Author, Country, LanguageCount, Section, Topic
from spectator.queries.listings import is_of_edition, is_public_listing
from spectator.queries.translated_names import translated_name

_KINDS: Mapping[str, type[Country] | type[Topic] | type[Author]] = {
    "country": Country,
    "topic": Topic,
    "author": Author,
}


def taxonomy_names(
    slugs: Mapping[str, Collection[str]], edition: Edition | None = None
) -> dict[tuple[str, str], str]:
    """Return the names of sections, countries, topics and authors by (kind, slug), in one query.

    Names that do not exist or were never public are absent, and with an edition those without
    stories in it. Names of sections, countries and topics are in the language of the page.
    """
    language = current_language()
    queries: list[Select[str, str, str]] = [
        select(literal("section"), Section.slug, translated_name(Section, language)).where(
            Section.slug.in_(slugs.get("section", ()))
        )
    ]
    queries += [
        select(
            literal(kind),
            model.slug,
            translated_name(Topic, language) if model is Topic else model.name,
        ).where(model.slug.in_(slugs[kind]), _is_listed(kind, model, edition))
        for kind, model in _KINDS.items()
        if slugs.get(kind)
    ]
    if not any(slugs.values()):
        return {}
    return {
        (kind, slug): country_name(name) if kind == "country" else name
        for kind, slug, name in db.session.execute(union_all(*queries))
    }


def _is_listed(
    kind: str, model: type[Country] | type[Topic] | type[Author], edition: Edition | None
) -> ColumnElement[bool]:
    if edition is None or edition.has_all_stories:
        return is_public_listing(kind, model)
    is_in_edition = is_of_edition(LanguageCount.language, edition)
    return exists().where(
        LanguageCount.kind == kind, LanguageCount.key == model.id, is_in_edition
    )
