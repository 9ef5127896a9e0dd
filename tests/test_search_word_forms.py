"""Words match with or without invisible characters and apostrophes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectator.search import Index, SearchRequest
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.apostrophes import joinable_names
from spectator.text.words.folding import APOSTROPHES, Token, fold, tokens, word_runs
from spectator.text.words.snippets import highlight, snippet
from tests.cases import case_text
from tests.search_engines import MakeIndex
from tests.search_samples import document, document_ids, search_ids

INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0f"


def stories(case: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in case_text(case).splitlines()]


CASES = [
    document(story["headline"], plain_text(story["body"]), published_at=document("").published_at)
    for name in ("2026-11/04-invisible-characters.jsonl", "2026-11/05-apostrophe-names.jsonl")
    for story in stories(name)
]
PDF, PAGE, CHAD = CASES
FARMER = document(
    "Ng'ombe thefts in Ndjamena",
    "Mkulima wa ng’ombe; a Quran reader in Sanaa.",
    authors=("ngolo-kante",),
)
FOOTBALL = document("N’Golo wins", "Golo is a town and n is a letter.", section="sport")
KANTE = document("Kante retires", "The player left the field.", section="sport")
FRENCH = document(
    "La vie d'une ville", "L'Oréal s'installe à l'est; c'est d’Almeida qui parle.", language="fr"
)
ENGLISH = document("Over the dune", "They don't; it is the dont of the list, lest we forget.")
STORIES = [*CASES, FARMER, FOOTBALL, KANTE, FRENCH, ENGLISH]


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> Index:
    index = make_index()
    index.rebuild(STORIES, 7)
    return index


def marked_words(pieces: list[tuple[str, bool]]) -> list[str]:
    return [piece for piece, is_match in pieces if is_match]


@pytest.mark.parametrize(
    "text",
    [
        "democratizationqq",
        "demo\u00adcra\u00adtizationqq",
        "democra*",
        '"the democratizationqq of"',
    ],
)
def test_soft_hyphens_split_no_words(index: Index, text: str) -> None:
    assert search_ids(index, text) == set(document_ids(PDF))
    results = index.find(SearchRequest(text))
    [hit] = [
        marked
        for marked in marked_words(highlight(PDF.body, results.terms, results.prefixes))
        if len(marked) > 3
    ]
    assert fold(hit) == "democratizationqq"


@pytest.mark.parametrize(
    "text", ["cabinetqq", "parliamentqq", "senateqq", "tribunalqq", "cabi\u200bnetqq"]
)
def test_zero_width_characters_split_no_words(index: Index, text: str) -> None:
    assert search_ids(index, text) == set(document_ids(PAGE))
    assert fold(
        marked_words(snippet(PAGE.body, index.find(SearchRequest(text)).terms))[0]
    ) == text.replace("\u200b", "")


@pytest.mark.parametrize("apostrophe", ["", *"'’‘ʼʻ`´ʾ"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("N_Djamena", {CHAD.id, FARMER.id}),
        ("n_djamena", {CHAD.id, FARMER.id}),
        ("N_Zerekore", {CHAD.id}),
        ("Qur_an", {CHAD.id, FARMER.id}),
        ('"Qur_an school"', {CHAD.id}),
        ("shi_ite", {CHAD.id}),
        ("Sana_a", {CHAD.id, FARMER.id}),
        ("ng_ombe", {FARMER.id}),
        ("N_Golo Kante", {CHAD.id}),
        ("L_Oréal", {FRENCH.id}),
        ("D_Almeida", {FRENCH.id}),
    ],
)
def test_names_are_found_with_or_without_any_apostrophe(
    index: Index, name: str, expected: set[int], apostrophe: str
) -> None:
    text = name.replace("_", apostrophe)
    assert search_ids(index, text) == expected
    if " " not in text:
        assert search_ids(index, f"-{text}") == set(document_ids(*STORIES)) - expected


def test_a_name_with_an_apostrophe_is_searched_as_one_word(index: Index) -> None:
    """A letter before an apostrophe alone is no match."""
    assert index.find(SearchRequest("N'Golo Kante")).ids == [CHAD.id]
    results = index.find(SearchRequest("N'Golo retires"))
    assert (results.mode, set(results.ids)) == ("any", {CHAD.id, FOOTBALL.id, KANTE.id})
    assert dict(results.term_counts) == {"n'golo": 2, "retires": 1}


def test_elided_articles_are_not_joined_to_the_word(index: Index) -> None:
    assert (
        search_ids(index, "dune")
        == search_ids(index, "dont")
        == search_ids(index, "lest")
        == set(document_ids(ENGLISH))
    )
    assert (
        search_ids(index, "d'une ville")
        == search_ids(index, "l'est")
        == set(document_ids(FRENCH))
    )


def test_a_name_with_an_apostrophe_is_highlighted_as_a_whole(index: Index) -> None:
    terms = index.find(SearchRequest("Quran")).terms
    assert marked_words(snippet(CHAD.body, terms)) == ["Qur’an"]
    assert marked_words(highlight("The Qur’an's Quran: qur, an", terms)) == ["Qur’an", "Quran"]
    assert marked_words(highlight("N'Djamena", (), ("ndja",))) == ["N'Djamena"]


@pytest.mark.parametrize("text", ["ndja", "N'Djam", "ng’ombe th", "ngombe", "nG‘om"])
def test_suggestions_match_names_with_or_without_apostrophe(index: Index, text: str) -> None:
    assert index.suggest(text).articles == document_ids(FARMER)


@pytest.mark.parametrize("text", ["n'golo", "ngolo", "N’Gol"])
def test_suggestions_find_authors_with_an_apostrophe(index: Index, text: str) -> None:
    assert index.suggest(text).authors == ["ngolo-kante"]
    assert index.suggest(text).articles == document_ids(FOOTBALL)


@pytest.mark.parametrize("text", ["by:N'Golo", 'by:"ngolo kante"', 'by:"N’Golo Kante"'])
def test_author_filters_match_names_with_an_apostrophe(index: Index, text: str) -> None:
    assert search_ids(index, text) == set(document_ids(FARMER))


def test_spelling_does_not_correct_a_known_name(index: Index) -> None:
    assert index.find(SearchRequest("Ndjamena talks")).suggestion == ""


def test_similar_stories_ignore_invisible_characters(index: Index) -> None:
    others = [document("A vote", "The cabi\u200bnet met the sena\u00adte.") for _ in range(3)]
    index.apply({story.id: story for story in others}, 8)
    plain = document("Another vote", "Cabinet and senate.")
    assert {story.id for story in index.more_like_this(plain)} >= set(document_ids(*others))
    index.apply(dict.fromkeys(document_ids(*others)), 9)


@given(st.text(alphabet="abé ሀ" + INVISIBLE, max_size=30))
def test_invisible_characters_do_not_change_the_words_of_a_text(text: str) -> None:
    plain = text.translate(dict.fromkeys(map(ord, INVISIBLE)))
    assert [token.text for token in tokens(text)] == [token.text for token in tokens(plain)]
    for token in tokens(text):
        assert fold(text[token.start : token.end]) == token.text


def test_a_zero_width_space_ends_words_of_scripts_without_spaces() -> None:
    assert [token.text for token in tokens("กา\u200bมา")] == ["กา", "มา"]


@given(st.text(alphabet="abN " + APOSTROPHES, max_size=30))
def test_word_runs_contain_all_words_in_order(text: str) -> None:
    assert [token for run in word_runs(text) for token in run] == list(tokens(text))


class CountedRun(tuple[Token, ...]):
    """A run of words that counts the words copied from it."""

    copied = 0

    def __getitem__(self, index: Any) -> Any:
        words = super().__getitem__(index)
        self.copied += len(words) if isinstance(index, slice) else 1
        return words


@pytest.mark.parametrize("text", ["l'" * 2000, "d'N'" * 1000])
def test_a_long_run_of_elisions_is_copied_once(text: str) -> None:
    run = CountedRun(tokens(text))
    list(joinable_names(run, text))
    assert run.copied <= len(run) + 20


def test_a_run_has_at_most_fifty_words() -> None:
    assert max(len(run) for run in word_runs("l'" * 200)) == 50
