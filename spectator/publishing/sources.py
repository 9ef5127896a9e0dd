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
from spectator.publishing.drafts import Draft
from spectator.publishing.held import Held, load_held
from spectator.publishing.names import successors
from spectator.publishing.storing import COPIED, PICTURE
from spectator.text.gazetteer import country_named

Given = dict[str, Any]

# Each field of the source with what a report calls it.
FIELDS = {
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
TEXT = frozenset({"headline", "dek", "body"})
NAMES = ("authors", "topics")
UNKNOWN = "?"
LIVE = frozenset({"published", "scheduled"})


@dataclass(frozen=True, slots=True)
class Decision:
    """Which fields the source changes, what it gives is to be remembered as, and what it may not change."""

    taken: frozenset[str]
    given: Given
    kept: list[str] = field(default_factory=list)


def fingerprint(*texts: str) -> str:
    """Return eight characters that tell texts apart, "" where all are empty."""
    if not any(texts):
        return ""
    digest = blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=6)
    return urlsafe_b64encode(digest.digest()).decode()


def given_of(
    draft: Draft, section: str, codes: Iterable[str], digest: str | None, publication: str, updated: datetime | None
) -> Given:
    """Return what a draft says, field by field, without the empty ones; `digest` is that of its picture.

    None for a picture that was not looked at. The draft's slug is left out where it has none: that is no wish.
    """
    picture = (draft.picture_alt, draft.picture_caption, draft.picture_credit)
    values: Given = {name: fingerprint(getattr(draft, name)) for name in TEXT}
    values |= {"section": section, "language": draft.language, "slug": draft.slug}
    values |= {"authors": list(draft.authors), "topics": sorted(draft.topics), "countries": sorted(codes)}
    values |= {"source": fingerprint(draft.source_name, draft.source_url), "publication": publication}
    values |= {"picture": UNKNOWN if digest is None else fingerprint(digest, *picture)}
    values |= {"updated_at": _iso(updated)}
    return {name: value for name, value in values.items() if value}


def says_the_same(base: Given | None, source: Given) -> bool:
    """Say whether a source gives what it gave before; one that names no slug agrees with any."""
    return base is not None and source | {"slug": source.get("slug", base.get("slug"))} == base


def publication_of(status: str, published_at: datetime | None) -> str:
    """Return whether and when a story is public, in a form that the passing of its time does not change."""
    return f"{'live' if status in LIVE else status} {_iso(published_at)}"


def _iso(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""


def held_given(held: Held) -> Given:
    """Return what is stored in the form of `given_of`."""
    row = held.row
    codes = [code for code, _ in held.countries]
    publication = publication_of(row.status, row.published_at)
    return given_of(held.draft, row.section, codes, row.digest or "", publication, row.updated_at)


def decide(
    base: Given,
    source: Given,
    held: Held,
    renamed: Mapping[str, Mapping[str, str]],
    taken_at: datetime | None,
    overwrite: bool,
) -> Decision:
    """Return what the source may change of a story.

    `base` is what it last gave, `renamed` which authors and topics have another name by now. The text below a note to
    readers that is younger than the last import stays whole. What people withdrew stays withdrawn, whatever is asked.
    """
    base, source, stored = _current(base, renamed), _current(source, renamed), held_given(held)
    is_corrected = held.corrected_at is not None and (taken_at is None or held.corrected_at > taken_at)
    is_withdrawn_here = held.row.status == "withdrawn" and not str(base.get("publication", "")).startswith("withdrawn")
    taken, kept, given = set(), [], dict(base)
    for name, label in FIELDS.items():
        new, old, now = (each.get(name, "") for each in (source, base, stored))
        if new == now:
            given[name] = new
        elif new == UNKNOWN or (name == "slug" and not new):
            continue
        elif _may_take(name, old == now, new == old, is_corrected, is_withdrawn_here, overwrite):
            taken.add(name)
            given[name] = new
        elif name == "publication" and held.row.status == "withdrawn":
            kept.append("stays withdrawn")
        elif name != "updated_at":
            kept.append(label)
    return Decision(frozenset(taken), {name: value for name, value in given.items() if value}, kept)


def _may_take(
    name: str, is_untouched: bool, is_old: bool, is_corrected: bool, is_withdrawn_here: bool, overwrite: bool
) -> bool:
    if name == "publication" and is_withdrawn_here:
        return False
    if overwrite:
        return True
    return is_untouched and not is_old and not (is_corrected and name in TEXT)


def _current(given: Given, renamed: Mapping[str, Mapping[str, str]]) -> Given:
    """Return what a source gave with the names of today."""
    changes: Given = {}
    for field_name in NAMES:
        names, successors = given.get(field_name), renamed.get(field_name)
        if names and successors:
            current = list(dict.fromkeys(successors.get(name, name) for name in names))
            changes[field_name] = sorted(current) if field_name == "topics" else current
    return given | changes


def load_bases(
    session: Session, held: Mapping[int, Held], numbers: Mapping[int, int | None]
) -> dict[int, tuple[Given, datetime]]:
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
        .where(Article.id.in_(held))
    )
    return {
        row.id: (_base_of(row.content, held[row.id], row.number == numbers.get(row.id)), row.made_at)
        for row in session.execute(query)
    }


def _base_of(content: Mapping[str, Any], held: Held, is_newest: bool) -> Given:
    lines: dict[str, Any] = {name: content.get(name) or "" for name in (*COPIED, *PICTURE[1:], "slug", "section")}
    names: dict[str, Any] = {name: tuple(content.get(name) or ()) for name in (*NAMES, "countries")}
    codes = [country.code for name in names["countries"] if (country := country_named(name))]
    row = held.row
    is_same_picture = content.get("picture_id") == row.picture_id
    draft = Draft(**lines, **names)
    base = given_of(draft, draft.section, codes, (row.digest or "") if is_same_picture else None, UNKNOWN, None)
    if is_newest:
        base |= {"publication": publication_of(row.status, row.published_at), "updated_at": _iso(row.updated_at)}
    return base


class Comparison:
    """Stored stories whose sources come again, with all that a decision needs, read by a few statements.

    `candidates` are rows of `importing._known` with what the source gives now.
    """

    def __init__(self, session: Session, candidates: Sequence[tuple[Row[Any], Given]]) -> None:
        self.sources = {old.id: given for old, given in candidates}
        self.held = load_held(session, list(self.sources))
        self.bases = {old.id: (old.given, old.taken_at) for old, _ in candidates if old.given is not None}
        older = {old.id: old.number for old, _ in candidates if old.given is None}
        if older:
            held = {article_id: self.held[article_id] for article_id in older}
            self.bases |= load_bases(session, held, older)
        givens = [*self.sources.values(), *(base for base, _ in self.bases.values())]
        self.renamed = {
            name: successors(session, model, list({each for given in givens for each in given.get(name, ())}))
            for name, model in (("authors", Author), ("topics", Topic))
        }

    def decide(self, old: Row[Any], overwrite: bool) -> Decision | None:
        """Return what the source may change of a story, None where neither it nor the story has changed."""
        if old.id not in self.sources:
            return None
        base, taken_at = self.bases.get(old.id, ({}, None))
        return decide(base, self.sources[old.id], self.held[old.id], self.renamed, taken_at, overwrite)
