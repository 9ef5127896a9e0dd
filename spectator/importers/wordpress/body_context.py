"""What the conversion of a body needs to know, and what it collects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from spectator.i18n import gettext
from spectator.importers.body_media import missing_picture
from spectator.text.html.editor_notes import editor_note

MAX_CHANGES = 100
MAX_QUOTED = 300  # characters of a source in a report; the note in the text has all of it


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of the old site. `caption` may hold HTML; sizes are in pixels, 0 if unknown."""

    url: str
    alt: str = ""
    caption: str = ""
    credit: str = ""
    title: str = ""
    width: int = 0
    height: int = 0
    mime_type: str = ""


def _nothing(_id: int) -> None:
    return None


def _no_file(_url: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class BodyContext:
    """What surrounds a body in its export.

    `attachment` returns the file with an id, and `pattern` the content of a reusable block; both
    return None for unknown ids. `attached` are the post's own files in the order of its menu, for
    galleries and players that name none. `footnotes` is the JSON text of the post's meta value, and
    `base_url` the address of the old site, to which relative addresses belong.
    """

    base_url: str = ""
    attachment: Callable[[int], Attachment | None] = _nothing
    is_file: Callable[[str], bool] = _no_file
    attached: Sequence[Attachment] = ()
    footnotes: str = ""
    pattern: Callable[[int], str | None] = _nothing


@dataclass(slots=True)
class Conversion:
    """A conversion in progress: its context, the HTML behind its placeholders, and its changes.

    A placeholder stands for a block, so that later steps neither read nor wrap its HTML.
    """

    context: BodyContext
    blocks: list[str] = field(default_factory=list)
    converted: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    left: dict[str, None] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)
    page_count: int = 1
    file_count: int = 0

    def block(self, html: str) -> str:
        """Return a placeholder for the HTML of one or more blocks, "" for none."""
        if not html:
            return ""
        self.blocks.append(html)
        return f"\x00{len(self.blocks) - 1}\x00"

    def note(self, source: str) -> str:
        """Return the note to editors for a source that cannot be converted, and report it."""
        self.left.setdefault(source)
        return editor_note(source)

    def missing_picture(self, source: str, alt: str = "") -> str:
        """Return the note for a picture that the export lacks, and report it."""
        sentence = missing_picture(source, alt)
        self.missing.setdefault(sentence)
        return editor_note(sentence)

    def changes(self) -> tuple[str, ...]:
        """Return a sentence about each thing that was converted, removed or left as a note."""
        sentences = []
        if self.page_count > 1:
            sentences.append(gettext("Pages joined: %(count)s", count=self.page_count))
        if self.converted:
            sentences.append(gettext("Converted: %(names)s", names=_list(self.converted)))
        if self.removed:
            sentences.append(gettext("Removed: %(names)s", names=_list(self.removed)))
        sentences += [
            gettext("Left as a note to editors: %(source)s", source=source[:MAX_QUOTED])
            for source in islice(self.left, MAX_CHANGES)
        ]
        sentences += [text[:MAX_QUOTED] for text in islice(self.missing, MAX_CHANGES)]
        more = max(0, len(self.left) - MAX_CHANGES) + max(0, len(self.missing) - MAX_CHANGES)
        if more:
            sentences.append(gettext("More notes to editors: %(count)s", count=more))
        return tuple(sentences)


def _list(counts: Counter[str]) -> str:
    return ", ".join(f"{name} ({count})" if count > 1 else name for name, count in counts.items())
