"""Files of imported bodies get their new addresses; missing pictures become notes to editors."""

from __future__ import annotations

import pytest

from spectator.importers.body_media import (
    MediaFile,
    media_urls,
    note_data_pictures,
    replace_media,
)
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import plain_text

FILES = {
    "https://old.example/a.jpg": MediaFile("/media/aa/a-960.jpg", 960, 640),
    "https://old.example/b.pdf": MediaFile("/media/files/b.pdf"),
    "https://old.example/c.mp4": MediaFile("/media/files/c.mp4"),
    "https://old.example/gone.jpg": None,
    "https://old.example/gone.mp3": None,
}


@pytest.mark.parametrize(
    ("html", "replaced"),
    [
        (
            '<p>x <IMG src="https://old.example/a.jpg" alt="A &amp; B" width="300"></p>',
            '<p>x <img src="/media/aa/a-960.jpg" alt="A &amp; B" width="960" height="640"></p>',
        ),
        (
            '<a title="T" href="https://old.example/b.pdf">Report</a>',
            '<a title="T" href="/media/files/b.pdf">Report</a>',
        ),
        (
            '<video poster="https://old.example/a.jpg" controls>'
            '<source src="https://old.example/c.mp4"></video>',
            '<video poster="/media/aa/a-960.jpg" controls="">'
            '<source src="/media/files/c.mp4"></video>',
        ),
        (
            '<figure><img src="https://old.example/gone.jpg" alt="Market"></figure>',
            "<figure><editor-note>Picture missing: https://old.example/gone.jpg Market"
            "</editor-note></figure>",
        ),
        (
            '<audio src="https://old.example/gone.mp3"></audio>',
            '<audio src="https://old.example/gone.mp3"></audio>',
        ),
        ('<img src="https://else.example/x.jpg">', '<img src="https://else.example/x.jpg">'),
        ('<a href="https://old.example/gone.jpg">x</a>',) * 2,
        ("<!-- <img src='https://old.example/a.jpg'> --> </img> <img",) * 2,
    ],
)
def test_files_get_their_new_addresses(html: str, replaced: str) -> None:
    assert replace_media(html, FILES) == replaced


def test_the_files_of_a_body_are_listed_once_and_in_order() -> None:
    html = (
        '<img src=" /a.jpg "><a href="/b.pdf?x=1">b</a><a href="/page.html">c</a><a>d</a>'
        '<video src="/c.mp4" poster="/d.jpg"><track src="/e.vtt"></video><img src="/a.jpg">'
        '<img src="data:image/png;base64,x"><a href="/F.MP3#t=1">f</a><iframe src="/g"></iframe>'
    )
    assert media_urls(html) == (
        "/a.jpg",
        "/b.pdf?x=1",
        "/c.mp4",
        "/d.jpg",
        "/e.vtt",
        "/F.MP3#t=1",
    )


def test_pictures_within_their_addresses_become_notes() -> None:
    html = '<p>x <img alt="Map of Kano" src=" DATA:image/png;base64,AAAA"> y</p>'
    noted = note_data_pictures(html)
    assert (
        noted
        == "<p>x <editor-note>Picture missing: DATA:image/png Map of Kano</editor-note> y</p>"
    )
    assert plain_text(stored_body(noted)) == "x y"
    for other in ('<img src="/a.jpg" alt="data: x">', "data: <b>x</b>", "<p>x</p>"):
        assert note_data_pictures(other) == other
