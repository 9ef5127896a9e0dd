"""The import of stories in batches, under the rules of actions on a single story."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from spectator.db import StorageError, db
from spectator.publishing.import_batches import ImportBatch, ImportedArticle, ImportResult
from spectator.publishing.listings import update_listings
from spectator.publishing.pictures import update_picture_uses

log = logging.getLogger(__name__)


def import_batch(
    stories: Sequence[ImportedArticle], overwrite: bool = False, is_dry: bool = False
) -> ImportResult:
    """Store a batch of imported stories, in order, in one transaction; a dry run rolls back.

    A repeated external id, even within the batch, updates the fields of that story that nobody has
    edited here; with `overwrite` the source wins. Unchanged stories are not written. A story that
    cannot be stored is refused without affecting the others: then each story gets a transaction of
    its own, so that nobody else waits for the write lock.
    """
    try:
        return _import_in_transaction(stories, overwrite, is_dry)
    except (OperationalError, StorageError):
        raise  # the database is locked, full or unreachable, which no story causes
    except Exception:
        log.debug("importing a batch failed; retrying story by story", exc_info=True)
    result = ImportResult()
    for story in stories:
        try:
            result.include(_import_in_transaction([story], overwrite, is_dry))
        except (OperationalError, StorageError):
            raise
        except Exception as error:
            log.debug("importing a story failed", exc_info=True)
            result.refuse(story.location, f"cannot be stored: {error}")
    return result


class _DryRunRollback(Exception):
    """The signal that rolls back the transaction of a dry run."""


def _import_in_transaction(
    stories: Sequence[ImportedArticle], overwrite: bool, is_dry: bool
) -> ImportResult:
    result = ImportResult()
    with suppress(_DryRunRollback), db.write() as session:
        result = _import_stories(session, stories, overwrite)
        if is_dry:
            raise _DryRunRollback
    return result


def _import_stories(
    session: Session, stories: Sequence[ImportedArticle], overwrite: bool
) -> ImportResult:
    result, article_ids = ImportResult(), list[int]()
    for sub_batch in _split_at_repeated_ids(stories):
        article_ids += ImportBatch(session, sub_batch, overwrite).apply(result)
    if article_ids:
        update_listings(session, article_ids)
        update_picture_uses(session, article_ids)
    return result


def _split_at_repeated_ids(stories: Sequence[ImportedArticle]) -> Iterator[list[ImportedArticle]]:
    """Split a batch before each repeated id, so that the later story updates the earlier one."""
    sub_batch: list[ImportedArticle] = []
    seen_ids: set[str] = set()
    for story in stories:
        if story.external_id in seen_ids:
            yield sub_batch
            sub_batch, seen_ids = [], set()
        sub_batch.append(story)
        if story.external_id is not None:
            seen_ids.add(story.external_id)
    if sub_batch:
        yield sub_batch
