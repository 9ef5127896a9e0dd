"""The faults behind the error codes of SQLite."""

from __future__ import annotations

from pathlib import Path

from spectator.db.sqlite_engine import STORAGE_CODES
from spectator.i18n import gettext, lazy_gettext
from spectator.operations.faults import (
    Cause,
    Fault,
    check_access,
    examine_space,
    full_disk_fault,
)

RESTORE_ADVICE = lazy_gettext(
    "Stop the site and restore a backup (docs/operations.md, “Restoring a backup”)."
)


def explain_sqlite(code: int, detail: str, path: Path) -> Fault:
    """Return the fault for an error code of SQLite (sqlite.org/rescode.html)."""
    match STORAGE_CODES.get(code & 0xFF):
        case "full":
            return full_disk_fault(path)
        case "damaged":
            return Fault(
                Cause.DAMAGED,
                path,
                gettext(
                    "The database %(path)s is damaged (%(detail)s).", path=path, detail=detail
                ),
                RESTORE_ADVICE,
            )
        case "not a database":
            return _not_a_database(path)
        case "read-only" | "cannot be opened":
            for candidate in (path.parent, path, *sidecar_files(path)):
                for fault in check_access(candidate, "database"):
                    return fault
            return Fault(
                Cause.NO_ACCESS,
                path,
                gettext(
                    "The database %(path)s cannot be opened for writing (%(detail)s).",
                    path=path,
                    detail=detail,
                ),
                gettext("Check its owner and its directory."),
            )
        case "disk error" if path.parent.is_dir() and list(examine_space(path.parent)):
            # Readers cannot connect either: SQLite cannot create its -shm file.
            return full_disk_fault(path, stops_reading=True)
        case "disk error":
            message = gettext(
                "The disk of the database %(path)s reports an error (%(detail)s).",
                path=path,
                detail=detail,
            )
            return Fault(
                Cause.DISK_ERROR,
                path,
                message,
                gettext("Check the disk and the system log (dmesg)."),
            )
    message = gettext(
        "The database %(path)s does not answer (%(detail)s).", path=path, detail=detail
    )
    return Fault(
        Cause.BUSY,
        path,
        message,
        gettext("Stop the program that locks it, or try again in a minute."),
    )


def sidecar_files(path: Path) -> list[Path]:
    """Return the existing files that SQLite keeps beside a database."""
    sidecars = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal"))
    return [file for file in sidecars if file.exists()]


def _not_a_database(path: Path) -> Fault:
    message = gettext("%(path)s is not a database, or its first page is damaged.", path=path)
    return Fault(
        Cause.NOT_A_DATABASE,
        path,
        message,
        gettext("Check SPECTATOR_DATABASE_URL. %(advice)s", advice=RESTORE_ADVICE),
    )
