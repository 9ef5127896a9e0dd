"""The import of stories in batches, under the rules of actions on a single story."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from sqlalchemy.exc import OperationalError

from spectator.db import StorageError, db, take_turns
from spectator.i18n import gettext
from spectator.publishing.fields import NAME_FIELDS
from spectator.publishing.import_batches import ImportBatch
from spectator.publishing.imported_articles import ImportedArticle, ImportResult
from spectator.publishing.listings import update_listings
from spectator.publishing.pictures import update_picture_uses

log = logging.getLogger(__name__)
# Of bylines, topics and countries; each costs some 70 µs under the write lock.
MAX_NAMES = 5_000


def import_batch(
    stories: Sequence[ImportedArticle], overwrite: bool = False, is_dry: bool = False
) -> ImportResult:
    """Store a batch of imported stories, in order, in few transactions; a dry run rolls back.

    A repeated external id, even within the batch, updates the fields of that story that nobody has
    edited here; with `overwrite` the source wins. Unchanged stories are not written. A story that
    cannot be stored is refused without affecting the others.
    """
    result = ImportResult()
    for group in take_turns(_split_into_transactions(stories)):
        result.add(_import_group(group, overwrite, is_dry))
    return result


def _import_group(
    stories: Sequence[ImportedArticle], overwrite: bool, is_dry: bool
) -> ImportResult:
    """Store stories with different ids in one transaction or, if that fails, in one for each."""
    try:
        return _import_in_transaction(stories, overwrite, is_dry)
    except (OperationalError, StorageError):
        raise  # the database is locked, full or unreachable, which no story causes
    except Exception:
        log.debug("importing a batch failed; retrying story by story", exc_info=True)
    result = ImportResult()
    for story in take_turns(stories):
        try:
            result.add(_import_in_transaction([story], overwrite, is_dry))
        except (OperationalError, StorageError):
            raise
        except Exception as error:
            log.debug("importing a story failed", exc_info=True)
            result.refuse(
                story.location,
                gettext("cannot be stored: %(error)s", error=error),
            )
    return result


class _DryRunRollback(Exception):
    """The signal that rolls back the transaction of a dry run."""


def _import_in_transaction(
    stories: Sequence[ImportedArticle], overwrite: bool, is_dry: bool
) -> ImportResult:
    result = ImportResult()
    with suppress(_DryRunRollback), db.write() as session:
        article_ids = ImportBatch(session, stories, overwrite, is_dry).apply(result)
        if article_ids:
            update_listings(session, article_ids)
            update_picture_uses(session, article_ids)
        if is_dry:
            raise _DryRunRollback
    return result


def _split_into_transactions(
    stories: Iterable[ImportedArticle],
) -> Iterator[list[ImportedArticle]]:
    """Split a batch before each story that refers to an earlier one, and by names.

    It has the same id, which updates the earlier story, or is its translation.
    """
    group: list[ImportedArticle] = []
    seen_ids: set[str] = set()
    names = 0
    for story in stories:
        references = {story.external_id, story.prepared.draft.translation_of}
        if references & seen_ids or names >= MAX_NAMES:
            yield group
            group, seen_ids, names = [], set(), 0
        group.append(story)
        names += sum(len(getattr(story.prepared.draft, name)) for name in NAME_FIELDS)
        if story.external_id is not None:
            seen_ids.add(story.external_id)
    if group:
        yield group
