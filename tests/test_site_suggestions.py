"""Suggestions: links to stories and lists for two letters or more, whatever they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import indexing, publishing
from spectator.models import User
from spectator.publishing import Action
from spectator.search import Suggestions


@pytest.fixture
def indexed_stories(story: Callable[..., int], catch_up: Callable[[], None]) -> int:
    """Id of a story with every kind of metadata."""
    first = story(
        headline="Diamonds & dust",
        authors=("Aïssa Diallo",),
        countries=("Mali",),
        topics=("Dialogue <b>", "Debt"),
    )
    story(headline="المُدَرِّسة في القاهرة", language="ar")
    catch_up()
    return first


def test_suggestions_are_links_to_stories_and_lists(
    client: FlaskClient, indexed_stories: int
) -> None:
    answer = client.get("/fragments/suggest?q=dia")
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert 'href="/politics/diamonds-dust">Diamonds &amp; dust</a>' in answer.text
    assert 'href="/author/aissa-diallo/"><bdi>Aïssa Diallo</bdi></a>' in answer.text
    assert "<bdi>Dialogue &lt;b&gt;</bdi>" in answer.text
    assert "Debt" not in answer.text
    assert answer.text.count('role="option"') == 3
    assert 'href="/country/mali/"' in client.get("/fragments/suggest?q=bamako").text
    assert 'lang="ar" dir="rtl"' in client.get("/fragments/suggest?q=" + quote("القاهرة")).text


@pytest.mark.parametrize("text", ["", "d", " ", "\x00", "*", "😀", "zzzz"])
def test_too_little_text_suggests_nothing(
    client: FlaskClient, indexed_stories: int, text: str
) -> None:
    assert client.get("/fragments/suggest?q=" + quote(text)).text.strip() == ""


def test_no_typed_text_causes_an_error(client: FlaskClient, indexed_stories: int) -> None:
    for text in ("x" * 20_000, '"><script>', "\ud800", "di -* in:", "%00"):
        answer = client.get("/fragments/suggest?q=" + quote(text, errors="surrogatepass"))
        assert answer.status_code == 200
        assert "<script" not in answer.text


def test_a_withdrawn_story_is_not_suggested(
    client: FlaskClient, indexed_stories: int, editor: User
) -> None:
    publishing.apply_action(indexed_stories, editor, Action("withdraw", note="Wrong."))
    assert "Diamonds" not in client.get("/fragments/suggest?q=dia").text  # before the index knows


def test_without_an_index_nothing_is_suggested(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="Diamonds")
    answer = client.get("/fragments/suggest?q=dia")
    assert (answer.status_code, answer.text) == (503, "")


def test_names_missing_in_the_database_are_not_suggested(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stale:
        def suggest(self, *_: object) -> Suggestions:
            return Suggestions([99], ["nowhere"], [], ["nobody"], 1)

    monkeypatch.setattr(indexing, "open_public_index", lambda _: Stale())
    assert client.get("/fragments/suggest?q=no").text.strip() == ""


@pytest.mark.whoosh
def test_suggestions_take_two_selects(
    client: FlaskClient, indexed_stories: int, take_selects: Callable[[], list[str]]
) -> None:
    take_selects()
    client.get("/fragments/suggest?q=dia")
    assert len(take_selects()) == 2


def test_suggestions_are_grouped_countries_topics_stories_people(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    for number in range(6):
        filing = {"countries": ("Mali",), "topics": ("Malaria",), "authors": ("Mali Traoré",)}
        story(headline=f"Mali votes {number}", hours=number, **filing)
    catch_up()
    html = client.get("/fragments/suggest?q=mal").text
    labels = re.findall(r'role="group" aria-label="([^"]+)"', html)
    assert labels == ["Countries", "Topics", "Stories", "People"]
    assert html.count('role="option"') == 1 + 1 + 5 + 1
