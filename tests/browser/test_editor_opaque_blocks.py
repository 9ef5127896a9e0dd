"""Blocks that cannot be edited (tables, figures, …) appear as cards with buttons of their own.

Typing, deleting or cutting across a card never removes the block; only its Remove button does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.editor_pages import (
    BOATS,
    FIGURE,
    TABLE,
    block_card,
    editor_text,
    field_value,
    import_story,
    open_new,
    open_story,
    paste,
    put_cursor,
    save,
    select_text,
    stored_body,
    tool,
)
from tests.browser.running_site import RunningSite
from tests.browser.sample_stories import draw_picture
from tests.browser.windows import Window

pytestmark = pytest.mark.browser


def accidental_edits(page: Page) -> dict[str, Callable[[], None]]:
    """Return edits around the table by name, each of which would delete it from plain HTML."""

    def backspace() -> None:
        put_cursor(page, "after", at_end=False)
        page.keyboard.press("Backspace")

    def delete() -> None:
        put_cursor(page, "before")
        page.keyboard.press("Delete")

    def press_over_selection(keys: str) -> None:
        """Select from inside the first paragraph to inside the last, then press keys."""
        page.evaluate(
            """() => {
              const root = document.getElementById("body-editor");
              const first = root.firstElementChild.firstChild;
              const last = root.lastElementChild.firstChild;
              root.focus();
              getSelection().setBaseAndExtent(first, 3, last, 2);
            }"""
        )
        page.wait_for_timeout(30)
        page.keyboard.press(keys)

    def press_over_all(keys: str) -> None:
        put_cursor(page, "before")
        page.keyboard.press("Control+a")
        page.keyboard.press(keys)

    return {
        "backspace": backspace,
        "delete": delete,
        "typing over": lambda: press_over_selection("x"),
        "cut": lambda: press_over_selection("Control+x"),
        "enter": lambda: press_over_selection("Enter"),
        "delete all": lambda: press_over_all("Delete"),
        "type over all": lambda: press_over_all("x"),
    }


@pytest.mark.parametrize(
    "accident",
    ["backspace", "delete", "typing over", "cut", "enter", "delete all", "type over all"],
)
def test_accidental_edits_never_remove_an_opaque_block(writer: Window, accident: str) -> None:
    page = open_new(writer, f"<p>before</p>\n{TABLE}\n<p>after</p>")
    accidental_edits(page)[accident]()
    expect(block_card(page, "Table, 2 rows")).to_be_visible()
    expect(page.locator(".editor-status")).to_contain_text(
        "To remove the table, use its Remove button."
    )
    assert field_value(page).count(TABLE) == 1
    for undo_or_redo in ("Control+z", "Control+Shift+z"):
        page.keyboard.press(undo_or_redo)
        assert field_value(page).count(TABLE) == 1


def test_block_formats_are_refused_for_a_selection_with_an_opaque_block(writer: Window) -> None:
    opened = f"<p>before</p>\n{TABLE}\n<p>after</p>"
    page = open_new(writer, opened)
    for keys in ("Control+Shift+8", "Control+Alt+q", "Control+Alt+2"):  # list, quotation, heading
        put_cursor(page, "before")
        page.keyboard.press("Control+a")
        page.keyboard.press(keys)
        expect(page.locator(".editor-status")).to_contain_text(
            "Select text without the table in it."
        )
        assert field_value(page) == opened
    page.keyboard.press("Control+b")  # bold is no block format
    assert (
        field_value(page)
        == f"<p><strong>before</strong></p>\n{TABLE}\n<p><strong>after</strong></p>"
    )


def test_a_removal_is_confirmed_and_can_be_undone(writer: Window) -> None:
    opened = f"<p>before</p>\n{TABLE}{FIGURE}<p>after</p>"
    page = open_new(writer, opened)
    table = block_card(page, "Table, 2 rows")
    table.get_by_role("button", name="Remove").click()
    expect(table).to_contain_text("Remove this table?")
    expect(table.get_by_role("button", name="Keep")).to_be_focused()
    table.get_by_role("button", name="Keep").click()
    expect(table.get_by_role("button", name="Remove")).to_be_focused()
    assert field_value(page) == opened
    page.keyboard.press("Enter")  # on the focused Remove button; now confirm
    table.get_by_role("button", name="Remove").click()
    expect(table).to_have_count(0)
    removed = f"<p>before</p>\n{FIGURE}<p>after</p>"
    assert field_value(page) == removed
    page.keyboard.press("Control+z")
    expect(table).to_have_count(1)
    assert field_value(page) == opened
    page.keyboard.press("Control+Shift+z")
    assert field_value(page) == removed
    # Delete at the end of a paragraph does not remove the figure after it.
    put_cursor(page, "before")
    page.keyboard.press("Delete")
    page.keyboard.type("!")
    assert field_value(page) == f"<p>before!</p>\n{FIGURE}<p>after</p>"


def test_opaque_blocks_can_be_moved_and_keys_on_their_buttons_are_not_typed(
    writer: Window,
) -> None:
    page = open_new(writer, f"<p>one</p>\n<p>two</p>\n{TABLE}")
    select_text(page, "one")
    up = block_card(page, "Table, 2 rows").get_by_role("button", name="Up")
    up.focus()
    page.keyboard.press("Space")
    expect(up).to_be_focused()
    assert field_value(page) == f"<p>one</p>\n{TABLE}\n<p>two</p>"
    page.keyboard.press("Enter")
    assert field_value(page) == f"{TABLE}\n<p>one</p>\n<p>two</p>"
    page.keyboard.press("Enter")
    expect(page.locator(".editor-status")).to_have_text("The table is already first.")
    page.keyboard.press("ArrowRight")  # to the Down button
    page.keyboard.press("Backspace")  # without effect
    page.keyboard.press("x")  # without effect
    for _ in range(2):
        page.keyboard.press("Enter")  # moves down
    assert field_value(page) == f"<p>one</p>\n<p>two</p>\n{TABLE}"


def test_text_can_be_written_before_between_and_after_opaque_blocks(writer: Window) -> None:
    page = open_new(writer, f"{TABLE}{FIGURE}")
    assert field_value(page) == f"{TABLE}{FIGURE}"
    for index, words in enumerate(("first", "middle", "last")):
        editor_text(page).locator("> p").nth(index).click()
        page.keyboard.type(words)
    assert field_value(page) == f"<p>first</p>\n{TABLE}\n<p>middle</p>\n{FIGURE}\n<p>last</p>"


def test_a_paste_is_sanitized_and_cannot_forge_the_editors_own_markup(writer: Window) -> None:
    page = open_new(writer, f"<p>before</p>\n{TABLE}")
    put_cursor(page, "before")
    paste(
        page,
        '<p class="x" style="color:red" onclick="x()">pasted <strong>bold</strong>'
        " <script>x()</script>"
        '<img src=x onerror=x()><a href="javascript:x()">link</a></p>'
        # From here on, markup that only the editor itself may create.
        '<opaque-block data-block="1" contenteditable="false"></opaque-block>'
        '<p data-key="0" data-as="mark" data-filler="">forged</p><div id="headline">wrapped</div>',
    )
    body = field_value(page)
    assert (
        body
        == f"<p>beforepasted <strong>bold</strong> link</p>\n<p>forged</p>\n<p>wrapped</p>\n{TABLE}"
    )
    expect(page.locator("opaque-block")).to_have_count(1)
    expect(page.locator("#body-editor [id]")).to_have_count(0)


def test_a_pasted_table_becomes_a_card_and_a_layout_table_becomes_text(writer: Window) -> None:
    page = open_new(writer, "before\n\nend")
    put_cursor(page, "before")
    cells = (
        '<tr><td style="color:red" colspan="2">a<strong>b</strong></td></tr><tr><td>c'
        "</td><td>d</td></tr>"
    )
    paste(
        page,
        f'<p> one</p><table class="x">{cells}</table><table><tr><td><p>laid out</p></td>'
        "</tr></table>",
    )
    table = (
        '<table><tbody><tr><td colspan="2">a<strong>b</strong></td></tr>'
        "<tr><td>c</td><td>d</td></tr></tbody></table>"
    )
    assert field_value(page) == f"<p>beforeone</p>\n{table}\n<p>laid out</p>\n<p>end</p>"
    expect(block_card(page, "Table, 2 rows")).to_be_visible()
    page.keyboard.press("Control+z")
    assert field_value(page) == "before\n\nend"
    put_cursor(page, "end", at_end=False)
    paste(page, f"<table>{cells}</table>")
    assert field_value(page) == f"<p>before</p>\n{table}\n<p>end</p>"


def test_copied_html_is_clean_and_has_no_opaque_blocks(writer: Window) -> None:
    page = open_new(writer, f"<p>one <b>two</b> <mark>three</mark></p>\n{TABLE}\n<p>end</p>")
    put_cursor(page, "one")
    page.keyboard.press("Control+a")
    copied = page.evaluate(
        """() => {
          const data = new DataTransfer();
          const options = {clipboardData: data, bubbles: true, cancelable: true};
          const event = new ClipboardEvent("copy", options);
          document.getElementById("body-editor").dispatchEvent(event);
          return data.getData("text/html");
        }"""
    )
    # Squire, the editor library, marks what it puts on the clipboard.
    assert (
        copied == "<!-- squire --><p>one <strong>two</strong> <mark>three</mark></p>\n<p>end</p>"
    )


def choose_picture(page: Page) -> None:
    """Open the picture dialog and fill it in."""
    tool(page, "Picture").click()
    page.get_by_label("Picture file").set_input_files(BOATS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Alt text").fill("Boats & nets")
    dialog.get_by_label("Caption").fill("The jetty")
    dialog.get_by_label("Credit").fill("Ama Serwaa")


def test_a_picture_is_inserted_after_the_paragraph(writer: Window) -> None:
    page = open_new(writer, "one\n\ntwo")
    put_cursor(page, "one")
    figure = FIGURE.replace("Boats", "Boats &amp; nets")
    # A refusal, a broken connection, the stored picture.
    responses = [
        '<span data-outcome="refused" data-seq="">Too large.</span>',
        None,
        f'<template data-outcome="stored">\n {figure}\n</template>',
    ]
    sent: list[str] = []

    def respond(route: Route) -> None:
        sent.append((route.request.post_data_buffer or b"").decode())
        body = responses.pop(0)
        if body is None:
            route.abort()
        else:
            route.fulfill(status=200, body=body, content_type="text/html")

    writer.ignored_errors = ("net::ERR_",)
    page.route("**/newsroom/fragments/pictures", respond)
    choose_picture(page)
    for message in ("Too large.", "Not sent. Try again when you're back online."):
        page.get_by_role("button", name="Insert picture").click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(message)
    page.get_by_role("button", name="Insert picture").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    for field in ("picture", "alt", "caption", "credit", "csrf_token"):
        assert f'name="{field}"' in sent[-1]
    assert field_value(page) == f"<p>one</p>\n{figure}\n<p>two</p>"
    put_cursor(page, "one")  # the new card has the focus, where undo does nothing
    page.keyboard.press("Control+z")
    assert field_value(page) == "one\n\ntwo"
    page.keyboard.press("Control+Shift+z")
    assert field_value(page) == f"<p>one</p>\n{figure}\n<p>two</p>"


def test_the_alt_text_and_caption_of_a_picture_can_be_changed(writer: Window) -> None:
    opened = f"<p>one</p>\n\n{FIGURE}\n\n<p>two</p>"
    page = open_new(writer, opened)
    block_card(page, "Picture: Boats").get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Picture file")).to_have_count(0)
    expect(dialog.get_by_label("Credit")).to_have_value("Ama Serwaa")
    dialog.get_by_label("Alt text").fill('Boats "at" sea')
    dialog.get_by_label("Caption").fill("")
    dialog.get_by_role("button", name="Insert picture").click()
    changed = opened.replace('alt="Boats"', 'alt="Boats &quot;at&quot; sea"').replace(
        "The jetty ", ""
    )
    assert field_value(page) == changed
    put_cursor(page, "one")
    page.keyboard.press("Control+z")
    assert field_value(page) == opened
    expect(block_card(page, "Picture: Boats")).to_have_count(1)


def test_a_picture_is_stored_with_the_story(
    writer: Window, site: RunningSite, tmp_path: Path
) -> None:
    number = import_story(site, tmp_path, "one\n\ntwo")
    page = open_story(writer, number)
    put_cursor(page, "two")
    tool(page, "Picture").click()
    page.get_by_label("Picture file").set_input_files(
        draw_picture(tmp_path / "ferry.png", (900, 600))
    )
    page.get_by_role("dialog").get_by_label("Alt text").fill("A ferry")
    page.get_by_role("button", name="Insert picture").click()
    picture = block_card(page, "Picture: A ferry").get_by_role("presentation")
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 0
    save(writer)
    assert re.fullmatch(
        r'<p>one</p>\n<p>two</p>\n<figure><img src="/media/[^"]+" alt="A ferry" '
        r'width="\d+" height="\d+"></figure>',
        stored_body(site, number),
    )
