"""Addresses of an old site of Ghost by its default routes."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from spectator import publishing
from spectator.db import db
from spectator.importers.ghost.joins import Joins
from spectator.importers.receipt import Receipt
from spectator.importers.runner import decode_references
from spectator.publishing.validation import clean_line
from spectator.text.words.slugs import slugify


def addresses_of(slug: str, site_url: str) -> tuple[str, ...]:
    """Return the addresses of a post or page."""
    if not slug or "/" in slug:
        return ()
    root = _root(site_url)
    return (f"{root}/{slug}/", f"{root}/{slug}/amp/")


def register_names(
    joins: Joins, site_url: str, sections: Collection[str], receipt: Receipt
) -> None:
    """Let the addresses of tags and authors lead to their lists, after the stories were stored."""
    entries: list[tuple[str, tuple[str, int | str]]] = []
    root = _root(site_url)
    for tag in joins.tags.values():
        if tag.slug and not tag.is_internal:
            name, slug = _stored_name(tag.name), slugify(tag.name)
            target = ("section", slug) if slug in sections else ("topic", name)
            entries.append((f"{root}/tag/{tag.slug}/", target))
    for name, slug in joins.slugs.items():
        if slug:
            entries.append((f"{root}/author/{slug}/", ("author", _stored_name(name))))
    with db.write() as session:
        publishing.register_old_addresses(session, entries)
    for address, _ in entries:
        receipt.add_address(address)


def _stored_name(name: str) -> str:
    return clean_line(decode_references(name))


def _root(site_url: str) -> str:
    parts = urlsplit(site_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}" if parts.netloc else ""
