"""Languages have names that readers know."""

from __future__ import annotations

import pytest

from spectator.newsroom.stories import LANGUAGES
from spectator.text.languages import language_name


@pytest.mark.parametrize(
    ("tag", "name"), [("ha", "Hausa"), ("HA", "Hausa"), ("ha-Arab", "Hausa (Arab)"), ("tlh", "tlh"), ("", "")]
)
def test_names(tag: str, name: str) -> None:
    assert language_name(tag) == name


def test_what_editors_choose_from_has_the_same_names() -> None:
    assert [(tag, language_name(tag)) for tag, _ in LANGUAGES] == list(LANGUAGES)
