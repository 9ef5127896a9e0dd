"""Conversion of what an editor types to the stored body, and back."""

from __future__ import annotations

import re
from collections.abc import Callable

from spectator.text.html.sanitizer import TAGS, clean_html, escape_text
from spectator.text.html.tokenizer import BLOCKS, SKIPPED, decode_entities
from spectator.text.words.normalization import normalize_text

# A text with any of these elements is HTML; a text without is plain text.
HTML_BLOCKS = BLOCKS | {"iframe", "video", "audio", "td", "th"}
# Elements whose tags are markup in plain text too. "<anna@example.com>" and "x<y" are text.
KNOWN = TAGS | SKIPPED | {"font", "form", "input", "button", "object", "embed", "noscript"}
_BLOCK_TAG = re.compile(rf"<(?:{'|'.join(sorted(HTML_BLOCKS))})(?=[\s/>])", re.IGNORECASE)
_NO_TAG = re.compile(rf"<(?!/?(?:{'|'.join(sorted(KNOWN))})(?=[\s/>])|!--)", re.IGNORECASE)

_SIMPLE_BODY = re.compile(
    r"<p>(?:(?!</?p[\s>]).)*+</p>(?:\n<p>(?:(?!</?p[\s>]).)*+</p>)*+", re.DOTALL
)
_OWN_REL = re.compile(r'(<a\b[^<>]*?) rel="noopener">')


def body_html(text: str) -> str:
    """Return the HTML of a body, not yet cleaned; `stored_body` does both.

    With a block tag anywhere it is HTML and returned unchanged. Otherwise it is plain text: blank
    lines separate paragraphs and single line breaks become `<br>`. Without any blank line, every
    line is a paragraph. Inline HTML stays markup; a `<` that starts no HTML element is escaped.
    """
    if _BLOCK_TAG.search(text):
        return text
    return _wrap_paragraphs(text, lambda line: _NO_TAG.sub("&lt;", line))


def _wrap_paragraphs(text: str, encode_line: Callable[[str], str]) -> str:
    """Return plain text as paragraphs; `encode_line` maps the text of a line to its HTML."""
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
    """Return the clean HTML to store for a body that was typed or imported."""
    if "<" not in text and "&" not in text:
        # There is nothing to parse or clean.
        return _wrap_paragraphs(text, escape_text)
    body = clean_html(body_html(text))
    # "<section>word" loses its only block tag when it is cleaned, and becomes plain text.
    return body if not body or _BLOCK_TAG.search(body) else clean_html(body_html(body))


def editable_body(body: str) -> str:
    """Return a stored body for editing: plain text if that gives the same body again, else HTML."""
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
