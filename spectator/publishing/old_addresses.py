"""Addresses of an older site, and the redirects that the newsroom adds to them.

Imports register the addresses that they read. What somebody in the newsroom has decided about an
address stays, and importing the same again writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple, cast

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from spectator import media, outbox
from spectator.db.functions import upsert
from spectator.models import Author, OldAddress, Picture, Topic
from spectator.old_addresses import normalize_address
from spectator.publishing.names import NamedModel, find_ids
from spectator.queries.old_addresses import find_listing

BATCH_SIZE = 500
MAX_TARGET_LENGTH = 500
OLD_ADDRESSES = cast(Table, OldAddress.__table__)
_NAMED: dict[str, NamedModel] = {"topic": Topic, "author": Author}


class Target(NamedTuple):
    """What an address leads to; the columns of `OldAddress` with these names."""

    kind: str
    target_id: int = 0
    target: str = ""


def register_old_addresses(
    session: Session, entries: Iterable[tuple[str, tuple[str, int | str]]]
) -> int:
    """Store what addresses of an older site lead to, and return how many of them are new or differ.

    An entry is (URL or path, (kind, value)): `("article", id)`, `("page", id)`, `("topic", name)`,
    `("author", name)`, `("section", slug)`, `("list", path)` for any of these lists, a country's or
    a month's, `("media", name of a rendition)`, `("path", any other path of this site)` or
    `("gone", reason)`. Topics and authors that no reader has seen have no path yet, so imports
    name them. Entries without such a target, and invalid addresses, are left out. An address of
    several stories leads to the first of them.

    Called inside the caller's `db.write()`.
    """
    count, remaining = 0, iter(entries)
    while batch := list(islice(remaining, BATCH_SIZE)):
        count += _register_batch(session, batch)
    if count:
        outbox.append(session, None, "redirect")
    return count


def _register_batch(
    session: Session, entries: Sequence[tuple[str, tuple[str, int | str]]]
) -> int:
    targets: dict[str, Target] = {}
    for url, (kind, value) in entries:
        address, target = normalize_address(url), find_target(session, kind, value)
        if address and target is not None:
            targets.setdefault(address, target)
    stored = {
        row.address: row
        for row in session.scalars(select(OldAddress).where(OldAddress.address.in_(targets)))
    }
    rows = [
        row_values(address, target)
        for address, target in targets.items()
        if _is_new(stored.get(address), target)
    ]
    if rows:
        session.execute(upsert(OLD_ADDRESSES), rows)
    return len(rows)


def _is_new(row: OldAddress | None, target: Target) -> bool:
    """Return whether an import may store a target: it differs, and nobody has decided otherwise."""
    if row is None:
        return True
    is_of_other_story = row.kind == target.kind == "article"
    return (
        not row.is_manual
        and not is_of_other_story
        and (row.kind, row.target_id, row.target) != target
    )


def row_values(address: str, target: Target, *, is_manual: bool = False) -> dict[str, Any]:
    """Return the column values of a stored address."""
    values = {"address": address, "is_manual": is_manual, "created_at": datetime.now(UTC)}
    return values | target._asdict()


def find_target(session: Session, kind: str, value: int | str) -> Target | None:
    """Return the target of an entry, None if there is no such list or picture."""
    if isinstance(value, int):
        return Target(kind, value)
    if kind in _NAMED:
        row_id = find_ids(session, _NAMED[kind], [value]).get(value)
        return None if row_id is None else Target(kind, row_id)
    if kind in {"list", "section"}:
        listing = find_listing(value)
        return None if listing is None else Target(*listing)
    if kind == "media":
        return _find_picture(session, value)
    is_path = kind != "path" or (value.startswith("/") and len(value) <= MAX_TARGET_LENGTH)
    return Target(kind, target=value[:MAX_TARGET_LENGTH]) if is_path else None


def _find_picture(session: Session, name: str) -> Target | None:
    if not media.is_rendition_name(name):
        return None
    digest = media.digest_from_name(name)
    picture_id = session.scalar(select(Picture.id).where(Picture.digest == digest))
    return None if picture_id is None else Target("picture", picture_id, name)
