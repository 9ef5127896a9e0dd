"""The script that a text is written in, and the scripts that a language is written in."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

SAMPLE_LENGTH = 20_000  # in characters
MIN_LETTERS = 20  # fewer are not conclusive
MIN_SHARE = 0.6  # of all letters, for the script of a text

# Codes of ISO 15924, by the first word of a character's Unicode name.
_CODES = {
    "LATIN": "Latn",
    "ARABIC": "Arab",
    "ETHIOPIC": "Ethi",
    "CYRILLIC": "Cyrl",
    "GREEK": "Grek",
    "HEBREW": "Hebr",
    "NKO": "Nkoo",
    "TIFINAGH": "Tfng",
    "ADLAM": "Adlm",
    "VAI": "Vaii",
    "COPTIC": "Copt",
    "CJK": "Hani",
    "DEVANAGARI": "Deva",
    "ARMENIAN": "Armn",
    "GEORGIAN": "Geor",
    "SYRIAC": "Syrc",
    "THAANA": "Thaa",
}
SCRIPT_NAMES = {
    "Latn": "Latin",
    "Arab": "Arabic",
    "Ethi": "Ethiopic",
    "Cyrl": "Cyrillic",
    "Grek": "Greek",
    "Hebr": "Hebrew",
    "Nkoo": "N’Ko",
    "Tfng": "Tifinagh",
    "Adlm": "Adlam",
    "Vaii": "Vai",
    "Copt": "Coptic",
    "Hani": "Chinese",
    "Deva": "Devanagari",
    "Armn": "Armenian",
    "Geor": "Georgian",
    "Syrc": "Syriac",
    "Thaa": "Thaana",
}
_LATIN = (
    "aa af ak bem bm cs da de dyu ee en es et fi fon fr ga ha hu id ig is it kg ki kr lg ln lt"
    " luo lv mg mos mt nb nd nl nn no nr nso ny om pcm pl pt rn ro rw sg sk sl sn so sq ss st sv"
    " sw tn tr ts tw ve vi wo xh yo zu"
)
_SCRIPTS: dict[str, frozenset[str]] = {
    **{tag: frozenset({"Latn"}) for tag in _LATIN.split()},
    **{
        tag: frozenset({"Arab"})
        for tag in "ar arc ary arq arz aeb apd ckb dv fa ks ps sd ug ur".split()
    },
    # Also written in Arabic script (Ajami).
    **{tag: frozenset({"Latn", "Arab"}) for tag in "ha kr mg so sw wo yo ff".split()},
    **{tag: frozenset({"Latn", "Tfng", "Arab"}) for tag in "ber kab tzm rif shi zgh".split()},
    **{tag: frozenset({"Ethi"}) for tag in "am ti tig gez byn".split()},
    **{tag: frozenset({"Ethi", "Latn"}) for tag in "om aa sid wal".split()},
    **{tag: frozenset({"Cyrl"}) for tag in "be bg kk ky mk mn ru uk".split()},
    "ff": frozenset({"Latn", "Adlm", "Arab"}),
    "nqo": frozenset({"Nkoo"}),
    "vai": frozenset({"Vaii", "Latn"}),
    "el": frozenset({"Grek"}),
    "he": frozenset({"Hebr"}),
    "yi": frozenset({"Hebr"}),
    "zh": frozenset({"Hani"}),
    "hi": frozenset({"Deva"}),
    "hy": frozenset({"Armn"}),
    "ka": frozenset({"Geor"}),
    "dv": frozenset({"Thaa"}),
}
_VARIANTS = {"aran": "Arab", "hans": "Hani", "hant": "Hani", "syrc": "Syrc"}


def detect_script(text: str) -> str:
    """Return the script (ISO 15924) of most letters of a text; "" if there is no clear one."""
    letters = Counter(map(_letter_script, filter(str.isalpha, text[:SAMPLE_LENGTH])))
    if letters.total() < MIN_LETTERS:
        return ""
    script, count = letters.most_common(1)[0]
    return script if count >= MIN_SHARE * letters.total() else ""


@lru_cache(4096)
def _letter_script(letter: str) -> str:
    return _CODES.get(unicodedata.name(letter, "").partition(" ")[0], "")


def language_scripts(tag: str) -> frozenset[str]:
    """Return the scripts that a language is written in; none if it is unknown.

    A script subtag decides: "ha-Arab" is written in Arabic script alone.
    """
    first, *rest = tag.lower().split("-")
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), "")
    if script:
        return frozenset({_VARIANTS.get(script, script.title())})
    return _SCRIPTS.get(first, frozenset())


def mismatched_script(tag: str, text: str) -> str:
    """Return the script of a text if its language is not written in it, else ""."""
    script, expected = detect_script(text), language_scripts(tag)
    return script if script and expected and script not in expected else ""
