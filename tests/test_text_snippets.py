"""Snippets show the matching passage in whole words; joined pieces are the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.text.html.sanitizer import plain_text
from spectator.text.words import snippets
from spectator.text.words.folding import fold, tokens
from spectator.text.words.snippets import (
    MAX_SCANNED_CHARS,
    Pieces,
    beginning,
    body_snippets,
    highlight,
    snippet,
)

FILLER = "and so on it went for quite a while "


def join_pieces(pieces: Pieces) -> str:
    return "".join(piece for piece, _ in pieces)


def hits(pieces: Pieces) -> list[str]:
    return [piece for piece, is_match in pieces if is_match]


def test_words_are_highlighted_in_every_spelling() -> None:
    assert highlight("Ṣẹ́gun met SEGUN.", {"segun"}) == [
        ("Ṣẹ́gun", True),
        (" met ", False),
        ("SEGUN", True),
        (".", False),
    ]


def test_whole_words_are_highlighted_unless_the_term_is_a_prefix() -> None:
    assert hits(highlight("Niger, Nigeria", {"niger"})) == ["Niger"]
    assert hits(highlight("Niger, Nigeria, algeria", set(), ("niger",))) == ["Niger", "Nigeria"]


def test_highlighting_neither_escapes_nor_drops_text() -> None:
    text = "<b>a & b</b>\n\n a"
    assert join_pieces(highlight(text, {"a"})) == text


def test_the_snippet_of_a_short_text_is_the_whole_text() -> None:
    assert snippet("Short  and\nplain ", {"absent"}) == [("Short and plain", False)]
    assert snippet("Niger and Nigeria", set(), prefixes=("nigeri",)) == [
        ("Niger and ", False),
        ("Nigeria", True),
    ]
    assert snippet("", {"absent"}) == []


def test_the_snippet_of_a_long_text_without_hits_is_its_beginning() -> None:
    pieces = snippet(FILLER * 20, {"absent"}, width=40)
    assert pieces == [("and so on it went for quite a while and…", False)]


def test_a_snippet_surrounds_the_hit() -> None:
    pieces = snippet(FILLER * 20 + "the Sahel drought " + FILLER * 20, {"sahel"}, width=100)
    assert hits(pieces) == ["Sahel"]
    assert join_pieces(pieces).startswith("…") and join_pieces(pieces).endswith("…")
    assert len(join_pieces(pieces)) <= 110


def test_a_snippet_shows_the_passage_with_the_most_different_terms() -> None:
    text = "mali mali mali " + FILLER * 20 + "mali and niger met " + FILLER * 20 + "niger niger"
    assert hits(snippet(text, {"mali", "niger"}, width=80)) == ["mali", "niger"]


NUMBERED = " ".join(f"w{number:02}" for number in range(100))


@pytest.mark.parametrize(
    ("word", "first", "last"),
    [("w00", 0, 9), ("w02", 0, 9), ("w50", 48, 57), ("w98", 90, 99), ("w99", 90, 99)],
)
def test_a_third_of_the_other_words_stands_before_the_hit(
    word: str, first: int, last: int
) -> None:
    words = NUMBERED.split()[first : last + 1]
    before, after = "…" if first else "", "…" if last < 99 else ""
    pieces = snippet(NUMBERED, {word}, width=40)
    assert join_pieces(pieces) == before + " ".join(words) + after
    assert hits(pieces) == [word]


def test_of_equal_passages_the_first_is_shown() -> None:
    text = f"mali met niger {FILLER * 9} mali met niger"
    assert join_pieces(snippet(text, {"mali", "niger"}, width=40)).startswith(
        "mali met niger and"
    )
    more = f"mali met {FILLER * 9} mali met mali {FILLER * 9} mali mali"
    assert hits(snippet(more, {"mali"}, width=20)) == ["mali", "mali"]
    assert "mali met mali" in join_pieces(snippet(more, {"mali"}, width=20))


def test_a_snippet_starts_with_a_sentence_or_a_line() -> None:
    for end in (".", "?", "።", "\n"):
        text = f"{FILLER * 9}It ended{end} Then the Sahel drought came. {FILLER * 9}"
        assert join_pieces(snippet(text, {"sahel"}, width=60)).startswith("…Then the Sahel")


def test_a_blank_before_a_text_without_blanks_is_left_out() -> None:
    pieces = snippet(" " + "ሀ" * 500, {"absent"}, width=40)
    assert join_pieces(pieces).strip("…") == "ሀ" * 39


def test_a_name_with_an_apostrophe_is_highlighted_as_a_whole() -> None:
    assert highlight("the Qur'an", {"quran"}) == [("the ", False), ("Qur'an", True)]


@pytest.mark.parametrize(
    ("sentence", "word"),
    [("የአዲስ አበባ ከተማ ዓለም ", "ዓለም"), ("قال الرئيسُ أمس ", "الرئيسُ"), ("Ó lọ sí ọjà ", "ọjà")],
)
def test_every_script_is_cut_at_words(sentence: str, word: str) -> None:
    pieces = snippet(sentence * 50, {fold(word)}, width=70)
    assert word in hits(pieces)
    assert set(join_pieces(pieces).strip("…").split()) <= set(sentence.split())


def test_a_text_without_blanks_is_cut_anywhere() -> None:
    assert len(join_pieces(snippet("ሀ" * 5000, {"absent"}))) <= 202
    assert len(join_pieces(snippet("-" * 5000 + "here" + "-" * 5000, {"here"}))) <= 202


@settings(deadline=None, max_examples=100)
@given(
    st.text(st.sampled_from("aab  .\nሀ-é\u0301مُ"), max_size=300),
    st.sets(st.sampled_from(["a", "ab", "e", "ሀ"])),
    st.integers(20, 80),
)
def test_the_pieces_of_a_snippet_join_to_a_passage_of_the_text(
    text: str, terms: set[str], width: int
) -> None:
    assert join_pieces(highlight(text, terms)) == text
    assert hits(highlight(text, terms)) == [
        text[token.start : token.end] for token in tokens(text) if token.text in terms
    ]
    pieces = snippet(text, terms, width)
    passage = join_pieces(pieces)
    assert passage.strip("…") in " ".join(text.split()) or passage.strip("… ") in " ".join(
        text.split()
    )
    assert len(passage) <= width + 50
    assert all(piece for piece, _ in pieces)
    assert bool(hits(pieces)) == any(token.text in terms for token in tokens(text))


@pytest.mark.parametrize("unit", ["a ", "a", " ", "\n", ". ", "\u0301", "ab c. "])
def test_the_cost_is_linear(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.process_time()
    snippet(text, {"a", "ab", "c"})
    highlight(text, {"a", "ab", "c"})
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("html", "length", "start"),
    [
        ("<p>One two</p>", 14, "<p>One two</p>"),
        ("<p>One two</p>", 9, "<p>One"),
        ("<p>One two</p>", 12, "<p>One two"),
        ("<p>One</p><p>two", 12, "<p>One</p>"),
        ("<p>One</p>two", 12, "<p>One</p>"),
        ("<p>One &amp; two", 9, "<p>One"),
    ],
)
def test_the_beginning_of_html_ends_between_words_and_tags(
    html: str, length: int, start: str
) -> None:
    assert beginning(html, length) == start


def test_the_beginning_of_a_text_without_blanks_is_shortened() -> None:
    assert len(beginning("ሀ" * 5000, 1000)) == 900


def test_a_body_is_searched_for_a_snippet_only_at_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = (
        "<p>"
        + FILLER * 20
        + "the <b>Sahel</b> drought</p>"
        + f"<p><i>{FILLER}</i></p>" * 20_000
        + "<p>Niger</p>"
    )
    read: list[int] = []

    def counted(html: str) -> str:
        read.append(len(html))
        return plain_text(html)

    monkeypatch.setattr(snippets, "plain_text", counted)
    assert hits(body_snippets([body], {"sahel"})[0]) == ["Sahel"]
    assert not hits(body_snippets([body], {"niger"})[0])
    assert len(body) > 5 * MAX_SCANNED_CHARS
    assert max(read) <= MAX_SCANNED_CHARS


def test_the_long_texts_of_a_page_share_what_short_texts_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long, short = "word " * 100_000, "word " * 400
    read: list[int] = []

    def counted(html: str) -> str:
        read.append(len(html))
        return plain_text(html)

    monkeypatch.setattr(snippets, "plain_text", counted)
    body_snippets([long, short, long, short, long], {"word"})
    assert read[1] == read[3] == len(short), "short texts are read as a whole"
    share = (MAX_SCANNED_CHARS - 2 * len(short)) // 3
    assert [share - 5 <= read[position] <= share for position in (0, 2, 4)] == [True] * 3
    read.clear()
    body_snippets([long] * 10, {"word"})
    assert 0.99 * MAX_SCANNED_CHARS < sum(read) <= MAX_SCANNED_CHARS
    assert body_snippets([], {"word"}) == []
