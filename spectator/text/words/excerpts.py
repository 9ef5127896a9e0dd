"""The beginning of a text, its length in words, and the time to read it."""

from __future__ import annotations

import re

WORDS_PER_MINUTE = 230
ELLIPSIS = "…"

# An end mark (Latin, Ethiopic, Arabic) and what may close behind it. A full stop counts after a word of three letters
# or more; shorter ones are mostly initials and titles: "J. K.", "Dr.", "U.S.".
_SENTENCE_END = re.compile(
    r"(?:([^\W\d_]{3,}|[\d%]+)[\"'”’»)\]]?\.|[!?።፧؟۔…])[.!?።፧؟۔…]*[\"'”’»)\]]*(?=\s|$)"
)
_LAST_CHARACTERS = ".!?።፧؟۔…\"'”’»)]"
_ABBREVIATIONS = frozenset(
    "gen col sgt capt maj cpl prof hon rev sen gov rep mrs msgr amb dept univ etc vol fig jan feb mar apr jun jul aug"
    " sep sept oct nov dec".split()
)
_WORD = re.compile(r"[^\W_][^\s፡—–…]*+")  # from its first letter to its end


def excerpt(text: str, limit: int = 220) -> str:
    """The beginning of a plain text on one line, at most `limit` characters, ellipsis included.

    Cut at the end of a sentence that fills at least half the room, otherwise after a word and with an ellipsis.
    """
    # Twice the limit, for a text of many line breaks; more would only be thrown away.
    start = " ".join(text[: 2 * limit + 100].split())
    if len(start) <= limit and len(text) <= 2 * limit + 100:
        return start
    if sentence := _last_sentence_end(start[: limit + 1], limit // 2):
        return start[:sentence]
    room = start[:limit]
    at_word = room.rfind(" ")
    cut = room[:at_word] if at_word > limit // 2 else room[:-1]
    return cut.rstrip(" ,;:.-–—፣፤፥،؛…") + ELLIPSIS


def _last_sentence_end(text: str, least: int) -> int:
    """The position after the last full sentence that a space follows; 0 if that is none, or before `least`."""
    end = text.rfind(" ")
    while end >= least and end > 0:
        begin = text.rfind(" ", 0, end) + 1
        if text[end - 1] in _LAST_CHARACTERS:
            found = _SENTENCE_END.search(text, begin, end)
            if found and (found[1] or "").lower() not in _ABBREVIATIONS:
                return end
        end = begin - 1
    return 0


def word_count(text: str) -> int:
    """The number of words in a plain text: what spaces, dashes or the Ethiopic word mark part and has a letter."""
    return len(_WORD.findall(text))


def reading_minutes(word_count: int) -> int:
    """Whole minutes to read that many words at 230 a minute (a usual figure for adults); at least 1."""
    return max(1, round(word_count / WORDS_PER_MINUTE))
