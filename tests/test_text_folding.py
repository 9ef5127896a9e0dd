"""Words that readers consider equal fold to the same term."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spectator.text.words.folding import MAX_TOKEN_LENGTH, fold, tokens


def words(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


@pytest.mark.parametrize(
    ("written", "query"),
    [
        ("Ṣẹ́gun", "segun"),
        ("CÔTE", "cote"),
        ("ɓɗƙƴŋɛɔ ƁƊƘƳŊƐƆ", "bdkyneo bdkyneo"),
        ("Straße, œuvre", "strasse, oeuvre"),
        ("المُدَرِّسَة", "المدرسه"),
        ("أحمد إبراهيم آمال ٱلله", "احمد ابراهيم امال الله"),
        ("مـــصر", "مصر"),
        ("مستشفى", "مستشفي"),
        ("٢٠٢٤ ۲۰۲۴", "2024 2024"),
        ("İstanbul ı", "istanbul i"),
    ],
)
def test_spellings_of_one_word_fold_alike(written: str, query: str) -> None:
    assert fold(written) == fold(query) == query


@pytest.mark.parametrize("order", range(7))
def test_ethiopic_letters_that_sound_alike_fold_alike_with_every_vowel(order: int) -> None:
    for row in ("ሀሐኀ", "ሰሠ", "አዐ", "ጸፀ"):
        assert len({fold(chr(ord(first) + order)) for first in row}) == 1


def test_ethiopic_letters_that_sound_different_stay_different() -> None:
    assert len({fold(letter) for letter in "ሀሁሂሄህሆለሰአጸ"}) == 10
    assert fold("ሃይማኖት") == fold("ሀይማኖት") == fold("ሐይማኖት")
    assert fold("ዓለም") == fold("ኣለም") == fold("አለም")


def test_different_words_stay_different() -> None:
    assert len({fold(word) for word in ("ilu", "ile", "مصر", "مصري", "قطر", "ƙasa", "gasa")}) == 7


def test_apostrophes_and_hyphens_separate_words() -> None:
    assert words("Côte d’Ivoire Côte d'Ivoire") == ["cote", "d", "ivoire"] * 2
    assert words("Guinea-Bissau 'yan ʼyan snake_case") == [
        "guinea",
        "bissau",
        "yan",
        "yan",
        "snake",
        "case",
    ]


def test_combining_marks_do_not_split_a_word() -> None:
    assert words("ọ̀rọ̀ المُدَرِّسة") == ["oro", "المدرسه"]
    assert words("\u0301 \u064b") == []


def test_a_token_has_its_position_in_the_text() -> None:
    text = "«Ṣẹ́gun», 2nd ኀይል"
    assert [text[token.start : token.end] for token in tokens(text)] == ["Ṣẹ́gun", "2nd", "ኀይል"]


def test_a_long_word_is_cut() -> None:
    (token,) = tokens("é" * 1000)
    assert token == ("e" * MAX_TOKEN_LENGTH, 0, 1000)


@settings(deadline=None, max_examples=100)
@example("῁≠ᾀஔ")  # signs with marks, an iota below, a vowel of two signs
@given(st.text(st.characters(codec="utf-8") | st.sampled_from("ọ̀ẹŋƐـُةሐኀʼ_ﬁ½"), max_size=30))
def test_folding_is_idempotent_and_independent_of_the_normal_form(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    # Normalising replaces a few letters for good; from there on the forms agree.
    composed = unicodedata.normalize("NFC", text)
    assert fold(composed) == fold(unicodedata.normalize("NFD", text))
    end = 0
    for token in tokens(text):
        assert end <= token.start < token.end <= len(text)
        assert token.text == fold(text[token.start : token.end])[:MAX_TOKEN_LENGTH] != ""
        end = token.end


@pytest.mark.parametrize(
    "unit", ["a", "a ", "\u0301", "\u0323\u0301", "ሀ", "\ud800", "\x80", "ﷺ"]
)
def test_the_cost_is_linear(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.process_time()
    fold(text)
    list(tokens(text))
    assert time.process_time() - begin < 2
