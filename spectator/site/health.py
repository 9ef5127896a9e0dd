"""Health checks for monitoring; only trusted clients see the details."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import Any

from flask import current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy.exc import SQLAlchemyError

from spectator import indexing, search_log
from spectator.db import database_file, is_wal_safe, sqlite
from spectator.operations.site_status import SiteStatus, StatusMonitor
from spectator.operations.storage import StorageMonitor
from spectator.site import bp

# Headers that proxies add: any of them shows that the request came from another machine.
PROXY_HEADERS = (
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Forwarded",
    "Via",
)


def register_storage_watch(state: BlueprintSetupState) -> None:
    """Create the app's monitors: whether it can save, and the state of everything."""
    state.app.extensions["storage"] = StorageMonitor(state.app.config)
    state.app.extensions["status"] = StatusMonitor(state.app.config)


bp.record_once(register_storage_watch)


@bp.get("/healthz")
def healthz() -> dict[str, str]:
    """Report that the process is running."""
    return {"status": "ok"}


@bp.get("/readyz")
def readyz() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Report whether the site can serve and save: the database answers and is writable.

    Only trusted clients see the details, such as the lag of the indexes. These never change the
    status, since readers are still served.
    """
    report, is_ready = check_health()
    details = {}
    if may_know_details():
        details = report | {
            "warnings": find_warnings(),  # they may wait for a bucket, as strangers must not
            "search_log": search_log.find_problem(current_app.config["DATA_DIR"]) or "ok",
        }
    status = {"status": "ok" if is_ready else "unready"}
    return details | status, 200 if is_ready else 503, {"Cache-Control": "no-store"}


def check_health() -> tuple[dict[str, Any], bool]:
    """Return the details of the report, and whether the site can serve and save."""
    data = current_app.config["DATA_DIR"]
    report: dict[str, Any] = {}
    if database_file(current_app.config["DATABASE_URL"]):
        report["sqlite"] = sqlite.sqlite_version
        report["sqlite_is_wal_safe"] = is_wal_safe(sqlite.sqlite_version_info)
    fault = current_app.extensions["storage"].find_fault()
    report["storage"] = str(fault.cause) if fault else "ok"
    try:
        lag, newsroom = indexing.lag(data), indexing.lag(data, indexing.NEWSROOM)
    except SQLAlchemyError:
        current_app.logger.exception("the database does not answer")
        return report | {"database": "does not answer"}, False
    report |= {
        "database": "ok",
        "edition": lag.newest_number,  # not renamed, because monitoring may read it
        "index_position": lag.offset,
        "behind_seconds": lag.seconds,
        "newsroom_index_position": newsroom.offset,
        "newsroom_behind_seconds": newsroom.seconds,
    }
    return report, not fault


def find_warnings() -> dict[str, tuple[str, ...]] | str:
    """Return what needs attention but keeps the site in rotation: sentences by kind."""
    try:
        status: SiteStatus = current_app.extensions["status"].current()
    except (OSError, SQLAlchemyError):
        current_app.logger.exception("the status cannot be read")
        return "unknown"
    return status.warnings


def may_know_details() -> bool:
    """Return whether a request has the metrics token or comes directly from this machine."""
    token = current_app.config["METRICS_TOKEN"]
    authorization = request.headers.get("Authorization", "").encode()
    if token and hmac.compare_digest(authorization, f"Bearer {token}".encode()):
        return True
    peer = (
        request.environ.get("werkzeug.proxy_fix.orig", request.environ).get("REMOTE_ADDR") or ""
    )
    return not any(name in request.headers for name in PROXY_HEADERS) and is_loopback(peer)


def is_loopback(address: str) -> bool:
    """Return whether an address is a loopback address; a socket's path is not."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback
