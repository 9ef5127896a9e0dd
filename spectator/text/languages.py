"""Languages by their English names, for those that stories from Africa and about it are written in."""

from __future__ import annotations

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
    """The English name of a BCP 47 tag's language, with the rest of the tag in brackets; an unknown tag as it is."""
    first, _, rest = tag.partition("-")
    name = _NAMES.get(first.lower())
    if name is None:
        return tag
    return f"{name} ({rest})" if rest else name
