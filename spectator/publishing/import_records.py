"""What an importer passes to publishing, and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from spectator.media import StoredPicture
from spectator.models.article import WAS_PUBLIC_STATUSES
from spectator.publishing.validation import PreparedDraft


@dataclass(frozen=True, slots=True)
class ImportedArticle:
    """A story as an importer provides it.

    `section` is a section's name or slug; datetimes are aware. Importing an `external_id` again
    updates the same story; None always adds a new one. `feed_id` is the story's id in the feeds of
    its old site. `is_picture_known`: the importer checked whether there is a picture.
    """

    prepared: PreparedDraft
    section: str
    external_id: str | None = None
    status: str = "draft"
    published_at: datetime | None = None
    updated_at: datetime | None = None
    picture: StoredPicture | None = None
    is_picture_known: bool = True
    feed_id: str = ""

    @property
    def visible_updated_at(self) -> datetime | None:
        """Return when the story was updated, None if that was before its publication."""
        at, published = self.updated_at, self.published_at
        if at is None or published is None or self.status not in WAS_PUBLIC_STATUSES:
            return None
        return at if at >= published else None


@dataclass(slots=True)
class ImportResult:
    """The result of importing a batch: numbers of stories, and names of new sections.

    `preserved` and `refused` hold pairs of a story's index in the batch and a text: the fields
    that stayed as edited here, or the reason why the story was not stored.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    sections: list[str] = field(default_factory=list)
    preserved: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)

    def include(self, other: ImportResult) -> None:
        """Add another result to this one."""
        self.added += other.added
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.sections += other.sections
        self.preserved += other.preserved
        self.refused += other.refused
