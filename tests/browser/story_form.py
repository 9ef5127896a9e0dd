"""An editor's actions in the story form."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.windows import Window

LABELS = {
    "headline": "Headline",
    "dek": "Standfirst",
    "body": "Story",
    "authors": "Byline",
    "countries": "Countries",
    "topics": "Topics",
    "source_name": "Source",
    "source_url": "Source link",
    "picture_alt": "Alt text",
    "picture_caption": "Caption",
    "picture_credit": "Credit",
}
CHIP_FIELDS = frozenset({"authors", "countries", "topics"})


def fill(page: Page, entries: dict[str, str], picture: Path | None = None) -> None:
    """Fill in the form's fields, found by their labels, and choose a picture if there is one."""
    for name, text in entries.items():
        if name == "body":
            # Afterwards the rich-text editor is either present or will not appear.
            page.wait_for_load_state("load")
        if name == "section":
            page.get_by_label("Section", exact=True).select_option(text)
        elif name == "body" and page.locator("#body-editor").is_visible():
            views = page.get_by_role("group", name="Show the text as")
            views.get_by_role("button", name="HTML").click()
            page.locator("#body").fill(text)
            views.get_by_role("button", name="Write").click()
        elif name in CHIP_FIELDS and page.locator(f"#{name}-entry").count():
            replace_chips(page, name, text)
        else:
            label = re.compile(rf"^\s*{LABELS[name]}(\s+optional)?\s*$")
            field = page.get_by_label(label).and_(page.locator("input, textarea"))
            expect(field).to_have_attribute("name", name)
            field.fill(text)
    if picture is not None:
        page.get_by_label(re.compile(r"^\s*(Another p|P)icture\s+optional\s*$")).set_input_files(
            picture
        )


def replace_chips(page: Page, name: str, text: str) -> None:
    """Replace the names in a field that shows names as chips."""
    chips = page.locator(".tokens", has=page.locator(f"#{name}-entry")).locator(".chip")
    while chips.count():
        chips.first.locator("[data-do=remove]").click()
    page.locator(f"#{name}-entry").fill(text)
    page.locator(f"#{name}-entry").press("Enter")
    expect(page.locator(f"#{name}")).to_have_value(text)


def press(page: Page, button: str) -> None:
    """Press a button and wait for the next page."""
    with page.expect_navigation():
        page.get_by_role("button", name=button, exact=True).click()


def publish(window: Window, entries: dict[str, str]) -> str:
    """Write and publish a story; return its path on the site."""
    page = window.open("/newsroom/stories/new")
    fill(page, entries)
    press(page, "Publish")
    expect(page.locator(".notice")).to_have_text("Published. Readers see the story now.")
    path = page.get_by_role("link", name="On the site").get_attribute("href")
    assert path
    return path
