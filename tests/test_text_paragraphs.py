"""Typed text becomes paragraphs, and returns unchanged for editing."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spectator.text.html.paragraphs import body_html, editable_body, stored_body
from spectator.text.html.sanitizer import clean_html
from tests.markup_samples import HOSTILE_UNITS, WORDPRESS, any_markup, elements


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("One.\n\nTwo.", "<p>One.</p>\n<p>Two.</p>"),
        ("One.\nTwo.", "<p>One.</p>\n<p>Two.</p>"),
        ("One,\ntwo.\n \t\nThree.", "<p>One,<br>\ntwo.</p>\n<p>Three.</p>"),
        ("\r\n\r\n  One.\r\n\r\n\r\n\r\nTwo.\r\n", "<p>One.</p>\n<p>Two.</p>"),
        ("a < b & c > d", "<p>a &lt; b &amp; c &gt; d</p>"),
        ("Write to <anna@example.com>", "<p>Write to &lt;anna@example.com&gt;</p>"),
        ("<b>Bold</b> and <i>not", "<p><b>Bold</b> and <i>not</i></p>"),
        ("Typed &eacute; and &lt;b&gt;", "<p>Typed é and &lt;b&gt;</p>"),
        ("Hi<script>alert(1)</script> you", "<p>Hi you</p>"),
        ("", ""),
        (" \n\x00\n ", ""),
    ],
)
def test_plain_text_gets_paragraphs(text: str, stored: str) -> None:
    assert stored_body(text) == stored


@pytest.mark.parametrize(
    "html", ["<h2>A</h2>\n\nb", "x <ul><li>y</li></ul>\n\nz", "a\n\n<IFRAME src='/x'></IFRAME>"]
)
def test_a_body_with_a_block_tag_is_html(html: str) -> None:
    assert body_html(html) == html
    assert "<p>" not in stored_body(html)


@pytest.mark.parametrize(
    "text",
    [
        "One.\n\nTwo.",
        "One line,\nanother line.\n\nThird.",
        "a < b & c > d, “é”, Ṣẹ́gun, ሰላም።",
        'A <a href="https://un.org/?a=1&b=2">link</a>.\n\nAnd <em>more</em>.',
        "About &lt;b&gt; and <b>b</b>",
        "The HTML is <anna@example.com>",
    ],
)
def test_simple_bodies_are_edited_as_plain_text(text: str) -> None:
    editable = editable_body(stored_body(text))
    assert "<p>" not in editable
    assert stored_body(editable) == stored_body(text)
    assert editable == text


def test_a_single_paragraph_with_a_line_break_stays_one() -> None:
    body = "<p>One,<br>\ntwo.</p>"
    assert stored_body(editable_body(body)) == body == stored_body(body)


@pytest.mark.parametrize(
    "body",
    [
        WORDPRESS,
        "<p>&lt;p&gt;</p>",
        "<p>a<br>b</p>",
        "<p></p>\n<p>x</p>",
        "<p>a</p><p>b</p>",
        "<p>\n\na</p>",
        "<p>&amp;lt;</p>",
        "<p>x</p>\n<h2>y</h2>",
        '<p id="fn-1">x</p>',
        "<p><img src='/media/a.jpg'></p>",
        "<p>&amp;amp;</p>\n<p>&nbsp;</p>",
    ],
)
def test_every_stored_body_survives_an_edit(body: str) -> None:
    stored = stored_body(body)
    assert stored_body(stored) == stored
    assert stored_body(editable_body(stored)) == stored
    assert stored_body(editable_body(stored).replace("\n", "\r\n")) == stored


typed_lines = st.lists(
    st.sampled_from("\n|\r\n|\n\n|word |&lt;|&amp;|&|<b>|</b>|<|>|<br>|é|<i>x</i>|; ".split("|")),
    max_size=12,
)


@settings(deadline=None, max_examples=100)
@given(any_markup | typed_lines.map("".join))
def test_storing_and_editing_are_inverse(text: str) -> None:
    stored = stored_body(text)
    elements(stored)
    assert stored_body(stored) == stored
    assert stored_body(editable_body(stored)) == stored
    assert stored_body(editable_body(stored).replace("\n", "\r\n")) == stored


@settings(deadline=None, max_examples=500)
@given(
    st.text(
        st.sampled_from("ab =\n\r\t\x0b\x1c\x85\xa0\u2028\u200b\u0301\u0338>;\"'\x00é")
        | st.characters(),
        max_size=60,
    )
)
def test_the_fast_path_for_plain_text_gives_what_the_parser_gives(text: str) -> None:
    assume(
        not re.search("<[a-z]", text, re.IGNORECASE)
    )  # Hypothesis knows "<SECTION>" from the tests' own words
    assert stored_body(text) == clean_html(body_html(text))


@pytest.mark.parametrize("unit", [*HOSTILE_UNITS, "\n\n", "a\n", " \n", "<p>x</p>\n", "<p>"])
def test_the_cost_is_linear(unit: str) -> None:
    text = unit * (30_000 // len(unit))
    begin = time.process_time()
    editable_body(stored_body(text))
    assert time.process_time() - begin < 1
