"""Excerpts of texts, word counts and reading times."""

from __future__ import annotations

import re

WORDS_PER_MINUTE = 230
ELLIPSIS = "…"

# An end mark (Latin, Ethiopic, Arabic) and the closing quotes after it. A full stop needs a number
# or a word of at least three letters before it, because shorter words are mostly initials and
# titles: "J. K.", "Dr.", "U.S.".
_SENTENCE_END = re.compile(
    r"(?:([^\W\d_]{3,}|[\d%]+)[\"'”’»)\]]?\.|[!?።፧؟۔…])[.!?።፧؟۔…]*[\"'”’»)\]]*(?=\s|$)"
)
_LAST_CHARACTERS = ".!?።፧؟۔…\"'”’»)]"
_ABBREVIATIONS = frozenset(
    "gen col sgt capt maj cpl prof hon rev sen gov rep mrs msgr amb dept univ etc vol fig"
    " jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_WORD = re.compile(r"[^\W_][^\s፡—–…]*+")  # from its first letter to its end


def excerpt(text: str, limit: int = 220) -> str:
    """Return the start of a plain text on one line, at most `limit` characters.

    It is cut after a sentence that fills at least half of the limit, otherwise after a word, with
    an ellipsis.
    """
    window = 2 * limit + 100  # more than the limit, because white space is collapsed
    start = " ".join(text[:window].split())
    if len(text) <= window and len(start) <= limit:
        return start
    if sentence := _last_sentence_end(start[: limit + 1], limit // 2):
        return start[:sentence]
    start = start[:limit]
    word_end = start.rfind(" ")
    # A very long word is cut, one character early to leave room for the ellipsis.
    cut = start[:word_end] if word_end > limit // 2 else start[:-1]
    return cut.rstrip(" ,;:.-–—፣፤፥،؛…") + ELLIPSIS


def _last_sentence_end(text: str, minimum: int) -> int:
    """Return the end of the last sentence that a space follows; 0 if none ends after `minimum`."""
    end = text.rfind(" ")
    while end >= minimum and end > 0:
        begin = text.rfind(" ", 0, end) + 1
        if text[end - 1] in _LAST_CHARACTERS:
            match = _SENTENCE_END.search(text, begin, end)
            if match and (match[1] or "").lower() not in _ABBREVIATIONS:
                return end
        end = begin - 1
    return 0


def word_count(text: str) -> int:
    """Return the number of words, separated by white space, dashes, ellipses or the mark `፡`."""
    return len(_WORD.findall(text))


def reading_minutes(word_count: int) -> int:
    """Return the reading time in minutes, at 230 words a minute (usual for adults); at least 1."""
    return max(1, round(word_count / WORDS_PER_MINUTE))
