"""What Whoosh keeps of a document, and when it merges segments."""

from __future__ import annotations

from itertools import accumulate
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

_TINY, _SMALL, _MANY, _MOST_COPIED = 25, 200, 8, 250


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

    Eight segments of under 25 documents become one, and so do eight of under 200, as far as that copies no more
    than 250 documents at a time: Whoosh copies some 170 a second, and a commit should take no longer than two.
    """
    for low, high in ((_TINY, _SMALL), (0, _TINY)):
        tier = sorted((each for each in segments if low <= _size(each) < high), key=_size)
        if len(tier) < _MANY:
            continue
        total = accumulate(map(_size, tier))
        merged = [segment for segment, copied in zip(tier, total, strict=True) if copied <= _MOST_COPIED]
        for segment in merged if len(merged) > 1 else ():
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()
            segments = [each for each in segments if each is not segment]
    return segments


def _size(segment: Any) -> int:
    return int(segment.doc_count_all())
