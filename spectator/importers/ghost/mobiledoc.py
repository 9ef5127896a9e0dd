"""Texts of Ghost's former editor, `mobiledoc`, as HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from spectator.importers.ghost.cards import CardRenderer

MARKUP, PICTURE, LIST, CARD = 1, 2, 3, 10  # kinds of sections
ATOM = 1  # the kind of a marker; 0 is a text
MAX_OPEN = 50  # elements around a text
_BLOCKS = frozenset("p h1 h2 h3 h4 h5 h6 blockquote aside pull-quote ul ol".split())
_INLINE = frozenset("a b strong em i u s del sub sup code mark".split())
_RENAMED = {"aside": "blockquote", "pull-quote": "blockquote"}


def mobiledoc_html(source: str, cards: CardRenderer) -> str:
    """Return the HTML of a text; raises ValueError if it is no JSON of this editor."""
    try:
        data = json.loads(source)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(data, dict) or not isinstance(data.get("sections"), list):
        raise ValueError("no sections")
    return "".join(_Document(data, cards).sections())


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _item(values: list[Any], index: Any) -> list[Any]:
    """Return the list at an index, an empty one if there is none."""
    is_index = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(values)
    return _list(values[index]) if is_index else []


class _Document:
    """A text with its atoms, cards and markups, which sections name by number."""

    def __init__(self, data: dict[str, Any], cards: CardRenderer) -> None:
        self.renderer = cards
        self.data = data
        self.atoms, self.cards, self.markups = (
            _list(data.get(name)) for name in ("atoms", "cards", "markups")
        )

    def sections(self) -> Iterator[str]:
        for section in _list(self.data["sections"]):
            kind, first, second = [*_list(section), None, None, None][:3]
            if kind == MARKUP:
                name = first if _text(first) in _BLOCKS else "p"
                name = _RENAMED.get(name, name)
                yield f"<{name}>{self._markers(_list(second))}</{name}>"
            elif kind == PICTURE and isinstance(first, str):
                yield self.renderer.render("image", {"src": first})
            elif kind == LIST:
                items = (self._markers(_list(item)) for item in _list(second))
                name = "ol" if first == "ol" else "ul"
                yield f"<{name}>{''.join(f'<li>{item}</li>' for item in items)}</{name}>"
            elif kind == CARD:
                name, payload = [*_item(self.cards, first), None, None][:2]
                yield self.renderer.render(
                    str(name or ""), payload if isinstance(payload, dict) else {}
                )

    def _markers(self, markers: list[Any]) -> str:
        """Return the HTML of a run of texts; each opens markups and closes the last ones."""
        pieces: list[str] = []
        opened: list[str] = []
        for marker in markers:
            kind, starts, closed, content = [*_list(marker), None, None, None, None][:4]
            for start in _list(starts):
                name, attributes = [*_item(self.markups, start), "", None][:2]
                is_known = _text(name) in _INLINE and len(opened) < MAX_OPEN
                opened.append(name if is_known else "")
                if opened[-1]:
                    pieces.append(f"<{name}{_href(_list(attributes))}>")
            pieces.append(self._atom(content) if kind == ATOM else escape(_text(content)))
            for _ in range(min(closed, len(opened)) if isinstance(closed, int) else 0):
                if name := opened.pop():
                    pieces.append(f"</{name}>")
        pieces += [f"</{name}>" for name in reversed(opened) if name]
        return "".join(pieces)

    def _atom(self, index: Any) -> str:
        name, text = [*_item(self.atoms, index), "", ""][:2]
        return "<br>" if name == "soft-return" else escape(_text(text))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _href(attributes: list[Any]) -> str:
    """Return the address of a link: attributes are names and values in turn."""
    pairs = zip(attributes[::2], attributes[1::2], strict=False)
    url = next((value for name, value in pairs if name == "href" and isinstance(value, str)), "")
    return f' href="{escape(url)}"' if url else ""
