"""A block that the editor cannot edit is a card in the text; only its own button removes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

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
from tests.browser.visits import Visit

pytestmark = pytest.mark.browser


def accidental_edits(page: Page) -> dict[str, Any]:
    def backspace() -> None:
        put_cursor(page, "after", at_end=False)
        page.keyboard.press("Backspace")

    def delete() -> None:
        put_cursor(page, "before")
        page.keyboard.press("Delete")

    def over(keys: str) -> None:
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

    def select_all(keys: str) -> None:
        put_cursor(page, "before")
        page.keyboard.press("Control+a")
        page.keyboard.press(keys)

    return {
        "backspace": backspace,
        "delete": delete,
        "typing over": lambda: over("x"),
        "cut": lambda: over("Control+x"),
        "enter": lambda: over("Enter"),
        "delete all": lambda: select_all("Delete"),
        "type over all": lambda: select_all("x"),
    }


@pytest.mark.parametrize(
    "accident",
    ["backspace", "delete", "typing over", "cut", "enter", "delete all", "type over all"],
)
def test_no_accident_takes_an_opaque_block_away(writer: Visit, accident: str) -> None:
    page = open_new(writer, f"<p>before</p>\n{TABLE}\n<p>after</p>")
    accidental_edits(page)[accident]()
    expect(block_card(page, "Table, 2 rows")).to_be_visible()
    expect(page.locator(".editor-status")).to_contain_text(
        "To remove the table, use its Remove button."
    )
    assert field_value(page).count(TABLE) == 1
    page.keyboard.press("Control+z")
    assert field_value(page).count(TABLE) == 1
    page.keyboard.press("Control+Shift+z")
    assert field_value(page).count(TABLE) == 1


def test_formats_do_not_reach_across_an_opaque_block(writer: Visit) -> None:
    opened = f"<p>before</p>\n{TABLE}\n<p>after</p>"
    page = open_new(writer, opened)
    for keys in ("Control+Shift+8", "Control+Alt+q", "Control+Alt+2"):
        put_cursor(page, "before")
        page.keyboard.press("Control+a")
        page.keyboard.press(keys)
        expect(page.locator(".editor-status")).to_contain_text(
            "Select text without the table in it."
        )
        assert field_value(page) == opened
    page.keyboard.press("Control+b")
    assert (
        field_value(page)
        == f"<p><strong>before</strong></p>\n{TABLE}\n<p><strong>after</strong></p>"
    )


def test_remove_asks_and_undo_brings_back(writer: Visit) -> None:
    opened = f"<p>before</p>\n{TABLE}{FIGURE}<p>after</p>"
    page = open_new(writer, opened)
    table = block_card(page, "Table, 2 rows")
    table.get_by_role("button", name="Remove").click()
    expect(table).to_contain_text("Remove this table?")
    expect(table.get_by_role("button", name="Keep")).to_be_focused()
    table.get_by_role("button", name="Keep").click()
    expect(table.get_by_role("button", name="Remove")).to_be_focused()
    assert field_value(page) == opened
    page.keyboard.press("Enter")
    table.get_by_role("button", name="Remove").click()
    expect(table).to_have_count(0)
    removed = f"<p>before</p>\n{FIGURE}<p>after</p>"
    assert field_value(page) == removed
    page.keyboard.press("Control+z")
    expect(table).to_have_count(1)
    assert field_value(page) == opened
    page.keyboard.press("Control+Shift+z")
    assert field_value(page) == removed
    put_cursor(page, "before")
    page.keyboard.press("Delete")
    page.keyboard.type("!")
    assert field_value(page) == f"<p>before!</p>\n{FIGURE}<p>after</p>"


def test_opaque_blocks_move_and_their_keys_are_not_typed(writer: Visit) -> None:
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
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Backspace")
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert field_value(page) == f"<p>one</p>\n<p>two</p>\n{TABLE}"


def test_one_can_write_around_opaque_blocks(writer: Visit) -> None:
    page = open_new(writer, f"{TABLE}{FIGURE}")
    assert field_value(page) == f"{TABLE}{FIGURE}"
    for at, words in enumerate(("first", "middle", "last")):
        editor_text(page).locator("> p").nth(at).click()
        page.keyboard.type(words)
    assert field_value(page) == f"<p>first</p>\n{TABLE}\n<p>middle</p>\n{FIGURE}\n<p>last</p>"


def test_a_paste_is_clean_and_forges_nothing(writer: Visit) -> None:
    page = open_new(writer, f"<p>before</p>\n{TABLE}")
    put_cursor(page, "before")
    paste(
        page,
        '<p class="x" style="color:red" onclick="x()">pasted <strong>bold</strong>'
        " <script>x()</script>"
        '<img src=x onerror=x()><a href="javascript:x()">link</a></p>'
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


def test_a_pasted_table_becomes_a_card(writer: Visit) -> None:
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


def test_what_is_copied_is_clean(writer: Visit) -> None:
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
    assert copied == "<!-- squire --><p>one <strong>two</strong> <mark>three</mark></p>\n<p>end</p>"


def choose_picture(page: Page) -> None:
    tool(page, "Picture").click()
    page.get_by_label("Picture file").set_input_files(BOATS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Alt text").fill("Boats & nets")
    dialog.get_by_label("Caption").fill("The jetty")
    dialog.get_by_label("Credit").fill("Ama Serwaa")


def test_a_picture_is_inserted_after_the_paragraph(writer: Visit) -> None:
    page = open_new(writer, "one\n\ntwo")
    put_cursor(page, "one")
    answers = [
        '<span data-outcome="refused" data-seq="">Too large.</span>',
        "",
        FIGURE.replace("Boats", "Boats &amp; nets"),
    ]
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append((route.request.post_data_buffer or b"").decode())
        body = answers.pop(0)
        if not body:
            route.abort()
            return
        stored_figure = (
            f'<template data-outcome="stored">\n {body}\n</template>' if "figure" in body else body
        )
        route.fulfill(status=200, body=stored_figure, content_type="text/html")

    writer.ignored_errors = ("net::ERR_",)
    page.route("**/newsroom/fragments/pictures", answer)
    choose_picture(page)
    for message in ("Too large.", "Not sent. Try again when you're back online."):
        page.get_by_role("button", name="Insert picture").click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(message)
    page.get_by_role("button", name="Insert picture").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    for field in ("picture", "alt", "caption", "credit", "csrf_token"):
        assert f'name="{field}"' in sent[-1]
    figure = FIGURE.replace("Boats", "Boats &amp; nets")
    assert field_value(page) == f"<p>one</p>\n{figure}\n<p>two</p>"
    page.keyboard.press("Control+z")
    put_cursor(page, "one")
    page.keyboard.press("Control+z")
    assert field_value(page) == "one\n\ntwo"
    page.keyboard.press("Control+Shift+z")
    assert field_value(page) == f"<p>one</p>\n{figure}\n<p>two</p>"


def test_the_words_of_a_picture_can_be_changed(writer: Visit) -> None:
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
    writer: Visit, site: RunningSite, tmp_path: Path
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
