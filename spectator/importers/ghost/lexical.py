"""Texts of Ghost's present editor, `lexical`, as HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from spectator.importers.ghost.cards import CardRenderer

MAX_DEPTH = 60
# The bits of a text's format, outermost element first.
_FORMATS = (
    (1, "strong"),
    (2, "em"),
    (4, "s"),
    (8, "u"),
    (128, "mark"),
    (32, "sub"),
    (64, "sup"),
    (16, "code"),
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = {
    "paragraph": "p",
    "aside": "blockquote",
    "quote": "blockquote",
    "extended-quote": "blockquote",
    "listitem": "li",
}
_TEXTS = frozenset({"text", "extended-text", "tk", "zwnj", "tab"})
_LINKS = frozenset({"link", "autolink", "at-link"})


def lexical_html(source: str, cards: CardRenderer) -> str:
    """Return the HTML of a text; raises ValueError if it is no JSON of this editor."""
    try:
        data = json.loads(source)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    root = data.get("root") if isinstance(data, dict) else None
    if not isinstance(root, dict):
        raise ValueError("no root")
    return "".join(_Renderer(cards).children(root, 0))


class _Renderer:
    """Renders nodes; deeply nested ones only as their text."""

    def __init__(self, cards: CardRenderer) -> None:
        self.cards = cards

    def children(self, node: dict[str, Any], depth: int) -> Iterator[str]:
        children = node.get("children")
        for child in children if isinstance(children, list) else ():
            if isinstance(child, dict):
                yield self.render(child, depth + 1)

    def render(self, node: dict[str, Any], depth: int) -> str:
        kind = str(node.get("type"))
        if depth > MAX_DEPTH:
            return "".join(f"{escape(text, quote=False)} " for text in _texts(node))
        if kind in _TEXTS:
            return _format_text(node)
        if kind == "linebreak":
            return "<br>"
        if "children" not in node:
            return self.cards.render(kind, node)
        content = "".join(self.children(node, depth))
        if kind in _LINKS:
            return f'<a href="{escape(str(node.get("url") or ""))}">{content}</a>'
        name = _element_name(node)
        # A list that is nested in an item stands in an item of its own.
        return f"<{name}{_list_start(node)}>{content}</{name}>" if name else content


def _element_name(node: dict[str, Any]) -> str:
    kind, tag = str(node.get("type")), str(node.get("tag") or "")
    if kind in {"heading", "extended-heading"}:
        return tag if tag in _HEADINGS else "h2"
    if kind == "list":
        return "ol" if node.get("listType") == "number" or tag == "ol" else "ul"
    return _BLOCKS.get(kind, "")


def _list_start(node: dict[str, Any]) -> str:
    start = node.get("start")
    is_list = node.get("type") == "list" and isinstance(start, int) and start > 1
    return f' start="{start}"' if is_list else ""


def _format_text(node: dict[str, Any]) -> str:
    text = "\t" if node.get("type") == "tab" else str(node.get("text") or "")
    html, bits = escape(text, quote=False), node.get("format")
    for bit, name in reversed(_FORMATS):
        if isinstance(bits, int) and bits & bit and html:
            html = f"<{name}>{html}</{name}>"
    return html


def _texts(node: dict[str, Any]) -> Iterator[str]:
    """Yield the texts below a node, in order, without recursion."""
    stack: list[Any] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if isinstance(text := item.get("text"), str):
                yield text
            children = item.get("children")
            stack += reversed(children) if isinstance(children, list) else []
