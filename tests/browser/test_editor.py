"""Typing, shortcuts, buttons and dialogs of the rich-text editor; all of them give clean HTML."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import AXE
from tests.browser.editor_pages import (
    MIXED_BODY,
    TABLE,
    block_card,
    editor_text,
    field_value,
    open_new,
    paste,
    put_cursor,
    restore,
    select_text,
    tool,
)
from tests.browser.test_every_page import SCHEMES, violations
from tests.browser.windows import Window

pytestmark = pytest.mark.browser


def test_enter_starts_a_paragraph_and_shift_enter_a_line(writer: Window) -> None:
    page = open_new(writer)
    editor_text(page).click()
    page.keyboard.type("The first boat.")
    page.keyboard.press("Enter")
    page.keyboard.type("The second.")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("A line.")
    page.keyboard.press("Enter")
    assert field_value(page) == "<p>The first boat.</p>\n<p>The second.<br>\nA line.</p>"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Bold", "<p>one <strong>two</strong> three</p>"),
        ("Italic", "<p>one <em>two</em> three</p>"),
        ("H2 heading", "<h2>one two three</h2>"),
        ("H3 heading", "<h3>one two three</h3>"),
        ("Quotation", "<blockquote><p>one two three</p></blockquote>"),
        ("Bulleted list", "<ul><li>one two three</li></ul>"),
        ("Numbered list", "<ol><li>one two three</li></ol>"),
    ],
)
def test_each_button_applies_and_removes_its_format(
    writer: Window, name: str, expected: str
) -> None:
    page = open_new(writer, "<p>one two three</p>\n<p>four</p>")
    select_text(page, "two")
    tool(page, name).click()
    assert field_value(page) == f"{expected}\n<p>four</p>"
    expect(tool(page, name)).to_have_attribute("aria-pressed", "true")
    tool(page, name).click()
    assert field_value(page) == "<p>one two three</p>\n<p>four</p>"
    expect(tool(page, name)).to_have_attribute("aria-pressed", "false")


SHORTCUTS = [
    ("Control+b", "<p>one <strong>two</strong> three</p>"),
    ("Control+i", "<p>one <em>two</em> three</p>"),
    ("Control+Alt+2", "<h2>one two three</h2>"),
    ("Control+Alt+3", "<h3>one two three</h3>"),
    ("Control+Alt+q", "<blockquote><p>one two three</p></blockquote>"),
    ("Control+Shift+8", "<ul><li>one two three</li></ul>"),
    ("Control+Shift+7", "<ol><li>one two three</li></ol>"),
]


@pytest.mark.parametrize(("keys", "expected"), SHORTCUTS)
def test_each_shortcut_applies_its_format_and_can_be_undone(
    writer: Window, keys: str, expected: str
) -> None:
    page = open_new(writer, "<p>one two three</p>\n<p>four</p>")
    select_text(page, "two")
    page.keyboard.press(keys)
    assert field_value(page) == f"{expected}\n<p>four</p>"
    page.keyboard.press("Control+z")  # undo
    assert field_value(page) == "<p>one two three</p>\n<p>four</p>"
    page.keyboard.press("Control+Shift+z")  # redo
    assert field_value(page) == f"{expected}\n<p>four</p>"


def test_list_items_can_be_indented_and_outdented(writer: Window) -> None:
    page = open_new(writer)
    editor_text(page).click()
    page.keyboard.press("Control+Shift+8")  # bulleted list
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+]")  # indent
    page.keyboard.type("deep")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+[")  # outdent
    page.keyboard.type("two")
    html = "<ul><li>one<ul><li>deep</li></ul></li><li>two</li></ul>"
    assert field_value(page) == html
    restore(page, html + "\n<p>end</p>")
    put_cursor(page, "deep")
    page.keyboard.type("er")
    page.keyboard.press("Enter")
    page.keyboard.type("deepest")
    assert field_value(page) == html.replace("deep", "deeper</li><li>deepest") + "\n<p>end</p>"


def test_headings_and_quotations_split_a_list(writer: Window) -> None:
    page = open_new(writer, "<ul><li>one</li><li>two</li><li>three</li></ul>")
    put_cursor(page, "two")
    page.keyboard.press("Control+Alt+2")  # heading
    assert field_value(page) == "<ul><li>one</li></ul>\n<h2>two</h2>\n<ul><li>three</li></ul>"
    put_cursor(page, "two")
    page.keyboard.press("Control+Alt+q")  # quotation
    assert (
        field_value(page)
        == "<ul><li>one</li></ul>\n<blockquote><p>two</p></blockquote>\n<ul><li>three</li></ul>"
    )
    page.keyboard.press("Enter")
    paste(page, "<h2>pasted</h2><p><i> </i>end<b> </b></p>")
    quoted = "<blockquote><p>two</p><p>pasted</p><p>end</p></blockquote>"
    assert field_value(page) == f"<ul><li>one</li></ul>\n{quoted}\n<ul><li>three</li></ul>"


def test_the_toolbar_is_one_tab_stop_and_arrow_keys_move_within_it(writer: Window) -> None:
    page = open_new(writer, "one\n\ntwo")
    page.get_by_role("button", name="HTML", exact=True).focus()
    page.keyboard.press("Tab")
    expect(tool(page, "Bold")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tool(page, "Italic")).to_be_focused()
    page.keyboard.press("End")
    expect(tool(page, "Keyboard shortcuts")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tool(page, "Bold")).to_be_focused()
    page.keyboard.press("ArrowLeft")  # to the last button
    page.keyboard.press("Home")  # to Bold
    page.keyboard.press("ArrowRight")  # to Italic
    page.keyboard.press("Tab")
    expect(editor_text(page)).to_be_focused()
    page.keyboard.press("Alt+F10")  # back to the toolbar's last focused button
    expect(tool(page, "Italic")).to_be_focused()
    page.keyboard.press("Escape")
    expect(editor_text(page)).to_be_focused()
    page.keyboard.press("Tab")  # leaves the editor instead of indenting
    expect(editor_text(page)).not_to_be_focused()
    assert field_value(page) == "one\n\ntwo"


def test_pressed_buttons_follow_the_selection(writer: Window) -> None:
    page = open_new(
        writer, "<p>plain <strong>bold</strong></p><h2>head</h2><ol><li><em>item</em></li></ol>"
    )
    for words, pressed in {
        "plain": [],
        "bold": ["Bold"],
        "head": ["H2 heading"],
        "item": ["Italic", "Numbered list"],
    }.items():
        select_text(page, words)
        expect(page.locator(".tools [aria-pressed=true]")).to_have_count(len(pressed))
        for name in pressed:
            expect(tool(page, name)).to_have_attribute("aria-pressed", "true")


def link_to(page: Page, address: str) -> None:
    page.get_by_label("Link address").fill(address)
    page.get_by_role("button", name="Set link").click()


def test_link_addresses_must_be_of_an_allowed_kind(writer: Window) -> None:
    page = open_new(writer, "see the harbour office\n\nend")
    select_text(page, "harbour")
    page.keyboard.press("Control+k")
    for invalid in (
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "harbour",
        "ftp://a.example",
    ):
        link_to(page, invalid)
        expect(page.get_by_label("Link address")).to_be_focused()
        expect(page.get_by_role("dialog")).to_contain_text("Start with https://")
    link_to(page, "https://harbour.example/?a=1&b=2")
    html = (
        '<p>see the <a href="https://harbour.example/?a=1&amp;b=2">harbour</a> office</p>'
        "\n<p>end</p>"
    )
    assert field_value(page) == html
    for valid in ("/business/table", "mailto:a@b.example", "tel:+233302661234"):
        put_cursor(page, "harb")
        tool(page, "Link").click()
        expect(page.get_by_label("Link address")).not_to_have_value("")
        link_to(page, valid)
        assert (
            field_value(page)
            == f'<p>see the <a href="{valid}">harbour</a> office</p>\n<p>end</p>'
        )
    put_cursor(page, "harb")
    tool(page, "Link").click()
    page.get_by_role("button", name="Remove link").click()
    assert field_value(page) == "see the harbour office\n\nend"


def test_text_composed_with_an_input_method_is_not_disturbed(writer: Window) -> None:
    """Android keyboards compose words: the browser changes the text until the word is complete."""
    page = open_new(writer, f"<p>before</p>\n{TABLE}\n<p>after</p>")
    put_cursor(page, "after")
    session = page.context.new_cdp_session(page)
    for composed in ("ሰ", "ሰላ", "ሰላም"):
        session.send(
            "Input.imeSetComposition",
            {"text": composed, "selectionStart": len(composed), "selectionEnd": len(composed)},
        )
    session.send("Input.insertText", {"text": "ሰላም"})
    assert field_value(page) == f"<p>before</p>\n{TABLE}\n<p>afterሰላም</p>"


@pytest.mark.parametrize(
    "state", ["empty", "opaque blocks", "confirmation", "link", "picture", "help", "html"]
)
def test_the_editor_is_accessible(writer: Window, state: str) -> None:
    page = open_new(writer, "" if state == "empty" else MIXED_BODY)
    if state == "confirmation":
        block_card(page, "Table, 2 rows").get_by_role("button", name="Remove").click()
    elif state == "html":
        page.get_by_role("button", name="HTML").click()
    elif state in ("link", "picture", "help"):
        tool(
            page, {"link": "Link", "picture": "Picture", "help": "Keyboard shortcuts"}[state]
        ).click()
        expect(page.get_by_role("dialog")).to_be_visible()
    if state == "link":
        link_to(page, "wrong")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert not violations(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_each_paragraph_has_the_direction_of_its_script(writer: Window) -> None:
    page = open_new(writer, "Ọkọ̀ ojú omi\n\nالقارب الأول\n\nየመጀመሪያው ጀልባ")
    starts = page.evaluate(
        """() => [...document.querySelectorAll("#body-editor > p")].map((paragraph) => {
          const range = document.createRange();
          range.selectNodeContents(paragraph);
          const [text, box] = [range.getBoundingClientRect(), paragraph.getBoundingClientRect()];
          return text.left - box.left < 1;
        })"""
    )
    assert starts == [True, False, True]
    put_cursor(page, "الأول")
    page.keyboard.insert_text(" يغادر")
    assert "<p>القارب الأول يغادر</p>" in field_value(page)
