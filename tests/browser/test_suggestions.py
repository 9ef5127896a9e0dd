"""Byline, countries, topics and source: suggestions, and names as chips.

A chip field has a plain input with all names, which is hidden and submitted, and an entry for one
name at a time. Without JavaScript only the plain input exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import AXE
from tests.browser.editor_pages import query_value
from tests.browser.running_site import RunningSite
from tests.browser.test_every_page import NARROW, OVERFLOWING, SCHEMES, violations
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser

# Name, link and detail of the suggestions by field.
SUGGESTIONS = {
    "authors": [("Ama Serwaa", "", "12 stories"), ("Amara <b>Ndiaye</b>", "", "1 story")],
    "countries": [
        ("Mali", "", "ML"),
        ("Malawi", "", "MW"),
        ("Niger", "", "NE"),
        ("Nigeria", "", "NG"),
    ],
    "topics": [("Elections", "", "3 stories")],
    "sources": [("Reuters", "https://www.reuters.com/x", ""), ("Agence", "", "")],
    "stories": [("7 – Mali votes", "", "French"), ("8 – Ports", "", "English")],
}
NEW_STORY_PATH = "/newsroom/stories/new"


def fulfill_suggestions(route: Route) -> None:
    """Respond as the server does, with the names that contain the query."""
    parts = urlsplit(route.request.url)
    query = parse_qs(parts.query, keep_blank_values=True)["q"][0].casefold()
    options = [
        f'<li role="option" aria-selected="false" data-value="{escape(name)}" '
        f'data-url="{link}">{escape(name)}'
        f" <small>{detail}</small></li>"
        for name, link, detail in SUGGESTIONS[parts.path.rpartition("/")[2]]
        if query in name.casefold()
    ]
    route.fulfill(status=200, content_type="text/html; charset=utf-8", body="\n".join(options))


@pytest.fixture
def page(scripted_writer: Window) -> Page:
    """Form of a new story with fixed suggestions."""
    scripted_writer.page.route("**/newsroom/fragments/suggestions/**", fulfill_suggestions)
    return scripted_writer.open(NEW_STORY_PATH)


@pytest.fixture
def writer(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Window]:
    """Window of an editor with the server's own suggestions."""
    with open_window(browser, site, storage_state=editor_state) as window:
        yield window


def entry(page: Page, field: str) -> Locator:
    is_plain = field in {"source_name", "translation_of"}
    return page.locator(f"#{field}" if is_plain else f"#{field}-entry")


def suggestion_list(page: Page, field: str) -> Locator:
    return page.locator(f"#{entry(page, field).get_attribute('id')}-suggestions")


def chips(page: Page, field: str) -> Locator:
    return page.locator(f".field:has(#{field}) .chip-name")


def status(page: Page) -> Locator:
    return page.locator("#suggestion-query + [role=status]")


def set_value(page: Page, field: str, value: str) -> None:
    page.evaluate(
        """([id, value]) => {
          const field = document.getElementById(id);
          field.value = value;
          field.dispatchEvent(new CustomEvent("restored", {bubbles: true}));
        }""",
        [field, value],
    )


def type_in(page: Page, field: str, text: str) -> None:
    entry(page, field).click()
    page.keyboard.type(text)


def test_a_suggestion_is_selected_with_the_keyboard(page: Page) -> None:
    type_in(page, "authors", "am")
    box, list_ = entry(page, "authors"), suggestion_list(page, "authors")
    expect(list_).to_be_visible()
    expect(box).to_have_attribute("role", "combobox")
    expect(box).to_have_attribute("aria-expanded", "true")
    assert box.get_attribute("aria-controls") == list_.get_attribute("id")
    expect(list_.get_by_role("option")).to_have_count(3)
    expect(list_.get_by_role("option").nth(1)).to_contain_text("Amara <b>Ndiaye</b>")
    expect(list_.get_by_role("option").last).to_have_text("Create “am”")
    expect(status(page)).to_have_text("2 suggestions")
    for name, key in (
        ("Ama Serwaa", "ArrowDown"),
        ("Amara <b>Ndiaye</b>", "ArrowDown"),
        ("Ama Serwaa", "ArrowUp"),
    ):
        page.keyboard.press(key)
        option = list_.locator("[aria-selected=true]")
        expect(option).to_have_attribute("data-value", name)
        expect(box).to_have_attribute("aria-activedescendant", str(option.get_attribute("id")))
    page.keyboard.press("Enter")
    expect(chips(page, "authors")).to_have_text(["Ama Serwaa"])
    expect(page.locator("#authors")).to_have_value("Ama Serwaa")
    expect(box).to_have_value("")
    expect(box).to_be_focused()
    expect(list_).to_be_hidden()
    expect(status(page)).to_have_text("Ama Serwaa added")

    page.keyboard.type("am")
    expect(list_).to_be_visible()
    expect(list_.get_by_role("option")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(list_).to_be_hidden()
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).to_have_value("am")
    expect(page.locator("#authors")).to_have_value("Ama Serwaa, am")


def test_a_suggestion_is_selected_with_the_mouse_and_a_new_name_is_added(page: Page) -> None:
    type_in(page, "topics", "elec")
    suggestion_list(page, "topics").get_by_role("option", name="Elections").click()
    expect(chips(page, "topics")).to_have_text(["Elections"])
    expect(entry(page, "topics")).to_be_focused()
    page.keyboard.type("Ferries & boats")
    suggestion_list(page, "topics").get_by_role("option", name="Create “Ferries & boats”").click()
    expect(page.locator("#topics")).to_have_value("Elections, Ferries & boats")


@pytest.mark.parametrize("key", [",", ";", "Enter", "Tab"])
def test_a_typed_name_becomes_a_chip(page: Page, key: str) -> None:
    type_in(page, "authors", "Tesfaye Bekele")
    page.keyboard.press(key)
    expect(chips(page, "authors")).to_have_text(["Tesfaye Bekele"])
    expect(entry(page, "authors")).to_have_value("")
    expect(page.locator("#authors")).to_have_value("Tesfaye Bekele")
    assert urlsplit(page.url).path == NEW_STORY_PATH, "Enter submitted the form"


def test_names_with_commas_are_separated_by_semicolons(page: Page) -> None:
    entry(page, "authors").fill("Okri, Ben; Ama Serwaa; okri, ben")
    page.keyboard.press("Enter")
    expect(chips(page, "authors")).to_have_text(["Okri, Ben", "Ama Serwaa"])
    expect(page.locator("#authors")).to_have_value("Okri, Ben; Ama Serwaa;")
    set_value(page, "authors", "Okri, Ben;")
    expect(chips(page, "authors")).to_have_text(["Okri, Ben"])


def test_only_real_countries_become_chips(page: Page) -> None:
    type_in(page, "countries", "Niger, mali,CI,")
    expect(chips(page, "countries")).to_have_text(["Niger", "Mali", "CI"])
    page.keyboard.type("malaw")
    page.keyboard.press("Enter")
    expect(chips(page, "countries")).to_have_text(["Niger", "Mali", "CI", "Malawi"])
    page.keyboard.type("Atlantis")
    page.keyboard.press("Enter")
    message = page.locator("#countries-unknown")
    expect(message).to_have_text("No country found for “Atlantis”. Choose one from the list.")
    expect(status(page)).to_have_text(message.inner_text())
    expect(entry(page, "countries")).to_have_attribute("aria-invalid", "true")
    expect(entry(page, "countries")).to_have_value("Atlantis")
    expect(page.locator("#countries")).to_have_value("Niger, Mali, CI, Malawi, Atlantis")
    entry(page, "countries").fill("Mal")
    expect(message).to_be_hidden()
    expect(entry(page, "countries")).not_to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Tab")
    expect(message).to_be_visible()
    entry(page, "countries").fill("Atlantis, Nigeria")
    page.keyboard.press("Enter")
    expect(message).to_be_visible()
    expect(page.locator("#countries")).to_have_value("Niger, Mali, CI, Malawi, Atlantis, Nigeria")


def test_chips_are_moved_and_removed_with_the_keyboard(page: Page) -> None:
    set_value(page, "authors", "Ama, Ben, Chi")
    values = page.evaluate_handle(
        """() => {
          const values = [];
          document.getElementById("story").addEventListener("input", event => {
            if (event.target.id === "authors") values.push(event.target.value);
          });
          return values;
        }"""
    )
    entry(page, "authors").click()
    page.keyboard.press("Backspace")  # in the empty entry, focuses the last chip
    expect(page.get_by_role("button", name="Remove Chi")).to_be_focused()
    page.keyboard.press("Alt+ArrowLeft")  # moves the chip
    expect(chips(page, "authors")).to_have_text(["Ama", "Chi", "Ben"])
    expect(page.get_by_role("button", name="Remove Chi")).to_be_focused()
    expect(status(page)).to_have_text("Chi: 2 of 3")
    for _ in range(2):
        page.keyboard.press("Alt+ArrowLeft")
    expect(page.locator("#authors")).to_have_value("Chi, Ama, Ben")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Remove Ama")).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name="Remove Ben")).to_be_focused()
    page.keyboard.press("Delete")
    expect(page.get_by_role("button", name="Remove Chi")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(entry(page, "authors")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Remove Chi")).to_be_focused()
    page.keyboard.press("Delete")
    expect(entry(page, "authors")).to_be_focused()
    expect(page.locator("#authors")).to_have_value("")
    assert values.json_value() == ["Ama, Chi, Ben", "Chi, Ama, Ben", "Chi, Ben", "Chi", ""]


def test_chips_are_moved_and_removed_with_the_mouse(page: Page) -> None:
    set_value(page, "authors", "Ama, Ben")
    page.get_by_role("button", name="Move Ben earlier").click()
    expect(page.locator("#authors")).to_have_value("Ben, Ama")
    expect(page.get_by_role("button", name="Move Ben earlier")).to_be_focused()
    page.get_by_role("button", name="Move Ben earlier").click(force=True)  # it is already first
    expect(page.locator("#authors")).to_have_value("Ben, Ama")
    page.get_by_role("button", name="Move Ben later").click()
    expect(page.locator("#authors")).to_have_value("Ama, Ben")
    type_in(page, "authors", "Chi")
    page.get_by_role("button", name="Remove Ama").click()
    expect(page.locator("#authors")).to_have_value("Ben, Chi")
    set_value(page, "topics", "One, Two")
    expect(page.locator(".field:has(#topics)").get_by_role("button")).to_have_count(2)


def test_shift_tab_adds_the_typed_name_and_focuses_the_chip_before(page: Page) -> None:
    set_value(page, "authors", "Ama")
    type_in(page, "authors", "Chi")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Remove Ama")).to_be_focused()
    expect(page.locator("#authors")).to_have_value("Ama, Chi")


def test_the_plain_input_is_hidden_and_its_label_focuses_the_entry(page: Page) -> None:
    expect(page.locator("#authors")).to_be_hidden()
    page.locator("label", has_text="Byline").click()
    expect(entry(page, "authors")).to_be_focused()
    expect(entry(page, "authors")).to_have_accessible_description("Press Enter after each name.")


def test_selecting_a_source_fills_in_its_link_unless_there_is_one(page: Page) -> None:
    entry(page, "source_name").click()
    expect(suggestion_list(page, "source_name").get_by_role("option")).to_have_count(2)
    page.keyboard.type("reu")
    expect(suggestion_list(page, "source_name").get_by_role("option")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#source_name")).to_have_value("Reuters")
    expect(page.locator("#source_url")).to_have_value("https://www.reuters.com/x")
    expect(suggestion_list(page, "source_name")).to_be_hidden()
    page.locator("#source_url").fill("https://mine.example/")
    entry(page, "source_name").fill("")
    page.keyboard.press("ArrowDown")
    suggestion_list(page, "source_name").get_by_role("option", name="Reuters").click()
    expect(page.locator("#source_url")).to_have_value("https://mine.example/")


def test_selecting_an_original_writes_its_number_and_headline(page: Page) -> None:
    expect(page.locator("#translation_of-hint")).to_contain_text("Type words")
    entry(page, "translation_of").press_sequentially("mali")
    suggestion_list(page, "translation_of").get_by_role("option", name="Mali votes").click()
    expect(entry(page, "translation_of")).to_have_value("7 – Mali votes")
    expect(suggestion_list(page, "translation_of")).to_be_hidden()


def test_requests_for_suggestions_contain_only_the_typed_name(page: Page) -> None:
    page.locator("#headline").fill("A secret headline")
    with page.expect_request("**/suggestions/authors*") as request_info:
        type_in(page, "authors", "a")
    assert urlsplit(request_info.value.url).query == "q=a"
    assert request_info.value.method == "GET" and request_info.value.post_data is None


def test_the_form_submits_the_plain_inputs_but_not_the_entries(writer: Window) -> None:
    page = writer.open(NEW_STORY_PATH)
    page.locator("#headline").fill("Names are submitted")
    page.locator("#section").select_option("business")
    set_value(page, "body", "The first boat.")
    type_in(page, "authors", "Okri, Ama Serwaa,")
    type_in(page, "countries", "Bamako")
    page.keyboard.press("Enter")
    expect(page.locator("#countries")).to_have_value("Mali")
    type_in(page, "topics", "Half typed")
    with page.expect_request(
        lambda request: request.method == "POST" and request.url.endswith(NEW_STORY_PATH)
    ) as sent:
        page.locator(".bar button[name=do][value=save]").click()
    body = sent.value.post_data_buffer or b""
    assert b'name="authors"\r\n\r\nOkri, Ama Serwaa\r\n' in body
    assert b'name="q"' not in body and b"-entry" not in body
    page.wait_for_url(re.compile("/newsroom/stories/[0-9]+"))
    expect(chips(page, "topics")).to_have_text(["Half typed"])
    expect(chips(page, "authors")).to_have_text(["Okri", "Ama Serwaa"])
    article_id = urlsplit(page.url).path.rpartition("/")[2]
    assert (
        query_value(
            writer.site, "SELECT count(*) FROM article_author WHERE article_id = ?", article_id
        )
        == 2
    )


def test_a_refused_country_is_described_at_its_entry(writer: Window) -> None:
    page = writer.open(NEW_STORY_PATH)
    page.locator("#headline").fill("Where is Atlantis?")
    set_value(page, "countries", "Ghana, Atlantis")
    writer.expected_statuses = {422}
    page.locator(".bar button[name=do][value=save]").click()
    expect(page.locator("#countries-error")).to_be_visible()
    expect(chips(page, "countries")).to_have_text(["Ghana", "Atlantis"])
    expect(page.locator("#countries")).to_have_value("Ghana, Atlantis")
    box = entry(page, "countries")
    expect(box).to_have_attribute("aria-invalid", "true")
    assert "countries-error" in (box.get_attribute("aria-describedby") or "").split()


def test_without_htmx_names_still_become_chips(
    browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    with open_window(browser, site, storage_state=editor_state) as window:
        window.page.route(
            site.htmx_url,
            lambda route: route.fulfill(
                status=200,
                body="",
                content_type="text/javascript",
                headers={"access-control-allow-origin": "*"},
            ),
        )
        window.ignored_errors = ("integrity", "digest")
        page = window.open(NEW_STORY_PATH)
        type_in(page, "countries", "Mali, Atlantis,")
        expect(chips(page, "countries")).to_have_text(["Mali", "Atlantis"])


def test_without_script_the_plain_inputs_are_visible(
    browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    with open_window(browser, site, has_script=False, storage_state=editor_state) as window:
        page = window.open(NEW_STORY_PATH)
        for name in ("Byline", "Countries", "Topics"):
            expect(page.get_by_label(name)).to_be_visible()
        expect(page.get_by_role("status")).to_have_count(0)


def test_chips_and_suggestions_fit_the_screen_and_are_accessible(page: Page) -> None:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    set_value(page, "authors", "Ama Serwaa with a very long name indeed, Ben")
    set_value(page, "topics", "Elections")
    for width in (NARROW, {"width": 360, "height": 740}, {"width": 1280, "height": 900}):
        page.set_viewport_size(width)  # type: ignore[arg-type]
        type_in(page, "authors", "am")
        expect(suggestion_list(page, "authors")).to_be_visible()
        page.keyboard.press("ArrowDown")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == []
            assert page.evaluate(OVERFLOWING) == []
        small = page.evaluate(
            """() => [...document.querySelectorAll(".chip button:not([hidden]), [role=option]")]
              .filter(element => element.getClientRects().length)
              .filter(element => Math.min(element.offsetHeight, element.offsetWidth) < 44)
              .map(element => element.outerHTML)"""
        )
        assert small == []
        entry(page, "authors").fill("")
