"""Each person's language and time zone in the newsroom."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from spectator import preview_links, publishing
from spectator.db import db
from spectator.models import Article, Autosave, User
from spectator.publishing import Action
from spectator.times import time_zone_names
from tests.conftest import make_draft
from tests.newsroom_client import (
    NEW_STORY,
    create_story,
    form_values,
    get_article,
    log_in,
    logged_in_client,
    post,
    save_story,
    story_form,
)
from tests.page_checks import Page

ACCOUNT = "/newsroom/account/"
STORIES = "/newsroom/stories/"


def choose(client: FlaskClient, language: str = "", time_zone: str = "") -> None:
    """Send the account form."""
    sent = {"language": language, "time_zone": time_zone}
    assert post(client, ACCOUNT, sent).status_code == 303


def page_language(page: str) -> str:
    match = re.search(r'<html lang="([^"]+)"', page)
    assert match
    return match[1]


def test_the_newsroom_follows_the_language_of_each_person(app: Flask, editor: User) -> None:
    client, colleague = logged_in_client(app), logged_in_client(app, "admin")
    choose(client, language="fr")
    page = client.get(STORIES).text
    assert page_language(page) == "fr" and "Nouvel article" in page
    assert page_language(colleague.get(STORIES).text) == "en"
    saved = client.get(ACCOUNT + "?done=preferences").text
    assert "Langue et fuseau horaire enregistrés." in saved
    assert form_values(client.get(ACCOUNT))["language"] == "fr"
    choose(client)
    assert page_language(client.get(STORIES).text) == "en"


def test_messages_and_scripts_follow_the_person(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    choose(client, language="ar")
    refused = post(client, NEW_STORY, story_form(headline=""))
    assert refused.status_code == 422
    assert 'dir="rtl"' in refused.text and "Write a headline." not in refused.text
    texts = re.search(r'id="translations">(.*?)</script>', refused.text)
    assert texts and json.loads(html.unescape(texts[1]))["Restored from this device."]
    missing = client.get("/newsroom/stories/999")
    assert (missing.status_code, page_language(missing.text)) == (404, "ar")
    fragment = post(client, "/newsroom/fragments/stories/new/autosave", story_form())
    assert "Saved" not in Page(fragment.text).visible_text


def test_the_login_and_readers_pages_follow_the_site(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    article_id = create_story(client, do="publish")
    choose(client, language="fr", time_zone="Asia/Tokyo")
    story = get_article(article_id)
    public = client.get(f"/business/{story.slug}").text
    assert page_language(public) == "en" and "UTC" not in public
    assert page_language(client.get("/").text) == "en"
    assert post(client, "/newsroom/logout").status_code == 303
    assert page_language(client.get("/newsroom/login").text) == "en"
    assert page_language(log_in(client, "editor", "wrong").text) == "en"


@pytest.mark.parametrize(("language", "expected"), [("en", "en"), ("sw", "sw"), ("ig", "en")])
def test_previews_are_in_the_language_of_the_readers_page(
    app: Flask, editor: User, language: str, expected: str
) -> None:
    client = logged_in_client(app)
    article_id = create_story(client, language=language)
    choose(client, language="fr")
    preview = client.get(f"/newsroom/stories/{article_id}/preview").text
    assert page_language(preview) == expected
    preview_links.create(article_id, editor.id, 1)
    [(_, token)] = preview_links.list_active(article_id)
    shared = client.get(f"/newsroom/shared/{token}").text
    assert page_language(shared) == expected
    assert ("Confidential" in shared) is (expected == "en")


def test_the_form_of_a_story_is_in_the_persons_language_not_in_the_storys(
    app: Flask, editor: User
) -> None:
    client = logged_in_client(app)
    article_id = create_story(client, language="fr")
    for path in (f"/newsroom/stories/{article_id}", f"/newsroom/stories/{article_id}/proof"):
        assert page_language(client.get(path).text) == "en"


def test_only_languages_that_translate_the_whole_newsroom_are_offered(
    app: Flask, editor: User
) -> None:
    client = logged_in_client(app)
    page = client.get(ACCOUNT).text
    offered = re.findall(r'<option value="([a-z]+)"\s+lang="\1"', page)
    assert offered == ["ar", "en", "fr", "ha", "pt", "sw"]
    assert "<option >Africa/Lagos</option>" in page and "<option >Asia/Tokyo</option>" in page


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"language": "am"}, "language"),
        ({"language": "x" * 5000}, "language"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "Africa/Atlantis"}, "time_zone"),
    ],
)
def test_what_is_not_in_the_lists_is_refused(
    app: Flask, editor: User, sent: dict[str, str], field: str
) -> None:
    response = post(logged_in_client(app), ACCOUNT, sent)
    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text and "Nothing was changed." in response.text
    user = db.session.get_one(User, editor.id, populate_existing=True)
    assert (user.language, user.time_zone) == ("", "")


def test_a_zone_and_a_language_that_have_gone_are_those_of_the_site(
    app: Flask, editor: User
) -> None:
    client = logged_in_client(app)
    article_id = create_story(client)
    with db.write() as session:
        session.execute(update(User).values(language="xx", time_zone="Africa/Atlantis"))
    page = client.get(f"/newsroom/stories/{article_id}")
    assert page_language(page.text) == "en"
    assert form_values(page)["published_at_zone"] == "UTC"


def test_typed_times_are_in_the_persons_zone(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    choose(client, time_zone="Africa/Nairobi")
    article_id = create_story(client, do="schedule", published_at="2030-01-05T01:30")
    assert get_article(article_id).published_at == datetime(2030, 1, 4, 22, 30, tzinfo=UTC)
    page = client.get(f"/newsroom/stories/{article_id}")
    assert form_values(page)["published_at"] == "2030-01-05T01:30"
    text = Page(page.text).visible_text
    assert "5 Jan 2030, 01:30 Africa/Nairobi (4 Jan, 22:30 UTC)" in text
    assert "Readers see dates in UTC time." in text
    other = logged_in_client(app, "admin").get(f"/newsroom/stories/{article_id}")
    assert form_values(other)["published_at"] == "2030-01-04T22:30"
    assert "Readers see dates in" not in other.text


def test_a_time_that_the_persons_clocks_skip_is_asked_about(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    choose(client, time_zone="Europe/Paris")
    skipped = story_form(do="schedule", published_at="2030-03-31T02:30")
    response = post(client, NEW_STORY, skipped)
    assert response.status_code == 422
    assert "Clocks in Europe/Paris go forward" in response.text
    answer = form_values(response) | {
        "do": "schedule",
        "published_at_choice": "2030-03-31T01:30Z",
    }
    assert post(client, NEW_STORY, answer).status_code == 303
    assert get_article(1).published_at == datetime(2030, 3, 31, 1, 30, tzinfo=UTC)


def test_a_form_keeps_the_zone_in_which_it_was_opened(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    choose(client, time_zone="Africa/Nairobi")
    opened = form_values(client.get(NEW_STORY)) | story_form(published_at="2030-01-05T12:00")
    choose(client, time_zone="America/New_York")
    assert post(client, "/newsroom/fragments/stories/new/autosave", opened).status_code == 200
    restored = client.get(f"{NEW_STORY}?restore={opened['copy']}")
    assert form_values(restored)["published_at_zone"] == "Africa/Nairobi"
    sent = form_values(restored) | {"do": "schedule"}
    assert post(client, NEW_STORY, sent).status_code == 303
    assert get_article(1).published_at == datetime(2030, 1, 5, 9, tzinfo=UTC)


def test_dates_autosaved_by_an_older_version_are_in_the_newsrooms_zone(
    app: Flask, editor: User
) -> None:
    client = logged_in_client(app)
    opened = form_values(client.get(NEW_STORY)) | story_form(published_at="2030-01-05T12:00")
    post(client, "/newsroom/fragments/stories/new/autosave", opened)
    row = db.session.query(Autosave).one()
    values = {name: text for name, text in row.values.items() if name != "published_at_zone"}
    with db.write() as session:
        session.execute(update(Autosave).values(values=values))
    choose(client, time_zone="Africa/Nairobi")
    restored = client.get(f"{NEW_STORY}?restore={opened['copy']}")
    assert form_values(restored)["published_at_zone"] == "UTC"


def test_an_unchanged_date_stays_whatever_the_zone(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    article_id = publishing.create(make_draft(), editor)
    at = datetime(2026, 5, 1, 21, 30, 12, tzinfo=UTC)
    publishing.apply_action(article_id, editor, Action("publish", at))
    choose(client, time_zone="Asia/Kolkata")
    response = save_story(client, article_id, do="update", headline="Another headline")
    assert response.status_code == 303
    assert get_article(article_id).published_at == at


def test_warnings_of_one_language_never_appear_in_another(app: Flask, editor: User) -> None:
    admin, other = logged_in_client(app, "admin"), app.test_client()
    publishing.create(make_draft(), editor)
    past = datetime.now(UTC) - timedelta(minutes=5)
    with db.write() as session:
        session.execute(update(Article).values(status="scheduled", published_at=past))
    app.extensions["status"].computed_at = float("-inf")
    english = admin.get("/newsroom/status/").text
    choose(admin, language="fr")
    french = admin.get("/newsroom/status/").text
    assert "was due at" in english and "was due at" not in french
    assert "was due at" in str(other.get("/readyz").json)


def test_time_zones_start_with_africa_and_leave_out_old_names() -> None:
    names = time_zone_names()
    assert names[0] == "Africa/Abidjan" and names[names.index("UTC") - 1].startswith("Africa/")
    assert {"Europe/Paris", "America/Argentina/Salta", "Indian/Mauritius"} < {*names}
    assert not {"Etc/GMT+1", "US/Eastern", "GMT", "localtime"} & {*names}
