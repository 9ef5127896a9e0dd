"""Bodies as other systems kept them, with the shortcodes of WordPress as HTML; the cleaning comes later."""

from __future__ import annotations

import re
from html import escape, unescape

from spectator.text.html.blocks import exact_tokens
from spectator.text.html.markup import BREAKS, Tag

SHORTCODE_NAMES = "caption|wp_caption|gallery|embed|audio|video"

# A shortcode, with what it holds where it is closed; "[[caption]]" is how WordPress writes about one.
_SHORTCODE = re.compile(
    rf"""(?<!\[)\[(?P<name>{SHORTCODE_NAMES})(?P<attributes>(?:\s(?:[^\[\]"']++|"[^"\[]*+"|'[^'\[]*+')*+)?)/?\](?!\])"""
    rf"""(?:(?P<content>(?:(?!\[/?(?:{SHORTCODE_NAMES})\b).)*+)\[/(?P=name)\])?""",
    re.IGNORECASE | re.DOTALL,
)
# A paragraph with nothing else in it makes room: a figure cannot stand in one.
_IN_PARAGRAPH = re.compile(r"<p(?:\s[^<>]*+)?>\s*+(\x00[0-9]++\x00)\s*+</p>", re.IGNORECASE)
_PLACEHOLDER = re.compile("\x00([0-9]++)\x00")
_STRAY_END = re.compile(rf"(?<!\[)\[/(?:{SHORTCODE_NAMES})\](?!\])", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'\]]+))""")
_PICTURE = re.compile(r"<a\b[^<>]*>\s*<img\b[^<>]*>\s*</a>|<img\b[^<>]*>", re.IGNORECASE)
_BLOCK_COMMENT = re.compile(r"<!--\s*/?wp:(?:(?!-->).)*+-->", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^\s<>\"'\[\]]+", re.IGNORECASE)
_MEDIA_KEYS = ("src", "mp4", "m4v", "webm", "ogv", "flv", "mp3", "m4a", "ogg", "oga", "wav", "url")
_TAGS_WITHOUT_LINKS = frozenset({"a", "pre", "code", "script", "style", "textarea", "title"})


def convert_body(body: str) -> str:
    """Return a body without shortcodes and block comments, and with links for addresses that stand on a line alone.

    What is in brackets and no shortcode that WordPress itself has, such as "[Version]", is text and stays.
    """
    body = _BLOCK_COMMENT.sub("", body.replace("\x00", ""))
    made: list[str] = []

    def mark(match: re.Match[str]) -> str:
        made.append(_convert_shortcode(match))
        return f"\x00{len(made) - 1}\x00"

    if "[" in body:
        body = _STRAY_END.sub("", _SHORTCODE.sub(mark, body))
        body = _PLACEHOLDER.sub(lambda match: made[int(match[1])], _IN_PARAGRAPH.sub(r"\1", body))
    return _link_addresses(body) if "://" in body else body


def _convert_shortcode(shortcode: re.Match[str]) -> str:
    name, content = shortcode["name"].lower(), (shortcode["content"] or "").strip()
    attributes = {
        key.lower(): unescape(double or single or bare)
        for key, double, single, bare in _ATTRIBUTE.findall(shortcode["attributes"] or "")
    }
    if name in {"caption", "wp_caption"}:
        return _figure(content, attributes.get("caption", ""))
    if name == "gallery":
        return content  # its pictures are named by numbers that mean nothing here
    address = next((attributes[key] for key in _MEDIA_KEYS if attributes.get(key)), "")
    address = address or next(iter(_ADDRESS.findall(unescape(content))), "")
    if name in {"audio", "video"} and address:
        return f'<{name} src="{escape(address)}" controls></{name}>'
    return f'<p><a href="{escape(address)}">{escape(address)}</a></p>' if address else content


def _figure(content: str, caption: str) -> str:
    """Return the figure of a picture and what else stands in its shortcode."""
    picture = _PICTURE.search(content)
    if not picture:
        return f"<p>{content or escape(caption)}</p>"
    words = (content[: picture.start()] + content[picture.end() :]).strip() or escape(caption)
    return f"<figure>{picture[0]}{f'<figcaption>{words}</figcaption>' if words else ''}</figure>"


def _link_addresses(body: str) -> str:
    """Return a body in which every web address that has a line or a block for itself is a link."""
    tokens = list(exact_tokens(body))
    closed: list[str] = []
    out = []
    for place, token in enumerate(tokens):
        if isinstance(token, Tag):
            if token.name in _TAGS_WITHOUT_LINKS and not token.is_end:
                closed.append(token.name)
            elif closed and token.name == closed[-1]:
                closed.pop()
            out.append(token.raw)
        elif closed or "://" not in token:
            out.append(token)
        else:
            out.append(_link_lines(token, _is_edge(tokens, place - 1), _is_edge(tokens, place + 1)))
    return "".join(out)


def _link_lines(text: str, begins_line: bool, ends_line: bool) -> str:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        is_whole = (number > 0 or begins_line) and (number < len(lines) - 1 or ends_line)
        address = line.strip()
        if is_whole and _ADDRESS.fullmatch(address):
            lines[number] = line.replace(address, f'<a href="{address}">{address}</a>')
    return "\n".join(lines)


def _is_edge(tokens: list[str | Tag], index: int) -> bool:
    """Return whether a line ends with this token: a tag that breaks lines, or the end of the text."""
    if not 0 <= index < len(tokens):
        return True
    token = tokens[index]
    return isinstance(token, Tag) and (token.name in BREAKS or token.name in {"br", "td", "th"})
