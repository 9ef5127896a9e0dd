"""Bodies in JSON lines and feeds, which may come from WordPress: HTML for the runner to clean."""

from __future__ import annotations

from spectator.importers.body_media import note_data_pictures
from spectator.importers.web_links import link_addresses
from spectator.importers.wordpress.bodies import fill_blocks
from spectator.importers.wordpress.body_blocks import convert_comments
from spectator.importers.wordpress.body_context import BodyContext, Conversion
from spectator.importers.wordpress.shortcode_html import convert_shortcodes


def convert_body(body: str, changes: list[str] | None = None) -> str:
    """Return a body without shortcodes and comments, with links for URLs on their own line.

    What cannot be converted becomes a note to editors. Brackets that are no shortcodes, such as
    "[Version]", stay as text. Sentences about what was converted or left are added to `changes`.
    """
    conversion = Conversion(BodyContext())
    html = body.replace("\x00", "")
    if "<!--" in html:
        html = convert_comments(html, conversion)
    html = fill_blocks(link_addresses(convert_shortcodes(html, conversion)), conversion)
    html = note_data_pictures(html, conversion.missing.setdefault)
    if changes is not None:
        changes += conversion.changes()
    return html
