"""From what a person types to the HTML that is stored, and back for the form."""

from __future__ import annotations

import html
import re

from spectator.text.html import BLOCKS, INLINE, clean_html, normal_text

BLOCK_TAG = re.compile(rf"<(?:{'|'.join(sorted(BLOCKS))})(?=[\s>/])", re.IGNORECASE)
STRAY = re.compile(rf"<(?!/?(?:{'|'.join(sorted(INLINE))})(?:\s[^<>]*)?/?>)", re.IGNORECASE)
BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
SIMPLE = re.compile(r"<p>(.*?)</p>(?:\n|\Z)", re.DOTALL)


def body_html(text: str) -> str:
    """Return HTML for a body: as it is when it has a block tag, else paragraphs.

    Blank lines part paragraphs, and single line breaks stay line breaks; where there is no blank line, each line
    break parts a paragraph. Inline markup stays; any other `<` is a character of the text.
    """
    text = normal_text(text).strip()
    if BLOCK_TAG.search(text):
        return text
    text = STRAY.sub("&lt;", text)
    parts = BLANK_LINE.split(text) if BLANK_LINE.search(text) else text.split("\n")
    lines = (part.strip().replace("\n", "<br>\n") for part in parts)
    return "\n".join(f"<p>{line}</p>" for line in lines if line)


def stored_body(text: str) -> str:
    """Return what is stored of a body that a person or an importer gives."""
    return clean_html(body_html(text))


def editable(body: str) -> str:
    """Return a stored body for the form: plain text where that leads back to the very same bytes, else the HTML."""
    paragraphs = SIMPLE.findall(body)
    if "".join(f"<p>{paragraph}</p>\n" for paragraph in paragraphs) == body + "\n":
        plain = "\n\n".join(paragraph.replace("<br>\n", "\n") for paragraph in paragraphs)
        for candidate in (html.unescape(plain), plain):
            if stored_body(candidate) == body:
                return candidate
    return body
