"""The files that an imported body shows: their addresses, and what stands there in the end.

An importer converts a body, fetches or copies the files of `media_urls`, and calls `replace_media`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from spectator.i18n import gettext
from spectator.text.html.blocks import exact_tokens
from spectator.text.html.editor_notes import editor_note
from spectator.text.html.tokenizer import Tag, parse_attributes

MEDIA_ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "img": ("src",),
    "audio": ("src",),
    "video": ("src", "poster"),
    "source": ("src",),
    "track": ("src",),
    "a": ("href",),
}
# Links to such files are part of the story, links to pages are not.
FILE = re.compile(
    r"[^?#]+\.(?:jpe?g|png|gif|webp|avif|pdf|mp3|m4a|ogg|oga|wav|aac|flac|mp4|m4v|webm|ogv|mov)"
    r"(?:[?#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_DATA = re.compile(r"\s*data:", re.IGNORECASE)
_INLINE_TYPE = re.compile(r"\s*(data:[\w/+.-]{0,60})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A stored file: its URL on this site, and a picture's size in pixels, 0 if unknown."""

    url: str
    width: int = 0
    height: int = 0


def tag_html(tag: Tag, attributes: Mapping[str, str]) -> str:
    """Return the source of a start tag with these attributes."""
    written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    return f"<{tag.name}{written}>"


def rewrite_tags(html: str, rewrite: Callable[[Tag], str]) -> str:
    """Return HTML in which every tag is what `rewrite` returns for it; linear."""
    return "".join(
        rewrite(token) if isinstance(token, Tag) else token for token in exact_tokens(html)
    )


def media_urls(html: str) -> tuple[str, ...]:
    """Return the addresses of all files that a body shows or links to, each once and in order.

    Links count if their address ends like that of a picture, a PDF, a recording or a film.
    """
    urls: dict[str, None] = {}
    for token in exact_tokens(html):
        if isinstance(token, Tag) and not token.is_end and token.name in MEDIA_ATTRIBUTES:
            attributes = parse_attributes(token)
            for name in MEDIA_ATTRIBUTES[token.name]:
                url = attributes.get(name, "").strip()
                if url and not _DATA.match(url) and (token.name != "a" or FILE.fullmatch(url)):
                    urls.setdefault(url)
    return tuple(urls)


def missing_picture(source: str, alt: str = "") -> str:
    """Return the sentence about a picture that could not be imported; `source` is its address."""
    inline = _INLINE_TYPE.match(source)
    words = f"{inline[1] if inline else source} {alt}".strip()
    return gettext("Picture missing: %(source)s", source=words)


def note_data_pictures(html: str, report: Callable[[str], object] = str) -> str:
    """Return HTML with a note to editors for each picture whose bytes are in its address.

    `report` is called with the text of each.
    """

    def rewrite(tag: Tag) -> str:
        if tag.name != "img" or "data:" not in tag.attributes.lower():
            return tag.raw
        attributes = parse_attributes(tag)
        url = attributes.get("src", "")
        if not _DATA.match(url):
            return tag.raw
        sentence = missing_picture(url, attributes.get("alt", ""))
        report(sentence)
        return editor_note(sentence)

    return rewrite_tags(html, rewrite) if "data:" in html.lower() else html


def replace_media(html: str, files: Mapping[str, MediaFile | None]) -> str:
    """Return a body with the stored files, by their former addresses.

    None stands for a file that is missing: a picture becomes a note to editors, anything else keeps
    its address. So do the files that are not in the mapping.
    """

    def rewrite(tag: Tag) -> str:
        names = () if tag.is_end else MEDIA_ATTRIBUTES.get(tag.name, ())
        if not names:
            return tag.raw
        attributes = parse_attributes(tag)
        changes: dict[str, str] = {}
        for name in names:
            url = attributes.get(name, "").strip()
            file = files.get(url)
            if file is not None:
                changes |= _stored_attributes(tag.name, name, file)
            elif url in files and tag.name == "img":
                return editor_note(missing_picture(url, attributes.get("alt", "")))
        return tag_html(tag, attributes | changes) if changes else tag.raw

    return rewrite_tags(html, rewrite)


def _stored_attributes(tag_name: str, name: str, file: MediaFile) -> dict[str, str]:
    size = {"width": file.width, "height": file.height} if tag_name == "img" else {}
    return {name: file.url} | {key: str(value) for key, value in size.items() if value}
