"""Review: remarks, the count in the navigation, and authors whose story changed its status."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import autosaves, publishing, queries
from spectator.db import db
from spectator.models import Autosave, User
from tests.newsroom_client import (
    NEW_STORY,
    create_story,
    form_values,
    logged_in_client,
    post,
    reload_article,
    save_story,
    story_form,
)
from tests.page_checks import Page


def visible_text(client: FlaskClient, path: str) -> str:
    return Page(client.get(path).text).visible_text


def test_author_and_editor_see_each_others_remarks(app: Flask, newsroom: FlaskClient) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(
        author, do="submit", remark="Please check <para> 3.\r\nAnd the names."
    )
    path = f"/newsroom/stories/{article_id}"
    page = newsroom.get(path).text
    assert "Submitted for review by Author" in Page(page).visible_text
    assert "Please check &lt;para&gt; 3.\nAnd the names." in page
    assert (
        "done=send_back"
        in save_story(
            newsroom, article_id, do="send_back", remark="Two sources, please."
        ).location
    )
    assert reload_article(article_id).status == "draft"
    page = visible_text(author, path)
    assert "Sent back by Editor Two sources, please." in page
    assert "Please check" not in page
    assert save_story(author, article_id, headline="With two sources").status_code == 303
    assert "Two sources, please." in visible_text(author, path), (
        "a remark is shown until the story is submitted or sent back again"
    )
    save_story(author, article_id, do="submit")
    assert "Two sources" not in visible_text(newsroom, path)
    history = visible_text(newsroom, f"{path}/history")
    assert "Two sources, please." in history
    assert "Please check <para> 3." in history
    assert "done=taken_back" in save_story(author, article_id, do="send_back").location


def test_a_remark_sent_with_a_plain_save_is_shown(app: Flask, newsroom: FlaskClient) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author, do="submit")
    save_story(newsroom, article_id, remark="I moved the second paragraph up.")
    assert "Remark by Editor I moved the second paragraph up." in visible_text(
        author, f"/newsroom/stories/{article_id}"
    )


@pytest.mark.parametrize("action", ["submit", "send_back"])
def test_submit_and_send_back_buttons_take_a_remark(
    app: Flask, newsroom: FlaskClient, action: str
) -> None:
    article_id = create_story(
        logged_in_client(app, "author"), do="save" if action == "submit" else "submit"
    )
    path = f"/newsroom/stories/{article_id}/{action}"
    too_long = post(newsroom, path, {"remark": "x" * 2001})
    assert (too_long.status_code, 'id="remark-error"' in too_long.text) == (422, True)
    assert post(newsroom, path, {"remark": "Well done."}).status_code == 303
    assert queries.revisions(article_id)[0].note == "Well done."


def test_readers_never_see_a_remark(
    app: Flask, newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="submit", remark="Between us.")
    save_story(newsroom, article_id, do="publish", remark="Between us too.")
    assert reload_article(article_id).status == "published"
    assert "Between us" not in client.get("/business/ports-of-the-gulf-of-guinea").text


def test_the_navigation_counts_stories_in_review(
    app: Flask, newsroom: FlaskClient, editor: User
) -> None:
    author = logged_in_client(app, "author")
    assert 'class="count"' not in newsroom.get("/newsroom/stories/").text
    for do in ("submit", "submit", "save"):
        create_story(author, do=do)
    create_story(newsroom, do="submit")
    for path in (
        "/newsroom/stories/",
        NEW_STORY,
        "/newsroom/password",
        "/newsroom/stories/99999",
    ):
        assert '<span class="count">3</span>' in newsroom.get(path).text
    assert '<span class="count">2</span>' in author.get(NEW_STORY).text, (
        "an author sees the number of own stories"
    )
    page = newsroom.get("/newsroom/stories/?status=review").text
    assert page.count("aria-current") == 1


def change_status(app: Flask, article_id: int, status: str) -> None:
    """Let an editor schedule, publish or withdraw a story."""
    editor = logged_in_client(app)
    if status == "scheduled":
        changes = {"do": "schedule", "published_at": "2999-01-01T00:00"}
    else:
        changes = {"do": "publish"}
    assert save_story(editor, article_id, **changes).status_code == 303
    if status == "withdrawn":
        post(editor, f"/newsroom/stories/{article_id}/withdraw", {"reason": "Wrong."})


@pytest.mark.parametrize("status", ["scheduled", "published", "withdrawn"])
@pytest.mark.parametrize("subpath", ["", "/merge"])
def test_an_author_keeps_text_typed_after_an_editor_changed_the_status(
    app: Flask, newsroom: FlaskClient, status: str, subpath: str
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author, do="submit")
    path = f"/newsroom/stories/{article_id}"
    opened = form_values(author.get(path))
    change_status(app, article_id, status)
    before = reload_article(article_id).version
    entries = opened | {
        "do": "save",
        "body": "Late <words>",
        "dek": "A late line",
        "remark": "Sorry, late.",
    }
    if subpath == "/merge":  # the conflict page adds a prefix to these names
        entries |= {f"mine.{name}": entries.pop(name) for name in ("body", "dek")}
    response = post(author, path + subpath, entries)
    page = Page(response.text).visible_text
    assert (response.status_code, f"Editor has {status} this story." in page) == (403, True)
    assert "They are kept here." in page
    for words in ("Late <words>", "A late line", "Sorry, late."):
        assert words in page
    assert reload_article(article_id).version == before
    for url in (f"{path}/unsaved", path):
        assert "A late line" in visible_text(author, url)
    assert f'href="{path}/unsaved"' in author.get("/newsroom/stories/").text
    assert post(author, "/newsroom/stories/discard", {"copy": opened["copy"]}).status_code == 303
    assert "A late line" not in visible_text(author, f"{path}/unsaved")


def test_autosave_and_presence_report_that_the_story_was_published(
    app: Flask, newsroom: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author, do="submit")
    opened = form_values(author.get(f"/newsroom/stories/{article_id}"))
    change_status(app, article_id, "published")
    fragments = f"/newsroom/fragments/stories/{article_id}"
    response = post(author, f"{fragments}/autosave", opened | {"seq": "7", "dek": "A late line"})
    assert re.search(r'data-outcome="saved"\s+data-seq="7"', response.text)
    assert "Editor has published this story." in response.text
    assert db.session.query(Autosave).one().values["dek"] == "A late line"
    assert (
        "Editor has published this story."
        in post(author, f"{fragments}/presence", {"version": "1"}).text
    )


def test_other_authors_cannot_see_or_autosave_a_published_story(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish")
    author = logged_in_client(app, "author")
    for path in ("", "/unsaved"):
        response = author.get(f"/newsroom/stories/{article_id}{path}")
        assert (response.status_code, "Ports of the Gulf" in response.text) == (403, False)
    post(author, f"/newsroom/stories/{article_id}", story_form(version="1", body="Mine"))
    assert db.session.query(Autosave).count() == 0
    assert newsroom.get(f"/newsroom/stories/{article_id}/unsaved").status_code == 303


def test_text_is_returned_when_the_autosave_limit_is_reached(
    app: Flask, newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author)
    change_status(app, article_id, "published")
    monkeypatch.setattr(autosaves, "MAX_AUTOSAVES", 0)
    response = post(
        author, f"/newsroom/stories/{article_id}", story_form(version="1", body="Late <words>")
    )
    assert (response.status_code, "Late &lt;words&gt;" in response.text) == (403, True)


def test_the_notice_of_a_scheduled_publication_names_nobody(
    app: Flask, newsroom: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author)
    change_status(app, article_id, "scheduled")
    publishing.publish_due(reload_article(article_id).published_at)
    assert "This story has been published." in visible_text(
        author, f"/newsroom/stories/{article_id}/unsaved"
    )
