"""Spelling corrections: of which words, to which words, and when they are suggested."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pytest

from spectator.search import SearchRequest
from spectator.search.language.spelling import suggest_spelling
from spectator.search.language.suggestions import suggest
from tests.search_engines import MakeIndex
from tests.search_samples import document


class Words:
    """Lexicon of words with the number of stories that have each."""

    offset = 9
    facet_counts: Mapping[str, Mapping[str, int]] = {
        "country": {"mali": 3, "malawi": 9, "south-africa": 1},
        "topic": {"mali-war": 2, "maliki": 2},
        "author": {"ngolo-kante": 1},
    }

    def __init__(self, frequencies: Mapping[str, int], names: Collection[str] = ()) -> None:
        self.frequencies = frequencies
        self.names = names
        self.calls: list[tuple[str, int]] = []

    def word_frequency(self, word: str) -> int:
        return self.frequencies.get(word, 0)

    def is_name_without_apostrophe(self, word: str) -> bool:
        return word in self.names

    def similar_words(self, word: str, distance: int) -> set[str]:
        """Return words of the same length that differ in at most `distance` letters."""
        self.calls.append((word, distance))
        return {
            other
            for other in self.frequencies
            if len(other) == len(word)
            and sum(a != b for a, b in zip(other, word, strict=True)) <= distance
        }

    def newest_ids_by_headline(
        self, word_lists: Sequence[Sequence[str]], limit: int
    ) -> list[int]:
        return [len(words) for words in word_lists][:limit]


def test_the_most_frequent_of_the_nearest_words_wins() -> None:
    words = Words({"bamako": 3, "bamoka": 5, "bamuku": 90})
    assert suggest_spelling(words, "bamoko") == "bamoka"
    assert suggest_spelling(Words({"bamako": 5, "bamoka": 5}), "bamoko") == "bamako"


@pytest.mark.parametrize(
    ("text", "distances"),
    [
        ("cat", []),
        ("cats", [1]),
        ("ballots", [1]),
        ("election", [1, 2]),
        ("x" * 20, [1, 2]),
        ("x" * 21, []),
    ],
)
def test_words_of_eight_to_twenty_letters_are_corrected_at_distance_two(
    text: str, distances: list[int]
) -> None:
    words = Words({})
    assert suggest_spelling(words, text) == ""
    assert words.calls == [(text, distance) for distance in distances]


def test_a_word_in_three_stories_is_not_corrected() -> None:
    assert suggest_spelling(Words({"mango": 3, "manga": 9}), "mango") == ""
    assert suggest_spelling(Words({"mango": 2, "manga": 9}), "mango") == "manga"


def test_a_name_without_its_apostrophe_is_correct() -> None:
    assert suggest_spelling(Words({"ngola": 9}), "ngolo") == "ngola"
    assert suggest_spelling(Words({"ngola": 9}, names={"ngolo"}), "ngolo") == ""


def test_only_the_first_four_words_are_corrected() -> None:
    words = Words({f"{letter}xxxx": 9 for letter in "abcdef"})
    assert suggest_spelling(words, "Axxxy,  bxxxy cxxxy; dxxxy exxxy!") == (
        "axxxx,  bxxxx cxxxx; dxxxx exxxy!"
    )


def test_only_plain_words_are_corrected() -> None:
    words = Words({"bamako": 9})
    for text in ('"bamoko river"', "-bamoko", "in:bamoko", "bamok*", "bamako"):
        assert suggest_spelling(words, text) == "", text
    assert suggest_spelling(words, 'in:politics bamoko "bamoko river"') != ""
    assert suggest_spelling(words, "x" * 199 + " bamoko") == ""


def test_suggestions_join_the_parts_of_a_name_and_take_eight_words() -> None:
    words = Words({})
    assert suggest(words, "n'golo kan", 5).articles == [3, 2]
    assert suggest(words, "golo kan", 5).articles == [2]
    assert suggest(words, "a " * 20, 5).articles == [8]
    assert suggest(words, "a", 5).articles == []
    assert suggest(words, "ab", 5).index_offset == suggest(words, "a", 5).index_offset == 9


def test_suggestions_rank_slugs_by_their_stories() -> None:
    words = Words({})
    assert suggest(words, "mal", 5).countries == ["malawi", "mali"]
    assert suggest(words, "mal", 1).countries == ["malawi"]
    assert suggest(words, "mal", 5).topics == ["mali-war", "maliki"]
    assert suggest(words, "africa so", 5).countries == ["south-africa"]
    assert suggest(words, "war mal", 5).topics == ["mali-war"]
    assert suggest(words, "ngo lo", 5).authors == ["ngolo-kante"]
    assert suggest(words, "kante ngo lo", 5).authors == ["ngolo-kante"]
    assert suggest(words, "alaw", 5).countries == []


def test_a_spelling_is_suggested_if_at_most_two_stories_match(make_index: MakeIndex) -> None:
    rare = [document("Report", "harbor x") for _ in range(3)]
    usual = [document("The harbour", "harbour x") for _ in range(5)]
    index = make_index()
    for number, suggestion in ((1, "harbour"), (2, "harbour"), (3, "")):
        index.rebuild([*rare[:number], *usual], 1)
        results = index.find(SearchRequest("harbor"))
        assert (results.total, results.suggestion) == (number, suggestion)
    index.rebuild([*rare[:1], document("The harbour", "another")], 1)
    assert index.find(SearchRequest("harbor")).suggestion == "", (
        "the corrected query has no more results"
    )
    index.rebuild([*rare[:1], *usual], 1)
    ids = frozenset(story.id for story in usual)
    assert index.find(SearchRequest("harbor", article_ids=ids)).suggestion == ""


def test_spelling_uses_headlines_and_names_but_no_other_first_letter(
    make_index: MakeIndex,
) -> None:
    index = make_index()
    bodies = [document("Report", "kaduna lagos bamako x") for _ in range(3)]
    index.rebuild([*bodies, document("In Bamako", names="Lagos")], 1)
    assert index.find(SearchRequest("bamoko")).suggestion == "bamako"
    assert index.find(SearchRequest("lagus")).suggestion == "lagos"
    assert index.find(SearchRequest("kadona")).suggestion == "", (
        "words of bodies are no corrections"
    )
    assert index.find(SearchRequest("damako")).suggestion == "", (
        "the first letter is never corrected"
    )
