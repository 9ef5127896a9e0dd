"""The names of sections, countries, topics and authors, for search pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Select, literal, select, union_all

from spectator.db import db
from spectator.formats import country_name
from spectator.models import Author, Country, Section, Topic
from spectator.queries.listings import is_public_listing

_KINDS: Mapping[str, type[Country] | type[Topic] | type[Author]] = {
    "country": Country,
    "topic": Topic,
    "author": Author,
}


def taxonomy_names(slugs: Mapping[str, Collection[str]]) -> dict[tuple[str, str], str]:
    """Return the names of sections, countries, topics and authors by (kind, slug), in one query.

    Names that do not exist or were never public are absent. Those of countries are in the language
    of the page.
    """
    queries: list[Select[str, str, str]] = [
        select(literal("section"), Section.slug, Section.name).where(
            Section.slug.in_(slugs.get("section", ()))
        )
    ]
    queries += [
        select(literal(kind), model.slug, model.name).where(
            model.slug.in_(slugs[kind]), is_public_listing(kind, model)
        )
        for kind, model in _KINDS.items()
        if slugs.get(kind)
    ]
    if not any(slugs.values()):
        return {}
    return {
        (kind, slug): country_name(name) if kind == "country" else name
        for kind, slug, name in db.session.execute(union_all(*queries))
    }
