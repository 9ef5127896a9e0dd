"""What a source may change when it is imported again: only what nobody has changed here since its last import.

Each field of a story is compared in three versions: what the source last gave, what it gives now, and what is stored.
`ImportState` keeps the first as fingerprints. The rule serves every importer; only for publishing.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from spectator.models import Article, Author, Revision, Topic
from spectator.publishing.articles import COPIED_FIELDS, PICTURE_FIELDS
from spectator.publishing.drafts import Draft
from spectator.publishing.names import replacement_names
from spectator.publishing.stored_articles import StoredArticle, load_stored_articles
from spectator.text.places.gazetteer import find_country

SourceValues = dict[str, Any]

# Each field of the source with what a report calls it.
FIELD_LABELS = {
    "headline": "headline",
    "dek": "dek",
    "body": "body",
    "section": "section",
    "language": "language",
    "slug": "slug",
    "authors": "authors",
    "topics": "topics",
    "countries": "countries",
    "source": "source",
    "picture": "lead_image",
    "publication": "status and date",
    "updated_at": "updated_at",
}
TEXT_FIELDS = frozenset({"headline", "dek", "body"})
NAME_FIELDS = ("authors", "topics")
UNKNOWN = "?"
LIVE_STATUSES = frozenset({"published", "scheduled"})


@dataclass(frozen=True, slots=True)
class MergeDecision:
    """Which fields the source changes, what it gives is to be remembered as, and what it may not change."""

    accepted: frozenset[str]
    source_values: SourceValues
    preserved: list[str] = field(default_factory=list)


def fingerprint(*texts: str) -> str:
    """Return eight characters that tell texts apart, "" where all are empty."""
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
    """Return what a draft says, field by field, without the empty ones; `digest` is that of its picture.

    None for a picture that was not looked at. The draft's slug is left out where it has none: that is no wish.
    """
    picture = (draft.picture_alt, draft.picture_caption, draft.picture_credit)
    values: SourceValues = {name: fingerprint(getattr(draft, name)) for name in TEXT_FIELDS}
    values |= {"section": section, "language": draft.language, "slug": draft.slug}
    values |= {
        "authors": list(draft.authors),
        "topics": sorted(draft.topics),
        "countries": sorted(codes),
    }
    values |= {
        "source": fingerprint(draft.source_name, draft.source_url),
        "publication": publication,
    }
    values |= {"picture": UNKNOWN if digest is None else fingerprint(digest, *picture)}
    values |= {"updated_at": _iso(updated)}
    return {name: value for name, value in values.items() if value}


def is_unchanged(base: SourceValues | None, source: SourceValues) -> bool:
    """Say whether a source gives what it gave before; one that names no slug agrees with any."""
    return base is not None and source | {"slug": source.get("slug", base.get("slug"))} == base


def publication_value(status: str, published_at: datetime | None) -> str:
    """Return whether and when a story is public, in a form that the passing of its time does not change."""
    return f"{'live' if status in LIVE_STATUSES else status} {_iso(published_at)}"


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""


def values_of_stored(stored: StoredArticle) -> SourceValues:
    """Return what is stored in the form of `given_of`."""
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
    """Return what the source may change of a story.

    `base` is what it last gave, `renamed` which authors and topics have another name by now. The text below a note to
    readers that is younger than the last import stays whole. What people withdrew stays withdrawn, whatever is asked.
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
    taken, kept, given = set(), [], dict(base)
    for name, label in FIELD_LABELS.items():
        new, old, now = (each.get(name, "") for each in (source, base, stored_values))
        if new == now:
            given[name] = new
        elif new == UNKNOWN or (name == "slug" and not new):
            continue
        elif _may_accept(name, old == now, new == old, is_corrected, is_withdrawn_here, overwrite):
            taken.add(name)
            given[name] = new
        elif name == "publication" and stored.row.status == "withdrawn":
            kept.append("stays withdrawn")
        elif name != "updated_at":
            kept.append(label)
    return MergeDecision(
        frozenset(taken), {name: value for name, value in given.items() if value}, kept
    )


def _may_accept(
    name: str,
    is_untouched: bool,
    is_old: bool,
    is_corrected: bool,
    is_withdrawn_here: bool,
    overwrite: bool,
) -> bool:
    if name == "publication" and is_withdrawn_here:
        return False
    if overwrite:
        return True
    return is_untouched and not is_old and not (is_corrected and name in TEXT_FIELDS)


def _with_current_names(
    values: SourceValues, renamed: Mapping[str, Mapping[str, str]]
) -> SourceValues:
    """Return what a source gave with the names of today."""
    changes: SourceValues = {}
    for field_name in NAME_FIELDS:
        names, successors = values.get(field_name), renamed.get(field_name)
        if names and successors:
            current = list(dict.fromkeys(successors.get(name, name) for name in names))
            changes[field_name] = sorted(current) if field_name == "topics" else current
    return values | changes


def load_previous_values(
    session: Session, stored: Mapping[int, StoredArticle], numbers: Mapping[int, int | None]
) -> dict[int, tuple[SourceValues, datetime]]:
    """Return what sources gave to stories that were imported before there was an `ImportState`, and when.

    The newest revision of an import holds it, but for the dates: those count as the source's where nobody has saved the
    story since. `numbers` are those of the newest revisions.
    """
    newest = (
        select(func.max(Revision.number))
        .where(Revision.article_id == Article.id, Revision.action == "import")
        .correlate(Article)
        .scalar_subquery()
    )
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
    lines: dict[str, Any] = {
        name: content.get(name) or ""
        for name in (*COPIED_FIELDS, *PICTURE_FIELDS[1:], "slug", "section")
    }
    names: dict[str, Any] = {
        name: tuple(content.get(name) or ()) for name in (*NAME_FIELDS, "countries")
    }
    codes = [country.code for name in names["countries"] if (country := find_country(name))]
    row = stored.row
    is_same_picture = content.get("picture_id") == row.picture_id
    draft = Draft(**lines, **names)
    base = values_of_draft(
        draft, draft.section, codes, (row.digest or "") if is_same_picture else None, UNKNOWN, None
    )
    if is_newest:
        base |= {
            "publication": publication_value(row.status, row.published_at),
            "updated_at": _iso(row.updated_at),
        }
    return base


class Comparison:
    """Stored stories whose sources come again, with all that a decision needs, read by a few statements.

    `candidates` are rows of `importing._known` with what the source gives now.
    """

    def __init__(
        self, session: Session, candidates: Sequence[tuple[Row[Any], SourceValues]]
    ) -> None:
        self.sources = {old.id: given for old, given in candidates}
        self.stored = load_stored_articles(session, list(self.sources))
        self.bases = {
            old.id: (old.source_values, old.imported_at)
            for old, _ in candidates
            if old.source_values is not None
        }
        older = {old.id: old.number for old, _ in candidates if old.source_values is None}
        if older:
            held = {article_id: self.stored[article_id] for article_id in older}
            self.bases |= load_previous_values(session, held, older)
        givens = [*self.sources.values(), *(base for base, _ in self.bases.values())]
        self.renamed = {
            name: replacement_names(
                session, model, list({each for given in givens for each in given.get(name, ())})
            )
            for name, model in (("authors", Author), ("topics", Topic))
        }

    def decide(self, old: Row[Any], overwrite: bool) -> MergeDecision | None:
        """Return what the source may change of a story, None where neither it nor the story has changed."""
        if old.id not in self.sources:
            return None
        base, taken_at = self.bases.get(old.id, ({}, None))
        return merge_source(
            base, self.sources[old.id], self.stored[old.id], self.renamed, taken_at, overwrite
        )
