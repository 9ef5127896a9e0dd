"""Small export files of Ghost, written for the tests."""

from __future__ import annotations

import json
from typing import Any

Row = dict[str, Any]
POST: Row = {
    "id": "5f0000000000000000000001",
    "uuid": "0b7d1c5e-0000-4000-8000-000000000001",
    "title": "Gold &amp; grain",
    "slug": "gold-and-grain",
    "html": '<p>Prices rose in <a href="__GHOST_URL__/accra/">Accra</a>.</p>',
    "status": "published",
    "visibility": "public",
    "type": "post",
    "created_at": "2026-02-01T07:00:00.000Z",
    "updated_at": "2026-02-02T08:00:00.000Z",
    "published_at": "2026-02-01T08:00:00.000Z",
}
TABLES: dict[str, list[Row]] = {
    "users": [
        {"id": "u1", "name": "Ama Mensah", "slug": "ama"},
        {"id": "u2", "name": "Kofi Osei"},
    ],
    "tags": [
        {"id": "t1", "name": "#internal", "slug": "hash-internal"},
        {"id": "t2", "name": "Gold", "slug": "gold"},
        {"id": "t3", "name": "Business", "slug": "business"},
        {"id": "t4", "name": "Hidden", "slug": "hidden", "visibility": "internal"},
    ],
}


def post(**columns: Any) -> Row:
    """Return a post with some columns changed."""
    return POST | columns


def relations(post_id: str = POST["id"]) -> dict[str, list[Row]]:
    """Return the rows that give a post its authors and tags, not in their order."""
    return {
        "posts_authors": [
            {"post_id": post_id, "author_id": "u1", "sort_order": 1},
            {"post_id": post_id, "author_id": "u2", "sort_order": 0},
            {"post_id": post_id, "author_id": "u2", "sort_order": 2},
        ],
        "posts_tags": [
            {"post_id": post_id, "tag_id": "t2", "sort_order": 2},
            {"post_id": post_id, "tag_id": "t1", "sort_order": 0},
            {"post_id": post_id, "tag_id": "t3", "sort_order": 1},
            {"post_id": post_id, "tag_id": "t4", "sort_order": 3},
        ],
    }


def export(*posts: Row, **tables: list[Row]) -> bytes:
    """Return an export file; its tables stand in the order of the alphabet, as in real ones."""
    data = {"posts": list(posts)} | TABLES | tables
    meta = {"exported_on": 1_790_000_000_000, "version": "6.1.0"}
    return json.dumps({"db": [{"meta": meta, "data": dict(sorted(data.items()))}]}).encode()


def lexical(*nodes: Row) -> str:
    """Return a text of the present editor."""
    return json.dumps({"root": {"type": "root", "children": list(nodes), "version": 1}})


def text(words: str, bits: int = 0) -> Row:
    """Return a text node."""
    return {"type": "extended-text", "text": words, "format": bits}


def mobiledoc(*sections: Any, **parts: Any) -> str:
    """Return a text of the former editor."""
    document = {"version": "0.3.1", "atoms": [], "cards": [], "markups": []} | parts
    return json.dumps(document | {"sections": sections})
