"""The originals of imported translations, named by the ids that they have in their source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from spectator.i18n import gettext
from spectator.models import Article
from spectator.publishing.fields import Draft
from spectator.publishing.import_merge import UNKNOWN
from spectator.publishing.translations import (
    ORIGINAL_COLUMNS,
    check_original,
    check_translations,
)
from spectator.publishing.validation import PreparedDraft, ValidationError


class OriginalLookup:
    """The stored stories that the translations of a batch name, and which stories have some.

    A translation of a translation belongs to the original. In a dry run, which stores nothing, an
    original may be an earlier story of the import, so unknown ones are no errors.
    """

    def __init__(
        self, session: Session, drafts: Sequence[PreparedDraft], *, is_dry: bool
    ) -> None:
        self.session, self.is_dry = session, is_dry
        external_ids = {draft.draft.translation_of for draft in drafts} - {""}
        self.rows = self._load(Article.external_id.in_(external_ids)) if external_ids else []
        parents = {row.translation_of_id for row in self.rows} - {None}
        by_id = {row.id: row for row in self.rows}
        by_id |= {row.id: row for row in self._load(Article.id.in_(parents))} if parents else {}
        self.by_number = {str(number): row for number, row in by_id.items()}
        self.numbers = {
            row.external_id: str(row.translation_of_id or row.id) for row in self.rows
        }

    def _load(self, condition: Any) -> list[Row[Any]]:
        columns = select(Article.external_id, *ORIGINAL_COLUMNS)
        return list(self.session.execute(columns.where(condition)))

    def with_number(self, prepared: PreparedDraft) -> PreparedDraft:
        """Return a draft that names its original by its number, `UNKNOWN` if there is none."""
        reference = prepared.draft.translation_of
        if not reference:
            return prepared
        number = self.numbers.get(reference, "" if self.is_dry else UNKNOWN)
        return replace(prepared, draft=replace(prepared.draft, translation_of=number))

    def load_stored(self, numbers: Iterable[int | None]) -> None:
        """Load the originals that stored stories of the batch have, which they may keep."""
        missing = {number for number in numbers if str(number) not in self.by_number} - {None}
        if missing:
            rows = self._load(Article.id.in_(missing))
            self.by_number |= {str(row.id): row for row in rows}

    def check_reference(self, draft: Draft) -> None:
        """Raise ValidationError if the source names an original that is not stored."""
        if draft.translation_of and draft.translation_of not in self.by_number:
            message = gettext("There is no story with this id. Import the original first.")
            raise ValidationError({"translation_of": message})

    def check(self, draft: Draft, article_id: int | None = None) -> None:
        """Raise ValidationError unless a story may have its original and language.

        `article_id` is None for a new story.
        """
        original = self.by_number.get(draft.translation_of)
        if original is not None:
            check_original(original, article_id, draft.language)
        if article_id is not None:
            check_translations(self.session, article_id, original, draft.language)

    def column_values(self, number: str) -> dict[str, int | None]:
        """Return the column values of a story with this original."""
        row = self.by_number.get(number)
        return {
            "translation_of_id": row.id if row is not None else None,
            "original_version": row.version if row is not None else None,
        }
