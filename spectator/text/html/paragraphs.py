"""From what an editor typed to the stored body, and back."""

from __future__ import annotations

import re
from collections.abc import Callable

from spectator.text.html.markup import BLOCKS, SKIPPED, decode_entities
from spectator.text.html.sanitizer import TAGS, clean_html, escape_text
from spectator.text.words.normalization import normalize_text

_BLOCK_TAG = re.compile(
    rf"<(?:{'|'.join(sorted(BLOCKS))}|iframe|video|audio|td|th)(?=[\s/>])", re.IGNORECASE
)
# Elements that a writer of plain text may mean as markup; "<anna@example.com>" and "x<y" are not among them.
_INLINE = "|".join(
    sorted(TAGS | SKIPPED | {"font", "form", "input", "button", "object", "embed", "noscript"})
)
_NO_TAG = re.compile(rf"<(?!/?(?:{_INLINE})(?=[\s/>])|!--)", re.IGNORECASE)

_SIMPLE_BODY = re.compile(
    r"<p>(?:(?!</?p[\s>]).)*+</p>(?:\n<p>(?:(?!</?p[\s>]).)*+</p>)*+", re.DOTALL
)
_OWN_REL = re.compile(r'(<a\b[^<>]*?) rel="noopener">')


def body_html(text: str) -> str:
    """The HTML that a body means, still to be cleaned; `stored_body` does both.

    With a block tag anywhere it is HTML and returned unchanged. Otherwise it is plain text: blank lines part
    paragraphs and single line breaks inside become `<br>`; where there is no blank line each line break parts a
    paragraph. Inline HTML in plain text stays markup; a `<` that begins no HTML element is escaped.
    """
    if _BLOCK_TAG.search(text):
        return text
    return _wrap_paragraphs(text, lambda line: _NO_TAG.sub("&lt;", line))


def _wrap_paragraphs(text: str, encode_line: Callable[[str], str]) -> str:
    """Plain text as `body_html` parts it; `written` maps the text of a line to its HTML."""
    lines = [line.strip() for line in normalize_text(text).strip().split("\n")]
    groups: list[list[str]] = [[]]
    has_blank_line = "" in lines
    for line in lines:
        if line:
            groups[-1].append(encode_line(line))
        if not line or not has_blank_line:
            groups.append([])
    paragraphs = ("<br>\n".join(group) for group in groups if group)
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def stored_body(text: str) -> str:
    """The clean HTML to store for what an editor typed or an import gave; without a block tag it gets paragraphs."""
    if "<" not in text and "&" not in text:
        return _wrap_paragraphs(
            text, escape_text
        )  # nothing for a parser to read: its answer is known
    body = clean_html(body_html(text))
    # "<section>word" was HTML before its only block tag was cleaned away.
    return body if not body or _BLOCK_TAG.search(body) else clean_html(body_html(body))


def editable_body(body: str) -> str:
    """A stored body as an editor should see it: plain text if that gives back the very same body, else the HTML."""
    if not _SIMPLE_BODY.fullmatch(body):
        return body
    inner = (
        body.removeprefix("<p>")
        .removesuffix("</p>")
        .replace("</p>\n<p>", "\n\n")
        .replace("<br>\n", "\n")
    )
    inner = _OWN_REL.sub(r"\1>", inner)
    for plain in (decode_entities(inner), inner):
        if stored_body(plain) == body:
            return plain
    return body
