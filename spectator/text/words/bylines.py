"""Names in bylines: people, or desks and agencies."""

from __future__ import annotations

from spectator.text.words.folding import fold

_DESK_WORD_LIST = """
agence agencia agency bureau desk editorial editors newsroom newswire redacao redaction reporters
staff team
تحرير التحرير وكالة
"""
_AGENCIES = """
afp agence-france-presse anadolu ap associated-press bloomberg dpa efe lusa panapress reuters tass
xinhua
"""
DESK_WORDS = frozenset(map(fold, _DESK_WORD_LIST.split()))  # anywhere in a name
AGENCIES = frozenset(_AGENCIES.split())


def is_organization(name: str, *organizations: str) -> bool:
    """Return whether a byline is a desk, an agency or one of these organizations."""
    words = _words(name)
    is_named = "-".join(words) in AGENCIES or words in [
        _words(other) for other in organizations if other
    ]
    return is_named or not DESK_WORDS.isdisjoint(words)


def _words(name: str) -> list[str]:
    return "".join(char if char.isalnum() else " " for char in fold(name)).split()
