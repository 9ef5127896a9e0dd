"""No word is lost or joined to another: in stored HTML, plain text, excerpts and snippets."""

from __future__ import annotations

import itertools
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.search.language.analysis import analyze
from spectator.text.html.embeds import render_body
from spectator.text.html.paragraphs import editable_body, stored_body
from spectator.text.html.sanitizer import clean_html, plain_text
from spectator.text.html.tokenizer import BREAKS
from spectator.text.words.excerpts import excerpt
from spectator.text.words.normalization import normalize_text
from spectator.text.words.snippets import snippet
from tests.cases import case_text

INLINE = "b i em strong a span u font sub mark code abbr unknown math mi".split()
BLOCKS = sorted({*BREAKS, "td", "th"} - {"noframes", "noembed"})
GAPS = [" ", "\n", "\t", "\x0b", "\x0c", "\x85", "\u2028", "<br>", "</br>", "<br/>"]
WORD = object()

inline = st.sampled_from([form.format(name) for name in INLINE for form in ("<{}>", "</{}>")])
block = st.sampled_from(
    [form.format(name) for name in BLOCKS for form in ("<{}>", "</{}>", "<{} id=x-1>")]
)
pieces = st.lists(
    st.just(WORD) | st.just(WORD) | inline | block | st.sampled_from(GAPS),
    min_size=2,
    max_size=30,
)


def number_words(parts: list[object]) -> tuple[str, list[set[str]]]:
    """Return HTML with distinct words, and the words between any two breaks."""
    number, html, stretches = itertools.count(), [], [set[str]()]
    for part in parts:
        if part is WORD:
            word = f"w{next(number)}q"
            html.append(word)
            stretches[-1].add(word)
        else:
            html.append(str(part))
            if (
                part in GAPS
                or re.fullmatch(r"</?([a-z0-9]+)(?: id=x-1)?>", str(part))[1] in BLOCKS
            ):  # type: ignore[index]
                stretches.append(set())
    return "".join(html), [stretch for stretch in stretches if stretch]


def assert_words_intact(text: str, stretches: list[set[str]]) -> None:
    """Check that every word occurs once and that breaks in the source are breaks in the text."""
    word_numbers = [set(re.findall("w[0-9]+q", word)) for word in text.split()]
    assert sorted(word for numbers in word_numbers for word in numbers) == sorted(
        word for stretch in stretches for word in stretch
    )
    assert all(any(numbers <= stretch for stretch in stretches) for numbers in word_numbers)


@settings(deadline=None, max_examples=600)
@given(pieces)
def test_cleaning_keeps_every_word_and_every_boundary(parts: list[object]) -> None:
    html, stretches = number_words(parts)
    cleaned = clean_html(html)
    assert clean_html(cleaned) == cleaned
    stored = stored_body(f"<p>{html}")
    for text in map(plain_text, (html, cleaned, stored, render_body(stored))):
        assert_words_intact(text, stretches)


@settings(deadline=None, max_examples=200)
@given(pieces)
def test_search_terms_excerpts_and_snippets_contain_whole_words(parts: list[object]) -> None:
    html, stretches = number_words(parts)
    text = plain_text(clean_html(html))
    assert_words_intact(" ".join(analyze(text).folded), stretches)
    words = text.split()
    beginning = excerpt(text, 60).removesuffix("…").split()
    assert beginning == words[: len(beginning)]
    passage = "".join(piece for piece, _ in snippet(text, set(words[-1:]), 40)).strip("…").split()
    assert any(words[at : at + len(passage)] == passage for at in range(len(words) + 1))


search_texts = st.lists(
    st.sampled_from(
        [
            "w",
            "ww",
            "é",
            "<b>",
            "</b>",
            "&amp;",
            " ",
            "\n",
            "\r\n",
            "\n\n",
            "\t",
            "\x0b",
            "\x0c",
            "\u2028",
        ]
    )
)


@settings(deadline=None, max_examples=300)
@given(search_texts.map("".join))
def test_plain_text_keeps_its_words(text: str) -> None:
    body = stored_body(text)
    plain = re.sub("</?b>", "", text).replace("&amp;", "&")
    assert plain_text(body).split() == normalize_text(plain).split()
    assert stored_body(editable_body(body)) == body


@pytest.mark.parametrize("depth", [63, 64, 65, 200])
@pytest.mark.parametrize("name", ["div", "blockquote", "section", "b"])
def test_blocks_nested_too_deeply_still_separate_words(depth: int, name: str) -> None:
    html = (
        f"<{name}>" * depth
        + "<p>one</p><p>two</p><div>three</div><h5>four</h5>five"
        + f"</{name}>" * depth
        + "six"
    )
    assert plain_text(clean_html(html)).split()[:4] == ["one", "two", "three", "four"]


@pytest.mark.parametrize(
    ("html", "stored"),
    [
        ("<h5>Key</h5><h6>Who</h6>", "<h4>Key</h4><h4>Who</h4>"),
        ("<center>***</center><center>End</center>", "<p>***</p><p>End</p>"),
        ("<p>a<section>b</section>c</p>", "<p>a</p><p>b</p><p>c</p>"),
        ("<section><p>a</p><p>b</p></section>", "<p>a</p><p>b</p>"),
        ("<b>a<center>b</center>c</b>", "<b>a<br>b<br>c</b>"),
        ("<address>a<br>b</address>c", "<p>a<br>b</p><p>c</p>"),
        ("<tr><td>a</td><td>1</td></tr><tr><td>b</td></tr>", "<p>a 1</p><p>b</p>"),
        (
            "x<table>y<tr><td>z</td></tr></table>",
            "x y <table><tbody><tr><td>z</td></tr></tbody></table>",
        ),
        ("a</br>b", "a<br>b"),
        ("<p>a<style>b", "<p>ab</p>"),
        ("<p>Text</p><title>More<p>and more</p>", "<p>Text</p>More<p>and more</p>"),
    ],
)
def test_unsupported_blocks_become_paragraphs_or_breaks(html: str, stored: str) -> None:
    assert clean_html(html) == stored


def test_words_of_the_reported_bodies_stay_separate() -> None:
    first, second = (
        json.loads(line)["body"]
        for line in case_text("2026-11/06-blocks-glued.jsonl").splitlines()
    )
    assert plain_text(stored_body(first)).split("\n") == [
        "First paragraph.",
        "Keypointsqq",
        "Membersqq",
        "***",
        "Endnoteqq",
        "Last.",
    ]
    assert plain_text(stored_body(second)).split("\n") == ["Ketaqq 1234", "Anloqq 567", "After."]
