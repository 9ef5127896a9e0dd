"""`make bench-search` measures what it claims; an error here would flatter every figure."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.figures import Figure, quantile
from benchmarks.search import corpus, hostile_queries, quality, related, speed
from benchmarks.search.fts5 import Fts5
from benchmarks.search.whoosh_matchers import WhooshMatchers
from spectator.search import Document, SearchRequest, open_index


def document(number: int, body: str, headline: str = "A headline") -> Document:
    """Return a story with these words."""
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    return Document(number, 1, headline, "", body, "", "politics", (), (), (), "en", moment)


def test_the_mean_reciprocal_rank_counts_the_first_ten_results() -> None:
    cases = {
        "in a row": [quality.KnownItem("a", 1), quality.KnownItem("a", 3)],
        "scattered": [quality.KnownItem("a", 99)] * 2,
    }
    value, note = quality.mean_reciprocal_rank(lambda _text: [2, 1, *range(3, 20)], cases)
    assert value == pytest.approx(((1 / 2 + 1 / 3) / 2 + 0) / 2)
    assert "in a row 0.417 (2), scattered 0.000 (2)" in note


def test_queries_are_rewritten_without_accents_or_with_homophones() -> None:
    assert quality.without_accents("Ṣẹ́gun à l’école") == "Segun a l’ecole"
    swapped = quality.with_homophones(random.Random(1), "ሀገር ሰላም ጸሎት ቤት")
    assert swapped != "ሀገር ሰላም ጸሎት ቤት"
    assert swapped[1:3] == "ገር"
    assert swapped.endswith("ት ቤት")


def test_generated_stories_are_the_same_every_time(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    corpus.write_generated_stories(first, 20)
    corpus.write_generated_stories(second, 20)
    lines = [json.loads(line) for line in first.read_text().splitlines()]
    assert first.read_bytes() == second.read_bytes()
    assert len({line["body"] for line in lines}) == 20
    assert all(
        line["section"] in corpus.SECTIONS and line["countries"] and line["authors"]
        for line in lines
    )


def test_random_searches_have_the_expected_shares_of_each_kind() -> None:
    kinds = [speed.search_kind(text) for text in speed.random_searches(400)]
    shares = {kind: kinds.count(kind) / 400 for kind in speed.KINDS}
    assert shares == pytest.approx(
        {"AND": 0.5, "word": 0.3, "phrase": 0.1, "prefix": 0.1}, abs=0.06
    )


def test_hostile_queries_are_many_long_and_repeatable() -> None:
    texts = hostile_queries.hostile_texts(200)
    assert len(texts) == 200 == len(hostile_queries.hostile_texts(200))
    assert texts == hostile_queries.hostile_texts(200)
    assert max(map(len, texts)) == 20_000


def test_fts5_matches_every_word_or_else_any_word() -> None:
    index = Fts5(":memory:", [document(1, "Rain on the river"), document(2, "Rain in the hills")])
    assert index.best("rain river") == [1]
    assert set(index.best("river hills")) == {1, 2}
    assert index.best('"on the river"') == [1]
    assert index.page("hil*")[:2] == ([2], 1)


def test_cosine_similarity_finds_stories_that_share_rare_words() -> None:
    stories = [
        document(1, "alpha beta common"),
        document(2, "alpha beta common"),
        document(3, "gamma delta"),
        document(4, "gamma delta"),
    ]
    cosine = related.Cosine(stories)
    assert list(cosine.rank_similar(stories[0])) == [2]
    assert list(cosine.rank_similar(stories[2])) == [4]


def test_a_figure_is_compared_with_its_goal() -> None:
    assert Figure("a", 0.98, "", 0.98, higher_is_better=True).is_met
    assert Figure("a", 81, "ms", 80).is_met is False
    assert Figure("a", 81, "ms").is_met is None
    assert "FAIL" in str(Figure("a", 81, "ms", 80))
    assert quantile([1, 2, 3, 4], 0.5) == 2
    assert quantile(range(1, 101), 0.95) == 95


def test_whoosh_and_fts5_match_the_same_stories(tmp_path: Path) -> None:
    stories = [document(1, "Rain on the river"), document(2, "Rain in the hills")]
    index = open_index(tmp_path)
    index.rebuild(stories, 1)
    matchers, fts5 = WhooshMatchers(tmp_path / "current"), Fts5(":memory:", stories)
    for text, ids in {
        "rain": {1, 2},
        "rain hills": {2},
        "river hills": {1, 2},
        '"the river"': {1},
        "hil*": {2},
        "snow": set(),
    }.items():
        assert set(matchers.page(text)[0]) == set(fts5.page(text)[0]) == ids, text
        assert matchers.page(text)[1] == index.find(SearchRequest(text)).total == len(ids), text
    matchers.searcher.close()
    index.close()


def test_the_engine_figure_compares_search_matchers_and_fts5() -> None:
    figure = speed.engine_figure("engine", [[2.0, 8.0, 1.0]] * 20)
    assert (figure.value, figure.baseline) == (2.0, 1.0)
    assert "matchers without facets 8 ms (4 × ours)" in figure.note
    assert "FTS5 1 ms (0.5 × ours)" in figure.note
