"""Names of sections and topics in other languages: for readers' pages and for their editors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import BindParameter, ColumnElement, bindparam, exists, func, or_, select

from spectator.db import db
from spectator.i18n import language_of_readers
from spectator.models import Article, ListingCount, NameTranslation, Section, Topic
from spectator.text.words.slugs import slugify

NAMES_PER_PAGE = 20
# The language of a statement that is built once.
NAME_LANGUAGE: BindParameter[str] = bindparam("name_language")
Names = Sequence[Section | Topic]


@dataclass(frozen=True, slots=True)
class NamePage:
    """A page of sections or topics for editors; `counts` are their published stories, by id."""

    names: Names
    counts: Mapping[int, int]
    has_more: bool


def translated_name(
    model: type[Section] | type[Topic], language: str | BindParameter[str]
) -> ColumnElement[str]:
    """Return the expression for a section's or topic's name in a language, else its own name."""
    query = select(NameTranslation.name).where(
        NameTranslation.kind == model.__tablename__,
        NameTranslation.owner_id == model.id,
        NameTranslation.language == language,
        NameTranslation.name != "",
    )
    return func.coalesce(query.scalar_subquery(), model.name)


def name_translations(
    kind: str, ids: Collection[int] | None = None
) -> dict[tuple[int, str], NameTranslation]:
    """Return the translations of sections or topics by (id, language); of all without `ids`."""
    query = select(NameTranslation).where(NameTranslation.kind == kind)
    if ids is not None:
        query = query.where(NameTranslation.owner_id.in_(ids))
    return {(row.owner_id, row.language): row for row in db.session.scalars(query)}


_SECTIONS_WITH_TRANSLATIONS = (
    select(Section, NameTranslation)
    .outerjoin(
        NameTranslation,
        (NameTranslation.kind == "section") & (NameTranslation.owner_id == Section.id),
    )
    .order_by(Section.position, Section.id)
)


def sections_with_translations() -> tuple[list[Section], dict[tuple[int, str], NameTranslation]]:
    """Return the sections in the order of the navigation, and their translations as above."""
    rows = db.session.execute(_SECTIONS_WITH_TRANSLATIONS).all()
    translations = [row for _, row in rows if row is not None]
    return (
        list(dict.fromkeys(section for section, _ in rows)),
        {(row.owner_id, row.language): row for row in translations},
    )


def translated_topics(
    names: Collection[str], language: str, *, only_public: bool
) -> dict[str, str]:
    """Return the names of topics in a language by their own names, as far as there are any.

    `only_public` leaves out topics without a published story.
    """
    query = select(Topic.name, translated_name(Topic, language)).where(Topic.name.in_(names))
    if only_public:
        is_public = (ListingCount.kind == "topic") & (ListingCount.key == Topic.id)
        query = query.where(exists().where(is_public))
    return dict(db.session.execute(query).all())


def languages_of_stories() -> set[str]:
    """Return the languages with a catalogue for readers in which stories are published."""
    tags = db.session.scalars(
        select(Article.language).where(Article.status == "published").distinct()
    )
    return set(map(language_of_readers, tags)) - {""}


def languages_of_names() -> set[str]:
    """Return the languages in which there are translated names."""
    return set(db.session.scalars(select(NameTranslation.language).distinct()))


def sections_or_topics(kind: str, text: str, page: int) -> NamePage:
    """Return a page of sections in their order, or of topics, those with most stories first.

    Their names, or translations of them, contain the text.
    """
    model: type[Section] | type[Topic] = Section if kind == "section" else Topic
    count = func.coalesce(ListingCount.number, 0)
    is_counted = (ListingCount.kind == kind) & (ListingCount.key == model.id)
    query = select(model, count).outerjoin(ListingCount, is_counted)
    if text:
        query = query.where(_has_name_with(model, text))
    order = (Section.position,) if model is Section else (count.desc(), Topic.name)
    query = query.order_by(*order, model.id).offset((page - 1) * NAMES_PER_PAGE)
    rows = db.session.execute(query.limit(NAMES_PER_PAGE + 1)).all()
    page_rows = rows[:NAMES_PER_PAGE]
    names = [cast("Section | Topic", entity) for entity, _ in page_rows]
    counts = dict(
        zip((entity.id for entity in names), (row[1] for row in page_rows), strict=True)
    )
    return NamePage(names, counts, len(rows) > NAMES_PER_PAGE)


def section_or_topic(kind: str, row_id: int) -> Section | Topic | None:
    """Return a section or topic by its id, None if there is none."""
    model: type[Section] | type[Topic] = Section if kind == "section" else Topic
    return cast("Section | Topic | None", db.session.get(model, row_id))


def _has_name_with(model: type[Section] | type[Topic], text: str) -> ColumnElement[bool]:
    """Return the condition that a name, or a translation of it, contains a text."""
    translated = exists().where(
        NameTranslation.kind == model.__tablename__,
        NameTranslation.owner_id == model.id,
        NameTranslation.name.icontains(text, autoescape=True),
    )
    conditions = [model.name.icontains(text, autoescape=True), translated]
    if model is Topic:
        conditions.append(Topic.ascii_form.contains(slugify(text), autoescape=True))
    return or_(*conditions)
