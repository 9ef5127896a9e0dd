"""The language of a story: chosen by name, validated, and confirmed if the script differs."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator.db import db
from spectator.importers import jsonl, runner
from spectator.models import Article
from tests.newsroom_client import (
    NEW_STORY,
    count_articles,
    create_story,
    form_values,
    post,
    story_form,
)
from tests.test_text_scripts import AMHARIC, ARABIC


def language_of_first_story() -> str:
    return db.session.get_one(Article, 1, populate_existing=True).language


def test_languages_are_chosen_by_name(newsroom: FlaskClient) -> None:
    page = " ".join(newsroom.get(NEW_STORY).text.split())
    assert '<option value="en" selected>English</option>' in page
    assert '<option value="ar" data-dir="rtl">Arabic</option>' in page
    assert "<datalist" not in page


@pytest.mark.parametrize(
    ("sent", "stored"),
    [({"language": "sw"}, "sw"), ({"language": "other", "language_other": " pt-br "}, "pt-BR")],
)
def test_a_chosen_language_is_stored(
    newsroom: FlaskClient, sent: dict[str, str], stored: str
) -> None:
    assert post(newsroom, NEW_STORY, story_form(**sent)).status_code == 303
    assert language_of_first_story() == stored
    assert form_values(newsroom.get("/newsroom/stories/1"))["language"] == stored


@pytest.mark.parametrize(
    "sent", [{"language": "other", "language_other": "Arabic"}, {"language": "Arabic"}]
)
def test_a_language_name_is_refused_as_a_tag(newsroom: FlaskClient, sent: dict[str, str]) -> None:
    response = post(newsroom, NEW_STORY, story_form(**sent))
    assert response.status_code == 422
    assert "“Arabic” is not a language tag. Use “ar”." in response.text
    assert form_values(response)["language"] == "other"
    assert form_values(response)["language_other"] == "Arabic"
    assert count_articles() == 0


def test_other_without_a_tag_is_refused(newsroom: FlaskClient) -> None:
    response = post(newsroom, NEW_STORY, story_form(language="other"))
    assert response.status_code == 422
    assert "Choose a language." in response.text


@pytest.mark.parametrize(
    ("body", "script", "language"), [(ARABIC, "Arabic", "ar"), (AMHARIC, "Ethiopic", "am")]
)
def test_a_story_in_a_script_that_english_does_not_use_must_be_confirmed(
    newsroom: FlaskClient, body: str, script: str, language: str
) -> None:
    response = post(newsroom, NEW_STORY, story_form(body=body))
    assert response.status_code == 422
    message = f"The story is written in {script} letters, but its language is English."
    assert message in response.text
    assert count_articles() == 0
    assert "Keep English" in response.text
    right_language = story_form(body=body, language=language)
    assert post(newsroom, NEW_STORY, right_language).status_code == 303


def test_a_confirmed_language_is_not_asked_about_again(newsroom: FlaskClient) -> None:
    # The value of “Keep English”: the language and the script of the text.
    confirmed = story_form(body=ARABIC, language_kept="en Arab")
    path = "/newsroom/stories/1"
    assert post(newsroom, NEW_STORY, confirmed).status_code == 303
    opened = form_values(newsroom.get(path))
    other_headline = opened | {"headline": "Another headline"}
    assert post(newsroom, path, other_headline).status_code == 303
    opened = form_values(newsroom.get(path))
    other_script = opened | {"body": AMHARIC}
    assert post(newsroom, path, other_script).status_code == 422


def test_a_confirmed_language_survives_the_question_about_removed_tables(
    newsroom: FlaskClient,
) -> None:
    article_id = create_story(newsroom, body="<p>Words.</p><table><tr><td>1</td></tr></table>")
    path = f"/newsroom/stories/{article_id}"
    sent = form_values(newsroom.get(path)) | {"body": f"<p>{ARABIC}</p>", "do": "save"}
    assert "Keep English" in post(newsroom, path, sent).text
    response = post(newsroom, path, sent | {"language_kept": "en Arab"})
    assert "about to remove a table" in response.text
    assert 'value="en Arab" checked' in " ".join(response.text.split())
    removed = {"language_kept": "en Arab", "loss": "remove", "loss_asked": "1 table"}
    assert post(newsroom, path, sent | removed).status_code == 303


def test_an_import_refuses_invalid_language_tags_and_suggests_valid_ones(app: Flask) -> None:
    line = {"headline": "H", "body": "Words.", "section": "Politics"}
    tags = ("Arabic", "en_US", "PT-br")
    text = "\n".join(json.dumps(line | {"language": tag}) for tag in tags)
    report = runner.import_records(jsonl.read(BytesIO(text.encode()), "en"), app.config["MEDIA"])
    assert report.refused == [
        ("line 1", "language: “Arabic” is not a language tag. Use “ar”."),
        ("line 2", "language: “en_US” is not a language tag. Use “en-US”."),
    ]
    assert language_of_first_story() == "pt-BR"
