"""A story's page requests nothing from other sites and otherwise shows what is stored."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest
from hypothesis import given, settings

from spectator.text.html import embeds
from spectator.text.html.embeds import render_body
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import clean_html, plain_text
from spectator.text.html.tokenizer import Tag, parse_attributes, tokens
from tests.markup_samples import (
    HOSTILE_UNITS,
    WORDPRESS,
    any_markup,
    browser_markup,
    elements,
    tag_names,
)

FOREIGN = {
    "img": '<img src="https://f.example/1.jpg" alt="A &quot;market&quot; &lt;b&gt;">',
    "iframe": '<iframe src="https://f.example/map" title="Map"></iframe>',
    "video": '<video controls=""><source src="https://f.example/1.mp4">Old browser</video>',
    "audio": '<audio src="//f.example/1.mp3"></audio>',
    "table": "<table><tbody><tr><td>1</td></tr></tbody></table>",
}
PLACES = (
    "{}|<p>a {} b</p>|<p><a href='https://post.example/'>{}</a></p>|"
    "<figure>{}<figcaption>c</figcaption></figure>|<ul><li>{}"
    "</li></ul>|<figure><a href='https://post.example/'>{}</a></figure>|<p><em>{}</em></p>|"
    "<table><tr><td>{}</td></tr></table>|"
    "<blockquote>{}</blockquote>|<h2>{}</h2>|<details><summary>{}</summary></details>|"
    "<video src='/media/1.mp4'>{}</video>"
).split("|")


def assert_no_external_requests(html: str) -> None:
    for name, attributes in elements(html):
        if name != "a":
            for address in (
                attributes.get(name) for name in ("src", "poster", "href", "data", "srcset")
            ):
                assert address is None or re.match(r"/(?![/\\])", address)


def assert_nothing_to_repair(html: str) -> None:
    # Browsers ignore a line break at the start of a <pre>, where an omitted picture may leave one.
    html = re.sub(r"(<pre[^>]*>)\n", r"\1", html)
    assert unescape(browser_markup(html)) == unescape(html)


@pytest.mark.parametrize("template", PLACES)
@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_media_become_links_wherever_they_stand(kind: str, template: str) -> None:
    stored = clean_html(template.format(FOREIGN[kind]))
    html = render_body(stored)
    assert_no_external_requests(html)
    assert_nothing_to_repair(html)
    if kind == "table":
        assert "<td>1</td>" in html
    elif "<video" in template and kind in {"video", "audio"}:
        assert re.match('<video src="/media/1.mp4">(Old browser)?</video>', html)
    else:
        assert kind not in tag_names(
            html.replace('<video src="/media', '<i src="/media').replace("</video>", "</i>")
        )
        assert "f.example" in plain_text(html)
    assert "post.example" not in template or 'href="https://post.example/"' in html


def test_a_card_names_the_media_and_links_to_its_page() -> None:
    assert render_body(FOREIGN["iframe"]) == (
        '<p class="embed"><a href="https://f.example/map" rel="noopener nofollow">'
        "Map (f.example)</a></p>"
    )
    assert render_body(f"<p>{FOREIGN['img']}</p>") == (
        '<p><span class="embed"><a href="https://f.example/1.jpg" rel="noopener nofollow">'
        'A "market" &lt;b&gt; (f.example)</a></span></p>'
    )
    html = render_body(
        '<iframe src="https://www.youtube-nocookie.com/embed/abcdefghijk?rel=0"></iframe>'
    )
    assert 'href="https://www.youtube.com/watch?v=abcdefghijk"' in html


@pytest.mark.parametrize(
    "address",
    ["x.jpg", "http://", "https://[", "//", "", "ftp://f.example/x", "mailto:x@y.example"],
)
def test_media_without_a_web_url_become_their_text(address: str) -> None:
    assert render_body(f'<img src="{address}" alt="a &lt; b">') == "a &lt; b"
    assert (
        render_body(f'<p><video src="{address}">No <b>video</b></video></p>') == "<p>No video</p>"
    )


def test_own_media_are_kept_and_pictures_load_lazily() -> None:
    picture = '<img src="/media/a/1.jpg" alt="Ours" width="640" height="480">'
    assert render_body(picture) == picture.replace(">", ' loading="lazy">')
    for ours in (
        '<video src="/media/1.mp4" controls="" poster="/media/1.jpg">'
        '<track src="/media/1.vtt"></video>',
        '<audio controls=""><source src="/media/1.mp3">words</audio>',
        '<iframe src="/media/chart" title="Chart"></iframe>',
    ):
        assert render_body(ours) == ours


@pytest.mark.parametrize(
    "mixed",
    [
        '<video src="/media/1.mp4" poster="https://f.example/1.jpg"></video>',
        '<video><source src="/media/1.mp4"><source src="//f.example/1.mp4"></video>',
        '<video src="/media/1.mp4"><track src="https://f.example/1.vtt"></video>',
    ],
)
def test_media_with_a_single_foreign_url_become_links(mixed: str) -> None:
    assert tag_names(render_body(mixed)) == ["p", "a"]


@pytest.mark.parametrize(
    "costly",
    [
        '<img src="/search?q=a">',
        '<img src="/media/a/1.jpg?x=1" alt="A">',
        '<img src="/media/../search">',
        '<audio src="/?through=9-9"></audio>',
        '<video src="/media/1.mp4" poster="/newsroom/stories/1/history/compare"></video>',
        '<video><source src="/media/1.mp4"><source src="/feed.xml"></video>',
        '<iframe src="/archive/" title="Chart"></iframe>',
    ],
)
def test_no_story_makes_browsers_load_pages(costly: str) -> None:
    assert tag_names(render_body(costly)) == ["p", "a"]


def test_media_inside_media_leave_the_page_well_formed() -> None:
    html = render_body(
        '<audio src="//f.example/a"><ruby>&amp;<video controls=""></video></ruby></audio><p>on</p>'
    )
    assert tag_names(html) == ["p", "a", "p"]


@pytest.mark.parametrize("name", ["video", "audio"])
def test_nested_media_are_read_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    lengths: list[int] = []

    def count(html: str) -> str:
        lengths.append(len(html))
        return plain_text(html)

    monkeypatch.setattr(embeds, "plain_text", count)
    text = "words &amp; more " * 100
    html = f"<{name}>" * 62 + text + f"</{name}>" * 62 + "<p>on</p>"
    stored = clean_html(html)
    assert stored.count(f"<{name}") == 1
    for body in (html, stored):  # an older version stored `html` as it is
        lengths.clear()
        assert plain_text(render_body(body)) == plain_text(f"{text}<p>on</p>")
        assert sum(lengths) <= len(text) + len(f"<{name}>")


@pytest.mark.parametrize(
    "address",
    ["/\\f.example/1.jpg", "//f.example/1.jpg", "/\t/f.example/1.jpg", "\\\\f.example/1"],
)
def test_disguised_foreign_urls_are_recognized(address: str) -> None:
    assert "img" not in tag_names(
        render_body(stored_body(f'<p>x<img src="{address}" alt="y"></p>'))
    )


def test_only_the_outer_table_scrolls() -> None:
    inner = "<table><tbody><tr><td>x</td></tr></tbody></table>"
    html = render_body(f"<table><tbody><tr><td>{inner}</td></tr></tbody></table><p>on</p>")
    assert tag_names(html) == [
        "div",
        "table",
        "tbody",
        "tr",
        "td",
        "table",
        "tbody",
        "tr",
        "td",
        "p",
    ]
    assert html.endswith("</table></div><p>on</p>")


def test_all_other_markup_is_unchanged() -> None:
    body = stored_body(WORDPRESS)
    html = render_body(body)
    undone = re.sub(r'<div class="table"[^>]*>|</div>| loading="lazy"', "", html)
    assert undone == body != html
    assert '<a href="#fnref-1" rel="noopener">' in html


@given(any_markup)
def test_a_body_that_needs_no_change_is_not_parsed(markup: str) -> None:
    body = clean_html(markup)
    if embeds._UNCHANGED_BODY.fullmatch(body):
        assert embeds._render_tags(body, "/media/", "Table") == body


@settings(deadline=None, max_examples=100)
@given(any_markup)
def test_whatever_was_stored_is_shown_well_formed(html: str) -> None:
    stored = stored_body(html)
    rendered = render_body(stored)
    assert_no_external_requests(rendered)
    assert_nothing_to_repair(rendered)
    if not re.search("<(img|iframe|video|audio|table)", stored):
        assert rendered == stored


@pytest.mark.parametrize("html", ["</video>", "<source src=/x>", "<video>", "</table></a></p>"])
def test_stray_tags_of_a_body_that_was_never_cleaned_stay(html: str) -> None:
    assert render_body(html) == html


@pytest.mark.parametrize(("html", "rendered"), [("<a <b", "&lt;a &lt;b"), ("<", "&lt;")])
def test_broken_tags_of_a_body_that_was_never_cleaned_become_text(
    html: str, rendered: str
) -> None:
    assert render_body(html) == rendered


def test_an_unclosed_table_of_a_body_that_was_never_cleaned_scrolls() -> None:
    assert re.fullmatch('<div class="table" [^>]*><table>', render_body("<table>"))


@pytest.mark.parametrize(
    "unit", [*HOSTILE_UNITS, FOREIGN["video"], FOREIGN["img"], FOREIGN["table"]]
)
def test_the_cost_is_linear(unit: str) -> None:
    html = unit * (30_000 // len(unit))
    begin = time.process_time()
    render_body(html)
    assert time.process_time() - begin < 2


def test_attributes_are_read_with_any_quotes_and_the_first_of_duplicates_counts() -> None:
    [tag] = tokens("<a href='/a?b&amp;c' title=\"d\" lang=fr HREF=/e>")
    assert isinstance(tag, Tag)
    assert parse_attributes(tag) == {"href": "/a?b&c", "title": "d", "lang": "fr"}
