"""What Whoosh keeps of a document, and when it merges segments."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from whoosh.columns import NumericColumn, VarBytesColumn
from whoosh.fields import COLUMN, ID, TEXT, Schema
from whoosh.reading import SegmentReader

from spectator.search import FACETS, Document
from spectator.search.analysis import FoldingTokenizer
from spectator.search.language.analysis import analyze, stem_words

# Searched for a reader's words as they are folded, with positions; and their weight.
TEXT_FIELDS = {"headline": 2.5, "body": 1.0, "names": 1.5}
# Searched besides, without positions: English stems, and words as they were written; only where they differ.
STEMS, EXACT = "stems", "exact"
# Names with an apostrophe, under what they are without it: "quran qur an".
JOINED = "joined"
# Raised whenever the fields or the words in them change: an index of another format serves until it is rebuilt.
FORMAT = 2
COLUMNS = ("article", "version", "published", "headline_length", "body_length", "facets")

# What parts the facets in their column, and the values of one: no slug has either.
FACET_SEPARATOR, VALUE_SEPARATOR = "\n", "\t"

_TINY, _SMALL, _MANY, _MAX_COPIED = 25, 200, 8, 250
_MAX_COLUMN_VALUE = 2**31 - 1


def make_schema() -> Schema:
    """The fields: words unstored, an exact id, and what is kept of every document in memory as columns."""
    analyzer = FoldingTokenizer()
    words = {name: TEXT(analyzer=analyzer, phrase=True) for name in TEXT_FIELDS}
    words |= {name: TEXT(analyzer=analyzer, phrase=False) for name in (STEMS, EXACT, JOINED)}
    columns = {name: COLUMN(NumericColumn("q")) for name in ("article", "version", "published")}
    columns |= {name: COLUMN(NumericColumn("i")) for name in ("headline_length", "body_length")}
    return Schema(id=ID(unique=True), **words, **columns, facets=COLUMN(VarBytesColumn()))


def document_fields(document: Document) -> dict[str, Any]:
    """The document as keyword arguments for a Whoosh writer. Words go in as lists, so that each text is read once."""
    headline, body = analyze(document.headline), analyze(f"{document.dek}\n{document.body}")
    names = analyze(document.names)
    both = headline.folded + body.folded
    return {
        "id": str(document.id),
        "headline": headline.folded,
        "body": body.folded,
        "names": names.folded,
        STEMS: stem_words(both, document.language),
        EXACT: headline.exact + body.exact + names.exact,
        JOINED: headline.joined + body.joined + names.joined,
        "article": document.id,
        "version": document.version,
        "published": int(document.published_at.timestamp()),
        "headline_length": min(len(headline.folded), _MAX_COLUMN_VALUE),
        "body_length": min(len(body.folded), _MAX_COLUMN_VALUE),
        "facets": _encode_facets(document),
    }


def _encode_facets(document: Document) -> bytes:
    values = {
        "section": [document.section],
        "country": document.countries,
        "topic": document.topics,
        "author": document.authors,
        "language": [document.language],
    }
    return FACET_SEPARATOR.join(
        VALUE_SEPARATOR.join(slug for slug in values[name] if slug) for name in FACETS
    ).encode()


def merge_small_segments(writer: Any, segments: list[Any]) -> list[Any]:
    """A Whoosh merge policy: returns the segments kept as they are, after copying the others into the new one.

    Eight segments of under 25 documents become one, and so do eight of under 200, as far as that copies no more
    than 250 documents at a time: Whoosh copies some 170 a second, and a commit should take no longer than two.
    """
    for low, high in ((_TINY, _SMALL), (0, _TINY)):
        tier = sorted(
            (each for each in segments if low <= _document_count(each) < high), key=_document_count
        )
        if len(tier) < _MANY:
            continue
        total = accumulate(map(_document_count, tier))
        merged = [
            segment for segment, copied in zip(tier, total, strict=True) if copied <= _MAX_COPIED
        ]
        for segment in merged if len(merged) > 1 else ():
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()
            segments = [each for each in segments if each is not segment]
    return segments


def _document_count(segment: Any) -> int:
    return int(segment.doc_count_all())
