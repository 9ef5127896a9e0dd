"""What the server keeps of an unsaved form, and the sentences when it keeps nothing."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from spectator import autosaves
from spectator.db import db
from spectator.models import User
from spectator.newsroom import media
from spectator.newsroom.notices import NOTICES
from tests.newsroom_client import (
    NEW_STORY,
    create_story,
    form_values,
    logged_in_client,
    picture_file,
    post,
)
from tests.page_checks import Page

DEVICE = "Your text is kept on this device."


def autosave(client: FlaskClient, story: int | str, form: dict[str, str], **more: Any) -> str:
    """Send an autosave as the form does, and return the visible text of the answer."""
    address = f"/newsroom/fragments/stories/{story}/autosave"
    answer: TestResponse = post(client, address, form | {"seq": "7"} | more)
    assert answer.status_code == 200
    return Page(answer.text).visible_text


def test_the_chosen_picture_comes_back_with_the_unsaved_text(
    newsroom: FlaskClient, editor: User
) -> None:
    article_id = create_story(newsroom, picture=picture_file(), picture_alt="A boat")
    picture = form_values(newsroom.get(f"/newsroom/stories/{article_id}"))["picture_id"]
    new = form_values(newsroom.get(NEW_STORY))
    autosave(newsroom, "new", new, headline="Two", picture_id=picture, picture_alt="A boat")
    again = form_values(newsroom.get(f"{NEW_STORY}?restore={new['copy']}"))
    user = db.session.get_one(User, editor.id)
    stored = media.picture_from_token(again["picture_id"], user)
    assert stored is not None and stored == media.picture_from_token(picture, user)
    assert again["picture_alt"] == "A boat"


@pytest.mark.parametrize("more", [{"picture_id": "nonsense"}, {"remove_picture": "1"}])
def test_a_picture_that_was_removed_or_is_not_theirs_does_not_come_back(
    newsroom: FlaskClient, editor: User, more: dict[str, str]
) -> None:
    article_id = create_story(newsroom, picture=picture_file(), picture_alt="A boat")
    path = f"/newsroom/stories/{article_id}"
    opened = form_values(newsroom.get(path))
    autosave(newsroom, article_id, opened, **more)
    row = autosaves.get(editor.id, opened["copy"])
    assert row is not None and row.values["picture_id"] == ""


def test_an_autosave_that_is_refused_says_why(app: Flask, newsroom: FlaskClient) -> None:
    new = form_values(newsroom.get(NEW_STORY))
    for long in ({"headline": "x" * 100_001}, {"body": "x" * 1_000_001}):
        answer_text = autosave(newsroom, "new", new, **long)
        assert f"Not saved: one field is too long. {DEVICE}" in answer_text
    article_id = create_story(newsroom)
    author = logged_in_client(app, "author")
    answer_text = autosave(author, article_id, new)
    assert f"Not saved: you cannot change this story any more. {DEVICE}" in answer_text
    answer = post(author, f"/newsroom/stories/{article_id}/proof", new)
    assert answer.status_code == 422
    assert (
        "Preview not available Not saved: you cannot change this story any more. "
        "Close this tab; your text is still in the form."
    ) in Page(answer.text).visible_text


def test_a_person_with_too_much_unsaved_text_hears_of_it(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosaves, "MAX_AUTOSAVES", 0)
    answer_text = autosave(newsroom, "new", form_values(newsroom.get(NEW_STORY)))
    assert (
        "Not saved: you have too much unsaved text. Save or discard some: "
        f"the list of stories shows where it is. {DEVICE}"
    ) in answer_text


def test_text_that_was_saved_in_another_window_is_not_stored_again(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosaves, "get", lambda *_: None)
    answer_text = autosave(newsroom, "new", form_values(newsroom.get(NEW_STORY)))
    assert (
        f"Not saved: the text was saved or discarded in another window. {DEVICE}" in answer_text
    )


@pytest.mark.parametrize("do", ["save", "publish"])
def test_a_story_without_a_remark_shows_none(newsroom: FlaskClient, do: str) -> None:
    article_id = create_story(newsroom, do=do)
    path = f"/newsroom/stories/{article_id}"
    assert 'id="handover"' not in newsroom.get(path).text
    post(newsroom, path, form_values(newsroom.get(path)) | {"do": "save"})
    assert 'id="handover"' not in newsroom.get(path).text


def test_a_handover_without_a_remark_has_no_text(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom, do="submit")
    page = newsroom.get(f"/newsroom/stories/{article_id}").text
    handover = page.partition('id="handover"')[2].partition("</section>")[0]
    assert "Submitted for review by <bdi>Editor</bdi>" in handover
    assert 'class="text"' not in handover


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tomorrow", "Enter a date and time, for example 2026-11-22T14:05."),
        ("2026-02-30T10:00", "Enter a date and time, for example 2026-11-22T14:05."),
        ("0999-12-31T10:00", "Enter the year in full, for example 2026."),
        ("9001-01-01T10:00", "Choose a date before the year 9000."),
    ],
)
def test_a_wrong_date_gets_a_message(newsroom: FlaskClient, text: str, message: str) -> None:
    sent = form_values(newsroom.get(NEW_STORY)) | {
        "headline": "One",
        "body": "Words",
        "section": "politics",
        "published_at": text,
        "do": "save",
    }
    answer = post(newsroom, NEW_STORY, sent)
    assert answer.status_code == 422
    assert message in Page(answer.text).visible_text


@pytest.mark.parametrize("notice", sorted(set(NOTICES) - {"schedule"}))
def test_every_notice_is_a_sentence_on_the_page_that_follows(
    newsroom: FlaskClient, notice: str
) -> None:
    page = newsroom.get("/newsroom/stories/", query_string={"done": notice})
    answer_text = [text for text in NOTICES[notice].split(". ") if text]
    assert all(text in Page(page.text).visible_text for text in answer_text)
    assert NOTICES[notice] == "" or NOTICES[notice].endswith(".")


def test_a_zero_character_in_unsaved_text_spoils_no_page(
    newsroom: FlaskClient, editor: User
) -> None:
    new = form_values(newsroom.get(NEW_STORY))
    autosave(newsroom, "new", new, headline="Rain\0 again", body="a\0b")
    row = autosaves.get(editor.id, new["copy"])
    assert row is not None
    assert (row.values["headline"], row.values["body"]) == ("Rain again", "ab")
    assert "Rain again" in newsroom.get("/newsroom/stories/").text
