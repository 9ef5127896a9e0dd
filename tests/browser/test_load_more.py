"""“Load more” shows every story once, announces it, and keeps the reader's position."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.running_site import RunningSite
from tests.browser.sample_stories import SERIES_SECTION, headlines_newest_first, series
from tests.browser.story_form import publish
from tests.browser.visits import Visit, open_window

pytestmark = pytest.mark.browser

SECTION = f"/{SERIES_SECTION}/"
PAGE = 20


def headlines(visitor: Visit) -> list[str]:
    return [text.strip() for text in visitor.page.locator(".stream .card h3").all_inner_texts()]


def addresses(visitor: Visit) -> list[str]:
    """Return the URLs of the stream's cards; two stories may have the same headline."""
    links = visitor.page.locator(".stream .card h3 a")
    return [link.get_attribute("href") or "" for link in links.all()]


def load_more(visitor: Visit) -> None:
    """Press “Load more” and wait for the stories, which htmx adds in place."""
    page, before = visitor.page, len(headlines(visitor))
    page.get_by_role("link", name="Load more").click()
    expect(page.locator(".stream .card").nth(before)).to_be_visible()


def test_every_story_comes_once_in_place(scripted_reader: Visit) -> None:
    visitor, wanted = scripted_reader, headlines_newest_first()
    page = visitor.open(SECTION)
    history = page.evaluate("history.length")
    assert headlines(visitor) == wanted[:PAGE]
    for count in range(PAGE, len(wanted), PAGE):
        load_more(visitor)
        new = min(PAGE, len(wanted) - count)
        expect(page.locator(".stream .card").nth(count).get_by_role("link")).to_be_focused()
        expect(page.get_by_role("status")).to_have_text(f"{new} more stories")
        assert visitor.path.startswith(f"{SECTION}?through="), "the address does not know how far"
    assert headlines(visitor) == wanted
    assert page.evaluate("history.length") == history, "loading more is no step of the history"
    expect(page.get_by_role("link", name="Load more")).to_have_count(0)


def test_every_story_comes_once_by_links(plain_reader: Visit) -> None:
    visitor, page = plain_reader, plain_reader.open(SECTION)
    seen = headlines(visitor)
    while page.get_by_role("link", name="Load more").count():
        page.get_by_role("link", name="Load more").click()
        page.wait_for_url("**/?before=*")
        expect(page.get_by_role("heading", level=1)).to_have_text("Society")
        seen += headlines(visitor)
        assert len(seen) <= 100, "the list has no end"
    assert seen == headlines_newest_first()


def test_a_story_published_meanwhile_moves_nothing(
    browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    with (
        open_window(browser, site) as visitor,
        open_window(browser, site, storage_state=editor_state) as editor,
    ):
        page = visitor.open("/author/ama-serwaa/")
        news = {
            "headline": "Published while you read",
            "body": "News.",
            "section": "health",
            "authors": "Ama Serwaa",
        }
        publish(editor, news)
        while page.get_by_role("link", name="Load more").count():
            load_more(visitor)
        titles, stories = headlines(visitor), addresses(visitor)
        assert len(set(stories)) == len(titles), "a story came twice"
        assert {story["headline"] for story in series()} <= set(titles), "a story was skipped"
        assert news["headline"] not in titles


def test_the_front_page_has_further_pages(reader: Visit) -> None:
    page = reader.open("/")
    others = ".hero :is(h2, h3) a, .rail h3 a"
    hero = [link.get_attribute("href") or "" for link in page.locator(others).all()]
    first = [*hero, *addresses(reader)]
    before = len(addresses(reader))
    page.get_by_role("link", name="Load more").click()
    if reader.has_script:
        expect(page.locator(".stream .card").nth(before + PAGE - 1)).to_be_visible()
        urls = hero + addresses(reader)
    else:
        page.wait_for_url("**/?before=*")
        urls = first + addresses(reader)
    assert len(urls) == len(first) + PAGE
    assert len(set(urls)) == len(urls), "a story came twice"


def test_back_and_forward(reader: Visit) -> None:
    visitor, wanted = reader, headlines_newest_first()
    page = visitor.open(SECTION)
    if visitor.has_script:
        load_more(visitor)
    else:
        page.get_by_role("link", name="Load more").click()
        page.wait_for_url("**/?before=*")
        wanted = wanted[PAGE:]
    list_url, story = page.url, headlines(visitor)[-1]
    page.get_by_role("link", name=story, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(story)
    story_url = page.url
    page.go_back()
    assert page.url == list_url
    titles = headlines(visitor)
    assert titles == wanted[: len(titles)] and len(titles) >= PAGE
    if visitor.has_script:
        load_more(visitor)
        assert headlines(visitor) == wanted[: len(titles) + PAGE]
    page.go_forward()
    assert page.url == story_url
    expect(page.get_by_role("heading", level=1)).to_have_text(story)


@pytest.mark.parametrize("path", [SECTION, "/"])
def test_back_without_a_memory_keeps_the_place(path: str, scripted_reader: Visit) -> None:
    page = scripted_reader.open(path)
    for _ in range(2):
        load_more(scripted_reader)
        page.wait_for_url("**/?through=*")
    titles, list_url = headlines(scripted_reader), page.url
    link = page.locator(".stream .card h3 a").nth(len(titles) - 12)
    link.scroll_into_view_if_needed()
    scroll = page.evaluate("scrollY")
    assert scroll > 1000
    page.evaluate("window.wasHere = true")
    link.click()
    page.wait_for_url(lambda url: url != list_url)
    page.go_back()
    assert page.url == list_url
    assert not page.evaluate("window.wasHere"), "the page came from memory: this tests nothing"
    assert headlines(scripted_reader) == titles
    assert abs(page.evaluate("scrollY") - scroll) < 50, "the place is lost"
    if page.get_by_role("link", name="Load more").count():
        load_more(scripted_reader)
        assert len(set(addresses(scripted_reader))) == len(headlines(scripted_reader)) > len(titles)


def test_a_double_click_loads_once(scripted_reader: Visit) -> None:
    page = scripted_reader.open(SECTION)
    page.route(
        "**/fragments/stream/**", lambda route: (page.wait_for_timeout(300), route.continue_())
    )
    page.get_by_role("link", name="Load more").dblclick()
    expect(page.locator(".stream .card").nth(PAGE)).to_be_visible()
    page.wait_for_timeout(600)
    assert len([url for url in scripted_reader.requests if "/fragments/stream/" in url]) <= 1
    assert len(headlines(scripted_reader)) == 2 * PAGE


@pytest.mark.parametrize("which", ["site", "htmx_2_site"])
def test_back_to_the_page_as_it_was_left(
    which: str, remembering_browser: Browser, request: pytest.FixtureRequest
) -> None:
    with open_window(remembering_browser, request.getfixturevalue(which)) as visitor:
        page, wanted = visitor.open(SECTION), headlines_newest_first()
        load_more(visitor)
        page.evaluate("window.wasHere = true")
        page.get_by_role("link", name=wanted[PAGE], exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(wanted[PAGE])
        page.evaluate("history.back()")
        page.wait_for_url(f"**{SECTION}?through=*", wait_until="commit")
        assert page.evaluate("window.wasHere"), (
            "the page was fetched anew: something keeps it out of the memory"
        )
        assert headlines(visitor) == wanted[: 2 * PAGE]
        load_more(visitor)
        assert headlines(visitor) == wanted[: 3 * PAGE]
