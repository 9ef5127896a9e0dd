"""The import of stories in batches, under the rules of actions on a single story."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from spectator.publishing.import_batches import ImportBatch, ImportedArticle, ImportResult
from spectator.publishing.listings import update_listings
from spectator.publishing.pictures import update_picture_uses

log = logging.getLogger(__name__)


def import_batch(
    session: Session, stories: Sequence[ImportedArticle], overwrite: bool = False
) -> ImportResult:
    """Store a batch of imported stories, in order, inside the importer's `db.write()`.

    A repeated external id, even within the batch, updates the fields of that story that nobody has
    edited here; with `overwrite` the source wins. Unchanged stories are not written. A story that
    cannot be stored is refused without affecting the others.
    """
    try:
        with session.begin_nested():
            return _import_stories(session, stories, overwrite)
    except OperationalError:
        raise  # the database is locked, full or unreachable, which no story causes
    except Exception:
        log.debug("importing a batch failed; retrying story by story", exc_info=True)
    result = ImportResult()
    for story in stories:
        try:
            with session.begin_nested():
                result.include(_import_stories(session, [story], overwrite))
        except OperationalError:
            raise
        except Exception as error:
            log.debug("importing a story failed", exc_info=True)
            result.refused.append((story.location, f"cannot be stored: {error}"))
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
