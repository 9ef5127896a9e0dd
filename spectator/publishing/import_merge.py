"""The merge rule of repeated imports: a source changes only fields that nobody has edited since.

Each field of a story is compared in three versions: the source's previous value, its current value
and the stored value. `ImportState` keeps the first one as a fingerprint. Every importer follows
this rule. Called only by publishing.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from spectator.i18n import gettext, lazy_gettext
from spectator.models import Article, Author, ImportState, Revision, Topic
from spectator.publishing.fields import (
    FIELDS,
    IMPORT_GROUPS,
    WORDING_FIELDS,
    Draft,
)
from spectator.publishing.names import replacement_names
from spectator.publishing.revisions import draft_from_revision, newest_number
from spectator.publishing.stored_articles import StoredArticle, load_stored_articles
from spectator.text.places.gazetteer import find_country

SourceValues = dict[str, Any]

# Imports compare these values of a story; reports have other names for some of them.
COMPARED_VALUES = (*IMPORT_GROUPS, "publication", "updated_at")
REPORT_LABELS = {"picture": "lead_image", "publication": lazy_gettext("status and date")}
RENAMED_FIELDS = ("authors", "topics")
UNKNOWN = "?"  # stands for a value that is not known
LIVE_STATUSES = frozenset({"published", "scheduled"})


@dataclass(frozen=True, slots=True)
class MergeDecision:
    """The outcome of a merge.

    `accepted` names the fields that the source changes, `source_values` are the values to remember
    for the next import, `preserved` labels what stays as edited.
    """

    accepted: frozenset[str]
    source_values: SourceValues
    preserved: list[str] = field(default_factory=list)


def fingerprint(*texts: str) -> str:
    """Return an eight-character hash of the texts, "" if all are empty."""
    if not any(texts):
        return ""
    digest = blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=6)
    return urlsafe_b64encode(digest.digest()).decode()


def values_of_draft(
    draft: Draft,
    section: str,
    codes: Iterable[str],
    digest: str | None,
    publication: str,
    updated: datetime | None,
) -> SourceValues:
    """Return the values of a draft by field of the source, without empty ones.

    `digest` is that of the draft's picture, None if the picture was not loaded.
    """
    values: SourceValues = {
        group: _comparable_value(draft, names, digest or "")
        for group, names in IMPORT_GROUPS.items()
    }
    values |= {"section": section, "countries": sorted(codes), "publication": publication}
    values |= {"updated_at": _iso(updated)} | ({"picture": UNKNOWN} if digest is None else {})
    return {name: value for name, value in values.items() if value}


def _comparable_value(draft: Draft, names: tuple[str, ...], digest: str) -> Any:
    """Return the fields of a group as one value: a hash of texts, a list of names, or a string."""
    story_field = FIELDS[names[0]]
    if story_field.kind == "names":
        values = getattr(draft, story_field.name)
        return list(values) if story_field.is_ordered else sorted(values)
    if story_field.kind == "choice":
        # Empty, as in what was remembered of imports that are older than the field.
        value = getattr(draft, story_field.name)
        return "" if value == getattr(Draft(), story_field.name) else value
    texts = [digest if name == "picture_id" else getattr(draft, name) for name in names]
    return fingerprint(*texts) if story_field.kind in {"line", "body", "picture"} else texts[0]


def is_unchanged(base: SourceValues | None, source: SourceValues) -> bool:
    """Return whether the source's values are the previous ones, but for those it does not know."""
    if base is None:
        return False
    ignored = {name for name, value in source.items() if value == UNKNOWN}
    if "slug" not in source:
        ignored.add("slug")
    names = (base.keys() | source.keys()) - ignored
    return all(base.get(name) == source.get(name) for name in names)


def publication_value(status: str, published_at: datetime | None) -> str:
    """Return a story's status and date as one value, equal before and after a scheduled time."""
    return f"{'live' if status in LIVE_STATUSES else status} {_iso(published_at)}"


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""


def values_of_stored(stored: StoredArticle) -> SourceValues:
    """Return the values of a stored story in the form of `values_of_draft`."""
    row = stored.row
    codes = [code for code, _ in stored.countries]
    publication = publication_value(row.status, row.published_at)
    return values_of_draft(
        stored.draft, row.section, codes, row.digest or "", publication, row.updated_at
    )


def merge_source(
    base: SourceValues,
    source: SourceValues,
    stored: StoredArticle,
    renamed: Mapping[str, Mapping[str, str]],
    imported_at: datetime | None,
    overwrite: bool,
) -> MergeDecision:
    """Decide which fields of a story the source may change.

    `base` holds the source's previous values, `renamed` maps former names of authors and topics to
    current ones. A story with a note to readers newer than the last import keeps its text. A
    story that an editor withdrew stays withdrawn, even with `overwrite`.
    """
    base, source, stored_values = (
        _with_current_names(base, renamed),
        _with_current_names(source, renamed),
        values_of_stored(stored),
    )
    is_corrected = stored.corrected_at is not None and (
        imported_at is None or stored.corrected_at > imported_at
    )
    is_withdrawn_here = stored.row.status == "withdrawn" and not str(
        base.get("publication", "")
    ).startswith("withdrawn")
    accepted, preserved, merged = set(), [], dict(base)
    for name in COMPARED_VALUES:
        new, old, current = (values.get(name, "") for values in (source, base, stored_values))
        if new == current:
            merged[name] = new
        elif new == UNKNOWN or (name == "slug" and not new):
            continue
        elif _may_accept(
            name, old == current, new == old, is_corrected, is_withdrawn_here, overwrite
        ):
            accepted.add(name)
            merged[name] = new
        elif name == "publication" and stored.row.status == "withdrawn":
            preserved.append(gettext("stays withdrawn"))
        elif name != "updated_at":
            preserved.append(str(REPORT_LABELS.get(name, name)))
    source_values = {name: value for name, value in merged.items() if value}
    return MergeDecision(frozenset(accepted), source_values, preserved)


def _may_accept(
    name: str,
    is_unedited: bool,
    is_source_unchanged: bool,
    is_corrected: bool,
    is_withdrawn_here: bool,
    overwrite: bool,
) -> bool:
    if name == "publication" and is_withdrawn_here:
        return False
    if overwrite:
        return True
    return (
        is_unedited and not is_source_unchanged and not (is_corrected and name in WORDING_FIELDS)
    )


def _with_current_names(
    values: SourceValues, renamed: Mapping[str, Mapping[str, str]]
) -> SourceValues:
    """Return the source's values with current names of authors and topics."""
    changes: SourceValues = {}
    for field_name in RENAMED_FIELDS:
        names, successors = values.get(field_name), renamed.get(field_name)
        if names and successors:
            current = list(dict.fromkeys(successors.get(name, name) for name in names))
            changes[field_name] = current if FIELDS[field_name].is_ordered else sorted(current)
    return values | changes


def load_previous_values(
    session: Session, stored: Mapping[int, StoredArticle], numbers: Mapping[int, int | None]
) -> dict[int, tuple[SourceValues, datetime]]:
    """Return the previous source values of stories without an `ImportState`, and their import time.

    They come from the story's latest import revision. The stored status and dates count as the
    source's if nobody has saved the story since. `numbers` holds each story's latest revision
    number.
    """
    newest = newest_number(Revision.action == "import")
    query = (
        select(Article.id, Revision.number, Revision.content, Revision.made_at)
        .join(Revision, (Revision.article_id == Article.id) & (Revision.number == newest))
        .where(Article.id.in_(stored))
    )
    return {
        row.id: (
            _previous_values(row.content, stored[row.id], row.number == numbers.get(row.id)),
            row.made_at,
        )
        for row in session.execute(query)
    }


def _previous_values(
    content: Mapping[str, Any], stored: StoredArticle, is_newest: bool
) -> SourceValues:
    draft = draft_from_revision(content)
    codes = [country.code for name in draft.countries if (country := find_country(name))]
    row = stored.row
    is_same_picture = content.get("picture_id") == row.picture_id
    base = values_of_draft(
        draft,
        draft.section,
        codes,
        (row.digest or "") if is_same_picture else None,
        UNKNOWN,
        None,
    )
    if is_newest:
        base |= {
            "publication": publication_value(row.status, row.published_at),
            "updated_at": _iso(row.updated_at),
        }
    return base


def load_existing(session: Session, external_ids: list[str]) -> dict[str | None, Row[Any]]:
    """Return stored stories by external id, with revision number and previous source values."""
    columns = (
        Article.id,
        Article.external_id,
        Article.slug,
        Article.language,
        Article.status,
        Article.version,
    )
    state = (
        ImportState.version.label("imported_version"),
        ImportState.imported_at,
        ImportState.source_values,
    )
    query = select(*columns, newest_number().label("number"), *state).outerjoin(ImportState)
    rows = session.execute(query.where(Article.external_id.in_(external_ids)))
    return {row.external_id: row for row in rows}


class Comparison:
    """Stored stories that are imported again, with the data for merge decisions, read in bulk.

    `candidates` are rows of `load_existing`, each with the source's current values.
    """

    def __init__(
        self, session: Session, candidates: Sequence[tuple[Row[Any], SourceValues]]
    ) -> None:
        self.sources = {old.id: source_values for old, source_values in candidates}
        self.stored = load_stored_articles(session, list(self.sources))
        self.bases = {
            old.id: (old.source_values, old.imported_at)
            for old, _ in candidates
            if old.source_values is not None
        }
        numbers = {old.id: old.number for old, _ in candidates if old.source_values is None}
        if numbers:
            stateless_articles = {article_id: self.stored[article_id] for article_id in numbers}
            self.bases |= load_previous_values(session, stateless_articles, numbers)
        versions = [*self.sources.values(), *(base for base, _ in self.bases.values())]
        self.renamed = {}
        for field_name, model in (("authors", Author), ("topics", Topic)):
            names = {name for values in versions for name in values.get(field_name, ())}
            self.renamed[field_name] = replacement_names(session, model, list(names))

    def decide(self, old: Row[Any], overwrite: bool) -> MergeDecision | None:
        """Decide which fields the source may change; None if neither source nor story changed."""
        if old.id not in self.sources:
            return None
        base, imported_at = self.bases.get(old.id, ({}, None))
        return merge_source(
            base, self.sources[old.id], self.stored[old.id], self.renamed, imported_at, overwrite
        )
