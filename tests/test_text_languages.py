"""Languages have names that readers know."""

from __future__ import annotations

import pytest

from spectator.text.words.languages import (
    canonical_tag,
    language_choices,
    language_name,
    tag_problem,
)
from spectator.text.words.scripts import language_scripts


@pytest.mark.parametrize(
    ("tag", "name"),
    [("ha", "Hausa"), ("HA", "Hausa"), ("ha-Arab", "Hausa (Arab)"), ("tlh", "tlh"), ("", "")],
)
def test_names(tag: str, name: str) -> None:
    assert language_name(tag) == name


@pytest.mark.parametrize("tag", ["en", "pt-BR", "ha-Arab", "pcm", "zh-Hans-CN", "EN", "qaa", "vai"])
def test_good_tags(tag: str) -> None:
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
def test_what_was_meant_is_named(tag: str, better: str) -> None:
    assert tag_problem(tag).endswith(f"Use “{better}”.")


@pytest.mark.parametrize(
    "tag", ["xx", "zz-ZZ", "x", "e", "Klingonese", "en--us", "<b>", "en-" + "a1-" * 20]
)
def test_bad_tags_are_told_what_a_tag_looks_like(tag: str) -> None:
    assert "is not a language tag. Use a tag such as" in tag_problem(tag)


def test_a_language_has_to_be_chosen() -> None:
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
def test_tags_have_one_spelling(tag: str, canonical: str) -> None:
    assert canonical_tag(tag) == canonical


def test_every_choice_is_a_good_tag_and_they_stand_by_name() -> None:
    choices = language_choices()
    assert [tag for tag, _ in choices if tag_problem(tag) or canonical_tag(tag) != tag] == []
    assert [name for _, name in choices] == sorted(name for _, name in choices)
    assert [tag for tag, _ in choices if not language_scripts(tag)] == []
