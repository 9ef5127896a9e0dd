"""Blank lines of the classic editor become paragraphs, as WordPress shows them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectator.importers.wordpress.autop import add_paragraphs
from spectator.text.html.sanitizer import clean_html, plain_text


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("One.\n\nTwo.", "<p>One.</p>\n<p>Two.</p>"),
        ("One.\n \t\n\n\nTwo.\n", "<p>One.</p>\n<p>Two.</p>"),
        ("One\ntwo", "<p>One<br>\ntwo</p>"),
        ("One<br />\ntwo<br>three", "<p>One<br>\ntwo<br>three</p>"),
        ("One<br/><br />\nTwo", "<p>One</p>\n<p>Two</p>"),
        ("One\n\n&nbsp;\n\n\xa0\n\nTwo", "<p>One</p>\n<p>Two</p>"),
        ("", ""),
        ('a <b title="b" c', '<p>a &lt;b title="b" c</p>'),
        ("<em>One\n\ntwo</em> three", "<p><em>One</em></p>\n<p><em>two</em> three</p>"),
        (
            '<a href="/x"><b>One\n\ntwo</b></a>',
            '<p><a href="/x"><b>One</b></a></p>\n<p><a href="/x"><b>two</b></a></p>',
        ),
        ('<a title="a\n\nb" href="/x">One</a>', '<p><a title="a\n\nb" href="/x">One</a></p>'),
        ("<p>One\n\ntwo</p>", "<p>One</p>\n<p>two</p>"),
        ('<p class="x">One\ntwo</p>\nThree', '<p class="x">One<br>\ntwo</p>\n<p>Three</p>'),
        ("<p>One\n<h2>Two</h2>", "<p>One</p>\n<h2>Two</h2>"),
        ("<p></p><p> </p>One", "<p>One</p>"),
        ('<p id="fn-1"></p>One', '<p id="fn-1"></p>\n<p>One</p>'),
        ("<h2>One\n\ntwo</h2>three", "<h2>One<br>\ntwo</h2>\n<p>three</p>"),
        ("One\n<h3>Two</h3>\nthree", "<p>One</p>\n<h3>Two</h3>\n<p>three</p>"),
        (
            "<blockquote>One\n\ntwo</blockquote>",
            "<blockquote>\n<p>One</p>\n<p>two</p>\n</blockquote>",
        ),
        ("<blockquote>One</blockquote>", "<blockquote>\n<p>One</p>\n</blockquote>"),
        (
            "<ul>\n<li>One</li>\n\n<li>Two\nlines</li>\n</ul>",
            "<ul>\n<li>One</li>\n<li>Two<br>\nlines</li>\n</ul>",
        ),
        (
            "<ol><li>One\n\ntwo</li></ol>",
            "<ol>\n<li>\n<p>One</p>\n<p>two</p></li>\n</ol>",
        ),
        (
            "<table>\n<tr>\n<td>1\n2</td>\n</tr>\n\n</table>",
            "<table>\n<tr>\n<td>1<br>\n2</td>\n</tr>\n</table>",
        ),
        ("<pre>a\n\n b</pre>\n\nOne", "<pre>a\n\n b</pre>\n<p>One</p>"),
        ("One\n\n<pre>a\n\n<b>b", "<p>One</p>\n<pre>\n<p>a</p>\n<p><b>b</p>"),
        (
            "One <script>a\n\nb</script> two",
            "<p>One <script>a\n\nb</script> two</p>",
        ),
        (
            '<video controls>\n\n<source src="/a.mp4">\n</video>',
            '<p><video controls>\n\n<source src="/a.mp4">\n</video></p>',
        ),
        ("One\n\n<hr />\n\nTwo", "<p>One</p>\n<hr />\n<p>Two</p>"),
        ("One\n\x000\x00\nTwo", "<p>One</p>\n\x000\x00\n<p>Two</p>"),
        ("<p>One \x000\x00 two</p>", "<p>One</p>\n\x000\x00\n<p>two</p>"),
        ("<div>One</div>\nTwo", "<div>\n<p>One</p>\n</div>\n<p>Two</p>"),
        ("</p>One</div> two", "<p>One</p>\n</div>\n<p>two</p>"),
        (
            "<ul><li>One<div>two</ul>three",
            "<ul>\n<li>One\n<div>\n<p>two</p>\n</ul>\n<p>three</p>",
        ),
    ],
)
def test_paragraphs(body: str, html: str) -> None:
    assert add_paragraphs(body) == html


def test_formatting_is_repeated_in_the_next_paragraph_a_few_times_only() -> None:
    html = add_paragraphs("<b>" * 50 + "One\n\ntwo")
    assert html.count("<b>") == 58
    assert plain_text(html) == "One\ntwo"


bodies = st.lists(
    st.sampled_from(
        "word| |\n|\n\n|<br>|<p>|</p>|<div>|</div>|<ul>|<li>|</li>|</ul>|<em>|</em>|<a href='/'>"
        "|</a>|<h2>|</h2>|<blockquote>|</blockquote>|<table>|<tr>|<td>|</td>|</table>|<pre>|</pre>"
        "|\x000\x00|&nbsp;|&lt;|&amp;|<img src='/a.jpg'>|<figure>|</figure>|<hr>".split("|")
    )
)


@given(bodies.map("".join))
def test_no_word_is_lost_and_none_is_joined(body: str) -> None:
    html = add_paragraphs(body)
    assert re.findall("word|\x000\x00", html) == re.findall("word|\x000\x00", body)
    words = plain_text(clean_html(body.replace("\x000\x00", "<hr>"))).split()
    assert plain_text(clean_html(html.replace("\x000\x00", "<hr>"))).split() == words
