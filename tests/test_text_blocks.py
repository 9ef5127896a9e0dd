"""A body splits into blocks and joins again byte for byte; blocks align between versions."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.text.html.blocks import (
    align_blocks,
    common_subsequence,
    exact_tokens,
    join_pieces,
    split_blocks,
)
from spectator.text.html.sanitizer import clean_html
from spectator.text.html.tokenizer import Tag
from tests.markup_samples import HOSTILE_UNITS, WORDPRESS, any_markup


def rejoin(html: str) -> str:
    return "".join(token.raw if isinstance(token, Tag) else token for token in exact_tokens(html))


@settings(deadline=None, max_examples=50)
@given(any_markup)
def test_blocks_and_tokens_join_to_the_original(html: str) -> None:
    for body in (html, clean_html(html)):
        assert rejoin(body) == body
        assert "".join(split_blocks(body)) == body
        assert all(split_blocks(body))


@settings(deadline=None, max_examples=50)
@given(any_markup)
def test_a_block_of_a_stored_body_is_one_block_by_itself(html: str) -> None:
    for block in split_blocks(clean_html(html)):
        assert split_blocks(block) == [block]


def test_a_body_is_split_into_its_top_level_elements() -> None:
    names = [re.findall(r"<(\w+)", block)[0] for block in split_blocks(WORDPRESS)]
    assert names == "p figure blockquote details table ol h2 hr p".split()
    assert split_blocks(WORDPRESS)[6:8] == ['<h2 id="part-2">Part</h2>', "<hr>\n"]


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        ("", []),
        (" \n", [" \n"]),
        (" <p>a</p>\n\n<p>b</p>\n", [" <p>a</p>\n\n", "<p>b</p>\n"]),
        ("one <b>two</b><br>three<hr>\n four", ["one <b>two</b><br>three", "<hr>\n ", "four"]),
        (
            '<p>a</p><img src="/x">\n<iframe></iframe>b',
            ["<p>a</p>", '<img src="/x">\n', "<iframe></iframe>", "b"],
        ),
        ("<div><p>a</p>\n<p>b</p></div><p>c</p>", ["<div><p>a</p>\n<p>b</p></div>", "<p>c</p>"]),
        (
            "<p>a</p>\n<!-- <p> -->\n<p>b<!-- </p> --></p>",
            ["<p>a</p>\n", "<!-- <p> -->\n", "<p>b<!-- </p> --></p>"],
        ),
        ('<p title="</p>">a</p><p>b</p>', ['<p title="</p>">a</p>', "<p>b</p>"]),
    ],
)
def test_a_block_includes_the_white_space_after_it(body: str, blocks: list[str]) -> None:
    assert split_blocks(body) == blocks


@pytest.mark.parametrize("tail", ["<p>", "</p>", "<b><i></b></i>", "</br>", "<ul><li></ul>"])
def test_a_body_whose_tags_are_not_closed_in_order_is_one_block(tail: str) -> None:
    assert split_blocks(f"<p>a</p>\n<p>b</p>{tail}") == [f"<p>a</p>\n<p>b</p>{tail}"]


def test_joined_pieces_are_separated_by_a_line_break() -> None:
    assert (
        join_pieces(["<p>a</p>", "", "<p>b</p>\n\n", "<p>c</p>"])
        == "<p>a</p>\n<p>b</p>\n\n<p>c</p>"
    )


def longest_common_length(old: str, new: str) -> int:
    row = [0] * (len(new) + 1)
    for a in old:
        last = row[:]
        for j, b in enumerate(new):
            row[j + 1] = last[j] + 1 if a == b else max(row[j], last[j + 1])
    return row[-1]


@settings(deadline=None, max_examples=80)
@given(st.text("abc", max_size=12), st.text("abcd", max_size=12), st.integers(0, 200))
def test_the_common_subsequence_is_the_longest_within_the_budget(
    old: str, new: str, budget: int
) -> None:
    common = common_subsequence(old, new, budget)
    assert common == sorted(common)
    assert [second for _, second in common] == sorted(second for _, second in common)
    assert all(len({pair[side] for pair in common}) == len(common) for side in (0, 1))
    assert all(old[i] == new[j] for i, j in common)
    assert len(common) == longest_common_length(old, new) or budget < 12 * 12


def test_neighbours_of_rare_items_are_found_on_a_small_budget() -> None:
    old, new = "xaaaXaaay", "zaaaXaaaw"
    assert common_subsequence(old, new, 1) == [(index, index) for index in range(1, 8)]
    assert common_subsequence(old, new, 0) == []


def test_blocks_are_aligned_with_their_other_version() -> None:
    old = [
        "<p>One two three four.</p>\n",
        "<p>Gone entirely now.</p>\n",
        "<hr>\n",
        "<p>Last.</p>",
    ]
    new = [
        "<p>One two 3 four.</p>\n",
        "<hr>\n",
        "<p>Quite other words.</p>\n",
        "<p>Last.</p>\n",
        "<p>More.</p>",
    ]
    assert align_blocks(old, new) == [(0, 0), (1, None), (2, 1), (None, 2), (3, 3), (None, 4)]
    assert align_blocks([], ["a"]) == [(None, 0)]
    assert align_blocks([], []) == []


def test_blocks_with_only_one_common_word_are_not_aligned() -> None:
    old, new = (
        ["<h2>Votes</h2>"],
        ["<p>Votes were counted until long after midnight in Lagos.</p>"],
    )
    assert align_blocks(old, new) == [(0, None), (None, 0)]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.sampled_from(["a b c", "a b d", "c", "", "<hr>"])),
    st.lists(st.sampled_from(["a b c ", "a", "d"])),
)
def test_alignment_has_every_block_once_in_order(old: list[str], new: list[str]) -> None:
    pairs = align_blocks(old, new)
    assert [i for i, _ in pairs if i is not None] == list(range(len(old)))
    assert [j for _, j in pairs if j is not None] == list(range(len(new)))


@pytest.mark.parametrize(
    "unit", [*HOSTILE_UNITS, '<a "', "<!-->", "<p>x</p>", "<p>x</p>\n<p>y</p> "]
)
def test_the_cost_is_linear(unit: str) -> None:
    html = unit * (20_000 // len(unit))
    begin = time.process_time()
    blocks = split_blocks(html)
    align_blocks(blocks, split_blocks(html[len(html) // 3 :] + "<p>z</p>" + html))
    assert time.process_time() - begin < 2
