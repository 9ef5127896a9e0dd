"""Pasting from word processors and pages yields simple, clean HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import clipboard_samples as samples
from tests.browser.editor_pages import field_value, open_new, paste
from tests.browser.modules import module
from tests.browser.running_site import RunningSite
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser
PASTE = module("paste")

# Markers of list items in Word, and the start tag of the resulting list.
MARKERS = {
    "·": "<ul>",
    "o": "<ul>",
    "Ø": "<ul>",
    "–": "<ul>",
    "1.": "<ol>",
    "7)": '<ol start="7">',
    "(b)": '<ol start="2">',
    "iv.": '<ol start="4">',
    "I.": "<ol>",
    "2.3.": '<ol start="3">',
    "٤.": '<ol start="4">',
}
INLINE = {
    "<meta charset='utf-8'><span style='font-weight:700'>six</span> boats": (
        "<strong>six</strong> boats"
    ),
    "<span style='font-weight:1000'>six</span> boats": "<strong>six</strong> boats",
    "<b style='font-weight:450'>six</b> boats": "six boats",
    "<html><body><!--StartFragment--><b>a </b><b> b</b><!--EndFragment--></body></html>": (
        "<strong>a b</strong>"
    ),
    "<b style='font-weight:normal' id='docs-internal-guid-1'><span>plain</span></b>": "plain",
    "<i>a<b>b</b></i>c": "<em>a</em><strong><em>b</em></strong>c",
    "<a href='mailto:a@b.example'>a <b>b</b></a> <a href='mailto:a@b.example'>c</a>": (
        '<a href="mailto:a@b.example">a <strong>b</strong> c</a>'
    ),
    "<span style='vertical-align:super'>2</span>": "<sup>2</sup>",
    "1 < 2 &lt;b&gt; &amp;amp;": "1 &lt; 2 &lt;b&gt; &amp;amp;",
    "<img src='file:///C:/a.png' alt='x'><o:p>&nbsp;</o:p>": "",
    "": "",
}


@pytest.fixture(scope="module")
def form(browser: Browser, site: RunningSite, editor_state: Any) -> Iterator[Window]:
    """Window of an editor with the form of a new English story."""
    with open_window(browser, site, storage_state=editor_state) as window:
        open_new(window)
        yield window


def clean_paste(form: Window, html: str) -> str:
    cleaned: str = form.page.evaluate(f"async html => {PASTE}.cleanPaste(html).html", html)
    return cleaned


@pytest.mark.parametrize("program", samples.SAMPLES)
def test_pasted_html_of_each_program_becomes_clean_html(form: Window, program: str) -> None:
    copied, cleaned = samples.SAMPLES[program]
    assert clean_paste(form, copied) == cleaned


@pytest.mark.parametrize("program", samples.SAMPLES)
def test_cleaning_clean_html_does_not_change_it(form: Window, program: str) -> None:
    cleaned = samples.SAMPLES[program][1]
    assert clean_paste(form, cleaned) == cleaned


@pytest.mark.parametrize("copied", INLINE)
def test_pasted_inline_html_is_not_wrapped_in_a_block(form: Window, copied: str) -> None:
    assert clean_paste(form, copied) == INLINE[copied]


@pytest.mark.parametrize("marker", MARKERS)
def test_each_list_marker_of_word_gives_the_right_kind_of_list(form: Window, marker: str) -> None:
    copied = samples.WORD_HEAD + samples.word_item(1, 1, marker, "Item") + samples.WORD_FOOT
    kind = MARKERS[marker]
    assert clean_paste(form, copied) == f"{kind}<li>Item</li></{kind[1:3]}>"


def test_a_paragraph_between_items_splits_a_word_list(form: Window) -> None:
    items = [
        samples.word_item(1, 1, "1.", "One"),
        "<p class=MsoNormal>Between</p>",
        samples.word_item(1, 1, "2.", "Two"),
    ]
    cleaned = '<ol><li>One</li></ol>\n<p>Between</p>\n<ol start="2"><li>Two</li></ol>'
    assert clean_paste(form, samples.WORD_HEAD + "".join(items) + samples.WORD_FOOT) == cleaned


def test_a_list_that_starts_on_the_second_level_is_flattened(form: Window) -> None:
    items = [samples.word_item(2, 1, "o", "Deep"), samples.word_item(1, 1, "·", "High")]
    assert clean_paste(form, "".join(items)) == "<ul><li>Deep</li><li>High</li></ul>"


def test_a_right_to_left_list_keeps_its_direction(form: Window) -> None:
    copied = "<ul><li dir=rtl><p dir=rtl>أول</p></li><li><p dir=rtl>ثان</p></li></ul>"
    assert clean_paste(form, copied) == '<ul dir="rtl"><li>أول</li><li>ثان</li></ul>'


@pytest.mark.parametrize(
    ("copied", "cleaned"),
    [
        ("<div dir=rtl><p dir=auto>أول 1</p></div>", '<p dir="rtl">أول 1</p>'),
        ("<p dir=auto>«أول</p><p>two</p>", '<p dir="rtl">«أول</p>\n<p>two</p>'),
        ("<p dir=auto>ߒߞߏ</p>", '<p dir="rtl">ߒߞߏ</p>'),
        ("<div dir=rtl><p dir=auto>One</p></div>", "<p>One</p>"),
        ("<div dir=rtl><p dir=auto>12</p></div>", "<p>12</p>"),
        (
            "<p dir=rtl>أول <span dir=auto>Addis</span></p>",
            '<p dir="rtl">أول Addis</p>',
        ),
    ],
)
def test_automatic_direction_is_that_of_the_first_letter(
    form: Window, copied: str, cleaned: str
) -> None:
    assert clean_paste(form, copied) == cleaned


def test_lang_is_kept_only_if_valid_and_not_the_storys_language(form: Window) -> None:
    copied = "<p lang=en-GB>The boat</p><p lang=fr>Le bateau</p><p lang='not a tag'>Boat</p>"
    assert clean_paste(form, copied) == '<p>The boat</p>\n<p lang="fr">Le bateau</p>\n<p>Boat</p>'


def test_an_overlong_paste_becomes_plain_paragraphs(form: Window) -> None:
    padding = "<!-- " + "x" * 2_000_000 + " -->"
    style = "<style>p {}</style>"
    copied = f"{style}{padding}<p class=a>One &amp; <b>two</b></p>\n<p>Three &lt;b&gt;</p>"
    assert clean_paste(form, copied) == "<p>One &amp; two</p>\n<p>Three &lt;b&gt;</p>"


@pytest.mark.parametrize(
    ("unit", "max_elements"),
    [
        ("<b>a</b> <i>b</i> ", 1),
        ("a<br>", 8000),
        ("<p>a</p>", 8000),
        ("<u>x</u><s>y</s>", 1),
        ("<table><tr><td>a</td><td>b</td></tr></table>", 8000),
    ],
)
def test_300_kb_of_pasted_markup_becomes_a_limited_number_of_elements(
    form: Window, unit: str, max_elements: int
) -> None:
    """Pasting takes about 40 µs for each inline element and 100 µs for each block."""
    count = 300_000 // len(unit)
    result = form.page.evaluate(f"async html => {PASTE}.cleanPaste(html)", unit * count)
    elements, characters = form.page.evaluate(
        """html => {
          const { body } = new DOMParser().parseFromString(html, "text/html");
          return [body.querySelectorAll("*").length, body.textContent.replace(/\\s/g, "").length];
        }""",
        result["html"],
    )
    assert elements <= max_elements
    assert characters == count * len(re.sub("<[^>]*>| ", "", unit))
    assert "Pasted without formatting" in result["omissions"]


def test_long_tables_and_long_paragraphs_keep_their_formatting(form: Window) -> None:
    rows = "<tr><td>Keta</td><td>1,204</td></tr>" * 8000
    for html in (f"<table>{rows}</table>", "<p>" + "six boats " * 30_000 + "</p>"):
        assert form.page.evaluate(f"async html => {PASTE}.cleanPaste(html).omissions", html) == ""


def test_the_html_field_has_dir_auto_only_while_it_is_visible(form: Window) -> None:
    """With `dir=auto`, Chromium needs time quadratic in the lines: 35 s for 60,000 lines."""
    field = form.page.locator("#body")
    assert field.get_attribute("dir") is None
    form.page.locator('[data-view="html"]').click()
    expect(field).to_have_attribute("dir", "auto")
    form.page.locator('[data-view="write"]').click()


@pytest.mark.parametrize(
    "unit",
    [
        "<",
        "<a ",
        "<a '",
        '<p style="',
        "<!--",
        "<b>",
        "<ul><li>",
        "\n",
        "&nbsp;",
        "<table><tr><td>",
    ],
)
def test_hostile_input_is_cleaned_in_reasonable_time(form: Window, unit: str) -> None:
    measure = f"""async html => {{
      const {{ cleanPaste }} = {PASTE};
      const start = performance.now();
      cleanPaste(html);
      return performance.now() - start;
    }}"""
    for length in (100_000, 2_000_010):
        milliseconds = form.page.evaluate(measure, unit * (length // len(unit)))
        assert milliseconds < 30_000  # quadratic code takes far longer even on a busy machine


@pytest.mark.parametrize("program", ["Word", "Google Docs"])
def test_pasting_into_the_editor_gives_clean_html(
    browser: Browser, site: RunningSite, editor_state: Any, program: str
) -> None:
    with open_window(browser, site, storage_state=editor_state) as window:
        page = open_new(window)
        paste(page, samples.SAMPLES[program][0])
        expect(page.locator("#body-editor ul ul").first).to_be_visible()
        source = field_value(page)
        assert "<ul><li>Nets<ul>" in source
        assert not any(
            word in source
            for word in ("style=", "class=", "Mso", "<span", "supportLists", "&nbsp;")
        )
        ordered = '<ol start="3">' if program == "Word" else '<ol start="4">'
        assert ordered in source


@pytest.mark.parametrize(
    "copied",
    [
        *(
            f'<{name}><p title="</{name}><img src=/x onerror=boom()>"></{name}>'
            for name in (
                "xmp iframe noembed noframes noscript style script textarea title svg math template"
            ).split()
        ),
        '<plaintext><p title="</plaintext><img src=/x onerror=boom()>">',
        '<!-- <p title="--><img src=/x onerror=boom()>">',
        '<!-- <p title="--!><img src=/x onerror=boom()>',
        '<!--><p title="--><img src=/x onerror=boom()>"> -->',
        '<xmp><a b<c="</xmp><img d="x onerror=boom() ">',
        '<!-- <p title="-->" b<img="x onerror=boom() ">',
        '<img src=/x onerror=boom() a=b">',
        "<img src=/x onerror=boom() a=b<c>",
        "<img/src=/x/onerror=boom() a='b'>",
        '<img =" src=/x onerror=boom() b=">',
        '<img a=b"c=" onerror=boom() e="f">',
        "<img a=b'c=' style=color:red e='f'>",
        '<p STYLE = "color:red" OnClick\n=\n"boom()">',
        '<svg/onload=boom()><style>p{color:red}</style><a href="x" onclick="boom()">',
        "<!-- --!><style>p{color:red}</style> -->",
        '<style a=b">p{color:red}</style>',
        "<body onload=boom() style=color:red>",
    ],
)
def test_pasted_html_runs_nothing_requests_nothing_and_breaks_no_rule_of_the_policy(
    form: Window, copied: str
) -> None:
    messages, requests = len(form.console), len(form.requests)
    clean_paste(form, copied)
    form.page.evaluate("new Promise(requestAnimationFrame)")
    assert (form.console[messages:], form.requests[requests:]) == ([], [])
