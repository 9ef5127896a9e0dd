"""Two people save one story: the second sees a conflict page and merges both versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from spectator import publishing
from spectator.db import db
from spectator.models import User
from spectator.newsroom import conflicts
from spectator.publishing import Action
from tests.newsroom_client import (
    NEW_STORY,
    count_articles,
    create_story,
    form_values,
    get_article,
    logged_in_client,
    post,
    save_story,
    story_form,
)
from tests.page_checks import Page


def save_concurrently(
    app: Flask, client: FlaskClient, their_changes: dict[str, str], our_changes: dict[str, str]
) -> TestResponse:
    """Open story 1, let a colleague save it, then save it; return the conflict page."""
    article_id = create_story(client, body="First.\n\nSecond.\n\nThird.")
    path = f"/newsroom/stories/{article_id}"
    opened = form_values(client.get(path))
    assert (
        save_story(logged_in_client(app, "admin"), article_id, **their_changes).status_code == 303
    )
    response = post(client, path, opened | {"do": "save"} | our_changes)
    assert response.status_code == 409
    db.session.expire_all()
    return response


def merge_entries(response: TestResponse, **choices: str) -> dict[str, str]:
    """Return the entries that a browser sends from the conflict page after these choices."""
    page = Page(response.text)
    values: dict[str, Any] = {}
    for field in page.find_all("input"):
        name, kind = field.get("name") or "", field.get("type")
        if kind != "radio" or "checked" in field:
            values[name] = field.get("value") or ""
    textarea = response.text.partition('name="together.body"')[2]
    if textarea:
        combined = textarea.partition(">\n")[2].partition("</textarea>")[0]
        values["together.body"] = unescape(combined)
    return (
        values | {f"choice.{name}": choice for name, choice in choices.items()} | {"do": "save"}
    )


def test_fields_changed_by_one_side_are_merged_and_by_both_need_a_choice(
    app: Flask, newsroom: FlaskClient
) -> None:
    response = save_concurrently(
        app, newsroom, {"headline": "Theirs", "dek": "Their dek"}, {"headline": "Mine"}
    )
    assert "saved this story while you were writing" in response.text
    assert get_article(1).headline == "Theirs"
    sent = merge_entries(response)
    assert (sent["choice.dek"], "choice.headline" in sent) == ("theirs", False)
    again = post(newsroom, "/newsroom/stories/1/merge", sent)
    assert again.status_code == 422
    assert "Choose a version of each" in again.text
    assert (
        post(
            newsroom, "/newsroom/stories/1/merge", merge_entries(again, headline="mine")
        ).status_code
        == 303
    )
    db.session.expire_all()
    assert (get_article(1).headline, get_article(1).dek) == ("Mine", "Their dek")


def test_paragraphs_changed_by_either_side_are_merged(app: Flask, newsroom: FlaskClient) -> None:
    theirs, ours = (
        "First, theirs.\n\nSecond.\n\nThird.",
        "First.\n\nSecond.\n\nThird, mine.\n\nFourth.",
    )
    response = save_concurrently(app, newsroom, {"body": theirs}, {"body": ours})
    assert post(newsroom, "/newsroom/stories/1/merge", merge_entries(response)).status_code == 303
    db.session.expire_all()
    body = "<p>First, theirs.</p>\n<p>Second.</p>\n<p>Third, mine.</p>\n<p>Fourth.</p>"
    assert get_article(1).body == body


@pytest.mark.parametrize("choice", ["mine", "theirs", "together"])
def test_the_chosen_version_of_a_paragraph_changed_by_both_is_saved(
    app: Flask, newsroom: FlaskClient, choice: str
) -> None:
    response = save_concurrently(
        app, newsroom, {"body": "Theirs.\n\nSecond."}, {"body": "Mine.\n\nSecond."}
    )
    assert (
        post(
            newsroom, "/newsroom/stories/1/merge", merge_entries(response, body=choice)
        ).status_code
        == 303
    )
    db.session.expire_all()
    body = get_article(1).body
    assert ("Mine." in body, "Theirs." in body) == (choice != "theirs", choice != "mine")


def test_no_version_is_preselected_if_both_changed_one_paragraph(
    app: Flask, newsroom: FlaskClient
) -> None:
    response = save_concurrently(
        app, newsroom, {"body": "Theirs.\n\nSecond."}, {"body": "Mine.\n\nSecond."}
    )
    assert "You both changed one paragraph." in response.text
    assert "choice.body" not in merge_entries(response)
    edited = merge_entries(response) | {"together.body": "Edited by hand.\n\nSecond."}
    again = post(newsroom, "/newsroom/stories/1/merge", edited)
    assert again.status_code == 422
    assert "Choose a version of each" in again.text
    assert "choice.body" not in merge_entries(again), "still nothing is preselected"
    assert merge_entries(again)["together.body"] == "Edited by hand.\n\nSecond."
    assert (
        post(
            newsroom, "/newsroom/stories/1/merge", merge_entries(again, body="together")
        ).status_code
        == 303
    )
    db.session.expire_all()
    assert "Edited by hand." in get_article(1).body


def test_differences_between_the_versions_are_marked(app: Flask, newsroom: FlaskClient) -> None:
    theirs = {"headline": "Ports of <Lagos>", "body": "First, theirs.\n\nSecond.\n\nThird."}
    ours = {"headline": "Ports of Tema", "body": "First, mine.\n\nSecond.\n\nThird."}
    response = save_concurrently(app, newsroom, theirs, ours)
    marks = re.findall(
        r"<mark><bdi class=.visually-hidden.>different: </bdi>(.*?)</mark>", response.text
    )
    assert [mark.strip() for mark in marks] == ["Tema", "&lt;Lagos&gt;", "mine.", "theirs."]
    assert response.text.count("<p>Second.</p>") == 2


def test_a_byline_in_which_both_replaced_a_name_needs_a_choice(
    app: Flask, newsroom: FlaskClient
) -> None:
    assert save_story(newsroom, create_story(newsroom), authors="Ama, Ben").status_code == 303
    opened = form_values(newsroom.get("/newsroom/stories/1"))
    assert (
        save_story(logged_in_client(app, "admin"), 1, authors="Ama, Bernard").status_code == 303
    )
    response = post(
        newsroom, "/newsroom/stories/1", opened | {"do": "save", "authors": "Ama, Benedict"}
    )
    assert response.status_code == 409
    assert "choice.authors" not in merge_entries(response)


def test_authors_added_by_both_are_merged_in_order(app: Flask, newsroom: FlaskClient) -> None:
    response = save_concurrently(
        app, newsroom, {"authors": "Ama Serwaa, Zed"}, {"authors": "Bayo Ade"}
    )
    assert post(newsroom, "/newsroom/stories/1/merge", merge_entries(response)).status_code == 303
    db.session.expire_all()
    assert [author.name for author in get_article(1).authors] == ["Ama Serwaa", "Zed", "Bayo Ade"]


def test_another_save_while_a_conflict_is_resolved_is_a_new_conflict(
    app: Flask, newsroom: FlaskClient
) -> None:
    response = save_concurrently(app, newsroom, {"headline": "Theirs"}, {"headline": "Mine"})
    assert (
        save_story(logged_in_client(app, "admin"), 1, headline="Theirs again").status_code == 303
    )
    again = post(newsroom, "/newsroom/stories/1/merge", merge_entries(response, headline="mine"))
    assert again.status_code == 409
    assert "Theirs again" in again.text
    assert "Mine" in again.text


def test_saving_a_draft_that_was_published_meanwhile_is_a_conflict(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom)
    opened = form_values(newsroom.get(f"/newsroom/stories/{article_id}"))
    publishing.apply_action(article_id, db.session.get_one(User, 1), Action("publish"))
    response = post(
        newsroom,
        f"/newsroom/stories/{article_id}",
        opened | {"do": "save", "headline": "Half done"},
    )
    assert response.status_code == 409
    assert "Status: published" in response.text
    assert get_article(article_id).headline == story_form()["headline"]


def test_a_new_story_form_sent_twice_creates_one_story(newsroom: FlaskClient) -> None:
    opened = form_values(newsroom.get(NEW_STORY)) | story_form()
    first, second = (post(newsroom, NEW_STORY, opened) for _ in range(2))
    assert (first.status_code, second.status_code, count_articles()) == (303, 303, 1)
    assert "done=saved" in second.location
    third = post(newsroom, NEW_STORY, opened | {"body": "Other words."})
    assert (third.status_code, count_articles()) == (409, 1)
    assert "Other words." in third.text
    assert (
        post(newsroom, "/newsroom/stories/1/merge", merge_entries(third, body="mine")).status_code
        == 303
    )
    db.session.expire_all()
    assert get_article(1).body == "<p>Other words.</p>"


def test_a_forged_picture_choice_attaches_no_picture(app: Flask, newsroom: FlaskClient) -> None:
    response = save_concurrently(app, newsroom, {"headline": "Theirs"}, {"headline": "Mine"})
    sent = merge_entries(response, headline="mine") | {
        "mine.picture": "1",
        "choice.picture": "mine",
        "picture_id": "1",
    }
    assert post(newsroom, "/newsroom/stories/1/merge", sent).status_code == 303
    db.session.expire_all()
    assert get_article(1).picture is None


def test_removing_tables_and_links_must_be_confirmed(
    newsroom: FlaskClient, story: Callable[..., int]
) -> None:
    table = "<table><tbody><tr><td>Maize</td></tr></tbody></table>"
    body = f'<p>One.</p>\n{table}\n<p>See <a href="https://a.example/">this</a>.</p>'
    article_id = story(body=body)
    stored = get_article(article_id).body
    response = save_story(newsroom, article_id, do="update", body="<p>One.</p>\n<p>See this.</p>")
    assert response.status_code == 422
    assert "about to remove a table, a link" in response.text
    entries = form_values(response)
    question = {"loss_asked": entries["loss_asked"], "then": entries["then"]}
    path = f"/newsroom/stories/{article_id}"
    restored = post(newsroom, path, entries | question | {"loss": "restore"})
    assert restored.status_code == 422
    assert table in form_values(restored)["body"]
    assert 'href="https://a.example/"' in form_values(restored)["body"]
    assert get_article(article_id).body == stored, "nothing is saved before the answer"
    confirmed = entries | question | {"loss": "remove"}
    other_loss = confirmed | {"body": "<p>Two.</p>", "loss_asked": "1 figure"}
    assert post(newsroom, path, other_loss).status_code == 422, "another loss was confirmed"
    assert post(newsroom, path, confirmed).status_code == 303
    db.session.expire_all()
    assert get_article(article_id).body == "<p>One.</p>\n<p>See this.</p>"


def test_moving_a_figure_needs_no_confirmation(
    newsroom: FlaskClient, story: Callable[..., int]
) -> None:
    article_id = story(body='<p>One.</p>\n<figure><img src="/media/x.jpg" alt="X"></figure>')
    body = '<figure><img src="/media/x.jpg" alt="X"></figure>\n<p>One.</p>'
    assert save_story(newsroom, article_id, do="update", body=body).status_code == 303


def test_a_text_that_is_too_large_is_never_compared(
    app: Flask, newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = save_concurrently(app, newsroom, {"body": "Theirs."}, {"body": "Mine."})
    sent = merge_entries(response, body="mine") | {"mine.body": "a\n" * 100_001}
    monkeypatch.setattr(conflicts, "comparable_values", None)
    del sent["choice.body"]
    merged = post(newsroom, "/newsroom/stories/1/merge", sent)
    story = story_form(headline="Stale", version="1", body="a\n" * 100_001)
    saved = post(newsroom, "/newsroom/stories/1", story)
    for refused in (merged, saved):
        assert refused.status_code == 422
        assert "The text has over 100,000 lines and tags" in refused.text
        assert refused.text.count("a\n") > 100_000
    assert get_article(1).body == "<p>Theirs.</p>"


@pytest.mark.parametrize(
    ("our_date", "chosen_date", "proposal", "stored"),
    [
        ("", "", "theirs", "2041-05-06T07:08"),  # only the colleague has changed the date
        ("2042-01-01T00:00", "", "", ""),  # both have: the person must choose
        ("2042-01-01T00:00", "mine", "", "2042-01-01T00:00"),
        ("2042-01-01T00:00", "theirs", "", "2041-05-06T07:08"),
    ],
)
def test_a_merge_never_brings_an_old_publication_date_back(
    app: Flask, newsroom: FlaskClient, our_date: str, chosen_date: str, proposal: str, stored: str
) -> None:
    article_id = create_story(newsroom, do="schedule", published_at="2040-01-02T03:04")
    path = f"/newsroom/stories/{article_id}"
    opened = form_values(newsroom.get(path))
    colleague = logged_in_client(app, "admin")
    assert (
        save_story(colleague, article_id, published_at="2041-05-06T07:08", body="x").status_code
        == 303
    )
    changes = {"published_at": our_date} if our_date else {}
    answer = post(newsroom, path, opened | {"dek": "Ours", "do": "save"} | changes)
    assert answer.status_code == 409
    assert "Publish date" in answer.text
    choices = {"published_at": chosen_date} if chosen_date else {}
    sent = merge_entries(answer, **choices)
    assert sent.get("choice.published_at", "") == (chosen_date or proposal)
    merged = post(newsroom, f"{path}/merge", sent)
    assert merged.status_code == (303 if stored else 422)
    page = form_values(newsroom.get(path))
    assert page["published_at"] == (stored or "2041-05-06T07:08")
    assert page["dek"] == ("Ours" if stored else "")
