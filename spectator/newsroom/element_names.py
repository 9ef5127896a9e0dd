"""Names of the elements of a story's text for people: what a save removes, what was changed."""

from __future__ import annotations

from spectator.i18n import gettext, lazy_gettext, lazy_pgettext, ngettext, plural_forms
from spectator.text.compare.diff import BlockDiff
from spectator.text.compare.loss_guard import Losses

# By the English name of `loss_guard.ELEMENTS`.
ELEMENT_COUNTS = {
    "fold-out": plural_forms("a fold-out", "%(count)s fold-outs"),
    "quotation": plural_forms("a quotation", "%(count)s quotations"),
    "table": plural_forms("a table", "%(count)s tables"),
    "figure": plural_forms("a figure", "%(count)s figures"),
    "list": plural_forms("a list", "%(count)s lists"),
    "definition list": plural_forms("a definition list", "%(count)s definition lists"),
    "video": plural_forms("a video", "%(count)s videos"),
    "audio clip": plural_forms("an audio clip", "%(count)s audio clips"),
    "embed": plural_forms("an embed", "%(count)s embeds"),
    "picture": plural_forms("a picture", "%(count)s pictures"),
    "code passage": plural_forms("a code passage", "%(count)s code passages"),
    "horizontal rule": plural_forms("a horizontal rule", "%(count)s horizontal rules"),
    "fold-out heading": plural_forms("a fold-out heading", "%(count)s fold-out headings"),
    "caption": plural_forms("a caption", "%(count)s captions"),
    "table head": plural_forms("a table head", "%(count)s table heads"),
    "table foot": plural_forms("a table foot", "%(count)s table foots"),
    "row": plural_forms("a row", "%(count)s rows"),
    "cell": plural_forms("a cell", "%(count)s cells"),
    "media source": plural_forms("a media source", "%(count)s media sources"),
    "subtitle track": plural_forms("a subtitle track", "%(count)s subtitle tracks"),
    "link": plural_forms("a link", "%(count)s links"),
    "anchor": plural_forms("an anchor", "%(count)s anchors"),
}
# By the English name of `diff.BlockDiff`.
BLOCK_NAMES = {
    "paragraph": lazy_pgettext("part of a story", "paragraph"),
    "heading": lazy_pgettext("part of a story", "heading"),
    "fold-out": lazy_pgettext("part of a story", "fold-out"),
    "quotation": lazy_pgettext("part of a story", "quotation"),
    "table": lazy_pgettext("part of a story", "table"),
    "figure": lazy_pgettext("part of a story", "figure"),
    "list": lazy_pgettext("part of a story", "list"),
    "definition list": lazy_pgettext("part of a story", "definition list"),
    "video": lazy_pgettext("part of a story", "video"),
    "audio clip": lazy_pgettext("part of a story", "audio clip"),
    "embed": lazy_pgettext("part of a story", "embed"),
    "picture": lazy_pgettext("part of a story", "picture"),
    "code passage": lazy_pgettext("part of a story", "code passage"),
    "horizontal rule": lazy_pgettext("part of a story", "horizontal rule"),
    "group": lazy_pgettext("part of a story", "group"),
    "text": lazy_pgettext("part of a story", "text"),
}
# Translators: before the text of a paragraph, heading, table …, for people who hear the page.
BLOCK_CHANGES = {
    "added": lazy_gettext("Added %(block)s:"),
    "removed": lazy_gettext("Removed %(block)s:"),
    "changed": lazy_gettext("Changed %(block)s:"),
    "same": lazy_gettext("Same %(block)s:"),
    "omitted": lazy_gettext("Omitted %(block)s:"),
}


def describe_losses(losses: Losses) -> str:
    """Return what a save would remove, such as “a table, 2 links”."""
    return ", ".join(_describe_count(name, count) for name, count in losses.counts.items())


def _describe_count(name: str, count: int) -> str:
    if name in ELEMENT_COUNTS:
        return ngettext(*ELEMENT_COUNTS[name], count)
    word, _, kind = name.partition(" ")  # "lang attribute", "sub element"
    if kind == "attribute":
        return ngettext(
            "%(count)s “%(name)s” attribute", "%(count)s “%(name)s” attributes", count, name=word
        )
    return ngettext(
        "%(count)s “%(name)s” element", "%(count)s “%(name)s” elements", count, name=word
    )


def describe_block(block: BlockDiff) -> str:
    """Return the kind of a block's change, such as “Added paragraph:”."""
    return str(BLOCK_CHANGES[block.kind]) % {"block": BLOCK_NAMES[block.name]}


def describe_unchanged(block: BlockDiff) -> str:
    """Return the heading of a block that is the same in both versions."""
    return gettext("Unchanged %(block)s", block=BLOCK_NAMES[block.name])
