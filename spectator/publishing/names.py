"""The names of authors and topics, for saves and imports, inside publishing's transactions.

A name as cleaned by `validation.prepare` (NFC, trimmed, inner spaces collapsed) identifies an
author or topic; case and accents count. A replaced spelling resolves to the name that replaced it,
until somebody adds it as a name of its own. Similar names are never merged automatically: people
decide.

A name gets its slug when its first story is published. Until then it has a random one, so that a
name that only unpublished stories use neither occupies a slug nor makes another name's slug get a
number.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, delete, insert, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from spectator.models import Author, FormerName, PublicListing, Topic
from spectator.queries import select_visible_counts
from spectator.text.words.folding import fold
from spectator.text.words.slugs import numbered_slug, slugify

MAX_SLUG_LENGTH, MAX_FOLDED_LENGTH = 80, 240  # of the columns
MAX_SIMILAR_NAMES = 200  # compared while the write lock is held
KINDS: dict[type[Author] | type[Topic], str] = {Author: "author", Topic: "topic"}
NamedModel = type[Author] | type[Topic]

ascii_form = lru_cache(10_000)(slugify)  # imports repeat the same names


def get_or_create_ids(
    session: Session, model: NamedModel, names: Iterable[str]
) -> dict[str, int]:
    """Return the ids of names, adding new ones; a former spelling gets its successor's id."""
    unique_names = list(dict.fromkeys(names))
    ids = find_ids(session, model, unique_names)
    new = [name for name in unique_names if name not in ids]
    return ids | add_names(session, model, new)


def find_ids(session: Session, model: NamedModel, names: Sequence[str]) -> dict[str, int]:
    """Return the ids of existing names, including former spellings."""
    if not names:
        return {}
    ids = find_exact_ids(session, model, names)
    rest = [name for name in names if name not in ids]
    if rest:
        former = is_former_name(model, rest)
        ids |= dict(
            session.execute(select(FormerName.value, FormerName.owner_id).where(former)).all()
        )
    return ids


def replacement_names(
    session: Session, model: NamedModel, names: Sequence[str]
) -> dict[str, str]:
    """Return the current name of each name that somebody has replaced."""
    ids = find_ids(session, model, names)
    rows = (
        session.execute(select(model.id, model.name).where(model.id.in_(ids.values())))
        if ids
        else ()
    )
    current = {row.id: row.name for row in rows}
    return {
        name: current[row_id] for name, row_id in ids.items() if current.get(row_id, name) != name
    }


def find_exact_ids(session: Session, model: NamedModel, names: Sequence[str]) -> dict[str, int]:
    """Return the ids of names that exist exactly as written."""
    return (
        dict(session.execute(select(model.name, model.id).where(model.name.in_(names))).all())
        if names
        else {}
    )


def add_names(session: Session, model: NamedModel, names: Sequence[str]) -> dict[str, int]:
    """Add names that do not exist yet and return their ids."""
    if not names:
        return {}
    rows: list[dict[str, Any]] = [
        {"name": name, "slug": _random_slug()} | comparison_forms(name) for name in names
    ]
    session.execute(insert(cast(Table, model.__table__)), rows)
    delete_former_names(session, model, names)
    return find_exact_ids(session, model, names)


def is_former_name(model: NamedModel, names: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a row of `FormerName` is one of these spellings."""
    is_name = (FormerName.kind == KINDS[model]) & (FormerName.part == "name")
    return is_name & FormerName.value.in_(names)


def delete_former_names(session: Session, model: NamedModel, names: Sequence[str]) -> None:
    """Stop resolving these spellings to other names: they are names of their own now."""
    session.execute(delete(FormerName).where(is_former_name(model, names)))


def comparison_forms(name: str) -> dict[str, str]:
    """Return the two forms of a name that are compared to find similar names."""
    return {"ascii_form": ascii_form(name), "folded_form": fold(name)[:MAX_FOLDED_LENGTH]}


def settle_slugs(session: Session, model: NamedModel, ids: Iterable[int]) -> None:
    """Give names that were never public their final slugs, just before their first publication."""
    query = (
        select(model)
        .where(model.id.in_(ids), model.id.not_in(_public_ids(model)))
        .order_by(model.id)
    )
    assign_slugs(session, model, cast("Sequence[Author | Topic]", session.scalars(query).all()))


def assign_slugs(session: Session, model: NamedModel, rows: Sequence[Author | Topic]) -> None:
    """Give each row an unused slug made from its name.

    A name that has this slug but was never public gets a random one again.
    """
    if not rows:
        return
    slugs = unique_slugs(session, model, [row.name for row in rows])
    is_conflicting = model.slug.in_(slugs.values()) & model.id.not_in(_public_ids(model))
    conflicting = session.scalars(select(model).where(is_conflicting)).all()
    for row in cast("Sequence[Author | Topic]", conflicting):
        row.slug = _random_slug()
    session.flush()  # before the rows below take these slugs
    for row in rows:
        row.slug = slugs[row.name]
    session.flush()


def was_public(session: Session, model: NamedModel, row_id: int) -> bool:
    """Return whether the page of an author or a topic is or was public."""
    return session.get(PublicListing, (KINDS[model], row_id)) is not None


def _public_ids(model: NamedModel) -> Select[int]:
    return select(PublicListing.key).where(PublicListing.kind == KINDS[model])


def _random_slug() -> str:
    return f"unpublished-{secrets.token_hex(8)}"


def unique_slugs(session: Session, model: NamedModel, names: Sequence[str]) -> dict[str, str]:
    """Return for each name a slug that no public page of this kind has or had.

    Equal slugs get numbers: `c`, `c-2` and `c-3` for C, C++ and C#.
    """
    used_slugs = _used_slugs(session, model, Counter(map(ascii_form, names)))
    slugs: dict[str, str] = {}
    last: dict[str, int] = {}
    for name in names:
        base = ascii_form(name)
        number = last.get(base, 1)
        slug = base if number == 1 else numbered_slug(base, number, MAX_SLUG_LENGTH)
        while slug in used_slugs:
            number += 1
            slug = numbered_slug(base, number, MAX_SLUG_LENGTH)
        slugs[name] = slug
        last[base] = number
        used_slugs.add(slug)
    return slugs


def _has_numbered_slug(column: InstrumentedAttribute[str], base: str) -> ColumnElement[bool]:
    """Return a condition that holds for `base` with any number of up to seven digits.

    A long slug is cut to fit its number, so each number of digits has a range of its own.
    """
    examples = [numbered_slug(base, 10**zeros, MAX_SLUG_LENGTH) for zeros in range(7)]
    stems = sorted({slug.rpartition("-")[0] for slug in examples})
    # "." follows "-" in ASCII: the range holds every slug that starts with the stem and "-".
    return or_(*((column >= f"{stem}-") & (column < f"{stem}.") for stem in stems))


def _used_slugs(session: Session, model: NamedModel, bases: Counter[str]) -> set[str]:
    """Return the slugs in `bases`, plain or numbered, that a public page has or had.

    Numbered ones are looked up only if a number is needed: the plain slug is used, or two names
    would get it.
    """
    public_ids = _public_ids(model)
    current = select(model.slug).where(model.id.in_(public_ids))
    former = select(FormerName.value).where(
        FormerName.kind == KINDS[model], FormerName.part == "slug"
    )
    former = former.where(FormerName.owner_id.in_(public_ids))
    used_slugs = set(session.scalars(current.where(model.slug.in_(bases))))
    used_slugs |= set(session.scalars(former.where(FormerName.value.in_(bases))))
    repeated = {base for base, count in bases.items() if count > 1}
    for base in sorted(used_slugs | repeated):
        numbered = current.where(_has_numbered_slug(model.slug, base))
        numbered_former = former.where(_has_numbered_slug(FormerName.value, base))
        for slug in (*session.scalars(numbered), *session.scalars(numbered_former)):
            if re.search(r"-[0-9]+$", slug):
                used_slugs.add(slug)
    return used_slugs


def similar_names(
    session: Session, model: NamedModel, names: Sequence[str], author_id: int | None = None
) -> dict[str, list[Author | Topic]]:
    """Return, for each name, the other stored names with the same ASCII or folded form.

    With `author_id`, only names that this author may see. At most `MAX_SIMILAR_NAMES` are compared.
    """
    forms = {name: comparison_forms(name) for name in names}
    if not forms:
        return {}
    is_similar = or_(
        model.ascii_form.in_({form["ascii_form"] for form in forms.values()}),
        model.folded_form.in_({form["folded_form"] for form in forms.values()}),
    )
    query = select(model).where(is_similar).order_by(model.id).limit(MAX_SIMILAR_NAMES)
    if author_id is not None:
        visible = select_visible_counts(model, author_id).subquery()
        query = query.where(model.id.in_(select(visible.c.name_id)))
    stored = cast("Sequence[Author | Topic]", session.scalars(query).all())
    return {
        name: [
            row
            for row in stored
            if row.name != name
            and (row.ascii_form == form["ascii_form"] or row.folded_form == form["folded_form"])
        ]
        for name, form in forms.items()
    }
