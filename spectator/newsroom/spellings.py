"""Answers to the question whether two spellings are one person or one topic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from spectator.publishing import SpellingAnswer
from spectator.publishing.spellings import SpellingChoice
from spectator.publishing.validation import MAX_NAMES

# `_spelling_questions.html` writes these values: field, choice, id of the existing name, new name.
_ANSWER_PATTERN = re.compile(
    r"(authors|topics)\|(rename|use|both)\|([0-9]{1,18})\|(.{1,200})", re.ASCII | re.DOTALL
)
MAX_ANSWERS = 2 * MAX_NAMES


def parse_answers(data: Mapping[str, str]) -> list[SpellingAnswer]:
    """Return the answers in a form; `publishing` decides which of them apply."""
    answers = []
    for number in range(1, MAX_ANSWERS + 1):
        match = _ANSWER_PATTERN.fullmatch(data.get(f"spelling-{number}", "")[:240])
        if match:
            field, choice, existing_id, name = match.groups()
            answers.append(
                SpellingAnswer(field, name, cast(SpellingChoice, choice), int(existing_id))
            )
    return answers
