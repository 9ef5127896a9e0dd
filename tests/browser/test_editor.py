"""The editor of the story form: what is typed becomes clean HTML, what it cannot hold stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.editor_pages import choose, open_new, source, text, tool
from tests.browser.running_site import RunningSite
from tests.browser.visiting import Visit, visit

pytestmark = pytest.mark.browser


@pytest.fixture
def writer(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Visit]:
    """The window of an editor who is logged in."""
    with visit(browser, site, storage_state=editor_state) as visitor:
        yield visitor


def test_typing_gives_paragraphs(writer: Visit) -> None:
    page = open_new(writer)
    text(page).click()
    page.keyboard.type("The first boat.")
    page.keyboard.press("Enter")
    page.keyboard.type("The second.")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("A line.")
    page.keyboard.press("Enter")
    assert source(page) == "<p>The first boat.</p>\n<p>The second.<br>\nA line.</p>"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("Bold", "<p>one <strong>two</strong> three</p>"),
        ("Italic", "<p>one <em>two</em> three</p>"),
        ("Heading 2", "<h2>one two three</h2>"),
        ("Heading 3", "<h3>one two three</h3>"),
        ("Quotation", "<blockquote><p>one two three</p></blockquote>"),
        ("Bulleted list", "<ul><li>one two three</li></ul>"),
        ("Numbered list", "<ol><li>one two three</li></ol>"),
    ],
)
def test_each_button_makes_and_unmakes(writer: Visit, name: str, made: str) -> None:
    page = open_new(writer, "one two three\n\nfour")
    choose(page, "two")
    tool(page, name).click()
    assert source(page) == f"{made}\n<p>four</p>"
    expect(tool(page, name)).to_have_attribute("aria-pressed", "true")
    tool(page, name).click()
    assert source(page) == "<p>one two three</p>\n<p>four</p>"
    expect(tool(page, name)).to_have_attribute("aria-pressed", "false")
