"""Shortcodes become HTML or notes to editors; other words in brackets stay as they are."""

from __future__ import annotations

import pytest

from spectator.importers.wordpress.bodies import Attachment, BodyContext, convert_body
from spectator.importers.wordpress.galleries import MAX_FILES
from spectator.text.html.embeds import render_body
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import plain_text

UPLOADS = "https://old.example/wp-content/uploads"
FILES = {
    1: Attachment(f"{UPLOADS}/a.jpg", "Alt A", "Cap <em>A</em>", "Ann", mime_type="image/jpeg"),
    2: Attachment(f"{UPLOADS}/b.png", mime_type="image/png", width=4, height=3),
    3: Attachment(f"{UPLOADS}/c.mp3", title="Song & dance", mime_type="audio/mpeg"),
    4: Attachment(f"{UPLOADS}/d.mp4", mime_type="video/mp4"),
}
CONTEXT = BodyContext("https://old.example", FILES.get, attached=tuple(FILES.values()))
A = (
    f'<figure><img src="{UPLOADS}/a.jpg" alt="Alt A">'
    "<figcaption>Cap <em>A</em> <cite>Ann</cite></figcaption></figure>"
)
B = f'<figure><img src="{UPLOADS}/b.png" alt="" width="4" height="3"></figure>'
IMG = f'<img src="{UPLOADS}/x.jpg" alt="X">'


def html_of(body: str, context: BodyContext = CONTEXT) -> str:
    return convert_body(body, context).html


@pytest.mark.parametrize(
    ("body", "html"),
    [
        (
            f'[caption id="attachment_2" align="left" width="300"]{IMG} Text <b>b</b>[/caption]',
            f"<figure>{IMG}<figcaption>Text <b>b</b></figcaption></figure>",
        ),
        (
            f'[caption width="300" caption="Text &amp; more"]{IMG}[/caption]',
            f"<figure>{IMG}<figcaption>Text &amp; more</figcaption></figure>",
        ),
        (
            f'[wp_caption caption="One"]<a href="/b"> {IMG} </a>Two[/wp_caption]',
            f'<figure><a href="/b"> {IMG} </a><figcaption>One Two</figcaption></figure>',
        ),
        (
            f'[caption id="attachment_1"]{IMG} By Ann[/caption]',
            f"<figure>{IMG}<figcaption>By Ann</figcaption></figure>",
        ),
        (
            f'[caption id="attachment_1"]{IMG} Text[/caption]',
            f"<figure>{IMG}<figcaption>Text <cite>Ann</cite></figcaption></figure>",
        ),
        ("[caption]Only words[/caption]", "<p>Only words</p>"),
        ('[gallery ids="1, 2"]', f"<figure>{A}{B}</figure>"),
        ('[gallery columns="2" include="2" link="file"]', f"<figure>{B}</figure>"),
        ("[gallery]", f"<figure>{A}{B}</figure>"),
        ('[gallery exclude="1"]', f"<figure>{B}</figure>"),
        ('[gallery order="DESC"]', f"<figure>{B}{A}</figure>"),
        (
            "[gallery ids='2,9']",
            f"<figure>{B}<p><editor-note>Picture missing: [gallery] 9</editor-note></p></figure>",
        ),
        ("[gallery ids=8,9]", "<p><editor-note>[gallery ids=8,9]</editor-note></p>"),
        (
            '[audio src="/wp-content/uploads/x.mp3"]',
            f'<audio src="{UPLOADS}/x.mp3" controls=""></audio>',
        ),
        ("[audio]", f'<audio src="{UPLOADS}/c.mp3" controls=""></audio>'),
        (
            f'[video width="6" mp4="{UPLOADS}/x.mp4" webm="{UPLOADS}/x.webm" poster="/p.jpg"]'
            "[/video]",
            f'<video poster="https://old.example/p.jpg" controls=""><source src="{UPLOADS}/x.mp4">'
            f'<source src="{UPLOADS}/x.webm"></video>',
        ),
        (
            f"[audio]{UPLOADS}/x.mp3[/audio]",
            f'<audio src="{UPLOADS}/x.mp3" controls=""></audio>',
        ),
        (
            '[playlist ids="3"]',
            f'<figure><audio src="{UPLOADS}/c.mp3" controls=""></audio>'
            "<figcaption>Song &amp; dance</figcaption></figure>",
        ),
        (
            '[playlist type="video"]',
            f'<figure><video src="{UPLOADS}/d.mp4" controls=""></video></figure>',
        ),
        (
            "[embed width=3]https://a.example/?b=1&amp;c=2[/embed]",
            '<p><a href="https://a.example/?b=1&amp;c=2">https://a.example/?b=1&amp;c=2</a></p>',
        ),
        ("[youtube=https://youtu.be/abc]", '<p><a href="{0}">{0}</a></p>'),
        ('[youtube id="abc_DEF-123"]', '<p><a href="{1}">{1}</a></p>'),
        ("[vimeo 12345678]", '<p><a href="{2}">{2}</a></p>'),
        ("[tweet https://twitter.com/a/status/1]", '<p><a href="{3}">{3}</a></p>'),
    ],
)
def test_core_shortcodes_and_embeds_become_html(body: str, html: str) -> None:
    links = (
        "https://youtu.be/abc",
        "https://www.youtube.com/watch?v=abc_DEF-123",
        "https://vimeo.com/12345678",
        "https://twitter.com/a/status/1",
    )
    for number, link in enumerate(links):
        html = html.replace(f"{{{number}}}", link)
    converted = html_of(body)
    assert converted.replace(" controls>", ' controls="">') == html
    assert stored_body(converted)


@pytest.mark.parametrize(
    "text",
    [
        "Use [ssh user@host] and [ssh -p 22 host].",
        "[Version] 2 of [version]",
        "A pattern such as [a-z0-9] or [A-Z]",
        "He said [sic] that [the gallery] and [video-call] were [captions].",
        "[1] [Editor's note: x] [emphasis added] […] [Video] [Facebook] [twitter]",
        "[p = 0.05] and [see Smith, 2020] and [n=5 of 9]",
        "values[my_index] = (list)[my_key]",
        "[unclosed and [nested",
    ],
)
def test_false_shortcodes_are_untouched(text: str) -> None:
    converted = convert_body(text, CONTEXT)
    assert converted.html == f"<p>{text}</p>"
    assert converted.changes == ()


@pytest.mark.parametrize(
    "code",
    [
        '[contact-form-7 id="5" title="Write to us"]',
        "[contact-form-7]",
        "[mc4wp_form id=5]",
        "[wp_sitemap]",
        "[poll id=“3”]",
        '[button url="/x" "blue"]',
        "[products limit=4 columns=2 /]",
        "[toc]",
    ],
)
def test_unknown_shortcodes_are_notes_to_editors(code: str) -> None:
    converted = convert_body(f"Before\n\n{code}\n\nAfter {code} it.", CONTEXT)
    body = stored_body(converted.html)
    source = code.replace("&", "&amp;")
    assert f"<p><editor-note>{source}</editor-note></p>" in body
    assert f"<p>After <editor-note>{source}</editor-note> it.</p>" in body
    assert plain_text(body) == "Before\nAfter it."
    assert "[" not in render_body(body)
    assert converted.changes == (f"Left as a note to editors: {code}",)


def test_the_words_between_the_tags_of_an_unknown_shortcode_stay() -> None:
    body = stored_body(html_of("[box colour=red]Words[/box] and [b]more[/b] [/b]"))
    assert plain_text(body) == "Words and more [/b]"
    assert body.count("<editor-note>") == 4


def test_layout_disappears_and_is_reported() -> None:
    converted = convert_body(
        '[vc_row][vc_column width="1/2"]Left[/vc_column][vc_column width="1/2"]Right[/vc_column]'
        "[/vc_row][one_half_last]End[/one_half_last]",
        CONTEXT,
    )
    assert converted.html == "<p>Left</p>\n<p>Right</p>\n<p>End</p>"
    assert converted.changes == (
        'Removed: [vc_row], [vc_column width="1/2"] (2), [one_half_last]',
    )


def test_shortcodes_in_tags_and_code_are_no_shortcodes() -> None:
    body = '<a href="/x" title="[gallery]">x</a> <code>[gallery] [a_b]</code>'
    assert html_of(body) == f"<p>{body}</p>"
    assert html_of("<pre>[toc id=1]\n\n[/toc]</pre>") == "<pre>[toc id=1]\n\n[/toc]</pre>"


def test_escaped_shortcodes_lose_their_second_brackets() -> None:
    assert html_of("Write [[gallery]] or [[a_b c=1]], not [[1]].") == (
        "<p>Write [gallery] or [a_b c=1], not [[1]].</p>"
    )


def test_nested_and_stray_tags_lose_no_word() -> None:
    body = f"[caption]{IMG} One [audio] two[/caption] three [/caption] [embed]four[/embed]"
    text = plain_text(stored_body(html_of(body)))
    assert text.split() == ["One", "two", "three", "four"]
    deep = "[caption]" * 20 + "word" + "[/caption]" * 20
    assert plain_text(stored_body(html_of(deep))) == "word"


def test_a_body_has_a_limited_number_of_pictures_from_galleries() -> None:
    html = html_of('[gallery ids="1,2"]\n' * MAX_FILES)
    assert html.count("<img") == MAX_FILES
    assert html.count("<editor-note>[gallery") == MAX_FILES // 2


def test_what_was_converted_is_counted() -> None:
    converted = convert_body(f"[gallery]\n[gallery]\n[caption]{IMG} x[/caption]", CONTEXT)
    assert converted.changes == ("Converted: [gallery] (2), [caption]",)
