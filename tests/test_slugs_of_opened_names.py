"""Only authors and topics that were ever public occupy a slug, whatever made them public.

In PUBLIC the names of SECRET are spelt differently, so that their slugs are equal.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from spectator import indexing, publishing
from spectator.db import db
from spectator.importers import jsonl, runner
from spectator.models import Article, Author, FormerName, Topic, User
from spectator.publishing import Action, SpellingAnswer
from tests.conftest import add_user, make_draft
from tests.newsroom_client import logged_in_client

SECRET = {"topics": ("Operation Nightjar",), "authors": ("Zainab Writer",)}
PUBLIC = {"topics": ("operation nightjar",), "authors": ("Zainab writer",)}
PATHS = ("/topic/operation-nightjar/", "/author/zainab-writer/")
NUMBERED = ("/topic/operation-nightjar-2/", "/author/zainab-writer-2/")


def create(fields: dict[str, tuple[str, ...]], **more: object) -> int:
    # An author is asked no question about spellings, since the secret names are a colleague's.
    return publishing.create(make_draft(**fields, **more), add_user("author"))


def publish(app: Flask, editor: User) -> None:
    publishing.apply_action(create(PUBLIC), editor, Action("publish"))


def schedule(app: Flask, editor: User) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    publishing.apply_action(create(PUBLIC), editor, Action("schedule", at))
    assert publishing.publish_due(at + timedelta(minutes=1)) == 1


def update_public(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(), editor, Action("publish"))
    both = [SpellingAnswer(field, name, "both") for field, (name,) in PUBLIC.items()]
    version = db.session.get_one(Article, article_id).version
    publishing.save(article_id, make_draft(**PUBLIC), editor, version, Action("update"), both)


def import_story(app: Flask, _editor: User) -> None:
    record = {
        "id": "x",
        "headline": "Imported",
        "body": "b",
        "section": "Politics",
        "status": "published",
    }
    record |= {"published_at": "2026-01-02T03:04:05Z"} | {
        name: list(value) for name, value in PUBLIC.items()
    }
    db.session.rollback()
    report = runner.import_records(
        jsonl.read(BytesIO(json.dumps(record).encode()), "en"), app.config["MEDIA"]
    )
    assert report.added == 1


def rename(app: Flask, editor: User) -> None:
    publishing.create(
        make_draft(topics=("Opération Nightjär X",), authors=("Zainab Writer X",)),
        editor,
        Action("publish"),
    )
    with db.write() as session:
        for model, name in ((Topic, "operation nightjar"), (Author, "Zainab writer")):
            row_id = max(session.scalars(select(model.id)))
            publishing.renames.rename_everywhere(
                session, model, row_id, name, editor, datetime.now(UTC)
            )


WAYS_TO_PUBLISH = (publish, schedule, update_public, import_story, rename)


@pytest.mark.parametrize("make_public", WAYS_TO_PUBLISH)
def test_a_secret_name_does_not_occupy_the_slug_of_a_public_name(
    app: Flask, client: FlaskClient, editor: User, make_public: Callable[[Flask, User], None]
) -> None:
    secret = publishing.create(make_draft(headline="Hidden", **SECRET), editor)
    make_public(app, editor)
    assert [client.get(path).status_code for path in (*PATHS, *NUMBERED)] == [200, 200, 404, 404]
    publishing.apply_action(secret, editor, Action("publish"))
    assert ["Hidden" in client.get(path).text for path in (*PATHS, *NUMBERED)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("make_public", WAYS_TO_PUBLISH)
def test_a_slug_stored_for_a_secret_name_goes_to_the_public_name(
    app: Flask, client: FlaskClient, editor: User, make_public: Callable[[Flask, User], None]
) -> None:
    publishing.create(make_draft(headline="Hidden", **SECRET), editor)
    with db.write() as session:  # as older versions stored them; the author was renamed
        session.execute(update(Topic).values(slug="operation-nightjar"))
        session.execute(update(Author).values(slug="other"))
        author_id = session.scalars(select(Author.id)).one()
        session.add(
            FormerName(kind="author", part="slug", value="zainab-writer", owner_id=author_id)
        )
    make_public(app, editor)
    assert [client.get(path).status_code for path in (*PATHS, *NUMBERED)] == [200, 200, 404, 404]


def test_a_name_that_was_public_keeps_its_slug(client: FlaskClient, editor: User) -> None:
    first = publishing.create(make_draft(headline="First", **SECRET), editor, Action("publish"))
    publishing.apply_action(first, editor, Action("withdraw", note="Wrong."))
    publishing.apply_action(create(PUBLIC, headline="Second"), editor, Action("publish"))
    publishing.apply_action(first, editor, Action("reinstate"))
    assert ["First" in client.get(path).text for path in (*PATHS, *NUMBERED)] == [
        True,
        True,
        False,
        False,
    ]
    assert ["Second" in client.get(path).text for path in (*PATHS, *NUMBERED)] == [
        False,
        False,
        True,
        True,
    ]


def test_renaming_a_secret_name_leaves_no_redirect(client: FlaskClient, editor: User) -> None:
    secret = publishing.create(make_draft(headline="Hidden", **SECRET), editor)
    topic_id = db.session.scalars(select(Topic.id)).one()
    with db.write() as session:
        publishing.renames.rename_everywhere(
            session, Topic, topic_id, "Opération Ñ", editor, datetime.now(UTC)
        )
    publishing.apply_action(secret, editor, Action("publish"))
    assert client.get("/topic/operation-n/").status_code == 200
    assert client.get(PATHS[0]).status_code == 404


def test_a_draft_is_found_by_its_names_before_and_after_they_become_public(
    app: Flask, editor: User
) -> None:
    open_id, _ = (
        publishing.create(
            make_draft(headline=headline, authors=("Zainab Bello",), topics=("Dry wells",)),
            editor,
        )
        for headline in ("Open gazelle", "Remaining gazelle")
    )
    client, index = logged_in_client(app), indexing.open_newsroom_index(app.config["DATA_DIR"])
    indexing.catch_up(index, indexing.NEWSROOM)
    for status in ("draft", "published"):
        if status == "published":
            publishing.apply_action(open_id, editor, Action("publish"))
            indexing.catch_up(index, indexing.NEWSROOM)
        for query in (
            "q=gazelle&author=zainab",
            "q=by:zainab-bello",
            "q=topic:dry-wells",
            "author=zainab",
        ):
            page = client.get(f"/newsroom/search?in=unpublished&{query}").text
            assert "Remaining" in page, (status, query)
        assert "Dry wells" in client.get("/newsroom/fragments/suggestions/topics?q=dry").text
        assert db.session.get_one(Article, open_id).status == status
