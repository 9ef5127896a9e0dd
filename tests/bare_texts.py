"""Texts in templates that no catalogue can translate: outside of `_()` and `{% trans %}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from jinja2 import Environment, nodes

ENVIRONMENT = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
TRANSLATED_ATTRIBUTES = frozenset(
    "alt aria-description aria-label aria-roledescription label placeholder title".split()
)
TRANSLATING_FUNCTIONS = frozenset({"_", "gettext", "ngettext", "pgettext"})
# Stand-ins for what Jinja has between the tags and texts.
EXPRESSION, END, STATEMENT = "\ue000", "\ue001", "\ue002"
TAG = re.compile(r"<([/!?]?)([a-zA-Z][\w-]*)((?:[^\"'<>]|\"[^\"]*\"|'[^']*')*)>")
ATTRIBUTE = re.compile(r"([\w-]+)=(\"[^\"]*\"|'[^']*')")
WORD = re.compile(r"[^\W\d_]{2,}")
# What is no text: entities, and attributes that a macro writes into a tag.
ENTITY = re.compile(r"&#?\w+;|[\w-]+=\"[^\"]*\"")
PROSE = re.compile(r"[A-Z][a-z]+('[a-z]+)?([ .:,?!…]|$)|[A-Za-z]+ [a-z]+ [a-z]+")


class BareText(NamedTuple):
    """A text that cannot be translated: its line, and the text."""

    line: int
    text: str


class _Source:
    """A template as HTML, with stand-ins for expressions and statements."""

    def __init__(self, source: str) -> None:
        self.expressions: list[str] = []
        self.lines: list[tuple[int, int]] = []  # (offset in the HTML, line of the template)
        self.html = "".join(self._pieces(source))

    def _pieces(self, source: str) -> Iterator[str]:
        length, inside, is_translated = 0, "", False
        words: list[str] = []
        for line, kind, value in ENVIRONMENT.lex(source):
            piece = ""
            if kind.endswith("_begin"):
                inside, words = kind, []
            elif kind.endswith("_end") and inside:
                if inside == "block_begin":
                    keyword = next((word for word in words if word.strip()), "")
                    is_translated = keyword in {"trans", "pluralize"}
                    piece = STATEMENT
                    self.expressions += [] if keyword in {"trans", "block"} else ["".join(words)]
                elif inside == "variable_begin" and not is_translated:
                    self.expressions.append("".join(words))
                    piece = f"{EXPRESSION}{len(self.expressions) - 1}{END}"
                inside = ""
            elif inside:
                words.append(value)
            elif kind == "data" and not is_translated:
                piece = value
            if piece:
                self.lines.append((length, line))
                length += len(piece)
                yield piece

    def line_of(self, offset: int) -> int:
        """Return the line of the template in which a part of the HTML begins."""
        return max(line for at, line in self.lines if at <= offset)


def find_bare_texts(source: str) -> list[BareText]:
    """Return the texts of a template that are in no catalogue, in order."""
    template = _Source(source)
    texts = [
        BareText(template.line_of(at), " ".join(text.split()))
        for at, text in _visible_texts(template.html)
        if _has_words(text)
    ]
    tree = ENVIRONMENT.parse(source)
    texts += [BareText(line, text) for line, text in _prose_in_code(tree)]
    return sorted(set(texts))


def _has_words(text: str) -> bool:
    text = re.sub(f"{EXPRESSION}[0-9]+{END}|{STATEMENT}", " ", text)
    return bool(WORD.search(ENTITY.sub(" ", text)))


def _visible_texts(html: str) -> Iterator[tuple[int, str]]:
    """Yield (offset, text) of every text and of every attribute that people read or hear."""
    end, raw_element = 0, ""
    for match in TAG.finditer(html):
        is_end_tag, name, attributes = match[1], match[2].lower(), match[3]
        if not raw_element:
            yield from _pieces_between_statements(html, end, match.start())
        if name in {"script", "style"}:
            raw_element = "" if is_end_tag else name
        for attribute in ATTRIBUTE.finditer(attributes):
            if attribute[1].lower() in TRANSLATED_ATTRIBUTES:
                yield match.start(3) + attribute.start(2), attribute[2][1:-1]
        end = match.end()
    yield from _pieces_between_statements(html, end, len(html))


def _pieces_between_statements(html: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    for piece in html[start:end].split(STATEMENT):
        yield start + len(piece) - len(piece.lstrip()), piece
        start += len(piece) + len(STATEMENT)


def _prose_in_code(tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of string constants that look like texts and are not translated."""
    pending: list[nodes.Node] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, nodes.Call) and _is_translation(node.node):
            continue
        is_text = isinstance(node, nodes.Const) and isinstance(node.value, str)
        if is_text and PROSE.search(node.value):
            yield node.lineno, node.value
        pending.extend(node.iter_child_nodes())


def _is_translation(function: nodes.Expr) -> bool:
    return isinstance(function, nodes.Name) and function.name in TRANSLATING_FUNCTIONS
