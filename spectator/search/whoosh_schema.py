"""What Whoosh keeps of a document, and when it merges segments."""

from __future__ import annotations

from typing import Any

from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, ID, TEXT, Schema
from whoosh.reading import SegmentReader

from spectator.search import Document
from spectator.search.analysis import FoldingTokenizer

# Searched for a reader's words, with their weight. 2 to 3 measured best for headlines.
TEXT_FIELDS = {"headline": 2.5, "body": 1.0, "names": 1.5}
FILTERS = ("section", "country", "topic", "author", "language")
COLUMNS = ("article", "version", "published")

_TINY, _SMALL, _MANY = 100, 2000, 8


def make_schema() -> Schema:
    """The fields: texts with positions and unstored, exact slugs, and three numbers per document."""
    analyzer = FoldingTokenizer()
    texts = {name: TEXT(analyzer=analyzer, phrase=True) for name in TEXT_FIELDS}
    columns = {name: COLUMN(NumericColumn("q")) for name in COLUMNS}
    return Schema(id=ID(unique=True), **texts, **{name: ID() for name in FILTERS}, **columns)


def fields_of(document: Document) -> dict[str, Any]:
    """The document as keyword arguments for a Whoosh writer. Lists go in as they are, unanalyzed."""
    slugs = {
        "section": [document.section],
        "country": document.countries,
        "topic": document.topics,
        "author": document.authors,
        "language": [document.language],
    }
    return {
        "id": str(document.id),
        "headline": document.headline,
        "body": f"{document.dek}\n{document.body}",
        "names": document.names,
        **{name: [slug for slug in values if slug] for name, values in slugs.items()},
        "article": document.id,
        "version": document.version,
        "published": int(document.published_at.timestamp()),
    }


def merge_small(writer: Any, segments: list[Any]) -> list[Any]:
    """A Whoosh merge policy: returns the segments kept as they are, after copying the others into the new one.

    Eight segments of under 100 documents become one, and so do eight of under 2,000; larger ones are never
    rewritten, so that no commit takes seconds.
    """
    for low, high in ((_TINY, _SMALL), (0, _TINY)):
        tier = [segment for segment in segments if low <= segment.doc_count_all() < high]
        if len(tier) >= _MANY:
            for segment in tier:
                reader = SegmentReader(writer.storage, writer.schema, segment)
                writer.add_reader(reader)
                reader.close()
            segments = [segment for segment in segments if segment not in tier]
    return segments
