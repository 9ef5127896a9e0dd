"""While PostgreSQL does not answer: readers get cached pages or a 503, editors their text back."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError, ProgrammingError

from spectator import create_app, navigation, queries, tokens
from spectator.db import find_storage_error
from spectator.site import errors as site_errors
from tests.conftest import BASE, settings
from tests.newsroom_client import NEW_STORY, SAME_ORIGIN, SESSION_COOKIE, story_form
from tests.page_checks import Page

NO_SERVER = "postgresql+psycopg://nobody:secret@127.0.0.1:1/none"


@pytest.fixture
def client_without_server(tmp_path: Path) -> FlaskClient:
    """Browser with a session of a site whose server refuses connections."""
    changes = {"SPECTATOR_DATABASE_URL": NO_SERVER, "SPECTATOR_SECRET_KEY": "k" * 32}
    app = create_app(settings(tmp_path, **changes))
    client = app.test_client()
    with app.app_context():
        client.set_cookie(SESSION_COOKIE, tokens.issue("session", 32), domain="localhost")
    return client


@pytest.mark.parametrize("path", ["/", "/politics/a-story", "/feed.xml", "/search?q=mali"])
def test_a_page_that_is_not_cached_answers_503(
    client_without_server: FlaskClient, path: str
) -> None:
    response = client_without_server.get(path, base_url=BASE)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == str(site_errors.RETRY_SECONDS)
    assert response.headers["Cache-Control"] == "no-store"
    assert "Something went wrong on our side" in Page(response.text).visible_text
    assert "503" in response.text and "secret" not in response.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing/x/y"),
        ("GET", "/media/nothing"),
        ("GET", "/static/x.css"),
        ("GET", "/?before=x"),
        ("PUT", "/"),
        ("PUT", "/newsroom/stories/1/history"),
    ],
)
def test_an_error_page_whose_menus_cannot_be_read_answers_503(
    client_without_server: FlaskClient, method: str, path: str
) -> None:
    response = client_without_server.open(path, method=method, base_url=BASE)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == str(site_errors.RETRY_SECONDS)
    assert response.headers["Cache-Control"] == "no-store"
    assert "Something went wrong on our side" in Page(response.text).visible_text


@pytest.mark.parametrize("path", ["/nothing/x/y", "/?before=x"])
def test_menus_that_fail_for_another_reason_are_not_taken_for_an_outage(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    assert client.get(path).status_code in {400, 404}

    def fail() -> None:
        raise ProgrammingError("SELECT", {}, Exception("a mistake"))

    monkeypatch.setattr(navigation, "_load_navigation", fail)
    app.extensions["navigation"].clear()
    with pytest.raises(ProgrammingError):
        client.get(path)


def test_a_story_that_cannot_be_saved_is_given_back_whole(
    client_without_server: FlaskClient,
) -> None:
    form = story_form(do="publish", headline="A <headline>", body="Every <word>.", topics="Ports")
    response = client_without_server.post(
        NEW_STORY, data=form, headers=SAME_ORIGIN, base_url=BASE
    )
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    page = Page(response.text)
    assert (
        "Not saved The server's database does not answer, so nothing can be saved right now."
        in page.visible_text
    )
    values = {field["name"]: field["value"] for field in page.find_all("input")}
    sent = {name: text for name, text in form.items() if name != "csrf_token"}
    assert {name: values[name] for name in sent} == sent
    [address] = [tag["action"] for tag in page.find_all("form")]
    assert address == NEW_STORY


def test_nothing_is_read_for_a_visitor_without_a_session(
    client_without_server: FlaskClient,
) -> None:
    client_without_server.delete_cookie(SESSION_COOKIE, domain="localhost")
    response = client_without_server.post(
        NEW_STORY, data={"body": "A text"}, headers=SAME_ORIGIN, base_url=BASE
    )
    assert "A text" not in response.text


def test_a_page_of_the_newsroom_says_that_it_cannot_be_read(
    client_without_server: FlaskClient,
) -> None:
    response = client_without_server.get("/newsroom/stories/", base_url=BASE)
    assert response.status_code == 503
    assert (
        "The newsroom does not work right now "
        "The server's database does not answer. "
        "Try again in a minute." in Page(response.text).visible_text
    )


def test_other_database_errors_are_not_taken_for_an_outage(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **_more: object) -> None:
        raise ProgrammingError("SELECT", {}, Exception("a mistake"))

    monkeypatch.setattr(queries, "load_front_page", fail)
    with pytest.raises(ProgrammingError):
        client.get("/")


def test_an_error_without_a_code_is_an_outage_only_if_there_is_no_connection() -> None:
    import psycopg

    outage = find_storage_error(psycopg.OperationalError("server closed the connection"))
    assert outage is not None and outage.cause == "does not answer"
    wrapped = OperationalError("SELECT", {}, psycopg.errors.ConnectionTimeout("timeout"))
    assert find_storage_error(wrapped) is not None
    assert find_storage_error(psycopg.ProgrammingError("a mistake")) is None
