"""Openers of the pages that concern standing pages: one for readers, the newsroom's screens."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.sample_stories import LONG_WORD
from tests.browser.story_form import press
from tests.browser.windows import Window

BODY = f"<h2>Who pays</h2><p>Readers. {LONG_WORD}</p><table><tr><td>Year</td></tr></table>"


def write_page(window: Window, title: str, body: str = BODY, button: str = "Publish") -> Page:
    """Save a new standing page; return the page with its form."""
    page = window.open("/newsroom/pages/new")
    fill_page(page, title, body)
    press(page, button)
    return page


def fill_page(page: Page, title: str, body: str) -> None:
    """Fill in title and text of the form of a standing page."""
    page.get_by_label("Title").fill(title)
    page.wait_for_load_state("load")
    if page.locator("#body-editor").is_visible():
        page.get_by_role("button", name="HTML").click()
    page.locator("#body").fill(body)


def open_standing_page(window: Window) -> None:
    """Open a page below another one as readers see it, with both in the menus."""
    write_page(window, "Our funders")
    page = window.page
    parent = page.url.partition("?")[0]
    for menu in ("header", "footer"):
        window.open("/newsroom/pages/menus")
        section = page.locator(f"#{menu}")
        options = section.get_by_label("Add a page").locator("option", has_text="Our funders")
        if options.count():
            value = options.first.get_attribute("value") or ""
            section.get_by_label("Add a page").select_option(value)
            section.get_by_role("button", name="Add").click()
            expect(page.get_by_role("status").first).to_contain_text("Menu saved.")
    window.open("/newsroom/pages/new")
    fill_page(page, "Grants", BODY)
    page.get_by_label("Parent page").select_option(parent.rpartition("/")[2])
    press(page, "Publish")
    page.locator(".meta-list a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Grants")


def open_page_form(window: Window) -> None:
    """Open the form of a public page, ready to be withdrawn."""
    page = write_page(window, "Corrections policy")
    page.get_by_text("Withdraw this page").click()


def open_refused_page(window: Window) -> None:
    """Send the form of a page with several errors."""
    page = window.open("/newsroom/pages/new")
    window.expected_statuses = {422}
    page.get_by_label("Web address").fill("Not A Slug")
    press(page, "Publish")
    expect(page.get_by_role("alert")).to_contain_text("Please check")


def open_page_history(window: Window) -> None:
    """Open the history of a page at its first version."""
    page = write_page(window, "Contact", "Write to us.", "Save draft")
    fill_page(page, "Contact us", "Write or call.")
    press(page, "Save draft")
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="1. started").click()
    expect(page.get_by_role("button", name="Restore version 1")).to_be_visible()


def open_page_conflict(window: Window) -> None:
    """Save a page over a newer version."""
    page = write_page(window, "Privacy notice", "We store nothing.", "Save draft")
    second_page = page.context.new_page()
    second_page.goto(page.url)
    fill_page(second_page, "Privacy notice", "We store the time.")
    press(second_page, "Save draft")
    second_page.close()
    fill_page(page, "Privacy", "We store nothing.")
    window.expected_statuses = {409}
    press(page, "Save draft")
    expect(page.get_by_role("alert")).to_contain_text("Somebody has saved this page")


def open_menus(window: Window) -> None:
    """Open the menus, with two pages in one of them."""
    for title in ("Jobs", "Advertise"):
        page = write_page(window, title, "Words.", "Save draft")
        window.open("/newsroom/pages/menus")
        section = page.locator("#footer")
        option = section.get_by_label("Add a page").locator("option", has_text=title).first
        section.get_by_label("Add a page").select_option(option.get_attribute("value") or "")
        section.get_by_role("button", name="Add").click()
    page.get_by_role("button", name="Up Advertise").first.click()


def open_page_list(window: Window) -> None:
    """Open the list of pages."""
    write_page(window, "Terms of use")
    window.open("/newsroom/pages/")


OPENERS: dict[str, Callable[[Window], None]] = {
    "standing page": open_standing_page,
    "page form": open_page_form,
    "refused page": open_refused_page,
    "page history": open_page_history,
    "page conflict": open_page_conflict,
    "page list": open_page_list,
    "menus": open_menus,
}
