"""Notes to readers, dates of stories, and the changes that mark a story as updated."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import publishing, queries
from spectator.db import db
from spectator.models import Article, User
from spectator.publishing import Action
from spectator.site import pages
from spectator.urls import permalink
from tests.cases import case_text
from tests.conftest import make_draft
from tests.newsroom_client import (
    ALL_ENTRIES,
    create_story,
    form_values,
    logged_in_client,
    post,
    reload_article,
    save_story,
    story_form,
)

HEADINGS = {"update": "Updates", "clarification": "Clarifications", "correction": "Corrections"}


def article_page(client: FlaskClient, article_id: int) -> str:
    return client.get(permalink(reload_article(article_id))).text


def test_an_update_note_is_not_headed_corrections(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    case = case_text("2026-11/01-update-note.txt")
    note, do = re.findall(r"note = (.+?)\s+button = Update \(do=(\w+)\)", case)[0]
    article_id = create_story(newsroom, do="publish")
    assert save_story(newsroom, article_id, do=do, note=note).status_code == 303
    page = article_page(client, article_id)
    assert note in page
    assert "Corrections" not in page
    assert re.search(rf"<h2[^>]*>Updates</h2>.*{re.escape(note)}", page, re.DOTALL)


@pytest.mark.parametrize(
    ("do", "kind"), [(do, kind) for do in ("update", "correct") for kind in HEADINGS]
)
def test_every_kind_of_note_has_its_heading_and_structured_data(
    newsroom: FlaskClient, client: FlaskClient, do: str, kind: str
) -> None:
    article_id = create_story(newsroom, do="publish")
    save_story(newsroom, article_id, do=do, note="The port was misnamed.", note_kind=kind)
    kind = "correction" if do == "correct" else kind
    assert reload_article(article_id).notes[0].kind == kind
    page = article_page(client, article_id)
    assert [heading for heading in HEADINGS.values() if f">{heading}</h2>" in page] == [
        HEADINGS[kind]
    ]
    data = json.loads(re.findall(r'<script type="application/ld\+json">(.+?)</script>', page)[0])
    assert [note["text"] for note in data.get("correction", [])] == (
        ["The port was misnamed."] if kind == "correction" else []
    )
    assert queries.revisions(article_id)[0].action == (
        "correct" if kind == "correction" else "update"
    )
    assert (
        "The port was misnamed." in newsroom.get(f"/newsroom/stories/{article_id}/history").text
    )


def test_a_note_needs_a_text_and_a_known_kind(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom, do="publish")
    answer = save_story(newsroom, article_id, do="update", note_kind="clarification", note=" ")
    assert (answer.status_code, "Describe the clarification." in answer.text) == (422, True)
    assert (
        save_story(newsroom, article_id, do="update", note="x", note_kind="apology").status_code
        == 422
    )
    assert save_story(newsroom, article_id, do="correct").status_code == 422


def test_notes_can_be_changed_and_removed_in_the_form(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish")
    save_story(newsroom, article_id, do="update", note="The <b>port</b> was misnamed.")
    path, note = f"/newsroom/stories/{article_id}", reload_article(article_id).notes[0]
    note_path = f"{path}/notes/{note.id}"
    form = newsroom.get(path).text
    assert form.count("The &lt;b&gt;port&lt;/b&gt; was misnamed.") >= 2
    before = reload_article(article_id)
    unchanged = (before.version, before.updated_at, note.made_at)
    sent = {
        "note_original": note.text,
        "note_text": "The harbour was misnamed.",
        "note_kind": "correction",
    }
    assert post(newsroom, note_path, sent).status_code == 303
    after = reload_article(article_id)
    assert [(note.kind, note.text) for note in after.notes] == [
        ("correction", "The harbour was misnamed.")
    ]
    assert (after.version, after.updated_at, after.notes[0].made_at) == unchanged, (
        "a form opened before can still be saved"
    )
    page = article_page(client, article_id)
    assert ">Corrections</h2>" in page and "harbour" in page
    assert "&lt;b&gt;port" not in page
    assert post(newsroom, note_path, sent).status_code == 409, "`note_original` is outdated"
    original = {"note_original": sent["note_text"]}
    older = sent | original | {"note_text": "Other.", "note_original_kind": "update"}
    assert post(newsroom, note_path, older).status_code == 409, "a colleague changed its kind"
    empty = post(newsroom, note_path, sent | original | {"note_text": " "})
    assert (empty.status_code, "Describe the correction." in empty.text) == (422, True)
    compared = newsroom.get(f"{path}/history/compare").text
    assert "<h2>Notes to readers</h2>" in compared
    assert re.search("<del>[^<]*port[^<]*</del><ins>[^<]*harbour[^<]*</ins>", compared)
    former_name = {"note_seen": sent["note_text"]}
    assert post(newsroom, f"{note_path}/remove", former_name).status_code == 303
    assert "harbour" not in article_page(client, article_id)
    assert [row.action for row in queries.revisions(article_id)] == [
        "remove_note",
        "edit_note",
        "update",
        "publish",
    ]
    assert "The harbour was misnamed." in newsroom.get(f"{path}/history").text
    assert post(newsroom, f"{note_path}/remove", {"note_original": ""}).status_code == 404


def test_authors_cannot_change_notes_to_a_published_story(
    app: Flask, newsroom: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author)
    save_story(newsroom, article_id, do="publish")
    save_story(newsroom, article_id, do="correct", note="Corrected.")
    note = reload_article(article_id).notes[0]
    sent = {"note_original": "Corrected.", "note_text": "Changed.", "note_kind": "update"}
    for path in ("", "/remove"):
        assert (
            post(
                author, f"/newsroom/stories/{article_id}/notes/{note.id}{path}", sent
            ).status_code
            == 403
        )
    assert reload_article(article_id).notes[0].text == "Corrected."


@pytest.mark.parametrize("name", ["headline", "dek", "body", "picture_caption"])
def test_changed_text_marks_a_story_as_updated(newsroom: FlaskClient, name: str) -> None:
    article_id = create_story(
        newsroom,
        do="publish",
        **{field: ALL_ENTRIES[field] for field in ("dek", "body", "picture_caption")},
    )
    save_story(newsroom, article_id, do="update", **{name: "Other words"})
    assert reload_article(article_id).updated_at is not None


@pytest.mark.parametrize(
    "name", ["section", "topics", "authors", "countries", "source_name", "slug", "picture_credit"]
)
def test_changed_metadata_does_not_mark_a_story_as_updated(
    newsroom: FlaskClient, client: FlaskClient, name: str
) -> None:
    table = (
        "<p>A &amp; b</p>\n<blockquote>\n<p>Q</p>\n</blockquote>\n<table><tr><td>1</td>"
        "</tr></table>\n<p>x<br>y</p>"
    )
    article_id = create_story(
        newsroom, do="publish", **ALL_ENTRIES | {"body": table, "source_url": ""}
    )
    other = {"section": "culture", "countries": "Mali", "slug": "another-address"}.get(
        name, "Other"
    )
    assert save_story(newsroom, article_id, do="update", **{name: other}).status_code == 303
    assert len(queries.revisions(article_id)) == 2
    assert reload_article(article_id).updated_at is None
    assert "Updated" not in article_page(client, article_id)


def test_a_minor_change_does_not_mark_a_story_as_updated(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish")
    save_story(
        newsroom, article_id, do="update", headline="Ports of the Gulf of Guinea!", is_minor="1"
    )
    assert reload_article(article_id).updated_at is None
    page = article_page(client, article_id)
    assert ("Guinea!" in page, "Updated" in page) == (True, False)


def test_restoring_the_same_text_does_not_mark_a_story_as_updated(
    newsroom: FlaskClient, editor: User
) -> None:
    article_id = create_story(newsroom, do="publish")
    save_story(newsroom, article_id, do="update", section="culture")
    publishing.restore(article_id, editor, 1, reload_article(article_id).version)
    assert (reload_article(article_id).section.slug, reload_article(article_id).updated_at) == (
        "business",
        None,
    )


def form_time(moment: datetime) -> str:
    """Return a time as the form's date field sends it."""
    return f"{moment:%Y-%m-%dT%H:%M}"


def set_planned_time(article_id: int, at: datetime) -> None:
    """Set the planned time of a draft in the database, where it may be past."""
    with db.write() as session:
        session.get_one(Article, article_id).published_at = at


def test_publishing_after_the_planned_time_asks_which_date_to_use(newsroom: FlaskClient) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    past = now - timedelta(days=3)
    for answer, expected in (("now", None), ("date", past)):
        article_id = create_story(newsroom, published_at=form_time(now + timedelta(days=2)))
        set_planned_time(article_id, past)
        response = save_story(newsroom, article_id, do="publish")
        assert (response.status_code, "The planned time has passed." in response.text) == (
            422,
            True,
        )
        assert reload_article(article_id).status == "draft"
        assert save_story(newsroom, article_id, do="publish", plan=answer).status_code == 303
        article = reload_article(article_id)
        assert article.status == "published"
        assert article.published_at == expected if expected else article.published_at >= now
    article_id = create_story(newsroom, published_at=form_time(now + timedelta(days=2)))
    set_planned_time(article_id, past)
    new_date = now - timedelta(days=9)
    assert (
        save_story(
            newsroom, article_id, do="publish", published_at=form_time(new_date)
        ).status_code
        == 303
    )
    assert reload_article(article_id).published_at == new_date, "a newly entered date is used"


def test_publishing_a_scheduled_story_dates_it_now(newsroom: FlaskClient) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    article_id = create_story(newsroom, do="schedule", published_at=form_time(later))
    assert save_story(newsroom, article_id, do="publish").status_code == 303
    assert reload_article(article_id).published_at < later - timedelta(days=1)


def test_the_date_of_a_published_story_can_be_changed(
    app: Flask, newsroom: FlaskClient, client: FlaskClient
) -> None:
    app.config["TIMEZONE"] = "Africa/Lagos"
    article_id = create_story(newsroom, do="publish")
    exact = reload_article(article_id).published_at
    save_story(newsroom, article_id, do="update", dek="Other")
    assert reload_article(article_id).published_at == exact, (
        "an unchanged date field keeps the seconds"
    )
    assert (
        save_story(newsroom, article_id, do="update", published_at="2025-03-09T00:30").status_code
        == 303
    )
    article = reload_article(article_id)
    assert article.published_at == datetime(2025, 3, 8, 23, 30, tzinfo=UTC)
    assert client.get("/archive/2025/03/").text.count("Ports of the Gulf of Guinea")
    future = save_story(newsroom, article_id, do="update", published_at="2999-03-09T00:30")
    assert (future.status_code, "in the future" in future.text) == (422, True)
    save_story(newsroom, article_id, do="update", published_at="")
    assert reload_article(article_id).published_at == article.published_at


def test_a_changed_date_in_the_url_redirects_the_old_url(
    app: Flask,
    newsroom: FlaskClient,
    client: FlaskClient,
    editor: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    article_id = create_story(newsroom, do="publish", published_at="2025-05-04T12:00")
    save_story(newsroom, article_id, do="update", published_at="2024-02-03T12:00")
    story = reload_article(article_id)
    monkeypatch.setitem(app.config, "PERMALINK", "/<year>/<month>/<day>/<slug>")
    assert permalink(story) == f"/2024/02/03/{story.slug}"
    response: Any
    with app.test_request_context(f"/2025/05/04/{story.slug}"):
        response = pages.article(story.slug, year=2025, month=5, day=4)
    assert (response.status_code, response.location) == (301, f"/2024/02/03/{story.slug}")


def test_an_update_from_an_older_form_keeps_a_colleagues_new_date(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish")
    opened = form_values(newsroom.get(f"/newsroom/stories/{article_id}"))
    save_story(
        logged_in_client(app, "admin"), article_id, do="update", published_at="2024-02-03T12:00"
    )
    older_form = opened | {
        "do": "update",
        "version": str(reload_article(article_id).version),
        "dek": "Other",
    }
    assert post(newsroom, f"/newsroom/stories/{article_id}", older_form).status_code == 303
    assert reload_article(article_id).published_at == datetime(2024, 2, 3, 12, tzinfo=UTC)


def test_an_author_cannot_change_the_date_of_a_published_story(
    app: Flask, newsroom: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author)
    save_story(newsroom, article_id, do="publish")
    before = reload_article(article_id).published_at
    sent = story_form(
        version=str(reload_article(article_id).version),
        do="update",
        published_at="2020-01-01T00:00",
    )
    assert post(author, f"/newsroom/stories/{article_id}", sent).status_code == 403
    assert reload_article(article_id).published_at == before


def test_publishing_clears_an_earlier_update_time(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(), editor)
    with db.write() as session:
        session.get_one(Article, article_id).updated_at = datetime(2026, 11, 2, tzinfo=UTC)
    publishing.apply_action(article_id, editor, Action("publish"))
    assert reload_article(article_id).updated_at is None
    publishing.save(
        article_id,
        make_draft(dek="New"),
        editor,
        reload_article(article_id).version,
        Action("update"),
    )
    assert reload_article(article_id).updated_at >= reload_article(article_id).published_at
