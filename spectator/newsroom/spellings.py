"""What a person answered when the form asked whether two spellings are one person or one topic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from spectator.publishing import Spelling
from spectator.publishing.drafts import MAX_NAMES
from spectator.publishing.spellings import Choice

# `_spellings.html` writes these values: field, choice, id of the existing name, the new name.
_ANSWER = re.compile(r"(authors|topics)\|(rename|use|both)\|([0-9]{1,18})\|(.{1,200})", re.ASCII | re.DOTALL)
MOST_ANSWERS = 2 * MAX_NAMES


def answers_in(sent: Mapping[str, str]) -> list[Spelling]:
    """Return the answers that a form brings, whatever else it holds; `publishing` decides which of them fit."""
    answers = []
    for number in range(1, MOST_ANSWERS + 1):
        match = _ANSWER.fullmatch(sent.get(f"spelling-{number}", "")[:240])
        if match:
            field, choice, existing_id, name = match.groups()
            answers.append(Spelling(field, name, cast(Choice, choice), int(existing_id)))
    return answers
