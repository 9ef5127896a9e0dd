"""An editor writes, mistypes, previews, publishes, corrects and withdraws a story."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sample_stories import draw_picture
from tests.browser.story_form import fill, press
from tests.browser.windows import Window

pytestmark = pytest.mark.browser

ENTRIES = {
    "headline": "How the ferry keeps “its” <hours> & days",
    "dek": "A timetable that’s older than the road",
    "body": "The first boat leaves at six.\n\nThe second leaves when it is full, ẹ káàárọ̀.\n"
    "\nThere is no third.",
    "section": "business",
    "authors": "Ama Serwaa, Tesfaye Bekele",
    "countries": "Ghana, TG",
    "topics": "Ferries, Timetables",
    "source_name": "Lake Transport Office",
    "source_url": "https://lake.example/hours?a=1&b=2",
    "picture_alt": "A ferry at a jetty",
    "picture_caption": "The ferry at noon.",
    "picture_credit": "Drawing: Ama Serwaa",
}
PARAGRAPHS = ENTRIES["body"].split("\n\n")
NOTE = "An earlier version said that the first boat leaves at five."
REASON = "The timetable turned out to be last year's."


def slug_for(window: Window) -> str:
    return f"ferry-hours-{'script' if window.has_script else 'plain'}"


def expect_entries(page: Page, entries: dict[str, str]) -> None:
    for name, text in entries.items():
        expect(page.locator(f"[name={name}]")).to_have_value(text)


def submit_invalid_form(window: Window, picture: Path) -> None:
    """Submit an unknown country and no section: the form returns with errors and all entries."""
    page, invalid = window.page, {**ENTRIES, "countries": "Ghana, Atlantis"}
    del invalid["section"]
    page.get_by_role("link", name="New story").first.click()
    fill(page, invalid, picture)
    page.get_by_label(re.compile(r"^\s*Web address")).fill(slug_for(window))
    window.expected_statuses = {422}
    press(page, "Save draft")
    window.expected_statuses = set()
    expect(page.locator(".field", has=page.locator("#countries"))).to_contain_text(
        "“Atlantis” is not a country in our list"
    )
    expect(page.locator("#countries")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#countries")).to_have_attribute(
        "aria-describedby", re.compile("countries-error")
    )
    expect(page.locator(".field", has=page.locator("#section"))).to_contain_text(
        "Choose a section."
    )
    expect(page.get_by_role("alert")).to_contain_text("Please check 2 fields")
    expect_entries(page, invalid | {"slug": slug_for(window), "section": ""})
    expect_picture(page, "The picture of this story")


def expect_picture(page: Page, alt: str) -> None:
    picture = page.get_by_role("img", name=alt)
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0


def expect_story(page: Page) -> None:
    """Expect that the page shows every entry."""
    expect(page.get_by_role("heading", level=1)).to_have_text(ENTRIES["headline"])
    expect(page.locator(".story header .dek")).to_have_text(ENTRIES["dek"])
    expect(page.locator(".byline")).to_have_text("by Ama Serwaa and Tesfaye Bekele")
    assert page.locator(".prose p").all_inner_texts() == PARAGRAPHS
    expect_picture(page, ENTRIES["picture_alt"])
    expect(page.locator("figcaption")).to_contain_text(ENTRIES["picture_caption"])
    expect(page.locator("figcaption")).to_contain_text(ENTRIES["picture_credit"])
    expect(page.locator(".source")).to_have_text("Source: Lake Transport Office")
    expect(page.locator(".source a")).to_have_attribute("href", ENTRIES["source_url"])
    assert page.locator(".tags a").all_inner_texts() == ["Ghana", "Togo", "Ferries", "Timetables"]


def check_preview(window: Window) -> None:
    with window.page.expect_popup() as popup:
        window.page.get_by_role("link", name="Saved version").click()
    expect(popup.value.get_by_role("heading", name="Phone")).to_be_visible()
    popup.value.get_by_role("link", name="Page without frames").click()
    expect(
        popup.value.get_by_text("Preview of the last saved version – not published")
    ).to_be_visible()
    expect_story(popup.value)
    popup.value.close()


def test_a_story_is_written_previewed_published_corrected_and_withdrawn(
    editor_window: Window, tmp_path: Path
) -> None:
    window, page = editor_window, editor_window.page
    public_path = f"/business/{slug_for(window)}"
    submit_invalid_form(
        window, draw_picture(tmp_path / "ferry.png", (900, 600 + len(public_path)))
    )
    fill(page, {"countries": ENTRIES["countries"], "section": ENTRIES["section"]})
    press(page, "Save draft")
    expect(page.locator(".notice")).to_have_text("Saved.")
    check_preview(window)
    assert window.site.status(public_path) == 404, "a draft is public"

    press(page, "Publish")
    expect(page.locator(".notice")).to_have_text("Published. Readers see the story now.")
    form_path = window.path.partition("?")[0]
    page.get_by_role("link", name="On the site").click()
    assert window.path == public_path
    expect_story(page)
    page.get_by_label("Breadcrumb").get_by_role("link", name="Business").click()
    expect(page.locator(".card h3").first).to_have_text(ENTRIES["headline"])

    correct(window, form_path, public_path)
    withdraw(window, form_path, public_path)


def correct(window: Window, form_path: str, public_path: str) -> None:
    page = window.open(form_path)
    fill(page, {"body": ENTRIES["body"].replace("at six", "at half past six")})
    page.get_by_label(re.compile(r"^\s*Note to readers")).fill(NOTE)
    press(page, "Publish correction")
    expect(page.locator(".notice")).to_contain_text("Correction published under the story.")
    window.open(public_path)
    expect(page.locator(".prose p").first).to_have_text("The first boat leaves at half past six.")
    expect(page.get_by_role("region", name="Corrections")).to_contain_text(NOTE)
    expect(page.locator(".meta")).to_contain_text("Corrected")
    expect_picture(page, ENTRIES["picture_alt"])


def withdraw(window: Window, form_path: str, public_path: str) -> None:
    page = window.open(form_path)
    page.get_by_text("Withdraw this story").click()
    page.get_by_label("Reason").fill(REASON)
    # The picture is withdrawn with the story, also from pages that are open.
    window.expected_statuses = {410}
    press(page, "Withdraw")
    expect(page.locator(".notice")).to_contain_text("Story withdrawn.")
    response = page.goto(window.site.url + public_path)
    assert response is not None and response.status == 410
    expect(page.get_by_role("heading", level=1)).to_have_text("This story was withdrawn")
    expect(page.locator("main")).to_contain_text(REASON)
    expect(page.locator("main")).not_to_contain_text("The second leaves when it is full")
    window.open("/business/")
    expect(page.get_by_role("link", name=ENTRIES["headline"])).to_have_count(0)
