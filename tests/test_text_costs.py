"""The time of a function of a text grows no faster than the text, whatever it repeats.

Work is counted in lines of Python. What the interpreter does in C, such as normalization and
matching of patterns, is bounded in the tests of those modules, and so are comparisons of versions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from spectator.formats import tag_problem
from spectator.importers.bodies import convert_body
from spectator.importers.wordpress import bodies as wordpress
from spectator.publishing.validation import clean_line
from spectator.search.language.analysis import analyze
from spectator.search.language.parser import parse_query
from spectator.text.compare.loss_guard import find_losses
from spectator.text.html.embeds import render_body
from spectator.text.html.paragraphs import editable_body, stored_body
from spectator.text.html.sanitizer import plain_text
from spectator.text.places.gazetteer import find_country, suggest_countries
from spectator.text.words.excerpts import excerpt, word_count
from spectator.text.words.name_lists import split_names
from spectator.text.words.normalization import normalize_text
from spectator.text.words.scripts import detect_script
from spectator.text.words.slugs import slugify
from spectator.text.words.snippets import body_snippets, highlight
from tests.markup_samples import HOSTILE_UNITS

WORDPRESS_CONTEXT = wordpress.BodyContext(
    "https://old.example",
    lambda number: wordpress.Attachment(f"https://old.example/{number}.jpg"),
)
FUNCTIONS: dict[str, Callable[[str], Any]] = {
    function.__name__: function
    for function in (
        *(analyze, parse_query, clean_line, normalize_text, plain_text, stored_body),
        *(editable_body, render_body, convert_body, excerpt, word_count, tag_problem),
        *(split_names, detect_script, slugify, find_country, suggest_countries),
    )
} | {
    "wordpress body": lambda text: wordpress.convert_body(text, WORDPRESS_CONTEXT),
    "body_snippets": lambda text: body_snippets([text], {"l", "a"}, ("x",)),
    "highlight": lambda text: highlight(text, {"l", "a"}),
    "find_losses": lambda text: find_losses(text, text[: len(text) // 2]),
}
UNITS = (
    *HOSTILE_UNITS,
    *(
        "a",
        "a ",
        "1",
        "-",
        ".",
        "a. ",
        ",",
        '"',
        "'",
        "[",
        "(",
        " ",
        "\n\n",
        "\t",
        "\xa0",
        "\x00",
    ),
    *("l'", "d'N'", "l'a ", "a'b ", "kenya's ", "l&rsquo;", "a-", "in:a ", "a* "),
    *("\u200b", "a\u200b", "\u200d", "\xad", "\u0301\u0316", "e\u0301\u200b\u0316", "\u0f73"),
    *("አ", "ሐ\u1361", "가", "ﷺ", "👩\u200d", "\U0001e944"),
    *(
        "</b>",
        "<p>a</p>",
        "<h2><h3>",
        "<ruby><rt>",
        "<dl><dd>",
        "<pre>\n",
        "<!-- wp:a -->",
        "-->",
    ),
    *("<iframe src=//a>", "<img src=//a>", "<a href=//a>b</a>", "<span id=a-1>a</span>"),
    *("&amp;", "&#x301;", "&am", "[caption]", "[caption", "[audio src=a]", "https://a.b\n"),
    *(
        "[a b=1]",
        "[a][/a]",
        "[caption][/caption]",
        "[gallery ids=1]",
        "<!-- wp:a /-->",
        "<!--more-->",
    ),
    *("<b>\n\n", "<ul><li>\n", "</ul>", "<object>", "<embed src=//a>", "<figure><img src=data:>"),
)


def count_lines(function: Callable[[str], Any], text: str) -> int:
    """Return the number of lines that a call executes; each turn of a loop has one at least."""
    lines = 0

    def trace(_frame: FrameType, _event: str, _argument: Any) -> Callable[..., Any]:
        nonlocal lines
        lines += 1
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        function(text)
    finally:
        sys.settrace(previous)
    return lines


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_work_grows_in_proportion_to_the_text(name: str) -> None:
    function = FUNCTIONS[name]
    for unit in UNITS:
        short, long = ((unit * length)[:length] for length in (1000, 4000))
        function(short)  # fills the caches
        # In proportion would be 4, the square 16.
        assert count_lines(function, long) <= 8 * count_lines(function, short), repr(unit)


def test_quadratic_work_is_noticed() -> None:
    def pairs(text: str) -> int:
        return sum(1 for first in text for second in text if first == second)

    assert count_lines(pairs, "a" * 400) > 10 * count_lines(pairs, "a" * 100)
