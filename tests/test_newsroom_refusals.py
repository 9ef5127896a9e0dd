"""What the newsroom refuses, and the words that say what to do."""

from __future__ import annotations

from html import unescape

from flask.testing import FlaskClient
from sqlalchemy import update

from spectator.db import db
from spectator.models import Revision
from tests.newsroom_client import (
    NEW_STORY,
    create_story,
    post,
    reload_article,
    save_story,
    story_form,
)


def test_a_version_is_restored_only_if_nobody_has_saved_in_the_meantime(
    newsroom: FlaskClient,
) -> None:
    article_id = create_story(newsroom)
    save_story(newsroom, article_id, headline="Second headline")
    path = f"/newsroom/stories/{article_id}/history/1"
    answer = post(newsroom, path, {"version": "1"})
    assert answer.status_code == 409
    assert "Somebody has saved this story in the meantime" in answer.text
    assert "Nothing was restored. Check the history again." in answer.text
    assert reload_article(article_id).headline == "Second headline"
    answer = post(newsroom, path, {"version": "2"})
    assert answer.location == f"/newsroom/stories/{article_id}?done=restore"
    assert "Restored as a new version." in newsroom.get(answer.location).text
    assert reload_article(article_id).headline == story_form()["headline"]


def test_a_version_that_would_be_invalid_today_is_not_restored(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom)
    content = {"headline": "", "body": "<p>Words.</p>", "section": "business"}
    with db.write() as session:
        session.execute(update(Revision).values(content=content))
    answer = post(newsroom, f"/newsroom/stories/{article_id}/history/1", {"version": "1"})
    assert answer.status_code == 422
    assert "This version cannot be restored" in answer.text
    assert "Write a headline." in answer.text


def test_a_note_that_a_colleague_has_changed_is_not_removed(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom, do="publish")
    save_story(newsroom, article_id, do="update", note="The port was misnamed.")
    note = reload_article(article_id).notes[0]
    path = f"/newsroom/stories/{article_id}/notes/{note.id}/remove"
    answer = post(newsroom, path, {"note_original": "The harbour was misnamed."})
    assert answer.status_code == 409
    assert "A colleague has changed this note" in answer.text
    assert "Nothing was saved. Go back to the story and check it again." in answer.text
    assert len(reload_article(article_id).notes) == 1


def test_both_new_passwords_must_be_the_same(newsroom: FlaskClient) -> None:
    entries = {
        "current": "a long password of editor",
        "new": "rain on the tin roof",
        "again": "rain on the tin roofs",
    }
    answer = post(newsroom, "/newsroom/password", entries)
    assert (answer.status_code, "The two new passwords differ." in answer.text) == (422, True)
    answer = post(newsroom, "/newsroom/password", entries | {"again": entries["new"]})
    assert answer.location == "/newsroom/stories/?done=password"


def test_a_story_is_scheduled_for_a_date_only(newsroom: FlaskClient) -> None:
    answer = post(newsroom, NEW_STORY, story_form(do="schedule"))
    assert (answer.status_code, "Choose a date and time." in answer.text) == (422, True)
    past = story_form(do="schedule", published_at="2026-01-01T10:00")
    answer = post(newsroom, NEW_STORY, past)
    assert answer.status_code == 422
    assert "That time has passed. Press Publish to publish now" in unescape(answer.text)
    future = story_form(do="publish", published_at="2999-01-01T10:00")
    answer = post(newsroom, NEW_STORY, future)
    assert answer.status_code == 422
    assert "That time is in the future. Press Schedule, or clear" in unescape(answer.text)
