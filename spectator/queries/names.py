"""Names of authors and topics that people should check: similar names and merged names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, text

from spectator.db import db
from spectator.models import Author, Topic

MODELS: dict[str, type[Author] | type[Topic]] = {"author": Author, "topic": Topic}

# A story's newest revision holds its names as they were typed. A name in it that the story does not
# have, and that was not renamed, was merged by a former rule: names with the same slug were equal.
_MERGED = """
    SELECT typed.value AS name, r.article_id AS article_id,
      (SELECT coalesce(CAST({group}(p.name) AS text), '[]')
       FROM article_{kind} f JOIN {kind} p ON p.id = f.{kind}_id
       WHERE f.article_id = r.article_id) AS displayed_names
    FROM (SELECT article_id, max(number) AS number FROM revision GROUP BY article_id) AS newest
    JOIN revision r ON r.article_id = newest.article_id AND r.number = newest.number
    CROSS JOIN {entered_names} AS typed
    WHERE NOT EXISTS (
      SELECT 1 FROM article_{kind} f JOIN {kind} p ON p.id = f.{kind}_id
      WHERE f.article_id = r.article_id AND p.name = typed.value)
    AND NOT EXISTS (
      SELECT 1 FROM former_name w
      WHERE w.kind = '{kind}' AND w.part = 'name' AND w.value = typed.value)
    ORDER BY typed.value, r.article_id LIMIT :limit"""


# What the databases write differently.
_JSON = {
    "sqlite": ("json_group_array", "json_each(r.content, '$.{kind}s')"),
    "postgresql": ("json_agg", "jsonb_array_elements_text(r.content -> '{kind}s')"),
}


@dataclass(frozen=True, slots=True)
class MergedName:
    """A name that was typed for a story, which shows `displayed_names` (a JSON list) instead."""

    kind: str
    name: str
    article_id: int
    displayed_names: str


def similar_name_groups(limit: int) -> list[tuple[str, Sequence[str]]]:
    """Return groups of similar names as (kind, names), about `limit` of them."""
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
    """Return names that were merged because of equal slugs, at most `limit` of each kind."""
    names = []
    group, entered_names = _JSON[db.engine.dialect.name]
    for kind in MODELS:
        sql = _MERGED.format(
            kind=kind, group=group, entered_names=entered_names.format(kind=kind)
        )
        rows = db.session.execute(text(sql), {"limit": limit})
        names += [MergedName(kind, row.name, row.article_id, row.displayed_names) for row in rows]
    return names
