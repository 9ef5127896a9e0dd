"""Bodies that Ghost has rendered as HTML, and the cards in them, which have own classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from spectator.i18n import gettext
from spectator.importers.ghost.cards import LEFT_OUT, CardRenderer, Payload
from spectator.text.html.blocks import exact_tokens
from spectator.text.html.sanitizer import plain_text
from spectator.text.html.tokenizer import VOID, Tag, parse_attributes

Tokens = list[str | Tag]
_CARD = re.compile(r"kg-([a-z-]+)-card")
_COMMENT = re.compile(r"<!--\s*(?P<name>[\w-]+)(?::\s*(?P<what>[^>]*?))?\s*-->")
_GATED = "kg-gated-block"


def convert_html(html: str, cards: CardRenderer) -> str:
    """Return a rendered body with the elements that stories may hold."""
    tokens = list(exact_tokens(html))
    ends = _matching_ends(tokens)
    pieces: list[str] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if isinstance(token, Tag):
            end = ends.get(at)
            kind = _card_kind(token) if end is not None else ""
            if kind and end is not None:
                pieces.append(_convert_card(kind, tokens[at : end + 1], cards))
                at = end
            else:
                pieces.append(token.raw)
        elif token.startswith("<!--"):
            text, at = _convert_comment(tokens, at, cards)
            pieces.append(text)
        else:
            pieces.append(token)
        at += 1
    return "".join(pieces)


def _matching_ends(tokens: Tokens) -> dict[int, int]:
    """Return the index of the end tag of each element that has one."""
    ends: dict[int, int] = {}
    opened: dict[str, list[int]] = {}
    for index, token in enumerate(tokens):
        if isinstance(token, Tag) and token.name not in VOID:
            if not token.is_end:
                opened.setdefault(token.name, []).append(index)
            elif starts := opened.get(token.name):
                ends[starts.pop()] = index
    return ends


def _card_kind(tag: Tag) -> str:
    """Return the kind of the card that a tag begins, "" if it begins none."""
    if tag.is_end or "kg-" not in tag.attributes:
        return ""
    classes = _classes(tag)
    names = (match[1] for name in classes if (match := _CARD.fullmatch(name)))
    return next(names, "") if "kg-card" in classes or tag.name == "figure" else ""


def _classes(tag: Tag) -> list[str]:
    return parse_attributes(tag).get("class", "").split() if "class" in tag.attributes else []


def _convert_comment(tokens: Tokens, at: int, cards: CardRenderer) -> tuple[str, int]:
    """Return the HTML of a comment and the index of the last token that belongs to it."""
    match = _COMMENT.fullmatch(str(tokens[at]))
    if match is None or match["name"] not in {"kg-card-begin", "members-only", _GATED}:
        return "", at
    what = match["what"] or ""
    if match["name"] == "members-only":
        return cards.render("paywall", {}), at
    end = _comment_end(tokens, at, match["name"])
    if match["name"] == _GATED:
        if not what.startswith("begin") or "nonMember:true" in what.replace(" ", ""):
            return "", at
        return cards.leave_out(gettext("for members"), _join(tokens[at + 1 : end])), end
    if what == "html":
        cards.report_code(_join(tokens[at + 1 : end]))
    return "", at


def _comment_end(tokens: Tokens, at: int, name: str) -> int:
    """Return the index of the comment that ends a part; without one the part ends with the body."""
    for index in range(at + 1, len(tokens)):
        token = tokens[index]
        if isinstance(token, str) and token.startswith("<!--"):
            match = _COMMENT.fullmatch(token)
            if match is None:
                continue
            is_end = name != _GATED or (match["what"] or "").startswith("end")
            # A part that has no end would otherwise be read again from every later beginning.
            if match["name"] == "kg-card-begin" == name:
                return index
            if match["name"] == name.replace("begin", "end") and is_end:
                return index
    return len(tokens) - 1


def _join(tokens: Tokens) -> str:
    return "".join(token if isinstance(token, str) else token.raw for token in tokens)


class _Card:
    """The elements of a card, by class or name."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.ends = _matching_ends(tokens)

    def _starts(self, name: str) -> Iterator[tuple[int, Tag]]:
        """Yield the start tags with a class (`.x`) or a name."""
        for index, token in enumerate(self.tokens):
            if isinstance(token, Tag) and not token.is_end:
                is_match = (
                    name[1:] in _classes(token) if name.startswith(".") else token.name == name
                )
                if is_match:
                    yield index, token

    def html(self, name: str) -> str:
        """Return the content of the first such element."""
        for index, _ in self._starts(name):
            return _join(self.tokens[index + 1 : self.ends.get(index, index + 1)]).strip()
        return ""

    def text(self, name: str) -> str:
        """Return the text of the first such element."""
        return plain_text(self.html(name)).replace("\n", " ")

    def attribute(self, name: str, key: str) -> str:
        """Return an attribute of the first such element that has it."""
        values = (parse_attributes(tag).get(key, "") for _, tag in self._starts(name))
        return next(filter(None, values), "")

    def pictures(self) -> list[Payload]:
        """Return the pictures with their attributes."""
        return [dict(parse_attributes(tag)) for _, tag in self._starts("img")]

    def without(self, name: str) -> str:
        """Return the content of the card without the first such element."""
        for index, _ in self._starts(name):
            end = self.ends.get(index, index)
            return _join(self.tokens[1:index] + self.tokens[end + 1 : -1])
        return _join(self.tokens[1:-1])


def _convert_card(kind: str, tokens: Tokens, cards: CardRenderer) -> str:
    card = _Card(tokens)
    if kind in _READERS:
        return cards.render(kind, _READERS[kind](card))
    if kind in LEFT_OUT:
        return cards.leave_out(kind, _join(tokens[1:-1]))
    if kind != "code":
        cards.changes.append(gettext("Card kept as plain HTML: %(name)s", name=kind))
    return _join(tokens)


def _read_image(card: _Card) -> Payload:
    picture = next(iter(card.pictures()), {})
    return picture | {"href": card.attribute("a", "href"), "caption": card.html("figcaption")}


def _read_gallery(card: _Card) -> Payload:
    return {"images": card.pictures(), "caption": card.html("figcaption")}


def _read_embed(card: _Card) -> Payload:
    return {"html": card.without("figcaption"), "caption": card.html("figcaption")}


def _read_bookmark(card: _Card) -> Payload:
    names = ("title", "description", "author", "publisher")
    metadata = {name: card.text(f".kg-bookmark-{name}") for name in names}
    url = card.attribute(".kg-bookmark-container", "href") or card.attribute("a", "href")
    return {"url": url, "metadata": metadata, "caption": card.html("figcaption")}


def _read_callout(card: _Card) -> Payload:
    return {
        "calloutEmoji": card.text(".kg-callout-emoji"),
        "calloutText": card.html(".kg-callout-text"),
    }


def _read_toggle(card: _Card) -> Payload:
    return {
        "heading": card.html(".kg-toggle-heading-text"),
        "content": card.html(".kg-toggle-content"),
    }


def _read_button(card: _Card) -> Payload:
    return {"buttonUrl": card.attribute("a", "href"), "buttonText": card.text("a")}


def _read_audio(card: _Card) -> Payload:
    return {"src": card.attribute("audio", "src"), "title": card.text(".kg-audio-title")}


def _read_video(card: _Card) -> Payload:
    names = ("src", "poster", "width", "height")
    attributes = {name: card.attribute("video", name) for name in names}
    return attributes | {"caption": card.html("figcaption")}


def _read_file(card: _Card) -> Payload:
    return {
        "src": card.attribute("a", "href"),
        "fileTitle": card.text(".kg-file-card-title"),
        "fileCaption": card.text(".kg-file-card-caption"),
        "fileName": card.text(".kg-file-card-filename"),
    }


def _read_product(card: _Card) -> Payload:
    return {
        "productImageSrc": card.attribute("img", "src"),
        "productTitle": card.html(".kg-product-card-title"),
        "productDescription": card.html(".kg-product-card-description"),
        "productButtonEnabled": True,
        "productButton": card.text(".kg-product-card-button"),
        "productUrl": card.attribute(".kg-product-card-button", "href"),
    }


def _read_header(card: _Card) -> Payload:
    heading = card.html(".kg-header-card-heading") or card.html(".kg-header-card-header")
    return {
        "header": heading,
        "subheader": card.html(".kg-header-card-subheading")
        or card.html(".kg-header-card-subheader"),
        "backgroundImageSrc": card.attribute("img", "src"),
        "buttonEnabled": True,
        "buttonText": card.text(".kg-header-card-button"),
        "buttonUrl": card.attribute(".kg-header-card-button", "href"),
    }


def _read_call_to_action(card: _Card) -> Payload:
    return {
        "imageUrl": card.attribute("img", "src"),
        "sponsorLabel": card.html(".kg-cta-sponsor-label"),
        "textValue": card.html(".kg-cta-text"),
        "showButton": True,
        "buttonText": card.text(".kg-cta-button"),
        "buttonUrl": unescape(card.attribute(".kg-cta-button", "href")),
    }


_READERS = {
    "audio": _read_audio,
    "bookmark": _read_bookmark,
    "button": _read_button,
    "callout": _read_callout,
    "cta": _read_call_to_action,
    "embed": _read_embed,
    "file": _read_file,
    "gallery": _read_gallery,
    "header": _read_header,
    "image": _read_image,
    "product": _read_product,
    "toggle": _read_toggle,
    "video": _read_video,
}
