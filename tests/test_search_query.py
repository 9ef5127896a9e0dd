"""Parsing of what a reader types into the search box."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectator.search.language.parser import parse_query
from spectator.search.language.query import Clause, FieldFilter, Query


def clauses(text: str) -> list[Clause]:
    return list(parse_query(text).clauses)


def word(text: str) -> Clause:
    return Clause((text,))


def test_words_are_folded() -> None:
    assert clauses("Ṣẹ́gun CÔTE") == [word("segun"), word("cote")]


def test_decomposed_and_composed_letters_are_the_same_word() -> None:
    assert clauses("Se\u0323\u0301gun e\u0301cole") == clauses("Ṣẹ́gun école".replace("Ṣ", "S"))


def test_punctuation_separates_words() -> None:
    assert clauses("Mali/Niger, 2024!") == [word("mali"), word("niger"), word("2024")]


@pytest.mark.parametrize("apostrophe", "'’‘ʼʻ`´′ʿ")
def test_a_name_with_an_apostrophe_is_consecutive_words_or_one_word(apostrophe: str) -> None:
    (clause,) = clauses(f"N{apostrophe}Djamena")
    assert (clause.words, clause.variants, clause.is_phrase) == (
        ("n", "djamena"),
        (("ndjamena",),),
        True,
    )
    assert str(clause) == "n'djamena"
    assert parse_query(f"N{apostrophe}Djamena").terms == {"djamena", "ndjamena"}
    (clause,) = clauses(f'"the Qur{apostrophe}an school"')
    assert (clause.words, clause.variants) == (
        ("the", "qur", "an", "school"),
        (("the", "quran", "school"),),
    )


@pytest.mark.parametrize(
    ("text", "words", "spellings"),
    [
        ("l'Afrique", ("afrique",), (("lafrique",),)),
        ("l'afrique", ("afrique",), ()),  # "d'une" is not "dune"
        ("aujourd'hui", ("aujourd", "hui"), (("aujourdhui",),)),
        ("Kenya's", ("kenya",), ()),
        ("N'Djamena's", ("n", "djamena"), (("ndjamena",),)),
        ("don't", ("don", "t"), ()),
        ("a'b'c'd'e", ("a", "b", "c", "d", "e"), ()),
    ],
)
def test_elided_articles_may_be_missing(
    text: str, words: tuple[str, ...], spellings: tuple[tuple[str, ...], ...]
) -> None:
    (clause,) = clauses(text)
    assert (clause.words, clause.variants) == (words, spellings)


def test_country_names_with_an_apostrophe_are_recognized() -> None:
    (clause,) = parse_query("Côte d'Ivoire").included
    assert clause.words == ("cote", "d", "ivoire")
    assert ("ivory", "coast") in clause.alternative_names


def test_quotes_make_a_phrase() -> None:
    assert clauses('"Burkina Faso" vote') == [Clause(("burkina", "faso")), word("vote")]


@pytest.mark.parametrize("text", ["“Burkina Faso”", "«Burkina Faso»", "„Burkina Faso“"])
def test_typographic_quotes_make_a_phrase_too(text: str) -> None:
    assert clauses(text) == [Clause(("burkina", "faso"))]


def test_a_phrase_has_at_most_eight_words() -> None:
    assert clauses('"a b c d e f g h i j"') == [Clause(tuple("abcdefgh"))]


def test_an_unclosed_quotation_mark_is_ignored() -> None:
    assert clauses('mali "burkina faso') == [word("mali"), word("burkina"), word("faso")]


def test_a_leading_minus_excludes() -> None:
    query = parse_query('talks -coup -"state of emergency" -covid-19 sub-saharan')
    assert query.included == (word("talks"), word("sub"), word("saharan"))
    assert query.excluded == (
        Clause(("coup",), is_excluded=True),
        Clause(("state", "of", "emergency"), is_excluded=True),
        Clause(("covid", "19"), is_excluded=True),
    )


def test_a_trailing_star_makes_a_prefix_of_three_letters_or_more() -> None:
    assert clauses("elec*") == [Clause(("elec",), is_prefix=True)]
    assert clauses("ele*") == [Clause(("ele",), is_prefix=True)]
    assert clauses("el*") == [word("el")]
    assert clauses("l'elec*") == [word("l"), Clause(("elec",), is_prefix=True)]
    assert clauses("*elec* *") == [Clause(("elec",), is_prefix=True)]
    assert clauses("e*lec") == [word("e"), word("lec")]


def test_an_excluded_prefix_is_one_word() -> None:
    assert parse_query("-elec*").excluded == (
        Clause(("elec",), is_prefix=True, is_excluded=True),
    )
    assert parse_query("-sub-elec*").excluded == (Clause(("sub", "elec"), is_excluded=True),)
    assert parse_query("-el*").excluded == (Clause(("el",), is_excluded=True),)


def test_only_dates_are_read_as_dates() -> None:
    query = parse_query("in:2024 vote")
    assert [condition.value for condition in query.filters] == ["2024"]
    assert (query.published_from, query.published_to) == (None, None)


def test_a_name_after_an_elided_word_may_be_one_word() -> None:
    (clause,) = clauses("\"fête de l'al'adha\"")
    assert clause.words == ("fete", "de", "l", "al", "adha")
    assert clause.variants == (("fete", "de", "l", "aladha"),)


def test_operators_of_other_engines_are_plain_words() -> None:
    assert clauses("NOT OR x") == [word("not"), word("or"), word("x")]
    assert clauses("[a TO b]") == [word("a"), word("to"), word("b")]
    assert clauses("body:mali^9") == [word("body"), word("mali"), word("9")]


def test_repeated_words_and_clauses_after_the_tenth_are_dropped() -> None:
    assert clauses("mali Mali MALI") == [word("mali")]
    assert len(clauses(" ".join(f"w{number}" for number in range(30)))) == 10


def test_only_two_hundred_characters_are_read() -> None:
    assert clauses("x" * 190 + " " + "y" * 9 + "z")[-1] == word("y" * 9)


def test_a_word_has_at_most_64_characters() -> None:
    assert clauses("x" * 100) == [word("x" * 64)]


def test_control_characters_separate_words_but_invisible_ones_do_not() -> None:
    assert clauses("ma\x00li ko\u200fre \ud800x\u202eabc") == [
        word(text) for text in ("ma", "li", "kore", "xabc")
    ]
    assert clauses("-in:poli\u00adtics")[0:] == [] == list(parse_query("-\u200bin:x").clauses)


def test_a_blank_query_differs_from_one_without_usable_words() -> None:
    assert parse_query("  \n") == Query((), is_blank=True)
    assert parse_query("*") == Query((), is_blank=False)
    assert parse_query("🎉") == Query((), is_blank=False)


def test_words_to_highlight() -> None:
    query = parse_query('Mali "Burkina Faso" elec* -coup')
    assert query.terms == {"mali", "burkina", "faso"}
    assert query.prefixes == ("elec",)


@given(st.text(max_size=400) | st.text(alphabet="ab \"-*'’é\u0301\u200f()[]~^:", max_size=400))
def test_any_text_becomes_a_query_of_limited_size(text: str) -> None:
    query = parse_query(text)
    assert len(query.clauses) <= 10
    for clause in query.clauses:
        assert 1 <= len(clause.words) <= 8
        assert all(1 <= len(clause_word) <= 64 for clause_word in clause.words)
        assert not clause.is_prefix or (len(clause.words) == 1 and len(clause.words[0]) >= 3)
    wanted = [word for clause in query.included for word in clause.words]
    assert wanted == [
        word for clause in query.clauses if not clause.is_excluded for word in clause.words
    ]
    assert set(query.excluded) <= set(query.clauses)


def test_filters_and_dates_are_parsed_among_words() -> None:
    query = parse_query('in:Politics by:"Aminata Diallo" vote BEFORE:2024-05 after:2023')
    assert query.filters == (
        FieldFilter("section", ("politics",)),
        FieldFilter("author", ("aminata", "diallo")),
    )
    assert query.clauses == (word("vote"),)
    assert (query.published_from, query.published_to) == (date(2023, 1, 1), date(2024, 4, 30))


@pytest.mark.parametrize("minus", "-−–")
def test_a_minus_before_a_filter_excludes(minus: str) -> None:
    query = parse_query(
        f'vote {minus}in:politics {minus}by:"Amina Diallo" {minus}before:2023 {minus}after:2024-05'
    )
    assert query.filters == (
        FieldFilter("section", ("politics",), True),
        FieldFilter("author", ("amina", "diallo"), True),
    )
    assert (query.published_from, query.published_to) == (date(2023, 1, 1), date(2024, 4, 30))
    assert query.clauses == (word("vote"),)


def test_of_several_dates_the_narrowest_range_is_used() -> None:
    query = parse_query("after:2020 after:2022 after:2021 before:2024 before:2025")
    assert (query.published_from, query.published_to) == (date(2022, 1, 1), date(2023, 12, 31))


def test_a_minus_before_an_invalid_date_excludes_its_words() -> None:
    assert parse_query("-before:dawn").excluded == (Clause(("before", "dawn"), is_excluded=True),)


def test_a_query_with_too_many_clauses_is_marked_as_truncated() -> None:
    assert not parse_query(" ".join("abcdefghij")).is_truncated
    assert parse_query(" ".join("abcdefghijk")).is_truncated


@pytest.mark.parametrize(
    "text",
    ["before:", "after:soon", "before:2024-13", "before:0000", "before:0001", "after:2023-02-30"],
)
def test_an_invalid_date_is_read_as_words(text: str) -> None:
    query = parse_query(text)
    assert query.published_from is query.published_to is None
    assert query.clauses == tuple(map(word, tokens_of(text)))


def tokens_of(text: str) -> list[str]:
    return text.replace(":", " ").replace("-", " ").split()


@pytest.mark.parametrize("text", ["in:", "-in:", "built-in:x", "within:reach"])
def test_a_colon_elsewhere_only_separates_words(text: str) -> None:
    assert parse_query(text).filters == ()


def test_a_country_name_has_its_other_names_as_alternatives() -> None:
    (clause,) = parse_query("ivory coast").included
    assert clause.words == ("ivory", "coast")
    assert ("cote", "d", "ivoire") in clause.alternative_names
    assert not clause.is_phrase
    assert parse_query('"ivory coast"').included == (Clause(("ivory", "coast")),)


def test_a_word_with_accents_keeps_its_exact_form() -> None:
    (clause,) = parse_query("Ṣẹ́gun").included
    assert (clause.words, clause.exact_spellings) == (("segun",), ("ṣẹ́gun",))
