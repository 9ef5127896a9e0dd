"""Only allowed HTML is stored, and plain text is what a reader sees."""

from __future__ import annotations

import re
import time
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.text.html.sanitizer import ATTRIBUTES, TAGS, URL_SCHEMES, clean_html, plain_text
from spectator.text.words.normalization import MAX_MARKS, normalize, normalize_text
from tests.markup_samples import (
    HOSTILE,
    HOSTILE_UNITS,
    WORDPRESS,
    any_markup,
    browser_markup,
    elements,
    tag_names,
)

SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)


def assert_is_storable(html: str) -> None:
    for name, attributes in elements(html):
        assert name in TAGS
        assert set(attributes) - {"rel"} <= ATTRIBUTES["*"] | ATTRIBUTES.get(name, set())
        assert name != "a" or attributes["rel"] == "noopener"
        for address in (attributes.get(name) or "" for name in ("href", "src", "poster", "cite")):
            scheme = SCHEME.match(address.strip())
            assert scheme is None or scheme[1].lower() in URL_SCHEMES


@settings(deadline=None, max_examples=100)
@given(any_markup)
def test_cleaned_html_is_allowed_well_formed_and_unchanged_by_cleaning_again(html: str) -> None:
    cleaned = clean_html(html)
    assert_is_storable(cleaned)
    assert clean_html(cleaned) == cleaned
    assert browser_markup(cleaned) == cleaned
    assert cleaned.encode().decode() == cleaned


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_markup_is_removed(piece: str) -> None:
    cleaned = clean_html(f"<p>Before</p>{piece}<p>After</p>")
    assert_is_storable(cleaned)
    assert plain_text(cleaned).startswith("Before")
    assert not re.search(r"<[^>]*(script|\bon\w+=|hx-|data-|style=)", cleaned, re.IGNORECASE)


@pytest.mark.parametrize(
    "address",
    "javascript:x|JaVaScRiPt:x|java\tscript:x| javascript:x|&#x6a;avascript:x|"
    "javascript&colon;x|vbscript:x|"
    "data:text/html,x|file:///etc/passwd|blob:x|\x01javascript:x|feed:javascript:x".split("|"),
)
@pytest.mark.parametrize(
    "tag", ["a href", "img src", "iframe src", "video poster", "blockquote cite"]
)
def test_urls_that_run_scripts_or_read_files_are_removed(tag: str, address: str) -> None:
    (element,) = elements(clean_html(f'<{tag}="{address}">x'))
    assert set(element[1]) <= {"rel"}


@pytest.mark.parametrize(
    "address", ["https://un.org/a?b=1", "/politics/x", "#fn-1", "mailto:a@b.example", "tel:+234"]
)
def test_web_mail_and_phone_links_are_kept(address: str) -> None:
    assert clean_html(f'<a href="{address}">x</a>') == f'<a href="{address}" rel="noopener">x</a>'


def test_a_wordpress_body_keeps_every_element() -> None:
    cleaned = clean_html(WORDPRESS)
    assert Counter(tag_names(cleaned)) == Counter(tag_names(WORDPRESS))
    assert {"#fn-1", "#fnref-1"} <= {
        attributes.get("href") for _, attributes in elements(cleaned)
    }
    assert {"fn-1", "fnref-1", "part-2"} <= {
        attributes.get("id") for _, attributes in elements(cleaned)
    }
    assert plain_text(cleaned) == plain_text(WORDPRESS)


def test_ids_used_in_the_templates_are_removed() -> None:
    templates = Path(__file__).parents[1] / "templates" / "site"
    source = "".join(
        path.read_text() for path in (*templates.glob("*.html"), templates.parent / "base.html")
    )
    ids = set(re.findall(r'\bid="([\w-]+)"', source))
    assert "main" in ids
    assert "id=" not in clean_html("".join(f'<p id="{element_id}">x</p>' for element_id in ids))


def test_nested_tables_are_kept() -> None:
    nested = (
        "<table><tbody><tr><td><table><tbody><tr><td>in</td></tr></tbody></table></td>"
        "</tr></tbody></table>"
    )
    assert clean_html(nested) == nested


def test_a_table_in_a_link_holds_no_link() -> None:
    html = '<a href="/x">x<table><tr><td><a href="/y">y</a></td></tr></table>z</a>'
    assert tag_names(clean_html(html)).count("a") == 1
    assert plain_text(clean_html(html)).split() == ["x", "y", "z"]


def test_addresses_and_preformatted_text_are_trimmed() -> None:
    assert clean_html('<a href=" /x\n">x</a>') == '<a href="/x" rel="noopener">x</a>'
    assert clean_html("<pre>" + "\n" * 20 + "x\n y</pre>") == "<pre>x\n y</pre>"


def test_text_is_normalized() -> None:
    assert clean_html("<p>a\r\nb\rc\x00\x85\ud800\x7f e\u0301\ufeff</p>") == "<p>a\nb\nc\n é</p>"
    assert clean_html("<p\u0338>x</p>") == "x"
    assert clean_html("<p>\u0338x</p>") == "<p>\u0338x</p>"


def test_headings_begin_below_the_headline() -> None:
    assert clean_html("<h1>One</h1><h2>Two</h2>") == "<h2>One</h2><h2>Two</h2>"


def test_plain_text_has_a_line_for_each_block_in_order() -> None:
    html = (
        "<h2>A &amp; B</h2><p>one<br>\ntwo <b>th</b>ree</p><ul><li>x</li><li>y<ul><li>z"
        "</li></ul></li></ul>tail"
    )
    assert plain_text(html).split("\n") == ["A & B", "one", "two three", "x", "y", "z", "tail"]
    assert (
        plain_text("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>") == "1 2\n3"
    )


def test_plain_text_has_what_readers_see_and_no_more() -> None:
    assert plain_text(
        "<p>a<script>no</script><iframe>no</iframe><!-- no -->b&nbsp;&lt;i&gt; &#99999999999;</p>"
    ) == ("a\nb <i> \ufffd")
    assert plain_text('<img alt="no">1 < 2') == "1 < 2"
    assert plain_text("") == plain_text("<p> </p>\n") == ""


@settings(deadline=None, max_examples=60)
@given(any_markup)
def test_plain_text_of_a_stored_body_is_all_of_its_words(html: str) -> None:
    text = plain_text(clean_html(html))
    assert all(line and line == " ".join(line.split()) for line in text.split("\n") if text)


paragraphs = st.lists(
    st.sampled_from(
        "<p>|</p>|</p>\n|</p>\n<p>|<br>|\n|\t|\r| |a|é|e\u0301|\u0338|;|=|\xa0|\ufdd1|"
        "\x00|\u2028|x > y|<|<p |<P>|"
        "<br/>|&|&amp;|&lt;|&gt;|&nbsp;|&#10;|&AMP;|&amp;lt;".split("|")
    )
)


@settings(deadline=None, max_examples=500)
@given(paragraphs.map(lambda pieces: f"<p>{''.join(pieces)}</p>"))
def test_the_fast_path_for_clean_html_gives_what_the_parser_gives(html: str) -> None:
    cleaned = clean_html(html)
    # The fast path is not used for a body with an <ins>.
    assert clean_html(f"<ins></ins>{html}") == f"<ins></ins>{cleaned}"
    assert browser_markup(cleaned) == cleaned


@settings(deadline=None, max_examples=300)
@given(any_markup | paragraphs.map("".join))
def test_the_fast_path_for_plain_text_gives_what_the_tokenizer_gives(html: str) -> None:
    # The fast path is not used for a body with an <i>, which starts no new line.
    assert plain_text(html) == plain_text(f"<i></i>{html}")


@pytest.mark.parametrize(("count", "marks_left"), [(29, 29), (30, 30), (31, 30), (70, 30)])
@pytest.mark.parametrize("mark", ["\u0301", "\U0001e944", "\u0323\U0001e94a"])
def test_a_letter_keeps_at_most_thirty_combining_marks(
    mark: str, count: int, marks_left: int
) -> None:
    marks = (mark * count)[:count]
    expected = unicodedata.normalize("NFC", f"x {marks[:marks_left]}y{marks[:marks_left]}")
    assert normalize_text(f"x {marks}y{marks}") == expected


def longest_run_of_marks(text: str) -> int:
    is_mark = "".join(" X"[unicodedata.combining(char) > 0] for char in text)
    return max(map(len, is_mark.split()), default=0)


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKD"])
def test_no_character_makes_a_longer_run_of_marks(form: Literal["NFC", "NFD", "NFKD"]) -> None:
    """Include characters that only decompose to marks. The time to sort a run is quadratic."""
    characters = map(chr, [*range(0xD800), *range(0xE000, 0x110000)])
    marks = [
        char
        for char in characters
        if unicodedata.combining(unicodedata.normalize("NFKD", char)[0])
    ]
    assert len(marks) > 800
    for mark in marks:
        for text in (normalize("a" + mark * 1000, form), normalize_text("a" + mark * 1000)):
            assert longest_run_of_marks(unicodedata.normalize(form, text)) <= 2 * MAX_MARKS


@pytest.mark.parametrize("unit", HOSTILE_UNITS)
def test_the_cost_is_linear(unit: str) -> None:
    html = unit * (30_000 // len(unit))
    begin = time.process_time()
    cleaned = clean_html(html)
    plain_text(cleaned)
    plain_text(html)
    assert time.process_time() - begin < 2
    assert len(cleaned) <= 6 * len(html)


@pytest.mark.parametrize("unit", ["&", "&#", "&a", "&lt;", "<iframe>", '<a title="&a', "<b>"])
def test_large_bodies_are_cleaned_fast(unit: str) -> None:
    html = unit * (300_000 // len(unit))
    begin = time.process_time()
    clean_html(html)
    assert time.process_time() - begin < 1.5


def test_characters_used_as_placeholders_are_removed_from_input() -> None:
    assert clean_html("a\ufdd1b\ufdd2 &#xfdd1;i&#xfdd2; &#64976;") == "ab i"
    assert clean_html('<a title="\ufdd1b>&#xfdd1;">x</a>') == clean_html(
        '<a title="b>&lt;">x</a>'
    )
    assert clean_html("<p>1\xa0&lt;&nbsp;2 &amp;amp; &amp;lt; &quot;</p>") == (
        '<p>1&nbsp;&lt;&nbsp;2 &amp;amp; &amp;lt; "</p>'
    )


def test_misnested_elements_are_not_multiplied() -> None:
    for html in (
        "<p>" + "".join(f"<b id=b-{number}>" for number in range(1000)) + "<p>x" * 1000,
        '<p><a title="' + "x" * 1000 + '">' + "<p>y" * 1000,
        "<table>" + "".join(f"<b id=b-{number}>x<tr>" for number in range(1000)),
    ):
        assert len(clean_html(html)) <= 3 * len(html)


def test_a_megabyte_of_combining_marks_is_cut() -> None:
    assert len(clean_html("e" + "\u0323\u0301" * 250_000)) < 100


def test_a_tag_with_a_hundred_thousand_attributes_is_cleaned_in_linear_time() -> None:
    """Bound the attributes, which parsers compare with each other: 8 s of CPU for this megabyte."""
    attributes = " ".join(f"a{number}=1" for number in range(125_000))
    started = time.process_time()
    assert clean_html(f"<p {attributes}>Text</p>") == "<p>Text</p>"
    assert time.process_time() - started < 4
