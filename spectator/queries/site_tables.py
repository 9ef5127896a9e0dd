"""Which tables an export of the whole site has, how it names them, and how rows refer to others.

Ids stay the same in the new installation, except those of people, whose emails identify them, and
of countries, which every installation has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Column, Table, select

from spectator.db import Base, db

FORMAT, VERSION = "spectator", 1
# What readers would notice if the new installation had other values.
SETTINGS = (
    *("SITE_URL", "SITE_NAME", "SITE_TAGLINE", "PERMALINK", "TIMEZONE"),
    *("LANGUAGES", "DEFAULT_EDITION", "MEDIA_URL"),
)
# Columns that identify a row to people, by table. A foreign key is exported as this value.
NATURAL_KEYS = {
    "user": "email",
    "section": "slug",
    "topic": "name",
    "author": "name",
    "country": "code",
    "picture": "digest",
}
# Of people only these columns, so that no secret is ever exported.
PEOPLE_COLUMNS = ("email", "name", "role", "is_active", "created_at", "language", "time_zone")
LEFT_OUT_COLUMNS = {"article": {"form_key"}, "page": {"form_id"}, "picture": {"has_avif"}}
# Tables that are not exported, and why.
LEFT_OUT_TABLES = {
    **dict.fromkeys(
        ("follower", "host", "lease", "outbox", "schema_support"), "of this database"
    ),
    **dict.fromkeys(("listed", "story_count", "language_count", "derivation"), "derived"),
    **dict.fromkeys(("picture_use", "page_picture", "related", "search_index"), "derived"),
    **dict.fromkeys(("login_attempt", "known_client", "user_session"), "secret"),
    **dict.fromkeys(("autosave", "presence", "preview_link"), "work in progress"),
    **dict.fromkeys(("search_count", "traffic_hour", "missing_page"), "statistics"),
    "country": "the same in every installation",
}


@dataclass(frozen=True)
class Collection:
    """Rows that are exported as documents: `children` are tables whose rows stand in these.

    `owner` is the column of the children that refers to the row.
    """

    table: str
    name: str
    owner: str = ""
    children: Mapping[str, str] = field(default_factory=dict)


# In the order of their import.
COLLECTIONS = (
    Collection("user", "people"),
    Collection("section", "sections"),
    Collection("topic", "topics"),
    Collection("author", "authors"),
    Collection("name_translation", "name_translations"),
    Collection("former_name", "former_names"),
    Collection("opened_list", "public_lists"),
    Collection("picture", "pictures"),
    Collection(
        "article",
        "stories",
        "article_id",
        {
            "article_author": "authors",
            "article_topic": "topics",
            "article_country": "countries",
            "correction": "notes",
            "redirect": "former_slugs",
            "related_choice": "related",
            "import_state": "import_state",
            "revision": "revisions",
        },
    ),
    Collection(
        "page",
        "pages",
        "page_id",
        {
            "page_redirect": "former_paths",
            "page_import": "import_state",
            "page_revision": "revisions",
        },
    ),
    Collection("menu_entry", "menus"),
    Collection("old_address", "old_addresses"),
)
# Columns with an id of the table that `kind` names; of a country they are exported as its code.
IDS_BY_KIND = {"opened_list": "key", "old_address": "target_id"}


def table_of(name: str) -> Table:
    """Return a table by its name."""
    return Base.metadata.tables[name]


def target_of(column: Column[Any]) -> str:
    """Return the table with natural keys to which a column refers, "" if there is none."""
    for key in column.foreign_keys:
        if key.column.table.name in NATURAL_KEYS:
            return key.column.table.name
    return ""


def key_of(column: Column[Any]) -> str:
    """Return the name of a column in documents: `section` for `section_id`."""
    return column.name.removesuffix("_id") if target_of(column) else column.name


@cache
def exported_columns(table_name: str, owner: str = "") -> tuple[Column[Any], ...]:
    """Return the columns of a table that documents have; of children without the owner."""
    table = table_of(table_name)
    if table_name == "user":
        return tuple(table.c[name] for name in PEOPLE_COLUMNS)
    left_out = LEFT_OUT_COLUMNS.get(table_name, set()) | ({"id", owner} if owner else set())
    return tuple(column for column in table.c if column.name not in left_out)


def is_plain_list(table_name: str, owner: str) -> bool:
    """Return whether the rows of a child are only a name each, in their order."""
    names = {column.name for column in exported_columns(table_name, owner)} - {"position"}
    return len(names) == 1


def natural_keys(table_name: str) -> dict[int, Any]:
    """Return the natural keys of all rows of a table by id."""
    table = table_of(table_name)
    query = select(table.c.id, table.c[NATURAL_KEYS[table_name]])
    return {row[0]: row[1] for row in db.session.execute(query)}


def rows_of(table_name: str, owner: str = "", ids: range | None = None) -> Iterator[Any]:
    """Yield the rows of a table by primary key; with `ids` those that belong to these owners."""
    table = table_of(table_name)
    query = select(table).order_by(*table.primary_key)
    if ids is not None:
        column = table.c[owner or "id"]
        query = query.where(column >= ids.start, column < ids.stop)
    yield from db.session.execute(query)
