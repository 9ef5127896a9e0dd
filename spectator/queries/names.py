"""What people may want to look at in the names of authors and topics: look-alikes, and names that were merged once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text

from spectator.db import db
from spectator.models import Author, Topic

MODELS: dict[str, type[Author] | type[Topic]] = {"author": Author, "topic": Topic}

# A story's newest revision holds its names as they were typed. Those that it does not carry, and that nobody has
# replaced, fell to the rule that two names with one slug are one.
_MERGED = """
    SELECT typed.value AS name, r.article_id AS article_id,
      (SELECT json_group_array(p.name) FROM article_{kind} f JOIN {kind} p ON p.id = f.{kind}_id
       WHERE f.article_id = r.article_id) AS shown
    FROM (SELECT article_id, max(number) AS number FROM revision GROUP BY article_id) AS newest
    JOIN revision r ON r.article_id = newest.article_id AND r.number = newest.number
    CROSS JOIN json_each(r.content, '$.{kind}s') AS typed
    WHERE NOT EXISTS (
      SELECT 1 FROM article_{kind} f JOIN {kind} p ON p.id = f.{kind}_id
      WHERE f.article_id = r.article_id AND p.name = typed.value)
    AND NOT EXISTS (
      SELECT 1 FROM former_name w WHERE w.kind = '{kind}' AND w.part = 'name' AND w.value = typed.value)
    ORDER BY typed.value, r.article_id LIMIT :limit"""


@dataclass(frozen=True, slots=True)
class MergedName:
    """A name that was typed on a story which shows other names (a JSON list) instead."""

    kind: str
    name: str
    article_id: int
    displayed_names: str


def similar_name_groups(limit: int) -> list[tuple[str, Sequence[str]]]:
    """Return groups of (kind, names) that differ but look alike, at most `limit` and a few more."""
    groups: dict[tuple[str, ...], str] = {}
    for kind, model in MODELS.items():
        for form in (model.ascii_form, model.folded_form):
            shared = (
                select(form)
                .where(form != "")
                .group_by(form)
                .having(func.count() > 1)
                .limit(limit + 1)
            )
            rows = db.session.execute(
                select(form, model.name).where(form.in_(shared)).order_by(form, model.id)
            )
            names: dict[str, list[str]] = {}
            for key, name in rows:
                names.setdefault(key, []).append(name)
            groups |= {tuple(sorted(group)): kind for group in names.values()}
    return [(kind, names) for names, kind in groups.items()]


def merged_names(limit: int) -> list[MergedName]:
    """Return the names that stories lost to the rule of one slug, one name; at most `limit` of each kind."""
    found = []
    for kind in MODELS:
        rows = db.session.execute(text(_MERGED.format(kind=kind)), {"limit": limit})
        found += [MergedName(kind, row.name, row.article_id, row.shown) for row in rows]
    return found
