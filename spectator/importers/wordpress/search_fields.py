"""Search titles and descriptions of Yoast SEO and Rank Math, with their variables."""

from __future__ import annotations

import re
from typing import NamedTuple

from spectator.importers.wordpress.elements import Item
from spectator.publishing.fields import FIELDS
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.excerpts import excerpt

TITLE_KEYS = ("_yoast_wpseo_title", "rank_math_title")
DESCRIPTION_KEYS = ("_yoast_wpseo_metadesc", "rank_math_description")
PICTURE_KEYS = ("_yoast_wpseo_opengraph-image", "rank_math_facebook_image")
PICTURE_ID_KEYS = ("_yoast_wpseo_opengraph-image-id", "rank_math_facebook_image_id")
_VARIABLE = re.compile(r"%%?(\w+)%%?")
_SEPARATORS = " -–—|·•»«:"


class SearchFields(NamedTuple):
    """The search title and description, and the address or number of the share picture."""

    title: str
    description: str
    picture_url: str
    picture_id: int


def search_fields(item: Item, headline: str, dek: str) -> SearchFields:
    """Return what SEO plugins know of a post; a title that equals the headline is none."""
    values = {"title": headline, "excerpt": dek, "excerpt_only": dek}
    title = _expand(_first(item, TITLE_KEYS), values)
    description = _expand(_first(item, DESCRIPTION_KEYS), values)
    number = _first(item, PICTURE_ID_KEYS)
    return SearchFields(
        "" if title == headline else excerpt(title, FIELDS["search_title"].limit),
        "" if description == dek else excerpt(description, FIELDS["search_description"].limit),
        _first(item, PICTURE_KEYS),
        int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0,
    )


def _first(item: Item, keys: tuple[str, ...]) -> str:
    return next((value.strip() for key in keys if (value := item.meta_value(key))), "")


def _expand(text: str, values: dict[str, str]) -> str:
    """Return a text with the variables of its post; others, such as the site's name, are empty."""
    if "%" not in text:
        return " ".join(plain_text(text).split())
    expanded = _VARIABLE.sub(lambda match: values.get(match[1].lower(), "|"), text)
    parts = (part.strip(_SEPARATORS) for part in plain_text(expanded).split("|"))
    return " | ".join(" ".join(part.split()) for part in parts if part)
