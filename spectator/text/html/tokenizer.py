"""Tokenizer of HTML: tags, their attributes, and the text between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

VOID = frozenset("br hr img col source track wbr".split())
# Elements whose content is not readable text.
SKIPPED = frozenset("script style template svg noembed noframes title iframe".split())
# Elements that may be self-closing: svg by the standard, iframe because XHTML pages do it.
_CLOSED_BY_SLASH = frozenset({"svg", "iframe"})
BLOCKS = frozenset(
    "p h1 h2 h3 h4 h5 h6 blockquote pre ul ol li dl dt dd figure figcaption table details"
    " summary div hr section article aside header footer main nav address center form"
    " fieldset caption colgroup thead tbody tfoot tr".split()
)
# More blocks, of other systems and older HTML. If they are dropped, their breaks stay.
BREAKS = BLOCKS | frozenset(
    "dir menu hgroup search dialog legend optgroup option select listing xmp plaintext"
    " marquee frameset noframes".split()
)

# The attribute and tag tokenizer of the HTML standard (section 13.2.5) as one expression that never
# backtracks.
_ATTRIBUTE = r"""([^\s/>][^\s/>=]*+)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+"""
_TAG = re.compile(rf"<(/?)([a-zA-Z][^\s/>]*+)((?:[\s/]++|{_ATTRIBUTE})*+)>")
ATTRIBUTES = re.compile(_ATTRIBUTE)
# int() raises an error on thousands of digits, and so would unescape().
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")


class Tag(NamedTuple):
    """A start or end tag: its lower-case name, and the source of its attributes and of itself."""

    name: str
    is_end: bool
    attributes: str
    raw: str


def tokens(html: str) -> Iterator[str | Tag]:
    """Yield the tags of any HTML and the text between them, undecoded, in linear time.

    Comments, declarations and the content of `SKIPPED` elements are left out. A `<` without a
    complete tag is yielded as `&lt;`.
    """
    at, has_comment_ends, endless = 0, True, set[str]()
    while (start := html.find("<", at)) >= 0:
        if start > at:
            yield html[at:start]
        if html.startswith("<!--", start):
            # Drop only the start of an unclosed comment, or half a story could disappear.
            end = html.find("-->", start + 2) if has_comment_ends else -1
            has_comment_ends = end >= 0
            at = end + 3 if has_comment_ends else start + 4
        elif html.startswith(("<!", "<?"), start) and (end := html.find(">", start)) >= 0:
            at = end + 1
        elif tag := _TAG.match(html, start):
            token = Tag(tag[2].lower(), bool(tag[1]), tag[3], tag[0])
            yield token
            at = _skip_content(html, token, tag.end(), endless)
        elif re.match("</?[a-zA-Z!?]", html[start : start + 3]):
            yield html[start:].replace("<", "&lt;")
            return
        else:
            at = start + 1
            while html.startswith("<<", at):
                at += 1
            yield "&lt;" * (at - start)
    if at < len(html):
        yield html[at:]


def split_tags(html: str) -> Iterator[str | Tag]:
    """Yield the tags of a page and everything between them: joined, their sources are the page.

    Comments, declarations and the content of `SKIPPED` elements are part of what is between.
    """
    at, written, endless = 0, 0, set[str]()
    while (start := html.find("<", at)) >= 0:
        if html.startswith("<!--", start):
            end = html.find("-->", start + 4)
            at = end + 3 if end >= 0 else len(html)
        elif tag := _TAG.match(html, start):
            if start > written:
                yield html[written:start]
            token = Tag(tag[2].lower(), bool(tag[1]), tag[3], tag[0])
            yield token
            written = tag.end()
            at = _skip_content(html, token, written, endless)
        else:
            at = start + 1
    if written < len(html):
        yield html[written:]


def _skip_content(html: str, tag: Tag, at: int, endless: set[str]) -> int:
    """Return the position to continue from after a tag: its end tag if its content is skipped.

    Elements that are never closed are added to `endless`.
    """
    if tag.is_end or tag.name not in SKIPPED or tag.name in endless:
        return at
    if tag.name in _CLOSED_BY_SLASH and tag.attributes.endswith("/"):
        return at
    end = re.compile(rf"</{tag.name}[\s/>]", re.IGNORECASE).search(html, at)
    if end:
        return end.start()
    # Browsers would skip the rest of the page, but a stray tag must not cost half a story.
    endless.add(tag.name)
    return at


def parse_attributes(tag: Tag) -> dict[str, str]:
    """Return a tag's decoded attributes by lower-case name; the first of duplicates counts."""
    attributes: dict[str, str] = {}
    for name, value in ATTRIBUTES.findall(tag.attributes):
        unquoted = value[1:-1] if value[:1] in ("'", '"') else value
        attributes.setdefault(name.lower(), decode_entities(unquoted))
    return attributes


def decode_entities(text: str) -> str:
    """Return text with its entities decoded; one of eight digits or more becomes U+FFFD."""
    return (
        unescape(_LONG_REFERENCE.sub("\N{REPLACEMENT CHARACTER}", text)) if "&" in text else text
    )
