"""Ids of requests: who may choose them, and which log lines, responses and rows repeat them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator import create_app, outbox, request_ids
from spectator.db import db
from spectator.models import Outbox
from spectator.operations.logs import make_record
from tests.conftest import settings
from tests.newsroom_client import create_story, logged_in_client

FROM_PROXY = "4f0c1a7e9b2d4c5f8a6b3e1d0c9f8a7b"
OWN = re.compile("[0-9a-f]{32}")
LOGIN = "/newsroom/login"


@pytest.fixture
def behind_proxy(app: Flask) -> FlaskClient:
    """Client of the same site behind a proxy."""
    more = {"SPECTATOR_TRUSTED_PROXIES": "1"}
    return create_app(settings(app.config["DATA_DIR"], **more)).test_client()


def test_the_id_of_the_proxy_is_used(behind_proxy: FlaskClient) -> None:
    headers = {"X-Request-ID": FROM_PROXY, "X-Forwarded-Proto": "https"}
    assert behind_proxy.get(LOGIN, headers=headers).headers["X-Request-ID"] == FROM_PROXY


def test_without_a_proxy_no_client_chooses_the_id(client: FlaskClient) -> None:
    response = client.get(LOGIN, headers={"X-Request-ID": FROM_PROXY})
    assert OWN.fullmatch(response.headers["X-Request-ID"])
    assert response.headers["X-Request-ID"] != FROM_PROXY
    again = client.get(LOGIN).headers["X-Request-ID"]
    assert OWN.fullmatch(again) and again != response.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "hostile", ["", "short", "x" * 65, "a b" * 8, "ä" * 20, "a,b" * 8, '"' * 20, "a]" * 10]
)
def test_an_id_that_is_not_one_is_replaced(behind_proxy: FlaskClient, hostile: str) -> None:
    headers = {"X-Request-ID": hostile, "X-Forwarded-Proto": "https"}
    response = behind_proxy.get(LOGIN, headers=headers)
    assert OWN.fullmatch(response.headers["X-Request-ID"])


def test_pages_that_caches_store_do_not_name_a_request(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="A story")
    for path in ("/", "/politics/a-story", "/feed.xml", "/missing"):
        assert "X-Request-ID" not in client.get(path).headers, path


def test_an_error_page_names_its_request(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise RuntimeError

    monkeypatch.setitem(app.view_functions, "site.front", fail)
    app.testing = False
    response = FlaskClient(app).get("/")
    assert response.status_code == 500
    assert OWN.fullmatch(response.headers["X-Request-ID"])


def test_a_publication_stores_its_request_and_the_workers_line_names_it(
    app: Flask, catch_up: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    newsroom = logged_in_client(app)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(request_ids.secrets, "token_hex", lambda _size: "0" * 31 + "7")
    create_story(newsroom, do="publish")
    monkeypatch.undo()
    assert db.session.scalars(select(Outbox.request_id)).all() == ["0" * 31 + "7"]
    previous = logging.getLogRecordFactory()
    logging.setLogRecordFactory(make_record)
    try:
        with caplog.at_level(logging.INFO, "spectator.indexing"):
            outbox.prune(0)
            catch_up()  # builds the index
            create_story(newsroom, headline="Another story", do="publish")
            [cause] = outbox.request_ids_between(1, 2)
            catch_up()
    finally:
        logging.setLogRecordFactory(previous)
    [line] = [record for record in caplog.records if "indexed" in record.message]
    assert line.message == "indexed 1 changed published stories"
    assert line.__dict__["request_id"] == cause and OWN.fullmatch(cause)
    assert request_ids.current_id() == ""


def test_a_line_about_many_requests_names_a_few(app: Flask) -> None:
    with db.write() as session:
        for number in range(9):
            with request_ids.caused_by([f"{number:016}"]):
                outbox.append(session, number, "update")
                outbox.append_all(session, [(number, "update")])
    assert outbox.request_ids_between(0, 18) == [f"{number:016}" for number in range(5)]
    assert outbox.request_ids_between(10, 12) == [f"{5:016}"]
    with request_ids.caused_by(map(str, range(9))):
        assert request_ids.current_id() == "0,1,2,3,4"
