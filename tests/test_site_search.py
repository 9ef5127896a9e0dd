"""The search page: finds what is published, says what it did, survives anything typed."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import publishing, queries
from spectator.models import User
from tests.conftest import draft


def test_what_is_published_is_found_with_a_marked_passage(
    client: FlaskClient, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story(headline="Ṣẹ́gun wins", slug="segun", body="The <b>harmattan</b> came early to Kano.", language="yo")
    publishing.create(draft(headline="A draft on harmattan"), editor)
    catch_up()
    for words in ("harmattan", "HARMATTAN kano", "segun", "Ṣẹ́gun", '"came early"', "harm*"):
        html = client.get("/search?q=" + quote(words)).text
        assert "/politics/segun" in html, words
        assert "A draft" not in html
    assert "<mark>harmattan</mark>" in client.get("/search?q=harmattan").text


def test_filters_narrow(client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]) -> None:
    story(headline="Rain in Mali", section="health", countries=("Mali",))
    story(headline="Rain in Niger", countries=("Niger",))
    catch_up()
    assert "/politics/rain-in-niger" in client.get("/search?q=rain&country=niger").text
    assert "/health/rain-in-mali" not in client.get("/search?q=rain&country=niger").text
    assert "/health/rain-in-mali" in client.get("/search?section=health").text
    assert "/health/rain-in-mali" not in client.get("/search?q=rain&to=2020-01-01").text


def test_a_withdrawn_story_is_not_found(
    client: FlaskClient, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    article_id = story(headline="Gone tomorrow")
    catch_up()
    assert "/politics/gone-tomorrow" in client.get("/search?q=tomorrow").text
    publishing.withdraw(article_id, editor, "Wrong.")
    assert "/politics/gone-tomorrow" not in client.get("/search?q=tomorrow").text  # before the index knows
    catch_up()
    assert "/politics/gone-tomorrow" not in client.get("/search?q=tomorrow").text


def test_pages_follow_each_other(client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]) -> None:
    for number in range(23):
        story(hours=number, headline=f"Rain {number}")
    catch_up()
    seen: set[str] = set()
    for page in (1, 2, 3):
        html = client.get(f"/search?q=rain&page={page}").text
        seen |= {f"rain-{n}" for n in range(23) if f'href="/politics/rain-{n}"' in html}
    assert len(seen) == 23
    assert client.get("/search?q=rain&page=4").status_code == 200
    assert client.get("/search?q=rain&page=9999").status_code == 200


@pytest.mark.parametrize(
    "words",
    [
        "x" * 20_000,
        '"unbalanced',
        "*",
        "[a TO b]",
        "~",
        "\x00\x07",
        "😀",
        "مرحبا \u202e",
        "((((((",
        "NOT OR x",
        "-",
        "a:b",
        "body:*",
        "\ud800",
        "' OR 1=1 --",
        "%",
        "^1e999",
        "<script>",
    ],
)
def test_nothing_typed_makes_a_fault(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None], words: str
) -> None:
    story()
    catch_up()
    response = client.get("/search?q=" + quote(words, errors="surrogatepass"))
    assert response.status_code == 200
    assert "<script>" not in response.text.split("</head>")[1]


def test_without_an_index_the_page_says_so_and_the_worker_rebuilds(
    client: FlaskClient, app: Flask, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story()
    response = client.get("/search?q=headline")
    assert response.status_code == 503
    assert "rebuil" in response.text
    catch_up()
    assert "/politics/a-headline" in client.get("/search?q=headline").text


def test_stories_found_are_in_the_order_of_the_index(app: Flask, story: Callable[..., int]) -> None:
    ids = [story(headline=f"Story {number}") for number in range(5)]
    wanted = [ids[3], ids[0], ids[4]]
    assert [article.id for article in queries.articles_by_id(wanted)] == wanted
