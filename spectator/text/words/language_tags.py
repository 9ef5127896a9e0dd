"""Language tags, and the direction of their text."""

from __future__ import annotations

import re
from functools import lru_cache

MAX_TAG_LENGTH = 35

# BCP 47 (RFC 5646, section 2.1) without the grandfathered tags: language, script, region, variants,
# extensions. Primary subtags of 4 to 8 letters are left out: none is registered, and "Arabic"
# would match.
_TAG = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{3}){0,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?",
    re.IGNORECASE,
)
_RTL_LANGUAGES = frozenset(
    "ar arc arz ary arq aeb apd ckb dv fa he khw ks lrc mzn nqo pnb prs ps sd syr ug ur yi".split()
)
_RTL_SCRIPTS = frozenset("adlm arab aran hebr mand nkoo rohg samr syrc thaa".split())


@lru_cache(maxsize=200)
def text_dir(language: str) -> str:
    """Return the direction of a language's text for the HTML attribute `dir`: "rtl" or "ltr".

    A script subtag decides ("ha-Arab" is rtl, "ks-Deva" ltr); otherwise the language's usual script
    does.
    """
    parts = language[:MAX_TAG_LENGTH].lower().replace("_", "-").split("-")
    script = next((part for part in parts[1:] if len(part) == 4 and part.isalpha()), "")
    is_rtl = script in _RTL_SCRIPTS if script else parts[0] in _RTL_LANGUAGES
    return "rtl" if is_rtl else "ltr"


def base_language(tag: str) -> str:
    """Return the language of a tag, without script and region: "fr" of "fr-SN"."""
    return tag.partition("-")[0].lower()


def is_language_tag(text: str) -> bool:
    """Return whether text is a BCP 47 language tag of at most 35 characters (RFC 5646, 4.4.1)."""
    return text.isascii() and len(text) <= MAX_TAG_LENGTH and _TAG.fullmatch(text) is not None
