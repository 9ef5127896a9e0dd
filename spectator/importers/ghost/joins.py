"""The small tables of an export of Ghost: names of people and tags, and which posts have them.

They stand behind the posts, so they are read first. Each row takes about 200 bytes of memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from spectator.i18n import gettext
from spectator.importers.ghost.cards import text_of
from spectator.importers.ghost.tables import GhostError, Row

MAX_ROWS = 3_000_000
MAX_TEXT = 2_000  # characters of a column
META_COLUMNS = (
    "meta_title",
    "meta_description",
    "feature_image_alt",
    "feature_image_caption",
    "email_only",
)
SETTINGS = frozenset({"locale", "lang", "default_locale", "defaultLang"})
Columns = dict[str, Any]


class GhostTag(NamedTuple):
    """A tag; those whose names begin with `#` are for the newsroom only."""

    name: str
    slug: str
    is_internal: bool


@dataclass(slots=True)
class Joins:
    """What posts refer to by ids, which are valid within the file only."""

    people: dict[str, str] = field(default_factory=dict)
    slugs: dict[str, str] = field(default_factory=dict)  # of people, by their names
    tags: dict[str, GhostTag] = field(default_factory=dict)
    authors_of: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    tags_of: dict[str, list[tuple[float, str]]] = field(default_factory=dict)
    meta: dict[str, Columns] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    posts: int = 0

    def authors(self, post: Columns) -> list[str]:
        """Return the names of a post's authors in order, "" for those who are not in the file."""
        embedded = _objects(post.get("authors"))
        if embedded:
            return [text_of(person, "name") for person in embedded]
        ids = _in_order(self.authors_of.get(_id(post, "id"), []))
        ids = ids or [person for person in (_id(post, "author_id", "author"),) if person]
        return [self.people.get(person, "") for person in ids]

    def tags_in_order(self, post: Columns) -> list[GhostTag]:
        """Return a post's tags in order."""
        embedded = _objects(post.get("tags"))
        if embedded:
            return [_tag(tag) for tag in embedded]
        ids = _in_order(self.tags_of.get(_id(post, "id"), []))
        return [self.tags[number] for number in ids if number in self.tags]

    def meta_of(self, post: Columns) -> Columns:
        """Return what the file says about a post beside its row, or in it."""
        own = {name: post[name] for name in META_COLUMNS if post.get(name)}
        return self.meta.get(_id(post, "id"), {}) | own


def read_joins(rows: Iterable[Row]) -> Joins:
    """Return what posts refer to; raises GhostError if that is too much."""
    joins, count = Joins(), 0
    for row in rows:
        if row.table == "posts":
            joins.posts += 1
        elif row.columns is not None and (add := _TABLES.get(row.table)):
            count += 1
            if count > MAX_ROWS:
                raise GhostError(gettext("it has too many rows"))
            add(joins, row.columns)
    return joins


def _add_person(joins: Joins, columns: Columns) -> None:
    name, slug = text_of(columns, "name", "slug")[:MAX_TEXT], text_of(columns, "slug")
    joins.people[_id(columns, "id")] = name
    joins.slugs.setdefault(name, slug[:MAX_TEXT])


def _add_tag(joins: Joins, columns: Columns) -> None:
    joins.tags[_id(columns, "id")] = _tag(columns)


def _add_author(joins: Joins, columns: Columns) -> None:
    _add_relation(joins.authors_of, columns, "author_id")


def _add_post_tag(joins: Joins, columns: Columns) -> None:
    _add_relation(joins.tags_of, columns, "tag_id")


def _add_meta(joins: Joins, columns: Columns) -> None:
    texts = {
        name: value[:MAX_TEXT] if isinstance(value, str) else value
        for name in META_COLUMNS
        if (value := columns.get(name)) and isinstance(value, str | int)
    }
    if texts:
        joins.meta[_id(columns, "post_id")] = texts


def _add_setting(joins: Joins, columns: Columns) -> None:
    key = text_of(columns, "key")
    if key in SETTINGS:
        joins.settings[key] = text_of(columns, "value")[:MAX_TEXT]


_TABLES = {
    "users": _add_person,
    "tags": _add_tag,
    "posts_authors": _add_author,
    "posts_tags": _add_post_tag,
    "posts_meta": _add_meta,
    "settings": _add_setting,
}


def _id(columns: Columns, *names: str) -> str:
    return text_of(columns, *names)[:100]


def _objects(value: Any) -> list[Columns]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _tag(columns: Columns) -> GhostTag:
    name = text_of(columns, "name", "slug")[:MAX_TEXT]
    is_internal = name.startswith("#") or text_of(columns, "visibility") == "internal"
    return GhostTag(name, text_of(columns, "slug")[:MAX_TEXT], is_internal)


def _add_relation(
    relations: dict[str, list[tuple[float, str]]], columns: Columns, name: str
) -> None:
    order = columns.get("sort_order")
    position = float(order) if isinstance(order, int | float) else 0.0
    relations.setdefault(_id(columns, "post_id"), []).append((position, _id(columns, name)))


def _in_order(relations: list[tuple[float, str]]) -> list[str]:
    """Return the ids in their order, each once; those without one in the order of the file."""
    ordered = sorted(relations, key=lambda relation: relation[0])
    return list(dict.fromkeys(number for _, number in ordered))
