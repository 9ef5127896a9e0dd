"""Characters and words of queries, stems, filters, highlights and similar stories."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from spectator.search import Index, SearchRequest
from spectator.search.language import slugs
from spectator.search.language.analysis import analyze, exact_form, is_english, joined_term
from spectator.search.language.key_terms import count_words, key_terms
from spectator.search.language.parser import parse_query
from spectator.search.language.query import Clause
from spectator.search.language.slugs import add_pairs, resolve_slugs
from spectator.search.whoosh.stems import Highlights, stem, stem_words
from spectator.text.words.snippets import snippet
from tests.search_engines import MakeIndex
from tests.search_samples import document, document_ids, search_ids

BURKINA = Clause(("burkina", "faso"))


@pytest.fixture
def index(make_index: MakeIndex) -> Index:
    return make_index()


# Quotation marks, hyphens and keywords


@pytest.mark.parametrize("quote", '"“”„‟«»＂')
def test_every_quotation_mark_makes_a_phrase(quote: str) -> None:
    assert parse_query(f"{quote}Burkina Faso{quote}").clauses == (BURKINA,)


@pytest.mark.parametrize("minus", "-−‐‑–﹣－")
def test_every_hyphen_or_minus_excludes(minus: str) -> None:
    assert parse_query(f'{minus}"Burkina Faso"').excluded == (replace(BURKINA, is_excluded=True),)


@pytest.mark.parametrize("colon", ":：")
@pytest.mark.parametrize(
    ("keyword", "facet"),
    [
        ("in", "section"),
        ("by", "author"),
        ("country", "country"),
        ("topic", "topic"),
        ("language", "language"),
        ("IN", "section"),
    ],
)
def test_every_keyword_filters_its_facet(keyword: str, facet: str, colon: str) -> None:
    [field_filter] = parse_query(f"{keyword}{colon}Mali").filters
    assert (field_filter.facet, field_filter.words, field_filter.value) == (
        facet,
        ("mali",),
        "Mali",
    )
    assert parse_query(f"x{keyword}{colon}Mali").filters == ()


def test_the_text_of_a_clause_is_what_was_typed() -> None:
    texts = ["mali", '"burkina faso"', "elec*", "n'golo", "d'almeida"]
    assert [str(parse_query(text).clauses[0]) for text in texts] == texts
    assert str(parse_query("Ivory Coast").included[0]) == "ivory coast"


def test_an_unquoted_country_name_is_one_clause_with_its_other_names() -> None:
    query = parse_query("Ivory Coast cocoa")
    assert [clause.words for clause in query.included] == [("ivory", "coast"), ("cocoa",)]
    assert query.terms == {"ivory", "coast", "cocoa"}
    quoted = parse_query('"Ivory Coast"').included[0]
    assert quoted.is_phrase and not quoted.alternative_names


def test_one_letter_parts_of_a_name_are_not_highlighted() -> None:
    assert parse_query("N'Golo").terms == {"golo", "ngolo"}
    assert parse_query("of").terms == {"of"}


# Analysis


def test_analysis_returns_folded_words_and_spellings_that_differ_from_them() -> None:
    words = analyze("Élan élan Mali N'Golo")
    assert words.folded == ["elan", "elan", "mali", "n", "golo"]
    assert words.exact == ["élan", "élan"]
    assert words.joined == ["ngolo n golo"] == [joined_term(["n", "golo"])]
    assert exact_form("E\u0301LAN") == "élan"


@pytest.mark.parametrize(
    ("tag", "is_stemmed"),
    [("en", True), ("EN-gb", True), ("fr", False), ("enm", False), ("", False)],
)
def test_only_english_words_are_stemmed(tag: str, is_stemmed: bool) -> None:
    assert is_english(tag) is is_stemmed
    assert stem_words(["voting", "vote", "mali"], tag) == (["vote"] if is_stemmed else [])


def test_only_words_of_at_least_four_ascii_letters_are_stemmed() -> None:
    assert [stem(word) for word in ("runs", "its", "votes", "élections", "a2es", "ties")] == [
        "run",
        "its",
        "vote",
        "élections",
        "a2es",
        "ti",
    ]


def test_highlights_contain_every_word_with_the_same_stem() -> None:
    terms = Highlights({"voting"})
    assert "votes" in terms and "voting" in terms and "river" not in terms and 3 not in terms
    assert [
        piece for piece, is_match in snippet("They vote; votes count.", terms) if is_match
    ] == [
        "vote",
        "votes",
    ]


# Filters


@pytest.mark.parametrize(
    ("slug", "text", "matches"),
    [
        ("aminata-diallo", "diallo", True),
        ("aminata-diallo", "diallo aminata", True),
        ("aminata-diallo", "diall", False),
        ("ngolo-kante", "n golo", True),
        ("ngolo-kante", "n golo kante", True),
        ("ngolo-kante", "kante n golo", True),
        ("ngolo-kante", "golo", False),
        ("ngolo-kante", "n golo mali", False),
        ("Côte", "côte", True),
    ],
)
def test_a_slug_matches_its_words_in_any_order(slug: str, text: str, matches: bool) -> None:
    words = tuple(text.split())
    resolved = resolve_slugs("author", {slug, "x"}, [words, ("x",)])
    assert resolved == {words: [slug] if matches else [], ("x",): ["x"]}


def test_a_filter_names_a_slug_exactly_or_every_slug_with_its_words(index: Index) -> None:
    one = document("One", topics=("water",), countries=("ivory-coast",))
    two = document("Two", topics=("water-supply",), countries=("mali",))
    index.rebuild([one, two], 1)
    assert search_ids(index, "topic:water") == set(document_ids(one))
    assert search_ids(index, "topic:supply") == set(document_ids(two))
    assert search_ids(index, "-topic:water") == set(document_ids(two))
    assert search_ids(index, 'country:"Côte d\'Ivoire"') == set(document_ids(one))
    results = index.find(SearchRequest("topic:supply -country:mali in:sports -by:nobody"))
    assert results.filters == [("topic", "water-supply")]
    assert results.excluded_filters == [("country", "mali")]
    assert results.unknown_filters == [("section", "sports"), ("author", "nobody")]


def test_dates_of_request_and_query_are_combined(index: Index) -> None:
    stories = [document("Report") for _ in range(5)]
    days = [story.published_at.date() for story in stories]
    index.rebuild(stories, 1)
    request = SearchRequest(
        f"after:{days[0]} before:{days[4]}", published_from=days[1], published_to=days[4]
    )
    results = index.find(request)
    assert (results.published_from, results.published_to) == (days[1], days[3])
    assert results.ids == document_ids(*reversed(stories[1:4]))


# Similar stories


def test_key_terms_are_headline_words_and_the_best_body_words() -> None:
    """Take the headline's words and the fifteen best of the body, without words of one story."""
    rare = [f"word{letter}" for letter in "abcdefghijklmnopqrst"]
    frequencies = dict.fromkeys(rare, 2) | {"everyone": 30, "solitary": 1, "no": 33, "2024": 33}
    story = document(
        "Everyone worda of 2024", " ".join([*rare, "worda", "solitary", "no", "2024"])
    )
    total = 33
    terms = dict(key_terms(count_words(story), total, lambda word: frequencies.get(word, 0)))
    assert list(terms) == ["worda", *sorted(rare[6:], reverse=True)]
    # The word is twice in the body and once in the headline, which counts as two.
    assert terms["worda"] == pytest.approx(4**0.75 * math.log(1 + total / 2) ** 0.5)


def test_similar_stories_are_scored_against_the_story_itself(index: Index) -> None:
    story = document("Harbour dredging", "The harbour is deepened by dredging ships.")
    twin = replace(document(""), headline=story.headline, body=story.body)
    half = document("Harbour fees", "The harbour raises fees; the " + "x " * 40)
    other = document("Tariffs", "Nothing of that kind.")
    index.rebuild([story, twin, half, other], 1)
    similar = index.more_like_this(story)
    assert [item.id for item in similar] == document_ids(twin, half)
    assert similar[0].score == 1.0 and 0.1 < similar[1].score < 0.8
    assert [item.id for item in index.more_like_this(story, 1)] == [twin.id]
    index.apply({twin.id: None}, 2)
    assert [item.id for item in index.more_like_this(story)] == [half.id]
    unsaved = replace(story, id=9_999_999)
    assert [item.id for item in index.more_like_this(unsaved)] == document_ids(story, half)
    assert index.more_like_this(unsaved)[0].score == 1.0


def test_a_rewritten_story_is_scored_relative_to_the_best_match(index: Index) -> None:
    first, second = (document("Harbour dredging", "Ships in the harbour.") for _ in range(2))
    weaker = document("Fees", "The harbour " + "x " * 400)
    stored = document("Tariffs", "Nothing of that kind.")
    index.rebuild([first, second, weaker, stored], 1)
    rewritten = replace(stored, headline=first.headline, body=first.body)
    unsaved = replace(rewritten, id=9_999_999)
    similar = index.more_like_this(rewritten)
    assert similar == index.more_like_this(unsaved)
    assert [item.score for item in similar[:2]] == [1.0, 1.0] and similar[2].score < 0.5


def test_filters_that_stand_for_many_names_are_combined_without_comparing_them_all() -> None:
    comparisons = 0

    class Slug(str):
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal comparisons
            comparisons += 1
            return str(self) == other

    def slugs() -> list[str]:
        return [Slug(f"name-{number}") for number in range(500)]

    once = add_pairs(add_pairs([], "topic", slugs()), "author", slugs())
    twice = add_pairs(once, "topic", slugs())
    assert twice == once and len(once) == 1000
    assert comparisons < 5000


def test_names_are_read_once_for_all_filters_of_a_query() -> None:
    reads = 0

    class Slug(str):
        def lower(self) -> str:
            nonlocal reads
            reads += 1
            return super().lower()

    names = {Slug(f"person-{number}-afp") for number in range(300)}
    phrases = [("afp",), ("person",), ("afp", "person"), *((str(n), "afp") for n in range(7))]
    resolved = resolve_slugs("author", names, phrases)
    assert [len(resolved[words]) for words in phrases] == [300, 300, 300, *[1] * 7]
    assert reads == 300


def test_a_filter_stands_for_a_limited_number_of_names(
    make_index: MakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slugs, "MAX_SLUGS", 3)
    index = make_index()
    index.rebuild((document("Report", authors=(f"a{n}-afp",)) for n in range(5)), offset=1)
    names = [("author", f"a{n}-afp") for n in range(3)]
    results = index.find(SearchRequest("report by:afp"))
    assert results.filters == names and results.total == 3 and results.is_partial
    results = index.find(SearchRequest("report -by:afp"))
    assert results.excluded_filters == names and results.is_partial
    results = index.find(SearchRequest("report -by:a4 -by:afp by:a0"))
    assert results.is_partial, "some names of a filter in the middle are left out"
    assert not index.find(SearchRequest("report by:a1")).is_partial
