"""Bodies of Ghost: rendered HTML, lexical, mobiledoc and Markdown, with every kind of card."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from spectator.importers.ghost.bodies import convert_body
from spectator.importers.ghost.markdown import markdown_html
from spectator.text.html.embeds import render_body
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import plain_text
from tests.ghost_samples import lexical, mobiledoc, text

SRC = "https://old.example/content/images/a.jpg"


def convert(**columns: Any) -> tuple[str, list[str]]:
    changes: list[str] = []
    return convert_body(columns, "https://old.example", changes), changes


def card(kind: str, **payload: Any) -> str:
    return lexical({"type": kind, "version": 1} | payload)


def test_rendered_html_wins_then_lexical_then_mobiledoc_then_markdown() -> None:
    columns = {
        "html": "<p>html</p>",
        "lexical": lexical({"type": "paragraph", "children": [text("lexical")]}),
        "mobiledoc": mobiledoc([1, "p", [[0, [], 0, "mobiledoc"]]]),
        "markdown": "markdown",
    }
    for name in list(columns):
        assert plain_text(convert(**columns)[0]) == name
        columns[name] = ""
    assert convert(**columns) == ("", [])


def test_a_damaged_column_is_reported_and_the_next_one_read() -> None:
    html, changes = convert(lexical="{", mobiledoc=mobiledoc([1, "p", [[0, [], 0, "Words"]]]))
    assert html == "<p>Words</p>"
    assert changes[0].startswith("lexical cannot be read: ")
    deep = '{"root": ' + '{"children": [' * 3_000 + "]}" * 3_000 + "}"
    assert convert(lexical=deep)[1] == ["lexical cannot be read: nested too deeply"]


def test_the_placeholder_of_the_site_is_replaced() -> None:
    html, _ = convert(html='<p><a href="__GHOST_URL__/a/">A</a></p>')
    assert html == '<p><a href="https://old.example/a/">A</a></p>'


LEXICAL_TEXT = lexical(
    {"type": "extended-heading", "tag": "h3", "children": [text("Head")]},
    {
        "type": "paragraph",
        "children": [
            text("a<b", 1 | 2),
            {"type": "linebreak"},
            {"type": "link", "url": "https://x.example/?a=1&b=2", "children": [text("x", 16)]},
        ],
    },
    {
        "type": "list",
        "listType": "number",
        "start": 3,
        "children": [
            {"type": "listitem", "children": [text("one")]},
            {
                "type": "listitem",
                "children": [
                    {
                        "type": "list",
                        "listType": "bullet",
                        "children": [{"type": "listitem", "children": [text("two")]}],
                    }
                ],
            },
        ],
    },
    {"type": "extended-quote", "children": [text("said")]},
    {"type": "horizontalrule"},
    {"type": "codeblock", "code": "  if a < b", "caption": "Code"},
    {"type": "strange", "children": [text("kept")]},
)


def test_a_lexical_text() -> None:
    html, changes = convert(lexical=LEXICAL_TEXT)
    assert html == (
        "<h3>Head</h3><p><strong><em>a&lt;b</em></strong><br>"
        '<a href="https://x.example/?a=1&amp;b=2"><code>x</code></a></p>'
        '<ol start="3"><li>one</li><li><ul><li>two</li></ul></li></ol>'
        "<blockquote>said</blockquote><hr>"
        "<figure><pre><code>  if a &lt; b</code></pre><figcaption>Code</figcaption></figure>kept"
    )
    assert changes == []


def test_nodes_that_are_nested_deeply_keep_their_words() -> None:
    node: dict[str, Any] = {"type": "paragraph", "children": [text("deep")]}
    for _ in range(200):
        node = {"type": "quote", "children": [node, text("end")]}
    html, _ = convert(lexical=lexical(node))
    assert plain_text(html).split().count("end") == 200
    assert "deep" in html


def test_a_mobiledoc_text() -> None:
    html, _ = convert(
        mobiledoc=mobiledoc(
            [1, "h2", [[0, [], 0, "Head"]]],
            [1, "p", [[0, [0, 1], 1, "a<b"], [1, [], 1, 0], [0, [9], 7, " end"]]],
            [3, "ol", [[[0, [], 0, "one"]], [[0, [], 0, "two"]]]],
            [1, "aside", [[0, [], 0, "said"]]],
            [2, SRC],
            [10, 0],
            [10, 5],
            [1, ["p"], None],
            "nonsense",
            atoms=[["soft-return", "", {}]],
            cards=[["hr", {}]],
            markups=[["a", ["href", "https://x.example"]], ["em"]],
        )
    )
    assert html.startswith(
        '<h2>Head</h2><p><a href="https://x.example"><em>a&lt;b</em><br></a> end</p>'
        "<ol><li>one</li><li>two</li></ol><blockquote>said</blockquote>"
        f'<figure><img src="{SRC}" alt=""></figure><hr>'
    )


# The same card as a payload and as Ghost renders it, and what the story holds.
CARDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "image": (
        {"src": SRC, "alt": "A map", "caption": "By <b>Ama</b>", "href": "https://x.example"},
        f'<figure class="kg-card kg-image-card kg-card-hascaption"><a href="https://x.example">'
        f'<img src="{SRC}" class="kg-image" alt="A map"></a>'
        "<figcaption>By <b>Ama</b></figcaption></figure>",
        f'<figure><a href="https://x.example"><img src="{SRC}" alt="A map"></a>'
        "<figcaption>By <b>Ama</b></figcaption></figure>",
    ),
    "gallery": (
        {"images": [{"src": SRC}, {"src": "b.jpg", "alt": "B"}], "caption": "Two"},
        '<figure class="kg-card kg-gallery-card"><div class="kg-gallery-container"><div>'
        f'<div class="kg-gallery-image"><img src="{SRC}"></div><div><img src="b.jpg" alt="B">'
        "</div></div></div><figcaption>Two</figcaption></figure>",
        f'<figure><img src="{SRC}" alt=""><img src="b.jpg" alt="B">'
        "<figcaption>Two</figcaption></figure>",
    ),
    "embed": (
        {
            "html": '<iframe src="https://www.youtube.com/embed/abcdefgh"></iframe>',
            "caption": "Film",
        },
        '<figure class="kg-card kg-embed-card"><iframe src="https://www.youtube.com/embed/abcdefgh">'
        "</iframe><figcaption>Film</figcaption></figure>",
        '<figure><iframe src="https://www.youtube.com/embed/abcdefgh"></iframe>'
        "<figcaption>Film</figcaption></figure>",
    ),
    "bookmark": (
        {
            "url": "https://x.example/a",
            "metadata": {"title": "T & t", "description": "D", "author": "A", "publisher": "P"},
            "caption": "C",
        },
        '<figure class="kg-card kg-bookmark-card"><a class="kg-bookmark-container" '
        'href="https://x.example/a"><div class="kg-bookmark-content"><div '
        'class="kg-bookmark-title">T &amp; t</div><div class="kg-bookmark-description">D</div>'
        '<div class="kg-bookmark-metadata"><img class="kg-bookmark-icon" src="i.png"><span '
        'class="kg-bookmark-author">A</span><span class="kg-bookmark-publisher">P</span></div>'
        "</div></a><figcaption>C</figcaption></figure>",
        '<p><a href="https://x.example/a">T &amp; t</a><br>D<br>A · P</p><p>C</p>',
    ),
    "callout": (
        {"calloutEmoji": "💡", "calloutText": "<p>Note <b>this</b></p>"},
        '<div class="kg-card kg-callout-card kg-callout-card-blue"><div class="kg-callout-emoji">'
        '💡</div><div class="kg-callout-text">Note <b>this</b></div></div>',
        "<div><p>💡 Note <b>this</b></p></div>",
    ),
    "toggle": (
        {"heading": "More", "content": "<p>Hidden</p>"},
        '<div class="kg-card kg-toggle-card" data-kg-toggle-state="close"><div '
        'class="kg-toggle-heading"><h4 class="kg-toggle-heading-text">More</h4><button '
        'class="kg-toggle-card-icon"><svg><path d=""/></svg></button></div><div '
        'class="kg-toggle-content"><p>Hidden</p></div></div>',
        "<details><summary>More</summary><p>Hidden</p></details>",
    ),
    "button": (
        {"buttonText": "Give", "buttonUrl": "https://x.example"},
        '<div class="kg-card kg-button-card kg-align-center"><a href="https://x.example" '
        'class="kg-btn">Give</a></div>',
        '<p><a href="https://x.example">Give</a></p>',
    ),
    "audio": (
        {"src": "https://x.example/a.mp3", "title": "Talk"},
        '<div class="kg-card kg-audio-card"><img class="kg-audio-thumbnail" src="t.png"><div '
        'class="kg-audio-player-container"><audio src="https://x.example/a.mp3"></audio><div '
        'class="kg-audio-title">Talk</div><div class="kg-audio-player"><span>0:00</span></div>'
        "</div></div>",
        '<figure><audio src="https://x.example/a.mp3" controls></audio>'
        "<figcaption>Talk</figcaption></figure>",
    ),
    "video": (
        {"src": "https://x.example/a.mp4", "thumbnailSrc": "p.jpg", "width": 640, "caption": "C"},
        '<figure class="kg-card kg-video-card"><div class="kg-video-container"><video '
        'src="https://x.example/a.mp4" poster="p.jpg" width="640" loop></video><div '
        'class="kg-video-overlay"><button>0:00</button></div></div><figcaption>C</figcaption>'
        "</figure>",
        '<figure><video src="https://x.example/a.mp4" poster="p.jpg" width="640" controls></video>'
        "<figcaption>C</figcaption></figure>",
    ),
    "file": (
        {"src": "https://x.example/a.pdf", "fileTitle": "Report", "fileName": "a.pdf"},
        '<div class="kg-card kg-file-card"><a class="kg-file-card-container" title="Download" '
        'href="https://x.example/a.pdf" download><div class="kg-file-card-title">Report</div>'
        '<div class="kg-file-card-metadata"><div class="kg-file-card-filename">a.pdf</div><div '
        'class="kg-file-card-filesize">1 MB</div></div></a></div>',
        '<p><a href="https://x.example/a.pdf">Report</a><br>a.pdf</p>',
    ),
    "product": (
        {
            "productImageSrc": SRC,
            "productTitle": "Book",
            "productDescription": "<p>Good.</p>",
            "productButtonEnabled": True,
            "productButton": "Buy",
            "productUrl": "https://x.example",
        },
        '<div class="kg-card kg-product-card"><div class="kg-product-card-container">'
        f'<img src="{SRC}" class="kg-product-card-image">'
        '<h4 class="kg-product-card-title">Book</h4>'
        '<div class="kg-product-card-description"><p>Good.</p></div><a href="https://x.example" '
        'class="kg-product-card-button"><span>Buy</span></a></div></div>',
        f'<figure><img src="{SRC}" alt=""></figure><h4>Book</h4><p>Good.</p>'
        '<p><a href="https://x.example">Buy</a></p>',
    ),
    "header": (
        {"header": "Big", "subheader": "Small", "buttonEnabled": False},
        '<div class="kg-card kg-header-card kg-v2"><div class="kg-header-card-content"><h2 '
        'class="kg-header-card-heading">Big</h2><p class="kg-header-card-subheading">Small</p>'
        "</div></div>",
        "<h2>Big</h2><p>Small</p>",
    ),
}


@pytest.mark.parametrize("kind", CARDS)
def test_a_card_is_the_same_in_every_format(kind: str) -> None:
    payload, html, expected = CARDS[kind]
    document = mobiledoc([10, 0], cards=[[kind, payload]])
    for columns in ({"html": html}, {"lexical": card(kind, **payload)}, {"mobiledoc": document}):
        assert convert(**columns) == (expected, []), columns
    assert plain_text(render_body(stored_body(expected)))


@pytest.mark.parametrize("kind", ["signup", "email", "email-cta", "nft"])
def test_cards_that_need_ghost_become_notes_with_their_words(kind: str) -> None:
    html, changes = convert(lexical=card(kind, header="Get our news", backgroundImageSrc=SRC))
    assert changes == [f"Card left out: {kind}. Get our news"]
    assert html == f"<p><editor-note>{changes[0]}</editor-note></p>"
    body = f'<p>A</p><div class="kg-card kg-{kind}-card"><form><h2>Get our news</h2></form></div>'
    html, changes = convert(html=body)
    assert changes == [f"Card left out: {kind}. Get our news"]
    assert render_body(stored_body(html)) == "<p>A</p>"


GATED = [
    {
        "html": '<p>A</p><!--kg-gated-block:begin nonMember:false memberSegment:"status:free"-->'
        "<p>Secret words</p><!--kg-gated-block:end--><p>B</p>"
    },
    {"html": "<p>A</p><!--kg-gated-block:begin nonMember:false-->\n<p>Secret words</p>"},
    {
        "lexical": card(
            "html", html="<p>Secret words</p>", visibility={"web": {"nonMember": False}}
        )
    },
    {"lexical": card("html", html="<p>Secret words</p>", visibility={"showOnWeb": False})},
]


@pytest.mark.parametrize("columns", GATED)
def test_what_only_members_saw_is_never_public(columns: dict[str, str]) -> None:
    html, changes = convert(**columns)
    body = stored_body(html)
    assert "Secret words" not in render_body(body)
    assert "Secret words" not in plain_text(body)
    assert "Secret words" in body
    assert len(changes) == 1 and "Secret words" in changes[0]
    assert ("<p>B</p>" in html) == ("<p>B</p>" in columns.get("html", ""))


def test_a_block_for_everybody_and_the_marker_of_the_paywall() -> None:
    html, changes = convert(
        html="<!--kg-gated-block:begin nonMember:true--><p>A</p><!--kg-gated-block:end-->"
        "<!--members-only--><p>B</p>"
    )
    note = "From here on, the text was for members only."
    assert (html, changes) == (
        f"<p>A</p><p><editor-note>{note}</editor-note></p><p>B</p>",
        [note],
    )
    assert convert(lexical=card("paywall"))[1] == [note]


def test_code_in_html_cards_is_reported() -> None:
    body = "<div>Map</div><script>alert(1)</script><form><input></form>"
    expected = ["Code left out: form, input, script"]
    assert convert(lexical=card("html", html=body))[1] == expected
    html, changes = convert(
        html=f"<!--kg-card-begin: html-->{body}<!--kg-card-end: html--><p>End</p>"
    )
    assert changes == expected
    assert plain_text(stored_body(html)) == "Map\nEnd"


def test_an_embed_without_html_is_a_link() -> None:
    html, _ = convert(lexical=card("embed", url="https://x.example/a", html=None))
    assert '<a href="https://x.example/a">https://x.example/a</a>' in html


def test_an_unknown_card_stays_as_html_or_as_a_note() -> None:
    html, changes = convert(html='<div class="kg-card kg-new-card"><p>Words</p></div>')
    assert "<p>Words</p>" in html
    assert changes == ["Card kept as plain HTML: new"]
    html, changes = convert(lexical=card("new", text="Some words", url="https://x.example"))
    assert changes == ["Card left out: new. Some words"]


def test_cards_that_are_not_closed_lose_no_word() -> None:
    html, _ = convert(html='<div class="kg-card kg-callout-card"><p>Words</p>')
    assert "Words" in html


MARKDOWN = """# Head #
One *em* and **bold _x_** in snake_case, 2 * 3 * 4 \\*
two `a<b` ![alt](/p.png) https://x.example/a_b_c.

Under
-----
> said
> more

3. one
4. two
   - inner

~~~
a < b
~~~
<div>raw</div>

==mark== ~~no~~ [a *b*](https://x.example/(c) "T") AT&T **open"""


def test_markdown() -> None:
    assert markdown_html(MARKDOWN) == (
        "<h1>Head</h1>\n<p>One <em>em</em> and <strong>bold <em>x</em></strong> in snake_case,"
        ' 2 * 3 * 4 *<br>two <code>a&lt;b</code> <img src="/p.png" alt="alt">'
        ' <a href="https://x.example/a_b_c">https://x.example/a_b_c</a>.</p>\n'
        "<h2>Under</h2>\n<blockquote><p>said<br>more</p></blockquote>\n"
        '<ol start="3"><li>one</li><li>two\n<ul><li>inner</li></ul></li></ol>\n'
        "<pre><code>a &lt; b</code></pre>\n<div>raw</div>\n"
        '<p><mark>mark</mark> <s>no</s> <a href="https://x.example/(c)" title="T">a <em>b</em></a>'
        " AT&T **open</p>"
    )


@pytest.mark.parametrize("piece", ["[", "**a ", "`", "<!--", "> ", "- ", "![a](", "* a\n", "_a"])
def test_the_result_of_hostile_markdown_grows_with_the_text(piece: str) -> None:
    short, long = (len(markdown_html(piece * number)) for number in (500, 5_000))
    assert long <= 12 * short
    words = re.findall(r"\w+", piece * 500)
    assert plain_text(markdown_html(piece * 500)).count("a") >= len(words)


def test_a_payload_of_any_shape_is_no_error() -> None:
    odd: list[Any] = [None, 5, "x", [], {}, [None], {"a": None}, [[[]]], {"src": {}}, True]
    for value in odd:
        for kind, (payload, _, _) in CARDS.items():
            convert(lexical=card(kind, **dict.fromkeys(payload, value)))
            convert(
                mobiledoc=json.dumps({"sections": [value, [10, 0]], "cards": [[kind, value]]})
            )
        convert(lexical=json.dumps({"root": value}), mobiledoc=json.dumps(value))
        convert(
            lexical=lexical({"type": value, "children": value, "text": value, "format": value})
        )
