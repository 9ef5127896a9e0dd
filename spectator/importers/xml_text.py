"""The text of an XML file as UTF-8 that a parser accepts, and what is wrong with one.

Old exports hold control characters, broken UTF-8 and references such as `&#0;`, which XML forbids
and at which every parser stops. Each is replaced by as many bytes, so that positions stay those of
the file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol, TypeVar
from xml.parsers import expat

from spectator.formats import format_number
from spectator.i18n import gettext

CHUNK_BYTES = 65_536
MAX_TOKEN_BYTES = 1_000_000  # a tag
Value = TypeVar("Value")
# How far the first tag may be from the beginning: plugins print blank lines and warnings first.
MAX_PREFIX_BYTES = 65_536
# Longer than any match of the patterns below, which a chunk must not cut in two.
OVERLAP = 200
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFERENCE = re.compile("&#(?:(?P<decimal>[0-9]{1,10})|[xX](?P<hex>[0-9a-fA-F]{1,8}));")
_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?\bencoding\s?=\s?[\"']([\w.-]{1,40})[\"']")
# A CDATA section is the whole content of an element of an export, or goes on in another section.
_SECTION_END = (
    r"\]\]>(?=\s{0,20}</(?:[\w.-]{1,40}:[\w.-]{1,40}|title|link|description|category|guid)\s?>"
    r"|<!\[CDATA\[)"
)
_MARKER = re.compile(
    rf"(?P<start><!\[CDATA\[)|(?P<end>{_SECTION_END})|(?P<stray>\]\]>)"
    r"|(?P<ampersand>&(?!\#?\w{1,31};))"
)


class XmlError(Exception):
    """A file that cannot be read; the message says why."""


class RefusedXmlError(Exception):
    """XML that no honest file holds; the message says what, in the way of the parser."""


def _describe_damage(parser: expat.XMLParserType, error: Exception, skipped: int) -> str:
    """Return where and why a parser stopped; `skipped` bytes of the file were not parsed."""
    is_parsers = isinstance(error, expat.ExpatError)
    return gettext(
        "it is damaged at byte %(position)s (line %(line)s): %(reason)s",
        position=format_number(skipped + parser.ErrorByteIndex),
        line=format_number(parser.ErrorLineNumber),
        reason=expat.ErrorString(parser.ErrorCode) if is_parsers else str(error),
    )


class XmlBuilder(Protocol[Value]):
    """The handlers of a parser, which collect values: `ready` holds those that are complete."""

    ready: list[Value]
    is_finished: bool

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""

    def end(self, name: str) -> None:
        """End an element."""

    def data(self, text: str) -> None:
        """Add text of the current element."""

    def start_doctype(self, *declared: Any) -> None:
        """Refuse a document type that declares something."""

    def skipped_entity(self, name: str, is_parameter: bool) -> None:
        """Add the text of an entity of HTML."""


def build_values(
    text: XmlText, make_builder: Callable[[expat.XMLParserType], XmlBuilder[Value]]
) -> Iterator[Value]:
    """Yield what the builder of a parser collects from a file, until it is finished.

    Raises XmlError, with the position in bytes if the file is damaged there.
    """
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.buffer_size = CHUNK_BYTES
    builder = make_builder(parser)
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = builder.start_doctype
    parser.SkippedEntityHandler = builder.skipped_entity
    parser.UseForeignDTD(True)  # otherwise entities of HTML would be errors
    fed = 0
    try:
        for chunk in text:
            parser.Parse(chunk, False)
            fed += len(chunk)
            yield from builder.ready
            builder.ready.clear()
            if builder.is_finished:
                return
            if fed - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
                raise RefusedXmlError("tag too long")
        parser.Parse(b"", True)
    except (expat.ExpatError, RefusedXmlError) as error:
        yield from builder.ready
        if not builder.is_finished:
            raise XmlError(_describe_damage(parser, error, text.skipped)) from error


def _replace_bytes(error: UnicodeError) -> tuple[str, int]:
    """Return a question mark for each byte that cannot be decoded (a codecs error handler)."""
    assert isinstance(error, UnicodeDecodeError)
    return "?" * (error.end - error.start), error.end


codecs.register_error("spectator.question_marks", _replace_bytes)


class XmlText:
    """The chunks of a file, from its first tag; `skipped` is the number of bytes before that tag.

    `mends_markup` also mends what breaks the structure: a CDATA section inside another one, and a
    bare `&`. Positions are then no longer those of the file. Raises XmlError if the file has none
    of `first_tags` near its beginning, or declares an encoding in which it cannot be.
    """

    def __init__(
        self,
        file: IO[bytes],
        mends_markup: bool = False,
        first_tags: tuple[bytes, ...] = (b"<?xml", b"<rss"),
    ) -> None:
        self.file = file
        self.head = file.read(MAX_PREFIX_BYTES)
        starts = [self.head.find(tag) for tag in first_tags]
        self.skipped = min((start for start in starts if start >= 0), default=-1)
        if self.skipped < 0:
            raise XmlError(gettext("it is not an export file of WordPress in UTF-8"))
        self.decoder = self._decoder()
        self.mends_markup = mends_markup
        self.is_in_section = False

    def _decoder(self) -> codecs.IncrementalDecoder:
        """Return a decoder of the encoding that the file declares; of UTF-8 if it is unknown."""
        match = _ENCODING.search(self.head, self.skipped)
        name = match[1].decode() if match else "utf-8"
        try:
            decoder = codecs.getincrementaldecoder(name)
        except LookupError:
            name, decoder = "utf-8", codecs.getincrementaldecoder("utf-8")
        try:
            is_readable = decoder("spectator.question_marks").decode(b"<?xml") == "<?xml"
        except Exception:  # codecs that are no text encodings raise errors of many kinds
            is_readable = False
        if not is_readable:
            raise XmlError(
                gettext("it is not in the encoding that it declares: %(name)s", name=name)
            )
        return decoder("spectator.question_marks")

    def __iter__(self) -> Iterator[bytes]:
        rest, block = "", self.head[self.skipped :]
        while block:
            text, rest = self._clean(rest + self.decoder.decode(block))
            yield text.encode("utf-8", "replace")
            block = self.file.read(CHUNK_BYTES)
        text, _ = self._clean(rest + self.decoder.decode(b"", True), is_last=True)
        yield text.encode("utf-8", "replace")

    def _clean(self, text: str, is_last: bool = False) -> tuple[str, str]:
        """Return the text cleaned, and its end, which belongs to the next chunk."""
        pattern = _MARKER if self.mends_markup else _REFERENCE
        limit = len(text) if is_last else max(0, len(text) - OVERLAP)
        pieces, position = [], 0
        for match in pattern.finditer(text):
            if match.start() >= limit:
                break
            pieces += [text[position : match.start()], self._replacement(match)]
            position = match.end()
        end = max(position, limit)
        pieces.append(text[position:end])
        cleaned = _ILLEGAL.sub(lambda match: " " * len(match[0].encode()), "".join(pieces))
        return cleaned, text[end:]

    def _replacement(self, match: re.Match[str]) -> str:
        if not self.mends_markup:
            return match[0] if _is_legal(match) else " " * len(match[0])
        was_in_section = self.is_in_section
        if match["ampersand"]:
            return "&" if was_in_section else "&amp;"
        if match["end"] or match["start"]:
            self.is_in_section = match["start"] is not None
            return " " if match["start"] and was_in_section else match[0]
        return " "


def _is_legal(reference: re.Match[str]) -> bool:
    """Return whether XML 1.0 allows the character of a numeric reference."""
    decimal = reference["decimal"]
    code = int(decimal) if decimal else int(reference["hex"], 16)
    return (
        code in {9, 10, 13}
        or 0x20 <= code <= 0xD7FF
        or 0xE000 <= code <= 0xFFFD
        or (0x10000 <= code <= 0x10FFFF)
    )
