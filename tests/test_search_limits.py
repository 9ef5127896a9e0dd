"""Limits of search, at their real sizes. The small archives of other tests never reach them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from spectator.search import FACETS, Document, Index, SearchRequest, open_index
from spectator.search.language.key_terms import (
    MAX_COUNTED_CHARACTERS,
    MAX_COUNTED_WORDS,
    count_words,
)
from spectator.search.language.parser import parse_query
from spectator.search.whoosh import schema, writer
from tests.search_samples import document, document_ids

Build = Callable[..., Index]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Return a function that makes an index of documents."""
    index = open_index(tmp_path / "search")

    def rebuild(*documents: Document) -> Index:
        index.rebuild(documents, offset=1)  # any number: of the last row of the outbox
        return index

    yield rebuild
    index.close()


def words(number: int, start: str = "pre") -> list[str]:
    """Return `number` different words that begin with `start`, in alphabetical order."""
    letters = "abcdefghijklmnopqrst"
    return [start + "".join(pair) for pair in product(letters, letters)][:number]


def count_segments(directory: Path) -> int:
    """Return the number of segments of the index: each has one file of terms."""
    return len(list((directory / "search").rglob("*.trm")))


# Queries


def test_a_query_is_cut_after_two_hundred_characters() -> None:
    for end in ("ab cd", "abcd"):  # characters 199 and following
        query = parse_query("x " * 99 + end)
        assert [clause.words for clause in query.clauses] == [("x",), ("ab",)]


def test_ten_conditions_are_used_and_an_eleventh_is_reported() -> None:
    ten = parse_query("a b c d e f g h in:i by:j a b")  # the repeated words do not count
    assert (len(ten.clauses), len(ten.filters), ten.is_truncated) == (8, 2, False)
    eleven = parse_query("a b c d e f g h in:i by:j k")
    assert eleven.is_truncated
    assert "k" not in {word for clause in eleven.clauses for word in clause.words}


def test_a_phrase_or_name_is_cut_after_eight_words() -> None:
    [clause] = parse_query('"a b c d e f g h i j"').clauses
    assert clause.words == tuple("abcdefgh")
    [clause] = parse_query("by:a-b-c-d-e-f-g-h-i-j").filters
    assert clause.words == tuple("abcdefgh")


def test_a_prefix_needs_three_letters() -> None:
    assert parse_query("elec*").prefixes == ("elec",)
    assert parse_query("ele*").prefixes == ("ele",)
    assert parse_query("el*").prefixes == ()
    assert parse_query("-ele*").excluded[0].is_prefix
    assert not parse_query("-el*").excluded[0].is_prefix


# Facets and pages


def test_a_facet_lists_twenty_values_and_the_selected_one(build: Build) -> None:
    slugs = [f"topic-{number:02}" for number in range(25)]
    stories = [document("Report", topics=tuple(slugs[: number + 1])) for number in range(25)]
    index = build(*stories)
    results = index.find(SearchRequest("report"))
    assert results.facets["topic"] == [(slug, 25 - n) for n, slug in enumerate(slugs[:20])]
    selected = index.find(SearchRequest("report", topic="topic-24"))
    assert selected.facets["topic"] == [*results.facets["topic"], ("topic-24", 1)]
    assert selected.ids == [stories[24].id]


def test_facet_values_of_equal_count_are_in_alphabetical_order(build: Build) -> None:
    slugs = [f"author-{number:02}" for number in range(25)]
    index = build(document("Report", authors=tuple(reversed(slugs))))
    assert index.find(SearchRequest("report")).facets["author"] == [(s, 1) for s in slugs[:20]]


def test_a_results_page_lists_many_values_of_a_facet(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    for number in range(3):
        story(
            headline=f"Report {number}",
            topics=tuple(f"Topic {number}{letter}" for letter in "abcdefghij"),
        )
    catch_up()  # index the stories
    for path in ("/search?q=report", "/search?q=report&topic=topic-2j"):
        response = client.get(path)
        assert response.status_code == 200
        assert "topic-0a" in response.text
    assert "topic-2j" in response.text


def test_a_page_has_at_most_a_hundred_stories_and_page_fifty_is_the_last(build: Build) -> None:
    stories = [document("Report") for _ in range(105)]
    newest = document_ids(*reversed(stories))
    index = build(*stories)

    def page(number: int, size: int) -> list[int]:
        results = index.find(SearchRequest("report", page=number, per_page=size))
        assert results.total == 105
        return results.ids

    assert page(1, 1000) == newest[:100]
    assert page(2, 1000) == newest[100:]
    assert page(50, 2) == newest[98:100]
    for number, size in ((51, 2), (0, 2), (-1, 2), (3, 100)):
        assert page(number, size) == []
    assert page(2, 0) == page(2, -5) == newest[1:2], "a page has at least one story"


# Prefixes and names


def test_a_prefix_stands_for_its_fifty_most_frequent_words(build: Build) -> None:
    stories = [document("Report", word) for word in words(70)]
    # With this story, the last ten words are more frequent than the others.
    frequent = document("Report", " ".join(words(70)[60:]))
    index = build(*stories, frequent)
    results = index.find(SearchRequest("pre*", per_page=100))
    assert results.total == 50 + 1, "one story for each word, and the one with ten of them"
    assert {frequent.id, *document_ids(*stories[60:])} <= set(results.ids)


def test_two_prefixes_of_a_query_stand_for_twenty_five_words_each(build: Build) -> None:
    stories = [document(" ".join(pair)) for pair in zip(words(40), words(40, "sub"), strict=True)]
    results = build(*stories).find(SearchRequest("pre* sub*", per_page=100))
    assert results.total == 25


def test_a_prefix_reads_four_hundred_words_of_a_field(build: Build) -> None:
    last = [document("Report", "prezzz") for _ in range(4)]  # the last word in the alphabet
    index = build(document("Report", " ".join(words(400))), *last)
    assert index.find(SearchRequest("pre*")).total == 1, "the 401st word was read"
    index = build(document("Report", " ".join(words(399))), *last)
    assert index.find(SearchRequest("pre*")).total == 5


def test_suggestions_read_two_hundred_words(build: Build) -> None:
    stories = [document(word) for word in words(201)]
    index = build(*stories)
    suggested = index.suggest("pre", limit=500).articles  # more than there are
    assert suggested == document_ids(*reversed(stories[:200]))
    assert len(index.suggest("pre").articles) == 5, "the default limit"


def test_a_name_without_apostrophe_stands_for_four_spellings(build: Build) -> None:
    names = ["q'uranic", "qu'ranic", "qur'anic", "qura'nic", "quran'ic"]
    stories = [document("Report", name, language="fr") for name in names]
    assert build(*stories).find(SearchRequest("quranic")).total == 4
    # A prefix also stands for four of the names. The fifth, "quran'ic", has the word "quran".
    assert build(*stories).find(SearchRequest("qur*")).total == 4 + 1


def test_limits_on_words_do_not_count_those_of_stories_that_are_not_permitted(
    build: Build,
) -> None:
    """A search restricted to `article_ids` finds the same whatever other stories there are."""
    prefixed = [
        document("Report", body, is_own=True) for body in (" ".join(words(500)), "prezzz")
    ]
    named = [
        document("Report", name, is_own=True) for name in ("quran'ic", "qura'nic", "quranic")
    ]
    permitted = [*prefixed, *named]
    other_names = [document("Other", name) for name in ("q'uranic", "qu'ranic", "qur'anic") * 3]
    others = [document("Other", " ".join(words(500))), *other_names]
    permitted_ids = frozenset(document_ids(*permitted))

    def find(index: Index, text: str) -> list[int]:
        return index.find(SearchRequest(text, sort="newest", article_ids=permitted_ids)).ids

    for text, expected in (
        ("pre*", prefixed),
        ("pre* report", prefixed),
        ("report -pre*", named),
        ("quranic", named),
        ("qur*", named),
        ("report -quranic", prefixed),
    ):
        newest_first = document_ids(*reversed(expected))
        assert find(build(*permitted), text) == newest_first, text
        assert find(build(*permitted, *others), text) == newest_first, text


# Texts


def test_only_the_most_frequent_words_of_a_text_are_looked_up_for_similar_stories(
    build: Build,
) -> None:
    """Readers' searches wait for the index while these words are looked up."""
    index = build(document("Report", "zebra"), document("Report", "zebra"))
    rare = " ".join(f"w{number}" for number in range(20_000))
    story = document("Rare headline", f"zebra zebra {rare}")
    counts, headline_words = count_words(story)
    assert len(counts) == MAX_COUNTED_WORDS + len(headline_words)
    assert len(index.more_like_this(story)) == 2


def test_only_the_start_of_a_long_text_is_counted_for_similar_stories() -> None:
    text = f"zebra {'filler ' * (MAX_COUNTED_CHARACTERS // 7 - 10)}okapi {'x ' * 40}"
    assert {"zebra", "okapi"} <= count_words(document("H", text)).counts.keys()
    assert "okapi" not in count_words(document("H", f"{'filler ' * 20}{text}")).counts


def test_a_text_is_indexed_up_to_thirty_thousand_distinct_words(build: Build) -> None:
    distinct = " ".join(f"w{number}" for number in range(45_000))
    ordinary = " ".join(f"w{number % 9_000}" for number in range(100_000))
    hostile, novel = (
        document("Hostile", f"{distinct} zebra"),
        document("Novel", f"{ordinary} okapi"),
    )
    index = build(hostile, novel)
    assert index.find(SearchRequest("w100")).total == 2
    assert index.find(SearchRequest("okapi")).total == 1
    assert (
        index.find(SearchRequest("zebra")).total == index.find(SearchRequest("w44000")).total == 0
    )


def test_a_rebuilt_index_starts_a_new_segment_after_many_rare_words(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "ORDINARY_WORDS", 10)
    monkeypatch.setattr(writer, "MAX_RARE_WORDS", 40)
    ordinary = [document("Report", " ".join(words(10))) for _ in range(20)]
    # Each of these has twenty more words than an ordinary story: two of them fill a segment.
    rare = [document("Report", " ".join(words(30, start))) for start in ("sub", "sup", "sud")]
    index = build(*ordinary, *rare)
    assert index.find(SearchRequest("report", per_page=100)).total == 23
    assert count_segments(tmp_path) == 2


# Copying one of the nine stories costs as much as copying `cost` ordinary ones. A commit copies as
# much as 250 ordinary stories at most, and never a segment that is worth 200 or more.
@pytest.mark.parametrize(("cost", "segments"), [(1, 1), (100, 7), (300, 9)])
def test_segments_of_very_long_stories_are_merged_a_few_at_a_time(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cost: int, segments: int
) -> None:
    monkeypatch.setattr(
        schema, "_copying_cost", lambda segment, _storage: cost * segment.doc_count_all()
    )
    index = build()
    for number in range(9):
        index.apply({number: document("Report", "long", id=number)}, offset=number + 2)
    assert count_segments(tmp_path) == segments


def test_years_start_at_midnight_of_the_newsroom(tmp_path: Path) -> None:
    stories = [
        document("Report", published_at=datetime(2023, 12, 31, hour, 30, tzinfo=UTC))
        for hour in (20, 21, 23)
    ]
    for zone, years in (
        ("UTC", [(2023, 3)]),
        ("Africa/Nairobi", [(2023, 1), (2024, 2)]),
        ("Africa/Lagos", [(2023, 2), (2024, 1)]),
    ):
        index = open_index(tmp_path / zone.replace("/", "-"), ZoneInfo(zone))
        index.rebuild(stories, offset=1)
        assert index.find(SearchRequest("report")).year_counts == years
        index.close()


def test_every_facet_is_counted(build: Build) -> None:
    story = document(
        "Report",
        section="health",
        countries=("mali",),
        topics=("water",),
        authors=("a-diallo",),
        language="fr",
    )
    facets = build(story).find(SearchRequest("report")).facets
    slugs = ("health", "mali", "water", "a-diallo", "fr")
    assert facets == {name: [(slug, 1)] for name, slug in zip(FACETS, slugs, strict=True)}
