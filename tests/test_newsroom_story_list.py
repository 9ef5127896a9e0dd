"""The newsroom's list of stories: pages, filter, search, order."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import publishing
from spectator.models import User
from spectator.publishing import Action
from tests.conftest import make_draft
from tests.newsroom_client import (
    logged_in_client,
)


def test_the_story_list_has_pages_a_status_filter_and_a_search(
    newsroom: FlaskClient, editor: User
) -> None:
    assert "Write the first" in newsroom.get("/newsroom/stories/").text
    for number in range(53):
        action = Action("publish" if number == 1 else "save")
        publishing.create(
            make_draft(headline=f"Story {number:02}", authors=("Amina Diallo",)), editor, action
        )
    first, second = (newsroom.get(f"/newsroom/stories/?page={page}").text for page in (1, 2))
    headlines = [re.findall(r"Story \d\d", page) for page in (first, second)]
    assert [len(titles) for titles in headlines] == [50, 3]
    assert len({*headlines[0], *headlines[1]}) == 53
    assert "Amina Diallo" in first
    assert "Politics" in first
    published = newsroom.get("/newsroom/stories/?status=published").text
    assert re.findall(r"Story \d\d", published) == ["Story 01"]
    assert "On the site" in published
    assert "Story 07" in newsroom.get("/newsroom/stories/?q=ory+07").text
    assert "No story matches" in newsroom.get("/newsroom/stories/?q=%25").text


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=NaN",
        "page=999999",
        "page=" + "9" * 50,
        "status=nothing",
        "q=" + "x" * 5000,
        "q=%00",
    ],
)
def test_invalid_list_parameters_are_ignored(newsroom: FlaskClient, query: str) -> None:
    assert newsroom.get(f"/newsroom/stories/?{query}").status_code == 200


def test_scheduled_stories_are_listed_by_publication_time(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    start = datetime.now(UTC).replace(second=0, microsecond=0)
    for days in (3, 1, 2):
        article_id = publishing.create(make_draft(headline=f"In {days} days"), editor)
        publishing.apply_action(
            article_id, editor, Action("schedule", start + timedelta(days=days))
        )
    page = client.get("/newsroom/stories/?status=scheduled").text
    assert re.findall(r"In \d days", page) == ["In 1 days", "In 2 days", "In 3 days"]
    first = start + timedelta(days=1)
    assert (
        f'publishes <time datetime="{first:%Y-%m-%dT%H:%M:00Z}">'
        f"{first.day} {first:%b %Y}, {first:%H:%M}" in page
    )
    assert page.count("publishes <time") == 3
    assert client.get("/newsroom/stories/").text.count("publishes <time") == 3


def test_the_list_takes_few_selects(
    newsroom: FlaskClient, editor: User, take_selects: Any
) -> None:
    for number in range(5):
        publishing.create(
            make_draft(headline=f"Story {number}", authors=(f"Author {number}",)), editor
        )
    newsroom.get("/newsroom/stories/")
    take_selects()
    newsroom.get("/newsroom/stories/")
    assert len(take_selects()) <= 7  # the navigation counts what is in review


def test_stories_without_search_words_are_filtered_by_their_status(
    newsroom: FlaskClient, editor: User
) -> None:
    for name, action in (("Harmattan", "publish"), ("Monsoon", "save")):
        publishing.create(make_draft(headline=name), editor, Action(action))
    for scope, headlines in (
        ("published", ["Harmattan"]),
        ("unpublished", ["Monsoon"]),
        ("all", ["Monsoon", "Harmattan"]),
    ):
        page = newsroom.get(f"/newsroom/search?in={scope}").text
        assert re.findall("Harmattan|Monsoon", page) == headlines
