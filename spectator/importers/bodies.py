"""Bodies from other systems: WordPress shortcodes to HTML; the sanitizer runs later."""

from __future__ import annotations

import re
from html import escape, unescape

from spectator.text.html.blocks import exact_tokens
from spectator.text.html.tokenizer import BREAKS, Tag

SHORTCODE_NAMES = "caption|wp_caption|gallery|embed|audio|video"

# A shortcode, with its content if it has an end tag; "[[caption]]" is an escaped one.
_SHORTCODE = re.compile(
    rf"""
    (?<!\[) \[
    (?P<name>{SHORTCODE_NAMES})
    (?P<attributes> (?: \s (?: [^\[\]"']++ | "[^"\[]*+" | '[^'\[]*+' )*+ )? )
    /?\] (?!\])
    (?:
        (?P<content> (?: (?!\[/?(?:{SHORTCODE_NAMES})\b) . )*+ )
        \[/(?P=name)\]
    )?
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
# A numbered placeholder stands for each converted shortcode. If it is alone in a paragraph, it
# replaces the paragraph, because HTML allows no figure in a paragraph.
_IN_PARAGRAPH = re.compile(r"<p(?:\s[^<>]*+)?>\s*+(\x00[0-9]++\x00)\s*+</p>", re.IGNORECASE)
_PLACEHOLDER = re.compile("\x00([0-9]++)\x00")
_STRAY_END = re.compile(rf"(?<!\[)\[/(?:{SHORTCODE_NAMES})\](?!\])", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])([\w-]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'\]]++))"""
)
_PICTURE = re.compile(r"<a\b[^<>]*>\s*<img\b[^<>]*>\s*</a>|<img\b[^<>]*>", re.IGNORECASE)
_BLOCK_COMMENT = re.compile(r"<!--\s*+/?wp:(?:(?!-->).)*+-->", re.DOTALL)
_ADDRESS = re.compile(r"https?://[^\s<>\"'\[\]]+", re.IGNORECASE)
_MEDIA_KEYS = (
    "src",
    "mp4",
    "m4v",
    "webm",
    "ogv",
    "flv",
    "mp3",
    "m4a",
    "ogg",
    "oga",
    "wav",
    "url",
)
_TAGS_WITHOUT_LINKS = frozenset({"a", "pre", "code", "script", "style", "textarea", "title"})


def convert_body(body: str) -> str:
    """Return a body without shortcodes and block comments, and with URLs on their own line linked.

    Brackets that are not a WordPress core shortcode, such as "[Version]", stay as text.
    """
    body = body.replace("\x00", "")
    # After the last "-->" no comment ends, but the pattern would look for an end from every "<!--".
    end = body.rfind("-->") + 3 if "-->" in body else 0
    body = _BLOCK_COMMENT.sub("", body[:end]) + body[end:]
    converted: list[str] = []

    def insert_placeholder(match: re.Match[str]) -> str:
        converted.append(_convert_shortcode(match))
        return f"\x00{len(converted) - 1}\x00"

    if "[" in body:
        body = _STRAY_END.sub("", _SHORTCODE.sub(insert_placeholder, body))
        body = _IN_PARAGRAPH.sub(r"\1", body)
        body = _PLACEHOLDER.sub(lambda match: converted[int(match[1])], body)
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
        return (
            content  # It names its pictures by attachment ids, which only WordPress can resolve.
        )
    address = next((attributes[key] for key in _MEDIA_KEYS if attributes.get(key)), "")
    address = address or next(iter(_ADDRESS.findall(unescape(content))), "")
    if name in {"audio", "video"} and address:
        return f'<{name} src="{escape(address)}" controls></{name}>'
    return f'<p><a href="{escape(address)}">{escape(address)}</a></p>' if address else content


def _figure(content: str, caption: str) -> str:
    """Return a figure with the picture and the caption of a caption shortcode."""
    picture = _PICTURE.search(content)
    if not picture:
        return f"<p>{content or escape(caption)}</p>"
    text = (content[: picture.start()] + content[picture.end() :]).strip() or escape(caption)
    return f"<figure>{picture[0]}{f'<figcaption>{text}</figcaption>' if text else ''}</figure>"


def _link_addresses(body: str) -> str:
    """Return a body in which every URL alone on a line or in a block is a link."""
    tokens = list(exact_tokens(body))
    unlinked: list[str] = []  # open elements in which no link may be added
    out = []
    for index, token in enumerate(tokens):
        if isinstance(token, Tag):
            if token.name in _TAGS_WITHOUT_LINKS and not token.is_end:
                unlinked.append(token.name)
            elif unlinked and token.name == unlinked[-1]:
                unlinked.pop()
            out.append(token.raw)
        elif unlinked or "://" not in token:
            out.append(token)
        else:
            out.append(
                _link_lines(
                    token,
                    begins_line=_is_edge(tokens, index - 1),
                    ends_line=_is_edge(tokens, index + 1),
                )
            )
    return "".join(out)


def _link_lines(text: str, *, begins_line: bool, ends_line: bool) -> str:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        is_whole = (number > 0 or begins_line) and (number < len(lines) - 1 or ends_line)
        address = line.strip()
        if is_whole and _ADDRESS.fullmatch(address):
            lines[number] = line.replace(address, f'<a href="{address}">{address}</a>')
    return "\n".join(lines)


def _is_edge(tokens: list[str | Tag], index: int) -> bool:
    """Return whether a line ends at this index: at a tag that breaks lines, or outside the body.

    A paragraph ends at a tag in BREAKS; only a line ends at "br" and the cells of tables.
    """
    if not 0 <= index < len(tokens):
        return True
    token = tokens[index]
    return isinstance(token, Tag) and (token.name in BREAKS or token.name in {"br", "td", "th"})
