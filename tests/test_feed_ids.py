"""Feed ids of stories: globally unique and unchanging."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from spectator import publishing, queries
from spectator.db import db
from spectator.importers import jsonl, runner
from spectator.importers.records import Record
from spectator.models import Article, User
from spectator.publishing import Action
from tests.conftest import make_draft


def guids(client: FlaskClient, path: str = "/feed.xml") -> list[str]:
    return re.findall(
        r'<guid isPermaLink="false">([^<]*)</guid>', client.get(path).get_data(as_text=True)
    )


def import_lines(app: Flask, *lines: dict[str, object]) -> None:
    file = BytesIO("\n".join(json.dumps(line) for line in lines).encode())
    assert runner.import_records(jsonl.read(file, "en"), app.config["MEDIA"]).refused == []


def test_every_new_story_has_a_unique_feed_id(
    app: Flask, client: FlaskClient, story: Callable[..., int]
) -> None:
    for number in range(3):
        story(number)
    import_lines(
        app,
        *(
            {"id": str(number), "headline": "H", "body": "x", "published_at": "2026-01-01"}
            for number in range(3)
        ),
    )
    ids = guids(client)
    assert len(set(ids)) == 6
    assert all(
        re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", guid) for guid in ids
    )


def test_the_id_stays_through_updates_withdrawals_and_imports(
    app: Flask, client: FlaskClient, editor: User
) -> None:
    line = {"id": "a", "headline": "H", "body": "x", "published_at": "2026-01-01"}
    import_lines(app, line)
    before = guids(client)
    import_lines(app, line | {"headline": "New", "slug": "new", "section": "Health"})
    article_id = db.session.scalars(db.select(Article.id)).one()
    version = db.session.scalars(db.select(Article.version)).one()
    publishing.save(article_id, make_draft(headline="Newer"), editor, version, Action("update"))
    publishing.apply_action(article_id, editor, Action("withdraw", note="Why."))
    assert guids(client) == []
    publishing.apply_action(article_id, editor, Action("reinstate"))
    assert guids(client) == before


def test_a_story_without_a_stored_feed_id_keeps_its_former_one(
    app: Flask, client: FlaskClient, story: Callable[..., int]
) -> None:
    article_id = story()
    with db.write() as session:
        session.execute(update(Article).values(feed_id=None))
    assert guids(client, "/politics/feed.xml") == [f"urn:spectator:article:{article_id}"]


def record(number: int, feed_id: str, headline: str) -> Record:
    draft = make_draft(headline=headline)
    return Record(
        str(number),
        draft,
        "Politics",
        0,
        status="withdrawn",
        external_id=str(number),
        feed_id=feed_id,
    )


def test_an_import_may_set_the_feed_id_of_one_story(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "spectator.publishing")
    records = [record(number, "https://old.example/?p=5", "Same") for number in range(2)]
    runner.import_records(records, app.config["MEDIA"])
    db.session.rollback()
    first, second = queries.feed_ids([1, 2]).values()
    assert first == "https://old.example/?p=5"
    assert second.startswith("urn:uuid:")
    assert "retrying story by story" not in caplog.text


@pytest.mark.parametrize("feed_id", [" a \tb ", "a\0", "x" * 501])
def test_feed_ids_are_compared_as_they_are_stored(app: Flask, feed_id: str) -> None:
    for number in range(2):
        report = runner.import_records(
            [record(number, feed_id, str(number))], app.config["MEDIA"]
        )
        assert report.refused == []
    db.session.rollback()
    first, second = queries.feed_ids([1, 2]).values()
    assert first in {"a b", "a", "x" * 500} and second.startswith("urn:uuid:")
