"""Suggestions under the header's search box, with keyboard and mouse; the box without scripts.

The fixture `plain_reader` is a window without JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, Route, expect

from tests.browser.axe import violations
from tests.browser.running_site import RunningSite
from tests.browser.test_every_page import SCHEMES
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser


@pytest.fixture
def window(browser: Browser, site: RunningSite) -> Iterator[Window]:
    """Reader's window wide enough for the search box."""
    with open_window(browser, site) as window:
        yield window


def box(page: Page) -> Locator:
    return page.get_by_label("Search all stories")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def type_in(page: Page, text: str) -> None:
    box(page).click()
    page.keyboard.type(text)


def test_arrow_keys_select_a_suggestion_and_enter_opens_it(window: Window) -> None:
    page = window.open("/culture/pictured")
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    type_in(page, "ma")
    expect(options(page).first).to_be_visible()
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("status")).to_have_text(re.compile("^[0-9]+ suggestions?$"))
    for key, index in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0)):
        page.keyboard.press(key)
        option = options(page).nth(index)
        expect(option).to_have_attribute("aria-selected", "true")
        expect(box(page)).to_have_attribute(
            "aria-activedescendant", str(option.get_attribute("id"))
        )
    page.keyboard.press("ArrowUp")
    expect(box(page)).not_to_have_attribute("aria-activedescendant", re.compile("."))
    topic = options(page).filter(has_text="Market days")
    while topic.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    expect(box(page)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/topic/market-days/")


def test_enter_without_a_selected_suggestion_searches(window: Window) -> None:
    page = window.open("/")
    type_in(page, "village")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=village")


def test_escape_hides_the_suggestions_and_arrow_down_shows_them_again(window: Window) -> None:
    page = window.open("/")
    type_in(page, "ama")
    expect(options(page).filter(has_text="Ama Serwaa")).to_be_visible()
    page.keyboard.press("Escape")
    expect(options(page)).to_have_count(0)
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    expect(box(page)).to_have_value("ama")
    page.keyboard.press("ArrowDown")
    expect(options(page).filter(has_text="Ama Serwaa")).to_be_visible()
    page.keyboard.press("Tab")
    expect(options(page)).to_have_count(0)


def test_clicking_a_suggestion_opens_it(window: Window) -> None:
    page = window.open("/")
    type_in(page, "pict harbour")
    expect(options(page)).to_have_count(0)
    box(page).fill("harbour in")
    options(page).filter(has_text="A harbour in the morning").click()
    page.wait_for_url("**/culture/pictured")
    page.go_back()
    expect(options(page)).to_have_count(0)


def test_suggestions_start_with_the_second_letter(window: Window) -> None:
    page = window.open("/")
    type_in(page, "v")
    page.wait_for_timeout(400)
    expect(options(page)).to_have_count(0)
    page.keyboard.type("illage")
    expect(options(page).first).to_be_visible()
    for _ in range(6):
        page.keyboard.press("Backspace")
    expect(options(page)).to_have_count(0)
    assert len([url for url in window.requests if "/fragments/suggest" in url]) == 1


def test_a_late_response_never_replaces_newer_suggestions(window: Window) -> None:
    page, routes = window.open("/"), list[Route]()
    page.route("**/fragments/suggest?q=village", lambda route: routes.append(route))
    type_in(page, "village")
    while not routes:
        page.wait_for_timeout(20)
    box(page).fill("ama serwaa")
    expect(options(page).filter(has_text="Ama Serwaa")).to_be_visible()
    with suppress(Error):  # the request has been cancelled
        routes[0].fallback()
    page.wait_for_timeout(300)
    expect(options(page).filter(has_text="village")).to_have_count(0)
    expect(options(page).filter(has_text="Ama Serwaa")).to_be_visible()


def test_visible_suggestions_are_accessible_and_fit_the_screen(window: Window) -> None:
    page = window.open("/opinion/long")
    type_in(page, "fer")
    expect(options(page).first).to_be_visible()
    page.keyboard.press("ArrowDown")
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert not violations(page), scheme
    right = page.evaluate(
        "document.getElementById('search-suggestions').getBoundingClientRect().right"
    )
    assert right <= page.evaluate("document.documentElement.clientWidth")


def test_the_box_searches_while_suggestions_fail(window: Window) -> None:
    window.expected_statuses = {503}
    page = window.open("/")
    page.route(
        "**/fragments/suggest?**",
        lambda route: route.fulfill(status=503, body="<a role=option>No</a>"),
    )
    type_in(page, "village")
    page.wait_for_timeout(400)
    expect(options(page)).to_have_count(0)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=village")


def test_without_script_the_box_searches(plain_reader: Window) -> None:
    page = plain_reader.open("/")
    search = page.get_by_role("search").get_by_role("searchbox")
    search.fill("village")
    search.press("Enter")
    page.wait_for_url("**/search?q=village")


def test_a_phone_has_a_link_instead_of_the_box(browser: Browser, site: RunningSite) -> None:
    with open_window(browser, site, viewport={"width": 320, "height": 640}) as window:
        page = window.open("/")
        expect(box(page)).to_be_hidden()
        page.wait_for_load_state("networkidle")
        # The script is loaded only where the box is visible.
        assert not [url for url in window.requests if "/js/search.js" in url]
        page.get_by_role("link", name="Search", exact=True).click()
        page.wait_for_url("**/search")
