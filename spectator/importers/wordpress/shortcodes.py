"""Shortcodes in the body of a post: which brackets are some, and which belong together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from spectator.text.html.blocks import exact_tokens
from spectator.text.html.tokenizer import Tag

# Shortcodes of WordPress itself and of the embeds of Jetpack, all of which become HTML.
CORE = frozenset("caption wp_caption gallery audio video playlist embed".split())
EMBEDS = frozenset(
    "youtube vimeo dailymotion soundcloud tweet twitter instagram facebook ted scribd slideshare"
    " googlemaps embedyt spotify tiktok".split()
)
CONVERTED = CORE | EMBEDS
MAX_DEPTH = 8
MAX_LAYOUT_SOURCE = 500

# Shortcodes that only arrange what is between them.
_LAYOUT = re.compile(
    r"(?:vc|et_pb|fusion|av)_(?:row|column|section|text|tab|cell|code)(?:_inner|_text|_one_\w+)?"
    r"|(?:one|two|three|four)_(?:half|thirds?|fourths?|fifths?)(?:_last)?|nextpage|columns?"
)
# Shortcodes without attributes whose names say that they are some.
_PLUGINS = frozenset(
    "contact-form contact-form-7 gravityform wpforms ninja-form ez-toc toc rev-slider recaptcha"
    " table-of-contents jetpack-related-posts simple-social-share pdf-embedder".split()
)
_QUOTES = "\"'“″"
_VALUE = r"\"[^\"\[]*+\"|'[^'\[]*+'|“[^“”\[]*+”|″[^″\[]*+″"
_SHORTCODE = re.compile(
    rf"""
    (?P<escape>\[?) \[
    (?P<end>/?) (?P<name>[A-Za-z][\w-]*+)
    (?P<attributes> (?: [\s=\xa0] (?: {_VALUE} | [^\[\]] )*+ )?+ )
    \] (?P<escape_end>\]?)
    """,
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    rf"(?:(?P<key>[\w-]++)\s*+=\s*+)?+(?P<value>{_VALUE}|[^\s\"'“″]++|[\"'“″])"
)
_VERBATIM = frozenset({"pre", "code", "script", "style", "textarea", "kbd", "samp"})


@dataclass(slots=True)
class Shortcode:
    """A tag in brackets, with the source of its values, in which `&` may be `&amp;`.

    `mate` is the index of the tag that ends it or that it ends, -1 without one. `is_glued`: it
    follows a letter or bracket without a space, as an index does in source code.
    """

    start: int
    end: int
    name: str
    source: str
    attributes: dict[str, str]
    values: list[str]
    is_end: bool
    is_escaped: bool
    is_glued: bool
    mate: int = -1

    @property
    def is_converted(self) -> bool:
        """Return whether the tag becomes HTML: that of an embed only if it says of what."""
        has_values = bool(self.attributes or self.values)
        return self.name in CORE or (
            self.name in EMBEDS and (has_values or self.mate >= 0 or self.is_end)
        )

    @property
    def is_layout(self) -> bool:
        """Return whether the tag only arranges what is around it."""
        is_short = len(self.source) <= MAX_LAYOUT_SOURCE
        return bool(_LAYOUT.fullmatch(self.name)) and is_short

    @property
    def is_registered(self) -> bool:
        """Return whether the tag looks like that of a plugin, rather than words in brackets."""
        if self.mate >= 0 or self.is_layout or self.name in _PLUGINS:
            return True
        if self.is_end or self.is_glued:
            return self.is_end and "_" in self.name
        has_words = any(self.values)
        has_quotes = any(f"={quote}" in self.source for quote in _QUOTES)
        if self.attributes:
            return has_quotes or not has_words
        return "_" in self.name and not has_words


def find_shortcodes(body: str) -> list[Shortcode]:
    """Return all tags in brackets that stand in the text of a body, in order and paired."""
    if "[" not in body:
        return []
    spans = _excluded_spans(body)
    excluded = next(spans, None)
    codes: list[Shortcode] = []
    for match in _SHORTCODE.finditer(body):
        while excluded and excluded[1] <= match.start():
            excluded = next(spans, None)
        if not excluded or match.start() < excluded[0]:
            codes.append(_parse(match))
    _pair(codes)
    return codes


def _excluded_spans(body: str) -> Iterator[tuple[int, int]]:
    """Yield where tags and the content of code are, in which brackets are not shortcodes."""
    at, start, name = 0, 0, ""
    for token in exact_tokens(body):
        raw = token.raw if isinstance(token, Tag) else token
        if isinstance(token, Tag):
            if not name:
                yield at, at + len(raw)
            if not name and token.name in _VERBATIM and not token.is_end:
                start, name = at + len(raw), token.name
            elif name == token.name and token.is_end:
                yield start, at + len(raw)
                name = ""
        at += len(raw)


def _parse(match: re.Match[str]) -> Shortcode:
    attributes: dict[str, str] = {}
    values: list[str] = []
    for key, value in _ATTRIBUTE.findall(match["attributes"].removesuffix("/").lstrip("=")):
        text = value[1:-1] if len(value) > 1 and value[0] in _QUOTES else value
        if key:
            attributes.setdefault(key.lower(), text)
        else:
            values.append(text)
    is_escaped = bool(match["escape"] and match["escape_end"])
    start = match.start() if is_escaped else match.end("escape")
    end = match.end() if is_escaped else match.start("escape_end")
    name, lower_name = match["name"], match["name"].lower()
    return Shortcode(
        start,
        end,
        lower_name if lower_name in CONVERTED and (attributes or match["end"]) else name,
        match.string[start:end],
        attributes,
        values,
        is_end=bool(match["end"]),
        is_escaped=is_escaped,
        is_glued=start > 0
        and (match.string[start - 1].isalnum() or match.string[start - 1] in "])"),
    )


def _pair(codes: list[Shortcode]) -> None:
    """Pair each end tag with the nearest open tag of its name; pairs do not overlap."""
    stack: list[int] = []
    open_counts = Counter[str]()
    for index, code in enumerate(codes):
        if code.is_escaped:
            continue
        if not code.is_end:
            stack.append(index)
            open_counts[code.name] += 1
        elif open_counts[code.name]:
            while (start := stack.pop()) >= 0:
                open_counts[codes[start].name] -= 1
                if codes[start].name == code.name:
                    break
            codes[start].mate, code.mate = index, start
