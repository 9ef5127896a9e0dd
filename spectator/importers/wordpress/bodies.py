"""Bodies of WordPress posts to HTML for the runner, which cleans it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from spectator.importers.body_media import media_urls
from spectator.importers.web_links import link_addresses
from spectator.importers.wordpress.autop import PLACEHOLDER, add_paragraphs
from spectator.importers.wordpress.body_blocks import convert_comments, is_block_body
from spectator.importers.wordpress.body_context import Attachment, BodyContext, Conversion
from spectator.importers.wordpress.body_tags import convert_tags, drop_scripts
from spectator.importers.wordpress.shortcode_html import convert_shortcodes
from spectator.text.html.blocks import split_blocks
from spectator.text.html.editor_notes import EDITOR_NOTE

__all__ = ["Attachment", "BodyContext", "ConvertedBody", "convert_body"]

# A placeholder alone in a paragraph replaces it, because HTML allows no figure in a paragraph.
_IN_PARAGRAPH = re.compile(r"<p(?:\s[^<>]*+)?>\s*+(\x00[0-9]++\x00)\s*+</p>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ConvertedBody:
    """A converted body.

    `changes` are sentences for the receipt about what was converted, removed or left as a note to
    editors. `media_urls` are absolute addresses of original files, for `body_media.replace_media`.
    The addresses of further pages (`/slug/2/`) up to `page_count` belong to the same story.
    """

    html: str
    changes: tuple[str, ...]
    media_urls: tuple[str, ...]
    page_count: int = 1


def convert_body(content: str, context: BodyContext) -> ConvertedBody:
    """Return a post's body as HTML with everything that it shows; takes linear time.

    What cannot be converted becomes a note to editors (`text.html.editor_notes`), so that no word
    is lost and readers get no source code.
    """
    conversion = Conversion(context)
    content = content.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    has_paragraphs = is_block_body(content)
    html = drop_scripts(convert_comments(content, conversion), conversion)
    html = link_addresses(convert_shortcodes(html, conversion))
    html = html if has_paragraphs else add_paragraphs(html)
    html = convert_tags(fill_blocks(html, conversion), conversion)
    if has_paragraphs and EDITOR_NOTE in html:
        html = "".join(map(_wrap_note, split_blocks(html)))
    return ConvertedBody(
        html.strip(), conversion.changes(), media_urls(html), conversion.page_count
    )


def _wrap_note(block: str) -> str:
    """Return a block that is a note as a paragraph, in which editors can work."""
    text = block.strip()
    return f"<p>{text}</p>\n" if text.startswith(f"<{EDITOR_NOTE}>") else block


def fill_blocks(html: str, conversion: Conversion) -> str:
    """Return HTML with the blocks that its placeholders stand for, and those within them."""
    return PLACEHOLDER.sub(
        lambda match: fill_blocks(conversion.blocks[int(match[0][1:-1])], conversion),
        _IN_PARAGRAPH.sub(r"\1", html),
    )
