"""Two editors of one story, with and without scripts, see each other and lose no text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.page_kinds import write
from tests.browser.running_site import RunningSite, spectator
from tests.browser.story_form import fill, press
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser
COLLEAGUE = "colleague@news.example"


@pytest.fixture(scope="session")
def colleague_password(site: RunningSite) -> str:
    """Password of a second editor, as the command prints it."""
    printed = spectator(
        site.data_dir, "user", "add", COLLEAGUE, "--role", "editor", "--name", "Second Editor"
    )
    return printed.partition("with the password ")[2].split()[0]


@pytest.fixture(params=["script", "no script"])
def both_windows(
    request: pytest.FixtureRequest,
    browser: Browser,
    site: RunningSite,
    editor_state: Any,
    colleague_password: str,
) -> Iterator[tuple[Window, Window]]:
    """Windows of two logged-in editors."""
    has_script = request.param == "script"
    with (
        open_window(browser, site, has_script=has_script, storage_state=editor_state) as one,
        open_window(browser, site, has_script=has_script) as two,
    ):
        page = two.open("/newsroom/login")
        page.get_by_label("Email").fill(COLLEAGUE)
        page.get_by_label("Password").fill(colleague_password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/newsroom/stories/")
        yield one, two


def paragraphs_of(page: Page) -> list[str]:
    """Return the paragraphs of the form's text, HTML or plain."""
    text = page.locator("#body").input_value().replace("<p>", "\n").replace("</p>", "\n")
    return [line.strip() for line in text.split("\n") if line.strip()]


def test_changes_of_both_editors_are_merged(both_windows: tuple[Window, Window]) -> None:
    one, two = both_windows
    write(one, "A river with two banks", "The left bank.\n\nThe water.\n\nThe right bank.")
    path = one.path.partition("?")[0]
    one.open(path)
    two.open(path)
    if one.has_script:
        expect(one.page.locator("#presence")).to_contain_text(
            "Second Editor is also editing.", timeout=10_000
        )
        expect(two.page.locator("#presence")).to_contain_text(
            "Test Editor is also editing.", timeout=10_000
        )
    fill(
        two.page,
        {"body": "The left bank, theirs.\n\nThe water.\n\nThe right bank.", "dek": "Their dek"},
    )
    press(two.page, "Save draft")
    if one.has_script:
        expect(one.page.locator("#presence")).to_contain_text(
            "saved a newer version", timeout=10_000
        )
    fill(
        one.page,
        {"body": "The left bank.\n\nThe water.\n\nThe right bank, mine.", "headline": "My river"},
    )
    one.expected_statuses = {409}
    press(one.page, "Save draft")
    one.expected_statuses = set()
    expect(one.page.get_by_role("alert")).to_contain_text(
        "Second Editor saved this story while you were writing"
    )
    press(one.page, "Save my choices")
    expect(one.page.locator(".notice")).to_have_text("Saved.")
    assert paragraphs_of(one.page) == [
        "The left bank, theirs.",
        "The water.",
        "The right bank, mine.",
    ]
    expect(one.page.locator("#headline")).to_have_value("My river")
    expect(one.page.locator("#dek")).to_have_value("Their dek")


def test_two_versions_of_one_field_need_a_choice(both_windows: tuple[Window, Window]) -> None:
    one, two = both_windows
    write(one, "One headline")
    path = one.path.partition("?")[0]
    one.open(path)
    two.open(path)
    fill(two.page, {"headline": "Their headline"})
    press(two.page, "Save draft")
    fill(one.page, {"headline": "My headline"})
    one.expected_statuses = {409, 422}
    press(one.page, "Save draft")
    press(one.page, "Save my choices")
    expect(one.page.get_by_role("alert")).to_contain_text("Choose a version of each of these")
    one.page.get_by_label("Your version").check()
    press(one.page, "Save my choices")
    expect(one.page.locator("#headline")).to_have_value("My headline")
