"""Languages have names that readers know."""

from __future__ import annotations

import pytest

from spectator.formats import tag_problem
from spectator.text.words.languages import (
    canonical_tag,
    language_choices,
    language_name,
)
from spectator.text.words.scripts import language_scripts


@pytest.mark.parametrize(
    ("tag", "name"),
    [("ha", "Hausa"), ("HA", "Hausa"), ("ha-Arab", "Hausa (Arab)"), ("tlh", "tlh"), ("", "")],
)
def test_language_names_are_in_english(tag: str, name: str) -> None:
    assert language_name(tag) == name


@pytest.mark.parametrize(
    "tag", ["en", "pt-BR", "ha-Arab", "pcm", "zh-Hans-CN", "EN", "qaa", "vai"]
)
def test_valid_tags_have_no_problem(tag: str) -> None:
    assert tag_problem(tag) == ""


@pytest.mark.parametrize(
    ("tag", "better"),
    [
        ("Arabic", "ar"),
        ("arabic", "ar"),
        ("العربية", "ar"),
        ("ara", "ar"),
        ("en_US", "en-US"),
        ("eng_gb", "en-GB"),
        ("Nigerian Pidgin", "pcm"),
        ("english", "en"),
    ],
)
def test_the_right_tag_is_suggested(tag: str, better: str) -> None:
    assert tag_problem(tag).endswith(f"Use “{better}”.")


@pytest.mark.parametrize(
    "tag", ["xx", "zz-ZZ", "x", "e", "Klingonese", "en--us", "<b>", "en-" + "a1-" * 20]
)
def test_other_invalid_tags_get_an_example(tag: str) -> None:
    assert "is not a language tag. Use a tag such as" in tag_problem(tag)


def test_an_empty_tag_is_refused() -> None:
    assert tag_problem("") == "Choose a language."


@pytest.mark.parametrize(
    ("tag", "canonical"),
    [
        ("EN", "en"),
        ("pt-br", "pt-BR"),
        ("HA-ARAB", "ha-Arab"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("en-x-AB", "en-x-ab"),
    ],
)
def test_tags_have_a_canonical_spelling(tag: str, canonical: str) -> None:
    assert canonical_tag(tag) == canonical


def test_choices_have_valid_tags_and_are_sorted_by_name() -> None:
    choices = language_choices()
    assert [tag for tag, _ in choices if tag_problem(tag) or canonical_tag(tag) != tag] == []
    assert [name for _, name in choices] == sorted(name for _, name in choices)
    assert [tag for tag, _ in choices if not language_scripts(tag)] == []
