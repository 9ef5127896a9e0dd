"""For those who watch over the site: it lives, it can serve."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy.exc import SQLAlchemyError

from spectator import indexing, searchlog
from spectator.db import is_wal_safe, sqlite
from spectator.operations.storage import StorageWatch

PATIENCE_SECONDS = 30


def register(site: Blueprint) -> None:
    """Add the two addresses."""
    site.record_once(watch_storage)
    site.add_url_rule("/healthz", "healthz", healthz)
    site.add_url_rule("/readyz", "readyz", readyz)


def watch_storage(state: BlueprintSetupState) -> None:
    """Give the app its watch over the disk and the database."""
    state.app.extensions["storage"] = StorageWatch(state.app.config)


def healthz() -> dict[str, str]:
    """Say that the process lives."""
    return {"status": "ok"}


def readyz() -> tuple[dict[str, Any], int]:
    """Say whether the site can serve and save: the database answers, can be written, and search is not behind.

    The newsroom's index and the count of searches are told too; readers can be served without them. Why nothing can be
    saved is told in a word; `spectator doctor` names the file.
    """
    data = current_app.config["DATA_DIR"]
    report: dict[str, Any] = {
        "sqlite": sqlite.sqlite_version,
        "sqlite_is_wal_safe": is_wal_safe(sqlite.sqlite_version_info),
    }
    fault = current_app.extensions["storage"].find_fault()
    report["storage"] = str(fault.cause) if fault else "ok"
    try:
        lag, newsroom = indexing.lag(data), indexing.lag(data, indexing.NEWSROOM)
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        return report | {"status": "unready", "database": "does not answer"}, 503
    report |= {"database": "ok", "edition": lag.edition, "index_position": lag.position, "behind_seconds": lag.seconds}
    report |= {"newsroom_index_position": newsroom.position, "newsroom_behind_seconds": newsroom.seconds}
    report |= {"search_log": searchlog.problem(data) or "ok"}
    is_ready = not fault and lag.position is not None and lag.seconds < PATIENCE_SECONDS
    return report | {"status": "ok" if is_ready else "unready"}, 200 if is_ready else 503
