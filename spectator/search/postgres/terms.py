"""The terms under which a document is indexed, and the rows that store them.

A term is a folded word or has a character in front that no folded word has.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from spectator.search import FACETS, Document
from spectator.search.language.analysis import AnalyzedText, analyze, is_english
from spectator.search.language.query import Phrase
from spectator.search.relevance import BM25_K1, LENGTH_NORMS
from spectator.search.whoosh.stems import stem_words

# A word of the bylines, section and other names; the stem of a word in English; the spelling of a
# word that folding changes; a name with an apostrophe, after its spelling without one.
NAME, STEM, EXACT, JOINED = "=", "~", "'", "^"
# A word of the headline; a word that is frequent in the text; a facet and its value; a story in
# English. Documents store no positions of these.
HEADLINE, FREQUENT, FACET, ENGLISH = "<", "!", "#", "@en"
YEAR = f"{FACET}year:"
SEPARATOR = "\n"
VALUE_SEPARATOR = "\t"
# Between the positions of the headline and those of the text: no phrase is as long.
FIELD_GAP = 100
# In bytes. A tsvector takes lexemes of up to 2,046, and about a megabyte together.
MAX_TERM_BYTES, MAX_DOCUMENT_BYTES = 500, 900_000
# A word is frequent in a text from this part of BM25's highest score.
FREQUENT_SHARE = 0.65
_MAX_LENGTH = 2**31 - 1


class DocumentRow(NamedTuple):
    """A row of a generation's table of documents; `published` is in epoch seconds.

    `terms` have positions; `tags` are terms without. `postings` has, as packed integers, where the
    positions of each term start and then the positions.
    """

    article_id: int
    version: int
    published: int
    headline_length: int
    body_length: int
    section: str
    country: str
    topic: str
    author: str
    language: str
    terms: str
    tags: str
    postings: bytes


@dataclass(frozen=True, slots=True)
class Analysis:
    """The analysed texts of a document."""

    headline: AnalyzedText
    body: AnalyzedText
    names: AnalyzedText

    @classmethod
    def of(cls, document: Document) -> Analysis:
        """Analyse a document."""
        body = analyze(f"{document.dek}\n{document.body}")
        return cls(analyze(document.headline), body, analyze(document.names))

    @property
    def texts(self) -> tuple[AnalyzedText, ...]:
        """All texts."""
        return self.headline, self.body, self.names


def facet_term(name: str, slug: str) -> str:
    """Return the term of a facet's value."""
    return f"{FACET}{name}:{slug}"


def is_indexable(term: str) -> bool:
    """Return whether PostgreSQL can store a term, which may be hostile."""
    try:
        size = len(term.encode())
    except UnicodeEncodeError:
        return False
    return size <= MAX_TERM_BYTES and not any(character in term for character in "\0\n\t")


def document_row(document: Document) -> DocumentRow:
    """Return the row of a document."""
    analysis = Analysis.of(document)
    positions = _limit(_positions(document, analysis))
    values = _facet_values(document)
    tags = set(_tags(document, analysis, positions))
    tags |= {facet_term(name, slug) for name, slugs in values.items() for slug in slugs}
    return DocumentRow(
        document.id,
        document.version,
        int(document.published_at.timestamp()),
        min(len(analysis.headline.folded), _MAX_LENGTH),
        min(len(analysis.body.folded), _MAX_LENGTH),
        **{name: VALUE_SEPARATOR.join(slugs) for name, slugs in values.items()},
        terms=SEPARATOR.join(positions),
        tags=SEPARATOR.join(tag for tag in sorted(tags) if is_indexable(tag)),
        postings=_pack(positions.values()),
    )


def _positions(document: Document, analysis: Analysis) -> dict[str, list[int]]:
    """Return the positions of each term; of a stem or spelling only how often it occurs."""
    positions: dict[str, list[int]] = {}
    headline, body, names = (text.folded for text in analysis.texts)
    for prefix, start, words in (
        ("", 0, headline),
        ("", len(headline) + FIELD_GAP, body),
        (NAME, 0, names),
    ):
        for position, word in enumerate(words, start):
            positions.setdefault(prefix + word, []).append(position)
    counts = Counter(STEM + word for word in stem_words(headline + body, document.language))
    counts.update(EXACT + word for text in analysis.texts for word in text.exact)
    counts.update(JOINED + name for text in analysis.texts for name in text.joined)
    return positions | {term: [count] for term, count in counts.items()}


def _limit(positions: dict[str, list[int]]) -> dict[str, list[int]]:
    """Return the terms that PostgreSQL can store, as far as there is room for them."""
    room, stored = MAX_DOCUMENT_BYTES, {}
    for term, numbers in positions.items():
        room -= len(term.encode("utf-8", "surrogatepass"))
        if room >= 0 and is_indexable(term):
            stored[term] = numbers
    return stored


def _tags(
    document: Document, analysis: Analysis, positions: dict[str, list[int]]
) -> Iterator[str]:
    yield YEAR + format(document.published_at.year, "04")
    if is_english(document.language):
        yield ENGLISH
    for word in set(analysis.headline.folded):
        yield HEADLINE + word
    for name in analysis.headline.joined:
        yield HEADLINE + name.split(" ", 1)[0]
    base, slope = LENGTH_NORMS["body"]
    norm = base + slope * len(analysis.body.folded)
    least = FREQUENT_SHARE * norm / (1 - FREQUENT_SHARE)
    for word, count in Counter(analysis.body.folded).items():
        if count >= least and word in positions:
            yield FREQUENT + word


def _facet_values(document: Document) -> dict[str, list[str]]:
    values: dict[str, Sequence[str]] = {
        "section": [document.section],
        "country": document.countries,
        "topic": document.topics,
        "author": document.authors,
        "language": [document.language],
    }
    return {
        name: [slug for slug in dict.fromkeys(values[name]) if slug and is_indexable(slug)]
        for name in FACETS
    }


def _pack(position_lists: Iterable[Sequence[int]]) -> bytes:
    """Return the starts of all lists, then the lists, after the code of their type."""
    starts, numbers = [0], list[int]()
    for positions in position_lists:
        numbers += positions
        starts.append(len(numbers))
    code = "H" if max([*starts[-1:], *numbers], default=0) < 2**16 else "I"
    return code.encode() + array(code, starts + numbers).tobytes()


class StoredText:
    """The terms of a document with their positions, read from its row.

    `norms` has BM25's norm of the length of the headline and of the text.
    """

    def __init__(self, row: Sequence[Any]) -> None:
        """Take the id, the time, both lengths, the language, the terms and the postings."""
        self.article_id, self.published, headline, body, self.language, terms, postings = row
        self.terms = f"{SEPARATOR}{terms}{SEPARATOR}"
        self.start_count = self.terms.count(SEPARATOR)
        self.body_start = headline
        self.norms: dict[str, float] = {
            field: LENGTH_NORMS[field][0] + LENGTH_NORMS[field][1] * length
            for field, length in (("headline", headline), ("body", body))
        }
        self.numbers = array(chr(postings[0]), postings[1:])
        self.size = len(terms) + len(postings)

    def positions(self, term: str) -> Sequence[int]:
        """Return the positions of a term in all its fields; of a stem or spelling its count."""
        start = self.terms.find(f"{SEPARATOR}{term}{SEPARATOR}")
        return self._positions_at(start) if start >= 0 else ()

    def _positions_at(self, start: int) -> Sequence[int]:
        index = self.terms.count(SEPARATOR, 0, start)
        first, last = self.numbers[index : index + 2]
        return self.numbers[self.start_count + first : self.start_count + last]

    def field_positions(self, word: str) -> Iterator[tuple[str, Sequence[int]]]:
        """Yield the fields that have a word, with its positions in each."""
        positions = self.positions(word)
        split = bisect_left(positions, self.body_start)
        if split:
            yield "headline", positions[:split]
        if split < len(positions):
            yield "body", positions[split:]
        if names := self.positions(NAME + word):
            yield "names", names

    def with_prefix(self, prefix: str) -> Iterator[str]:
        """Yield the terms that start with a prefix."""
        start = self.terms.find(SEPARATOR + prefix) + 1
        while start:
            end = self.terms.index(SEPARATOR, start)
            yield self.terms[start:end]
            start = self.terms.find(SEPARATOR + prefix, end) + 1

    def joined_names(self, word: str) -> list[Phrase]:
        """Return the document's names that give a word without their apostrophe, as phrases."""
        terms = self.with_prefix(f"{JOINED}{word} ")
        return [tuple(term.split(" ")[1:]) for term in terms]

    def norm(self, field: str) -> float:
        """Return BM25's norm of the length of a field."""
        return self.norms.get(field, BM25_K1)
