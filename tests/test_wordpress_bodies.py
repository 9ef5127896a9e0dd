"""Bodies of WordPress posts: blocks, pages, footnotes, embeds and pictures."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.importers.wordpress.bodies import Attachment, BodyContext, convert_body
from spectator.importers.wordpress.body_blocks import MAX_PATTERNS
from spectator.importers.wordpress.body_context import MAX_CHANGES
from spectator.text.html.embeds import render_body
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import clean_html, plain_text

SITE = "https://old.example"
UPLOADS = f"{SITE}/wp-content/uploads"
NOTE_ID = "9f1c-2"
FILES = {
    1: Attachment(f"{UPLOADS}/a-scaled.jpg", "Alt A", credit="Ann", mime_type="image/jpeg"),
    2: Attachment(f"{UPLOADS}/map-800x600.png", mime_type="image/png"),
}
CONTEXT = BodyContext(
    SITE,
    FILES.get,
    is_file=lambda url: any(url == file.url for file in FILES.values()),
    attached=tuple(FILES.values()),
    footnotes=json.dumps([{"id": NOTE_ID, "content": "A <em>source</em>"}]),
    pattern={7: "<!-- wp:paragraph --><p>Pattern</p><!-- /wp:paragraph -->"}.get,
)


def html_of(body: str) -> str:
    return convert_body(body, CONTEXT).html


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (
            '<!-- wp:paragraph {"align":"left"} -->\n<p>One\ntwo</p>\n<!-- /wp:paragraph -->',
            "<p>One\ntwo</p>",
        ),
        (
            '<!-- wp:core-embed/youtube {"url":"https://youtu.be/x"} -->\n<figure><div>\n'
            "https://youtu.be/x\n</div><figcaption>C</figcaption></figure>\n"
            "<!-- /wp:core-embed/youtube -->",
            '<figure><div>\n<a href="https://youtu.be/x">https://youtu.be/x</a>\n</div>'
            "<figcaption>C</figcaption></figure>",
        ),
        (
            '<!-- wp:embed {"url":"https://youtu.be/x"} /-->',
            '<p><a href="https://youtu.be/x">https://youtu.be/x</a></p>',
        ),
        (
            "<!-- wp:more -->\n<!--more-->\n<!-- /wp:more --><!-- wp:spacer /-->"
            "<!-- wp:html --><!-- /wp:html --><p>x</p>",
            "<p>x</p>",
        ),
        ('<!-- wp:block {"ref":7} /-->', "<p>Pattern</p>"),
        ("One<!--more-->\n\nTwo <!-- hidden -->three", "<p>One</p>\n<p>Two three</p>"),
        ("One <!-- never closed\n\nTwo", "<p>One  never closed</p>\n<p>Two</p>"),
        (
            "One\nhttps://a.example/b\ntwo https://a.example/c",
            '<p>One<br>\n<a href="https://a.example/b">https://a.example/b</a><br>\n'
            "two https://a.example/c</p>",
        ),
    ],
)
def test_comments_blocks_and_addresses(body: str, html: str) -> None:
    assert html_of(body) == html


@pytest.mark.parametrize(
    ("block", "source"),
    [
        ('<!-- wp:latest-posts {"postsToShow":3} /-->', 'wp:latest-posts {"postsToShow":3}'),
        ("<!-- wp:acme/quiz --><!-- /wp:acme/quiz -->", "wp:acme/quiz"),
        (
            '<!-- wp:acme/quiz {"title":"A > B"} -->\n<!-- /wp:acme/quiz -->',
            'wp:acme/quiz {"title":"A > B"}',
        ),
        ('<!-- wp:block {"ref":8} /-->', 'wp:block {"ref":8}'),
        ('<!-- wp:embed {"url":"javascript:x"} /-->', 'wp:embed {"url":"javascript:x"}'),
        ("<!-- wp:embed {broken} /-->", "wp:embed {broken}"),
    ],
)
def test_blocks_without_html_are_notes(block: str, source: str) -> None:
    converted = convert_body(f"<!-- wp:paragraph --><p>Text</p>{block}", CONTEXT)
    body = stored_body(converted.html)
    escaped = source.replace(">", "&gt;")
    assert [line for line in body.split("\n") if line] == [
        "<p>Text</p>",
        f"<p><editor-note>{escaped}</editor-note></p>",
    ]
    assert converted.changes == (f"Left as a note to editors: {source}",)
    assert render_body(body).strip() == "<p>Text</p>"


def test_pages_are_joined_and_counted() -> None:
    converted = convert_body("One\n<!--nextpage-->\nTwo\n\n<!-- nextpage -->Three", CONTEXT)
    assert converted.html == "<p>One</p>\n<p>Two</p>\n<p>Three</p>"
    assert (converted.page_count, converted.changes) == (3, ("Pages joined: 3",))


def test_the_words_of_a_more_link_are_reported() -> None:
    assert convert_body("a<!--more Read on-->", CONTEXT).changes == (
        "Removed: <!--more Read on-->",
    )


def test_footnotes_link_to_their_marks_and_back() -> None:
    body = (
        f'<!-- wp:paragraph --><p>Claim<sup data-fn="{NOTE_ID}"><a href="#{NOTE_ID}" '
        f'id="{NOTE_ID}-link">1</a></sup></p><!-- /wp:paragraph --><!-- wp:footnotes /-->'
    )
    converted = convert_body(body + "<!-- wp:footnotes /-->", CONTEXT)
    html = stored_body(converted.html)
    assert f'<a href="#fn-{NOTE_ID}" id="fn-{NOTE_ID}-link" rel="noopener">1</a>' in html
    assert f'<ol><li id="fn-{NOTE_ID}">A <em>source</em> <a href="#fn-{NOTE_ID}-link"' in html
    assert html.count("<ol>") == 1
    assert converted.changes[0] == "Converted: footnotes"


@pytest.mark.parametrize(
    "meta", ["", "{", "[1]", '{"id":1}', '[{"id":"<b>","content":"x"}]', "[" * 9999]
)
def test_footnotes_that_cannot_be_read_leave_a_note(meta: str) -> None:
    converted = convert_body("<!-- wp:footnotes /-->", BodyContext(footnotes=meta))
    assert converted.html == "<p><editor-note>wp:footnotes</editor-note></p>"


@pytest.mark.parametrize(
    ("tag", "html"),
    [
        (
            '<img class="size-medium" src="/wp-content/uploads/x-300x200.jpg" width="300">',
            f'<img src="{UPLOADS}/x.jpg" alt="" width="300">',
        ),
        (
            f'<img src="{UPLOADS}/x.jpg?resize=300%2C200&amp;ssl=1" alt="A &amp; B">',
            f'<img src="{UPLOADS}/x.jpg" alt="A &amp; B">',
        ),
        (
            '<img src="https://i2.wp.com/old.example/wp-content/uploads/x.jpg?w=300">',
            f'<img src="{UPLOADS}/x.jpg" alt="">',
        ),
        (
            f'<img src="{UPLOADS}/map-800x600.png">',
            f'<img src="{UPLOADS}/map-800x600.png" alt="">',
        ),
        (
            '<img src="https://other.example/x-300x200.jpg">',
            '<img src="https://other.example/x-300x200.jpg" alt="">',
        ),
        (
            f'<img src="data:image/gif;base64,R" data-src="{UPLOADS}/x.jpg" alt="X">',
            f'<img src="{UPLOADS}/x.jpg" alt="X">',
        ),
        (
            f'<img class="wp-image-1" src="{UPLOADS}/a-1024x683.jpg">',
            f'<img src="{UPLOADS}/a-scaled.jpg" alt="Alt A"> <cite>Ann</cite>',
        ),
        (
            '<img class="wp-image-2" src="data:image/png;base64,R">',
            f'<img src="{UPLOADS}/map-800x600.png" alt="">',
        ),
        (
            '<img src="data:image/png;base64,R" alt="Chart &lt;1&gt;">',
            "<editor-note>Picture missing: data:image/png Chart &lt;1&gt;</editor-note>",
        ),
        ("<img alt='Lost'>", "<editor-note>Picture missing: Lost</editor-note>"),
    ],
)
def test_pictures_are_originals_or_notes(tag: str, html: str) -> None:
    assert html_of(f"x {tag}") == f"<p>x {html}</p>"


def test_the_credit_of_a_picture_in_a_figure_stands_in_its_caption() -> None:
    image = f'<img class="wp-image-1" src="{UPLOADS}/a.jpg" alt="A">'
    written = f'<img src="{UPLOADS}/a-scaled.jpg" alt="A">'
    for caption, expected in (
        ("", "<figcaption><cite>Ann</cite></figcaption>"),
        ("<figcaption>C</figcaption>", "<figcaption>C <cite>Ann</cite></figcaption>"),
        ("<figcaption>C (ann)</figcaption>", "<figcaption>C (ann)</figcaption>"),
    ):
        body = f"<!-- wp:image --><figure>{image}{caption}</figure><!-- /wp:image -->"
        assert html_of(body) == f"<figure>{written}{expected}</figure>"


def test_files_of_the_story_are_listed_with_absolute_addresses() -> None:
    converted = convert_body(
        '<a href="/wp-content/uploads/r.pdf">Report</a> <a href="/about/">About</a>'
        '<img src="//old.example/wp-content/uploads/x-1x1.jpg"><audio src="b.mp3"></audio>'
        '<img src="//old.example/wp-content/uploads/x.jpg"><img src="http://[broken">',
        CONTEXT,
    )
    assert converted.media_urls == (
        f"{UPLOADS}/r.pdf",
        f"{UPLOADS}/x.jpg",
        f"{SITE}/b.mp3",
        "http://[broken",
    )
    assert '<a href="/about/">' in converted.html


def test_scripts_and_forms_are_reported_and_old_players_become_frames() -> None:
    converted = convert_body(
        "<script>\n\nx</script>One<STYLE>p{}</style >\n\n<form><input><button>Go</button></form>"
        '<object><param name="movie" value="http://www.youtube.com/v/abcdefg&amp;hl=en">'
        '<embed src="http://www.youtube.com/v/abcdefg"></object>'
        f'<a href="{UPLOADS}/r.pdf">r</a><object data="{UPLOADS}/r.pdf"></object>',
        CONTEXT,
    )
    body = stored_body(converted.html)
    assert body.count("<iframe") == 1
    assert '<iframe src="https://www.youtube.com/embed/abcdefg"></iframe>' in body
    assert plain_text(body).split() == ["One", "Go", "r"]
    assert "Removed: <script>, <style>, <form>, <input>, <button>" in converted.changes[1]


def test_patterns_are_inserted_a_limited_number_of_times() -> None:
    html = html_of('<!-- wp:block {"ref":7} /-->' * (MAX_PATTERNS + 5))
    assert html.count("<p>Pattern</p>") == MAX_PATTERNS
    assert html.count("<editor-note>wp:block") == 5


def test_a_report_has_a_limited_number_of_sentences() -> None:
    codes = "\n".join(f"[a_b c={number}]" for number in range(MAX_CHANGES + 5))
    converted = convert_body(codes, CONTEXT)
    assert len(converted.changes) == MAX_CHANGES + 1
    assert converted.changes[-1] == "More notes to editors: 5"


WRAPPERS = (
    "{}|{}\n\n{}|{}\n{}|<p>{}</p>|<em>{}\n\n{}</em>|<ul>\n<li>{}</li>\n<li>{}\n\n{}</li>\n</ul>"
    "|<blockquote>{}</blockquote>|<pre>{}\n\n{}</pre>|<table><tr><td>{}</td></tr></table>"
    '|[caption id="attachment_1"]<img src="/x.jpg"> {}[/caption]|[caption]{}[/caption]'
    '|[box a="1"]{}[/box]|[[gallery]] {}|[gallery] {}|[gallery ids="1,99"]{}|[ssh {}]|[{}]'
    "|[embed]https://a.example/{}[/embed]|\nhttps://a.example/{}\n|<!--more {}-->"
    "|{}<!--nextpage-->{}|<img src='data:image/png;base64,x' alt='{}'>|<img alt='{}'>"
    '|<!-- wp:acme/x {{"t":"{}"}} /-->|<!-- wp:paragraph --><p>{}</p><!-- /wp:paragraph -->'
    '|[contact-form-7 title="{}"]|[a_b {}|{} [/caption]|[video src="{}|<div>{}|</div>{}'
    "|[audio]{}[/audio]|[vc_row]{}[/vc_row]|<a href='/x'>{}|<b>{}</b>{}|<h2>{}\n\n{}</h2>"
).split("|")


@st.composite
def marked_bodies(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return a body that mixes all traps, and its words, each of which it has once."""
    words: list[str] = []
    pieces = []
    for template in draw(st.lists(st.sampled_from(WRAPPERS), min_size=1, max_size=12)):
        count = template.count("{}")
        names = [f"word{len(words) + number}x" for number in range(count)]
        words += names
        pieces.append(template.format(*names))
    return draw(st.sampled_from(("", "\n", "\n\n"))).join(pieces), words


@settings(deadline=None, max_examples=150)
@given(marked_bodies())
def test_every_word_is_in_the_text_or_in_the_changes(marked: tuple[str, list[str]]) -> None:
    body, words = marked
    converted = convert_body(body, CONTEXT)
    stored = stored_body(converted.html)
    editors_text = plain_text(re.sub("</?editor-note>", " ", stored))
    left = f"{editors_text} {' '.join(converted.changes)}"
    assert [word for word in words if word not in left] == []
    assert "\x00" not in converted.html
    assert clean_html(stored) == stored
    for name in ("caption", "gallery", "audio", "contact-form-7"):
        assert f"[{name}]" not in plain_text(stored).replace("[gallery] word", "")


UNITS = (
    "[|[[|[caption]|[/caption]|[caption|[a='|[a “|[a_b]|[a][/a]|[gallery ids=1]|[gallery]|<!--|-->"
    '|<!-- wp:a -->|<!-- wp:a /-->|<!-- wp:a {|<!-- wp:footnotes /-->|<!--more x-->|<|<a |<a "'
    "|<b>\n\n|<p>|<ul><li>|</ul>|<pre>|<script>|<object>|<figure>|\n \n|<br>|https://a.b\n|\x000\x00"
    "|[embed]https://a.b[/embed]|[caption]<img>"
).split("|")


@pytest.mark.parametrize("unit", UNITS)
def test_hostile_text_does_not_grow(unit: str) -> None:
    """Bound the result; `test_text_costs` counts the steps."""
    short, long = (convert_body(unit * (size // len(unit)), CONTEXT) for size in (5_000, 50_000))
    assert len(long.html) <= 12 * max(len(short.html), 5_000)
    assert len(" ".join(long.changes)) <= 50_000
