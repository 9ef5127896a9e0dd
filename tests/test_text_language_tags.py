"""Language tags, and right-to-left scripts."""

from __future__ import annotations

import pytest

from spectator.text.words.language_tags import is_language_tag, text_dir


@pytest.mark.parametrize(
    "tag", ["en", "sw", "sw-KE", "ha-Arab", "pt-MZ", "pcm", "zh-Hans-CN", "es-419"]
)
def test_language_tags_are_recognized_by_their_form(tag: str) -> None:
    assert is_language_tag(tag)
    assert is_language_tag(tag.upper())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "e",
        "Arabic",
        "English",
        "en-",
        "-en",
        "en_GB",
        "en GB",
        "en\n",
        "ën",
        '"><b>',
        "en" + "-abcde" * 9,
    ],
)
def test_other_words_are_no_language_tags(text: str) -> None:
    assert not is_language_tag(text)


def test_no_text_takes_long_to_refuse() -> None:
    assert not is_language_tag("en-" + "a1-" * 300_000)
    assert text_dir("ar-" * 300_000) == "rtl"


@pytest.mark.parametrize(
    "language", ["ar", "AR-eg", "fa", "ur", "ckb", "ha-Arab", "ff-Adlm", "nqo"]
)
def test_right_to_left_languages(language: str) -> None:
    assert text_dir(language) == "rtl"


@pytest.mark.parametrize(
    "language", ["en", "ha", "am", "yo-NG", "ar-Latn", "ks-Deva", "ff", "", "?", "arn"]
)
def test_left_to_right_languages(language: str) -> None:
    assert text_dir(language) == "ltr"
