"""Results of a search and their order; no text causes an error."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectator.search import Document, Index, SearchRequest
from spectator.search.language.parser import parse_query
from spectator.search.language.query import Clause
from spectator.search.relevance import COMMON_WORD_SHARE
from spectator.search.whoosh.stems import stem
from spectator.text.words.folding import tokens
from tests.search_engines import MakeIndex
from tests.search_samples import (
    ABIDJAN,
    AMHARIC,
    ARABIC,
    HAUSA,
    MALI,
    MARKET,
    SEGUN,
    STORIES,
    document,
    document_ids,
    search_ids,
)


@pytest.fixture(scope="module")
def shared(make_index: MakeIndex) -> Index:
    """Index of STORIES that tests only read."""
    index = make_index()
    index.rebuild(STORIES, 7)
    return index


@pytest.fixture
def index(make_index: MakeIndex) -> Index:
    """Index of STORIES for one test, at offset 7."""
    index = make_index()
    index.rebuild(STORIES, 7)
    return index


# What is found


@pytest.mark.parametrize(
    ("text", "story"),
    [
        ("segun", SEGUN),
        ("SẸGUN", SEGUN),
        ("ṣẹ́gun", SEGUN),
        ("Cote d'Ivoire", ABIDJAN),
        ("côte d’ivoire", ABIDJAN),
        ("president elit", ABIDJAN),
        ("kungiyar kwadago", HAUSA),
        ("ሀበሻ", AMHARIC),
        ("المدرسة", ARABIC),
    ],
)
def test_accents_and_spellings_do_not_matter(shared: Index, text: str, story: Document) -> None:
    results = shared.find(SearchRequest(text))
    assert (results.ids, results.total, results.mode) == ([story.id], 1, "all")


def test_a_phrase_matches_consecutive_words(shared: Index) -> None:
    assert search_ids(shared, '"Burkina Faso"') == {MALI.id}
    assert search_ids(shared, '"Faso and Burkina"') == {MARKET.id}
    assert search_ids(shared, '"Burkina Bamako"') == set()


def test_a_phrase_may_repeat_a_word(index: Index) -> None:
    once, twice = document("knock on wood"), document("knock knock on wood")
    index.apply({once.id: once, twice.id: twice}, 8)
    assert search_ids(index, '"knock knock"') == {twice.id}
    assert search_ids(index, '"knock knock knock"') == set()


def test_a_minus_excludes_words_and_phrases(shared: Index) -> None:
    assert search_ids(shared, "mali -cotton") == {MALI.id}
    assert search_ids(shared, 'faso -"burkina faso"') == {MARKET.id}
    assert search_ids(shared, "mali -mali") == set()


def test_a_query_of_exclusions_finds_all_other_stories(shared: Index) -> None:
    results = shared.find(SearchRequest("-mali -المدرسة"))
    assert results.ids == document_ids(AMHARIC, HAUSA, ABIDJAN, SEGUN)


@pytest.mark.parametrize(
    ("text", "stories"),
    [
        ('-"burkina faso" -cotton', (AMHARIC, ARABIC, HAUSA, ABIDJAN, SEGUN)),
        ('-"burkina faso" -in:business', (AMHARIC, ARABIC, ABIDJAN, SEGUN)),
        ('"faso and burkina" -"burkina faso" -bamako', (MARKET,)),
        ('"burkina faso" -"sahel states" -cotton', ()),
    ],
)
def test_phrases_and_words_can_be_excluded_together(
    shared: Index, text: str, stories: tuple[Document, ...]
) -> None:
    assert search_ids(shared, text) == set(document_ids(*stories))


def test_a_star_finds_longer_words(shared: Index) -> None:
    results = shared.find(SearchRequest("gover* vot*"))
    assert (results.ids, results.prefixes, results.terms) == (
        [SEGUN.id],
        ("gover", "vot"),
        frozenset(),
    )
    assert search_ids(shared, "sahe* -bama*") == set()


def test_any_word_matches_only_if_no_story_has_every_word(shared: Index) -> None:
    every = shared.find(SearchRequest("mali cotton"))
    assert (every.ids, every.mode) == ([MARKET.id], "all")
    either = shared.find(SearchRequest("abidjan cotton -sahel"))
    assert (set(either.ids), either.total, either.mode) == ({ABIDJAN.id, MARKET.id}, 2, "any")
    nothing = shared.find(SearchRequest("zzz yyy"))
    assert (nothing.ids, nothing.total, nothing.mode) == ([], 0, "all")


def test_a_headline_weighs_more_than_a_body(index: Index) -> None:
    body = document("Weekly review", "The cocoa harvest and more about cocoa beans.")
    headline = document("Cocoa again", "A harvest of beans, reviewed every week by us.")
    index.apply({body.id: body, headline.id: headline}, 8)
    assert index.find(SearchRequest("cocoa")).ids == document_ids(headline, body)


def test_dek_and_names_are_searched(index: Index) -> None:
    story = document(
        "Untitled", dek="What the harvest brings", names="Aminata Diallo Ivory Coast Reuters"
    )
    index.apply({story.id: story}, 8)
    assert (
        search_ids(index, "harvest brings")
        == search_ids(index, '"ivory coast" diallo')
        == {story.id}
    )


def test_terms_for_highlighting_are_folded(shared: Index) -> None:
    assert shared.find(SearchRequest("Ṣẹ́gun Élit -mali")).terms == {"segun", "elit"}


# Filters, order, pages


def test_filters_restrict_the_results(shared: Index) -> None:
    assert search_ids(shared, section="business") == {MARKET.id, HAUSA.id}
    assert search_ids(shared, country="burkina-faso") == {MALI.id}
    assert search_ids(shared, topic="education") == {ARABIC.id}
    assert search_ids(shared, author="a-diallo") == {MARKET.id}
    assert search_ids(shared, language="fr") == {ABIDJAN.id}
    assert search_ids(shared, "mali", section="business") == {MARKET.id}
    assert search_ids(shared, "mali -faso", section="business") == set()
    assert search_ids(shared, section="business", language="ha") == {HAUSA.id}


@pytest.mark.parametrize(
    "value", ["nowhere", "\x00", "\ud800", "politics business", "*", "x" * 100_000, "Politics"]
)
@pytest.mark.parametrize("name", ["section", "country", "topic", "author", "language"])
def test_an_unknown_filter_value_finds_nothing(shared: Index, name: str, value: str) -> None:
    for text in ("", "mali", "-mali", "mali zzz"):
        results = shared.find(SearchRequest(text, **{name: value}))  # type: ignore[arg-type]
        assert (results.ids, results.total) == ([], 0)


def test_a_minus_before_a_filter_excludes_its_stories(shared: Index) -> None:
    everything = set(document_ids(*STORIES))
    assert search_ids(shared, "-in:business") == everything - set(document_ids(MARKET, HAUSA))
    assert search_ids(shared, "mali -in:business") == set(document_ids(MALI))
    assert search_ids(shared, "-by:diallo in:business") == set(document_ids(HAUSA))
    assert search_ids(shared, "-country:mali -language:en") == everything - {
        story.id for story in STORIES if "mali" in story.countries or story.language == "en"
    }
    results = shared.find(SearchRequest("mali -in:business -topic:nonesuch"))
    assert (results.excluded_filters, results.unknown_filters) == (
        [("section", "business")],
        [("topic", "nonesuch")],
    )
    assert "business" not in dict(results.facets["section"])
    day = MALI.published_at.date()
    assert search_ids(shared, f"-before:{day}") == search_ids(shared, f"after:{day}")
    assert search_ids(shared, f"-after:{day}") == search_ids(shared, f"before:{day}")


def test_dates_include_both_days(shared: Index) -> None:
    first, last = ABIDJAN.published_at.date(), MARKET.published_at.date()
    assert search_ids(shared, published_from=first, published_to=last) == {
        ABIDJAN.id,
        MALI.id,
        MARKET.id,
    }
    assert search_ids(shared, "mali", published_to=MALI.published_at.date()) == {MALI.id}
    assert search_ids(shared, "mali", published_from=last) == {MARKET.id}
    assert len(search_ids(shared, published_from=date.min, published_to=date.max)) == len(STORIES)
    assert search_ids(shared, published_from=date.max, published_to=date.min) == set()


def test_the_whole_last_day_counts(index: Index) -> None:
    late = document("Late", published_at=datetime(2030, 5, 6, 23, 59, 59, tzinfo=UTC))
    early = document("Early", published_at=datetime(2030, 5, 7, tzinfo=UTC))
    index.apply({late.id: late, early.id: early}, 8)
    assert search_ids(index, published_from=date(2030, 5, 6), published_to=date(2030, 5, 6)) == {
        late.id
    }
    assert search_ids(index, published_from=date(2030, 5, 7)) == {early.id}


def test_without_text_all_stories_are_sorted_by_date(shared: Index) -> None:
    newest = document_ids(*reversed(STORIES))
    assert shared.find(SearchRequest()).ids == newest
    assert shared.find(SearchRequest("  ", sort="newest")).ids == newest
    assert shared.find(SearchRequest(sort="oldest")).ids == newest[::-1]


def test_results_can_be_sorted_by_date(shared: Index) -> None:
    assert shared.find(SearchRequest("mali", sort="newest")).ids == document_ids(MARKET, MALI)
    assert shared.find(SearchRequest("mali", sort="oldest")).ids == document_ids(MALI, MARKET)


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
@pytest.mark.parametrize("text", ["", "peace", "zzz peace"])
def test_pages_contain_every_story_once(index: Index, text: str, sort: str) -> None:
    more = [document("Peace talks", f"round {number}") for number in range(23)]
    index.apply({story.id: story for story in more}, 8)
    expected = {story.id for story in (STORIES if not text else []) + more}

    pages = [
        index.find(SearchRequest(text, sort=sort, page=page, per_page=10)) for page in range(1, 6)
    ]  # type: ignore[arg-type]
    seen = [article_id for page in pages for article_id in page.ids]
    assert sorted(seen) == sorted(expected)
    assert {page.total for page in pages} == {len(expected)}
    assert pages[-1].ids == []


@pytest.mark.parametrize("page", [0, -1, 51, 10**30])
@pytest.mark.parametrize("text", ["", "mali"])
def test_a_page_out_of_range_is_empty_and_has_the_right_total(
    shared: Index, text: str, page: int
) -> None:
    results = shared.find(SearchRequest(text, page=page))
    assert (results.ids, results.total) == ([], 2 if text else len(STORIES))


def test_a_page_has_between_one_and_a_hundred_stories(shared: Index) -> None:
    assert len(shared.find(SearchRequest(per_page=-5)).ids) == 1
    assert len(shared.find(SearchRequest(per_page=10**9)).ids) == len(STORIES)


# Hostile text


HOSTILE = [
    "x" * 20_000,
    "word " * 4_000,
    '"',
    '""" mali "',
    "*",
    "**** *a* mali**",
    "[a TO b]",
    "[ TO ]",
    "~",
    "mali~2 ^1e999",
    "\x00\x01\x02\x1b[31m",
    "🎉🇳🇬👩‍👩‍👧",
    "\u202eilam\u200f مالي",
    "\ud800 \udfff",
    "(" * 1000 + "mali" + ")" * 1000,
    "NOT OR x",
    "NOT " * 500,
    "AND AND",
    "id:1 body:* published:[* TO *]",
    "-",
    '--- -"" -* -\'',
    "\u0301\u0301\u0301",
    "%s %(x)s {0} \\ / ' ; DROP TABLE--",
    "a" * 63 + "\u0301" * 200,
    "\n".join("abc"),
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:20])
@pytest.mark.parametrize("sort", ["relevance", "newest", "nonsense"])
def test_hostile_text_gives_ordinary_results(shared: Index, text: str, sort: str) -> None:
    results = shared.find(SearchRequest(text, sort=sort))  # type: ignore[arg-type]
    assert len(results.ids) == results.total <= len(STORIES)
    assert shared.offset() == 7


@pytest.mark.parametrize("text", ["*", "🎉", "\x00", '"" --', "~"])
def test_text_without_a_word_finds_nothing(shared: Index, text: str) -> None:
    assert shared.find(SearchRequest(text)).total == 0


@settings(max_examples=80, deadline=None)
@given(
    st.text(max_size=300) | st.text(alphabet='mali faso"-*é\u0301\u200f()[]~^:*', max_size=300),
    st.sampled_from(["relevance", "newest", "oldest"]),
)
def test_no_text_causes_an_error(shared: Index, text: str, sort: str) -> None:
    results = shared.find(SearchRequest(text, sort=sort))  # type: ignore[arg-type]
    assert results.total >= len(results.ids)
    assert shared.offset() == 7


# Results compared with those of a simple reference search


SAMPLES = st.lists(
    st.sampled_from(["mali", "faso", "bamako", "vote", "votes", "peace"]), min_size=1, max_size=5
)


def matches_clause(story: Document, clause: Clause) -> bool:
    """Return whether a story matches a clause, by reading all its words."""
    for text in (story.headline, f"{story.dek}\n{story.body}", story.names):
        words = [token.text for token in tokens(text)]
        if clause.is_prefix and any(word.startswith(clause.words[0]) for word in words):
            return True
        size = len(clause.words)
        starts = range(len(words) - size + 1)
        if any(tuple(words[start : start + size]) == clause.words for start in starts):
            return True
        is_stemmed = text is not story.names and size == 1 and not clause.is_prefix
        if is_stemmed and stem(clause.words[0]) in map(stem, words):
            return True
    return False


def expected_ids(stories: list[Document], text: str) -> set[int]:
    """Return the ids that a query finds: with every word, or else with any word that is rare."""
    query = parse_query(text)
    candidates = [
        story
        for story in stories
        if not any(matches_clause(story, clause) for clause in query.excluded)
    ]
    every = {
        story.id
        for story in candidates
        if all(matches_clause(story, clause) for clause in query.included)
    }
    if every or len(query.included) < 2:
        return every
    matches = [
        {story.id for story in stories if matches_clause(story, clause)}
        for clause in query.included
    ]
    most = COMMON_WORD_SHARE * len(stories)
    rare = [ids for ids in matches if 0 < len(ids) <= most]
    return set().union(*(rare or matches)) & {story.id for story in candidates}


@pytest.fixture(scope="module")
def segmented(make_index: MakeIndex) -> tuple[Index, list[Document]]:
    """Index of several segments with deletions, and the stories it should hold."""
    index = make_index()
    vocabulary = ["mali", "faso", "bamako", "vote", "votes", "peace", "in", "the"]
    generated = [
        document(" ".join(row[:3]), " ".join(row * 2), names=" ".join(row[2:]))
        for row in itertools.islice(itertools.permutations(vocabulary, 4), 0, 1680, 28)
    ]
    index.rebuild(generated[:40], 1)
    for position, added in enumerate(generated[40:44], 2):
        index.apply({added.id: added}, position)
    changed = [replace(story, headline="peace in faso", version=2) for story in generated[:5]]
    index.apply(
        {
            **{story.id: story for story in changed},
            **dict.fromkeys(document_ids(*generated[5:9], generated[41])),
        },
        9,
    )
    return index, [*changed, *generated[9:41], *generated[42:44]]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["{}", '"{}"', "-{}", '-"{}"', "{}*"]), SAMPLES),
        min_size=1,
        max_size=3,
    )
)
def test_results_equal_those_of_a_simple_reference_search(
    segmented: tuple[Index, list[Document]], clauses: list[tuple[str, list[str]]]
) -> None:
    index, stories = segmented
    text = " ".join(template.format(" ".join(words)) for template, words in clauses)
    expected = expected_ids(stories, text)
    for sort in ("relevance", "newest"):
        results = index.find(SearchRequest(text, sort=sort, per_page=100))
        assert set(results.ids) == expected
        assert results.total == len(results.ids) == len(expected)
