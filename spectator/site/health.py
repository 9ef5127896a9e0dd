"""For those who watch over the site: it lives, it can serve. Only they are told more than yes or no."""

from __future__ import annotations

import hmac
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, current_app, request
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy.exc import SQLAlchemyError

from spectator import indexing, search_log
from spectator.db import is_wal_safe, sqlite
from spectator.operations.storage import StorageMonitor

# What proxies add to a request, each its own: one of them is enough to know that somebody else asks.
PROXY_HEADERS = (
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "Forwarded",
    "Via",
)


def register(site: Blueprint) -> None:
    """Add the two addresses."""
    site.record_once(register_storage_watch)
    site.add_url_rule("/healthz", "healthz", healthz)
    site.add_url_rule("/readyz", "readyz", readyz)


def register_storage_watch(state: BlueprintSetupState) -> None:
    """Give the app its watch over the disk and the database."""
    state.app.extensions["storage"] = StorageMonitor(state.app.config)


def healthz() -> dict[str, str]:
    """Say that the process lives."""
    return {"status": "ok"}


def readyz() -> tuple[dict[str, Any], int, dict[str, str]]:
    """Say whether the site can serve and save: the database answers and can be written.

    Everybody hears that alone. How far the indexes are behind and what else is amiss is told to those who may know; it
    never changes the status, since readers are served meanwhile.
    """
    report, is_ready = check_health()
    shown = report if may_know_details() else {}
    status = {"status": "ok" if is_ready else "unready"}
    return shown | status, 200 if is_ready else 503, {"Cache-Control": "no-store"}


def check_health() -> tuple[dict[str, Any], bool]:
    """Return what there is to know, why nothing can be saved in a word, and whether the site can serve and save."""
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
        return report | {"database": "does not answer"}, False
    report |= {
        "database": "ok",
        "edition": lag.edition,
        "index_position": lag.offset,
        "behind_seconds": lag.seconds,
    }
    report |= {
        "newsroom_index_position": newsroom.offset,
        "newsroom_behind_seconds": newsroom.seconds,
    }
    return report | {"search_log": search_log.find_problem(data) or "ok"}, not fault


def may_know_details() -> bool:
    """Say whether a request comes from this machine itself and through no proxy, or with the metrics token."""
    token = current_app.config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "").encode()
    if token and hmac.compare_digest(given, f"Bearer {token}".encode()):
        return True
    peer = request.environ.get("werkzeug.proxy_fix.orig", request.environ).get("REMOTE_ADDR") or ""
    return not any(name in request.headers for name in PROXY_HEADERS) and is_loopback(peer)


def is_loopback(address: str) -> bool:
    """Say whether an address is one of this machine's own; no address (a socket's path) is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
