"""Feeds: byline, picture, time of changes, and 304 responses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import media, publishing, queries
from spectator.db import db
from spectator.models import User
from tests.conftest import make_draft
from tests.newsroom_client import picture_file

Story = Callable[..., int]
FEEDS = [
    "/feed.xml",
    "/politics/feed.xml",
    "/country/mali/feed.xml",
    "/search/feed.xml?q=paragraph",
]
SPACES = {"dc": "http://purl.org/dc/elements/1.1/", "media": "http://search.yahoo.com/mrss/"}


@pytest.fixture
def picture_id(app: Flask) -> int:
    """Id of a stored picture."""
    stored = media.store_upload(
        BytesIO(picture_file((800, 500), "JPEG").read()), app.config["MEDIA"]
    )
    with db.write() as session:
        return publishing.add_picture(session, stored, None)


def items(xml: str) -> list[ElementTree.Element]:
    return ElementTree.fromstring(xml).findall("channel/item")


@pytest.mark.parametrize("path", FEEDS)
def test_feed_items_have_their_authors_and_picture(
    path: str, client: FlaskClient, picture_id: int, story: Story, catch_up: Callable[[], None]
) -> None:
    picture = {
        "picture_id": picture_id,
        "picture_alt": "Boats & <nets>",
        "picture_credit": "A Photographer",
    }
    story(headline="With", authors=("B Two", "A One"), countries=("Mali",), **picture)
    story(headline="Without", countries=("Mali",), hours=1)
    catch_up()
    with_picture, without = items(client.get(path).text)
    assert [name.text for name in with_picture.findall("dc:creator", SPACES)] == [
        "B Two",
        "A One",
    ]
    content = with_picture.find("media:content", SPACES)
    assert content is not None
    assert content.get("url", "").startswith("https://spectator.example/media/")
    with client.get(content.get("url", "").removeprefix("https://spectator.example")) as answer:
        assert answer.status_code == 200
    attributes = {name: content.get(name) for name in ("medium", "type", "width", "height")}
    assert attributes["medium"] == "image" and attributes["type"] == "image/jpeg"
    assert int(attributes["height"] or 0) == round(int(attributes["width"] or 0) * 500 / 800)
    assert content.findtext("media:description", "", SPACES) == "Boats & <nets>"
    assert content.findtext("media:credit", "", SPACES) == "A Photographer"
    assert (
        without.find("dc:creator", SPACES) is None
        and without.find("media:content", SPACES) is None
    )


@pytest.mark.parametrize("path", FEEDS)
def test_the_build_date_of_a_feed_is_its_last_change(
    path: str, client: FlaskClient, editor: User, story: Story, catch_up: Callable[[], None]
) -> None:
    ids = [
        story(headline=f"Story {number}", hours=number, countries=("Mali",))
        for number in range(2)
    ]
    catch_up()
    first = client.get(path).text
    assert client.get(path).text == first, "the build date is not the time of the request"
    started = datetime.now(UTC).replace(microsecond=0)
    version = queries.articles_to_index([ids[1]])[0].version
    changed = make_draft(headline="Story 1", dek="New.", countries=("Mali",))
    publishing.save(ids[1], changed, editor, version, publishing.Action("update"))
    catch_up()
    built = ElementTree.fromstring(client.get(path).text).findtext("channel/lastBuildDate") or ""
    assert started <= parsedate_to_datetime(built) <= datetime.now(UTC)


@pytest.mark.parametrize("path", FEEDS)
@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_an_unchanged_feed_gets_304(
    path: str, encoding: str, app: Flask, story: Story, catch_up: Callable[[], None]
) -> None:
    client = FlaskClient(app)
    story(countries=("Mali",))
    catch_up()
    headers = {"Accept-Encoding": encoding}
    answer = client.get(path, headers=headers)
    tag = answer.headers["ETag"]
    assert answer.status_code == 200 and not tag.startswith("W/")
    again = client.get(path, headers=headers | {"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert client.get(path, headers=headers | {"If-None-Match": '"other"'}).status_code == 200
    story(headline="New", countries=("Mali",))
    catch_up()
    assert client.get(path, headers=headers | {"If-None-Match": tag}).status_code == 200


def test_a_feed_costs_few_selects(
    client: FlaskClient, story: Story, take_selects: Callable[[], list[str]]
) -> None:
    for number in range(5):
        story(headline=f"Story {number}", authors=("A One", "B Two"))
    client.get("/")  # reads the navigation, with the names of sections, for all pages
    take_selects()
    client.get("/feed.xml")
    assert len(take_selects()) <= 3  # the stories, their bylines, their ids
