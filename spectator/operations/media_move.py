"""Copying all pictures into another store: `spectator media move`, which deletes nothing.

It may be ended at any moment and repeated: a picture is stored completely or not at all, and those
that are already there are only compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from spectator import media
from spectator.i18n import gettext
from spectator.media.stores import BucketStore, DirectoryStore
from spectator.object_storage import StoreError

COPIES_AT_ONCE = 8
Store = DirectoryStore | BucketStore


@dataclass(slots=True)
class MoveReport:
    """How many files were copied or already there, and why others could not be copied."""

    copied: int = 0
    present: int = 0
    failures: list[str] = field(default_factory=list)


def move(
    source: media.Location,
    target: media.Location,
    start: Callable[[int], object],
    advance: Callable[[], object],
) -> MoveReport:
    """Copy every picture and rendition, and read each copy again to compare its SHA-256.

    `start` is called with the number of files, `advance` after each. Raises OSError and StoreError
    if a store cannot be listed.
    """
    origin, copy = media.open_picture_store(source), media.open_picture_store(target)
    names = sorted(origin.files())
    sizes = copy.files()
    start(len(names))
    report = MoveReport()
    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        results = pool.map(lambda name: _copy(origin, copy, name, sizes.get(name)), names)
        for name, result in zip(names, results, strict=True):
            advance()
            if isinstance(result, str):
                report.failures.append(f"{name}: {result}")
            elif result:
                report.copied += 1
            else:
                report.present += 1
    return report


def _copy(origin: Store, copy: Store, name: str, size: int | None) -> bool | str:
    """Copy a file unless the same is there; return whether it was copied, or what failed.

    `size` is that of the file in the target, None if there is none.
    """
    try:
        content = origin.content(name)
        digest = hashlib.sha256(content).hexdigest()
        path = PurePosixPath(name)
        if path.parent.name == "originals" and path.stem != digest[:32]:
            return gettext(
                "it is damaged, because its content does not have the digest in its name"
            )
        if size == len(content) and _has_digest(copy, name, digest):
            return False
        with copy.workspace() as work:
            finished = Path(work / path.name)
            finished.write_bytes(content)
            if size is not None:
                copy.delete(name)
            copy.save(name, finished)
        return True if _has_digest(copy, name, digest) else gettext("the copy differs")
    except (OSError, StoreError) as error:
        return str(error)


def _has_digest(store: Store, name: str, digest: str) -> bool:
    """Return whether a file has the content with this SHA-256."""
    return hashlib.sha256(store.content(name)).hexdigest() == digest
