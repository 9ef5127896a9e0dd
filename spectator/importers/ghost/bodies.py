"""The body of a post: from the rendered HTML, else from the text of an editor."""

from __future__ import annotations

from collections.abc import Callable

from spectator.i18n import gettext
from spectator.importers.body_urls import has_content
from spectator.importers.ghost.cards import CardRenderer, Payload, text_of
from spectator.importers.ghost.html_cards import convert_html
from spectator.importers.ghost.lexical import lexical_html
from spectator.importers.ghost.markdown import markdown_html
from spectator.importers.ghost.mobiledoc import mobiledoc_html

SITE_PLACEHOLDER = "__GHOST_URL__"
# By preference. A post has what its version of Ghost stored, at times in several columns.
_FORMATS: dict[str, Callable[[str, CardRenderer], str]] = {
    "html": convert_html,
    "lexical": lexical_html,
    "mobiledoc": mobiledoc_html,
    "markdown": lambda source, _cards: markdown_html(source),
}


def convert_body(post: Payload, site_url: str, changes: list[str]) -> str:
    """Return the body of a post, "" if it has none; `site_url` replaces the placeholder of Ghost.

    A column that is damaged is reported, and the next one is read.
    """
    for name, convert in _FORMATS.items():
        source = text_of(post, name)
        if not source:
            continue
        cards = CardRenderer()
        try:
            html = convert(source.replace(SITE_PLACEHOLDER, site_url), cards)
        except ValueError as error:
            changes.append(
                gettext("%(name)s cannot be read: %(reason)s", name=name, reason=str(error)[:200])
            )
            continue
        if has_content(html):
            changes += dict.fromkeys(cards.changes)
            return html
    return ""
