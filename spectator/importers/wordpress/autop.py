"""Paragraphs of bodies from WordPress's classic editor, which stores none.

The rules are those by which WordPress shows such a body: a blank line or two `<br>` end a
paragraph, any other line break is a `<br>`, and neither counts in `<pre>` or between blocks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from spectator.text.html.blocks import exact_tokens
from spectator.text.html.tokenizer import BREAKS, VOID, Tag

PLACEHOLDER = re.compile("\x00[0-9]++\x00")
# Tags of formatting that is open where a paragraph ends are repeated in the next, at most so many.
MAX_REOPENED = 8

_OPEN_TAG = re.compile("</?[a-zA-Z]")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
# Blocks that hold other blocks, but no text of their own.
_STRUCTURE = frozenset(
    "ul ol dl table thead tbody tfoot tr colgroup menu dir hgroup select optgroup".split()
)
# Blocks of one line or paragraph: blank lines in them become `<br>`.
_LINES = frozenset(
    "h1 h2 h3 h4 h5 h6 summary caption legend dt option dialog xmp listing plaintext".split()
)
# Blocks that are paragraphs themselves, unless they hold several.
_ITEMS = frozenset("li td th dd figure figcaption details".split())
# Elements whose content is not text of the story, or must stay as it is.
_VERBATIM = frozenset("pre script style textarea svg math video audio object iframe".split())
_BLOCKS = (BREAKS | {"td", "th"}) - {"menuitem"}
_VOID = VOID | {"input", "embed", "area", "param", "link", "meta"}
_BR = "<br>"
_SPACE = re.compile(r"(?:\s|&nbsp;|\xa0)*+")
# A paragraph without words; one with an id may be the target of a link.
_EMPTY = re.compile(
    r"(?:\s|&nbsp;|\xa0|</?(?:b|strong|i|em|u|s|span|font|small)(?:\s[^<>]*+)?>)*+"
)


def add_paragraphs(html: str) -> str:
    """Return the HTML of a body in which blank lines separate paragraphs; takes linear time."""
    writer = _Writer()
    for token in _merge_verbatim(html):
        writer.add(token)
    writer.flush()
    return "".join(writer.out)


class _Verbatim(str):
    """The source of an element with its content, none of which is changed."""

    __slots__ = ()


def _merge_verbatim(html: str) -> Iterator[str | Tag]:
    """Yield the tokens of HTML, and each element of `_VERBATIM` as one."""
    name, source = "", list[str]()
    for token in exact_tokens(html):
        if name:
            source.append(token.raw if isinstance(token, Tag) else token)
            if isinstance(token, Tag) and token.is_end and token.name == name:
                yield _Verbatim("".join(source))
                name, source = "", []
        elif isinstance(token, Tag) and not token.is_end and token.name in _VERBATIM:
            name, source = token.name, [token.raw]
        else:
            yield token
    if source:  # An element that is never closed: its tag stays, and the rest is text as usual.
        yield _Verbatim(source[0])
        yield from exact_tokens("".join(source[1:]))


class _Writer:
    """The output, the open blocks, and the text since the last of their tags."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.open: list[str] = []
        self.open_counts = Counter[str]()
        self.run: list[str | Tag] = []
        self.paragraph = ""  # the tag of an open paragraph, until its text is written

    def add(self, token: str | Tag) -> None:
        if isinstance(token, _Verbatim):
            self._add_verbatim(token)
        elif isinstance(token, str):
            # The end tags that follow must not become part of a tag that is never closed.
            is_open = _OPEN_TAG.match(token)
            self._add_text(token.replace("<", "&lt;") if is_open else token)
        elif token.name not in _BLOCKS:
            self.run.append(token)
        elif token.is_end:
            self._end(token)
        else:
            self._start(token)

    def _add_verbatim(self, source: _Verbatim) -> None:
        if source.startswith(("<pre", "<PRE")):
            self.flush()
            self._write_line(source)
        else:
            self.run.append(source)

    def _add_text(self, text: str) -> None:
        at = 0
        for match in PLACEHOLDER.finditer(text):
            self.run.append(text[at : match.start()])
            self.flush()
            self._write_line(match[0])
            at = match.end()
        self.run.append(text[at:])

    def _write_line(self, html: str) -> None:
        self.out += ["\n", html] if self.out else [html]

    def _start(self, tag: Tag) -> None:
        self.flush()
        if self.open and self.open[-1] == "p":
            self._close("p")
        if tag.name == "p":
            self.paragraph = tag.raw
        else:
            self._write_line(tag.raw)
        if tag.name not in _VOID:
            self.open.append(tag.name)
            self.open_counts[tag.name] += 1

    def _end(self, tag: Tag) -> None:
        self.flush()
        if self.open_counts[tag.name]:
            while self.open[-1] != tag.name:
                self._close(self.open[-1])
            self._close(tag.name)
        if tag.name in _LINES or tag.name in _ITEMS:
            self.out.append(tag.raw)
        elif tag.name != "p":
            self._write_line(tag.raw)

    def _close(self, name: str) -> None:
        self.open.pop()
        self.open_counts[name] -= 1
        if name == "p" and " id=" in self.paragraph:
            self._write_line(f"{self.paragraph}</p>")  # the target of a link
        self.paragraph = "" if name == "p" else self.paragraph

    def flush(self) -> None:
        """Write the run as the content of the innermost open block."""
        run, self.run = self.run, []
        block = self.open[-1] if self.open else ""
        if block in _STRUCTURE:
            text = "".join(piece if isinstance(piece, str) else piece.raw for piece in run)
            self.out += [text] if text.strip() else []
            return
        paragraphs = list(_split_paragraphs(run))
        if block in _LINES or (block in _ITEMS and len(paragraphs) == 1):
            self.out.append(f"{_BR}\n".join(paragraphs))
            return
        for text in paragraphs:
            self._write_line(f"{self.paragraph or '<p>'}{text}</p>")
            self.paragraph = ""


def _split_paragraphs(run: list[str | Tag]) -> Iterator[str]:
    """Yield the HTML of each paragraph of a run that is not empty."""
    pieces: list[str] = []
    formats: list[Tag] = []
    for piece in run:
        if isinstance(piece, Tag):
            _track_format(formats, piece)
            pieces.append(_BR if piece.name == "br" else piece.raw)
            if piece.name == "br" and _ends_with_two_breaks(pieces):
                yield from _finish(pieces, formats)
                pieces = [tag.raw for tag in formats[-MAX_REOPENED:]]
        elif isinstance(piece, _Verbatim):
            pieces.append(piece)
        else:
            first, *others = _BLANK_LINE.split(piece)
            pieces += _lines(first)
            for text in others:
                yield from _finish(pieces, formats)
                pieces = [tag.raw for tag in formats[-MAX_REOPENED:]] + _lines(text)
    yield from _finish(pieces, [])


def _track_format(formats: list[Tag], tag: Tag) -> None:
    """Note which inline elements are open after a tag."""
    if not tag.is_end and tag.name not in _VOID and not tag.attributes.endswith("/"):
        formats.append(tag)
    elif tag.is_end and formats and formats[-1].name == tag.name:
        formats.pop()


def _lines(text: str) -> list[str]:
    """Return the lines of a text with a line break between two."""
    pieces: list[str] = []
    for number, line in enumerate(text.split("\n")):
        pieces += ["\n"] if number else []
        pieces += [line] if line else []
    return pieces


def _ends_with_two_breaks(pieces: list[str]) -> bool:
    """Return whether a line break is the second of two, with only white space between them."""
    for piece in reversed(pieces[-4:-1]):
        if piece == _BR:
            return True
        if not piece.isspace():
            return False
    return False


def _finish(pieces: list[str], formats: list[Tag]) -> Iterator[str]:
    """Yield the HTML of a paragraph without breaks at its ends, nothing if it is empty."""
    start, end = 0, len(pieces)
    while start < end and (_SPACE.fullmatch(pieces[start]) or pieces[start] == _BR):
        start += 1
    while end > start and (_SPACE.fullmatch(pieces[end - 1]) or pieces[end - 1] == _BR):
        end -= 1
    out: list[str] = []
    for index in range(start, end):
        piece = pieces[index]
        is_beside_break = piece == "\n" and (
            pieces[index - 1] == _BR or pieces[index + 1] in (_BR, "\n")
        )
        out.append(f"{_BR}\n" if piece == "\n" and not is_beside_break else piece)
    text = "".join(out).strip()
    if not _EMPTY.fullmatch(text) or " id=" in text:
        yield text + "".join(f"</{tag.name}>" for tag in reversed(formats[-MAX_REOPENED:]))
