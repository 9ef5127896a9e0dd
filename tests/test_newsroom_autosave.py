"""Unsaved text of the story form: stored, offered again, discarded, private."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from spectator import accounts, autosaves
from spectator.db import db
from spectator.models import Autosave, Outbox, Revision
from tests.newsroom_client import (
    NEW_STORY,
    autosave,
    count_articles,
    count_rows,
    create_story,
    form_values,
    get_article,
    logged_in_client,
    post,
    save_story,
    session_token,
    story_form,
)
from tests.page_checks import Page


def test_an_autosave_touches_neither_story_nor_history(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom, do="publish")
    path, before = f"/newsroom/stories/{article_id}", get_article(article_id)
    version, revisions, rows = before.version, count_rows(Revision), count_rows(Outbox)
    opened = form_values(newsroom.get(path))
    response = autosave(newsroom, article_id, opened, headline="Half a headl")
    assert 'data-outcome="saved" data-seq="7"' in " ".join(response.text.split())
    assert re.search(r'data-weight="\d+ KB, \d\.\d s on 3G"', response.text)
    assert re.search(r"Saved\s+<time datetime=\"[^\"]+\">\d\d:\d\d:\d\d</time>", response.text)
    db.session.expire_all()
    assert (get_article(article_id).version, count_rows(Revision), count_rows(Outbox)) == (
        version,
        revisions,
        rows,
    )
    assert get_article(article_id).headline == story_form()["headline"]
    autosave(newsroom, article_id, opened, headline="Half a headline")
    assert count_rows(Autosave) == 1


def test_unsaved_text_is_offered_next_to_the_stored_text(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom)
    path = f"/newsroom/stories/{article_id}"
    opened = form_values(newsroom.get(path))
    autosave(newsroom, article_id, opened, body="Typed & <lost>.")
    page = newsroom.get(path)
    assert "Unsaved changes from" in page.text
    assert "Typed &amp; &lt;lost&gt;." in page.text
    assert form_values(page)["body"] == "One paragraph.\n\nAnother paragraph."
    assert "unsaved changes" in newsroom.get("/newsroom/stories/").text
    restored = newsroom.get(f"{path}?restore={opened['copy']}")
    assert form_values(restored)["body"] == "Typed & <lost>."
    assert post(newsroom, path, form_values(restored) | {"do": "save"}).status_code == 303
    assert count_rows(Autosave) == 0
    assert "Unsaved changes from" not in newsroom.get(path).text


def test_unsaved_text_is_compared_only_where_it_differs(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom, topics="Ports")
    path = f"/newsroom/stories/{article_id}"
    autosave(newsroom, article_id, form_values(newsroom.get(path)), headline="Typed since")
    compared = newsroom.get(path).text.partition("Unsaved changes from")[2].partition("<form")[0]
    assert re.findall("<h3>(.*)</h3>", compared) == ["Headline"]


def test_an_unsaved_new_story_is_in_the_list(newsroom: FlaskClient) -> None:
    opened = form_values(newsroom.get(NEW_STORY))
    autosave(newsroom, "new", opened, headline="Never saved", body="Words")
    page = newsroom.get("/newsroom/stories/").text
    assert "Never saved" in page
    again = newsroom.get(f"{NEW_STORY}?restore={opened['copy']}")
    assert form_values(again)["headline"] == "Never saved"
    assert form_values(again)["copy"] == opened["copy"]
    assert (
        post(newsroom, "/newsroom/stories/discard", {"copy": opened["copy"]}).status_code == 303
    )
    assert count_articles() == 0


def test_a_preview_is_refused_if_its_text_cannot_be_autosaved(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom)
    author = logged_in_client(app, "author")
    assert post(author, f"/newsroom/stories/{article_id}/proof", story_form()).status_code == 422
    assert (
        post(newsroom, NEW_STORY + "/proof", story_form(headline="x" * 5001)).status_code == 422
    )
    assert count_rows(Autosave) == 0


@pytest.mark.parametrize("is_new", [True, False])
def test_discarded_text_can_be_brought_back_without_javascript(
    newsroom: FlaskClient, is_new: bool
) -> None:
    story: int | str = "new" if is_new else create_story(newsroom)
    form = NEW_STORY if is_new else f"/newsroom/stories/{story}"
    page = "/newsroom/stories/" if is_new else form
    opened = form_values(newsroom.get(form))
    autosave(newsroom, story, opened, headline="Half a thought", body="Words")
    sent = {"copy": opened["copy"], "story": "" if is_new else str(story)}
    response = post(newsroom, "/newsroom/stories/discard", sent)
    assert response.status_code == 303
    after = newsroom.get(response.location).text
    assert "You can bring them back for 30 days" in after
    assert ">Bring back</button>" in after
    assert "Discarded changes (1)" in newsroom.get(page).text
    assert autosaves.list_unsaved(1, None if is_new else int(story)) == []
    response = post(newsroom, "/newsroom/stories/bring_back", sent)
    assert response.status_code == 303
    assert "Half a thought" in newsroom.get(response.location).text
    assert "Discarded changes" not in newsroom.get(page).text
    assert (
        form_values(newsroom.get(f"{form}?restore={opened['copy']}"))["headline"]
        == "Half a thought"
    )


def test_a_form_id_may_be_sent_under_its_plain_name(newsroom: FlaskClient) -> None:
    """Pages send it as `copy`, its name in the first version."""
    form_id = "f" * 22
    autosave(newsroom, "new", story_form(form_id=form_id, headline="Words"))
    assert "Words" in newsroom.get(f"{NEW_STORY}/preview?form_id={form_id}").text
    post(newsroom, "/newsroom/stories/discard", {"form_id": form_id})
    assert [row.form_id for row in autosaves.list_discarded(1, None)] == [form_id]
    post(newsroom, "/newsroom/stories/bring_back", {"form_id": form_id})
    assert [row.form_id for row in autosaves.list_unsaved(1, None)] == [form_id]
    for _ in range(2):
        post(newsroom, NEW_STORY, story_form(form_id=form_id))
    assert count_articles() == 1, "the form was sent twice"


def test_discarded_text_is_deleted_after_30_days(
    newsroom: FlaskClient,
) -> None:
    opened = form_values(newsroom.get(NEW_STORY))
    autosave(newsroom, "new", opened, headline="Set aside")
    autosaves.discard(1, opened["copy"])
    autosaves.prune()
    assert [row.form_id for row in autosaves.list_discarded(1, None)] == [opened["copy"]]
    long_ago = datetime.now(UTC) - timedelta(days=autosaves.DISCARDED_DAYS, minutes=1)
    with db.write() as session:
        session.execute(update(Autosave).values(discarded_at=long_ago))
    assert autosaves.list_discarded(1, None) == []
    autosaves.prune()
    assert count_rows(Autosave) == 0


def test_discarded_text_survives_a_clock_that_jumps(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = form_values(newsroom.get(NEW_STORY))
    autosave(newsroom, "new", opened, headline="Set aside")
    today, ahead = datetime.now(UTC), [0]
    monkeypatch.setattr(autosaves, "current_time", lambda: today + timedelta(days=ahead[0]))
    autosaves.discard(1, opened["copy"])
    for ahead[0] in (0, 400, 410, -9000, 1):
        autosaves.prune()
        (row,) = autosaves.list_discarded(1, None)
        assert row.form_id == opened["copy"], ahead
    for ahead[0] in range(2, 33):
        assert count_rows(Autosave) == 1
        autosaves.prune()
    assert count_rows(Autosave) == 0, "30 days after the last jump"


def test_typing_in_a_discarded_form_brings_its_text_back(newsroom: FlaskClient) -> None:
    opened = form_values(newsroom.get(NEW_STORY))
    autosave(newsroom, "new", opened, headline="Typed")
    autosaves.discard(1, opened["copy"])
    autosave(newsroom, "new", opened, headline="Typed on")
    assert [row.values["headline"] for row in autosaves.list_unsaved(1, None)] == ["Typed on"]


def test_saving_restored_text_of_an_older_version_is_a_conflict(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom)
    path = f"/newsroom/stories/{article_id}"
    opened = form_values(newsroom.get(path))
    autosave(newsroom, article_id, opened, headline="Mine")
    assert (
        save_story(logged_in_client(app, "admin"), article_id, headline="Theirs").status_code
        == 303
    )
    restored = form_values(newsroom.get(f"{path}?restore={opened['copy']}"))
    assert post(newsroom, path, restored | {"do": "save"}).status_code == 409


def test_nobody_sees_or_discards_a_colleagues_unsaved_text(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom)
    opened = form_values(newsroom.get(f"/newsroom/stories/{article_id}"))
    autosave(newsroom, article_id, opened, headline="Mine alone")
    admin = logged_in_client(app, "admin")
    path = f"/newsroom/stories/{article_id}"
    for address in (
        path,
        f"{path}?restore={opened['copy']}",
        f"{path}/preview?copy={opened['copy']}",
    ):
        assert "Mine alone" not in admin.get(address).text
    for action in ("discard", "bring_back"):
        post(admin, f"/newsroom/stories/{action}", {"copy": opened["copy"]})
    assert autosaves.list_discarded(1, article_id) == []
    autosave(admin, article_id, opened, headline="The admin's")
    assert [row.values["headline"] for row in autosaves.list_unsaved(1, article_id)] == [
        "Mine alone"
    ]


def test_an_author_cannot_autosave_a_colleagues_story(app: Flask, newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom)
    author = logged_in_client(app, "author")
    response = autosave(author, article_id, story_form())
    assert 'data-outcome="refused"' in response.text
    assert 'data-outcome="refused"' in autosave(author, 999, story_form()).text
    assert count_rows(Autosave) == 0


def test_autosaves_are_limited_in_size_and_number(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "too long" in autosave(newsroom, "new", story_form(body="x" * 1_000_001)).text
    assert "too long" in autosave(newsroom, "new", story_form(headline="x" * 5001)).text
    monkeypatch.setattr(autosaves, "MAX_AUTOSAVES", 2)
    for number in range(3):
        response = autosave(newsroom, "new", story_form(copy=f"{number}" * 22)).text
    assert "too much unsaved text" in response
    assert count_rows(Autosave) == 2
    assert 'data-outcome="saved"' in autosave(newsroom, "new", story_form(copy="0" * 22)).text


@pytest.mark.parametrize("language", ["", "x", "-", "fr-", "zz-Zzzz"])
def test_unsaved_text_without_a_proper_language_has_a_preview(
    newsroom: FlaskClient, language: str
) -> None:
    copy = "a" * 22
    autosave(newsroom, "new", story_form(copy=copy, headline="Words", language=language))
    page = newsroom.get(f"/newsroom/stories/new/preview?copy={copy}")
    assert page.status_code == 200 and "Words" in page.text


def test_an_autosave_without_a_login_is_refused(app: Flask, client: FlaskClient) -> None:
    response = autosave(client, "new", story_form())
    assert 'data-reason="logged-out"' in response.text
    assert 'data-outcome="refused"' in response.text
    assert "/newsroom/login" in response.text
    assert 'data-reason="logged-out"' in client.get("/newsroom/fragments/session").text
    assert count_rows(Autosave) == 0


def test_a_save_without_a_login_returns_all_entries_to_send_again(
    app: Flask, newsroom: FlaskClient
) -> None:
    sent = story_form(headline="My <headline>", body="Line one.\r\n\r\nLine two.")
    accounts.log_out(session_token(newsroom))
    response = post(newsroom, NEW_STORY, sent)
    assert response.status_code == 401
    returned = {
        field["name"]: field["value"]
        for field in Page(response.text).find_all("input")
        if field.get("name") in sent
    }
    assert {name: str(text).replace("\r\n", "\n") for name, text in returned.items()} == {
        name: text.replace("\r\n", "\n") for name, text in sent.items()
    }
    again = post(logged_in_client(app), NEW_STORY, returned)
    assert again.status_code == 303
    assert get_article(1).headline == "My <headline>"
