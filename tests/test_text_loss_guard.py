"""The loss guard reports content that a save would remove, and can restore it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings

from spectator.text.compare.loss_guard import count_elements, find_losses, restore_lost_blocks
from spectator.text.html.blocks import split_blocks
from spectator.text.html.sanitizer import ATTRIBUTES, TAGS, clean_html
from tests.markup_samples import HOSTILE_UNITS, WORDPRESS, any_markup

# Whoever removes a note to editors means to.
EVERYDAY = set(
    "p br strong b em i u s h2 h3 h4 li span a dt dd tbody colgroup rp editor-note".split()
)
TABLE = (
    "<table><caption>Votes</caption><tbody><tr><td>1</td><td><a href='/1'>x</a></td></tr>"
    "</tbody></table>"
)


def rows(start: int, count: int) -> str:
    cells = "".join(
        f'<tr><td colspan="2">n{number}</td></tr>' for number in range(start, start + count)
    )
    return f"<table><tbody>{cells}</tbody></table>"


def test_elements_and_attributes_are_counted() -> None:
    counted = count_elements(WORDPRESS)
    assert {name: count for name, count in counted.items() if not name.endswith("attribute")} == {
        "fold-out": 1,
        "fold-out heading": 1,
        "quotation": 1,
        "cite element": 1,
        "table": 1,
        "table head": 1,
        "row": 2,
        "cell": 2,
        "caption": 2,
        "figure": 1,
        "picture": 1,
        "list": 2,
        "horizontal rule": 1,
        "sup element": 1,
        "link": 3,
        "anchor": 3,
    }
    attributes = "src alt width height cite scope colspan start".split()
    assert {name.split()[0] for name in counted if name.endswith("attribute")} == set(attributes)


@pytest.mark.parametrize("name", sorted(TAGS - EVERYDAY))
def test_losing_an_element_that_is_not_everyday_is_reported(name: str) -> None:
    assert find_losses(f"<p>x</p><{name}>y</{name}>", "<p>x</p>y").counts


@pytest.mark.parametrize("name", sorted(EVERYDAY))
def test_losing_everyday_elements_is_not_reported(name: str) -> None:
    assert not find_losses(f"<p>x <{name}>y</{name}></p>", "<p>x y</p>")


@pytest.mark.parametrize(
    ("name", "attribute"), [(n, a) for n in ATTRIBUTES for a in sorted(ATTRIBUTES[n])]
)
def test_losing_any_attribute_is_reported(name: str, attribute: str) -> None:
    tag = "p" if name == "*" else name
    expected = {"id": "1 anchor", "href": "1 link"}.get(attribute, f"1 {attribute} attribute")
    assert (
        find_losses(f'<{tag} {attribute}="x">y</{tag}>', f"<{tag}>y</{tag}>").description
        == expected
    )


def test_empty_descriptions_are_not_counted() -> None:
    assert count_elements('<img alt=""><p lang="">') == {"picture": 1}
    assert count_elements('<details open=""><span>x</span>') == {
        "fold-out": 1,
        "open attribute": 1,
    }


def test_losses_are_described_in_english() -> None:
    marked = "<mark>four</mark> <mark>five</mark>"
    links = "<a href='/a'>two</a> <a href='/b'>three</a>"
    old = f"{TABLE}<p>One {links} {marked}</p><details></details>"
    losses = find_losses(old, "<p>One two three four five</p>")
    assert losses.description == "1 fold-out, 1 table, 2 mark elements, 2 links"
    assert losses.counts == {"fold-out": 1, "table": 1, "mark element": 2, "link": 2}
    assert find_losses("<p>", "").description == "" and not find_losses("<p>", "")
    assert find_losses("<p lang='fr'>x</p>" * 3, "<p>x</p>").description == "3 lang attributes"


def test_only_the_outermost_lost_elements_are_named() -> None:
    assert (
        find_losses(f"<blockquote>{TABLE}</blockquote><p>x</p>", "<p>x</p>").description
        == "1 quotation"
    )
    assert (
        find_losses(TABLE, TABLE.replace("</a>", "").replace("<a href='/1'>", "")).description
        == "1 link"
    )
    assert (
        find_losses(f"{TABLE}<p><a href='/2'>y</a></p>", "<p>y</p>").description
        == "1 table, 1 link"
    )


@pytest.mark.parametrize(("remaining", "lost"), [((0, 3), (50, 90)), ((50, 90), (0, 3))])
def test_rows_of_a_lost_table_are_not_named(
    remaining: tuple[int, int], lost: tuple[int, int]
) -> None:
    edited = rows(*remaining).replace("n2<", "changed<").replace("n52<", "changed<")
    assert find_losses(rows(*remaining) + rows(*lost), edited).description == "1 table"
    assert find_losses(rows(*lost) + rows(*remaining), edited).description == "1 table"
    without_a_row = edited.replace('<tr><td colspan="2">changed</td></tr>', "")
    assert (
        find_losses(rows(*remaining) + rows(*lost), without_a_row).description == "1 table, 1 row"
    )


def test_moving_and_changing_elements_is_no_loss() -> None:
    old = (
        f'<p>a <a href="/a">b</a></p>{TABLE}<iframe src="/1"></iframe>'
        '<img src="/1" alt="x"><p><strong>c</strong></p>'
    )
    new = (
        f'{TABLE}<p>c</p><p>b</p><p><a href="/z">a</a></p><img src="/2" alt="y">'
        '<iframe src="/2"></iframe>'
    )
    assert not find_losses(old, new)
    assert restore_lost_blocks(old, new) is new


def test_lost_blocks_are_restored_in_their_positions() -> None:
    old = f'<p>One.</p>\n{TABLE}\n<p>Two <a href="/2">link</a>.</p>\n<hr>\n<p>Three.</p>'
    assert restore_lost_blocks(old, "<p>One!</p>\n<p>Two and link.</p>\n<p>Three.</p>") == (
        f'<p>One!</p>\n{TABLE}\n<p>Two <a href="/2">link</a>.</p>\n<p>Two and link.</p>\n'
        "<hr>\n<p>Three.</p>"
    )
    assert restore_lost_blocks(f"{TABLE}\n<p>x</p>", "<p>x</p>") == f"{TABLE}\n<p>x</p>"
    assert restore_lost_blocks(f"<p>x</p>\n{TABLE}", "<p>x</p>") == f"<p>x</p>\n{TABLE}"
    assert restore_lost_blocks(TABLE, "") == TABLE


def test_a_moved_block_that_lost_nothing_is_not_restored() -> None:
    first, second = (f'<p>{word} <a href="/{word}">more</a></p>' for word in ("one", "two"))
    assert (
        restore_lost_blocks(
            f"{first}\n{second}\n<p>x</p>\n{TABLE}", f"<p>x</p>\n{second}\n{first}"
        ).count("more")
        == 2
    )


def test_of_two_similar_tables_only_the_lost_one_is_restored() -> None:
    first, second = rows(0, 30), rows(50, 90)
    edited = second.replace("n52<", "changed<")
    assert restore_lost_blocks(f"{first}\n{second}", edited) == f"{first}\n{edited}"
    assert restore_lost_blocks(f"{second}\n{first}", edited) == f"{edited}\n{first}"


@settings(deadline=None, max_examples=50)
@given(any_markup, any_markup)
def test_after_restoring_nothing_is_lost(old: str, new: str) -> None:
    old, new = clean_html(old), clean_html(new)
    both = restore_lost_blocks(old, new)
    assert not find_losses(old, both)
    assert not count_elements(old) - count_elements(both)
    assert not count_elements(new) - count_elements(both)
    rest = both
    for block in split_blocks(new):
        _, separator, rest = rest.partition(block.strip())
        assert separator or not block.strip()


@settings(deadline=None, max_examples=50)
@given(any_markup, any_markup)
def test_a_loss_is_reported_exactly_if_there_is_one(old: str, new: str) -> None:
    losses = find_losses(old, new)
    assert bool(losses) == bool(count_elements(old) - count_elements(new))
    assert all(
        count <= (count_elements(old) - count_elements(new))[name]
        for name, count in losses.counts.items()
    )
    restore_lost_blocks(old, new)


@pytest.mark.parametrize(
    "unit", [*HOSTILE_UNITS, "<p lang=fr>", "<ul><li><a href=/>x</a></li></ul>", "<div lang=fr>"]
)
def test_the_cost_is_linear(unit: str) -> None:
    html = unit * (20_000 // len(unit))
    begin = time.process_time()
    find_losses(html, html[len(html) // 3 :])
    restore_lost_blocks(html, "<p>x</p>" + html[len(html) // 3 :])
    assert time.process_time() - begin < 2


def test_a_table_of_three_thousand_rows_is_compared_fast() -> None:
    table = rows(0, 3000)
    begin = time.process_time()
    assert find_losses(f"<p>x</p>{table}", "<p>x</p>").description == "1 table"
    assert (
        restore_lost_blocks(f"<p>x</p>{table}", table.replace("n77<", "changed<")).count(
            "<table>"
        )
        == 1
    )
    assert time.process_time() - begin < 2
