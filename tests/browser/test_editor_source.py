"""The editor preserves a story's source byte for byte, except what was edited."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from spectator.text.html import paragraphs
from tests.browser.editor_pages import (
    EDITABLE_BLOCKS,
    FIGURE,
    MIXED_BODY,
    TABLE,
    block_card,
    editor_text,
    field_value,
    import_story,
    open_new,
    open_story,
    put_cursor,
    save,
    stored_body,
    tool,
)
from tests.browser.modules import module
from tests.browser.running_site import RunningSite
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser


def test_opening_and_saving_a_story_does_not_change_its_source(
    writer: Window, site: RunningSite, tmp_path: Path
) -> None:
    rows = "".join(f"<tr><td>{row}</td><td>ballots</td></tr>" for row in range(3000))
    number = import_story(site, tmp_path, f"{MIXED_BODY}\n<table><tbody>{rows}</tbody></table>")
    before = stored_body(site, number)
    assert before.count("<tr>") == 3002 and "<mark>" in before and "<iframe" in before
    page = open_story(writer, number)
    expect(block_card(page, "Table, 3,000 rows")).to_be_visible()
    put_cursor(page, "Hours")
    tool(page, "Bold").focus()
    save(writer)
    assert stored_body(site, number) == before


def test_editing_one_paragraph_does_not_change_the_others(
    writer: Window, site: RunningSite, tmp_path: Path
) -> None:
    number = import_story(site, tmp_path, MIXED_BODY)
    before = stored_body(site, number)
    page = open_story(writer, number)
    put_cursor(page, "ይነሳል።")
    page.keyboard.type(" ሌላ")
    save(writer)
    assert "ይነሳል። ሌላ" in stored_body(site, number)
    assert stored_body(site, number) == before.replace("ይነሳል።", "ይነሳል። ሌላ")


def test_edited_blocks_keep_their_markup(writer: Window) -> None:
    page = open_new(writer, MIXED_BODY)
    for words in ("leaves at", "الساعة", "aago", "Deep", "Bare", "Quoted", "A note"):
        put_cursor(page, words)
        page.keyboard.type("X")
    written = field_value(page)
    for fragment in (
        '<p id="p-1">',
        "<strong>six</strong>, <strong>not</strong> <em>five</em>&nbsp;: "
        '<a href="#fn-1" id="fnref-1">1</a></p><h2>Hours</h2>',
        '<p dir="rtl" lang="ar">',
        '<span lang="en" dir="ltr">Suez</span>',
        "<ul><li>One</li><li>Two<ol><li>DeepX <mark>marked</mark></li></ol></li></ul>",
        "<blockquote><p>BareX <em>words</em></p></blockquote>",
        '<blockquote cite="https://a.example/"><p>QuotedX</p></blockquote>',
        '<del datetime="2025-01-01">old</del><ins>new</ins>, <abbr title="a">b</abbr>'
        '<abbr title="c">d</abbr>',
        TABLE,
        FIGURE,
        "<pre>  a\n    b</pre><hr><h4>Small</h4>",
        "Loose <em>text</em> and <br> a break",
    ):
        assert fragment in written
    assert "class=" not in written and "style=" not in written and "data-" not in written


def test_the_editor_splits_plain_text_into_paragraphs_as_the_server_does(writer: Window) -> None:
    page = open_new(writer)
    texts = [
        "One\n\nTwo\nlines\n\n\n Three ",
        "A\nB",
        "x<y & <anna@example.com> <b>bold</b> &amp;",
        " \n\n",
        "a <script>b",
        "a\r\nb\u2028c",
        "<!-- c -->\n\nd",
        "<P >x",
        "<spanner>\n\n</em>",
        MIXED_BODY,
    ]
    bodies = page.evaluate(
        f"""async texts => {{
          const {{ isPlain, makeParagraphs }} = {module("html_source")};
          return texts.map(text => isPlain(text) ? makeParagraphs(text) : text);
        }}""",
        texts,
    )
    assert bodies == [paragraphs.body_html(text) for text in texts]


def test_plain_text_stays_plain_until_it_is_edited(writer: Window) -> None:
    plain = "One & <i>only</i>\nline\n\n“x<y”"
    page = open_new(writer, plain)
    put_cursor(page, "line")
    assert field_value(page) == plain
    page.keyboard.type("s")
    assert field_value(page) == "<p>One &amp; <em>only</em><br>\nlines</p>\n<p>“x&lt;y”</p>"
    page.keyboard.press("Backspace")
    assert field_value(page) == plain


@pytest.mark.parametrize(
    "broken",
    [
        "<p>one<p>two",
        "<ul><li>one<li>two</ul><p>end</p>",
        "<p>one</b></p><table><tr><td>x</table>",
        "<p>a <b c</p>",
        "<div><p>x</div>",
    ],
)
def test_source_with_unbalanced_tags_can_be_edited(writer: Window, broken: str) -> None:
    page = open_new(writer, broken)
    assert field_value(page) == broken
    assert editor_text(page).locator(f"opaque-block, {EDITABLE_BLOCKS}").count() >= 1
    editor_text(page).locator("> :is(p, ul, h2)").last.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" more")
    assert field_value(page).endswith("more</p>")


def test_the_html_view_shows_and_changes_the_source(writer: Window) -> None:
    opened = f"<p>one</p>\n\n{TABLE}"
    page = open_new(writer, opened)
    put_cursor(page, "one")
    page.keyboard.type("!")
    page.get_by_role("button", name="HTML").click()
    field = page.locator("#body")
    expect(field).to_be_focused()
    expect(field).to_have_value(opened.replace("one", "one!"))
    expect(editor_text(page)).to_be_hidden()
    field.fill("<p>typed <u>here</u></p>\n<hr>")
    page.get_by_role("button", name="Write").click()
    expect(editor_text(page)).to_be_focused()
    expect(field).to_be_hidden()
    expect(editor_text(page).locator("u")).to_have_text("here")
    expect(block_card(page, "Dividing line")).to_be_visible()
    assert field_value(page) == "<p>typed <u>here</u></p>\n<hr>"


def test_each_change_fires_one_input_event_and_the_field_is_current_on_submit(
    writer: Window,
) -> None:
    page = open_new(writer, "<p>one</p>")
    page.evaluate(
        "window.inputs = 0; document.getElementById('body').addEventListener('input', () =>"
        " (window.inputs += 1))"
    )
    put_cursor(page, "one")
    page.keyboard.type(" two")
    assert field_value(page) == "<p>one two</p>"
    # The typing may be reported in one or two events; reading the field fires none.
    count = page.evaluate("window.inputs")
    assert count in (1, 2)
    assert field_value(page)
    assert page.evaluate("window.inputs") == count
    page.keyboard.type("!")
    sent = page.evaluate(
        """() => {
          const form = document.getElementById("story");
          form.dispatchEvent(new Event("submit", {cancelable: true, bubbles: true}));
          return document.getElementById("body").value;
        }"""
    )
    assert sent == "<p>one two!</p>"


def test_scripts_in_a_body_never_run_and_nothing_loads_from_other_sites(writer: Window) -> None:
    hostile = (
        '<p>x<img src="x" onerror="window.ran = 1"></p><div onclick="x()">'
        '<img src="https://evil.example/x.png"></div>'
        '<figure><img src="https://evil.example/y.png" alt="y" onerror="window.ran = 1"></figure>'
        '<iframe src="javascript:parent.ran = 1"></iframe><script>window.ran = 1</script>'
        '<svg onload="window.ran = 1"></svg>'
        '<p><a href="javascript:window.ran = 1">link</a></p>'
    )
    page = open_new(writer, hostile)
    put_cursor(page, "link")
    page.keyboard.type("!")
    assert "link" in field_value(page) and "<p><a" not in field_value(page)
    assert page.evaluate("window.ran") is None
    assert not [url for url in writer.requests if "evil.example" in url]


def test_a_long_story_opens_quickly(writer: Window, site: RunningSite, tmp_path: Path) -> None:
    rows = "".join(f"<tr><td>{row}</td></tr>" for row in range(3000))
    many_paragraphs = "\n".join(
        f"<p>Paragraph {index} <em>of</em> many.</p>" for index in range(300)
    )
    number = import_story(
        site, tmp_path, f"{many_paragraphs}\n<table><tbody>{rows}</tbody></table>"
    )
    page = open_story(writer, number)
    milliseconds = page.evaluate(
        """() => {
          const field = document.getElementById("body");
          const start = performance.now();
          field.dispatchEvent(new CustomEvent("restored"));
          return performance.now() - start;
        }"""
    )
    assert milliseconds < 1500
    put_cursor(page, "Paragraph 150")
    page.keyboard.type("!")
    assert "<p>Paragraph 150! <em>of</em> many.</p>" in field_value(page)


def test_without_the_cdn_the_story_can_be_written_in_the_textarea(
    browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    with open_window(browser, site, storage_state=editor_state) as window:
        window.ignored_errors = ("net::ERR_",)
        window.page.context.route("https://cdn.jsdelivr.net/**", lambda route: route.abort())
        page = window.open("/newsroom/stories/new")
        expect(page.locator("#body")).to_be_visible()
        expect(editor_text(page)).to_have_count(0)


def test_notes_to_editors_stay_where_they_are_while_the_text_around_them_is_edited(
    writer: Window,
) -> None:
    note = "<editor-note>[form title=&lt;b&gt;]</editor-note>"
    page = open_new(writer, f"<p>Before {note} after</p>\n<p>{note}</p>\n<p>End</p>")
    expect(block_card(page, "Paragraph")).to_have_count(0)
    notes = editor_text(page).locator('[data-as="editor-note"]')
    expect(notes).to_have_text(["[form title=<b>]"] * 2)
    put_cursor(page, "Before")
    page.keyboard.type("X")
    put_cursor(page, "after")
    page.keyboard.type("Y")
    assert field_value(page) == (f"<p>BeforeX {note} afterY</p>\n<p>{note}</p>\n<p>End</p>")
