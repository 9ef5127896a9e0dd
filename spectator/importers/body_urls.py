"""URLs in imported bodies: made absolute, and pictures that are not at hand noted for editors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import urljoin

from spectator.i18n import gettext
from spectator.importers.body_media import MediaFile, rewrite_tags, tag_html
from spectator.text.html.editor_notes import editor_note
from spectator.text.html.sanitizer import plain_text
from spectator.text.html.tokenizer import Tag, parse_attributes

MAX_NAME_LENGTH = 2_000  # in a note or a report
_URL_KEYS = ("href", "src", "poster", "cite")
# Where scripts that load pictures late find their URLs.
_LATE_KEYS = ("data-src", "data-lazy-src", "data-original")
_CONTENT_TAGS = ("<img", "<iframe", "<audio", "<video", "<editor-note")
FindFile = Callable[[str], MediaFile | None]
_PLAYERS = frozenset({"audio", "video", "source"})


@dataclass(slots=True)
class BodyUrls:
    """What is needed to convert the URLs of a body, and what was changed.

    `base` is the absolute URL to which others are relative, "" if it is not known. `find_file`
    returns the stored file with an absolute URL, None if it is not at hand.
    """

    base: str = ""
    find_file: FindFile = lambda _url: None
    changes: list[str] = field(default_factory=list)

    def convert(self, html: str) -> str:
        """Return a body with absolute URLs, and a note after each picture that is not at hand."""
        return rewrite_tags(html, self._convert_tag) if "<" in html else html

    def resolve(self, url: str) -> str:
        """Return an absolute URL; anchors within the body stay, and what cannot be resolved."""
        url = url.strip()
        if not url or url.startswith("#") or not self.base:
            return f"https:{url}" if url.startswith("//") else url
        try:
            return urljoin(self.base, url)
        except ValueError:
            return url

    def _convert_tag(self, tag: Tag) -> str:
        if tag.is_end or not any(key in tag.raw.lower() for key in _URL_KEYS):
            return tag.raw
        attributes = parse_attributes(tag)
        if tag.name == "img":
            return self._convert_picture(tag, attributes)
        urls = {}
        for key in _URL_KEYS:
            if key in attributes and (url := self._file_url(tag, key, attributes[key])):
                urls[key] = url
        if not urls:
            return tag.raw
        html = tag_html(tag, attributes | urls)
        # An iframe may end with its slash.
        return f"{html[:-1]}/>" if tag.attributes.rstrip().endswith("/") else html

    def _file_url(self, tag: Tag, key: str, value: str) -> str:
        """Return the URL to write instead of a value, "" if it stays; report missing recordings."""
        url = self.resolve(value)
        file = self.find_file(url)
        if file is None and tag.name in _PLAYERS and key == "src":
            self.changes.append(_not_imported(url))
        new = file.url if file else url
        return "" if new == value else new

    def _convert_picture(self, tag: Tag, attributes: dict[str, str]) -> str:
        src = attributes.get("src", "").strip()
        if not src or src[:5].lower() == "data:":
            src = next((attributes[key] for key in _LATE_KEYS if attributes.get(key)), src)
        if src[:5].lower() == "data:":
            return self.note_file(attributes.get("alt") or src[:40])
        url = self.resolve(src)
        file = self.find_file(url)
        if file is None:
            image = tag_html(tag, attributes | {"src": url})
            return image + self.note_file(url) if url else image
        sizes = {"width": str(file.width), "height": str(file.height)} if file.width else {}
        return tag_html(tag, attributes | {"src": file.url} | sizes)

    def note_file(self, name: str) -> str:
        """Report a file that was not imported; return the HTML of a note to editors."""
        text = _not_imported(name)
        self.changes.append(text)
        return editor_note(text)


def _not_imported(name: str) -> str:
    return gettext("Not imported: %(name)s", name=name[:MAX_NAME_LENGTH])


def note_paragraphs(texts: Iterable[str]) -> str:
    """Return a paragraph of its own for each note to editors."""
    return "".join(f"<p>{note}</p>\n" for text in texts if (note := editor_note(text)))


def has_content(html: str) -> bool:
    """Return whether HTML has words, something to show, or a note to editors."""
    return any(tag in html for tag in _CONTENT_TAGS) or bool(plain_text(html).strip())
