"""“Load more” shows every story once and announces them; Back returns to the same position.

The fixture `reader` runs a test with htmx 4, with htmx 2 and without JavaScript,
`scripted_reader` only with htmx, `plain_reader` only without JavaScript.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.running_site import RunningSite
from tests.browser.sample_stories import SERIES_SECTION, headlines_newest_first, series
from tests.browser.story_form import publish
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser

SECTION = f"/{SERIES_SECTION}/"
PAGE_SIZE = 20


def headlines(window: Window) -> list[str]:
    return [text.strip() for text in window.page.locator(".stream .card h3").all_inner_texts()]


def story_paths(window: Window) -> list[str]:
    """Return the URLs of the stream's cards; two stories may have the same headline."""
    links = window.page.locator(".stream .card h3 a")
    return [link.get_attribute("href") or "" for link in links.all()]


def load_more(window: Window) -> None:
    """Press “Load more” and wait for the stories, which htmx adds in place."""
    page, before = window.page, len(headlines(window))
    page.get_by_role("link", name="Load more").click()
    expect(page.locator(".stream .card").nth(before)).to_be_visible()


def test_load_more_adds_every_story_once(scripted_reader: Window) -> None:
    window, expected = scripted_reader, headlines_newest_first()
    page = window.open(SECTION)
    history = page.evaluate("history.length")
    assert headlines(window) == expected[:PAGE_SIZE]
    for count in range(PAGE_SIZE, len(expected), PAGE_SIZE):
        load_more(window)
        added = min(PAGE_SIZE, len(expected) - count)
        expect(page.locator(".stream .card").nth(count).get_by_role("link")).to_be_focused()
        expect(page.get_by_role("status")).to_have_text(f"{added} more stories")
        assert window.path.startswith(f"{SECTION}?through="), "a reload would show fewer stories"
    assert headlines(window) == expected
    assert page.evaluate("history.length") == history, "loading more added history entries"
    expect(page.get_by_role("link", name="Load more")).to_have_count(0)


def test_links_without_script_lead_to_every_story_once(plain_reader: Window) -> None:
    window, page = plain_reader, plain_reader.open(SECTION)
    seen = headlines(window)
    while page.get_by_role("link", name="Load more").count():
        page.get_by_role("link", name="Load more").click()
        page.wait_for_url("**/?before=*")
        expect(page.get_by_role("heading", level=1)).to_have_text("Society")
        seen += headlines(window)
        assert len(seen) <= 100, "the list has no end"
    assert seen == headlines_newest_first()


def test_a_story_published_meanwhile_causes_no_duplicate_or_gap(
    browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    with (
        open_window(browser, site) as window,
        open_window(browser, site, storage_state=editor_state) as editor,
    ):
        page = window.open("/author/ama-serwaa/")
        news = {
            "headline": "Published while you read",
            "body": "News.",
            "section": "health",
            "authors": "Ama Serwaa",
        }
        publish(editor, news)
        while page.get_by_role("link", name="Load more").count():
            load_more(window)
        titles, paths = headlines(window), story_paths(window)
        assert len(set(paths)) == len(titles), "a story appeared twice"
        assert {story["headline"] for story in series()} <= set(titles), "a story is missing"
        assert news["headline"] not in titles


def test_load_more_on_the_front_page_repeats_no_story(reader: Window) -> None:
    page = reader.open("/")
    outside_stream = page.locator(".hero :is(h2, h3) a, .rail h3 a")
    featured = [link.get_attribute("href") or "" for link in outside_stream.all()]
    first = [*featured, *story_paths(reader)]
    before = len(story_paths(reader))
    page.get_by_role("link", name="Load more").click()
    if reader.has_script:
        expect(page.locator(".stream .card").nth(before + PAGE_SIZE - 1)).to_be_visible()
        paths = featured + story_paths(reader)
    else:
        page.wait_for_url("**/?before=*")
        paths = first + story_paths(reader)
    assert len(paths) == len(first) + PAGE_SIZE
    assert len(set(paths)) == len(paths), "a story appeared twice"


def test_back_and_forward_return_to_the_list_and_the_story(reader: Window) -> None:
    window, expected = reader, headlines_newest_first()
    page = window.open(SECTION)
    if window.has_script:
        load_more(window)
    else:
        page.get_by_role("link", name="Load more").click()
        page.wait_for_url("**/?before=*")
        expected = expected[PAGE_SIZE:]
    list_url, story = page.url, headlines(window)[-1]
    page.get_by_role("link", name=story, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(story)
    story_url = page.url
    page.go_back()
    assert page.url == list_url
    titles = headlines(window)
    assert titles == expected[: len(titles)] and len(titles) >= PAGE_SIZE
    if window.has_script:
        load_more(window)
        assert headlines(window) == expected[: len(titles) + PAGE_SIZE]
    page.go_forward()
    assert page.url == story_url
    expect(page.get_by_role("heading", level=1)).to_have_text(story)


@pytest.mark.parametrize("path", [SECTION, "/"])
def test_back_restores_the_position_without_the_back_forward_cache(
    path: str, scripted_reader: Window
) -> None:
    page = scripted_reader.open(path)
    for _ in range(2):
        load_more(scripted_reader)
        page.wait_for_url("**/?through=*")
    titles, list_url = headlines(scripted_reader), page.url
    link = page.locator(".stream .card h3 a").nth(len(titles) - 12)  # far down the page
    link.scroll_into_view_if_needed()
    scroll = page.evaluate("scrollY")
    assert scroll > 1000
    page.evaluate("window.wasHere = true")
    link.click()
    page.wait_for_url(lambda url: url != list_url)
    page.go_back()
    assert page.url == list_url
    assert not page.evaluate("window.wasHere"), "the page came from the back/forward cache"
    assert headlines(scripted_reader) == titles
    assert abs(page.evaluate("scrollY") - scroll) < 50, "the position was lost"
    if page.get_by_role("link", name="Load more").count():
        load_more(scripted_reader)
        assert (
            len(set(story_paths(scripted_reader)))
            == len(headlines(scripted_reader))
            > len(titles)
        )


def test_a_double_click_loads_once(scripted_reader: Window) -> None:
    page = scripted_reader.open(SECTION)
    page.route(
        "**/fragments/stream/**", lambda route: (page.wait_for_timeout(300), route.continue_())
    )
    page.get_by_role("link", name="Load more").dblclick()
    expect(page.locator(".stream .card").nth(PAGE_SIZE)).to_be_visible()
    page.wait_for_timeout(600)
    assert len([url for url in scripted_reader.requests if "/fragments/stream/" in url]) <= 1
    assert len(headlines(scripted_reader)) == 2 * PAGE_SIZE


@pytest.mark.parametrize("site_fixture", ["site", "htmx_2_site"])
def test_back_shows_the_page_from_the_back_forward_cache(
    site_fixture: str, back_forward_cache_browser: Browser, request: pytest.FixtureRequest
) -> None:
    site: RunningSite = request.getfixturevalue(site_fixture)
    with open_window(back_forward_cache_browser, site) as window:
        page, expected = window.open(SECTION), headlines_newest_first()
        load_more(window)
        page.evaluate("window.wasHere = true")
        page.get_by_role("link", name=expected[PAGE_SIZE], exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(expected[PAGE_SIZE])
        page.evaluate("history.back()")
        page.wait_for_url(f"**{SECTION}?through=*", wait_until="commit")
        assert page.evaluate("window.wasHere"), (
            "the page did not come from the back/forward cache"
        )
        assert headlines(window) == expected[: 2 * PAGE_SIZE]
        load_more(window)
        assert headlines(window) == expected[: 3 * PAGE_SIZE]
