"""Editions: lists, search and feeds of each language, and the links between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import proxy_cache
from spectator.config import ConfigError, load
from spectator.db import db
from spectator.editions import EditionConverter, current_edition
from spectator.i18n import readers_languages
from spectator.metrics import kind_of
from spectator.models import Article, Section, User
from spectator.operations import diagnosis, setup
from spectator.publishing.taxonomy import add_section
from spectator.publishing.validation import ValidationError
from spectator.text.words.slugs import LANGUAGE_CODES
from tests.editions import in_languages
from tests.newsroom_client import logged_in_client

Story = Callable[..., int]
HEADLINE = re.compile(r"<h3[^>]*><a href=\"/politics/([a-z]+)\"")
LISTS = ("/", "/politics/", "/topic/trade/", "/country/mali/", "/author/a-one/")


@pytest.fixture
def stories(app: Flask, story: Story) -> dict[str, int]:
    """Ids of published stories by headline: two of English, French and Arabic, one of Swahili."""
    filing = {"topics": ("Trade",), "countries": ("Mali",), "authors": ("A One",)}
    tags = {"one": "en", "two": "fr", "three": "ar", "four": "fr-SN", "five": "en-NG"}
    tags |= {"six": "ar-EG", "seven": "sw"}
    return {
        headline: story(headline=headline, hours=hours, language=tag, **filing)
        for hours, (headline, tag) in enumerate(tags.items())
    }


@pytest.fixture
def site(app: Flask, stories: dict[str, int]) -> Iterator[Flask]:
    """Site in English, French and Arabic."""
    with in_languages(app, "en,fr,ar") as site:
        yield site


def headlines(client: FlaskClient, path: str) -> list[str]:
    """Return the headlines of the stories that a page lists."""
    response = client.get(path)
    assert response.status_code == 200, path
    return HEADLINE.findall(response.text)


@pytest.mark.parametrize("path", LISTS)
def test_each_edition_lists_the_stories_of_its_language(site: Flask, path: str) -> None:
    client = site.test_client()
    assert sorted(headlines(client, path)) == ["five", "one", "seven"], "sw has no edition"
    assert sorted(headlines(client, f"/fr{path}")) == ["four", "two"]
    assert sorted(headlines(client, f"/ar{path}")) == ["six", "three"]
    feed = client.get(f"/fr{path}feed.xml").text
    assert "<language>fr</language>" in feed
    assert f'href="https://spectator.example/fr{path}feed.xml"' in feed
    assert re.findall(r"<title>(t\w+|four|one)</title>", feed) == ["two", "four"]


def test_the_default_edition_may_list_all_stories(app: Flask, stories: dict[str, int]) -> None:
    with in_languages(app, "en,fr", SPECTATOR_DEFAULT_EDITION="all") as site:
        client = site.test_client()
        assert len(headlines(client, "/politics/")) == len(stories)
        assert "7 stories" in client.get("/politics/").text
        assert headlines(client, "/fr/politics/") == ["two", "four"]


def test_load_more_stays_in_the_edition(app: Flask, story: Story) -> None:
    for number in range(100):
        story(headline=f"s{number}", hours=number, language="fr" if number % 2 else "en")
    with in_languages(app, "en,fr") as site:
        client = site.test_client()
        for path in ("/fr/politics/", "/fr/", "/politics/", "/"):
            seen, url = [], path
            for _ in range(20):
                page = client.get(url).text
                seen += re.findall(r"<h3[^>]*><a href=\"/politics/s(\d+)\"", page)
                more = re.search(r'class="more"\s+href="([^"]+)"\s+hx-get="([^"]+)"', page)
                if more is None:
                    break
                fragment = client.get(more[2].replace("&amp;", "&"))
                assert fragment.status_code == 200 and fragment.headers["X-Robots-Tag"]
                assert fragment.headers["HX-Replace-Url"].startswith(f"{path}?")
                assert fragment.headers["Cache-Control"].startswith("public")
                url = more[1].replace("&amp;", "&")
                assert url.startswith(f"{path}?before=")
            parity = 1 if path.startswith("/fr") else 0
            assert sorted(map(int, seen)) == list(range(parity, 100, 2)), path


def test_archive_months_and_counts_are_those_of_the_edition(site: Flask, story: Story) -> None:
    story(headline="old", hours=24 * 40, language="fr")
    client = site.test_client()
    months = {path: client.get(f"{path}archive/").text for path in ("/", "/fr/", "/ar/")}
    assert re.findall(r'href="(/\S*archive/\d\S+)"', months["/"]) == ["/archive/2026/11/"]
    french = re.findall(r'href="(/\S*archive/\d\S+)">(\S+) <small>(\d)', months["/fr/"])
    assert french == [
        ("/fr/archive/2026/11/", "novembre", "2"),
        ("/fr/archive/2026/10/", "octobre", "1"),
    ]
    assert re.findall(r'href="(/\S*archive/\d\S+)"', months["/ar/"]) == ["/ar/archive/2026/11/"]
    assert "2 articles" in client.get("/fr/topic/trade/").text
    assert "3 stories" in client.get("/topic/trade/").text
    empty = client.get("/ar/archive/2026/10/")
    assert empty.status_code == 200, "the month has stories, but none in Arabic"


def test_searches_find_stories_of_the_edition(site: Flask, catch_up: Callable[[], None]) -> None:
    catch_up()
    client = site.test_client()
    for path in ("/search?q=paragraph", "/fragments/search?q=paragraph"):
        assert sorted(headlines(client, path)) == ["five", "one", "seven"]
        assert sorted(headlines(client, f"/fr{path}")) == ["four", "two"]
    assert headlines(client, "/search?q=paragraph&language=fr") == ["two"], "a reader's wish"
    page = client.get("/fr/search?q=paragraph&sort=newest&language=fr&page=2").text
    links = re.findall(r'href="(/[^"]*search\?[^"]*)"', page)
    others = [url for url in links if not url.startswith("/fr/search")]
    assert sorted(others) == [
        "/ar/search?q=paragraph&amp;sort=newest",
        "/search?q=paragraph&amp;sort=newest",
    ]
    assert (
        client.get("/fr/fragments/search?q=two").headers["HX-Replace-Url"] == "/fr/search?q=two"
    )
    assert "<title>two</title>" in client.get("/fr/search/feed.xml?q=two").text
    assert "<title>one</title>" not in client.get("/fr/search/feed.xml?q=paragraph").text


def test_suggestions_are_those_of_the_edition(
    site: Flask, catch_up: Callable[[], None], story: Story
) -> None:
    story(headline="trap", language="en", topics=("Trams",))
    catch_up()
    client = site.test_client()
    french = client.get("/fr/fragments/suggest?q=tra").text
    assert 'href="/fr/topic/trade/"' in french and "trams" not in french
    assert 'href="/topic/trams/"' in client.get("/fragments/suggest?q=tra").text
    assert "/politics/trap" not in french
    assert "/politics/two" in client.get("/fr/fragments/suggest?q=two").text


def test_a_story_has_one_address_and_leads_to_the_lists_of_its_language(site: Flask) -> None:
    client = site.test_client()
    assert client.get("/fr/politics/two").status_code == 404
    page = client.get("/politics/two").text
    assert '<html lang="fr"' in page
    for path in ("/fr/", "/fr/politics/", "/fr/topic/trade/", "/fr/country/mali/", "/fr/search"):
        assert f'"{path}"' in page, path
    assert '"item":"https://spectator.example/fr/politics/"' in page
    assert 'href="/politics/"' not in page
    swahili = client.get("/politics/seven").text
    assert '<html lang="sw"' in swahili and 'href="/politics/"' in swahili


def edition_links(client: FlaskClient, path: str) -> dict[str, tuple[str, str]]:
    """Return (URL, name) of the links to editions on a page by their language."""
    page = client.get(path).text
    [links] = re.findall(r'<nav class="wrap editions".*?</nav>', page, re.DOTALL) or [""]
    pattern = r'<a href="([^"]+)"\s+lang="(\w+)"\s+hreflang="\2"[^>]*>([^<]+)</a>'
    return {tag: (url, name) for url, tag, name in re.findall(pattern, links)}


def test_links_lead_to_the_same_page_of_other_editions(site: Flask, story: Story) -> None:
    story(headline="ports", language="en", topics=("Ports",))
    client = site.test_client()
    for path in (*LISTS, "/archive/", "/archive/2026/11/", "/search", "/business/"):
        for prefix in ("", "/fr", "/ar"):
            assert edition_links(client, prefix + path) == {
                "en": (path, "English"),
                "fr": (f"/fr{path}", "Français"),
                "ar": (f"/ar{path}", "العربية"),
            }
    links = edition_links(client, "/topic/ports/")
    assert [url for url, _ in links.values()] == ["/topic/ports/", "/fr/", "/ar/"]
    links = edition_links(client, "/politics/two")
    assert [url for url, _ in links.values()] == ["/", "/fr/", "/ar/"]
    assert re.search(r'hreflang="fr"\s+aria-current="true"', client.get("/politics/two").text)
    assert edition_links(client, "/fr/no/such/page")["fr"] == ("/fr/", "Français")


def test_with_one_language_there_is_no_edition(client: FlaskClient, app: Flask) -> None:
    assert edition_links(client, "/") == {} and "hreflang" not in client.get("/").text
    assert client.get("/fr/").status_code == 404
    assert not any("edition" in rule.arguments for rule in app.url_map.iter_rules())
    assert not app.url_value_preprocessors and not app.url_default_functions


def test_urls_that_are_nearly_right_lead_into_their_edition(site: Flask) -> None:
    client = site.test_client()
    for path, target in {
        "/fr": "/fr/",
        "/FR/Politics": "/fr/politics/",
        "/fr/topic/trade": "/fr/topic/trade/",
        "/fr/politics/feed": "/fr/politics/feed.xml",
        "/fr//search?q=mali": "/fr/search?q=mali",
        "/fr/search/?q=mali": "/fr/search?q=mali",
    }.items():
        response = client.get(path)
        assert (response.status_code, response.location) == (301, target), path
    for path in ("/sw/", "/fr/nowhere/", "/fr/ar/", "/fr/newsroom/", "/en/", "/fr/healthz"):
        assert client.get(path).status_code == 404, path


def test_error_pages_are_written_in_the_edition(site: Flask) -> None:
    page = site.test_client().get("/fr/nowhere/").text
    assert '<html lang="fr"' in page and 'action="/fr/search"' in page


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"LANGUAGES": "en,fr", "LANGUAGE": "fr"}, "the first of SPECTATOR_LANGUAGES is en"),
        ({"LANGUAGES": "en,nqo"}, "there are no translations for nqo; use en, am"),
        ({"LANGUAGES": "en,fr-SN"}, "use fr-SN without a region"),
        ({"LANGUAGES": "en,fr,fr"}, "use each language once"),
        ({"LANGUAGES": "en-NG,en"}, "use each language once"),
        ({"LANGUAGES": "en,,fr"}, "Choose a language"),
        ({"LANGUAGES": "en," + ",".join(["fr"] * 20)}, "use at most 20 languages"),
        ({"LANGUAGES": "en,fr", "PERMALINK": "/fr/<slug>"}, "/fr/ is the address of an edition"),
        ({"DEFAULT_EDITION": "none"}, "use own or all"),
    ],
)
def test_invalid_languages_stop_the_start(settings: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(reason)):
        load({f"SPECTATOR_{name}": value for name, value in settings.items()})


def test_the_first_language_is_the_sites_own() -> None:
    values = load({"SPECTATOR_LANGUAGES": "fr-SN, en"})
    assert (values["LANGUAGE"], values["LANGUAGES"]) == ("fr-SN", ("fr-SN", "en"))
    values = load({"SPECTATOR_LANGUAGE": "sn"})
    assert (values["LANGUAGE"], values["LANGUAGES"]) == ("sn", ("sn",))


def test_every_language_that_may_have_an_edition_is_reserved() -> None:
    assert {"en", *readers_languages()} <= LANGUAGE_CODES


def test_a_section_with_the_address_of_an_edition_stops_the_start(app: Flask) -> None:
    with db.write() as session:
        session.add(Section(slug="fr", name="France", position=99))
    two = app.config | {"LANGUAGES": ("en", "fr")}
    [fault] = diagnosis.examine(two)
    assert "A section or story has the address /fr/" in str(fault)
    assert "Take fr out of SPECTATOR_LANGUAGES." in str(fault)
    assert fault.stops_reading
    with pytest.raises(setup.NotReadyError, match="/fr/"):
        setup.require_ready(two)
    assert diagnosis.examine(app.config | {"LANGUAGES": ("en", "ar")}) == []
    assert app.test_client().get("/fr/").status_code == 200, "without the edition it stays"


def test_stories_whose_urls_begin_with_their_slugs_leave_editions_their_addresses(
    app: Flask, editor: User, story: Story
) -> None:
    story(slug="ar")
    app.config["PERMALINK"] = "/<slug>/<year>"
    article = db.session.get_one(Article, story(headline="FR"))
    assert article.slug == "fr-2"
    settings = app.config | {"LANGUAGES": ("en", "ar")}
    [fault] = diagnosis.examine(settings)
    assert "has the address /ar/" in str(fault)
    assert diagnosis.examine(settings | {"PERMALINK": "/<section>/<slug>"}) == []


def test_related_stories_are_of_the_edition(site: Flask, stories: dict[str, int]) -> None:
    page = site.test_client().get(f"/fragments/related/{stories['two']}").text
    assert HEADLINE.findall(page) == ["four"]


def test_no_new_section_takes_the_address_of_an_edition(app: Flask) -> None:
    with pytest.raises(ValidationError, match="/ha/ is reserved"), db.write() as session:
        add_section(session, "Ha")


def test_copies_of_lists_are_renewed_in_every_edition(site: Flask) -> None:
    paths = proxy_cache.listing_paths(set())
    assert paths == ["/", "/fr/", "/ar/", "/feed.xml", "/fr/feed.xml", "/ar/feed.xml"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/fr/search", "search"), ("/fr/fragments/stream/", "fragment"), ("/fr/politics/", "list")],
)
def test_pages_of_editions_are_counted_by_their_kind(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_a_preview_leads_to_the_lists_of_its_language(
    site: Flask, stories: dict[str, int]
) -> None:
    newsroom = logged_in_client(site)
    page = newsroom.get(f"/newsroom/stories/{stories['two']}/preview").text
    assert 'href="/fr/politics/"' in page
    assert "/fr/" not in newsroom.get("/newsroom/").text


def test_outside_of_pages_the_default_edition_is_current(site: Flask) -> None:
    assert current_edition().prefix == "" and EditionConverter.weight < 100
