"""Facets, spelling corrections, suggestions and similar stories."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from spectator.search import Document, Index, SearchRequest
from spectator.search.language import key_terms
from spectator.text.words.snippets import snippet
from tests.search_engines import MakeIndex
from tests.search_samples import document, document_ids

START = datetime(2022, 1, 1, tzinfo=UTC)
VOTE = document(
    "Elections in Bamako",
    "The election commission of Mali counts the votes near the river.",
    countries=("mali",),
    topics=("elections",),
    authors=("aminata-diallo",),
    published_at=START,
)
PARIS = document(
    "Le vote à Abidjan",
    "La Côte d'Ivoire vote dimanche.",
    language="fr",
    section="world",
    published_at=START,
)
COAST = document(
    "Cocoa prices fall",
    "Farmers of the Ivory Coast voted for lower prices; the elect few did not.",
    section="business",
    countries=("ivory-coast",),
    authors=("moussa-diallo", "ama-serwaa"),
    published_at=START + timedelta(days=400),
)
RIVER = document(
    "The river rises",
    "Votes were far away; the river near Bamako rose.",
    published_at=START + timedelta(days=800),
)
FAR = document(
    "Coast guards near the ivory market", "A court sat.", published_at=START + timedelta(days=801)
)
STORIES = [VOTE, PARIS, COAST, RIVER, FAR]


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> Index:
    """Index of STORIES that tests only read."""
    index = make_index()
    index.rebuild(STORIES, 1)
    return index


def search_ids(index: Index, text: str, **fields: object) -> list[int]:
    return index.find(SearchRequest(text, **fields)).ids  # type: ignore[arg-type]


def id_set(*wanted: Document) -> set[int]:
    return set(document_ids(*wanted))


# Words


def test_english_stories_are_found_by_stem(index: Index) -> None:
    assert set(search_ids(index, "voting")) == id_set(VOTE, COAST, RIVER), (
        "English stems do not match the French story"
    )
    assert set(search_ids(index, "elect")) == id_set(VOTE, COAST)
    assert set(search_ids(index, "election")) == id_set(VOTE, COAST)


def test_words_of_the_same_stem_are_highlighted(index: Index) -> None:
    terms = index.find(SearchRequest("voting river")).terms
    assert ("votes", True) in snippet(VOTE.body, terms)
    assert terms == {"voting", "river"}


def test_the_word_itself_comes_before_its_stem(index: Index) -> None:
    assert search_ids(index, "elect")[0] == COAST.id


@pytest.mark.parametrize("text", ["Ivory Coast", "Côte d'Ivoire", "cote d ivoire"])
def test_a_country_is_found_by_all_its_names(index: Index, text: str) -> None:
    assert id_set(PARIS, COAST) <= set(search_ids(index, text))


def test_words_close_together_come_first(index: Index) -> None:
    assert search_ids(index, "river bamako")[0] == RIVER.id
    assert search_ids(index, "ivory market")[0] == FAR.id


def test_the_exact_spelling_with_accents_comes_first(
    make_index: MakeIndex,
) -> None:
    marked = document("Ọ̀rọ̀ náà", "ọkọ̀ ni yìí", language="yo")
    other = document("Ọ̀rọ̀ náà", "ọkọ́ ni yìí", language="yo")
    other_index = make_index()
    other_index.rebuild([marked, other], 1)
    assert search_ids(other_index, "ọkọ̀") == document_ids(marked, other)
    assert search_ids(other_index, "ọkọ́") == document_ids(other, marked)
    assert set(search_ids(other_index, "oko")) == id_set(marked, other)


# Filters and facets


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("in:business", [COAST]),
        ("by:diallo", [VOTE, COAST]),
        ("by:aminata-diallo", [VOTE]),
        ("country:mali", [VOTE]),
        ('country:"côte d\'ivoire"', [COAST]),
        ("topic:elections river", [VOTE]),
        ("language:fr", [PARIS]),
        ("before:2023", [VOTE, PARIS]),
        ("after:2023-02-05 before:2023-02-06", [COAST]),
        ("by:diallo in:politics", [VOTE]),
        ("in:nowhere", []),
        ("in:business in:politics", []),
    ],
)
def test_filters_can_be_typed_in_the_query(
    index: Index, text: str, wanted: list[Document]
) -> None:
    assert set(search_ids(index, text)) == id_set(*wanted)


def test_applied_filters_are_in_the_results(index: Index) -> None:
    results = index.find(
        SearchRequest("by:diallo before:2024", section="politics", published_to=date(2022, 5, 1))
    )
    assert results.filters == [
        ("section", "politics"),
        ("author", "aminata-diallo"),
        ("author", "moussa-diallo"),
    ]
    assert (results.published_from, results.published_to) == (None, date(2022, 5, 1))


def test_facets_count_the_results(index: Index) -> None:
    results = index.find(SearchRequest("vote"))
    assert set(results.ids) == id_set(VOTE, PARIS, COAST, RIVER)
    assert results.facets["section"] == [("politics", 2), ("business", 1), ("world", 1)]
    assert results.facets["author"] == [
        ("ama-serwaa", 1),
        ("aminata-diallo", 1),
        ("moussa-diallo", 1),
    ]
    assert results.facets["language"] == [("en", 3), ("fr", 1)]
    assert results.year_counts == [(2022, 2), (2023, 1), (2024, 1)]


def test_a_selected_facet_counts_its_alternatives(index: Index) -> None:
    results = index.find(
        SearchRequest("vote", section="politics", published_from=date(2024, 1, 1))
    )
    assert results.ids == [RIVER.id]
    assert results.facets["section"] == [("politics", 1)]
    assert results.year_counts == [(2022, 1), (2024, 1)]
    assert index.find(SearchRequest("vote", section="world")).facets["section"] == [
        ("politics", 2),
        ("business", 1),
        ("world", 1),
    ]


def test_facets_include_newly_indexed_stories(make_index: MakeIndex) -> None:
    other_index = make_index()
    other_index.rebuild(STORIES[:2], 1)
    other_index.apply({RIVER.id: RIVER, VOTE.id: None}, 2)
    results = other_index.find(SearchRequest())
    assert set(results.ids) == id_set(PARIS, RIVER)
    assert results.facets["section"] == [("politics", 1), ("world", 1)]
    assert results.facets["country"] == []


# Corrections and word counts


def test_a_better_spelling_is_suggested(index: Index) -> None:
    results = index.find(SearchRequest("Elections in Bamoko"))
    assert results.suggestion == "Elections in bamako"
    assert index.find(SearchRequest(results.suggestion)).ids[0] == VOTE.id


@pytest.mark.parametrize(
    "text", ["vote", "zzzzzz", "", "Bamako", '"bamoko river"', "-bamoko", "in:bamoko"]
)
def test_no_spelling_is_suggested_if_none_is_better(index: Index, text: str) -> None:
    assert index.find(SearchRequest(text)).suggestion == ""


def test_words_are_counted_if_no_story_has_all_of_them(index: Index) -> None:
    results = index.find(SearchRequest("cocoa timbuktu"))
    assert (results.mode, results.term_counts) == ("any", [("cocoa", 1), ("timbuktu", 0)])
    assert index.find(SearchRequest("cocoa prices")).term_counts == ()


# Suggestions


def test_suggestions_include_headlines_topics_authors_and_countries(index: Index) -> None:
    results = index.suggest("el")
    assert (results.articles, results.topics) == ([VOTE.id], ["elections"])
    assert index.suggest("ELECTIONS ba").articles == [VOTE.id]
    assert index.suggest("diallo").authors == ["aminata-diallo", "moussa-diallo"]
    assert index.suggest("diallo m").authors == ["moussa-diallo"]
    assert index.suggest("iv").countries == index.suggest("Côte").countries == ["ivory-coast"]


@pytest.mark.parametrize("text", ["", "e", "  ", '"', "*", "\x00"])
def test_fewer_than_two_letters_suggest_nothing(index: Index, text: str) -> None:
    results = index.suggest(text)
    assert not (results.articles or results.topics or results.authors or results.countries)


def test_newest_headlines_are_suggested_first(index: Index) -> None:
    assert index.suggest("the", limit=1).articles == [FAR.id]


# Similar stories


def test_the_most_similar_story_comes_first(index: Index) -> None:
    alike = index.more_like_this(VOTE)
    assert alike[0].id == RIVER.id
    assert VOTE.id not in [similar.id for similar in alike]
    assert all(0 < similar.score <= 1 for similar in alike)


def test_common_words_do_not_make_stories_similar(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_terms, "SMALL_ARCHIVE_DOCUMENTS", 1)
    monkeypatch.setattr(key_terms, "MAX_DOCUMENTS", 1)
    assert index.more_like_this(VOTE) == []


def test_similar_stories_can_be_found_for_an_unindexed_document(index: Index) -> None:
    alike = index.more_like_this(
        document("Rising river", "Bamako and the river, near the votes.")
    )
    assert alike[0].id in id_set(RIVER, VOTE)
    assert index.more_like_this(document("Xyzzy", "Plugh.")) == []
