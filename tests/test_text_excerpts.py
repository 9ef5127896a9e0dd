"""Excerpts end at a sentence or word in every script; words are counted as readers do."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.text.words.excerpts import (
    _ABBREVIATIONS,
    _SENTENCE_END,
    _last_sentence_end,
    excerpt,
    reading_minutes,
    word_count,
)


def test_a_short_text_is_its_own_excerpt_on_one_line() -> None:
    assert excerpt(" One.\n\nTwo\tthree. ") == "One. Two three."


def test_an_excerpt_ends_after_the_last_sentence_that_fits() -> None:
    assert excerpt("The vote is over. The count has begun. Nobody knows more.", 45) == (
        "The vote is over. The count has begun."
    )


@pytest.mark.parametrize(
    "sentence", ["ሰላም ለዓለም ሁሉ።", "ماذا حدث اليوم؟", "He said: “Never again.”", "Ó ti parí!"]
)
def test_sentences_end_in_every_script(sentence: str) -> None:
    result = excerpt(f"{sentence} " * 40, 100)
    assert result.endswith(sentence)
    assert 50 <= len(result) <= 100


def test_an_abbreviation_ends_no_sentence() -> None:
    assert excerpt(
        "The chairman of the commission, Gen. J. K. Okoro of Abuja, left early", 50
    ).endswith("Okoro…")


def test_an_excerpt_without_a_sentence_that_fits_ends_after_a_word() -> None:
    assert excerpt("alpha beta, gamma delta", 14) == "alpha beta…"


def test_a_sentence_may_fill_just_half_of_the_limit() -> None:
    assert excerpt("It rained. Nobody knows more", 20) == "It rained."
    assert excerpt("It rains. Nobody knows more", 20) == "It rains. Nobody…"


def test_text_without_spaces_is_cut_anywhere() -> None:
    assert excerpt("ሀ" * 500) == "ሀ" * 219 + "…"


@settings(deadline=None, max_examples=60)
@given(st.text(st.sampled_from("ab .።؟\n\u0301é\u2028-…"), max_size=300), st.integers(10, 60))
def test_an_excerpt_is_one_line_within_the_limit(text: str, limit: int) -> None:
    result = excerpt(text, limit)
    assert len(result) <= limit
    assert result == " ".join(result.split())
    assert " ".join(text.split()).startswith(result.removesuffix("…"))


def test_only_words_with_letters_or_digits_are_counted() -> None:
    assert word_count("") == word_count(" — … !? \n") == 0
    assert word_count("Côte d’Ivoire won 2–1 – again") == 6
    assert word_count("ሰላም፡ለዓለም ሁሉ።") == 3
    assert word_count("ọ̀rọ̀ kan") == 2


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("aé9_ .—–…፡\xa0\u0301'!") | st.characters(), max_size=60))
def test_the_word_count_equals_that_of_splitting_the_text(text: str) -> None:
    words = re.split(r"[\s፡—–…]+", text)
    assert word_count(text) == sum(any(char.isalnum() for char in word) for word in words)


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("ab9Gen. \"”!…።%'"), max_size=120))
def test_the_last_sentence_end_equals_that_of_a_forward_search(text: str) -> None:
    start = " ".join(text.split())[:61]
    ends = [
        end
        for end in _SENTENCE_END.finditer(start)
        if (end[1] or "").lower() not in _ABBREVIATIONS
    ]
    last = max((end.end() for end in ends if end.end() < len(start)), default=0)
    assert _last_sentence_end(start, 30) == (last if last >= 30 else 0)


def test_reading_takes_at_least_a_minute() -> None:
    assert [reading_minutes(words) for words in (0, 230, 690, 10_000)] == [1, 1, 3, 43]


@pytest.mark.parametrize("unit", [".", "'", "a", "a.", " ", "ሀ", "\u0301", "\x80", ".' "])
def test_the_cost_is_linear(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.process_time()
    word_count(text)
    excerpt(text)
    assert time.process_time() - begin < 2
