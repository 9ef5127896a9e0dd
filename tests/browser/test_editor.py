"""The editor of the story form: what is typed becomes clean HTML, what it cannot hold stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from spectator.text import html, markup, paragraphs
from tests.browser.conftest import AXE
from tests.browser.editor_pages import (
    HELD,
    card,
    choose,
    open_new,
    open_story,
    paste,
    put_cursor,
    restore,
    save,
    seed,
    source,
    stored,
    text,
    tool,
)
from tests.browser.running_site import CHECKOUT, RunningSite
from tests.browser.test_every_page import violations
from tests.browser.visiting import Visit, visit

pytestmark = pytest.mark.browser

BOATS = CHECKOUT / "static" / "img" / "icon.svg"
FIGURE = (
    '<figure><img src="/media/boats.jpg" alt="Boats" width="4" height="3">'
    "<figcaption>The jetty <cite>Ama Serwaa</cite></figcaption></figure>"
)
TABLE = "<table><thead><tr><th>Ward</th></tr></thead><tbody><tr><td>Keta &amp; Anlo</td></tr></tbody></table>"
# Every kind of block, with and without white space between, as the server stores it.
MIXED = "\n".join(
    (
        '<p id="p-1">The first boat leaves at <b>six</b>, <strong>not</strong> <i>five</i>&nbsp;: '
        '<a href="#fn-1" id="fnref-1" rel="noopener">1</a></p><h2>Hours</h2>',
        TABLE,
        '<p dir="rtl" lang="ar">القارب الأول يغادر في <span lang="en" dir="ltr">Suez</span> الساعة السادسة.</p>\n',
        '<p lang="am">የመጀመሪያው ጀልባ በስድስት ሰዓት ይነሳል።</p>',
        '<p lang="yo">Ọkọ̀ ojú omi àkọ́kọ́ máa ń lọ ní aago mẹ́fà.</p>',
        FIGURE,
        '<iframe src="https://www.youtube.com/embed/x" title="A ferry" width="560" height="315"></iframe>',
        "<ul>\n<li>One</li>\n<li>Two\n<ol><li>Deep <mark>marked</mark></li></ol></li>\n</ul>",
        '<blockquote>Bare <em>words</em></blockquote><blockquote cite="https://a.example/"><p>Quoted</p></blockquote>',
        "<details><summary>More</summary><p>Hidden</p></details>",
        "<pre>  a\n    b</pre><hr><h4>Small</h4><dl><dt>T</dt><dd>D</dd></dl>",
        "Loose <em>text</em> and <br> a break",
        '<p>In a <kbd>key</kbd> and <img src="/media/boats.jpg" alt="inside"></p>',
        '<p id="fn-1">A note, <del datetime="2025-01-01">old</del><ins>new</ins>, '
        '<abbr title="a">b</abbr><abbr title="c">d</abbr>. <a href="#fnref-1" rel="noopener">Back</a></p>',
    )
)


@pytest.fixture
def writer(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Visit]:
    """The window of an editor who is logged in."""
    with visit(browser, site, storage_state=editor_state) as visitor:
        visitor.page.route("**/media/boats.jpg", lambda route: route.fulfill(path=BOATS))
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
        ("H2 heading", "<h2>one two three</h2>"),
        ("H3 heading", "<h3>one two three</h3>"),
        ("Quotation", "<blockquote><p>one two three</p></blockquote>"),
        ("Bulleted list", "<ul><li>one two three</li></ul>"),
        ("Numbered list", "<ol><li>one two three</li></ol>"),
    ],
)
def test_each_button_makes_and_unmakes(writer: Visit, name: str, made: str) -> None:
    page = open_new(writer, "<p>one two three</p>\n<p>four</p>")
    choose(page, "two")
    tool(page, name).click()
    assert source(page) == f"{made}\n<p>four</p>"
    expect(tool(page, name)).to_have_attribute("aria-pressed", "true")
    tool(page, name).click()
    assert source(page) == "<p>one two three</p>\n<p>four</p>"
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


@pytest.mark.parametrize(("keys", "made"), SHORTCUTS)
def test_each_shortcut(writer: Visit, keys: str, made: str) -> None:
    page = open_new(writer, "<p>one two three</p>\n<p>four</p>")
    choose(page, "two")
    page.keyboard.press(keys)
    assert source(page) == f"{made}\n<p>four</p>"
    page.keyboard.press("Control+z")
    assert source(page) == "<p>one two three</p>\n<p>four</p>"
    page.keyboard.press("Control+Shift+z")
    assert source(page) == f"{made}\n<p>four</p>"


def test_a_list_has_levels_and_clean_items(writer: Visit) -> None:
    page = open_new(writer)
    text(page).click()
    page.keyboard.press("Control+Shift+8")
    page.keyboard.type("one")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+]")
    page.keyboard.type("deep")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+[")
    page.keyboard.type("two")
    made = "<ul><li>one<ul><li>deep</li></ul></li><li>two</li></ul>"
    assert source(page) == made
    restore(page, made + "\n<p>end</p>")
    put_cursor(page, "deep")
    page.keyboard.type("er")
    page.keyboard.press("Enter")
    page.keyboard.type("deepest")
    assert source(page) == made.replace("deep", "deeper</li><li>deepest") + "\n<p>end</p>"


def test_headings_leave_lists_and_quotations(writer: Visit) -> None:
    page = open_new(writer, "<ul><li>one</li><li>two</li><li>three</li></ul>")
    put_cursor(page, "two")
    page.keyboard.press("Control+Alt+2")
    assert source(page) == "<ul><li>one</li></ul>\n<h2>two</h2>\n<ul><li>three</li></ul>"
    put_cursor(page, "two")
    page.keyboard.press("Control+Alt+q")
    assert source(page) == "<ul><li>one</li></ul>\n<blockquote><p>two</p></blockquote>\n<ul><li>three</li></ul>"


def test_the_toolbar_is_one_stop_and_arrows_go_on(writer: Visit) -> None:
    page = open_new(writer, "one\n\ntwo")
    page.get_by_role("button", name="HTML", exact=True).focus()
    page.keyboard.press("Tab")
    expect(tool(page, "Bold")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tool(page, "Italic")).to_be_focused()
    page.keyboard.press("End")
    expect(tool(page, "Keys")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tool(page, "Bold")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    expect(text(page)).to_be_focused()
    page.keyboard.press("Alt+F10")
    expect(tool(page, "Italic")).to_be_focused()
    page.keyboard.press("Escape")
    expect(text(page)).to_be_focused()
    page.keyboard.press("Tab")
    expect(text(page)).not_to_be_focused()
    assert source(page) == "one\n\ntwo"


def test_pressed_buttons_follow_the_selection(writer: Visit) -> None:
    page = open_new(writer, "<p>plain <strong>bold</strong></p><h2>head</h2><ol><li><em>item</em></li></ol>")
    for words, pressed in {
        "plain": [],
        "bold": ["Bold"],
        "head": ["H2 heading"],
        "item": ["Italic", "Numbered list"],
    }.items():
        choose(page, words)
        expect(page.locator(".tools [aria-pressed=true]")).to_have_count(len(pressed))
        for name in pressed:
            expect(tool(page, name)).to_have_attribute("aria-pressed", "true")


def link_to(page: Page, address: str) -> None:
    page.get_by_label("Link address").fill(address)
    page.get_by_role("button", name="Set link").click()


def test_links_take_only_addresses_that_may_be_stored(writer: Visit) -> None:
    page = open_new(writer, "see the harbour office\n\nend")
    choose(page, "harbour")
    page.keyboard.press("Control+k")
    for wrong in (
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "harbour",
        "ftp://a.example",
    ):
        link_to(page, wrong)
        expect(page.get_by_label("Link address")).to_be_focused()
        expect(page.get_by_role("dialog")).to_contain_text("Begin with https://")
    link_to(page, "https://harbour.example/?a=1&b=2")
    made = '<p>see the <a href="https://harbour.example/?a=1&amp;b=2">harbour</a> office</p>\n<p>end</p>'
    assert source(page) == made
    for right in ("/business/table", "mailto:a@b.example", "tel:+233302661234"):
        put_cursor(page, "harb")
        tool(page, "Link").click()
        expect(page.get_by_label("Link address")).not_to_have_value("")
        link_to(page, right)
        assert source(page) == f'<p>see the <a href="{right}">harbour</a> office</p>\n<p>end</p>'
    put_cursor(page, "harb")
    tool(page, "Link").click()
    page.get_by_role("button", name="Remove link").click()
    assert source(page) == "see the harbour office\n\nend"


def test_a_story_opened_and_saved_is_the_same(writer: Visit, site: RunningSite, tmp_path: Path) -> None:
    rows = "".join(f"<tr><td>{row}</td><td>ballots</td></tr>" for row in range(3000))
    number = seed(site, tmp_path, f"{MIXED}\n<table><tbody>{rows}</tbody></table>")
    before = stored(site, number)
    assert before.count("<tr>") == 3002 and "<mark>" in before and "<iframe" in before
    page = open_story(writer, number)
    expect(card(page, "Table, 3,000 rows")).to_be_visible()
    put_cursor(page, "Hours")
    tool(page, "Bold").focus()
    save(writer)
    assert stored(site, number) == before


def test_one_paragraph_touched_leaves_the_others_alone(writer: Visit, site: RunningSite, tmp_path: Path) -> None:
    number = seed(site, tmp_path, MIXED)
    before = stored(site, number)
    page = open_story(writer, number)
    put_cursor(page, "ይነሳል።")
    page.keyboard.type(" ሌላ")
    save(writer)
    assert "ይነሳል። ሌላ" in stored(site, number)
    assert stored(site, number) == before.replace("ይነሳል።", "ይነሳል። ሌላ")


def test_every_block_can_be_touched_and_keeps_what_it_is(writer: Visit) -> None:
    page = open_new(writer, MIXED)
    for words in ("leaves at", "الساعة", "aago", "Deep", "Bare", "Quoted", "A note"):
        put_cursor(page, words)
        page.keyboard.type("X")
    written = source(page)
    for kept in (
        '<p id="p-1">',
        "<strong>six</strong>, <strong>not</strong> <em>five</em>&nbsp;: "
        '<a href="#fn-1" id="fnref-1">1</a></p><h2>Hours</h2>',
        '<p dir="rtl" lang="ar">',
        '<span lang="en" dir="ltr">Suez</span>',
        "<ul><li>One</li><li>Two<ol><li>DeepX <mark>marked</mark></li></ol></li></ul>",
        "<blockquote><p>BareX <em>words</em></p></blockquote>",
        '<blockquote cite="https://a.example/"><p>QuotedX</p></blockquote>',
        '<del datetime="2025-01-01">old</del><ins>new</ins>, <abbr title="a">b</abbr><abbr title="c">d</abbr>',
        TABLE,
        FIGURE,
        "<pre>  a\n    b</pre><hr><h4>Small</h4>",
        "Loose <em>text</em> and <br> a break",
    ):
        assert kept in written
    assert "class=" not in written and "style=" not in written and "data-" not in written


def test_plain_text_is_read_as_the_server_reads_it(writer: Visit) -> None:
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
        MIXED,
    ]
    made = page.evaluate(
        "texts => texts.map(text => spectatorEditor.isPlain(text) ? spectatorEditor.paragraphs(text) : text)", texts
    )
    assert made == [paragraphs.body_html(each) for each in texts]
    names = page.evaluate("[spectatorEditor.BLOCKS.split(' '), spectatorEditor.KNOWN.split(' ')]")
    assert set(names[0]) == markup.BLOCKS | {"iframe", "video", "audio", "td", "th"}
    known = html.TAGS | markup.SKIPPED | {"font", "form", "input", "button", "object", "embed", "noscript"}
    assert known <= set(names[1]) <= known | markup.BLOCKS


def test_plain_text_stays_plain_until_it_is_touched(writer: Visit) -> None:
    plain = "One & <i>only</i>\nline\n\n“x<y”"
    page = open_new(writer, plain)
    put_cursor(page, "line")
    assert source(page) == plain
    page.keyboard.type("s")
    assert source(page) == "<p>One &amp; <em>only</em><br>\nlines</p>\n<p>“x&lt;y”</p>"
    page.keyboard.press("Backspace")
    assert source(page) == plain


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
def test_source_that_does_not_pair_is_mended(writer: Visit, broken: str) -> None:
    page = open_new(writer, broken)
    assert source(page) == broken
    assert text(page).locator(f"story-island, {HELD}").count() >= 1
    text(page).locator("> :is(p, ul, h2)").last.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" more")
    assert source(page).endswith("more</p>")


def accidents(page: Page) -> dict[str, Any]:
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
              const [first, last] = [root.firstElementChild.firstChild, root.lastElementChild.firstChild];
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
    "accident", ["backspace", "delete", "typing over", "cut", "enter", "delete all", "type over all"]
)
def test_no_accident_takes_an_island_away(writer: Visit, accident: str) -> None:
    page = open_new(writer, f"<p>before</p>\n{TABLE}\n<p>after</p>")
    accidents(page)[accident]()
    expect(card(page, "Table, 2 rows")).to_be_visible()
    expect(page.locator(".says")).to_contain_text("The table stays: use its Remove button.")
    assert source(page).count(TABLE) == 1
    page.keyboard.press("Control+z")
    assert source(page).count(TABLE) == 1
    page.keyboard.press("Control+Shift+z")
    assert source(page).count(TABLE) == 1


def test_formats_do_not_reach_across_an_island(writer: Visit) -> None:
    opened = f"<p>before</p>\n{TABLE}\n<p>after</p>"
    page = open_new(writer, opened)
    for keys in ("Control+Shift+8", "Control+Alt+q", "Control+Alt+2"):
        put_cursor(page, "before")
        page.keyboard.press("Control+a")
        page.keyboard.press(keys)
        expect(page.locator(".says")).to_contain_text("Choose text without the table in it.")
        assert source(page) == opened
    page.keyboard.press("Control+b")
    assert source(page) == f"<p><strong>before</strong></p>\n{TABLE}\n<p><strong>after</strong></p>"


def test_remove_asks_and_undo_brings_back(writer: Visit) -> None:
    opened = f"<p>before</p>\n{TABLE}{FIGURE}<p>after</p>"
    page = open_new(writer, opened)
    table = card(page, "Table, 2 rows")
    table.get_by_role("button", name="Remove").click()
    expect(table).to_contain_text("Remove this table?")
    expect(table.get_by_role("button", name="Keep")).to_be_focused()
    table.get_by_role("button", name="Keep").click()
    expect(table.get_by_role("button", name="Remove")).to_be_focused()
    assert source(page) == opened
    page.keyboard.press("Enter")
    table.get_by_role("button", name="Remove").click()
    expect(table).to_have_count(0)
    removed = f"<p>before</p>\n{FIGURE}<p>after</p>"
    assert source(page) == removed
    page.keyboard.press("Control+z")
    expect(table).to_have_count(1)
    assert source(page) == opened
    page.keyboard.press("Control+Shift+z")
    assert source(page) == removed
    put_cursor(page, "before")
    page.keyboard.press("Delete")
    page.keyboard.type("!")
    assert source(page) == f"<p>before!</p>\n{FIGURE}<p>after</p>"


def test_islands_move_and_their_keys_are_not_typed(writer: Visit) -> None:
    page = open_new(writer, f"<p>one</p>\n<p>two</p>\n{TABLE}")
    choose(page, "one")
    up = card(page, "Table, 2 rows").get_by_role("button", name="Up")
    up.focus()
    page.keyboard.press("Space")
    expect(up).to_be_focused()
    assert source(page) == f"<p>one</p>\n{TABLE}\n<p>two</p>"
    page.keyboard.press("Enter")
    assert source(page) == f"{TABLE}\n<p>one</p>\n<p>two</p>"
    page.keyboard.press("Enter")
    expect(page.locator(".says")).to_have_text("The table is already first.")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Backspace")
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert source(page) == f"<p>one</p>\n<p>two</p>\n{TABLE}"


def test_one_can_write_around_islands(writer: Visit) -> None:
    page = open_new(writer, f"{TABLE}{FIGURE}")
    assert source(page) == f"{TABLE}{FIGURE}"
    for at, words in enumerate(("first", "middle", "last")):
        text(page).locator("> p").nth(at).click()
        page.keyboard.type(words)
    assert source(page) == f"<p>first</p>\n{TABLE}\n<p>middle</p>\n{FIGURE}\n<p>last</p>"


def test_a_paste_is_clean_and_forges_nothing(writer: Visit) -> None:
    page = open_new(writer, f"<p>before</p>\n{TABLE}")
    put_cursor(page, "before")
    paste(
        page,
        '<p class="x" style="color:red" onclick="x()">pasted <strong>bold</strong> <script>x()</script>'
        '<img src=x onerror=x()><a href="javascript:x()">link</a></p>'
        '<story-island data-island="1" contenteditable="false"></story-island>'
        '<p data-key="0" data-as="mark" data-filler="">forged</p><div id="headline">wrapped</div>',
    )
    made = source(page)
    assert made == f"<p>beforepasted <strong>bold</strong> link</p>\n<p>forged</p>\n<p>wrapped</p>\n{TABLE}"
    expect(page.locator("story-island")).to_have_count(1)
    expect(page.locator("#body-editor [id]")).to_have_count(0)


def test_a_pasted_table_becomes_a_card(writer: Visit) -> None:
    page = open_new(writer, "before\n\nend")
    put_cursor(page, "before")
    cells = '<tr><td style="color:red" colspan="2">a<b>b</b></td></tr><tr><td>c</td><td>d</td></tr>'
    paste(page, f'<p> one</p><table class="x">{cells}</table><table><tr><td><p>laid out</p></td></tr></table>')
    table = '<table><tbody><tr><td colspan="2">a<b>b</b></td></tr><tr><td>c</td><td>d</td></tr></tbody></table>'
    assert source(page) == f"<p>beforeone</p>\n{table}\n<p>laid out</p>\n<p>end</p>"
    expect(card(page, "Table, 2 rows")).to_be_visible()
    page.keyboard.press("Control+z")
    assert source(page) == "before\n\nend"
    put_cursor(page, "end", at_end=False)
    paste(page, f"<table>{cells}</table>")
    assert source(page) == f"<p>before</p>\n{table}\n<p>end</p>"


def test_text_from_an_input_method(writer: Visit) -> None:
    """Android keyboards compose: the browser changes the text by itself, and nothing may stop it half-way."""
    page = open_new(writer, f"<p>before</p>\n{TABLE}\n<p>after</p>")
    put_cursor(page, "after")
    session = page.context.new_cdp_session(page)
    for part in ("ሰ", "ሰላ", "ሰላም"):
        session.send("Input.imeSetComposition", {"text": part, "selectionStart": len(part), "selectionEnd": len(part)})
    session.send("Input.insertText", {"text": "ሰላም"})
    assert source(page) == f"<p>before</p>\n{TABLE}\n<p>afterሰላም</p>"


def test_what_is_copied_is_clean(writer: Visit) -> None:
    page = open_new(writer, f"<p>one <b>two</b> <mark>three</mark></p>\n{TABLE}\n<p>end</p>")
    put_cursor(page, "one")
    page.keyboard.press("Control+a")
    copied = page.evaluate(
        """() => {
          const data = new DataTransfer();
          const event = new ClipboardEvent("copy", {clipboardData: data, bubbles: true, cancelable: true});
          document.getElementById("body-editor").dispatchEvent(event);
          return data.getData("text/html");
        }"""
    )
    assert copied == "<!-- squire --><p>one <strong>two</strong> <mark>three</mark></p>\n<p>end</p>"


def test_the_html_view_is_the_field_itself(writer: Visit) -> None:
    opened = f"<p>one</p>\n\n{TABLE}"
    page = open_new(writer, opened)
    put_cursor(page, "one")
    page.keyboard.type("!")
    page.get_by_role("button", name="HTML").click()
    field = page.locator("#body")
    expect(field).to_be_focused()
    expect(field).to_have_value(opened.replace("one", "one!"))
    expect(text(page)).to_be_hidden()
    field.fill("<p>typed <u>here</u></p>\n<hr>")
    page.get_by_role("button", name="Write").click()
    expect(text(page)).to_be_focused()
    expect(field).to_be_hidden()
    expect(text(page).locator("u")).to_have_text("here")
    expect(card(page, "Dividing line")).to_be_visible()
    assert source(page) == "<p>typed <u>here</u></p>\n<hr>"


def test_the_field_tells_of_each_change_once_and_before_sending(writer: Visit) -> None:
    page = open_new(writer, "<p>one</p>")
    page.evaluate(
        "window.told = 0; document.getElementById('body').addEventListener('input', () => (window.told += 1))"
    )
    put_cursor(page, "one")
    page.keyboard.type(" two")
    assert source(page) == "<p>one two</p>" and page.evaluate("window.told") in (1, 2)
    told = page.evaluate("window.told")
    assert source(page) and page.evaluate("window.told") == told
    page.keyboard.type("!")
    sent = page.evaluate(
        """() => {
          const form = document.getElementById("story");
          form.dispatchEvent(new Event("submit", {cancelable: true, bubbles: true}));
          return document.getElementById("body").value;
        }"""
    )
    assert sent == "<p>one two!</p>"


def test_without_the_cdn_the_textarea_serves(browser: Browser, site: RunningSite, editor_state: Any) -> None:
    with visit(browser, site, storage_state=editor_state) as visitor:
        visitor.excused = ("net::ERR_",)
        visitor.page.context.route("https://cdn.jsdelivr.net/**", lambda route: route.abort())
        page = visitor.open("/newsroom/stories/new")
        expect(page.locator("#body")).to_be_visible()
        expect(text(page)).to_have_count(0)


def choose_picture(page: Page) -> None:
    tool(page, "Picture").click()
    file = {"name": "boats.png", "mimeType": "image/png", "buffer": b"not looked at"}
    page.get_by_label("Picture file").set_input_files(file)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What it shows").fill("Boats & nets")
    dialog.get_by_label("Caption").fill("The jetty")
    dialog.get_by_label("Credit").fill("Ama Serwaa")


def test_a_picture_goes_in_behind_the_paragraph(writer: Visit) -> None:
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
        stored_figure = f'<template data-outcome="stored">\n {body}\n</template>' if "figure" in body else body
        route.fulfill(status=200, body=stored_figure, content_type="text/html")

    writer.excused = ("net::ERR_",)
    page.route("**/newsroom/fragments/pictures", answer)
    choose_picture(page)
    for message in ("Too large.", "Not sent; try again when the network is back."):
        page.get_by_role("button", name="Put into the text").click()
        expect(page.get_by_role("dialog").get_by_role("alert")).to_have_text(message)
    page.get_by_role("button", name="Put into the text").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    for field in ("picture", "alt", "caption", "credit", "csrf_token"):
        assert f'name="{field}"' in sent[-1]
    figure = FIGURE.replace("Boats", "Boats &amp; nets")
    assert source(page) == f"<p>one</p>\n{figure}\n<p>two</p>"
    page.keyboard.press("Control+z")
    put_cursor(page, "one")
    page.keyboard.press("Control+z")
    assert source(page) == "one\n\ntwo"
    page.keyboard.press("Control+Shift+z")
    assert source(page) == f"<p>one</p>\n{figure}\n<p>two</p>"


def test_the_words_of_a_picture_can_be_changed(writer: Visit) -> None:
    opened = f"<p>one</p>\n\n{FIGURE}\n\n<p>two</p>"
    page = open_new(writer, opened)
    card(page, "Picture: Boats").get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Picture file")).to_have_count(0)
    expect(dialog.get_by_label("Credit")).to_have_value("Ama Serwaa")
    dialog.get_by_label("What it shows").fill('Boats "at" sea')
    dialog.get_by_label("Caption").fill("")
    dialog.get_by_role("button", name="Put into the text").click()
    changed = opened.replace('alt="Boats"', 'alt="Boats &quot;at&quot; sea"').replace("The jetty ", "")
    assert source(page) == changed
    put_cursor(page, "one")
    page.keyboard.press("Control+z")
    assert source(page) == opened
    expect(card(page, "Picture: Boats")).to_have_count(1)


def test_scripts_of_a_body_never_run_and_nothing_foreign_loads(writer: Visit) -> None:
    hostile = (
        '<p>x<img src="x" onerror="window.ran = 1"></p><div onclick="x()"><img src="https://evil.example/x.png"></div>'
        '<figure><img src="https://evil.example/y.png" alt="y" onerror="window.ran = 1"></figure>'
        '<iframe src="javascript:parent.ran = 1"></iframe><script>window.ran = 1</script>'
        '<svg onload="window.ran = 1"></svg>'
        '<p><a href="javascript:window.ran = 1">link</a></p>'
    )
    page = open_new(writer, hostile)
    put_cursor(page, "link")
    page.keyboard.type("!")
    assert "link" in source(page) and "<p><a" not in source(page)
    assert page.evaluate("window.ran") is None
    assert not [url for url in writer.requests if "evil.example" in url]


@pytest.mark.parametrize("state", ["fresh", "islands", "question", "link", "picture", "help", "html"])
def test_the_editor_is_accessible(writer: Visit, state: str) -> None:
    page = open_new(writer, "" if state == "fresh" else MIXED)
    if state == "question":
        card(page, "Table, 2 rows").get_by_role("button", name="Remove").click()
    elif state == "html":
        page.get_by_role("button", name="HTML").click()
    elif state in ("link", "picture", "help"):
        tool(page, {"link": "Link", "picture": "Picture", "help": "Keys"}[state]).click()
        expect(page.get_by_role("dialog")).to_be_visible()
    if state == "link":
        link_to(page, "wrong")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in (320, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            assert not violations(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_each_paragraph_runs_its_own_way(writer: Visit) -> None:
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
    assert "<p>القارب الأول يغادر</p>" in source(page)


def test_a_long_story_opens_quickly(writer: Visit, site: RunningSite, tmp_path: Path) -> None:
    rows = "".join(f"<tr><td>{row}</td></tr>" for row in range(3000))
    paragraphs_ = "\n".join(f"<p>Paragraph {each} <em>of</em> many.</p>" for each in range(300))
    number = seed(site, tmp_path, f"{paragraphs_}\n<table><tbody>{rows}</tbody></table>")
    page = open_story(writer, number)
    spent = page.evaluate(
        """() => {
          const field = document.getElementById("body");
          const start = performance.now();
          field.dispatchEvent(new CustomEvent("restored"));
          return performance.now() - start;
        }"""
    )
    assert spent < 1500
    put_cursor(page, "Paragraph 150")
    page.keyboard.type("!")
    assert "<p>Paragraph 150! <em>of</em> many.</p>" in source(page)
