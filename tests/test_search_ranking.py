"""The order of results: BM25 over fields, then how close together the words are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spectator.search import Document, Index, SearchRequest
from spectator.search.relevance import shortest_span
from tests.search_engines import MakeIndex
from tests.search_samples import document, document_ids

Build = Callable[..., Index]
FILLER = [document("Nothing of note", "Some other words stand here.") for _ in range(24)]


@pytest.fixture
def build(make_index: MakeIndex) -> Build:
    """Return a function that makes an index of documents among two dozen others."""
    index = make_index()

    def rebuild(*documents: Document) -> Index:
        index.rebuild([*FILLER, *documents], 1)
        return index

    return rebuild


def ranked(index: Index, text: str, **fields: object) -> list[int]:
    return index.find(SearchRequest(text, **fields)).ids  # type: ignore[arg-type]


def test_headlines_weigh_more_than_names_and_names_more_than_bodies(build: Build) -> None:
    body = document("Of the coast", "a harbour " + "word " * 400)
    names = document("Of the coast", "a port " + "word " * 400, names="Harbour")
    headline = document("Of the harbour", "a port " + "word " * 400)
    assert ranked(build(headline, names, body), "harbour") == document_ids(headline, names, body)
    assert ranked(build(body, names, headline), "harbour") == document_ids(headline, names, body)


def test_more_mentions_rank_higher_with_diminishing_effect(build: Build) -> None:
    once, twice, often = (
        document("Report", "harbour " * n + "x " * (40 - n)) for n in (1, 2, 20)
    )
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
