"""Writing a standing page: the editor, the preview, and what happens to unsaved text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, StorageState, expect

from tests.browser.running_site import RunningSite
from tests.browser.standing_pages import fill_page, write_page
from tests.browser.story_form import press
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser


@pytest.fixture
def window(browser: Browser, site: RunningSite, editor_state: StorageState) -> Iterator[Window]:
    """Window of the editor."""
    with open_window(browser, site, storage_state=editor_state) as window:
        yield window


def test_a_page_is_written_with_the_editor(window: Window) -> None:
    page = window.open("/newsroom/pages/new")
    page.get_by_label("Title").fill("How we work")
    editor = page.locator("#body-editor")
    editor.click()
    page.keyboard.type("We ask twice.")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+B")
    page.keyboard.type("Always.")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Preview").click()
    expect(opened.value.locator(".prose strong")).to_have_text("Always.")
    opened.value.close()
    press(page, "Publish")
    expect(page.get_by_role("status").first).to_contain_text("Readers see the page now.")
    page.locator(".meta-list a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How we work")
    expect(page.locator(".prose p")).to_have_text(["We ask twice.", "Always."])


def test_unsaved_text_is_not_left_without_a_question(window: Window) -> None:
    page = write_page(window, "Ethics", "Old words.", "Save draft")
    questions: list[str] = []

    def stay(dialog: Dialog) -> None:
        questions.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    fill_page(page, "Ethics", "New words.")
    page.get_by_role("link", name="History").click()
    expect(page.locator("#body")).to_have_value("New words.")
    assert questions == ["beforeunload"]
    press(page, "Save draft")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("History")
    assert questions == ["beforeunload"]
