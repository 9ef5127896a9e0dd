"""The names of authors and topics: one rule for single saves and imports. Only for publishing, in its transactions.

A name as written (NFC, trimmed, inner space folded, which `drafts.prepare` does) is who somebody is; case and accents
count. A spelling that somebody has replaced leads to the name that replaced it, until it is entered as a name of its
own. Nothing here takes two names for one because they look alike: people decide that.

A name gets its slug when its list first opens for readers. Until then it has a random one, so that an unpublished story
takes no address, and numbers none.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Select, Table, delete, insert, or_, select
from sqlalchemy.orm import Session

from spectator.models import Author, FormerName, PublicListing, Topic
from spectator.text.words.folding import fold
from spectator.text.words.slugs import slugify

MAX_SLUG_LENGTH = 80
KINDS: dict[type[Author] | type[Topic], str] = {Author: "author", Topic: "topic"}
NamedModel = type[Author] | type[Topic]

ascii_form = lru_cache(10_000)(slugify)  # the same names come again and again


def get_or_create_ids(session: Session, model: NamedModel, names: Iterable[str]) -> dict[str, int]:
    """Return the id of each name: its own, that of the name which replaced it, or that of a new row."""
    wanted = list(dict.fromkeys(names))
    ids = find_ids(session, model, wanted)
    new = [name for name in wanted if name not in ids]
    return ids | add_names(session, model, new)


def find_ids(session: Session, model: NamedModel, names: Sequence[str]) -> dict[str, int]:
    """Return the ids of the names that stories carry, now or under a former spelling."""
    if not names:
        return {}
    ids = find_exact_ids(session, model, names)
    rest = [name for name in names if name not in ids]
    if rest:
        former = (
            (FormerName.kind == KINDS[model])
            & (FormerName.part == "name")
            & FormerName.value.in_(rest)
        )
        ids |= dict(
            session.execute(select(FormerName.value, FormerName.owner_id).where(former)).all()
        )
    return ids


def replacement_names(session: Session, model: NamedModel, names: Sequence[str]) -> dict[str, str]:
    """Return the name of today for each of the names that somebody has replaced."""
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
    """Return the ids of the names that exist exactly as written."""
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
    own = (
        (FormerName.kind == KINDS[model])
        & (FormerName.part == "name")
        & FormerName.value.in_(names)
    )
    session.execute(delete(FormerName).where(own))
    return find_exact_ids(session, model, names)


def comparison_forms(name: str) -> dict[str, str]:
    """Return the two forms by which a name is found to look like another."""
    return {"ascii_form": ascii_form(name), "folded_form": fold(name)[:240]}


def settle_slugs(session: Session, model: NamedModel, ids: Iterable[int]) -> None:
    """Give those of the names whose lists readers have never seen the slugs under which they are about to open."""
    query = (
        select(model)
        .where(model.id.in_(ids), model.id.not_in(_opened_ids(model)))
        .order_by(model.id)
    )
    assign_slugs(session, model, cast("Sequence[Author | Topic]", session.scalars(query).all()))


def assign_slugs(session: Session, model: NamedModel, rows: Sequence[Author | Topic]) -> None:
    """Give each row the free slug of its name; a name that readers have never seen gives way."""
    if not rows:
        return
    slugs = unique_slugs(session, model, [row.name for row in rows])
    in_the_way = model.slug.in_(slugs.values()) & model.id.not_in(_opened_ids(model))
    for row in cast(
        "Sequence[Author | Topic]", session.scalars(select(model).where(in_the_way)).all()
    ):
        row.slug = _random_slug()
    session.flush()
    for row in rows:
        row.slug = slugs[row.name]
    session.flush()


def is_opened(session: Session, model: NamedModel, row_id: int) -> bool:
    """Say whether readers have been able to see the list of an author or a topic."""
    return session.get(PublicListing, (KINDS[model], row_id)) is not None


def _opened_ids(model: NamedModel) -> Select[int]:
    return select(PublicListing.key).where(PublicListing.kind == KINDS[model])


def _random_slug() -> str:
    return f"unpublished-{secrets.token_hex(8)}"


def unique_slugs(session: Session, model: NamedModel, names: Sequence[str]) -> dict[str, str]:
    """Return a slug for each name that no opened list of this kind has or had: `c`, `c-2`, `c-3` for C, C++ and C#."""
    bases = {ascii_form(name) for name in names}
    taken = _taken_slugs(session, model, bases)
    slugs: dict[str, str] = {}
    last: dict[str, int] = {}
    for name in names:
        base = ascii_form(name)
        number = last.get(base, 1)
        while (slug := _numbered_slug(base, number)) in taken:
            number += 1
        slugs[name] = slug
        last[base] = number
        taken.add(slug)
    return slugs


def _numbered_slug(base: str, number: int) -> str:
    suffix = "" if number == 1 else f"-{number}"
    return base[: MAX_SLUG_LENGTH - len(suffix)].rstrip("-") + suffix


def _taken_slugs(session: Session, model: NamedModel, bases: set[str]) -> set[str]:
    """Return the slugs in use, now or formerly, of those that `bases` may become; only opened lists use any."""
    opened = _opened_ids(model)
    current = select(model.slug).where(model.id.in_(opened))
    former = select(FormerName.value).where(
        FormerName.kind == KINDS[model], FormerName.part == "slug"
    )
    former = former.where(FormerName.owner_id.in_(opened))
    taken = set(session.scalars(current.where(model.slug.in_(bases))))
    taken |= set(session.scalars(former.where(FormerName.value.in_(bases))))
    for base in sorted(taken):
        stem = base[: MAX_SLUG_LENGTH - 8].rstrip("-")  # a long one is cut for its number
        behind = (
            f"{stem}-",
            f"{stem}.",
        )  # "." follows "-", so this is every slug that begins with the stem and "-"
        numbered = current.where(model.slug >= behind[0], model.slug < behind[1])
        numbered_before = former.where(FormerName.value >= behind[0], FormerName.value < behind[1])
        for found in (*session.scalars(numbered), *session.scalars(numbered_before)):
            if re.search(r"-[0-9]+$", found):
                taken.add(found)
    return taken


def similar_names(
    session: Session, model: NamedModel, names: Sequence[str]
) -> dict[str, list[Author | Topic]]:
    """Return, for each name, the stored names that differ from it but share its ASCII or its folded form."""
    forms = {name: comparison_forms(name) for name in names}
    if not forms:
        return {}
    is_alike = or_(
        model.ascii_form.in_({form["ascii_form"] for form in forms.values()}),
        model.folded_form.in_({form["folded_form"] for form in forms.values()}),
    )
    stored = cast(
        "Sequence[Author | Topic]",
        session.scalars(select(model).where(is_alike).order_by(model.id)).all(),
    )
    return {
        name: [
            row
            for row in stored
            if row.name != name
            and (row.ascii_form == form["ascii_form"] or row.folded_form == form["folded_form"])
        ]
        for name, form in forms.items()
    }
