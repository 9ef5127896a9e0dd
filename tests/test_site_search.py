"""The search page finds published stories, explains its results and survives any query."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import publishing, queries
from spectator.models import User
from spectator.publishing import Action
from spectator.text.html.sanitizer import plain_text
from spectator.text.words import snippets
from tests.conftest import make_draft
from tests.newsroom_client import logged_in_client
from tests.page_checks import Page


def test_published_stories_are_found_with_a_highlighted_snippet(
    client: FlaskClient, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story(
        headline="Ṣẹ́gun wins",
        slug="segun",
        body="The <b>harmattan</b> came early to Kano.",
        language="yo",
    )
    publishing.create(make_draft(headline="A draft on harmattan"), editor)
    catch_up()
    for words in ("harmattan", "HARMATTAN kano", "segun", "Ṣẹ́gun", '"came early"', "harm*"):
        html = client.get("/search?q=" + quote(words)).text
        assert "/politics/segun" in html, words
        assert "A draft" not in html
    assert "<mark>harmattan</mark>" in client.get("/search?q=harmattan").text


def test_filters_narrow_the_results(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
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
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    assert (
        "/politics/gone-tomorrow" not in client.get("/search?q=tomorrow").text
    )  # before the index knows
    catch_up()
    assert "/politics/gone-tomorrow" not in client.get("/search?q=tomorrow").text


def test_results_are_split_into_pages(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    for number in range(23):
        story(hours=number, headline=f"Rain {number}")
    catch_up()
    seen: set[str] = set()
    for page in (1, 2, 3):
        html = client.get(f"/search?q=rain&page={page}").text
        seen |= {f"rain-{n}" for n in range(23) if f'href="/politics/rain-{n}"' in html}
    assert len(seen) == 23
    assert client.get("/search?q=rain&page=4").status_code == 200
    assert client.get("/search?q=rain&page=99999999").status_code == 200


def test_filters_typed_in_the_query_equal_those_in_the_url(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story(headline="Rain in Mali", section="health", countries=("Mali",), authors=("Ama Serwaa",))
    story(headline="Rain in Niger", countries=("Niger",), language="fr")
    catch_up()
    for query in (
        "q=rain+in:health",
        "q=rain&section=health",
        "q=rain+by:serwaa",
        "q=rain&author=ama-serwaa",
    ):
        html = " ".join(client.get(f"/search?{query}").text.split())
        assert "/health/rain-in-mali" in html and "/politics/rain-in-niger" not in html, query
        assert (
            '<a href="/search?q=rain" rel="nofollow"><span class="visually-hidden">Remove </span>'
            in html
        ), query
    html = client.get("/search?q=rain").text
    for link in ("section=health", "country=mali", "language=fr"):
        assert f'href="/search?q=rain&amp;{link}"' in html
    assert "<bdi>French</bdi> <small>1</small>" in html
    assert "by Ama Serwaa" in html


def test_links_from_a_search_to_a_search_are_nofollow(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    for number in range(25):
        countries = ("Mali",) if number % 2 else ("Kenya",)
        story(
            hours=number * 2000,
            headline=f"Rain {number}",
            countries=countries,
            section="health" if number % 3 else "politics",
        )
    catch_up()
    seen = 0
    for query in (
        "q=rain",
        "q=rain&page=2",
        "q=rain&country=mali",
        "q=rian",
        "q=rain+qwertz",
        "q=qwertz+rain&section=health",
    ):
        for attributes in Page(client.get(f"/search?{query}").text).find_all("a"):
            if (attributes.get("href") or "").startswith("/search?"):
                assert "nofollow" in (attributes.get("rel") or ""), attributes
                seen += 1
    assert seen > 50
    assert "<svg" in client.get("/search?q=rain").text, "the bars of the years were among them"


def test_an_invalid_filter_is_refused_and_all_entries_returned(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    response = client.get("/search?q=rain&section=health&country=mali&from=31+May")
    assert response.status_code == 400
    assert "Write dates as year-month-day" in response.text
    for control in (
        'value="rain"',
        '<option value="health" selected',
        'name="country" value="mali"',
        'value="31 May"',
    ):
        assert control in " ".join(response.text.split()), control


def test_the_fragment_equals_the_results_on_the_page(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story(headline="Rain in Mali")
    catch_up()
    fragment = client.get("/fragments/search?q=rain&section=&from=&to=&page=1")
    assert fragment.headers["HX-Replace-Url"] == "/search?q=rain"
    assert fragment.headers["X-Robots-Tag"] == "noindex"
    assert fragment.text.startswith("<title>rain – Search – The African Spectator</title>")
    assert '<p hx-swap-oob="innerHTML:#status">1 story</p>' in fragment.text
    page = client.get("/search?q=rain").text
    for line in fragment.text.splitlines()[1:]:
        assert line.strip() in page or "hx-swap-oob" in line
    assert client.get("/fragments/search?q=").headers["HX-Replace-Url"] == "/search"
    bad = client.get("/fragments/search?q=rain&from=x")
    assert (bad.status_code, bad.headers["Cache-Control"]) == (200, "no-store")
    assert "Write dates as" in bad.text


def test_every_search_has_a_feed(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story(hours=2, headline="Rain, rain and rain", section="health")
    story(hours=1, headline="No rain", section="health")
    story(headline="Rain elsewhere")
    catch_up()
    page = client.get("/search?q=rain&section=health&sort=oldest&page=2").text
    assert page.count('href="/search/feed.xml?q=rain&amp;section=health"') >= 1
    feed = client.get("/search/feed.xml?q=rain&section=health&sort=oldest&page=7")
    assert feed.mimetype == "application/rss+xml"
    assert re.findall("<title>(.*?)</title>", feed.text)[1:] == ["No rain", "Rain, rain and rain"]
    assert "<link>https://spectator.example/search?q=rain&amp;section=health</link>" in feed.text
    assert (
        'href="https://spectator.example/search/feed.xml?q=rain&amp;section=health"' in feed.text
    )


@pytest.mark.parametrize("words", ["\x07]]>&<b>", "\ud800\ufffe", "x" * 20_000, ""])
def test_the_feed_of_any_query_is_well_formed(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None], words: str
) -> None:
    story()
    catch_up()
    feed = client.get("/search/feed.xml?q=" + quote(words, errors="surrogatepass"))
    assert feed.status_code == 200
    ElementTree.fromstring(feed.data)


def test_a_search_feed_reports_invalid_filters_and_a_missing_index(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story()
    assert client.get("/search/feed.xml?q=rain&from=yesterday").status_code == 400
    assert client.get("/search/feed.xml?q=rain").status_code == 503


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
def test_no_query_causes_an_error(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None], words: str
) -> None:
    story()
    catch_up()
    response = client.get("/search?q=" + quote(words, errors="surrogatepass"))
    assert response.status_code == 200
    assert "<script>" not in response.text.split("</head>")[1]


def test_search_responds_503_until_the_worker_has_built_the_index(
    client: FlaskClient, app: Flask, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story()
    response = client.get("/search?q=headline")
    assert response.status_code == 503
    assert "rebuil" in response.text
    fragment = client.get("/fragments/search?q=headline")
    assert (fragment.status_code, fragment.headers["Cache-Control"]) == (200, "no-store")
    assert "rebuil" in fragment.text
    catch_up()
    assert "/politics/a-headline" in client.get("/search?q=headline").text


def test_articles_by_id_keeps_the_order_of_the_ids(app: Flask, story: Callable[..., int]) -> None:
    ids = [story(headline=f"Story {number}") for number in range(5)]
    wanted = [ids[3], ids[0], ids[4]]
    assert [article.id for article in queries.articles_by_id(wanted)] == wanted


def test_a_page_of_results_reads_only_the_beginning_of_long_texts(
    app: Flask,
    client: FlaskClient,
    story: Callable[..., int],
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(3):
        story(
            hours=number,
            headline=f"Story {number}",
            body="<p>the <b>gnomes</b> of Kano</p>" * 10_000,
        )
    catch_up()
    read: list[int] = []

    def counted(html: str) -> str:
        read.append(len(html))
        return plain_text(html)

    monkeypatch.setattr(snippets, "plain_text", counted)
    editor = logged_in_client(app)
    for path in ("/search?q=gnomes", "/fragments/search?q=gnomes"):
        assert "<mark>gnomes</mark>" in client.get(path).text
    assert "<mark>gnomes</mark>" in editor.get("/newsroom/search?q=gnomes&in=published").text
    assert len(read) == 9
    assert all(sum(read[page : page + 3]) <= snippets.MAX_SCANNED_CHARS for page in (0, 3, 6))
