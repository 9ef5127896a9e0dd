"""Features of the story form: presence, suggestions, the URL, history, local times."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import publishing
from spectator.db import db
from spectator.models import Revision, User
from spectator.text.compare import diff
from tests.conftest import make_draft
from tests.newsroom_client import (
    NEW_STORY,
    count_rows,
    create_story,
    form_values,
    get_article,
    logged_in_client,
    picture_file,
    post,
    save_story,
    story_form,
)
from tests.page_checks import Page


def test_presence_names_colleagues_and_newer_versions(app: Flask, newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom)
    admin = logged_in_client(app, "admin")
    path = f"/newsroom/fragments/stories/{article_id}/presence"
    version = str(get_article(article_id).version)
    assert "also editing" not in post(newsroom, path, {"version": version}).text
    assert "Editor is also editing." in post(admin, path, {"version": version}).text
    assert "Admin is also editing." in post(newsroom, path, {"version": version}).text
    assert "Admin is also editing." in newsroom.get(f"/newsroom/stories/{article_id}").text
    assert save_story(admin, article_id, headline="Newer").status_code == 303
    assert (
        "<bdi>Admin</bdi> saved a newer version."
        in post(newsroom, path, {"version": version}).text
    )


@pytest.mark.parametrize(
    ("kind", "text", "first"),
    [
        ("authors", "seg", "Ṣẹ́gun Adé"),
        ("authors", "Ṣẹ́g", "Ṣẹ́gun Adé"),
        ("topics", "elec", "Elections"),
        ("countries", "cote", "Ivory Coast"),
        ("countries", "Bamako", "Mali"),
        ("countries", "tg", "Togo"),
        ("sources", "reu", "Reuters"),
        ("sources", "", "Reuters"),
    ],
)
def test_suggestions_match_the_typed_text(
    newsroom: FlaskClient, story: Callable[..., int], kind: str, text: str, first: str
) -> None:
    source = {"source_name": "Reuters", "source_url": "https://www.reuters.com/x"}
    story(authors=("Ṣẹ́gun Adé",), topics=("Arts", "Elections"), countries=("CI", "ML"), **source)
    response = newsroom.get(f"/newsroom/fragments/suggestions/{kind}", query_string={"q": text})
    options = Page(response.text).find_all("li")
    assert [unescape(options[0]["data-value"] or "")] == [first]
    assert {option["role"] for option in options} == {"option"}


@pytest.mark.parametrize(
    "text", ["", "x" * 5000, "%", "_", "'; drop table author", "\x00", "<b>", "\U000e0001"]
)
@pytest.mark.parametrize("kind", ["authors", "topics", "countries", "sources"])
def test_unusual_suggestion_queries_cause_no_error(
    newsroom: FlaskClient, kind: str, text: str
) -> None:
    assert (
        newsroom.get(
            f"/newsroom/fragments/suggestions/{kind}", query_string={"q": text}
        ).status_code
        == 200
    )


def test_the_form_shows_the_url_before_saving(
    newsroom: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="Ports")
    path = "/newsroom/fragments/stories/new/address"
    sent = {"headline": "Ports", "slug": "", "section": "health"}
    assert "https://spectator.example/health/ports-2" in post(newsroom, path, sent).text
    assert "Another story has the address" in post(newsroom, path, sent | {"slug": "ports"}).text
    assert "lowercase letters" in post(newsroom, path, sent | {"slug": "Ümlaut"}).text
    own = post(newsroom, "/newsroom/fragments/stories/1/address", sent | {"slug": "ports"}).text
    assert "https://spectator.example/health/ports" in own


def test_the_history_lists_compares_and_restores_versions(newsroom: FlaskClient) -> None:
    article_id = create_story(
        newsroom, body="The dam is dry.\n\nRain is expected.", authors="Ama Serwaa"
    )
    save_story(
        newsroom,
        article_id,
        body="The dam is full.\n\nRain is expected.",
        authors="Ama Serwaa, Zed",
    )
    path = f"/newsroom/stories/{article_id}/history"
    page = newsroom.get(path)
    assert "1. started" in page.text and "2. saved" in page.text and "Editor" in page.text
    changed = newsroom.get(f"{path}/compare?from=2&to=1")
    assert re.search(r"<del>\s*dry", changed.text)
    assert re.search(r"<ins>\s*full", changed.text)
    assert "Zed" in changed.text
    version = str(get_article(article_id).version)
    assert post(newsroom, f"{path}/1", {"version": "1"}).status_code == 409
    assert post(newsroom, f"{path}/1", {"version": version}).status_code == 303
    db.session.expire_all()
    article = get_article(article_id)
    assert article.body == "<p>The dam is dry.</p>\n<p>Rain is expected.</p>"
    assert [author.name for author in article.authors] == ["Ama Serwaa"]
    assert count_rows(Revision) == 3
    assert post(newsroom, f"{path}/99", {"version": version}).status_code == 404


def test_restoring_a_version_of_a_published_story_changes_its_public_page(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish", body="First words.")
    save_story(newsroom, article_id, do="update", body="Second words.")
    post(
        newsroom,
        f"/newsroom/stories/{article_id}/history/1",
        {"version": str(get_article(article_id).version)},
    )
    assert "First words." in client.get("/business/ports-of-the-gulf-of-guinea").text


def test_a_very_long_comparison_ends_with_a_notice(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff, "MAX_SHOWN", 5000)
    article_id = create_story(newsroom, body="<p>alpha</p>" * 100)
    save_story(newsroom, article_id, body="<p>omega</p>" * 100)
    page = newsroom.get(f"/newsroom/stories/{article_id}/history/compare").text
    assert 0 < page.count("alpha") < 60 and page.count(diff.OMITTED) == 1


def test_a_hostile_revision_is_shown_as_text(newsroom: FlaskClient, editor: User) -> None:
    article_id = publishing.create(
        make_draft(headline="<script>alert(1)</script>", body="<p>x</p>"), editor
    )
    save_story(newsroom, article_id, headline="Plain")
    page = newsroom.get(f"/newsroom/stories/{article_id}/history/compare")
    assert "<script>alert" not in page.text
    assert "alert(1)" in page.text


def test_a_story_from_review_to_republication(
    app: Flask, newsroom: FlaskClient, client: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author, do="submit")
    assert get_article(article_id).status == "review"
    assert "In review" in newsroom.get("/newsroom/stories/?status=review").text
    later = f"{datetime.now(UTC) + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    assert save_story(newsroom, article_id, do="schedule", published_at=later).status_code == 303
    db.session.expire_all()
    assert get_article(article_id).status == "scheduled"
    assert author.get(f"/newsroom/stories/{article_id}").status_code == 403
    assert save_story(newsroom, article_id, do="unschedule").status_code == 303
    db.session.expire_all()
    assert (get_article(article_id).status, get_article(article_id).published_at is not None) == (
        "draft",
        True,
    )
    assert save_story(newsroom, article_id, do="publish", published_at="").status_code == 303
    assert save_story(newsroom, article_id, do="update", note="New figures.").status_code == 303
    assert "New figures." in client.get("/business/ports-of-the-gulf-of-guinea").text
    assert (
        post(
            newsroom, f"/newsroom/stories/{article_id}/withdraw", {"reason": "Wrong."}
        ).status_code
        == 303
    )
    assert post(newsroom, f"/newsroom/stories/{article_id}/reinstate").status_code == 303
    assert client.get("/business/ports-of-the-gulf-of-guinea").status_code == 200


def test_a_saved_draft_keeps_its_planned_time(newsroom: FlaskClient) -> None:
    later = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"
    article_id = create_story(newsroom, published_at=later)
    assert form_values(newsroom.get(f"/newsroom/stories/{article_id}"))["published_at"] == later
    assert get_article(article_id).status == "draft"


def test_a_local_time_that_occurs_twice_must_be_chosen(app: Flask, newsroom: FlaskClient) -> None:
    # In Cairo clocks go back at the end of 28 October 2027, from midnight to 23:00.
    app.config["TIMEZONE"] = "Africa/Cairo"
    sent = story_form(do="schedule", published_at="2027-10-28T23:30")
    response = post(newsroom, NEW_STORY, sent)
    assert response.status_code == 422
    assert "happens twice: first as UTC+3, then as UTC+2" in response.text
    offered = [
        field["value"]
        for field in Page(response.text).find_all("input")
        if field.get("name") == "published_at_choice"
    ]
    assert offered == ["2027-10-28T20:30Z", "2027-10-28T21:30Z"]
    assert (
        post(newsroom, NEW_STORY, sent | {"published_at_choice": "2027-01-01T00:00Z"}).status_code
        == 422
    )
    article_id = create_story(newsroom, **sent, published_at_choice=offered[1])
    assert get_article(article_id).published_at == datetime(2027, 10, 28, 21, 30, tzinfo=UTC)
    assert (
        save_story(
            newsroom, article_id, do="schedule", published_at_choice=offered[1]
        ).status_code
        == 303
    )


def test_a_local_time_that_does_not_exist_must_be_replaced(
    app: Flask, newsroom: FlaskClient
) -> None:
    # In Cairo clocks go forward on 30 April 2027, from midnight to 01:00.
    app.config["TIMEZONE"] = "Africa/Cairo"
    sent = story_form(do="schedule", published_at="2027-04-30T00:30")
    response = post(newsroom, NEW_STORY, sent)
    assert response.status_code == 422
    assert "00:30 does not exist" in response.text
    assert "29 Apr 2027, 23:30 Africa/Cairo (21:30 UTC)" in response.text
    assert "30 Apr 2027, 01:30 Africa/Cairo (29 Apr, 22:30 UTC)" in response.text
    article_id = create_story(newsroom, **sent, published_at_choice="2027-04-29T22:30Z")
    assert get_article(article_id).published_at == datetime(2027, 4, 29, 22, 30, tzinfo=UTC)


def test_a_picture_uploaded_for_the_text_is_returned_as_a_figure(newsroom: FlaskClient) -> None:
    sent = {"picture": picture_file(), "alt": "A <port>", "caption": "Noon", "credit": "Ama"}
    response = post(newsroom, "/newsroom/fragments/pictures", sent)
    assert response.status_code == 200
    assert re.search(
        r'<figure><img src="/media/[^"]+" alt="A &lt;port&gt;" width="64" height="40">',
        response.text,
    )
    assert "<figcaption>Noon <cite>Ama</cite></figcaption>" in response.text
    for wrong in ({"alt": ""}, {"picture": b""}):
        refused = post(
            newsroom, "/newsroom/fragments/pictures", sent | {"picture": picture_file()} | wrong
        )
        assert 'data-outcome="refused"' in refused.text
