"""A paste keeps every word and word boundary of the clipboard, or reports what is missing.

The samples are reported cases and randomly generated markup.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.editor_pages import (
    editor_text,
    field_value,
    open_new,
    paste,
    put_cursor,
    restore,
    select_text,
)
from tests.browser.modules import module
from tests.browser.running_site import RunningSite
from tests.browser.windows import Window, open_window
from tests.cases import case_text

pytestmark = pytest.mark.browser
PASTE = module("paste")
SAMPLES, SEED = 150, 20261129
PASTE_PLAIN = """words => new Promise(resolve => {
  const data = new DataTransfer();
  data.setData("text/plain", words);
  const event = new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true});
  document.getElementById("body-editor").dispatchEvent(event);
  data.items[0].getAsString(() => setTimeout(resolve));
})"""
# Cut or copy the selection; return what is put on the clipboard.
CUT_OR_COPY = """kind => {
  const data = new DataTransfer();
  const event = new ClipboardEvent(kind, {clipboardData: data, bubbles: true, cancelable: true});
  document.getElementById("body-editor").dispatchEvent(event);
  return {html: data.getData("text/html"), text: data.getData("text/plain")};
}"""


@pytest.fixture(scope="module")
def writer(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Window]:
    """Window of an editor with the form of a new story."""
    with open_window(browser, site, storage_state=editor_state) as window:
        open_new(window)
        yield window


def editor_message(page: Page) -> str:
    return page.locator(".editor-status").inner_text()


def paste_and_read(page: Page, html: str) -> str:
    """Paste HTML into an empty text; return the source."""
    restore(page, "")
    editor_text(page).click()
    paste(page, html)
    return field_value(page)


def paste_clipboard(page: Page, clipboard_data: dict[str, str]) -> None:
    if clipboard_data["html"]:
        paste(page, clipboard_data["html"])
    else:
        page.evaluate(PASTE_PLAIN, clipboard_data["text"])


@pytest.mark.parametrize(
    ("body", "selection", "target", "expected"),
    [
        ("<p>one two three four</p>", "two ", "three ", "<p>one three two four</p>"),
        ("<p>one two three four</p>", " two", "three", "<p>one three two four</p>"),
        (
            "<p>one <b>two</b> three four</p>",
            "two",
            "three ",
            "<p>one three <strong>two</strong>four</p>",
        ),
        ("<p>onetwo</p>", "one", "two", "<p>twoone</p>"),
    ],
)
def test_words_moved_within_a_line_keep_their_spaces(
    writer: Window, body: str, selection: str, target: str, expected: str
) -> None:
    assert "Ctrl+X" in case_text("2026-11/13-paste-within-a-line.txt")
    page = writer.page
    restore(page, body)
    select_text(page, selection)
    clipboard_data = page.evaluate(CUT_OR_COPY, "cut")
    put_cursor(page, target)
    paste_clipboard(page, clipboard_data)
    assert field_value(page) == expected


def test_text_moved_between_paragraphs_keeps_its_spaces_and_markup(writer: Window) -> None:
    page = writer.page
    restore(page, "<p>a <b>bold</b> word here</p>\n<p>end five</p>")
    page.evaluate(
        """() => {
          const [first, second] = document.querySelectorAll("#body-editor p");
          document.getElementById("body-editor").focus();
          getSelection().setBaseAndExtent(first.lastChild, 6, second.firstChild, 4);
        }"""
    )
    page.wait_for_timeout(50)
    clipboard_data = page.evaluate(CUT_OR_COPY, "cut")
    assert field_value(page) == "<p>a <strong>bold</strong> word five</p>"
    put_cursor(page, "five", at_end=False)
    paste_clipboard(page, clipboard_data)
    assert re.sub("<[^>]*>", " ", field_value(page)).split() == [
        "a",
        "bold",
        "word",
        "here",
        "end",
        "five",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b ", "<p>a b c</p>"),
        (" ", "<p>a c</p>"),
        ("b\n", "<p>a b c</p>"),
        ("one\ntwo", "<p>a one<br>\ntwoc</p>"),
        ("one\r\ntwo\r\n\r\nthree ", "<p>a one<br>\ntwo</p>\n<p>three c</p>"),
        ("1 < 2 & <b>", "<p>a 1 &lt; 2 &amp; &lt;b&gt;c</p>"),
    ],
)
def test_pasted_plain_text_keeps_its_line_breaks(
    writer: Window, text: str, expected: str
) -> None:
    page = writer.page
    restore(page, "<p>a c</p>")
    put_cursor(page, "a ")
    page.evaluate(PASTE_PLAIN, text)
    assert field_value(page) == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            "<tr><td>Mali</td><td>147 seats</td><td>2020</td></tr>",
            "<p>Mali</p>\n<p>147 seats</p>\n<p>2020</p>",
        ),
        ("<tr><td>Mali</td></tr><tr><td>147</td></tr>", "<p>Mali</p>\n<p>147</p>"),
        ("<caption>Seats</caption><tr><td>147</td></tr>", "<p>Seats</p>\n<p>147</p>"),
    ],
)
def test_cells_of_a_table_with_one_row_or_column_become_paragraphs(
    writer: Window, cells: str, expected: str
) -> None:
    assert paste_and_read(writer.page, f"<table>{cells}</table>") == expected


def test_a_message_counts_the_media_that_were_not_pasted(writer: Window) -> None:
    page = writer.page
    assert (
        paste_and_read(page, case_text("2026-11/07-paste-with-picture.html"))
        == "<p>Before</p>\n<p>After</p>"
    )
    assert (
        editor_message(page) == "1 picture was not pasted: add pictures with the Picture button."
    )
    paste_and_read(
        page, "<p>a <video src=x></video><iframe src=y></iframe><img src=z><img src=w></p>"
    )
    assert (
        editor_message(page)
        == "1 video, 1 embed and 2 pictures were not pasted: add pictures with the Picture button."
    )
    paste_and_read(page, "<p>a</p><img width=1 height=1 src=x><input type=hidden>")
    assert "not pasted" not in editor_message(page) or "2 pictures" in editor_message(page)


def test_emoji_images_become_text(writer: Window) -> None:
    assert (
        paste_and_read(writer.page, case_text("2026-11/12-emoji-images-paste.html"))
        == "<p>Victory 🇰🇪 today</p>"
    )


def test_footnotes_and_their_references_link_to_each_other(writer: Window) -> None:
    page = writer.page
    notes = case_text("2026-11/14-word-footnotes-paste.html")
    html = paste_and_read(page, notes)
    assert html == (
        '<p>Claim one<a href="#_ftn1" id="_ftnref1">[1]</a>.</p>\n'
        '<p><a href="#_ftnref1" id="_ftn1">[1]</a> Source: the report.</p>'
    )
    put_cursor(page, "the report.")
    paste(page, notes)
    both = field_value(page)  # the same notes pasted twice
    ids = re.findall(' id="([^"]*)"', both)
    assert len(ids) == len(set(ids)) == 4
    assert set(re.findall('href="#([^"]*)"', both)) == set(ids)


@pytest.mark.parametrize("name", ["main", "über uns", "1", "a" * 200])
def test_anchors_of_any_name_are_made_safe(writer: Window, name: str) -> None:
    html = paste_and_read(
        writer.page, f'<p><a href="https://a.example/x#{name}">up</a></p><p id="{name}">Here</p>'
    )
    [anchor] = re.findall(' id="([^"]*)"', html)
    assert re.fullmatch(r"(?=[A-Za-z_]*[-0-9:._])[A-Za-z_][\w:.-]{0,99}", anchor)
    assert f'href="#{anchor}"' in html


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("<p>a <math><mi>x</mi><mo>=</mo><mn>1</mn></math> b</p>", "a x = 1 b"),
        ("<p>a</p><math><p>b", "a b"),
        ("<p>a<style>b</p>", "ab"),
        ("<p>a</p><style>p{}</style>b", "a b"),
        ("<p>a</p><textarea>b", "a b"),
        ("<p>a <video>b", "a b"),
        ("<p>a <title>b", "a b"),
        ("<ul>a<li>b</ul>", "a b"),
        ("<span style='display:block'>a</span><span style='display:block'>b</span>", "a b"),
        ("<tr><td>a</td><td>b</td></tr>", "a b"),
    ],
)
def test_no_text_is_lost_in_invalid_markup(writer: Window, html: str, words: str) -> None:
    assert re.sub("<[^>]*>", " ", paste_and_read(writer.page, html)).split() == words.split()


BLOCKS = (
    "p div h1 h2 h5 li ul ol blockquote section center td tr table th caption dt dd dl pre"
    " article form address"
).split()
INLINE = "b i span a em u sub font small mark code abbr".split()
GAPS = [" ", "\n", "&nbsp;", "<br>", "<hr>"]


def random_markup(rng: random.Random) -> str:
    """Return well-nested markup with numbered words (w0q, w1q, …)."""
    number = iter(range(1000))

    def random_node(depth: int) -> str:
        kind = rng.random()
        if depth > 5 or kind < 0.35:
            return f"w{next(number)}q"
        if kind < 0.55:
            return rng.choice(GAPS)
        if kind < 0.6:
            return rng.choice(
                ["<img src=x alt=x>", "<math><mi>w</mi></math>", "<video></video>", "<!-- x -->"]
            )
        name = rng.choice(BLOCKS if kind < 0.85 else INLINE)
        inner = "".join(random_node(depth + 1) for _ in range(rng.randrange(4)))
        attribute = rng.choice(
            ["", ' style="display:block"', ' style="font-weight:bold"', " lang=fr"]
        )
        return f"<{name}{attribute}>{inner}</{name}>"

    return "".join(random_node(0) for _ in range(rng.randrange(1, 7)))


# Return the text of a document as a browser renders it.
RENDER = """html => {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  const source = html.replace(/ style=/g, " data-style=");
  const parsed = new DOMParser().parseFromString(source, "text/html");
  frame.contentDocument.body.replaceChildren(...parsed.body.childNodes);
  for (const node of frame.contentDocument.querySelectorAll("[data-style]")) {
    const [name, value] = node.dataset.style.split(":");
    node.style.setProperty(name, value);
  }
  const words = frame.contentDocument.body.innerText;
  frame.remove();
  return words;
}"""


BOUNDARY_TAGS = re.compile(
    "</?(?:p|h2|h3|li|ul|ol|td|th|tr|blockquote|caption|br|hr|table)[^>]*>"
)


def numbered_words(text: str) -> list[str]:
    """Return the numbered words between white space, without other characters.

    Numbered words that touch each other stay joined: w1qw2q.
    """
    numbered = ("".join(re.findall("w[0-9]+q", word)) for word in text.split())
    return [word for word in numbered if word]


def test_cleaned_random_markup_keeps_every_word_and_joins_none(writer: Window) -> None:
    """Words may touch each other only if they do so in the rendered markup."""
    page, rng = writer.page, random.Random(SEED)
    for _ in range(SAMPLES):
        html = random_markup(rng)
        rendered = numbered_words(page.evaluate(RENDER, html))
        cleaned = page.evaluate(f"async html => {PASTE}.cleanPaste(html).html", html)
        separated = BOUNDARY_TAGS.sub(" ", cleaned).replace("&nbsp;", " ")
        pasted = numbered_words(re.sub("<[^>]*>", "", separated))
        single_words = [re.findall("w[0-9]+q", " ".join(words)) for words in (pasted, rendered)]
        assert sorted(single_words[0]) == sorted(single_words[1]), html
        for joined in pasted:
            assert any(joined in word for word in rendered), (html, cleaned)


def test_pasted_random_markup_keeps_every_word(writer: Window) -> None:
    page, rng = writer.page, random.Random(SEED + 1)
    for _ in range(25):
        html = random_markup(rng)
        rendered = sorted(re.findall("w[0-9]+q", page.evaluate(RENDER, html)))
        assert sorted(re.findall("w[0-9]+q", paste_and_read(page, html))) == rendered, html


def test_a_complete_paste_shows_no_message(writer: Window) -> None:
    page = open_new(writer)
    editor_text(page).click()
    paste(page, "<p>All of it</p>")
    expect(page.locator(".editor-status")).not_to_contain_text("not pasted")


@pytest.mark.parametrize(
    "unit",
    ["<b>a</b> <i>b</i> ", "a<br>", "<a href='https://a.example/'>x</a> ", "<u>x</u><s>y</s>"],
)
def test_long_inline_markup_reaches_squire_as_few_nodes(writer: Window, unit: str) -> None:
    """Squire needs quadratic time for nodes outside blocks: 300 kB froze a page for 30 s."""
    inline_nodes = writer.page.evaluate(
        f"""async html => {{
          const {{ sanitizePaste }} = {module("editor_paste")};
          const {{ isBlock }} = {module("editor_shape")};
          const getRoot = () => document.getElementById("body-editor");
          const fragment = sanitizePaste(html, {{ getRoot }});
          return [...fragment.childNodes].filter(node => !isBlock(node)).length;
        }}""",
        unit * (40_000 // len(unit)),
    )
    assert inline_nodes <= 50
