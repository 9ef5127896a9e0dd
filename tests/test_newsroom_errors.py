"""Error pages of the newsroom, and the sentences that refuse an account."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from werkzeug.exceptions import default_exceptions

from spectator import accounts, publishing
from spectator.db import StorageError
from spectator.models import User
from spectator.newsroom import media as newsroom_media
from tests.conftest import add_user
from tests.newsroom_client import (
    NEW_STORY,
    SAME_ORIGIN,
    create_story,
    logged_in_client,
    picture_file,
    post,
    story_form,
)
from tests.page_checks import Page

LATER = "Copy your text, tell your site administrator and try again later."


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(publishing, "create", fail)


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("full", "The server's disk is full"),
        ("read-only", "The server's disk is read-only"),
        ("damaged", "The server's database is damaged"),
        ("not a database", "The server's database is damaged"),
        ("no memory", "The server is out of memory"),
        ("disk error", "The server's disk does not respond"),
        ("cannot be opened", "The server's disk does not respond"),
    ],
)
def test_a_save_that_the_server_cannot_do_gives_the_text_back(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch, cause: str, reason: str
) -> None:
    fail_with(StorageError(cause, OSError("x")), monkeypatch)
    answer = post(newsroom, NEW_STORY, story_form(do="save", body="Every <word>."))
    assert answer.status_code == 503
    visible_text = Page(answer.text).visible_text
    assert f"Not saved {reason}, so nothing can be saved right now. {LATER}" in visible_text
    assert "Every &lt;word&gt;." in answer.text


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "disk is full"),
        (errno.EROFS, "disk is read-only"),
        (errno.EIO, "disk does not respond"),
        (errno.ENOMEM, "is out of memory"),
    ],
)
def test_a_picture_that_cannot_be_stored_is_explained_like_a_story(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise OSError(number, "x")

    monkeypatch.setattr(newsroom_media, "store_upload", fail)
    answer = post(newsroom, NEW_STORY, story_form(do="save") | {"picture": picture_file()})
    assert answer.status_code == 503
    assert f"{reason}, so nothing can be saved right now." in answer.text.replace("&#39;", "'")


def test_an_unexpected_error_says_that_nothing_was_saved(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.test_client_class = FlaskClient  # the checking client accepts no such answer
    newsroom = logged_in_client(app)
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    for error in (ZeroDivisionError("secret detail"), OSError(errno.EBADF, "secret detail")):
        fail_with(error, monkeypatch)
        answer = post(newsroom, NEW_STORY, story_form(do="save", body="Every <word>."))
        assert answer.status_code == 500
        visible_text = Page(answer.text).visible_text
        assert (
            "Something went wrong Nothing was saved, and the error is in the log. "
            in visible_text
        )
        assert "Copy your text somewhere safe, then go back and try again." in visible_text
        assert "secret" not in answer.text and "Every &lt;word&gt;." in answer.text


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "sentences"),
    [
        (
            "GET",
            "/newsroom/stories/999",
            {},
            404,
            "Story not found Check the address, or find the story in the list.",
        ),
        (
            "POST",
            NEW_STORY,
            {"headers": {"Sec-Fetch-Site": "cross-site"}, "data": {"body": "x"}},
            403,
            "Request refused It did not come from a newsroom page. "
            "Go back, reload the page and try again.",
        ),
        (
            "POST",
            NEW_STORY,
            {"headers": SAME_ORIGIN, "json": {"body": "x"}},
            415,
            "This page has expired Reload it and try again.",
        ),
    ],
)
def test_a_refused_request_says_what_to_do(
    newsroom: FlaskClient,
    method: str,
    path: str,
    more: dict[str, Any],
    status: int,
    sentences: str,
) -> None:
    answer = newsroom.open(path, method=method, **more)
    assert answer.status_code == status
    assert sentences in Page(answer.text).visible_text


def test_a_person_without_permission_gets_the_text_back(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish")
    author = logged_in_client(app, "author")
    sent = story_form(do="save", body="Every <word>.", version="2")
    answer = post(author, f"/newsroom/stories/{article_id}", sent)
    assert answer.status_code == 403
    assert "You don't have permission to do this" in Page(answer.text).visible_text
    assert "Every &lt;word&gt;." in answer.text


@pytest.mark.parametrize(
    ("email", "name", "role", "message"),
    [
        (
            "amina",
            "A",
            "editor",
            "'amina' is not an email address. Use one like amina@news.example.",
        ),
        ("a@news.example", " ", "editor", "Enter a name of 1 to 120 visible characters."),
        ("a@news.example", "x" * 121, "editor", "Enter a name of 1 to 120 visible characters."),
        (
            "a@news.example",
            "A",
            "owner",
            "'owner' is not a role. Use one of: author, editor, admin",
        ),
        (
            "editor@news.example",
            "A",
            "editor",
            "editor@news.example already has an account. "
            "To set a new password, run: spectator user reset editor@news.example",
        ),
        (
            "author@news.example",
            "A",
            "editor",
            "author@news.example is disabled. "
            "To let them log in, run: spectator user enable author@news.example",
        ),
    ],
)
def test_an_account_that_cannot_be_added_says_why(
    app: Flask, editor: User, email: str, name: str, role: str, message: str
) -> None:
    add_user("author")
    accounts.disable_user("author@news.example")
    with pytest.raises(accounts.AccountError) as refused:
        accounts.add_user(email, name, role)
    assert str(refused.value) == message


def test_the_longest_name_and_an_unknown_account(app: Flask) -> None:
    assert accounts.add_user("b@news.example", "x" * 120, "author")
    with pytest.raises(accounts.AccountError) as unknown:
        accounts.set_role("nobody@news.example", "author")
    assert str(unknown.value) == (
        "There is no account with the email 'nobody@news.example'. "
        "To see all accounts, run: spectator user list"
    )


@pytest.mark.parametrize("path", ["/archive/", "/newsroom/"])
@pytest.mark.parametrize("code", [400, 405, 408, 414, 416, 422, 428])
def test_no_error_page_has_a_sentence_of_the_framework(
    app: Flask, newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str, code: int
) -> None:
    def fail(**_values: str) -> None:
        abort(code)

    monkeypatch.setitem(app.view_functions, "site.archive", fail)
    monkeypatch.setitem(app.view_functions, "newsroom.index", fail)
    answer = newsroom.get(path)
    error = default_exceptions[code]()
    assert answer.status_code == code
    assert error.name not in answer.text
    assert str(error.description) not in answer.text
