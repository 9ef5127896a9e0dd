"""Every use of Whoosh's internals, with a check that the installed release has them.

Whoosh promises none of this, and a release other than `EXPECTED_RELEASE` may differ:

- `leaf._terms`, a segment's terms: `indexed_field_names`, `items_from`, `term_info`, `_postfile`.
- `leaf.codec().postings_reader`: a posting list is a chain of blocks (`is_active`,
  `block_max_id`, `_next_block`). Each block (`_read_data`, `_data`) is a pickled tuple of document
  number deltas, weights and positions.
- The positions of a word in a document: four bytes with their number, then pickled deltas.
- `leaf._perdoc.deleted_docs`: the deleted documents of a segment.
- `whoosh.codec.base.Automata` and `leaf.cursor`: the words within an edit distance.
- The files `*.toc`, one for each commit, and `MAIN_WRITELOCK`.
"""

from __future__ import annotations

import logging
import os
import pickle
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, NamedTuple

import whoosh
from whoosh.codec.base import Automata
from whoosh.codec.whoosh3 import W3Codec
from whoosh.fields import ID, TEXT, Schema
from whoosh.index import create_in
from whoosh.reading import TermNotFound

from spectator.i18n import lazy_gettext
from spectator.search import EngineFaultError
from spectator.search.whoosh.budget import Budget

log = logging.getLogger(__name__)

EXPECTED_RELEASE = "Whoosh-Reloaded 2.7.5"
COMMIT_SUFFIX = ".toc"
WRITE_LOCK = "MAIN_WRITELOCK"

_COUNT_BYTES = 4
# Building four states of an automaton costs about as much as one step of the budget.
_STATES_PER_STEP = 4
_POSITIONS_PER_STEP = 500


class PostingBlock(NamedTuple):
    """A block of a posting list: document numbers in the index, frequencies, encoded positions."""

    documents: Sequence[int]
    frequencies: Sequence[float]
    positions: Sequence[bytes]


class PostingList(NamedTuple):
    """A word's posting list in one segment, whose document numbers start at `base`.

    It is read a block at a time; Whoosh's own matchers read one document after the other.
    """

    leaf: Any
    base: int
    field: str
    info: Any

    @property
    def document_frequency(self) -> int:
        """The number of documents in the segment with the word, including deleted ones."""
        return int(self.info.doc_frequency())

    def blocks(self, documents: Sequence[int] | None = None) -> Iterator[PostingBlock]:
        """Yield the blocks with at least one of these sorted documents; by default, every block.

        Skipped blocks are not unpacked.
        """
        leaf, base = self.leaf, self.base
        format_ = leaf.schema[self.field].format
        chain = leaf.codec().postings_reader(leaf._terms._postfile, self.info, format_)
        index = 0
        while chain.is_active():
            last = base + chain.block_max_id()
            if documents is None:
                yield _unpack_block(chain, base)
            elif index == len(documents):
                return
            elif documents[index] <= last:
                yield _unpack_block(chain, base)
                index = bisect_right(documents, last, index)
            chain._next_block()


def _unpack_block(chain: Any, base: int) -> PostingBlock:
    chain._read_data()
    deltas, weights, positions = chain._data
    # Whoosh stores equal weights as one float, and weights of 1 as None.
    if weights is None or isinstance(weights, float):
        weights = [1.0 if weights is None else weights] * len(deltas)
    documents = list(accumulate(deltas, initial=base))[1:]
    return PostingBlock(documents, weights, positions or ())


def posting_list(leaf: Any, base: int, field: str, word: str) -> PostingList | None:
    """Return the posting list of a word in one field of a segment, or None."""
    try:
        return PostingList(leaf, base, field, leaf._terms.term_info(field, word.encode()))
    except TermNotFound:
        return None


def posting_lists_with_prefix(
    leaf: Any, base: int, field: str, prefix: str
) -> Iterator[tuple[str, PostingList]]:
    """Yield the words of a field that start with a prefix, in order, with their posting lists."""
    start = prefix.encode()
    if field not in leaf._terms.indexed_field_names():
        return
    for (name, term), info in leaf._terms.items_from(field, start):
        if name != field or not term.startswith(start):
            return
        yield term.decode(), PostingList(leaf, base, field, info)


def position_steps(encoded: bytes) -> int:
    """Return the steps of the budget that decoding and comparing positions costs."""
    return int.from_bytes(encoded[:_COUNT_BYTES]) // _POSITIONS_PER_STEP


def decode_positions(encoded: bytes) -> list[int]:
    """Return a word's positions in a document, from 0. Faster than Whoosh's own decoder."""
    # Whoosh writes these pickles, and only this user may write to the index directory.
    return list(accumulate(pickle.loads(encoded[_COUNT_BYTES:])))  # noqa: S301


def deleted_documents(leaf: Any) -> Iterable[int]:
    """Return the document numbers of a segment that are deleted but still in its posting lists."""
    documents: Iterable[int] = leaf._perdoc.deleted_docs()
    return documents


def similar_words(
    leaves: Iterable[Any], fields: Sequence[str], word: str, distance: int, budget: Budget
) -> Iterator[str]:
    """Yield words of these fields within an edit distance that start with the same letter.

    All fields and segments share one automaton, because building it costs more than matching.
    """
    automaton = Automata.levenshtein_dfa(word, distance, prefix=1)
    budget.spend(len(automaton.transitions) // _STATES_PER_STEP)
    for leaf in leaves:
        for field in fields:
            cursor = leaf.cursor(leaf.schema[field].spelling_fieldname(field))
            yield from Automata.find_matches(automaton, _BudgetedCursor(cursor, budget))


class _BudgetedCursor:
    """A cursor over terms that spends the budget, and reports the end once that is exhausted."""

    def __init__(self, cursor: Any, budget: Budget) -> None:
        self._cursor = cursor
        self._budget = budget

    def text(self) -> str | None:
        """Return the word at the cursor, or None at the end."""
        word: str | None = None if self._budget.is_exhausted else self._cursor.text()
        return word

    def find(self, word: str) -> None:
        """Move to the first word that is not before `word`."""
        if self._budget.spend():
            self._cursor.find(word)


def check_layout() -> None:
    """Raise EngineFaultError if the installed Whoosh lacks the expected internals."""
    if fault := layout_fault():
        raise EngineFaultError(fault)


def layout_fault() -> str:
    """Return one sentence if the installed Whoosh lacks the expected internals, else "".

    A process checks this once, in about 10 ms, by writing and reading a small index. While the
    temporary directory cannot be written, no fault is reported, and the next call checks again.
    """
    try:
        has_layout = _has_layout()
    except OSError:
        return ""
    return "" if has_layout else str(_FAULT)


@cache
def _has_layout() -> bool:
    try:
        sample = _read_sample()
    except OSError:
        raise
    except Exception as error:
        sample = {"error": repr(error)}
    if sample != _SAMPLE:
        log.error("%s The sample index was read as: %s", _FAULT, sample)
    return sample == _SAMPLE


_FAULT = lazy_gettext(
    "Search is off because the installed Whoosh %(version)s does not store an index like "
    "%(expected)s; run `.venv/bin/pip install --require-hashes -r requirements.txt` and restart "
    "the site.",
    version=whoosh.versionstring(),
    expected=EXPECTED_RELEASE,
)
_SAMPLE_TEXTS = ("mali vote mali", "vote", "niger mali", "mali accra malo")
_SAMPLE = {
    "blocks": [([0, 2], [2.0, 1.0], [[0, 2], [1]]), ([3], [1.0], [[0]])],
    "blocks with document 3": [[3]],
    "single posting": [[2]],
    "absent": None,
    "prefix": ["mali", "malo"],
    "deleted": [1],
    "similar": {"mali", "malo"},
    "commits": 1,
    "has lock": True,
}


def _read_sample() -> dict[str, Any]:
    """Write a small index with blocks of two documents, delete one, and read it like a search."""
    with tempfile.TemporaryDirectory() as directory:
        index = create_in(directory, Schema(id=ID(unique=True), body=TEXT(phrase=True)))
        with index.writer(codec=W3Codec(blocklimit=2), compound=False) as writer:
            for number, text in enumerate(_SAMPLE_TEXTS):
                writer.add_document(id=str(number), body=text.split())
        index.delete_by_term("id", "1")
        files = os.listdir(directory)
        with index.reader() as reader:
            [(leaf, base)] = reader.leaf_readers()
            return {
                **_read_sample_leaf(leaf, base),
                "commits": sum(name.endswith(COMMIT_SUFFIX) for name in files),
                "has lock": WRITE_LOCK in files,
            }


def _read_sample_leaf(leaf: Any, base: int) -> dict[str, Any]:
    mali, niger = (
        PostingList(leaf, base, "body", leaf._terms.term_info("body", word))
        for word in (b"mali", b"niger")
    )
    return {
        "blocks": [
            (
                block.documents,
                list(block.frequencies),
                list(map(decode_positions, block.positions)),
            )
            for block in mali.blocks()
        ],
        "blocks with document 3": [block.documents for block in mali.blocks([3])],
        "single posting": [block.documents for block in niger.blocks()],
        "absent": posting_list(leaf, base, "body", "malis"),
        "prefix": [word for word, _ in posting_lists_with_prefix(leaf, base, "body", "mal")],
        "deleted": list(deleted_documents(leaf)),
        "similar": set(similar_words([leaf], ["body"], "malu", 1, Budget())),
    }
