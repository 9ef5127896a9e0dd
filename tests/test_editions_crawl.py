"""Every page of a site in three languages that links lead to, its language, words and links."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from itertools import chain
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import queries
from spectator.editions import split_path
from spectator.search_paths import without_edition
from spectator.text.words.language_tags import text_dir
from tests.catalogues import COMMON_WORDS, PLACEHOLDER, SAME_AS_ENGLISH, read_catalogue
from tests.editions import in_languages
from tests.page_checks import Page

PREFIXES = {"": "en", "/fr": "fr", "/ar": "ar"}
# In the language of the story, without a word of English.
WORDS = {
    "en": ("Ports of call", "Ama Mensah"),
    "fr": ("Le fleuve monte", "Awa Ndiaye"),
    "ar": ("النهر يرتفع", "ليلى حداد"),
}
FILINGS = (("politics", "Mali", "Eau"), ("health", "Egypt", "Vote"))
EXTRA = ("search?q=u", "search?q=zzqq", "search?q=fleuve&page=x", "archive/2031/07/", "x/y/z/")
ABSOLUTE = re.compile(r'(?:href|content)="https://spectator\.example(/[^"]*)"')
LINKS = re.compile(r'(?:href|action|hx-get)="(/[^"/][^"]*|/)"')
EDITION_NAV = re.compile(r'<nav class="wrap editions".*?</nav>', re.DOTALL)


@pytest.fixture
def site(
    app: Flask,
    story: Callable[..., int],
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Flask]:
    """Site with five stories in each of three languages, and one in Swahili."""
    monkeypatch.setattr(queries.front_page, "LATEST_COUNT", 1)
    monkeypatch.setattr(queries.front_page, "RAIL_SIZE", 1)
    for number in range(5):
        for hours, (tag, (words, author)) in enumerate(WORDS.items(), 3 * number):
            section, country, topic = FILINGS[number % 2]
            filing = {"section": section, "countries": (country,), "topics": (topic,)}
            story(
                hours=hours * 24,
                slug=f"{tag}-{number}",
                headline=f"{words} {number}",
                body=f"{words}. " * 9,
                language=tag if number else f"{tag}-EG",
                authors=(author, "Ada O"),
                **filing,
            )
    story(headline="Mto", slug="sw-0", body="Mto.", language="sw", hours=400)
    catch_up()
    with in_languages(
        app, "en,fr,ar", SPECTATOR_SITE_TAGLINE="Nil", SPECTATOR_SITE_NAME="S"
    ) as s:
        yield s


def links_of(page: str) -> set[str]:
    """Return the paths that links, forms, htmx and absolute URLs of a page lead to."""
    return set(map(html.unescape, (*LINKS.findall(page), *ABSOLUTE.findall(page))))


def crawl(client: FlaskClient, *prefixes: str) -> dict[str, str]:
    """Return the text of every page that links lead to from these editions, by its URL."""
    waiting = [f"{prefix}/" for prefix in prefixes]
    pages: dict[str, str] = {}
    while waiting:
        url = waiting.pop()
        if url in pages or url.startswith(("/static/", "/media/", "/newsroom/")):
            continue
        response = client.get(url)
        assert response.status_code == 200, (url, response.status_code)
        pages[url] = response.text
        # Filters make countless URLs of searches; `EXTRA` has some.
        waiting += [link for link in links_of(response.text) if "search?" not in link]
    return pages


@pytest.fixture
def pages(site: Flask) -> dict[str, str]:
    """Every page of the site by its URL, and some that no link leads to."""
    client = site.test_client()
    pages = crawl(client, *PREFIXES)
    for prefix in PREFIXES:
        for url in (f"{prefix}/{path}" for path in EXTRA):
            pages[url] = client.get(url).text
    return pages


def language_of(url: str) -> str:
    """Return the language in which the page at a URL must be written."""
    story = re.fullmatch(r"/(?:politics|health)/(\w\w)-\d", url)
    return story[1] if story else PREFIXES[split_path(url)[0].prefix]


def english_texts(language: str) -> set[str]:
    """Return the parts of the catalogue's English entries, of more than a word each."""
    same = SAME_AS_ENGLISH | COMMON_WORDS.get(language, set())
    forms = chain.from_iterable(
        entry.id if isinstance(entry.id, tuple) else (entry.id,)
        for entry in read_catalogue(language)
        if entry.id
    )
    texts = (
        " ".join(part.split())
        for form in forms
        if form not in same
        for part in re.split(f"{PLACEHOLDER.pattern}|<[^>]*>", form)
    )
    return {text for text in texts if len(re.findall(r"[A-Za-z’]{2,}", text)) > 1}


def words_of(page: str) -> str:
    """Return what readers see or hear of a page, without scripts and styles."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(page).split())


def test_the_pages_of_three_editions_belong_together(pages: dict[str, str]) -> None:
    assert len(pages) > 140
    kinds = {without_edition(url).partition("?")[0] for url in pages}
    assert {"/fragments/stream/", "/feed.xml", "/search", "/health/fr-3"} <= kinds
    english = {language: english_texts(language) for language in ("fr", "ar")}
    assert len(english["fr"]) > 800 and "All sections and feeds" in english["ar"]
    assert [text for text in english["fr"] if text in words_of(pages["/politics/"])]
    for url, page in pages.items():
        language = language_of(url)
        check_language(url, page, language)
        check_links(url, page, language)
        if language in english:
            words = words_of(page)
            assert [text for text in english[language] if text in words] == [], url


def check_language(url: str, page: str, language: str) -> None:
    """Check that a page says which language it is in."""
    if "feed.xml" in url:
        assert f"<language>{language}</language>" in page, url
    elif "/fragments/" not in url:
        [attributes] = Page(page).find_all("html")
        assert attributes == {"lang": language, "dir": text_dir(language)}, url


def check_links(url: str, page: str, language: str) -> None:
    """Check that a page leads to lists, searches and feeds of its own edition."""
    own = next((prefix for prefix, tag in PREFIXES.items() if tag == language), "")
    for link in links_of(EDITION_NAV.sub("", page)):
        path = urlsplit(link).path
        is_shared = re.match(r"/(static|media|newsroom|fragments/related)/", path)
        is_story = re.fullmatch(r"/(politics|health)/\w\w-\d", path)
        if not is_shared and not is_story:
            assert split_path(path)[0].prefix == own, (url, link)


def test_every_page_that_was_public_in_one_language_stays_at_its_address(
    site: Flask, app: Flask
) -> None:
    with app.app_context():
        before = crawl(FlaskClient(app), "")
    assert len(before) > 60
    reader = FlaskClient(site)
    for url in before:
        assert reader.get(url).status_code == 200, url
    with in_languages(app, "en") as again:
        reader = FlaskClient(again)
        for url, page in before.items():
            assert reader.get(url).text == page, url
