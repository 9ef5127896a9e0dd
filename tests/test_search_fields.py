"""What search engines and social networks show of a story: form, page, imports, secret pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator import media, publishing
from spectator.db import db
from spectator.importers import jsonl
from spectator.importers.runner import import_records
from spectator.models import Article, Picture, PictureUse, User
from spectator.publishing import Action
from tests.conftest import make_draft
from tests.newsroom_client import create_story, form_values, logged_in_client, post
from tests.picture_samples import encoded, photograph

VALUES = {"search_title": "Budget 2026 & you", "search_description": "All that <b> changes"}


def stored_picture(app: Flask) -> tuple[media.StoredPicture, str]:
    """Store a picture; return it, and the path of its widest rendition."""
    upload = media.store_upload(BytesIO(encoded(photograph(640, 400))), app.config["MEDIA"])
    with db.write() as session:
        publishing.add_picture(session, upload, None)
    *_, (name, _) = media.rendition_names(upload.digest, upload.extension, upload.width)
    return upload, f"/media/{name}"


def test_the_page_head_shows_the_search_fields(
    client: FlaskClient, story: Callable[..., int], app: Flask
) -> None:
    _, path = stored_picture(app)
    story(headline="The budget", slug="budget", dek="D", share_picture=path, **VALUES)
    page = client.get("/politics/budget").text
    assert "<title>Budget 2026 &amp; you – " in page
    assert 'name="description"\n          content="All that &lt;b&gt; changes"' in page
    assert 'property="og:title" content="The budget"' in page
    assert page.count("All that &lt;b&gt; changes") == 2
    assert f'content="https://spectator.example{path}"' in page
    assert "<h1>The budget</h1>" in page
    assert '"description":"All that \\u003cb\\u003e changes"' in page
    assert path.startswith("/media/")


def test_without_them_the_page_head_shows_headline_and_standfirst(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="The budget", slug="budget", dek="A standfirst")
    page = client.get("/politics/budget").text
    assert "<title>The budget – " in page
    assert page.count('content="A standfirst"') == 2
    assert "og:image" not in page


def test_the_form_takes_them_and_only_pictures_of_this_site(app: Flask) -> None:
    editor = logged_in_client(app)
    _, path = stored_picture(app)
    article_id = create_story(editor, share_picture=path, **VALUES)
    address = f"/newsroom/stories/{article_id}"
    page = editor.get(address)
    values = form_values(page)
    assert {name: values[name] for name in VALUES} == VALUES
    assert values["share_picture"] == path
    for wrong in ("https://other.example/media/x.jpg", "/media/../secret.jpg", path + "?a"):
        refused = post(editor, address, values | {"share_picture": wrong, "do": "save"})
        assert refused.status_code == 422
        assert "Enter the address of a picture on this site." in refused.text
        assert "<details open>" in refused.text
    assert "og:image" in editor.get(f"{address}/preview").text


def test_a_share_picture_is_public_only_with_its_story(
    client: FlaskClient, story: Callable[..., int], app: Flask, editor: User
) -> None:
    _, path = stored_picture(app)
    article_id = story(headline="The budget", slug="budget", share_picture=path)
    assert db.session.scalars(select(PictureUse.article_id)).all() == [article_id]
    assert db.session.scalar(select(Picture.was_public))
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    assert client.get(path).status_code == 410


def test_an_import_changes_them_until_somebody_edits_them(editor: User, tmp_path: Path) -> None:
    def import_story(**fields: str) -> list[tuple[str, str]]:
        line = {"id": "1", "headline": "The budget", "body": "x"} | fields
        file = BytesIO(json.dumps(line).encode())
        report = import_records(jsonl.read(file, "en"), tmp_path)
        assert not report.refused
        return report.preserved

    import_story()
    import_story(**VALUES)
    article = db.session.scalar(select(Article))
    assert article is not None
    assert article.search_title == VALUES["search_title"]
    draft = make_draft(headline="The budget", body="x", search_title="Ours")
    draft = replace(draft, search_description=VALUES["search_description"])
    publishing.save(article.id, draft, editor, article.version)
    changed = import_story(search_title="Theirs", search_description="New")
    assert changed == [("line 1", "search_title")]
    db.session.rollback()
    db.session.expunge_all()
    stored = db.session.scalar(select(Article))
    assert stored is not None
    assert (stored.search_title, stored.search_description) == ("Ours", "New")
