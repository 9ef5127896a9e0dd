"""The order of results: BM25 over fields, then how close together the words are."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spectator.search import Document, Index, SearchRequest, open_index
from spectator.search.ranking import shortest_span
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


def ranked(index: Index, text: str, **fields: object) -> list[int]:
    return index.find(SearchRequest(text, **fields)).ids  # type: ignore[arg-type]


def test_headlines_weigh_more_than_names_and_names_more_than_bodies(build: Build) -> None:
    body = document("Of the coast", "a harbour " + "word " * 400)
    names = document("Of the coast", "a port " + "word " * 400, names="Harbour")
    headline = document("Of the harbour", "a port " + "word " * 400)
    assert ranked(build(headline, names, body), "harbour") == document_ids(headline, names, body)
    assert ranked(build(body, names, headline), "harbour") == document_ids(headline, names, body)


def test_more_mentions_rank_higher_with_diminishing_effect(build: Build) -> None:
    once, twice, often = (document("Report", "harbour " * n + "x " * (40 - n)) for n in (1, 2, 20))
    index = build(often, twice, once)
    assert ranked(index, "harbour") == document_ids(often, twice, once)
    # Two rare words, once each, beat one of them twenty times.
    both = document("Report", "harbour dredging " + "x " * 38)
    other = document("Report", "dredging " + "x " * 39)
    index = build(often, other, both)
    assert ranked(index, "harbour dredging lighthouse")[0] == both.id


def test_a_short_text_ranks_above_a_long_one(build: Build) -> None:
    long, short = document("Report", "harbour " + "x " * 900), document("Report", "harbour x")
    assert ranked(build(short, long), "harbour") == document_ids(short, long)
    long, short = document("harbour " + "x " * 30), document("harbour x")
    assert ranked(build(short, long), "harbour") == document_ids(short, long)


def test_a_rare_word_weighs_more_than_a_common_one(build: Build) -> None:
    common = [document("Report", "tariff and more") for _ in range(6)]
    rare = document("Report", "dredging and more")
    index = build(rare, *common)
    assert ranked(index, "tariff dredging xylophone")[0] == rare.id


def test_equal_scores_are_ordered_newest_first(build: Build) -> None:
    stories = [document("Harbour report", "the same text") for _ in range(4)]
    assert ranked(build(*stories), "harbour") == document_ids(*reversed(stories))
    assert ranked(build(*stories), "harbour", sort="oldest") == document_ids(*stories)
    assert ranked(build(*stories), "harbour", sort="newest") == document_ids(*reversed(stories))


def test_partial_matches_rank_by_the_number_of_matching_words(build: Build) -> None:
    one = document("Report", "harbour " * 9)
    two = document("Report", "harbour tariff " + "x " * 30)
    answer = build(one, two).find(SearchRequest("harbour tariff lighthouse"))
    assert (answer.mode, answer.ids) == ("any", document_ids(two, one))


def test_partial_matches_need_a_rare_word_if_the_query_has_one(build: Build) -> None:
    """Of 25 stories, more than a tenth have "words" and one has "harbour"."""
    story = document("Report", "harbour x")
    answer = build(story).find(SearchRequest("words harbour lighthouse"))
    assert answer.ids == [story.id]
    assert dict(answer.term_counts) == {"words": 24, "harbour": 1, "lighthouse": 0}
    answer = build(story).find(SearchRequest("words lighthouse"))
    assert answer.total == 24, "without a rarer word the common one counts"


def test_phrases_rank_by_field_and_count(build: Build) -> None:
    twice = document("Report", "free port x free port " + "x " * 20)
    once = document("Report", "free port x free x port " + "x " * 20)
    headline = document("A free port", "x " * 25)
    parted = document("Report", "free the port " * 9)
    index = build(headline, twice, once, parted)
    assert ranked(index, '"free port"') == document_ids(headline, twice, once)
    assert parted.id in ranked(index, "free port")


def test_adjacent_words_rank_above_distant_ones(build: Build) -> None:
    side_by_side = document("Report", "x " * 30 + "grain export " + "x " * 30)
    near = document("Report", "x " * 29 + "grain x x x export " + "x " * 28)
    far = document("Report", "grain " + "x " * 60 + " export")
    for order in ((side_by_side, near, far), (far, near, side_by_side)):
        assert ranked(build(*order), "grain export") == document_ids(side_by_side, near, far)


def test_only_the_best_hundred_are_ranked_by_distance(build: Build) -> None:
    apart = [document("Report", "grain x x x x x export") for _ in range(100)]
    side_by_side = document("Report", "grain export " + "x " * 800)
    index = build(side_by_side, *apart)
    answer = index.find(SearchRequest("grain export", per_page=100, page=2))
    assert answer.ids == [side_by_side.id]
    answer = build(side_by_side, *apart[1:]).find(SearchRequest("grain export", per_page=100))
    assert answer.ids[0] == side_by_side.id


@pytest.mark.parametrize(
    ("positions", "length"),
    [
        ([[0], [1]], 2),
        ([[5], [0]], 6),
        ([[0, 9], [4, 10]], 2),
        ([[0, 20], [10], [11, 30]], 11),
        ([[3], [4], [5]], 3),
        ([[0, 50, 100], [60, 99], [10, 61, 98]], 3),
    ],
)
def test_the_shortest_span_contains_a_position_of_each_word(
    positions: list[list[int]], length: int
) -> None:
    assert shortest_span(positions) == length


@pytest.mark.parametrize("language", ["fr", "en"])
def test_scores_are_those_of_bm25(build: Build, tmp_path: Path, language: str) -> None:
    """Robertson and Zaragoza (2009), with k1 = 1.2, b = 0.75 and lengths 10 and 400.

    "Zinc" is its own stem in English, and counts once.
    """
    story = document("Zinc and tin", "zinc zinc tin " + "x " * 97, names="Zinc", language=language)
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


def test_stems_and_exact_spellings_have_the_expected_weights(build: Build, tmp_path: Path) -> None:
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
