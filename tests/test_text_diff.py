"""The history shows every change and nothing else."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.text.compare import diff
from spectator.text.compare.diff import DiffPiece, diff_bodies, diff_lines
from spectator.text.html.blocks import split_blocks
from spectator.text.html.sanitizer import clean_html
from tests.markup_samples import COMPARED_UNITS, WORDPRESS, any_markup

lines = st.text(max_size=30) | st.lists(
    st.sampled_from(["a", "b ", "c  ", "\n", "አዲስ፡", "<b>", " "])
).map("".join)


def show_diff(pieces: list[DiffPiece]) -> str:
    """Return the text with removals as [-…-] and additions as [+…+]."""
    marks = {"same": "{}", "removed": "[-{}-]", "added": "[+{}+]"}
    return "".join(marks[piece.kind].format(piece.text) for piece in pieces)


def side(pieces: list[DiffPiece], kind: str) -> str:
    """Return the old text for "removed", the new one for "added"."""
    return "".join(piece.text for piece in pieces if piece.kind in {"same", kind})


@settings(deadline=None, max_examples=50)
@given(lines, lines)
def test_the_pieces_make_up_both_versions(old: str, new: str) -> None:
    pieces = diff_lines(old, new)
    assert side(pieces, "added") == new
    assert side(pieces, "removed") == old
    assert all(piece.text for piece in pieces)
    assert all(first.kind != second.kind for first, second in pairwise(pieces))
    assert all(piece.kind == "same" for piece in pieces) == (old == new)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("", "", ""),
        ("Vote in Lagos", "Vote in Abuja", "Vote in [-Lagos-][+Abuja+]"),
        ("Vote", "Vote in Lagos", "Vote[+ in Lagos+]"),
        ("A long vote in Lagos", "A vote in Lagos", "A [-long -]vote in Lagos"),
        ("One two three.", "Two one three.", "[-One two -][+Two one +]three."),
        ("big red dogs and fat old cats", "two small birds and some other fish", None),
        ("1 2 3 4 X 5 Y Z", "1 2 3 4 x 5 y z", "1 2 3 4 [-X -][+x +]5 [-Y Z-][+y z+]"),
        ("አዲስ፡አበባ፡ዛሬ", "አዲስ፡አበባ፡ነገ", "አዲስ፡አበባ፡[-ዛሬ-][+ነገ+]"),
    ],
)
def test_lines_are_compared_word_by_word(old: str, new: str, expected: str | None) -> None:
    assert show_diff(diff_lines(old, new)) == (
        expected if expected is not None else f"[-{old}-][+{new}+]"
    )


def body_changes(old: str, new: str) -> list[tuple[str, str, str]]:
    """Return kind, name and marked text of every block."""
    return [
        (change.kind, change.name, show_diff(change.pieces)) for change in diff_bodies(old, new)
    ]


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("harvest", "harvest alpha bravo charlie delta", ["changed"]),
        ("harvest", "harvest alpha bravo charlie delta echo", ["removed", "added"]),
        ("harvest zulu", "harvest alpha bravo charlie", ["changed"]),
        ("harvest zulu yankee", "harvest alpha bravo charlie", ["removed", "added"]),
    ],
)
def test_paragraphs_are_compared_if_they_share_half_of_one_and_a_fifth_of_the_other(
    old: str, new: str, kinds: list[str]
) -> None:
    changes = body_changes(f"<p>{old}</p>", f"<p>{new}</p>")
    assert [kind for kind, _, _ in changes] == kinds


def test_a_line_break_in_a_paragraph_separates_words() -> None:
    old, new = "<p>One two<br>three four five.</p>", "<p>One two<br>three four six.</p>"
    assert body_changes(old, new) == [
        ("changed", "paragraph", "One two\nthree four [-five.-][+six.+]")
    ]


def test_blocks_are_same_changed_removed_or_added() -> None:
    old = (
        "<p>One is here.</p>\n<h2>Title of it</h2>\n<p>Gone for good now.</p>\n<hr>\n<p>"
        "Last but not least.</p>"
    )
    new = (
        "<p>One is here.</p>\n\n<h2>Title of that</h2>\n<hr>\n<p>Brand new words.</p>\n"
        "<p>Last but not least.</p>"
    )
    assert body_changes(old, new) == [
        ("same", "paragraph", "One is here."),
        ("changed", "heading", "Title of [-it-][+that+]"),
        ("removed", "paragraph", "[-Gone for good now.-]"),
        ("same", "horizontal rule", "<hr>"),
        ("added", "paragraph", "[+Brand new words.+]"),
        ("same", "paragraph", "Last but not least."),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("<p>a b <b>c</b> d</p>", "<p>a b <b>c</b> e</p>", "a b c [-d-][+e+]"),
        ("<p>one<br>\ntwo three</p>", "<p>one<br>\ntwo four</p>", "one\ntwo [-three-][+four+]"),
        ("<p>AT&amp;T x y</p>", "<p>AT&amp;T x &lt;</p>", "AT&T x [-y-][+<+]"),
        ("<p>a b c</p>", "<p>a <b>b</b> c</p>", "a [+<b>+]b[- -][+</b> +]c"),
        ('<p>a b <a href="/1">c</a></p>', '<p>a b <a href="/2">c</a></p>', None),
        ("<p>a b c</p>", '<p lang="fr">a b c</p>', '[-<p>-][+<p lang="fr">+]a b c</p>'),
        ("<p>a b c</p>", "<h2>a b c</h2>", "[-<p>-][+<h2>+]a b c[-</p>-][+</h2>+]"),
        ("<ul><li>a b</li></ul>", "<ul><li>a c</li></ul>", "<ul><li>a [-b-][+c+]</li></ul>"),
    ],
)
def test_tags_are_shown_where_they_changed(old: str, new: str, expected: str | None) -> None:
    expected = expected or 'a b [-<a href="/1">-][+<a href="/2">+]c</a>'
    assert [(kind, text) for kind, _, text in body_changes(old, new)] == [("changed", expected)]


def test_blocks_have_names() -> None:
    names = (
        "paragraph,figure,quotation,fold-out,table,list,heading,horizontal rule,paragraph".split(
            ","
        )
    )
    assert [change.name for change in diff_bodies(WORDPRESS, "")] == names
    others = "<iframe></iframe><div>x</div><video></video><mark>x</mark>"
    assert [change.name for change in diff_bodies("", others)] == [
        "embed",
        "group",
        "video",
        "text",
    ]


def test_a_picture_in_a_paragraph_is_not_hidden() -> None:
    picture = '<p><img src="/1" alt="x"></p>'
    assert body_changes(picture, picture) == [("same", "paragraph", picture)]


@settings(deadline=None, max_examples=50)
@given(any_markup, any_markup)
def test_a_diff_covers_both_bodies_and_marks_only_differences(old: str, new: str) -> None:
    diff_bodies(old, new)
    old, new = clean_html(old), clean_html(new)
    changes = diff_bodies(old, new)
    assert sum(change.kind != "added" for change in changes) == len(split_blocks(old))
    assert sum(change.kind != "removed" for change in changes) == len(split_blocks(new))
    keys = [[block.strip() for block in split_blocks(html)] for html in (old, new)]
    assert all(change.kind == "same" for change in changes) or keys[0] != keys[1]
    assert all(
        (change.kind == "same") == all(piece.kind == "same" for piece in change.pieces)
        for change in changes
    )


@settings(deadline=None, max_examples=50)
@given(any_markup)
def test_a_removed_word_is_shown(html: str) -> None:
    html = f"{clean_html(html)}<p>Some four words here.</p>"
    (changed,) = (
        change
        for change in diff_bodies(html, html.replace("words ", ""))
        if change.kind != "same"
    )
    assert show_diff(changed.pieces) == "Some four [-words -]here."


@pytest.mark.parametrize("unit", [*COMPARED_UNITS, "a b "])
def test_the_cost_is_linear(unit: str) -> None:
    html = unit * (15_000 // len(unit))
    begin = time.process_time()
    diff_bodies(f"<p>z</p>{html}", f"{html[5_000:]}<p>y</p>")
    diff_lines(html[:5_000], f"c {html[4_000:]}")
    assert time.process_time() - begin < 2  # seconds; quadratic code takes far longer


@pytest.mark.parametrize("end", ["", "b" * 1000])
def test_a_long_comparison_ends_with_a_notice(end: str) -> None:
    old, new = f"<p>a{end}</p>\n" * 49_000, f"<p>b{end}</p>\n" * 49_000
    blocks = diff_bodies(old, new)
    texts = [piece.text for block in blocks for piece in block.pieces]
    assert sum(map(len, texts)) + diff.BLOCK_COST * len(blocks) <= diff.MAX_SHOWN * 1.01
    assert len(texts) > 100
    assert (blocks[-1].kind, texts[-1]) == ("omitted", diff.OMITTED)
    assert "omitted" not in {block.kind for block in blocks[:-1]}


def test_one_long_block_is_shown() -> None:
    [block] = diff_bodies(f"<p>{'a b ' * 300_000}</p>", f"<p>{'a b ' * 300_000} c</p>")
    assert block.kind == "changed"


@pytest.mark.parametrize(
    ("old", "new", "size"), [("a b ", "b c a ", 1_000_000), ("<p>a b</p>", "<p>b a</p>", 60_000)]
)
def test_comparing_a_megabyte_of_repeated_words_or_blocks_is_fast(
    old: str, new: str, size: int
) -> None:
    old, new = (text * (size // len(text)) for text in (old, new))
    begin = time.process_time()
    diff_bodies(f"<hr>{old}<hr>", f"<hr>{new}<hr>")
    assert time.process_time() - begin < 3
