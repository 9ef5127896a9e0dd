"""Writing a Whoosh index: one commit of changes, or a whole new index. Either is on disk when it returns."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from whoosh.index import LockError, create_in, open_dir

from spectator.search import Document, IndexUnavailableError
from spectator.search.whoosh.generations import fsync_files, write_format
from spectator.search.whoosh.schema import (
    FORMAT,
    document_fields,
    make_schema,
    merge_small_segments,
)

_LOCK_SECONDS = 10
_MEMORY_MEGABYTES = 64


def commit(path: Path, changes: Mapping[int, Document | None]) -> None:
    """Replace, add or (None) remove the articles in the index at `path`.

    Raises IndexUnavailable when another writer keeps its lock for ten seconds. After any other error the last
    commit stands, and the process should exit: Whoosh may keep the lock until then.
    """
    before = set(os.listdir(path))
    with _open_writer(open_dir(str(path))) as writer:
        # All deletions first: Whoosh does not see what the same writer has added.
        for article_id in changes:
            writer.delete_by_term("id", str(article_id))
        for document in changes.values():
            if document is not None:
                writer.add_document(**document_fields(document))
        writer.commit(mergetype=merge_small_segments)
    fsync_files(path, set(os.listdir(path)) - before)


def build(
    path: Path, documents: Iterable[Document], progress: Callable[[int], None] | None
) -> None:
    """A new index of the documents in the empty directory `path`, as a single segment."""
    with _open_writer(create_in(str(path), make_schema())) as writer:
        for done, document in enumerate(documents, 1):
            writer.add_document(**document_fields(document))
            if progress:
                progress(done)
        writer.commit()
    write_format(path, FORMAT)
    fsync_files(path, os.listdir(path))


@contextlib.contextmanager
def _open_writer(index: Any) -> Iterator[Any]:
    try:
        # Compound segments would be copied whole into the memory of every process that reads them.
        writer = index.writer(timeout=_LOCK_SECONDS, limitmb=_MEMORY_MEGABYTES, compound=False)
    except LockError as error:
        raise IndexUnavailableError("another process keeps the search index locked") from error
    try:
        yield writer
    except BaseException:
        # The first error is the one to tell.
        with contextlib.suppress(Exception):
            writer.cancel()
        raise
