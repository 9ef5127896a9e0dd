"""A picture that only withdrawn stories show is gone for readers, and back as soon as another story shows it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, text

from spectator import media, publishing, queries
from spectator.db import db
from spectator.models import Article, PictureUse, User
from spectator.publishing import Action, Draft
from spectator.renditions import RenditionConsumer
from tests.conftest import make_draft


@pytest.fixture
def keeper(app: Flask) -> RenditionConsumer:
    """The consumer that keeps the renditions, standing at the newest revision."""
    made = RenditionConsumer(app.config["MEDIA"])
    made.catch_up()
    return made


def stored_picture(app: Flask, shade: int = 10) -> tuple[int, str]:
    """Return the id of a new picture and the address of its widest rendition."""
    buffer = BytesIO()
    Image.new("RGB", (400, 300), (shade, 120, 200)).save(buffer, "JPEG")
    taken = media.store_upload(BytesIO(buffer.getvalue()), app.config["MEDIA"])
    with db.write() as session:
        picture_id = publishing.add_picture(session, taken, None)
    return picture_id, "/media/" + media.rendition_names(taken.digest, taken.extension, taken.width)[-1][0]


def is_on_disk(app: Flask, address: str) -> bool:
    path = media.rendition_path(app.config["MEDIA"], address.removeprefix("/media/"))
    return isinstance(path, Path) and path.exists()


def status_of(client: FlaskClient, address: str) -> int:
    with client.get(address) as response:
        return response.status_code


def with_lead(picture_id: int, _address: str) -> Draft:
    return make_draft(picture_id=picture_id, picture_alt="A port")


def with_figure(_picture_id: int, address: str) -> Draft:
    return make_draft(body=f'<p>Text.</p><figure><img src="{address}" alt="A port"></figure>')


def version(article_id: int) -> int:
    return int(db.session.scalar(select(Article.version).where(Article.id == article_id)) or 0)


@pytest.mark.parametrize("draft_with_picture", [with_lead, with_figure])
def test_a_withdrawn_picture_is_gone_and_comes_back(
    app: Flask,
    client: FlaskClient,
    keeper: RenditionConsumer,
    editor: User,
    draft_with_picture: Callable[[int, str], Draft],
) -> None:
    picture_id, address = stored_picture(app)
    article_id = publishing.create(draft_with_picture(picture_id, address), editor, Action("publish"))
    assert status_of(client, address) == 200
    publishing.withdraw(article_id, editor, "Wrong person.")
    assert status_of(client, address) == 410, "at once, whether or not the worker has come to it"
    assert keeper.catch_up()
    assert not is_on_disk(app, address)
    assert status_of(client, address) == 410
    assert keeper.repair(10)
    assert not is_on_disk(app, address), "and it is not cut again"
    publishing.reinstate(article_id, editor)
    assert keeper.catch_up()
    assert is_on_disk(app, address)
    assert status_of(client, address) == 200


def test_a_picture_that_another_story_shows_stays(
    app: Flask, client: FlaskClient, keeper: RenditionConsumer, editor: User
) -> None:
    picture_id, address = stored_picture(app)
    first = publishing.create(with_lead(picture_id, address), editor, Action("publish"))
    second = publishing.create(with_figure(picture_id, address), editor)  # a draft
    publishing.withdraw(first, editor, "Wrong person.")
    keeper.catch_up()
    assert status_of(client, address) == 200
    publishing.save(second, make_draft(headline="Without"), editor, version(second), Action("save"))
    assert status_of(client, address) == 410
    assert keeper.repair(10), "the story that was saved does not show it any more: it is found with all others"
    assert not is_on_disk(app, address)
    third = publishing.create(with_lead(picture_id, address), editor)
    keeper.catch_up()
    assert is_on_disk(app, address)
    assert third


def test_what_nobody_shows_yet_stays(app: Flask, client: FlaskClient, keeper: RenditionConsumer) -> None:
    _, address = stored_picture(app)
    assert keeper.repair(10)
    assert status_of(client, address) == 200
    assert status_of(client, address.replace("-320", "-999")) == 404


def test_uses_follow_every_save_and_a_migration_finds_them(app: Flask, editor: User) -> None:
    lead, figure = stored_picture(app, 10), stored_picture(app, 20)
    both = make_draft(picture_id=lead[0], picture_alt="x", body=with_figure(*figure).body)
    article_id = publishing.create(both, editor)
    uses = select(PictureUse.picture_id).where(PictureUse.article_id == article_id)
    assert set(db.session.scalars(uses)) == {lead[0], figure[0]}
    publishing.save(article_id, with_figure(*figure), editor, version(article_id), Action("save"))
    assert set(db.session.scalars(uses)) == {figure[0]}


def test_an_idle_media_directory_is_not_looked_through(
    app: Flask, keeper: RenditionConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_picture(app)
    assert keeper.repair(10)
    asked: list[str] = []
    monkeypatch.setattr(media, "missing_renditions", lambda *_: asked.append("") or [])
    assert keeper.repair(10)
    assert not asked
    assert queries.newest_picture_id() == 1
    db.session.execute(text("SELECT 1"))
