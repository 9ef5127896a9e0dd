"""Rendering of stored bodies for readers, without requests to other sites."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

from spectator.text.html.editor_notes import EDITOR_NOTE, without_notes
from spectator.text.html.sanitizer import plain_text
from spectator.text.html.tokenizer import VOID, Tag, parse_attributes, tokens

_MEDIA = frozenset({"video", "audio"})
_MEDIA_PARTS = frozenset({"source", "track"})
# Elements that may contain a paragraph; elsewhere a link card must be inline.
_FLOW = frozenset(
    "div blockquote li dd td th figure figcaption details caption ul ol dl table thead"
    " tbody tfoot tr".split()
)
# Elements that show nothing once the note to editors in them is left out.
_DROPPED_WHEN_EMPTY = frozenset("p li ul ol figure figcaption".split())
_TABLE = '<div class="table" role="region" tabindex="0" aria-label="{}">'
# The last paragraph of a quote, which is not its first, if it begins with a dash: who said it.
_ATTRIBUTION = re.compile(
    r"(?<=</p>)(\s*+)<p>(?=\s*+[—–―])([^<]*+(?:<(?!/?p>)[^<]*+)*+)</p>(?=\s*+</blockquote>)"
)
# A body of well-formed tags, none of which `render_body` changes: most bodies are such.
_UNCHANGED_BODY = re.compile(
    r"(?:[^<]++|</?(?!(?:audio|h1|iframe|img|source|table|track|video)\b)[a-z][a-z0-9]*+"
    r'(?: [a-z-]++="[^"<>]*+")*+>)*+'
)
_MEDIA_PATH = re.compile(r"/media/(?:[\w-]+/)*[\w-]+(?:\.\w+)?", re.ASCII)
_YOUTUBE = re.compile(
    r"(?:https?:)?//(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]{6,20})(?:[?#].*)?", re.ASCII
)


def render_body(html: str, pictures: str = "/media/", table_label: str = "Table") -> str:
    """Return the HTML to show for a stored body, which must be clean.

    Uploaded pictures, whose URLs start with /media/, are shown from the URL `pictures`. Screen
    readers call the box of a table `table_label`.

    An iframe, video, audio or img whose file is not in /media/ becomes a link to it, in a `<p
    class="embed">` if a paragraph is allowed. Without a usable URL only its text stays. Tables get
    a scrollable box, pictures load lazily, h1 becomes h2, and the attribution of a quote gets the
    class `by`. Notes to editors are left out, with elements that hold nothing else. Everything else
    is unchanged.
    """
    if not _UNCHANGED_BODY.fullmatch(html):
        html = _render_tags(html, pictures, table_label)
    return _ATTRIBUTION.sub(r'\1<p class="by">\2</p>', html)


def _render_tags(html: str, pictures: str, table_label: str) -> str:
    page = _BodyRenderer(pictures, escape(table_label))
    has_notes = f"<{EDITOR_NOTE}" in html
    for token in _without_empty(without_notes(tokens(html))) if has_notes else tokens(html):
        if isinstance(token, str):
            page.out.append(token)
        elif token.is_end:
            page.end(token)
        else:
            page.start(token)
    return "".join(page.out)


def _without_empty(items: Iterable[str | Tag]) -> list[str | Tag]:
    """Return tokens without the elements that are empty now that their notes are left out."""
    left: list[str | Tag] = []
    for token in items:
        left.append(token)
        if (
            not isinstance(token, Tag)
            or not token.is_end
            or token.name not in _DROPPED_WHEN_EMPTY
        ):
            continue
        at = len(left) - 2
        while at >= 0 and isinstance(space := left[at], str) and space.isspace():
            at -= 1
        start = left[at] if at >= 0 else ""
        if isinstance(start, Tag) and start.name == token.name and not start.is_end:
            del left[at:]
    return left


def _is_local(url: str) -> bool:
    """Return whether a URL is a path of this site.

    Browsers read a backslash as a slash, and skip tabs and line breaks.
    """
    return url.startswith("/") and url[1:2] not in {"/", "\\", "\t", "\n", "\r"}


def _is_media(url: str) -> bool:
    """Return whether a URL is that of a file in /media/, which costs the site nothing to send.

    Any other path could be a costly page: a story must not make its readers' browsers load some.
    """
    return _MEDIA_PATH.fullmatch(url) is not None


def _link_url(url: str) -> str:
    """Return an absolute web URL for a link, or ""; a YouTube player becomes the video's page."""
    if video := _YOUTUBE.fullmatch(url):
        return f"https://www.youtube.com/watch?v={video[1]}"
    url = f"https:{url}" if url.startswith("//") else url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in {"http", "https"} and parts.netloc else ""


class _OpenMedia:
    """An open video or audio element: the URL to link to, all its URLs, its output index."""

    def __init__(self, name: str, attributes: dict[str, str], at: int) -> None:
        self.name = name
        self.source = attributes.get("src", "")
        self.urls = [attributes[key] for key in ("src", "poster") if key in attributes]
        self.at = at


class _BodyRenderer:
    """The output so far, and the open elements."""

    def __init__(self, pictures: str, table_label: str) -> None:
        self.pictures, self.table_label = pictures, table_label
        self.out: list[str] = []
        self.open_links = 0
        self.open_inline = 0
        self.open_tables = 0
        self.media: _OpenMedia | None = None
        self.nested_media = 0  # media open inside `self.media`; only old bodies have any

    def start(self, tag: Tag) -> None:
        if tag.name == "img":
            self._write_image(tag)
        elif tag.name == "iframe":
            self._write_iframe(tag)
        elif tag.name in _MEDIA:
            self._start_media(tag)
        elif tag.name in _MEDIA_PARTS and self.media:
            if not self.nested_media:
                self._write_media_source(tag, self.media)
        else:
            if tag.name == "table":
                self.open_tables += 1
                self.out.append(_TABLE.format(self.table_label) if self.open_tables == 1 else "")
            self.out.append(f"<h2{tag.attributes}>" if tag.name == "h1" else tag.raw)
            self._track_nesting(tag, 1)

    def end(self, tag: Tag) -> None:
        if tag.name == "iframe":
            return
        if tag.name in _MEDIA and self.media:
            self._end_media(self.media)
            return
        self.out.append("</h2>" if tag.name == "h1" else tag.raw)
        self._track_nesting(tag, -1)
        if tag.name == "table":
            self.open_tables -= 1
            self.out.append("</div>" if self.open_tables == 0 else "")

    def _track_nesting(self, tag: Tag, step: int) -> None:
        self.open_links += step if tag.name == "a" else 0
        self.open_inline += 0 if tag.name in _FLOW or tag.name in VOID else step

    def _write_image(self, tag: Tag) -> None:
        attributes = parse_attributes(tag)
        if _is_media(attributes.get("src", "")):
            image = tag.raw.replace(' src="/media/', f' src="{escape(self.pictures)}', 1)
            self.out.append(f'{image.removesuffix(">")} loading="lazy">')
        else:
            self._write_link_card(
                attributes.get("src", ""), attributes.get("alt") or attributes.get("title", "")
            )

    def _write_iframe(self, tag: Tag) -> None:
        attributes = parse_attributes(tag)
        if _is_media(attributes.get("src", "")):
            self.out.append(f"{tag.raw}</iframe>")
        else:
            self._write_link_card(attributes.get("src", ""), attributes.get("title", ""))

    def _start_media(self, tag: Tag) -> None:
        if self.media:
            self.nested_media += 1
            return
        self.media = _OpenMedia(tag.name, parse_attributes(tag), len(self.out))
        self.out.append(tag.raw)

    def _write_media_source(self, tag: Tag, media: _OpenMedia) -> None:
        url = parse_attributes(tag).get("src", "")
        media.urls.append(url)
        if tag.name == "source":
            media.source = media.source or url
        self.out.append(tag.raw)

    def _end_media(self, media: _OpenMedia) -> None:
        """Close a video or audio element.

        It stays if all its files are in /media/; otherwise it becomes a link card or its fallback
        text.
        """
        if self.nested_media:
            self.nested_media -= 1
            return
        self.media = None
        if media.urls and all(map(_is_media, media.urls)):
            self.out.append(f"</{media.name}>")
            return
        inside = "".join(self.out[media.at :])
        del self.out[media.at :]
        if _is_local(media.source) or _link_url(media.source):
            self._write_link_card(media.source, "")
        else:
            self.out.append(escape(plain_text(inside), quote=False))

    def _write_link_card(self, url: str, title: str) -> None:
        """Write a link to external media, inline if necessary; without a URL, only its title."""
        href = url if _is_local(url) else _link_url(url)
        if not href:
            self.out.append(escape(title, quote=False))
            return
        host = urlsplit(href).netloc.rpartition("@")[2].removeprefix("www.")
        label = escape(
            f"{title} ({host})" if title and host else title or host or href, quote=False
        )
        link = f'<a href="{escape(href)}" rel="noopener nofollow">{label}</a>'
        if self.open_links:
            self.out.append(f'<span class="embed">{label}</span>')
        elif self.open_inline:
            self.out.append(f'<span class="embed">{link}</span>')
        else:
            self.out.append(f'<p class="embed">{link}</p>')
