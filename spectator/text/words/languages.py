"""Languages of stories from and about Africa, by their English names."""

from __future__ import annotations

from spectator.text.words.language_tags import is_language_tag

_NAMES = {
    "aa": "Afar",
    "af": "Afrikaans",
    "ak": "Akan",
    "am": "Amharic",
    "ar": "Arabic",
    "bem": "Bemba",
    "ber": "Berber",
    "bm": "Bambara",
    "de": "German",
    "dyu": "Dyula",
    "ee": "Ewe",
    "en": "English",
    "es": "Spanish",
    "ff": "Fula",
    "fon": "Fon",
    "fr": "French",
    "ha": "Hausa",
    "ig": "Igbo",
    "it": "Italian",
    "kab": "Kabyle",
    "kg": "Kongo",
    "ki": "Kikuyu",
    "kr": "Kanuri",
    "lg": "Luganda",
    "ln": "Lingala",
    "luo": "Luo",
    "mg": "Malagasy",
    "mos": "Mooré",
    "nd": "Northern Ndebele",
    "nl": "Dutch",
    "nqo": "N’Ko",
    "nr": "Southern Ndebele",
    "nso": "Northern Sotho",
    "ny": "Chichewa",
    "om": "Oromo",
    "pcm": "Nigerian Pidgin",
    "pt": "Portuguese",
    "rn": "Kirundi",
    "rw": "Kinyarwanda",
    "sg": "Sango",
    "sn": "Shona",
    "so": "Somali",
    "ss": "Swazi",
    "st": "Southern Sotho",
    "sw": "Swahili",
    "ti": "Tigrinya",
    "tn": "Tswana",
    "ts": "Tsonga",
    "tw": "Twi",
    "ve": "Venda",
    "wo": "Wolof",
    "xh": "Xhosa",
    "yo": "Yoruba",
    "zh": "Chinese",
    "zu": "Zulu",
}


def language_name(tag: str) -> str:
    """Return the English name of a tag, with subtags in brackets; an unknown tag unchanged."""
    first, _, rest = tag.partition("-")
    name = _NAMES.get(first.lower())
    if name is None:
        return tag
    return f"{name} ({rest})" if rest else name


# Codes of ISO 639-1, which BCP 47 prefers to longer ones (RFC 5646, section 2.2.1).
_TWO_LETTERS = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs"
    " cu cv cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha"
    " he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn"
    " ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb"
    " nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd"
    " se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw"
    " ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu".split()
)
# Three-letter codes that people type for languages with a shorter one.
_TWO_LETTER_CODES = {
    "ara": "ar",
    "eng": "en",
    "fra": "fr",
    "fre": "fr",
    "por": "pt",
    "spa": "es",
    "deu": "de",
    "ger": "de",
    "swa": "sw",
    "hau": "ha",
    "amh": "am",
    "yor": "yo",
    "ibo": "ig",
    "orm": "om",
    "tir": "ti",
    "som": "so",
    "kin": "rw",
    "zul": "zu",
    "xho": "xh",
    "zho": "zh",
    "chi": "zh",
    "afr": "af",
    "wol": "wo",
    "lin": "ln",
}
_TAGS = {name.casefold(): tag for tag, name in _NAMES.items()}
NATIVE_NAMES = {
    "العربية": "ar",
    "français": "fr",
    "francais": "fr",
    "português": "pt",
    "portugues": "pt",
    "kiswahili": "sw",
    "አማርኛ": "am",
    "ትግርኛ": "ti",
    "español": "es",
    "deutsch": "de",
    "isizulu": "zu",
    "isixhosa": "xh",
}


def language_choices() -> list[tuple[str, str]]:
    """Return the (tag, name) pairs that a form offers, sorted by name."""
    return sorted(_NAMES.items(), key=lambda language: language[1])


def canonical_tag(tag: str) -> str:
    """Return a tag in its recommended case (RFC 5646, section 2.1.1): pt-BR, ha-Arab."""
    first, *rest = tag.split("-")
    parts = [first.lower()]
    for part in rest:
        after_singleton = len(parts[-1]) == 1  # in an extension, such as u-ca or x-fr
        if len(part) == 2 and not after_singleton:
            parts.append(part.upper())
        elif len(part) == 4 and part.isalpha() and not after_singleton:
            parts.append(part.title())
        else:
            parts.append(part.lower())
    return "-".join(parts)


def is_usable_tag(tag: str) -> bool:
    """Return whether text is a language tag with the shortest code of its language."""
    first = tag.lower().partition("-")[0]
    is_known = len(first) == 3 or first in _TWO_LETTERS
    return is_language_tag(tag) and is_known and first not in _TWO_LETTER_CODES


def suggest_tag(tag: str) -> str:
    """Return the tag for a language's name, another code or a wrong separator; "" if unknown."""
    name = tag.strip().casefold()
    if name in _TAGS or name in NATIVE_NAMES:
        return _TAGS.get(name) or NATIVE_NAMES[name]
    rewritten = tag.strip().replace("_", "-")
    first = rewritten.lower().partition("-")[0]
    rewritten = _TWO_LETTER_CODES.get(first, first) + rewritten[len(first) :]
    is_good = rewritten != tag and is_usable_tag(rewritten)
    return canonical_tag(rewritten) if is_good else ""
