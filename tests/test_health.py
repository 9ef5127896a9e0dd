"""Health of the site as the public and monitors see it, and what keeps it in rotation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from spectator import config, create_app
from spectator.db import db
from spectator.models import Outbox
from spectator.operations.faults import Cause, Fault
from tests.conftest import settings

TOKEN = "0123456789abcdef" * 2
PUBLIC = {"REMOTE_ADDR": "198.51.100.7"}
READER = {"X-Forwarded-For": "198.51.100.7"}


@pytest.fixture
def guarded(app: Flask, story: Callable[..., int], catch_up: Callable[[], None]) -> Flask:
    """Site behind one proxy, with a metrics token, a story and a search index."""
    story()
    catch_up()
    more = {"SPECTATOR_TRUSTED_PROXIES": "1", "SPECTATOR_METRICS_TOKEN": TOKEN}
    return create_app(settings(app.config["DATA_DIR"], **more))


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("198.51.100.7", {}),
        ("127.0.0.1", READER),  # through a proxy on the same machine
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),  # a header that anybody can send
        ("127.0.0.1", {"X-Forwarded-For": ""}),
        ("127.0.0.1", {"Forwarded": "for=198.51.100.7"}),
        ("127.0.0.1", {"Via": "1.1 proxy"}),
        ("127.0.0.1", {"X-Real-IP": "198.51.100.7"}),
        ("127.0.0.1", {"X-Forwarded-Proto": "https"}),
        ("", {}),  # a proxy connected to a Unix socket
        ("198.51.100.7", {"Authorization": "Bearer "}),
        ("198.51.100.7", {"Authorization": f"Bearer {TOKEN[:-1]}"}),
        ("198.51.100.7", {"Authorization": TOKEN}),
        ("198.51.100.7", {"Authorization": f"Bearer {TOKEN}é"}),
    ],
)
@pytest.mark.parametrize("status", ["ok", "unready"])
def test_the_public_gets_only_the_status_from_readyz(
    guarded: Flask,
    peer: str,
    headers: dict[str, str],
    status: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if status == "unready":
        full = Fault(Cause.FULL, guarded.config["DATA_DIR"], "No room.", "Make some.")
        monkeypatch.setattr(guarded.extensions["storage"], "find_fault", lambda: full)
    response = guarded.test_client().get(
        "/readyz", headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    )
    assert response.status_code == (200 if status == "ok" else 503)
    assert response.json == {"status": status}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["//readyz", "///readyz", "//metrics", "/READYZ", "//Metrics"])
def test_no_other_form_of_an_address_shows_strangers_more(guarded: Flask, path: str) -> None:
    """The application reads several slashes at the start of a path as one."""
    client = guarded.test_client()
    environ = {"REMOTE_ADDR": "127.0.0.1", "PATH_INFO": path}
    response = client.get("/", headers=READER, environ_overrides=environ)
    assert response.text == '{"status":"ok"}\n' or response.status_code in {403, 404, 301}
    answer = client.get("/", environ_overrides={"PATH_INFO": path, "REMOTE_ADDR": "198.51.100.7"})
    assert answer.text == response.text


@pytest.mark.sqlite
@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_the_machine_itself_gets_the_full_readyz_report(guarded: Flask, peer: str) -> None:
    report = guarded.test_client().get("/readyz", environ_overrides={"REMOTE_ADDR": peer}).json
    assert (
        report is not None and report["status"] == "ok" and report["sqlite_is_wal_safe"] is True
    )
    assert (report["edition"], report["index_position"], report["storage"]) == (1, 1, "ok")
    assert (report["newsroom_index_position"], report["search_log"]) == (None, "ok")


def test_the_metrics_token_gives_the_full_readyz_report_to_any_address(guarded: Flask) -> None:
    headers = READER | {"Authorization": f"Bearer {TOKEN}"}
    report = guarded.test_client().get("/readyz", headers=headers, environ_overrides=PUBLIC).json
    assert report is not None and report["index_position"] == 1


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer ", "Bearer None"])
def test_without_a_configured_token_no_header_gives_the_readyz_report(
    app: Flask, token: str
) -> None:
    response = app.test_client().get(
        "/readyz", headers={"Authorization": token}, environ_overrides=PUBLIC
    )
    assert response.json == {"status": "ok"}


def test_the_error_for_an_invalid_token_does_not_repeat_it() -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({"SPECTATOR_METRICS_TOKEN": "too short a token"})
    assert "too short a token" not in str(caught.value)


def test_a_missing_or_lagging_search_index_leaves_the_site_ready(
    app: Flask, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    client = app.test_client()
    assert client.get("/readyz").status_code == 200, "no index yet, and every page is served"
    story()
    catch_up()
    story(headline="Published an hour ago, and the worker still busy with an import")
    with db.write() as session:
        session.execute(update(Outbox).values(at=datetime.now(UTC) - timedelta(hours=1)))
    response = client.get("/readyz")
    assert response.json is not None and response.json["behind_seconds"] > 3000
    assert response.status_code == 200


@pytest.mark.sqlite
def test_without_a_database_the_site_is_unready(app: Flask) -> None:
    database: Path = app.config["DATA_DIR"] / "spectator.db"
    db.session.remove()
    db.engine.dispose()
    database.rename(database.with_suffix(".away"))
    response = app.test_client().get("/readyz")
    assert (
        response.status_code == 503
        and response.json is not None
        and response.json["status"] == "unready"
    )


def test_the_public_never_waits_for_what_only_trusted_clients_see(
    guarded: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask_the_bucket() -> None:
        raise AssertionError("a stranger must not wait for this")

    monkeypatch.setattr(guarded.extensions["status"], "current", ask_the_bucket)
    response = guarded.test_client().get("/readyz", headers=READER, environ_overrides=PUBLIC)
    assert response.json == {"status": "ok"}
