"""The scores of the Whoosh engine: BM25, stems and exact spellings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spectator.search import Document, Index, SearchRequest, open_index
from spectator.search.language.parser import parse_query
from spectator.search.whoosh.generations import Generations
from spectator.search.whoosh.scoring import PostingLists
from spectator.search.whoosh.snapshot import open_snapshot
from tests.search_samples import document, document_ids

Build = Callable[..., Index]
FILLER = [document("Nothing of note", "Some other words stand here.") for _ in range(24)]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Return a function that makes an index of documents among two dozen others."""
    index = open_index(tmp_path / "search")

    def rebuild(*documents: Document) -> Index:
        index.rebuild([*FILLER, *documents], 1)
        return index

    yield rebuild
    index.close()


def ranked(index: Index, text: str) -> list[int]:
    return index.find(SearchRequest(text)).ids


@pytest.mark.parametrize("language", ["fr", "en"])
def test_scores_are_those_of_bm25(build: Build, tmp_path: Path, language: str) -> None:
    """Robertson and Zaragoza (2009), with k1 = 1.2, b = 0.75 and lengths 10 and 400.

    "Zinc" is its own stem in English, and counts once.
    """
    story = document(
        "Zinc and tin", "zinc zinc tin " + "x " * 97, names="Zinc", language=language
    )
    other = document("Other", "zinc", language=language)
    index = build(story, other)
    index.close()
    snapshot = open_snapshot(Generations(tmp_path / "search"))
    scores = PostingLists(snapshot).score_word("zinc")
    idf = math.log(1 + (26 - 2 + 0.5) / (2 + 0.5))

    def bm25(count: int, length: float) -> float:
        return idf * 2.2 * count / (count + 1.2 * (0.25 + 0.75 * length))

    wanted = 2.5 * bm25(1, 3 / 10) + bm25(2, 100 / 400) + 1.5 * idf * 2.2 * 1 / (1 + 1.2)
    assert scores[snapshot.document_numbers[story.id]] == pytest.approx(wanted, rel=1e-5)
    phrase = PostingLists(snapshot).score_phrase(["zinc", "tin"])
    idf += math.log(1 + (26 - 1 + 0.5) / (1 + 0.5))
    assert phrase == {
        snapshot.document_numbers[story.id]: pytest.approx(bm25(1, 100 / 400), rel=1e-5)
    }
    snapshot.close()


def test_stems_and_exact_spellings_have_the_expected_weights(
    build: Build, tmp_path: Path
) -> None:
    stemmed = document("Report", "mining x")
    exact = document("Report", "mıne élan x", language="fr")
    plain = document("Report", "elan x", language="fr")
    index = build(stemmed, exact, plain)
    assert ranked(index, "mines") == [stemmed.id], "English stems of English stories alone"
    assert ranked(index, "élan") == document_ids(exact, plain)
    assert ranked(index, "elan") == document_ids(plain, exact), "newest first, spelt either way"
    index.close()
    snapshot = open_snapshot(Generations(tmp_path / "search"))
    scores = PostingLists(snapshot).score_word("elan", ["élan"])
    first, second = (snapshot.document_numbers[story.id] for story in (exact, plain))
    idf = math.log(1 + (27 - 1 + 0.5) / (1 + 0.5))
    added = 0.6 * idf * 2.2 * 1 / (1 + 1.2)
    assert scores[first] > scores[second]
    plain_scores = PostingLists(snapshot).score_word("elan")
    assert scores[first] - plain_scores[first] == pytest.approx(added, rel=1e-5)
    snapshot.close()


def test_an_absent_form_of_a_common_word_is_not_rare(build: Build, tmp_path: Path) -> None:
    """No story has "markets", but its stem, "market", is a common word that is its own stem."""
    stories = [document("Report", "market x") for _ in range(20)]
    build(*stories).close()
    snapshot = open_snapshot(Generations(tmp_path / "search"))
    lists, number = PostingLists(snapshot), snapshot.document_numbers[stories[0].id]
    stemmed, plain = (lists.score_word(word)[number] for word in ("markets", "market"))
    assert stemmed == pytest.approx(0.4 * plain, rel=1e-5)
    snapshot.close()


def test_a_prefix_weighs_the_same_among_few_documents(build: Build, tmp_path: Path) -> None:
    stories = [document("Report", "election x") for _ in range(20)]
    build(*stories).close()
    snapshot = open_snapshot(Generations(tmp_path / "search"))
    lists, number = PostingLists(snapshot), snapshot.document_numbers[stories[0].id]
    [clause] = parse_query("elect*").included
    assert lists.narrow([number]).match(clause)[number] == lists.match(clause)[number]
    snapshot.close()
