"""Uploads: limits of lead pictures and of pictures in the text, and their messages."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage

from spectator.media import MAX_BYTES, sandbox
from spectator.newsroom.security import MAX_STORY_BYTES
from tests.newsroom_client import NEW_STORY, logged_in_client, picture_file, post, story_form
from tests.page_checks import Page


@pytest.mark.parametrize("use", ["lead picture", "picture in the text"])
def test_lead_pictures_and_pictures_in_the_text_have_the_same_size_limit(
    newsroom: FlaskClient, use: str
) -> None:
    data = picture_file().stream.read()
    for size, is_accepted in ((MAX_BYTES, True), (MAX_BYTES + 1, False)):
        file = FileStorage(
            BytesIO(data + bytes(size - len(data))), "photo.png", content_type="image/png"
        )
        if use == "picture in the text":
            response = post(
                newsroom, "/newsroom/fragments/pictures", {"picture": file, "alt": "A port"}
            )
            assert response.status_code == 200
            assert ("<figure>" in response.text) is is_accepted
        else:
            sent = story_form(do="save") | {"picture": file, "picture_alt": "A port"}
            response = post(newsroom, NEW_STORY, sent)
            assert response.status_code == (303 if is_accepted else 422)
        is_refused = "larger than 40 MB" in response.text
        assert is_refused != is_accepted


def test_an_upload_over_the_request_limit_gets_a_message(newsroom: FlaskClient) -> None:
    for address in (NEW_STORY, "/newsroom/fragments/pictures"):
        file = FileStorage(
            BytesIO(bytes(MAX_STORY_BYTES + 1)), "photo.png", content_type="image/png"
        )
        response = post(newsroom, address, {"picture": file, "alt": "A port"})
        assert response.status_code == 413
        assert (
            "A story's text can be up to 1 MB, its picture up to 40 MB."
            in Page(response.text).visible_text
        )


def test_a_picture_sent_while_others_are_decoded_is_refused_and_the_text_returned(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "_slots", threading.BoundedSemaphore(2))
    # An upload that finds no free slot must not wait for the decoder's lock. It is None here, so
    # that acquiring it would raise.
    monkeypatch.setattr(sandbox, "_decoder_lock", None)
    for _ in range(2):
        assert sandbox._slots.acquire(blocking=False)
    response = post(
        newsroom, "/newsroom/fragments/pictures", {"picture": picture_file(), "alt": "A port"}
    )
    assert (response.status_code, sandbox.BUSY in response.text) == (200, True)
    response = post(
        newsroom,
        NEW_STORY,
        story_form(do="save", body="Every <word>.") | {"picture": picture_file()},
    )
    assert (response.status_code, sandbox.BUSY in response.text) == (422, True)
    assert "Every &lt;word&gt;." in response.text


def test_slow_pictures_of_one_person_leave_colleagues_the_place_to_wait(
    app: Flask, newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = logged_in_client(app, "author")
    is_decoding, may_end = threading.Event(), threading.Event()
    run = sandbox._run

    def run_slowly(*arguments: Any) -> Any:
        is_decoding.set()
        assert may_end.wait(60)
        return run(*arguments)

    def upload(client: FlaskClient) -> str:
        fields = {"picture": picture_file(), "alt": "A port"}
        return post(client, "/newsroom/fragments/pictures", fields).text

    monkeypatch.setattr(sandbox, "_run", run_slowly)
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(upload, author)
        assert is_decoding.wait(60)
        assert all(sandbox.BUSY in upload(author) for _ in range(3))
        colleague = threads.submit(upload, newsroom)
        with pytest.raises(TimeoutError):  # it waits
            colleague.result(0.3)
        may_end.set()
        assert "<figure>" in slow.result(60) and "<figure>" in colleague.result(60)
    assert "<figure>" in upload(author), "the person may upload again"
