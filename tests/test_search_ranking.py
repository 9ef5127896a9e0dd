"""The order of results: BM25 over fields, then how close together the words are.

Equal scores are ordered newest first, and `document` dates each document after the one before. So
most tests create first the document that must lead: in a tie it would come last.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from spectator.search import Document, Index, SearchRequest
from spectator.search.relevance import shortest_span
from tests.search_engines import MakeIndex
from tests.search_samples import document, document_ids

FillIndex = Callable[..., Index]
FILLER = [document("Nothing of note", "Some other words stand here.") for _ in range(24)]
# No document has this word, so a query with it shows partial matches.
ABSENT = "xylophone"


@pytest.fixture
def fill_index(make_index: MakeIndex) -> FillIndex:
    """Return a function that replaces the contents of one index with FILLER and its arguments."""
    index = make_index()

    def fill(*documents: Document) -> Index:
        index.rebuild([*FILLER, *documents], offset=1)
        return index

    return fill


def ranked_ids(index: Index, text: str, **options: object) -> list[int]:
    return index.find(SearchRequest(text, **options)).ids  # type: ignore[arg-type]


def test_headlines_weigh_more_than_names_and_names_more_than_bodies(
    fill_index: FillIndex,
) -> None:
    """The lengths favour the body, which would come first if the fields had equal weights."""
    headline = document("Of the harbour " + "and " * 17)
    names = document("Of the coast", names="Harbour")
    body = document("Of the coast", "a harbour " + "word " * 100)
    expected = document_ids(headline, names, body)
    assert ranked_ids(fill_index(headline, names, body), "harbour") == expected
    assert ranked_ids(fill_index(body, names, headline), "harbour") == expected


def test_more_mentions_rank_higher(fill_index: FillIndex) -> None:
    often, twice, once = (
        document("Report", "harbour " * n + "x " * (40 - n)) for n in (20, 2, 1)
    )
    index = fill_index(often, twice, once)
    assert ranked_ids(index, "harbour") == document_ids(often, twice, once)


def test_further_mentions_add_less_and_less(fill_index: FillIndex) -> None:
    """Twenty mentions of one word weigh less than a mention of each of two words."""
    both = document("Report", "harbour lighthouse " + "x " * 38)
    often = document("Report", "harbour " * 20 + "x " * 20)
    other = document("Report", "lighthouse " + "x " * 39)
    index = fill_index(often, other, both)
    assert ranked_ids(index, f"harbour lighthouse {ABSENT}") == document_ids(both, often, other)


def test_a_short_text_ranks_above_a_long_one(fill_index: FillIndex) -> None:
    short, long = document("Report", "harbour x"), document("Report", "harbour " + "x " * 900)
    assert ranked_ids(fill_index(short, long), "harbour") == document_ids(short, long)
    short, long = document("harbour x"), document("harbour " + "x " * 30)
    assert ranked_ids(fill_index(short, long), "harbour") == document_ids(short, long)


def test_a_rare_word_weighs_more_than_a_less_rare_one(fill_index: FillIndex) -> None:
    """Both words count: less than a tenth of the stories have each, and each is its own stem."""
    rare = document("Report", "harbour and more")
    less_rare = [document("Report", "tariff and more") for _ in range(2)]
    index = fill_index(rare, *less_rare)
    expected = document_ids(rare, *reversed(less_rare))
    assert ranked_ids(index, f"tariff harbour {ABSENT}") == expected


def test_equal_scores_are_ordered_newest_first(fill_index: FillIndex) -> None:
    stories = [document("Harbour report", "the same text") for _ in range(4)]
    assert ranked_ids(fill_index(*stories), "harbour") == document_ids(*reversed(stories))
    assert ranked_ids(fill_index(*stories), "harbour", sort="oldest") == document_ids(*stories)
    assert ranked_ids(fill_index(*stories), "harbour", sort="newest") == document_ids(
        *reversed(stories)
    )


def test_partial_matches_rank_by_the_number_of_matching_words(fill_index: FillIndex) -> None:
    """The story with one of the words has it so often that its score alone would be higher."""
    two = document("Report", "harbour tariff " + "x " * 30)
    one = document("Harbour harbour", "harbour " * 9)
    result = fill_index(two, one).find(SearchRequest(f"harbour tariff {ABSENT}"))
    assert (result.mode, result.ids) == ("any", document_ids(two, one))


def test_partial_matches_need_a_rare_word_if_the_query_has_one(fill_index: FillIndex) -> None:
    """More than a tenth of the stories have "words" (the 24 of FILLER), one has "harbour"."""
    story = document("Report", "harbour x")
    index = fill_index(story)
    result = index.find(SearchRequest(f"words harbour {ABSENT}"))
    assert result.ids == [story.id]
    assert dict(result.term_counts) == {"words": 24, "harbour": 1, ABSENT: 0}
    result = index.find(SearchRequest(f"words {ABSENT}"))
    assert result.total == 24, "without a rarer word the common one counts"


def test_phrases_rank_by_field_and_count(fill_index: FillIndex) -> None:
    headline = document("A free port", "x " * 25)
    twice = document("Report", "free port x free port " + "x " * 21)  # as long as the next
    once = document("Report", "free port x free x port " + "x " * 20)
    not_adjacent = document("Report", "free the port " * 9)
    index = fill_index(headline, twice, once, not_adjacent)
    assert ranked_ids(index, '"free port"') == document_ids(headline, twice, once)
    assert not_adjacent.id in ranked_ids(index, "free port")


def test_adjacent_words_rank_above_distant_ones(fill_index: FillIndex) -> None:
    side_by_side = document("Report", "x " * 30 + "grain export " + "x " * 30)
    near = document("Report", "x " * 29 + "grain x x x export " + "x " * 28)
    far = document("Report", "grain " + "x " * 60 + " export")
    for order in ((side_by_side, near, far), (far, near, side_by_side)):
        assert ranked_ids(fill_index(*order), "grain export") == document_ids(
            side_by_side, near, far
        )


def test_only_the_best_hundred_are_ranked_by_distance(fill_index: FillIndex) -> None:
    """The long text has the lowest score. It leads only if it is one of the first hundred."""
    apart = [document("Report", "grain x x x x x export") for _ in range(100)]
    side_by_side = document("Report", "grain export " + "x " * 800)
    index = fill_index(side_by_side, *apart)
    assert ranked_ids(index, "grain export", per_page=100, page=2) == [side_by_side.id]
    index = fill_index(side_by_side, *apart[1:])
    assert ranked_ids(index, "grain export", per_page=100)[0] == side_by_side.id


@pytest.mark.parametrize(
    ("position_lists", "length"),
    [
        ([[0], [1]], 2),
        ([[5], [0]], 6),
        ([[0, 9], [4, 10]], 2),
        ([[0, 20], [10], [11, 30]], 11),
        ([[3], [4], [5]], 3),
        ([[0, 50, 100], [60, 99], [10, 61, 98]], 3),
    ],
)
def test_length_of_the_shortest_span_with_a_position_of_each_word(
    position_lists: list[list[int]], length: int
) -> None:
    assert shortest_span(position_lists) == length


def test_every_word_of_a_countrys_name_counts(fill_index: FillIndex) -> None:
    often = document("Report", "ivory " * 20 + "coast " + "x " * 19)
    once = document("Report", "ivory coast " + "x " * 38)
    index = fill_index(often, once)
    assert ranked_ids(index, "ivory coast") == document_ids(often, once)
