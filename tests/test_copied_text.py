"""Buttons store a story's text again in each revision; one person may store only so much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text, update

from spectator import publishing
from spectator.db import db
from spectator.models import Revision, User
from spectator.publishing import Action, revisions
from tests.conftest import add_user, make_draft
from tests.newsroom_client import logged_in_client, post

LIMIT = 100_000


@pytest.fixture
def author(app: Flask, monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setattr(revisions, "MAX_COPIED_BYTES", LIMIT)
    return add_user("author")


def press_until_refused(author: User, article_id: int) -> int:
    """Submit a story and take it back until this is refused; return the number of presses."""
    for number in range(200):
        try:
            name = ("submit", "send_back")[number % 2]
            publishing.apply_action(article_id, author, Action(name))
        except publishing.CopyLimitReached:
            return number
    return 200


def test_a_person_copies_a_bounded_amount_of_text_in_an_hour(author: User) -> None:
    article_id = publishing.create(make_draft(body="word " * 2_000), author)
    assert press_until_refused(author, article_id) == 9
    short = publishing.create(make_draft(body="word " * 200), author)
    publishing.apply_action(short, author, Action("submit"))
    with db.write() as session:
        an_hour_ago = datetime.now(UTC) - timedelta(minutes=61)
        session.execute(update(Revision).values(made_at=an_hour_ago))
    publishing.apply_action(article_id, author, Action("send_back"))


def test_names_and_captions_count_as_they_are_stored(author: User) -> None:
    names = tuple(f"{'😀' * 100} {number}" for number in range(10))
    article_id = publishing.create(make_draft(body="x", topics=names), author)
    assert press_until_refused(author, article_id) < 30, "200 are tried"


@pytest.mark.sqlite
def test_counting_copies_reads_only_copies(app: Flask) -> None:
    query = "SELECT id FROM revision WHERE is_copy AND made_by_id = 1"
    plan = db.session.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
    assert "ix_revision_copies" in str(plan)


def test_others_and_saves_with_a_text_are_not_refused(author: User, editor: User) -> None:
    article_id = publishing.create(make_draft(body="word " * 2_000), author)
    press_until_refused(author, article_id)
    publishing.apply_action(article_id, editor, Action("send_back"))
    publishing.save(article_id, make_draft(body="word " * 9_000), author, newest_version())


def test_one_action_on_a_very_long_story_is_always_possible(author: User) -> None:
    article_id = publishing.create(make_draft(body="word " * 30_000), author)
    publishing.apply_action(article_id, author, Action("submit"))
    with pytest.raises(publishing.CopyLimitReached):
        publishing.apply_action(article_id, author, Action("send_back"))


def restore(article_id: int, person: User) -> None:
    publishing.restore(article_id, person, 1, newest_version())


def newest_version() -> int:
    return db.session.scalar(select(func.max(Revision.version))) or 0


def test_restoring_counts_too(author: User) -> None:
    article_id = publishing.create(make_draft(body="word " * 11_000), author)
    restore(article_id, author)
    publishing.save(article_id, make_draft(body="short"), author, newest_version())
    with pytest.raises(publishing.CopyLimitReached):
        restore(article_id, author)


@pytest.mark.parametrize("name", ["body", "topics"])
def test_a_merge_that_takes_stored_text_counts_too(app: Flask, author: User, name: str) -> None:
    client: FlaskClient = logged_in_client(app, "author")
    topics = tuple(f"{'x' * 100} {number}" for number in range(30))
    draft = make_draft(body="word " * 1_300, topics=topics)
    article_id = publishing.create(draft, author)
    statuses = []
    for number in range(12):
        fields = {"headline": f"Headline {number}", "section": "politics", "language": "en"}
        fields |= {"body": draft.body} if name == "topics" else {"topics": ", ".join(topics)}
        fields |= {
            "version": str(newest_version()),
            f"mine.{name}": "",
            f"choice.{name}": "theirs",
        }
        response = post(client, f"/newsroom/stories/{article_id}/merge", fields | {"do": "save"})
        statuses.append(response.status_code)
        db.session.rollback()
    assert statuses == [303] * 9 + [422] * 3
    assert "Try again in an hour" in response.text and "Headline 11" in response.text


def test_the_page_says_when_to_try_again(app: Flask, author: User) -> None:
    client: FlaskClient = logged_in_client(app, "author")
    article_id = publishing.create(make_draft(body="word " * 30_000), author)
    assert post(client, f"/newsroom/stories/{article_id}/submit", {}).status_code == 303
    refused = post(client, f"/newsroom/stories/{article_id}/send_back", {})
    assert refused.status_code == 429 and "Try again in an hour" in refused.text
