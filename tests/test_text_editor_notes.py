"""Editors see notes in a story's text; nothing that readers get contains them."""

from __future__ import annotations

import pytest
from flask import Flask

from spectator.text.html.editor_notes import editor_note
from spectator.text.html.embeds import render_body
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import clean_html, plain_text
from spectator.text.words.snippets import beginning, body_snippets
from tests.newsroom_client import create_story, logged_in_client

NOTE = editor_note('[form title="Hidden & <secret>"]')


def test_a_note_is_text_in_one_line() -> None:
    assert editor_note(" a\n <b>&amp; ") == "<editor-note>a &lt;b&gt;&amp;amp;</editor-note>"
    assert editor_note(" \n") == ""


def test_a_note_stays_in_the_stored_body() -> None:
    body = f"<p>Before {NOTE} after</p>\n<p>{NOTE}</p>"
    assert stored_body(body) == body
    assert stored_body(f"Before {NOTE} after\n\n{NOTE}") == body
    assert clean_html('<editor-note class="x" onclick="y">z</editor-note>') == (
        "<editor-note>z</editor-note>"
    )


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (f"<p>Before {NOTE} after</p>", "<p>Before  after</p>"),
        (f"<p>a</p>\n<p>{NOTE}</p>\n<p>b</p>", "<p>a</p>\n\n<p>b</p>"),
        (f"<p> {NOTE}\n{NOTE} </p>", ""),
        (
            f"<figure>{NOTE}<figcaption>c</figcaption></figure>",
            "<figure><figcaption>c</figcaption></figure>",
        ),
        (f"<figure>{NOTE}</figure>", ""),
        (f"<ul><li>{NOTE}</li></ul>", ""),
        (f"<ul><li>{NOTE}</li><li>a</li></ul>", "<ul><li>a</li></ul>"),
        ("<editor-note>a <editor-note>b</editor-note> c</editor-note>d", "d"),
        ("<editor-note><p>a</p><img src='/media/a/1.jpg'></editor-note>d", "d"),
        ("<EDITOR-NOTE id=a-1>a</EDITOR-NOTE >d", "d"),
    ],
)
def test_readers_get_no_notes(body: str, html: str) -> None:
    assert render_body(clean_html(body)) == html
    assert "secret" not in plain_text(clean_html(body))


def test_a_note_that_is_cut_or_never_closed_hides_no_other_paragraph() -> None:
    assert stored_body("<p><editor-note>a</p><p>b</p>") == (
        "<p><editor-note>a</editor-note></p><p>b</p>"
    )
    body = f"<p>word</p><p>{NOTE}</p>"
    for length in range(len(body)):
        assert plain_text(beginning(body, length)) in {"", "word"}
    assert body_snippets([body], {"secret"}) == [[("word", False)]]
    assert plain_text("a</editor-note> b") == "a b"


def test_the_page_of_a_story_has_no_note(app: Flask) -> None:
    client = logged_in_client(app)
    text = f"<p>The vote was postponed.</p><p>{NOTE}</p>"
    article_id = create_story(client, body=text, do="publish")
    assert "Hidden &amp;" in client.get(f"/newsroom/stories/{article_id}").text
    preview = client.get(f"/newsroom/stories/{article_id}/preview").text
    assert "The vote was postponed." in preview
    assert "editor-note" not in preview


def test_a_story_may_consist_of_a_note(app: Flask) -> None:
    assert create_story(logged_in_client(app), body=f"<p>{NOTE}</p>")
