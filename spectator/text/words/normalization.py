"""Normalization of text: allowed characters, line ends, Unicode form."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

MAX_MARKS = 30

# Word processors write a line break within a paragraph as a vertical tab. Form feeds, information
# separators and Unicode's own separators stand between words, too.
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# Control characters, lone surrogates, the byte order mark and noncharacters. They mean nothing in a
# text, and XML (in feeds) or UTF-8 does not allow most of them.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufdd0-\ufdef\ufffe\uffff]+"
)
# The text between "<", ">" and "=". NFC would compose these three with a combining mark after them:
# "<p>" and a combining solidus would become "<p≯", which is no tag.
_NOT_SYNTAX = re.compile("[^<>=]+")


def _combining_marks(end: int) -> str:
    """Return the combining marks below a code point, for a character class.

    A mark is a character that a normal form may reorder. Also returned are characters that are no
    marks but decompose to marks, such as U+0F73.
    """
    return "".join(
        chr(code)
        for code in range(0x300, end)
        if unicodedata.combining(unicodedata.normalize("NFKD", chr(code))[0])
    )


# There are no such marks from U+1F000 on.
_TOO_MANY_MARKS = re.compile(
    f"([{_combining_marks(0x1F000)}]{{{MAX_MARKS}}})[{_combining_marks(0x1F000)}]++"
)
# A cheap first test, which takes every character from U+10000 on for a mark: `re` looks up a class
# in a table, ten times as fast, if it has only one range from there on.
_PERHAPS_TOO_MANY_MARKS = re.compile(
    f"[{_combining_marks(0x10000)}\U00010000-\U0001f000]{{{MAX_MARKS + 1}}}"
)


def normalize(text: str, form: Literal["NFC", "NFD", "NFKD"] = "NFC") -> str:
    """Return text in a normal form of Unicode, with at most 30 combining marks in a row. Linear."""
    return text if text.isascii() else unicodedata.normalize(form, _limit_marks(text))


def _limit_marks(text: str) -> str:
    """Return text without the marks after the first 30 of a run.

    That is the bound of the Stream-Safe Text Format (UAX #15). Sorting a run takes quadratic time,
    and no other thread runs meanwhile.
    """
    return _TOO_MANY_MARKS.sub(r"\1", text) if _PERHAPS_TOO_MANY_MARKS.search(text) else text


def normalize_text(text: str) -> str:
    r"""Return text in NFC, with \n as its only line end and without forbidden characters.

    A letter keeps 30 combining marks. Safe on HTML: marks never join with `<`, `>` or `=`.
    Idempotent, linear.
    """
    text = _FORBIDDEN.sub("", _LINE_ENDS.sub("\n", text))
    if text.isascii():
        return text
    text = _limit_marks(text)
    if unicodedata.is_normalized("NFC", text):
        return text
    return _NOT_SYNTAX.sub(lambda part: unicodedata.normalize("NFC", part[0]), text)
