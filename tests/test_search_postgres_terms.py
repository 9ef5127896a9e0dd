"""How the engine in PostgreSQL stores, matches and scores documents, without a server."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from spectator.search.language.parser import parse_query
from spectator.search.postgres import writer
from spectator.search.postgres.clauses import clause_matcher
from spectator.search.postgres.lexicon import is_within
from spectator.search.postgres.matchers import (
    PhraseMatcher,
    PrefixMatcher,
    Statistics,
    WordMatcher,
    quote,
)
from spectator.search.postgres.selection import Selection
from spectator.search.postgres.terms import (
    MAX_DOCUMENT_BYTES,
    StoredText,
    document_row,
    is_indexable,
)
from tests.search_samples import document

ZINC = document("Zinc and tin", "zinc zinc tin " + "x " * 97, names="Zinc", language="fr")


def stored(story: object) -> StoredText:
    row = document_row(story)  # type: ignore[arg-type]
    return StoredText(
        (
            row.article_id,
            row.published,
            row.headline_length,
            row.body_length,
            row.language,
            row.terms,
            row.postings,
        )
    )


def matches(text: str, story: object) -> bool:
    """Return whether a story has every clause of a query."""
    statistics = Statistics(10, {})
    clauses = parse_query(text).included
    return all(clause_matcher(clause).score(stored(story), statistics) for clause in clauses)


# Storage


def test_batches_are_limited_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter of Ethiopic takes three bytes, and tags take memory too."""
    words = " ".join(chr(number) * 3 for number in range(0x1200, 0x1240))
    rows = [document_row(document("ዜና", words, topics=("t" * 400,)))] * 4
    size = sum(len(column.encode()) for column in (rows[0].terms, rows[0].tags))
    monkeypatch.setattr(writer, "BATCH_BYTES", 2 * (size + len(rows[0].postings)))
    assert [len(batch) for batch in writer._batches(iter(rows))] == [2, 2]
    monkeypatch.setattr(writer, "BATCH_DOCUMENTS", 1)
    assert [len(batch) for batch in writer._batches(iter(rows))] == [1] * 4


def test_a_stored_text_has_the_positions_of_each_word_in_each_field() -> None:
    text = stored(ZINC)
    assert {field: list(row) for field, row in text.field_positions("zinc")} == {
        "headline": [0],
        "body": [103, 104],  # after the three words of the headline and a gap
        "names": [0],
    }
    assert list(text.positions("tin")) == [2, 105]
    assert list(text.positions("absent")) == list(text.field_positions("absent")) == []
    assert list(text.with_prefix("ti")) == ["tin"]


def test_a_rare_spelling_counts_for_more_than_a_common_one() -> None:
    text = stored(document("Report", "Ṣẹ́gun x"))
    [clause] = parse_query("Ṣẹ́gun").included
    assert clause.exact_spellings
    matcher = clause_matcher(clause)
    common, rare = (
        matcher.score(text, Statistics(1_000, {"segun": 50, "'ṣẹ́gun": number}))
        for number in (40, 2)
    )
    assert rare > common


def test_texts_of_more_than_65_thousand_words_keep_their_positions() -> None:
    text = stored(document("Long", "x " * 70_000 + "zinc"))
    assert list(text.positions("zinc")) == [70_101]


def test_an_empty_story_can_be_stored() -> None:
    text = stored(document("", "", section="", language=""))
    assert list(text.positions("mali")) == list(text.with_prefix("m")) == []


def test_tags_are_frequent_words_headlines_facets_and_years() -> None:
    story = document(
        "N'Golo wins", "goal goal goal x " + "y " * 400, countries=("mali",), language="en"
    )
    tags = document_row(story).tags.split("\n")
    assert {"!goal", "<golo", "<ngolo", "#country:mali", "#language:en", "@en"} <= set(tags)
    assert "!x" not in tags and f"#year:{story.published_at.year}" in tags
    assert "@en" not in document_row(replace(story, language="fr")).tags.split("\n")


@pytest.mark.parametrize("term", ["\ud800", "a\0b", "a\nb", "a\tb", "x" * 501, "ሀ" * 167])
def test_terms_that_postgresql_cannot_store_are_left_out(term: str) -> None:
    assert not is_indexable(term)
    assert term not in document_row(document("Report", topics=(term, "water"))).topic.split("\t")


def test_the_terms_of_a_document_are_limited_in_bytes() -> None:
    hostile = " ".join(f"{number:064}" for number in range(25_000))
    row = document_row(document("Zinc", hostile))
    assert 0.99 * MAX_DOCUMENT_BYTES < len(row.terms.replace("\n", "")) <= MAX_DOCUMENT_BYTES
    assert list(stored(document("Zinc", hostile)).positions("zinc")) == [0]


# Queries


@pytest.mark.parametrize(
    ("term", "quoted"),
    [
        ("mali", "'mali'"),
        ("'élan", "'''élan'"),
        ("a\\'", "'a\\\\'''"),
        ("' & !x", "''' & !x'"),
    ],
)
def test_terms_are_quoted_in_the_syntax_of_tsquery(term: str, quoted: str) -> None:
    assert quote(term) == quoted
    assert quote(term, is_prefix=True) == f"{quoted}:*"


def test_only_the_index_decides_on_words_and_only_the_text_on_phrases() -> None:
    for matcher in (WordMatcher("mali"), PrefixMatcher("mal")):
        assert matcher.exact_query == matcher.tsquery
    assert not PhraseMatcher(("burkina", "faso")).exact_query
    for text in ("N'Golo", "Egypt"):  # the text decides only on "n golo", "united arab republic"
        either = clause_matcher(parse_query(text).included[0])
        assert either.exact_query not in {"", either.tsquery}


@pytest.mark.parametrize(
    ("text", "is_match"),
    [
        ('"zinc tin"', True),
        ('"zinc zinc tin"', True),
        ('"tin zinc"', False),
        ('"tin zinc zinc"', False),  # the last word of the headline, and the text
        ("zin*", True),
        ("tax*", False),
        ("zincs", False),  # no English story
    ],
)
def test_a_text_decides_on_phrases_within_a_field(text: str, is_match: bool) -> None:
    assert matches(text, ZINC) is is_match


def test_english_words_match_by_stem_and_names_by_their_apostrophe() -> None:
    english = document("The mines voted", "N'Djamena is near.", language="en")
    assert matches("mining voting", english) == matches("votes", english) is True
    assert matches("ndjamena", english) and matches('"ndjamena is near"', english)
    assert not matches("mining", replace(english, language="fr"))


# Scores: Robertson and Zaragoza (2009), with k1 = 1.2, b = 0.75 and lengths 10 and 400.


def bm25(count: int, length: float) -> float:
    return 2.2 * count / (count + 1.2 * (0.25 + 0.75 * length))


def idf(frequency: int, total: int = 26) -> float:
    return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))


def test_scores_are_those_of_bm25() -> None:
    statistics = Statistics(26, {"zinc": 2, "=zinc": 1, "tin": 1})
    score = WordMatcher("zinc").score(stored(ZINC), statistics)
    fields = 2.5 * bm25(1, 3 / 10) + bm25(2, 100 / 400) + 1.5 * 2.2 / (1 + 1.2)
    assert score == pytest.approx(idf(2) * fields)
    phrase = PhraseMatcher(("zinc", "tin")).score(stored(ZINC), statistics)
    assert phrase == pytest.approx((idf(2) + idf(1)) * bm25(1, 100 / 400))


def test_stems_and_exact_spellings_have_the_expected_weights() -> None:
    statistics = Statistics(26, {"~mine": 1, "elan": 2, "'élan": 1})
    stemmed = WordMatcher("mines").score(stored(document("Report", "mining x")), statistics)
    assert stemmed == pytest.approx(0.4 * idf(1) * 2.2 / (1 + 1.2))
    text = stored(document("Report", "élan x", language="fr"))
    plain, exact = WordMatcher("elan"), WordMatcher("elan", ["élan"])
    added = exact.score(text, statistics) - plain.score(text, statistics)
    assert added == pytest.approx(0.6 * idf(1) * 2.2 / (1 + 1.2))


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("mali", "mali", 0), ("mali", "malo", 1), ("mali", "mal", 1), ("mali", "amali", 1),
     ("bamako", "bamoka", 2), ("mali", "niger", 5), ("elections", "eleciton", 3)],
)  # fmt: skip
def test_edits_are_counted(one: str, other: str, distance: int) -> None:
    assert is_within(one, other, distance)
    assert distance == 0 or not is_within(one, other, distance - 1)


def test_a_parameter_of_a_selection_has_one_value() -> None:
    selection = Selection().where("published > :name", name=1)
    with pytest.raises(ValueError, match="name"):
        selection.where("published < :name", name=2)
    with pytest.raises(ValueError, match="query"):
        selection.where("published < :query", query=3).matching("mali").sql()
