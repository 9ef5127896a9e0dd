"""Newsroom requests without a session: how much of the body is read and returned."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner
from werkzeug import formparser

from spectator import accounts, request_limits, tokens
from spectator.accounts import sessions
from spectator.models import User
from spectator.newsroom import logged_out, submissions
from tests.newsroom_client import (
    NEW_STORY,
    SAME_ORIGIN,
    SESSION_COOKIE,
    create_story,
    get_article,
    logged_in_client,
    post,
    session_token,
    story_form,
)
from tests.page_checks import Page

FORM = "application/x-www-form-urlencoded"
MERGE = "/newsroom/stories/1/merge"


class CountedStream(io.BytesIO):
    """Request body that counts the bytes read."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(size)
        self.bytes_read += len(chunk)
        return chunk

    def readinto(self, buffer: object, /) -> int:
        count = super().readinto(buffer)  # type: ignore[arg-type]
        self.bytes_read += count
        return count


def send(client: FlaskClient, path: str, body: bytes) -> tuple[CountedStream, int, str]:
    """Post a urlencoded body; return its stream, the response's status and its page."""
    stream = CountedStream(body)
    response = client.post(
        path,
        input_stream=stream,
        content_length=len(body),
        content_type=FORM,
        headers=SAME_ORIGIN,
    )
    return stream, response.status_code, response.text


@pytest.fixture
def expired_client(app: Flask, editor: User) -> FlaskClient:
    """Browser with the cookie of an expired session."""
    client = logged_in_client(app)
    accounts.log_out(session_token(client))
    return client


def test_a_body_without_a_session_is_refused_unread(app: Flask, client: FlaskClient) -> None:
    paths = {
        re.sub(r"<[^>]*>", "1", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("newsroom.") and "POST" in (rule.methods or set())
    } - {"/newsroom/login"}
    assert {NEW_STORY, MERGE} < paths
    body = b"headline=secret&" + b"a=&" * 1_000_000
    for cookie in ("", "x" * 43, tokens.token_hash("x")):
        client.set_cookie(SESSION_COOKIE, cookie)
        for path in paths:
            stream, status, page = send(client, path, body)
            assert status in {200, 401, 404}, path
            assert stream.bytes_read == 0, path
            assert len(page) < 6_000, path


def test_only_story_routes_read_the_body_sent_with_an_expired_session(
    expired_client: FlaskClient,
) -> None:
    body = b"headline=A+headline"
    stream, _, page = send(expired_client, "/newsroom/password", body)
    assert stream.bytes_read == 0
    stream, _, page = send(expired_client, "/newsroom/fragments/stories/new/autosave", body)
    assert stream.bytes_read == 0
    stream, status, page = send(expired_client, NEW_STORY, body)
    assert (stream.bytes_read, status) == (len(body), 401)
    assert "A headline" in page


def test_forged_and_outdated_tokens_are_not_accepted_as_issued(
    expired_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = session_token(expired_client)
    assert accounts.is_issued_token(token)
    for forged in ("", token[:-1], "x" + token, token.replace(".", ",")):
        assert not accounts.is_issued_token(forged)
    monkeypatch.setattr(sessions, "ABSOLUTE_LIMIT", timedelta(seconds=-1))
    stream, status, _ = send(expired_client, NEW_STORY, b"headline=A+headline")
    assert (stream.bytes_read, status) == (0, 401)


def test_a_token_from_a_clock_that_was_ahead_is_one_of_this_server(
    app: Flask, expired_client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise its person could send no long text and no picture until the clock catches up."""
    get_timestamp = TimestampSigner.get_timestamp
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: get_timestamp(self) - 3600)
    assert accounts.is_issued_token(session_token(expired_client))


def test_only_known_fields_are_returned_and_each_once(expired_client: FlaskClient) -> None:
    body = b"headline=First&headline=Second&unknown=value&csrf_token=t&body=Text"
    _, _, page = send(expired_client, NEW_STORY, body)
    hidden = {
        field["name"]: field["value"] for field in Page(page).find_all("input") if "name" in field
    }
    assert hidden == {"headline": "First", "body": "Text"}


def test_every_field_of_the_story_forms_is_returned(
    app: Flask, expired_client: FlaskClient
) -> None:
    newsroom = logged_in_client(app)
    article_id = create_story(newsroom)
    pages = [newsroom.get(NEW_STORY).text, newsroom.get(f"/newsroom/stories/{article_id}").text]
    conflict = post(
        newsroom,
        f"/newsroom/stories/{article_id}",
        story_form(
            headline="Mine", body="My own text.", countries="Mali", authors="Ama", version="0"
        ),
    )
    assert conflict.status_code == 409
    live = create_story(newsroom, headline="A live story", do="publish")
    questions = [
        post(newsroom, NEW_STORY, story_form(**changes)).text
        for changes in (
            {"authors": "Amina Diallo", "do": "publish"},
            {"authors": "amina diallo"},
            {"body": "قصة عن الانتخابات في البلاد.", "headline": "قصة"},
            {"published_at": "2020-01-01T10:00", "do": "publish"},
        )
    ]
    pages += [conflict.text, *questions, newsroom.get(f"/newsroom/stories/{live}").text]
    names = set()
    for page in pages:
        for tag in ("input", "select", "textarea", "button"):
            fields = [field for field in Page(page).find_all(tag) if field.get("type") != "file"]
            names |= {str(field["name"]) for field in fields if field.get("name")}
    dialog_fields = {
        "address",
        "remove",
        "alt",
        "caption",
        "credit",
        "frame-width",
        "q",
        "days",
        "reason",
    }
    assert (
        names - dialog_fields - {"csrf_token", "story", "picture"} <= logged_out.RETURNED_FIELDS
    )
    assert {"mine.body", "choice.body", "together.body", "spelling-1", "language_kept"} <= names


def test_fields_are_counted_before_they_are_parsed(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    newsroom = logged_in_client(app)
    parsed: list[int] = []
    monkeypatch.setattr(formparser, "parse_qsl", lambda text, **_: parsed.append(len(text)) or [])
    for path in (NEW_STORY, "/newsroom/password", "/newsroom/login"):
        _, status, page = send(newsroom, path, b"a=&" * 5_000)
        assert status == 413, path
        assert len(page) < 6_000
    assert not parsed
    send(newsroom, "/newsroom/password", b"a=&" * (request_limits.MAX_FIELDS - 1))
    assert len(parsed) == 1


def test_a_story_of_the_largest_size_is_returned(expired_client: FlaskClient) -> None:
    text = "ሰላም " * 150_000  # percent-encoding makes nine bytes of each letter
    response = post(expired_client, NEW_STORY, story_form(body=text))
    assert response.status_code == 401
    assert text.strip()[:1000] in response.text
    assert len(response.text) > len(text)


@pytest.mark.parametrize("change", ["disable", "demote", "reset"])
def test_a_request_that_runs_when_its_session_ends_writes_nothing(
    app: Flask, editor: User, newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    article_id = create_story(newsroom)
    email, find_mismatch = editor.email, submissions.find_language_mismatch

    def end_session(*arguments: object) -> str:
        changes = {
            "disable": lambda: accounts.disable_user(email),
            "demote": lambda: accounts.set_role(email, "author"),
            "reset": lambda: accounts.reset_password(email),
        }
        with app.app_context():
            changes[change]()
        return find_mismatch(*arguments)

    monkeypatch.setattr(submissions, "find_language_mismatch", end_session)
    values = story_form(do="publish", body="Every <word>.")
    answer = post(newsroom, f"/newsroom/stories/{article_id}", values | {"version": "1"})
    assert answer.status_code == 401
    assert "Every &lt;word&gt;." in answer.text
    assert get_article(article_id).status == "draft"
    assert "word" not in get_article(article_id).body
