"""The Whoosh schema, the fields of a document, and the merge policy."""

from __future__ import annotations

from itertools import accumulate
from operator import itemgetter
from typing import Any

from whoosh.columns import NumericColumn, VarBytesColumn
from whoosh.fields import COLUMN, ID, TEXT, Schema
from whoosh.reading import SegmentReader

from spectator.search import FACETS, Document
from spectator.search.analysis import FoldingTokenizer
from spectator.search.language.analysis import analyze
from spectator.search.relevance import FIELD_WEIGHTS
from spectator.search.whoosh.stems import stem_words
from spectator.search.whoosh.visible_words import pack_words

# The fields of folded words with positions, and their weights.
TEXT_FIELDS = FIELD_WEIGHTS
# Fields without positions: English stems, and original spellings. Only words that differ are
# indexed.
STEMS, EXACT = "stems", "exact"
# Names with an apostrophe, each after its spelling without one: "quran qur an".
JOINED = "joined"
# A column of the words and joined names of a document that is somebody's own.
WORD_LIST = "word_list"
# Raise this when the fields or their words change. An index of another format answers until it is
# rebuilt.
FORMAT = 3
COLUMNS = ("article", "version", "published", "headline_length", "body_length", "facets")

# Separators in the facets column, of facets and of values. No slug contains either.
FACET_SEPARATOR, VALUE_SEPARATOR = "\n", "\t"

_TINY_SEGMENT, _SMALL_SEGMENT, _MERGE_COUNT, _MAX_COPIED = 25, 200, 8, 250
_BYTES_PER_DOCUMENT = 500_000  # many times as many as ordinary stories have
_MAX_COLUMN_VALUE = 2**31 - 1


def make_schema() -> Schema:
    """Return the schema: unstored words, the id, and the columns that snapshots keep in memory."""
    analyzer = FoldingTokenizer()
    words = {name: TEXT(analyzer=analyzer, phrase=True) for name in TEXT_FIELDS}
    words |= {name: TEXT(analyzer=analyzer, phrase=False) for name in (STEMS, EXACT, JOINED)}
    columns = {name: COLUMN(NumericColumn("q")) for name in ("article", "version", "published")}
    columns |= {name: COLUMN(NumericColumn("i")) for name in ("headline_length", "body_length")}
    texts = {name: COLUMN(VarBytesColumn()) for name in ("facets", WORD_LIST)}
    return Schema(id=ID(unique=True), **words, **columns, **texts)


def document_fields(document: Document) -> dict[str, Any]:
    """Return the keyword arguments of Whoosh's writer for a document.

    Words are passed as lists, so that each text is analysed only once.
    """
    headline, body = analyze(document.headline), analyze(f"{document.dek}\n{document.body}")
    names = analyze(document.names)
    words = headline.folded + body.folded
    joined = headline.joined + body.joined + names.joined
    return {
        "id": str(document.id),
        "headline": headline.folded,
        "body": body.folded,
        "names": names.folded,
        STEMS: stem_words(words, document.language),
        EXACT: headline.exact + body.exact + names.exact,
        JOINED: joined,
        WORD_LIST: pack_words([*words, *names.folded, *joined]) if document.is_own else b"",
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
    """Copy small segments into the new one and return those that stay. A Whoosh merge policy.

    Eight segments of under 25 documents become one, and so do eight of under 200. One commit copies
    at most 250 documents: Whoosh copies about 170 a second, and a commit should take no longer than
    two seconds. Segments of very long stories count by their bytes.
    """
    for low, high in ((_TINY_SEGMENT, _SMALL_SEGMENT), (0, _TINY_SEGMENT)):
        costs = [(_copying_cost(segment, writer.storage), segment) for segment in segments]
        tier = sorted(
            ((cost, segment) for cost, segment in costs if low <= cost < high), key=itemgetter(0)
        )
        if len(tier) < _MERGE_COUNT:
            continue
        total = accumulate(cost for cost, _ in tier)
        merged = [
            segment
            for (_, segment), copied in zip(tier, total, strict=True)
            if copied <= _MAX_COPIED
        ]
        for small in merged if len(merged) > 1 else ():
            reader = SegmentReader(writer.storage, writer.schema, small)
            writer.add_reader(reader)
            reader.close()
            segments = [segment for segment in segments if segment is not small]
    return segments


def _copying_cost(segment: Any, storage: Any) -> int:
    """Return the documents in a segment or, if more, its size in units of _BYTES_PER_DOCUMENT."""
    size: int = sum(storage.file_length(name) for name in segment.list_files(storage))
    return max(int(segment.doc_count_all()), size // _BYTES_PER_DOCUMENT)
