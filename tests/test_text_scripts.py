"""The script of a text, and whether its language is written in it."""

from __future__ import annotations

import pytest

from spectator.text.words.scripts import detect_script, mismatched_script

ARABIC = "وصل القارب إلى الميناء في الصباح الباكر بعد ليلة طويلة"
AMHARIC = "ጀልባው ጠዋት ወደብ ደረሰ ከረጅም ሌሊት በኋላ ሰዎች ተሰበሰቡ"
LATIN = "The boat reached the harbour in the morning."


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (ARABIC, "Arab"),
        (AMHARIC, "Ethi"),
        (LATIN, "Latn"),
        ("Ẹ̀bùn náà dé ní òwúrọ̀ kùtùkùtù lẹ́yìn òru gígùn", "Latn"),
        ("Лодка прибыла утром в порт города", "Cyrl"),
        (LATIN + " " + "كلمة", "Latn"),
        ("كلمة", ""),
        (LATIN + " " + ARABIC, ""),
        ("12345 %%% 67890 2026-11-29 " * 9, ""),
        ("", ""),
    ],
)
def test_the_script_of_most_letters_is_detected(text: str, script: str) -> None:
    assert detect_script(text) == script


@pytest.mark.parametrize(
    ("tag", "text", "script"),
    [
        ("en", ARABIC, "Arab"),
        ("en", AMHARIC, "Ethi"),
        ("ar", LATIN, "Latn"),
        ("am", LATIN, "Latn"),
        ("am", ARABIC, "Arab"),
        ("en-GB", ARABIC, "Arab"),
        ("ha-Latn", ARABIC, "Arab"),
        ("ha", ARABIC, ""),
        ("ha-Arab", ARABIC, ""),
        ("ar-EG", ARABIC, ""),
        ("ar-Latn", LATIN, ""),
        ("ti", AMHARIC, ""),
        ("yo", LATIN, ""),
        ("qaa", ARABIC, ""),
    ],
)
def test_a_script_that_the_language_does_not_use_is_reported(
    tag: str, text: str, script: str
) -> None:
    assert mismatched_script(tag, text) == script
