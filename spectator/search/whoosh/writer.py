"""Writer of Whoosh indexes; a commit or a new index is on disk when its function returns."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from whoosh.index import LockError, create_in, open_dir

from spectator.i18n import gettext
from spectator.search import Document, IndexUnavailableError
from spectator.search.whoosh.generations import fsync_files, write_format
from spectator.search.whoosh.schema import (
    FORMAT,
    document_fields,
    make_schema,
    merge_small_segments,
)

log = logging.getLogger(__name__)

_LOCK_SECONDS = 10
_MEMORY_MEGABYTES = 64
# A story's distinct words beyond ORDINARY_WORDS are rare ones; MAX_RARE_WORDS are in a segment.
ORDINARY_WORDS, MAX_RARE_WORDS = 5_000, 1_000_000


def commit(path: Path, changes: Mapping[int, Document | None]) -> None:
    """Replace or add the articles in the index at `path`, and remove those that are None.

    Raises IndexUnavailableError if another writer holds the lock for ten seconds. Any other error
    leaves the last commit in place. The process should then exit, because Whoosh may hold the lock
    until it does.
    """
    before = set(os.listdir(path))
    with _open_writer(open_dir(str(path))) as writer:
        # Delete first: Whoosh does not find documents that the same writer has added.
        for article_id in changes:
            writer.delete_by_term("id", str(article_id))
        for document in changes.values():
            if document is not None and (fields := _try_fields(document)):
                writer.add_document(**fields)
        writer.commit(mergetype=merge_small_segments)
    fsync_files(path, set(os.listdir(path)) - before)


def build(
    path: Path, documents: Iterable[Document], progress: Callable[[int], None] | None
) -> None:
    """Build a new index of the documents in the empty directory `path`.

    It has a single segment, unless the documents have very many rare words: Whoosh keeps every
    distinct word of a segment in memory until it is written.
    """
    index = create_in(str(path), make_schema())
    remaining, done = iter(documents), 0
    while True:
        with _open_writer(index) as writer:
            rare_words = 0
            while rare_words < MAX_RARE_WORDS and (document := next(remaining, None)):
                if not (fields := _try_fields(document)):
                    continue
                writer.add_document(**fields)
                rare_words += max(0, len(set(fields["body"])) - ORDINARY_WORDS)
                done += 1
                if progress:
                    progress(done)
            writer.commit(merge=False)
        if rare_words < MAX_RARE_WORDS:
            break
    write_format(path, FORMAT)
    fsync_files(path, os.listdir(path))


def _try_fields(document: Document) -> dict[str, Any]:
    """Return the fields of a document; {} if its text causes an error, which is logged."""
    try:
        return document_fields(document)
    except Exception:
        log.exception("story %s cannot be indexed", document.id)
        return {}


@contextlib.contextmanager
def _open_writer(index: Any) -> Iterator[Any]:
    try:
        # Every reading process would load a compound segment into memory as a whole.
        writer = index.writer(timeout=_LOCK_SECONDS, limitmb=_MEMORY_MEGABYTES, compound=False)
    except LockError as error:
        raise IndexUnavailableError(
            gettext("another process has locked the search index")
        ) from error
    try:
        yield writer
    except BaseException:
        # An error of cancel() must not hide the original one.
        with contextlib.suppress(Exception):
            writer.cancel()
        raise
