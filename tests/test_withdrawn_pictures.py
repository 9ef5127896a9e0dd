"""A withdrawn picture is gone for readers until a published story shows it again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, update

from spectator import media, publishing, queries
from spectator.db import db
from spectator.models import Article, Picture, PictureUse, User
from spectator.publishing import Action, Draft, pages
from spectator.publishing.page_drafts import PageDraft, draft_from_page
from spectator.renditions import RenditionConsumer
from tests.conftest import add_user, make_draft
from tests.newsroom_client import logged_in_client, post, upload


@pytest.fixture
def renditions(app: Flask) -> RenditionConsumer:
    """Consumer of renditions, caught up with the newest revision."""
    consumer = RenditionConsumer(app.config["MEDIA"])
    consumer.catch_up()
    return consumer


def jpeg(shade: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (400, 300), (shade, 120, 200)).save(buffer, "JPEG")
    return buffer.getvalue()


def stored_picture(app: Flask, shade: int = 10) -> tuple[int, str]:
    """Return the id of a new picture and the URL of its widest rendition."""
    stored = media.store_upload(BytesIO(jpeg(shade)), app.config["MEDIA"])
    with db.write() as session:
        picture_id = publishing.add_picture(session, stored, None)
    return picture_id, "/media/" + media.rendition_names(
        stored.digest, stored.extension, stored.width
    )[-1][0]


def is_on_disk(app: Flask, url: str) -> bool:
    path = media.rendition_path(app.config["MEDIA"], url.removeprefix("/media/"))
    return isinstance(path, Path) and path.exists()


def status_of(client: FlaskClient, url: str) -> int:
    with client.get(url) as response:
        return response.status_code


def with_lead(picture_id: int, _address: str) -> Draft:
    return make_draft(picture_id=picture_id, picture_alt="A port")


def with_figure(_picture_id: int, url: str) -> Draft:
    return make_draft(body=f'<p>Text.</p><figure><img src="{url}" alt="A port"></figure>')


def version(article_id: int) -> int:
    return int(db.session.scalar(select(Article.version).where(Article.id == article_id)) or 0)


@pytest.mark.parametrize("draft_with_picture", [with_lead, with_figure])
def test_a_picture_is_gone_while_its_story_is_withdrawn(
    app: Flask,
    client: FlaskClient,
    renditions: RenditionConsumer,
    editor: User,
    draft_with_picture: Callable[[int, str], Draft],
) -> None:
    picture_id, url = stored_picture(app)
    article_id = publishing.create(draft_with_picture(picture_id, url), editor, Action("publish"))
    assert status_of(client, url) == 200
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong person."))
    assert status_of(client, url) == 410, "before the worker has deleted the file"
    assert renditions.catch_up()
    assert not is_on_disk(app, url)
    assert status_of(client, url) == 410
    assert renditions.repair(10)
    assert not is_on_disk(app, url), "a repair does not make the rendition again"
    publishing.apply_action(article_id, editor, Action("reinstate"))
    assert renditions.catch_up()
    assert is_on_disk(app, url)
    assert status_of(client, url) == 200


def test_a_withdrawn_picture_stays_if_another_published_story_shows_it(
    app: Flask, client: FlaskClient, renditions: RenditionConsumer, editor: User
) -> None:
    picture_id, url = stored_picture(app)
    first = publishing.create(with_lead(picture_id, url), editor, Action("publish"))
    second = publishing.create(with_figure(picture_id, url), editor, Action("publish"))
    publishing.apply_action(first, editor, Action("withdraw", note="Wrong person."))
    renditions.catch_up()
    assert status_of(client, url) == 200
    publishing.save(
        second, make_draft(headline="Without"), editor, version(second), Action("update")
    )
    assert status_of(client, url) == 410
    # The second story's save does not name the picture, so only a repair finds its files.
    assert renditions.repair(10)
    assert not is_on_disk(app, url)
    publishing.create(with_lead(picture_id, url), editor, Action("publish"))
    renditions.catch_up()
    assert is_on_disk(app, url)


@pytest.mark.parametrize("draft_with", [with_lead, with_figure])
def test_a_draft_does_not_restore_a_withdrawn_picture(
    app: Flask,
    client: FlaskClient,
    renditions: RenditionConsumer,
    editor: User,
    draft_with: Callable[[int, str], Draft],
) -> None:
    picture_id, url = stored_picture(app)
    withdrawn = publishing.create(with_lead(picture_id, url), editor, Action("publish"))
    publishing.apply_action(withdrawn, editor, Action("withdraw", note="A court order."))
    renditions.catch_up()
    other = publishing.create(draft_with(picture_id, url), add_user("author"))
    soon = datetime.now(UTC) + timedelta(days=1)
    for action in (Action("submit"), Action("schedule", soon)):
        publishing.save(other, draft_with(picture_id, url), editor, version(other), action)
        renditions.catch_up()
        assert renditions.repair(10)
        assert (status_of(client, url), is_on_disk(app, url)) == (410, False), action.name
    publishing.apply_action(other, editor, Action("publish", None))
    renditions.catch_up()
    assert (status_of(client, url), is_on_disk(app, url)) == (200, True), (
        "an editor may publish it again"
    )


def test_a_picture_removed_from_a_withdrawn_story_stays_gone(
    app: Flask, client: FlaskClient, renditions: RenditionConsumer, editor: User
) -> None:
    picture_id, url = stored_picture(app)
    article_id = publishing.create(with_lead(picture_id, url), editor, Action("publish"))
    publishing.apply_action(article_id, editor, Action("withdraw", note="A court order."))
    publishing.save(
        article_id, make_draft(headline="Without"), editor, version(article_id), Action("save")
    )
    assert status_of(client, url) == 410
    publishing.apply_action(article_id, editor, Action("reinstate"))
    assert renditions.repair(10)
    assert (status_of(client, url), is_on_disk(app, url)) == (410, False)


def test_uploading_a_withdrawn_picture_again_does_not_restore_it(
    app: Flask, editor: User
) -> None:
    newsroom = logged_in_client(app)
    form = {"alt": "A port", "picture": upload(jpeg(10), "a.jpg")}
    url = re.findall(r'/media/[^" ]+', post(newsroom, "/newsroom/fragments/pictures", form).text)[
        0
    ]
    assert is_on_disk(app, url)
    article_id = publishing.create(with_figure(0, url), editor, Action("publish"))
    publishing.apply_action(article_id, editor, Action("withdraw", note="A court order."))
    assert RenditionConsumer(app.config["MEDIA"]).repair(10)
    form["picture"] = upload(jpeg(10), "a.jpg")
    assert url in post(logged_in_client(app, "author"), "/newsroom/fragments/pictures", form).text
    assert not is_on_disk(app, url), "nginx would serve the file to readers"


@pytest.mark.parametrize(
    ("draft_with", "words"),
    [
        (with_lead, "This picture was withdrawn."),
        (with_figure, "A picture in the story was withdrawn."),
    ],
)
def test_the_form_says_why_a_picture_is_not_shown(
    app: Flask, editor: User, draft_with: Callable[[int, str], Draft], words: str
) -> None:
    picture_id, url = stored_picture(app)
    withdrawn = publishing.create(draft_with(picture_id, url), editor, Action("publish"))
    other = publishing.create(draft_with(picture_id, url), editor)
    newsroom = logged_in_client(app)
    assert "withdrawn." not in newsroom.get(f"/newsroom/stories/{other}").text
    publishing.apply_action(withdrawn, editor, Action("withdraw", note="A court order."))
    for article_id in (withdrawn, other):
        assert words in newsroom.get(f"/newsroom/stories/{article_id}").text


def test_a_picture_that_no_story_uses_yet_stays(
    app: Flask, client: FlaskClient, renditions: RenditionConsumer
) -> None:
    _, url = stored_picture(app)
    assert renditions.repair(10)
    assert status_of(client, url) == 200
    assert status_of(client, url.replace("-320", "-999")) == 404


def test_picture_uses_are_updated_by_every_save(app: Flask, editor: User) -> None:
    lead, figure = stored_picture(app, 10), stored_picture(app, 20)
    both = make_draft(picture_id=lead[0], picture_alt="x", body=with_figure(*figure).body)
    article_id = publishing.create(both, editor)
    uses = select(PictureUse.picture_id).where(PictureUse.article_id == article_id)
    assert set(db.session.scalars(uses)) == {lead[0], figure[0]}
    publishing.save(article_id, with_figure(*figure), editor, version(article_id), Action("save"))
    assert set(db.session.scalars(uses)) == {figure[0]}


def test_an_unchanged_media_directory_is_not_scanned_again(
    app: Flask, renditions: RenditionConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_picture(app)
    assert renditions.repair(10)

    def scan(*_arguments: object) -> list[str]:
        pytest.fail("scanned again")

    monkeypatch.setattr(media, "missing_renditions", scan)
    assert renditions.repair(10)


@pytest.mark.usefixtures("app")
def test_any_number_of_pictures_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with db.write() as session:
        for number in range(5):
            stored = media.StoredPicture(f"{number:064x}", "jpg", 9, 9, 1)
            publishing.add_picture(session, stored, None)
        session.execute(update(Picture).values(was_public=True))
    many = [f"{number:064x}" for number in range(70_000)]  # as many as a form of 4 MB can name
    assert queries.withdrawn_pictures(many) == set(many[:5])
    monkeypatch.setattr(queries.pictures, "DIGESTS_PER_QUERY", 2)
    assert queries.withdrawn_pictures(many[:9]) == set(many[:5])


def test_a_picture_is_gone_while_its_page_is_withdrawn(
    app: Flask, client: FlaskClient, editor: User, renditions: RenditionConsumer
) -> None:
    _, url = stored_picture(app)
    page_id = pages.create_page(PageDraft("About", f'<img src="{url}" alt="A port">'), editor)
    renditions.catch_up()
    assert status_of(client, url) == 200  # the editor sees it in the draft
    for action in ("publish", "withdraw", "reinstate"):
        if action == "publish":
            page = queries.page_to_edit(page_id)
            assert page is not None
            pages.save_page(page_id, draft_from_page(page), editor, page.version, action)
        else:
            pages.apply_page_action(page_id, editor, action, "Old.")
        is_gone = action == "withdraw"
        assert renditions.catch_up()
        assert is_on_disk(app, url) != is_gone
        assert status_of(client, url) == (410 if is_gone else 200)
    assert not renditions.catch_up()
