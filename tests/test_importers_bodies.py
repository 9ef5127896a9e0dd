"""WordPress bodies: shortcodes become HTML, other text in brackets stays."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectator.importers import jsonl
from spectator.importers.bodies import convert_body
from spectator.text.html.embeds import render_body
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import plain_text
from tests.cases import case_text

PICTURE = '<img src="/media/a/1.jpg" alt="P">'
FIGURE = f"<figure>{PICTURE}<figcaption>{{}}</figcaption></figure>"


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (f"[caption id=\"a\" width='3']{PICTURE} Cap[/caption]", FIGURE.format("Cap")),
        (f"<p>[caption]{PICTURE} Cap <em>x</em>[/caption]</p>", FIGURE.format("Cap <em>x</em>")),
        (f'[wp_caption caption="A &amp; B"]{PICTURE}[/wp_caption]', FIGURE.format("A &amp; B")),
        (
            f'[caption]<a href="/b">{PICTURE}</a>[/caption]',
            f'<figure><a href="/b">{PICTURE}</a></figure>',
        ),
        ("[caption]No picture[/caption]", "<p>No picture</p>"),
        ("a [gallery ids=1] b", "a <editor-note>[gallery ids=1]</editor-note> b"),
        ("[gallery]", "<editor-note>[gallery]</editor-note>"),
        ("[[caption]] names it", "[caption] names it"),
        (
            '<p><img src="data:image/png;base64,A" alt="Map"></p>',
            "<p><editor-note>Picture missing: data:image/png Map</editor-note></p>",
        ),
        (
            "[embed width=3]https://a.example/?a=1&amp;b=2[/embed]",
            '<p><a href="https://a.example/?a=1&amp;b=2">https://a.example/?a=1&amp;b=2</a></p>',
        ),
        (
            '[audio src="https://a.example/x.mp3"]',
            '<audio src="https://a.example/x.mp3" controls></audio>',
        ),
        (
            '[video width="6" mp4="/media/x.mp4"][/video]',
            '<video src="/media/x.mp4" controls></video>',
        ),
        ("[AUDIO mp3=/media/x.mp3 /]", '<audio src="/media/x.mp3" controls></audio>'),
        ('<!-- wp:paragraph {"a":"b"} --><p>x</p><!-- /wp:paragraph -->', "<p>x</p>"),
        (
            "a\n\nhttps://youtu.be/abc?t=1\n\nb",
            'a\n\n<a href="https://youtu.be/abc?t=1">https://youtu.be/abc?t=1</a>\n\nb',
        ),
        (
            "<p>https://x.example/1</p>",
            '<p><a href="https://x.example/1">https://x.example/1</a></p>',
        ),
        ("Text [/caption] text", "Text  text"),
    ],
)
def test_shortcodes_become_html(body: str, html: str) -> None:
    assert convert_body(body) == html


@pytest.mark.parametrize(
    "body",
    [
        "Use [ssh user@host] or [Version] 2 [sic].",
        "[captions] and [video-call] and [the gallery]",
        "Read https://a.example/ first",
        '<p><a href="https://a.example/">https://a.example/</a></p>',
        "<pre>https://a.example/</pre>",
        "<p>See <em>https://a.example/</em></p>",
        "<p>Plain.</p>",
    ],
)
def test_text_that_is_no_shortcode_is_unchanged(body: str) -> None:
    assert convert_body(body) == body


def test_the_reported_body_is_shown_without_raw_shortcodes() -> None:
    body = stored_body(
        convert_body(json.loads(case_text("2026-11/08-wordpress-leftovers.jsonl"))["body"])
    )
    assert plain_text(body).split("\n") == [
        "https://www.youtube.com/watch?v=abc",
        "Cap",
        "Claim[1]",
        "[1] Note",
    ]
    assert '<a href="https://www.youtube.com/watch?v=abc" rel="noopener">' in body
    assert "<figcaption>Cap</figcaption></figure>" in body
    for anchor, target in (("_ftn1", "_ftnref1"), ("_ftnref1", "_ftn1")):
        assert f'<a href="#{target}" id="{anchor}" rel="noopener">[1]</a>' in body
    assert "wp:" not in render_body(body) and "[caption" not in render_body(body)


def test_what_was_converted_or_left_is_reported() -> None:
    changes: list[str] = []
    convert_body('[gallery] [caption]x[/caption] <img src="data:image/png,x" alt="Map">', changes)
    assert changes == [
        "Converted: [caption]",
        "Left as a note to editors: [gallery]",
        "Picture missing: data:image/png Map",
    ]
    line = json.dumps({"headline": "A", "body": "<p>[gallery]</p>"}).encode()
    record = jsonl.parse_record(line, "line 1", "en", UTC)
    assert record.changes == ("Left as a note to editors: [gallery]",)


words = st.lists(
    st.sampled_from(
        '[caption]|[/caption]|[caption id="a"]|[embed]|[/embed]|[gallery ids=1]|[video]|[|"|\'|<p>|</p>|<img>|word|\n|\x00|0|https://a.example/|[[audio]]'.split(
            "|"
        )
    )
)


@given(words.map("".join))
def test_words_outside_of_shortcodes_are_never_lost(body: str) -> None:
    html = convert_body(body)
    assert "\x00" not in html
    if '"' not in body and "'" not in body:
        visible_text = re.sub("<[^>]*>", "", html)
        assert visible_text.count("word") == body.count("word")


@pytest.mark.parametrize(
    "unit",
    [
        "[caption]",
        "[caption ",
        "[embed]x",
        "[caption a='",
        "<p>[gallery]",
        "[[",
        "https://a\n",
        "<p>\x000\x00",
        "a",
        "<!--wp:",
        "<a>",
    ],
)
@pytest.mark.parametrize("template", ["{}", "[caption {}]", "[caption]{}[/caption]"])
def test_the_cost_is_linear(unit: str, template: str) -> None:
    begin = time.process_time()
    convert_body(template.format(unit * (200_000 // len(unit))))
    assert time.process_time() - begin < 4, "quadratic code takes many times as long"
