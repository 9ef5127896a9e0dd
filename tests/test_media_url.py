"""`SPECTATOR_MEDIA_URL`: pages, feeds and metadata name the pictures at another address."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import create_app, media, publishing
from spectator.db import db
from spectator.models import User
from spectator.publishing import Action
from spectator.text.html.embeds import render_body
from tests.conftest import make_draft, settings
from tests.newsroom_client import logged_in_client
from tests.test_withdrawn_pictures import jpeg

CDN = "https://cdn.example/site/renditions"
Pages = Callable[[str], str]


@pytest.fixture
def name(app: Flask, editor: User) -> str:
    """Name of the widest rendition of a picture that a story shows twice."""
    stored = media.store_upload(BytesIO(jpeg(10)), app.config["MEDIA"])
    names = media.rendition_names(stored.digest, stored.extension, stored.width)
    with db.write() as session:
        picture_id = publishing.add_picture(session, stored, None)
    image = f'<img src="/media/{names[-1][0]}" alt="A port" width="320" height="240">'
    body = f"<p>Text.</p><figure>{image}</figure>"
    draft = make_draft(picture_id=picture_id, picture_alt="A port", slug="a-port", body=body)
    publishing.create(draft, editor, Action("publish"))
    return names[-1][0]


@pytest.fixture
def cdn_app(app: Flask, name: str) -> Flask:
    """The same site with a CDN."""
    return create_app(settings(app.config["DATA_DIR"], SPECTATOR_MEDIA_URL=f"{CDN}/"))


def test_every_picture_of_a_story_is_at_the_cdn(cdn_app: Flask, name: str) -> None:
    page = cdn_app.test_client().get("/politics/a-port").text
    assert f'property="og:image" content="{CDN}/{name}"' in page
    assert (
        f'<img src="{CDN}/{name}" alt="A port" width="320" height="240" loading="lazy">' in page
    )
    sources = re.findall(r'srcset="([^"]+)"', page)
    assert sources
    for source in ", ".join(sources).split(", "):
        assert source.startswith(f"{CDN}/")
    [data] = [
        data
        for text in re.findall(r'<script type="application/ld\+json">(.+?)</script>', page)
        if (data := json.loads(text)).get("headline")
    ]
    assert data["image"] == [f"{CDN}/{name}"]
    assert "/media/" not in page


@pytest.mark.parametrize("path", ["/", "/feed.xml", "/politics/"])
def test_lists_and_feeds_name_the_cdn(cdn_app: Flask, name: str, path: str) -> None:
    page = cdn_app.test_client().get(path).text
    assert f"{CDN}/{name}" in page and "/media/" not in page


@pytest.mark.parametrize("path", ["/", "/newsroom/stories/1", "/newsroom/stories/1/preview"])
def test_the_policy_allows_pictures_of_the_cdn_and_nothing_else(
    cdn_app: Flask, path: str
) -> None:
    newsroom = logged_in_client(cdn_app)
    policy = newsroom.get(path).headers["Content-Security-Policy"]
    assert re.search(rf"img-src [^;]+ data: {CDN}/;", policy)
    assert policy.count("cdn.example") == 1


def test_without_the_setting_the_site_serves_its_pictures(
    app: Flask, client: FlaskClient, name: str
) -> None:
    response = client.get("/politics/a-port")
    assert f'content="{app.config["SITE_URL"]}/media/{name}"' in response.text
    assert (
        f'<img src="/media/{name}" alt="A port" width="320" height="240" loading="lazy">'
        in response.text
    )
    assert "img-src 'self' data:;" in response.headers["Content-Security-Policy"]


def test_only_uploaded_pictures_are_rewritten() -> None:
    other = '<img alt=\'src="/media/x"\' src="/media/y">'
    assert render_body(other, f"{CDN}/").count(CDN) == 1
    assert CDN not in render_body('<p>src="/media/x"</p><a href="/media/x">a</a>', f"{CDN}/")
