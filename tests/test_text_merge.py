"""A merge of two people's versions of a body, a line or names loses nothing that either wrote.

COMPARED_UNITS are pieces of markup that once made comparisons slow when repeated.
"""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.text.compare.merge import MergedBody, merge_bodies, merge_line, merge_names
from spectator.text.html.blocks import split_blocks
from spectator.text.html.sanitizer import clean_html
from tests.markup_samples import COMPARED_UNITS, any_markup

BLOCKS = (
    "<p>One two three.</p>|<p>One two 3.</p>|<p>Four five six.</p>|<p>Four and six.</p>|"
    "<hr>|<h2>Title</h2>"
)
bodies = st.lists(st.sampled_from([*BLOCKS.split("|"), "<ul><li>x</li></ul>"]), max_size=6).map(
    "\n".join
)
names = st.lists(st.sampled_from("abcde"), unique=True).map(tuple)


def keys(body: str) -> set[str]:
    """Return the blocks of a body without the white space around them."""
    return {block.strip() for block in split_blocks(body)}


def body(*words: str) -> str:
    """Return a body with a paragraph for each word."""
    return "\n".join(f"<p>{word} is what this paragraph says.</p>" for word in words)


@settings(deadline=None, max_examples=50)
@given(bodies | any_markup, bodies | any_markup)
def test_changes_of_one_side_or_equal_changes_of_both_are_taken_unchanged(
    base: str, changed: str
) -> None:
    assert merge_bodies(base, changed, base) == MergedBody(changed, conflicts=0)
    assert merge_bodies(base, base, changed) == MergedBody(changed, conflicts=0)
    assert merge_bodies(base, changed, changed) == MergedBody(changed, conflicts=0)


@settings(deadline=None, max_examples=50)
@given(bodies, bodies, bodies)
def test_new_blocks_of_either_side_are_in_the_merged_body(
    base: str, ours: str, theirs: str
) -> None:
    merged = merge_bodies(base, ours, theirs).body
    written = keys(ours) | keys(theirs)
    assert written - keys(base) <= keys(merged)
    assert keys(merged) <= written
    assert not merged[:1].isspace() and not merged[-1:].isspace()
    assert all(block.endswith("\n") for block in split_blocks(merged)[:-1])


@settings(deadline=None, max_examples=50)
@given(any_markup, any_markup, any_markup)
def test_any_markup_can_be_merged(base: str, ours: str, theirs: str) -> None:
    merge_bodies(base, ours, theirs)
    base, ours, theirs = clean_html(base), clean_html(ours), clean_html(theirs)
    merged = merge_bodies(base, ours, theirs).body
    assert all(key in merged for key in (keys(ours) | keys(theirs)) - keys(base))


@settings(deadline=None, max_examples=50)
@given(bodies, bodies, bodies)
def test_a_block_removed_by_both_or_by_one_side_stays_removed(
    base: str, ours: str, theirs: str
) -> None:
    merged = keys(merge_bodies(base, ours, theirs).body)
    removed_by_both = keys(base) - keys(ours) - keys(theirs)
    assert not removed_by_both & merged
    removed_by_us = keys(base) - keys(ours)
    assert not removed_by_us & keys(merge_bodies(base, ours, base).body)


def test_changes_of_neighbouring_blocks_do_not_conflict() -> None:
    merged = merge_bodies(body("A", "B", "C"), body("A1", "B", "C", "D"), body("A", "B1", "C"))
    assert merged == MergedBody(body("A1", "B1", "C", "D"), conflicts=0)
    assert merge_bodies(
        body("A", "B", "C"), body("B", "C"), body("A", "B", "X", "C")
    ) == MergedBody(body("B", "X", "C"), conflicts=0)


def test_both_versions_of_a_conflict_are_included_theirs_first() -> None:
    merged = merge_bodies(body("A", "B", "C"), body("A", "B1", "C"), body("A", "B2", "C"))
    assert merged == MergedBody(body("A", "B2", "B1", "C"), conflicts=1)
    merged = merge_bodies("<p>A</p>", "<p>A</p>\n<p>mine</p>", "<p>A</p>\n<p>theirs</p>")
    assert merged == MergedBody("<p>A</p>\n<p>theirs</p>\n<p>mine</p>", conflicts=1)
    assert merge_bodies(body("A", "B"), body("A1", "B1"), body("A2", "B2")).conflicts == 2


def test_a_block_that_one_removed_and_the_other_changed_stays_as_changed() -> None:
    assert merge_bodies(body("A", "B"), body("A"), body("A", "B1")) == MergedBody(
        body("A", "B1"), conflicts=1
    )
    assert merge_bodies(body("A", "B"), body("A1", "B"), body("B")) == MergedBody(
        body("A1", "B"), conflicts=1
    )


def test_the_same_change_on_both_sides_counts_once() -> None:
    merged = merge_bodies(body("A", "B"), body("A1", "X", "B", "Y"), body("A1", "X", "B1"))
    assert merged == MergedBody(body("A1", "X", "B1", "Y"), conflicts=0)
    assert merge_bodies(body("A"), body("A", "X", "Y"), body("A1", "X")) == MergedBody(
        body("A1", "X", "Y"), conflicts=0
    )


def test_a_paragraph_added_at_two_places_appears_once_but_a_rule_twice() -> None:
    base = "<p>Long ago.</p>\n<p>Much later.</p>"
    for new, times in (("<p>Both say so.</p>", 1), ("<hr>", 2)):
        merged = merge_bodies(base, f"{new}\n{base}", f"{base}\n{new}")
        assert merged.body.count(new) == times
        assert merged.conflicts == 0


@settings(deadline=None, max_examples=50)
@given(bodies, bodies, bodies)
def test_no_new_paragraph_is_repeated_more_than_on_either_side(
    base: str, ours: str, theirs: str
) -> None:
    merged = [block.strip() for block in split_blocks(merge_bodies(base, ours, theirs).body)]
    for key in {*merged} - keys(base) - {"<hr>"}:
        assert merged.count(key) <= max(
            [block.strip() for block in split_blocks(side)].count(key) for side in (ours, theirs)
        )


def test_without_a_base_common_paragraphs_appear_once() -> None:
    assert merge_bodies("", body("A", "B1", "C", "D"), body("A", "B", "C")) == MergedBody(
        body("A", "B", "B1", "C", "D"), conflicts=1
    )


def test_changed_white_space_is_kept_and_never_conflicts() -> None:
    base, ours, theirs = "<p>A</p>\n<p>B</p>", "<p>A</p>\n\n\n<p>B</p>\n", "<p>A</p>\n<p>B1</p>"
    assert merge_bodies(base, ours, theirs) == MergedBody(
        "<p>A</p>\n\n\n<p>B1</p>\n", conflicts=0
    )
    assert merge_bodies(base, theirs, ours) == MergedBody(
        "<p>A</p>\n\n\n<p>B1</p>\n", conflicts=0
    )


@pytest.mark.parametrize("unit", COMPARED_UNITS)
def test_the_cost_is_linear(unit: str) -> None:
    html = unit * (16_000 // len(unit))
    begin = time.process_time()
    merge_bodies(html, html[4_000:] + "<p>y</p>", f"<p>z</p>{html[:12_000]}")
    assert time.process_time() - begin < 2


def test_many_large_conflicts_are_merged_fast() -> None:
    base, ours, theirs = (
        "".join(
            f"<p>Place {number}.</p><p>{words}</p>" if words else f"<p>Place {number}.</p>"
            for number in range(60)
        )
        for words in ("", "a b " * 400, "b c a " * 400)
    )
    begin = time.process_time()
    assert merge_bodies(base, ours, theirs).conflicts == 60
    assert time.process_time() - begin < 1.5


def test_names_changed_by_both_are_merged() -> None:
    assert merge_names(("a", "b", "c"), ("b", "c", "m"), ("c", "b", "a", "t")) == (
        "c",
        "b",
        "t",
        "m",
    )
    assert merge_names(("a",), ("a", "x"), ("a", "x", "y")) == ("a", "x", "y")
    assert merge_names(("a",), ("a", "m"), ()) == ("m",)


@given(names, names, names)
def test_names_are_merged_without_losing_or_repeating_one(
    base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    assert merge_names(base, ours, base) == ours
    assert merge_names(base, base, theirs) == theirs
    assert merge_names(base, ours, ours) == ours
    merged = merge_names(base, ours, theirs)
    assert len(merged) == len(set(merged))
    assert set(merged) == ({*ours} & {*theirs}) | ({*ours, *theirs} - {*base})


def test_a_line_changed_differently_by_both_is_not_merged() -> None:
    assert merge_line("a", "b", "a") == "b"
    assert merge_line("a", "a", "b") == "b"
    assert merge_line("a", "b", "b") == "b"
    assert merge_line("a", "b", "c") is None
