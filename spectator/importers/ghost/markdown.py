"""Markdown as Ghost's first editors wrote it: each line break counts, and HTML may be anywhere.

Not all of CommonMark, but every word of the text is in the result, and it takes linear time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import escape

MAX_DEPTH = 6  # of quotes and lists
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+|(?=[^#\s]))(.*)")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r"( {0,3})([-*+]|[0-9]{1,9}[.)])[ \t]+")
_HTML = re.compile(r" {0,3}</?[a-zA-Z!]")
_INLINE = re.compile(
    r"""
    (?P<escaped>\\[!-/:-@\[-`{-~])
    | (?P<ticks>`++)(?P<code>[^`]{1,5000})(?P=ticks)(?!`)
    | (?P<picture>!?)\[(?P<label>(?:[^\[\]\\]|\\.){0,1000})\]
      \(\s{0,9}<?(?P<url>[^\s()<>]{0,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,500})?)>?
      (?:\s{1,9}["'](?P<title>[^"\n]{0,500})["'])?\s{0,9}\)
    | <(?P<address>https?://[^\s<>]{1,2000})>
    | (?P<tag></?[a-zA-Z][^<>]{0,2000}>|<!--)
    | (?P<bare>(?<![\w"'=])https?://[^\s<>"'\\`]{1,2000}(?<![.,;:!?)*_\]]))
    """,
    re.VERBOSE,
)
_MARK = re.compile(r"(\*\*|__|~~|==|\*|_)")
_ELEMENTS = {"**": "strong", "__": "strong", "*": "em", "_": "em", "~~": "s", "==": "mark"}


def markdown_html(text: str) -> str:
    """Return the HTML of a text, to be sanitized."""
    lines = text.replace("\r\n", "\n").replace("\x00", "").expandtabs(4).split("\n")
    return "\n".join(_blocks(lines, 0))


def _blocks(lines: list[str], depth: int) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif fence := _FENCE.match(line):
            end = _fence_end(lines, at + 1, fence[1])
            code = escape("\n".join(lines[at + 1 : end]), quote=False)
            yield f"<pre><code>{code}</code></pre>"
            at = end + 1
        elif heading := _HEADING.fullmatch(line):
            level = len(heading[1])
            yield f"<h{level}>{_inline(heading[2].rstrip(' #'))}</h{level}>"
            at += 1
        elif _RULE.fullmatch(line):
            yield "<hr>"
            at += 1
        else:
            end = _run_end(lines, at)
            yield from _run(lines[at:end], depth)
            at = end


def _fence_end(lines: list[str], at: int, fence: str) -> int:
    """Return the index of the line that closes a block of code, or the number of lines."""
    while at < len(lines) and not lines[at].lstrip().startswith(fence):
        at += 1
    return at


def _run_end(lines: list[str], at: int) -> int:
    """Return the end of a block that ends at a blank line, or of a list with blank lines."""
    is_list = _ITEM.match(lines[at]) is not None
    for index in range(at + 1, len(lines)):
        line, former = lines[index], lines[index - 1]
        if is_list and line.strip() and not former.strip():
            if not (_ITEM.match(line) or line.startswith("  ")):
                return index
        elif not is_list and (not line.strip() or _starts_block(line)):
            return index
        elif not is_list and index == at + 1 and _UNDERLINE.fullmatch(line):
            return index + 1
        elif not is_list and _QUOTE.match(line) and not _QUOTE.match(former):
            return index
    return len(lines)


def _starts_block(line: str) -> bool:
    starts = (_FENCE.match(line), _HEADING.match(line), _ITEM.match(line))
    is_rule = _RULE.fullmatch(line) is not None and not _UNDERLINE.fullmatch(line)
    return any(starts) or is_rule


def _run(lines: list[str], depth: int) -> Iterator[str]:
    """Yield the HTML of a quote, a list, HTML, a heading with its underline, or a paragraph."""
    if _HTML.match(lines[0]):
        yield "\n".join(lines)
    elif _QUOTE.match(lines[0]) and depth < MAX_DEPTH:
        inner = [_QUOTE.sub("", line, count=1) for line in lines]
        yield f"<blockquote>{''.join(_blocks(inner, depth + 1))}</blockquote>"
    elif _ITEM.match(lines[0]) and depth < MAX_DEPTH:
        yield _list(lines, depth)
    elif len(lines) == 2 and (underline := _UNDERLINE.fullmatch(lines[1])):
        level = 1 if underline[1][0] == "=" else 2
        yield f"<h{level}>{_inline(lines[0].strip())}</h{level}>"
    else:
        stripped = (line.strip().removesuffix("\\") for line in lines)
        yield f"<p>{_inline('<br>'.join(stripped))}</p>"


def _list(lines: list[str], depth: int) -> str:
    items: list[list[str]] = []
    width = 0
    for line in lines:
        match = _ITEM.match(line)
        if match and (not items or len(match[1]) < 2):  # otherwise it belongs to an inner list
            items.append([line[match.end() :]])
            width = match.end()
        else:
            indent = len(line) - len(line.lstrip())
            items[-1].append(line[min(indent, width) :])
    start = _ITEM.match(lines[0])
    assert start is not None
    name = "ol" if start[2][0].isdigit() else "ul"
    first = f' start="{int(start[2][:-1])}"' if name == "ol" and start[2][:-1] != "1" else ""
    return f"<{name}{first}>{''.join(_item(item, depth) for item in items)}</{name}>"


def _item(lines: list[str], depth: int) -> str:
    html = "\n".join(_blocks(lines, depth + 1))
    if html.startswith("<p>") and html.count("<p>") == 1:
        html = html.removeprefix("<p>").replace("</p>", "", 1)
    return f"<li>{html}</li>"


def _inline(text: str) -> str:
    """Return the HTML of a line: links, pictures, code and emphasis."""
    pieces: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        pieces.append(_piece(match))
        return f"\x00{len(pieces) - 1}\x00"

    # In what is left, "<" and "&" are text, but for character references.
    rest = _INLINE.sub(set_aside, text).replace("<", "&lt;")
    return re.sub("\x00([0-9]+)\x00", lambda match: pieces[int(match[1])], _emphasize(rest))


def _piece(match: re.Match[str]) -> str:
    if match["escaped"]:
        return escape(match[0][1])
    if match["code"]:
        return f"<code>{escape(match['code'].strip(), quote=False)}</code>"
    if match["tag"]:
        return match[0]
    if url := match["address"] or match["bare"]:
        return f'<a href="{escape(url)}">{escape(url)}</a>'
    url, title = escape(match["url"]), match["title"]
    attribute = f' title="{escape(title)}"' if title else ""
    if match["picture"]:
        return f'<img src="{url}" alt="{escape(match["label"])}"{attribute}>'
    return f'<a href="{url}"{attribute}>{_emphasize(escape(match["label"], quote=False))}</a>'


def _emphasize(text: str) -> str:
    """Return a text in which marks around words are elements; others stay as they are."""
    pieces = _MARK.split(text)
    opened: list[int] = []
    counts: Counter[str] = Counter()
    for index in range(1, len(pieces), 2):
        mark, before, after = pieces[index], pieces[index - 1][-1:], pieces[index + 1][:1]
        is_in_word = mark[0] == "_" and before.isalnum() and after.isalnum()
        can_close = counts[mark] and not (before.isspace() or is_in_word)
        if can_close and (before or index - 2 != opened[-1]):
            while pieces[start := opened.pop()] != mark:
                counts[pieces[start]] -= 1
            counts[mark] -= 1
            name = _ELEMENTS[mark]
            pieces[start], pieces[index] = f"<{name}>", f"</{name}>"
        elif (after or index + 2 < len(pieces)) and not after.isspace() and not is_in_word:
            opened.append(index)
            counts[mark] += 1
    return "".join(pieces)
