"""Folding of words to one form, whatever their accents, case or homophone letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from spectator.text.words.normalization import normalize

MAX_TOKEN_LENGTH = 64
MAX_RUN_WORDS = 50

# Combining marks of Latin, Hebrew, Arabic, N'Ko, Ethiopic and Adlam. They are not word characters
# to `re`, which would split "ọ̀rọ̀".
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4"
    "\u06e7\u06e8\u06ea-\u06ed\u07eb-\u07f3\u07fd\u135d-\u135f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\U0001e944-\U0001e94a"
)
# Invisible characters that programs insert into words: soft hyphens and zero-width spaces for line
# breaks, joiners, direction marks, variation selectors.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
)
_INVISIBLE_RUN = re.compile(f"[{_INVISIBLE}]+")
# Thai, Lao, Myanmar and Khmer are written without spaces: between their letters a zero-width space
# ends a word.
_ZERO_WIDTH_SPACE = "\u200b"
_SPACELESS = re.compile(f"(?<=[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]){_ZERO_WIDTH_SPACE}")
_TOKEN = re.compile(rf"[\w{_MARKS}]+(?:[{_INVISIBLE}]++[\w{_MARKS}]++)*+")
# Straight, curly and modifier apostrophes, accents used as apostrophes, and modifier letters of
# transliterated Arabic (Qurʾan).
APOSTROPHES = "'’‘‛`´＇′ʼʻʽˈʹʾʿꞋꞌ"
_APOSTROPHES = frozenset(APOSTROPHES)
# These separate words, although `\w` has some of them, because modifier apostrophes are often typed
# as straight ones.
_SEPARATORS = str.maketrans(f"_{APOSTROPHES}", " " * (1 + len(APOSTROPHES)))

_LETTERS = dict(
    zip(
        "ɓɗƙƴŋɛɔɖɖƒɣʋɩɪʊəǝɲɦøłđŧħıªºþðٱىةیکگھہۀ",
        "b d k y n e o d d f g v i i u e e n h o l d t h i a o th d ا ي ه ي ك ك ه ه ه".split(),
        strict=True,
    )
) | {"æ": "ae", "œ": "oe"}
# In Unicode an Ethiopic consonant has a row of eight letters, one for each vowel (its orders).
_ROW_LENGTH = 8
_ETHIOPIC_ROWS = {0x1210: 0x1200, 0x1280: 0x1200, 0x1220: 0x1230, 0x12D0: 0x12A0, 0x1340: 0x1338}
# In two rows the first and the fourth letter sound the same in Amharic, and both are in use: ሀ ሃ,
# አ ኣ.
_ETHIOPIC_FOURTH = {0x1203: 0x1200, 0x12A3: 0x12A0}
_TATWEEL = "ـ"


class Token(NamedTuple):
    """A folded word of at most `MAX_TOKEN_LENGTH` characters, and its range in the text."""

    text: str
    start: int
    end: int


class _Folds(dict[int, str]):
    """A cache of folded forms, by code point."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_one(chr(code))
        return folded


def _fold_one(char: str) -> str:
    """Return the folded form of one character; nothing for a combining mark."""
    if char == _TATWEEL or _INVISIBLE_RUN.fullmatch(char):
        return ""
    if not char.isalnum():
        return _strip_marks(normalize(char, "NFD"))  # symbols have marks too (≠)
    # Strip marks first: casefolding would turn the iota below a Greek vowel into a letter.
    pieces = _strip_marks(normalize(char, "NFKD")).casefold()
    # Casefolding can produce characters with marks (ΐ), and compatibility forms can contain
    # symbols (½).
    pieces = _strip_marks(normalize(pieces, "NFKD")).replace(_TATWEEL, "")
    return "".join(
        _fold_letter(piece)
        for piece in pieces
        if piece.isalnum() or unicodedata.category(piece) == "Mc"
    )


def _strip_marks(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char) != "Mn")


def _fold_letter(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    code = ord(char)
    row = code - code % _ROW_LENGTH
    if row in _ETHIOPIC_ROWS:
        code = _ETHIOPIC_ROWS[row] + code % _ROW_LENGTH
    code = _ETHIOPIC_FOURTH.get(code, code)
    return _LETTERS.get(char, chr(code))


_FOLDS = _Folds()


def fold(text: str) -> str:
    """Return text without case, accents, tone marks, vowel signs or tatweel, for comparison.

    Latin letters of African languages become plain ones (ɓ b, ŋ n, ɛ e), Ethiopic homophones their
    usual row (ሐ ኀ ሀ, ሠ ሰ, ዐ አ, ፀ ጸ), forms of Arabic alef, yeh and heh one letter each, and decimal
    digits ASCII. The result is the same for NFC and NFD.
    """
    return text.lower() if text.isascii() else text.translate(_FOLDS)


def strip_invisible(text: str) -> str:
    """Return text without soft hyphens, zero-width spaces and other invisible characters."""
    return text if text.isascii() else _INVISIBLE_RUN.sub("", _space_word_breaks(text))


def _space_word_breaks(text: str) -> str:
    """Return text of the same length, with a space for each zero-width space that ends a word."""
    return _SPACELESS.sub(" ", text) if _ZERO_WIDTH_SPACE in text else text


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of a text. Apostrophes, hyphens and underscores separate words."""
    for match in _TOKEN.finditer(_space_word_breaks(text).translate(_SEPARATORS)):
        folded = fold(match[0])[:MAX_TOKEN_LENGTH]
        if folded:
            yield Token(folded, match.start(), match.end())


def word_runs(text: str) -> Iterator[tuple[Token, ...]]:
    """Yield the runs of a text: words with only an apostrophe between them, at most 50."""
    run: list[Token] = []
    for token in tokens(text):
        if run and (
            len(run) == MAX_RUN_WORDS or not _is_apostrophe(text[run[-1].end : token.start])
        ):
            yield tuple(run)
            run = []
        run.append(token)
    if run:
        yield tuple(run)


def _is_apostrophe(gap: str) -> bool:
    return gap in _APOSTROPHES or strip_invisible(gap) in _APOSTROPHES
