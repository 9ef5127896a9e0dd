"""The tags of a body: addresses of files, credits of pictures, footnotes, players, scripts."""

from __future__ import annotations

import re

from spectator.importers.body_media import FILE, MEDIA_ATTRIBUTES, tag_html
from spectator.importers.wordpress.body_context import Attachment, Conversion
from spectator.importers.wordpress.footnotes import footnote_id, read_footnotes
from spectator.importers.wordpress.galleries import credit_html, picture_id
from spectator.importers.wordpress.picture_urls import absolute_url, original_url, picture_stem
from spectator.text.html.blocks import exact_tokens
from spectator.text.html.tokenizer import Tag, parse_attributes

# Attributes in which plugins that load pictures late keep the address.
_LATE_SOURCES = (
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-orig-file",
    "data-large-file",
)
# Elements whose tags and content are left out, and whose end tag is looked for.
_DROPPED = re.compile(r"<(script|style)(?=[\s/>])", re.IGNORECASE)
# Elements without anything to read, which the sanitizer leaves out.
_SILENT = frozenset("form input button select textarea canvas applet".split())
_YOUTUBE_PLAYER = re.compile(
    r"https?://(?:www\.)?youtube(?:-nocookie)?\.com/v/([\w-]{6,20})", re.ASCII
)
_DATA = re.compile(r"\s*data:", re.IGNORECASE)


def drop_scripts(html: str, conversion: Conversion) -> str:
    """Return HTML without scripts and styles; one that never ends stays, for the sanitizer."""
    out: list[str] = []
    at, endless = 0, set[str]()
    for match in _DROPPED.finditer(html):
        name = match[1].lower()
        if match.start() < at or name in endless:
            continue
        end = re.compile(rf"</{name}[^>]*+>", re.IGNORECASE).search(html, match.end())
        if not end:
            endless.add(name)
            continue
        out.append(html[at : match.start()])
        at = end.end()
        conversion.removed[f"<{name}>"] += 1
    return "".join(out) + html[at:]


def convert_tags(html: str, conversion: Conversion) -> str:
    """Return HTML with the addresses of original files, credits of figures, and footnotes' ids."""
    converter = _TagConverter(conversion)
    return "".join(
        converter.rewrite(token) if isinstance(token, Tag) else converter.text(token)
        for token in exact_tokens(html)
    )


class _TagConverter:
    """The state of one pass: the open figures and their captions, and the addresses so far."""

    def __init__(self, conversion: Conversion) -> None:
        self.conversion = conversion
        self.context = conversion.context
        self.footnotes = {number for number, _ in read_footnotes(self.context.footnotes)}
        self.credits: list[str] = []  # of the pictures in each open figure
        self.caption: list[str] | None = None  # the text of the open caption
        self.player = ""  # what the open object shows
        self.addresses: set[str] = set()  # of links, frames and objects so far

    def text(self, text: str) -> str:
        if self.caption is not None:
            self.caption.append(text)
        return text

    def rewrite(self, tag: Tag) -> str:
        """Return what stands for a tag."""
        if tag.name in {"figure", "figcaption"}:
            return self._end_of_figure(tag) if tag.is_end else self._start_of_figure(tag)
        if tag.name in {"object", "embed", "param"}:
            return self._convert_object(tag)
        if tag.is_end:
            return tag.raw
        if tag.name in _SILENT:
            self.conversion.removed[f"<{tag.name}>"] += 1
        if tag.name == "img":
            return self._convert_picture(tag)
        if tag.name in MEDIA_ATTRIBUTES or tag.name in {"iframe", "sup"}:
            return self._convert_addresses(tag)
        return tag.raw

    def _start_of_figure(self, tag: Tag) -> str:
        if tag.name == "figure":
            self.credits.append("")
        else:
            self.caption = []
        return tag.raw

    def _end_of_figure(self, tag: Tag) -> str:
        """Add the credit of a figure's picture to the end of its caption, or as its caption."""
        if tag.name == "figcaption":
            credit = credit_html(self.credits[-1] if self.credits else "", self._caption_text())
            if self.credits:
                self.credits[-1] = ""
            self.caption = None
            return f" {credit}{tag.raw}" if credit else tag.raw
        credit = credit_html(self.credits.pop() if self.credits else "", "")
        return f"<figcaption>{credit}</figcaption>{tag.raw}" if credit else tag.raw

    def _caption_text(self) -> str:
        return "".join(self.caption or ())

    def _convert_picture(self, tag: Tag) -> str:
        attributes = parse_attributes(tag)
        url = attributes.get("src", "").strip()
        if not url or _DATA.match(url):
            late = (attributes.get(name, "").strip() for name in _LATE_SOURCES)
            url = next((address for address in late if address and not _DATA.match(address)), url)
        alt = attributes.get("alt", "").strip()
        number = picture_id(attributes)
        file = self.context.attachment(number) if number else None
        if not url or _DATA.match(url):
            if not file:
                return self.conversion.missing_picture(url, alt) if url or alt else ""
            url = file.url
        original = self._original(url)
        if file and picture_stem(file.url) == picture_stem(original):
            original = file.url
        size = {name: attributes[name] for name in ("width", "height") if name in attributes}
        written = {"src": original, "alt": alt or (file.alt if file else "")}
        written |= {
            name: attributes[name] for name in ("title", "id", "lang") if name in attributes
        }
        html = tag_html(tag, written | size)
        return self._with_credit(html, file)

    def _original(self, url: str) -> str:
        address = absolute_url(url, self.context.base_url)
        return address if self.context.is_file(address) else original_url(address)

    def _with_credit(self, html: str, file: Attachment | None) -> str:
        """Return a picture with its credit, which in a figure comes after the caption."""
        if not file or not file.credit:
            return html
        if self.credits:
            self.credits[-1] = file.credit
            return html
        return f"{html} {credit_html(file.credit, '')}"

    def _convert_addresses(self, tag: Tag) -> str:
        attributes = parse_attributes(tag)
        changes: dict[str, str] = {}
        for name in MEDIA_ATTRIBUTES.get(tag.name, ()):
            url = attributes.get(name, "")
            if url.startswith("#"):
                continue
            if url and (tag.name != "a" or FILE.fullmatch(url)):
                changes[name] = self._original(url)
        changes |= self._footnote_ids(attributes)
        self.addresses.update((attributes | changes).get(name, "") for name in ("href", "src"))
        return tag_html(tag, attributes | changes) if changes else tag.raw

    def _footnote_ids(self, attributes: dict[str, str]) -> dict[str, str]:
        """Return new ids and addresses of a footnote's mark, as `footnote_list` has them."""
        href, element_id = attributes.get("href", ""), attributes.get("id", "")
        changes = {}
        if href.startswith("#") and href[1:] in self.footnotes:
            changes["href"] = f"#{footnote_id(href[1:])}"
        if element_id.removesuffix("-link") in self.footnotes:
            changes["id"] = footnote_id(element_id)
        return changes

    def _convert_object(self, tag: Tag) -> str:
        """Return a frame for a player of former times, so that its address stays."""
        attributes = {} if tag.is_end else parse_attributes(tag)
        key = {"object": "data", "embed": "src", "param": "value"}[tag.name]
        url = attributes.get(key, "").strip()
        is_source = attributes.get("name", "").lower() in {"movie", "src", "url", "filename"}
        if url and (tag.name != "param" or is_source):
            address = absolute_url(url, self.context.base_url)
            video = _YOUTUBE_PLAYER.match(address)
            player = f"https://www.youtube.com/embed/{video[1]}" if video else address
            self.player = self.player or player
        if (tag.name == "object" and not tag.is_end) or tag.name == "param" or not self.player:
            return ""
        address, self.player = self.player, ""
        if address in self.addresses or not address.startswith(("http://", "https://")):
            return ""
        self.addresses.add(address)
        self.conversion.converted[f"<{tag.name}>"] += 1
        return f"{tag_html(Tag('iframe', False, '', ''), {'src': address})}</iframe>"
