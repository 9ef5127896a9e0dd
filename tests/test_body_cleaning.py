"""The body of a story is cleaned once for each save, because cleaning is the slow part."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from spectator.importers import jsonl
from spectator.importers.runner import import_records
from spectator.text.html import paragraphs
from tests.newsroom_client import create_story, form_values, logged_in_client, post, story_form

BODY = "<p>The vote was <b>postponed</b>.</p>\n<p>It is the second time.</p>"


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the bodies that the sanitizer has cleaned."""
    bodies: list[str] = []
    clean_html = paragraphs.clean_html

    def count(html: str) -> str:
        bodies.append(html)
        return clean_html(html)

    monkeypatch.setattr(paragraphs, "clean_html", count)
    return bodies


@pytest.mark.parametrize("action", ["save", "submit", "publish"])
def test_a_new_story_is_cleaned_once(app: Flask, cleaned: list[str], action: str) -> None:
    client = logged_in_client(app)
    response = post(client, "/newsroom/stories/new", story_form(body=BODY, do=action))
    assert response.status_code == 303
    assert cleaned == [BODY]


@pytest.mark.parametrize("action", ["save", "publish", "update", "correct"])
def test_a_changed_story_is_cleaned_once(app: Flask, cleaned: list[str], action: str) -> None:
    client = logged_in_client(app)
    is_live = action in {"update", "correct"}
    article_id = create_story(client, do="publish" if is_live else "save")
    path = f"/newsroom/stories/{article_id}"
    values = form_values(client.get(path)) | {"body": BODY, "do": action, "note": "Wrong day."}
    cleaned.clear()
    assert post(client, path, values).status_code == 303
    assert cleaned == [BODY]


def test_publishing_a_stored_story_cleans_nothing(app: Flask, cleaned: list[str]) -> None:
    client = logged_in_client(app)
    article_id = create_story(client, body=BODY)
    cleaned.clear()
    assert post(client, f"/newsroom/stories/{article_id}/publish").status_code == 303
    assert cleaned == []


def test_an_imported_story_is_cleaned_once(
    app: Flask, cleaned: list[str], tmp_path: Path
) -> None:
    lines = [
        {"id": f"{number}", "headline": f"Story {number}", "body": BODY} for number in (1, 2)
    ]
    file = BytesIO("\n".join(map(json.dumps, lines)).encode())
    report = import_records(jsonl.read(file, "en"), tmp_path)
    assert report.added == 2
    assert cleaned == [BODY, BODY]
