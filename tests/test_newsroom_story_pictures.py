"""The picture of the story form: stored, shown, removed, refused, and whose it is."""

from __future__ import annotations

import zlib
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from spectator.db import db
from spectator.models import Article, Picture
from spectator.newsroom import media
from tests.newsroom_client import (
    ALL_ENTRIES,
    NEW_STORY,
    count_articles,
    form_values,
    get_article,
    logged_in_client,
    picture_file,
    post,
    save_story,
    story_form,
    upload,
)
from tests.page_checks import Page


def post_story_with_picture(client: FlaskClient, **changes: Any) -> TestResponse:
    sent = story_form(picture=picture_file(), picture_alt="A red field", **changes)
    return post(client, NEW_STORY, sent)


def test_a_picture_is_stored_shown_and_removed(newsroom: FlaskClient) -> None:
    response = post_story_with_picture(newsroom)
    assert response.status_code == 303
    article = db.session.scalars(select(Article)).one()
    assert article.picture_id
    page = newsroom.get(f"/newsroom/stories/{article.id}")
    assert "Remove this picture" in page.text
    picture = next(image for image in Page(page.text).find_all("img") if "src" in image)
    with newsroom.get(picture["src"] or "") as response:
        assert response.status_code == 200
    assert save_story(newsroom, article.id, headline="Kept").status_code == 303
    assert get_article(article.id).picture_id
    assert save_story(newsroom, article.id, remove_picture="1").status_code == 303
    db.session.expire_all()
    assert get_article(article.id).picture_id is None


SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        len(content).to_bytes(4, "big")
        + kind
        + content
        + zlib.crc32(kind + content).to_bytes(4, "big")
    )


SIZE = (20_000).to_bytes(4, "big") * 2
# A small file that claims 20,000 × 20,000 pixels.
DECOMPRESSION_BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + png_chunk(b"IHDR", SIZE + b"\x08\0\0\0\0")
    + png_chunk(b"IDAT", zlib.compress(bytes(8000)))
)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"hello", "picture.png", "not a picture we support"),
        (SVG, "a.svg", "not a picture we support"),
        (DECOMPRESSION_BOMB, "bomb.png", "megapixels"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 42_000_000, "../../big.png", "40 MB"),
    ],
    ids=["text", "svg", "bomb", "large"],
)
def test_an_invalid_picture_is_refused_and_all_other_entries_returned(
    newsroom: FlaskClient, content: bytes, name: str, words: str
) -> None:
    response = post(
        newsroom,
        NEW_STORY,
        ALL_ENTRIES | {"picture": upload(content, name), "picture_alt": "Alt"},
    )
    assert response.status_code == 422
    assert words in response.text
    returned = form_values(response)
    assert {field: returned[field] for field in ALL_ENTRIES} == {
        field: ALL_ENTRIES[field].replace("\r\n", "\n") for field in ALL_ENTRIES
    }
    assert (returned["picture_alt"], count_articles()) == ("Alt", 0)


def test_an_uploaded_picture_survives_a_refused_form(newsroom: FlaskClient) -> None:
    response = post_story_with_picture(newsroom, headline="")
    assert response.status_code == 422
    returned = form_values(response)
    assert returned["picture_id"]
    assert count_articles() == 0
    response = post(newsroom, NEW_STORY, returned | {"headline": "Now with a headline"})
    assert response.status_code == 303
    assert db.session.scalars(select(Article.picture_id)).one() is not None


def test_a_picture_needs_alt_text(newsroom: FlaskClient) -> None:
    response = post(newsroom, NEW_STORY, story_form(picture=picture_file()))
    assert response.status_code == 422
    assert 'id="picture_alt-error"' in response.text


def test_a_colleagues_uploaded_picture_cannot_be_claimed(
    app: Flask, newsroom: FlaskClient
) -> None:
    token = form_values(post_story_with_picture(newsroom, headline=""))["picture_id"]
    number = db.session.scalars(select(Picture.id)).one()
    author = logged_in_client(app, "author")
    for claim in (token, str(number), "999", "x", f"{number}.x"):
        response = post(author, NEW_STORY, story_form(picture_id=claim, picture_alt="Alt"))
        assert response.status_code == 422, claim
        assert "upload it again" in response.text
    assert count_articles() == 0


@pytest.mark.parametrize(
    ("size", "expected"),
    [((2000, 1000), (960, 480)), ((500, 250), (480, 240)), ((90, 1), (90, 1))],
)
def test_a_picture_in_the_text_fills_the_column(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    picture = Picture(digest="a" * 32, extension="jpg", width=size[0], height=size[1])
    rendition = media._body_rendition(picture)
    assert (rendition["width"], rendition["height"]) == expected
