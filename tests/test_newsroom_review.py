"""Review: remarks of both sides, a counter, and an author whose story changed meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable

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
    one = f"/newsroom/stories/{article_id}"
    page = newsroom.get(one).text
    assert "Submitted for review by Author" in Page(page).visible_text
    assert "Please check &lt;para&gt; 3.\nAnd the names." in page
    assert (
        "done=send_back"
        in save_story(newsroom, article_id, do="send_back", remark="Two sources, please.").location
    )
    assert reload_article(article_id).status == "draft"
    page = visible_text(author, one)
    assert "Sent back by Editor Two sources, please." in page
    assert "Please check" not in page
    assert save_story(author, article_id, headline="With two sources").status_code == 303
    assert "Two sources, please." in visible_text(author, one), (
        "it stays until the story changes hands again"
    )
    save_story(author, article_id, do="submit")
    assert "Two sources" not in visible_text(newsroom, one)
    history = visible_text(newsroom, f"{one}/history")
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


@pytest.mark.parametrize("act", ["submit", "send_back"])
def test_submit_and_send_back_buttons_take_a_remark(
    app: Flask, newsroom: FlaskClient, act: str
) -> None:
    article_id = create_story(
        logged_in_client(app, "author"), do="save" if act == "submit" else "submit"
    )
    one = f"/newsroom/stories/{article_id}"
    too_long = post(newsroom, f"{one}/{act}", {"remark": "x" * 2001})
    assert (too_long.status_code, 'id="remark-error"' in too_long.text) == (422, True)
    assert post(newsroom, f"{one}/{act}", {"remark": "Well done."}).status_code == 303
    assert queries.revisions(article_id)[0].note == "Well done."


def test_readers_never_see_a_remark(app: Flask, newsroom: FlaskClient, client: FlaskClient) -> None:
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
    for path in ("/newsroom/stories/", NEW_STORY, "/newsroom/password", "/newsroom/stories/99999"):
        assert '<span class="count">3</span>' in newsroom.get(path).text
    assert '<span class="count">2</span>' in author.get(NEW_STORY).text, "an author counts her own"
    page = newsroom.get("/newsroom/stories/?status=review").text
    assert page.count("aria-current") == 1


def change_status(app: Flask, state: str) -> Callable[[int], None]:
    def act(article_id: int) -> None:
        editor = logged_in_client(app)
        later = {"published_at": "2999-01-01T00:00"} if state == "scheduled" else {}
        assert (
            save_story(
                editor, article_id, do="schedule" if later else "publish", **later
            ).status_code
            == 303
        )
        if state == "withdrawn":
            post(editor, f"/newsroom/stories/{article_id}/withdraw", {"reason": "Wrong."})

    return act


@pytest.mark.parametrize("state", ["scheduled", "published", "withdrawn"])
@pytest.mark.parametrize("path", ["", "/merge"])
def test_an_author_keeps_text_typed_after_an_editor_changed_the_status(
    app: Flask, newsroom: FlaskClient, state: str, path: str
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author, do="submit")
    one = f"/newsroom/stories/{article_id}"
    opened = form_values(author.get(one))
    change_status(app, state)(article_id)
    before = reload_article(article_id).version
    entries = opened | {
        "do": "save",
        "body": "Late <words>",
        "dek": "A late line",
        "remark": "Sorry, late.",
    }
    if path:  # the page of two versions names a person's own entries so
        entries |= {f"mine.{name}": entries.pop(name) for name in ("body", "dek")}
    answer = post(author, one + path, entries)
    page = Page(answer.text).visible_text
    assert (answer.status_code, f"Editor has {state} this story." in page) == (403, True)
    assert "They are kept here." in page
    for words in ("Late <words>", "A late line", "Sorry, late."):
        assert words in page
    assert "This is not yours to do" not in page
    assert reload_article(article_id).version == before
    for again in (f"{one}/unsaved", one):
        assert "A late line" in visible_text(author, again)
    assert f'href="{one}/unsaved"' in author.get("/newsroom/stories/").text
    assert post(author, "/newsroom/stories/discard", {"copy": opened["copy"]}).status_code == 303
    assert "A late line" not in visible_text(author, f"{one}/unsaved")


def test_autosave_and_presence_report_that_the_story_was_published(
    app: Flask, newsroom: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author, do="submit")
    opened = form_values(author.get(f"/newsroom/stories/{article_id}"))
    change_status(app, "published")(article_id)
    fragments = f"/newsroom/fragments/stories/{article_id}"
    answer = post(author, f"{fragments}/autosave", opened | {"seq": "7", "dek": "A late line"})
    assert re.search(r'data-outcome="saved"\s+data-seq="7"', answer.text)
    assert "Editor has published this story." in answer.text
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
        answer = author.get(f"/newsroom/stories/{article_id}{path}")
        assert (answer.status_code, "Ports of the Gulf" in answer.text) == (403, False)
    post(author, f"/newsroom/stories/{article_id}", story_form(version="1", body="Mine"))
    assert db.session.query(Autosave).count() == 0
    assert newsroom.get(f"/newsroom/stories/{article_id}/unsaved").status_code == 303


def test_text_is_returned_when_the_autosave_limit_is_reached(
    app: Flask, newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author)
    change_status(app, "published")(article_id)
    monkeypatch.setattr(autosaves, "MAX_AUTOSAVES", 0)
    answer = post(
        author, f"/newsroom/stories/{article_id}", story_form(version="1", body="Late <words>")
    )
    assert (answer.status_code, "Late &lt;words&gt;" in answer.text) == (403, True)


def test_the_notice_of_a_scheduled_publication_names_nobody(
    app: Flask, newsroom: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author)
    change_status(app, "scheduled")(article_id)
    publishing.publish_due(reload_article(article_id).published_at)
    assert "This story has been published." in visible_text(
        author, f"/newsroom/stories/{article_id}/unsaved"
    )
