"""The budget of a search: steps are counted, and a search that exhausts it returns what it has."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from whoosh.codec.base import Automata

from spectator import indexing
from spectator.search import Index, IndexBusyError, SearchRequest, SearchResults, open_index
from spectator.search.language import spelling
from spectator.search.whoosh import (
    budget,
    internals,
    lexicon,
    proximity,
    scoring,
    searcher,
    visible_words,
)
from spectator.search.whoosh import index as whoosh_index
from spectator.search.whoosh.generations import Generations
from spectator.search.whoosh.internals import decode_positions
from spectator.search.whoosh.snapshot import Snapshot, open_snapshot
from spectator.search.whoosh.visible_words import VisibleWords, pack_words
from tests.search_samples import document

SEGMENT_SIZES = (100, 19, 19, 19, 19, 19)  # in stories
WORDS = [
    f"{first}{middle}ing{last}"
    for first in "bcdfgm"
    for middle in "aeiou"
    for last in ("s", "er", "")
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    """Open index of several segments."""
    directory = tmp_path_factory.mktemp("budget") / "search"
    index = open_index(directory)
    rng = random.Random(5)
    stories = (
        replace(
            document(" ".join(rng.sample(WORDS, 6)), " ".join(rng.choices(WORDS, k=120))),
            id=number,
        )
        for number in count(1)
    )
    first, *others = [list(islice(stories, size)) for size in SEGMENT_SIZES]
    index.rebuild(first, offset=1)  # the last row of the outbox that the index has
    for offset, batch in enumerate(others, start=2):
        index.apply({story.id: story for story in batch}, offset=offset)
    index.close()
    opened = open_snapshot(Generations(Path(directory)))
    assert len(opened.leaves) > 1
    yield opened
    opened.close()


@pytest.fixture
def automata(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Word and edit distance of each automaton built so far."""
    calls: list[tuple[str, int]] = []
    original = Automata.levenshtein_dfa

    def record(word: str, distance: int, prefix: int = 0) -> object:
        calls.append((word, distance))
        return original(word, distance, prefix)

    monkeypatch.setattr(Automata, "levenshtein_dfa", staticmethod(record))
    return calls


def run_search(snapshot: Snapshot, text: str, steps: int = budget.MAX_STEPS) -> SearchResults:
    """Search with a new budget of `steps`."""
    snapshot.budget = budget.Budget(steps)
    return searcher.search(snapshot, SearchRequest(text, per_page=100))


def nonsense(length: int, number: int = 4) -> str:
    """Return `number` words of `length` letters that no story has."""
    rng = random.Random(length)
    return " ".join("".join(rng.choices("qxzjkv", k=length)) for _ in range(number))


def test_an_automaton_is_built_once_per_word_and_distance(
    snapshot: Snapshot, automata: list[tuple[str, int]]
) -> None:
    run_search(snapshot, nonsense(12))
    # Four words at two distances, although each is looked up in every segment.
    assert len(automata) == len(set(automata)) == 8


def test_long_words_get_no_automaton(snapshot: Snapshot, automata: list[tuple[str, int]]) -> None:
    for length in (spelling.MAX_WORD_LENGTH + 1, 2 * spelling.MAX_WORD_LENGTH):
        run_search(snapshot, nonsense(length))
    assert automata == []


def hostile_queries(number: int) -> Iterator[str]:
    """Yield queries of ten clauses: words, phrases, prefixes, exclusions and filters."""
    rng = random.Random(7)
    for _ in range(number):
        words = [
            rng.choice(WORDS) if rng.random() < 0.5 else nonsense(rng.randint(3, 48), number=1)
            for _ in range(10)
        ]
        templates = [rng.choice(["{}", '"{} {}"', "{}*", "-{}", "in:{}"]) for _ in words]
        yield " ".join(
            template.format(word, rng.choice(WORDS))
            for template, word in zip(templates, words, strict=True)
        )


def test_no_search_exceeds_its_budget_of_steps(snapshot: Snapshot) -> None:
    limit, partial = 300, 0
    # Loops count each step before taking it, so each loop that is stopped exceeds the limit by one
    # step. A query has fewer than `limit` loops.
    max_excess = limit
    for text in hostile_queries(150):
        results = run_search(snapshot, text, steps=limit)
        assert snapshot.budget.spent < limit + max_excess + budget.MAX_SPELLING_STEPS, text
        partial += results.is_partial
    assert partial > 20


def test_a_search_that_exhausts_its_budget_returns_partial_results(snapshot: Snapshot) -> None:
    text = " ".join(WORDS[:2])
    complete = run_search(snapshot, text)
    assert not complete.is_partial
    partial = run_search(snapshot, text, steps=snapshot.budget.spent // 2)
    assert partial.is_partial
    assert 0 < partial.total < complete.total
    assert not partial.suggestion
    assert run_search(snapshot, text, steps=0).total == 0


def test_every_read_has_its_own_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Suggestions and similar stories take no steps from a budget of an earlier read."""
    monkeypatch.setattr(whoosh_index, "Budget", lambda: budget.Budget(200))
    index = open_index(tmp_path / "search")
    story, twin = (document("Ports of the coast", "Ships in ports") for _ in range(2))
    index.rebuild([story, twin], offset=1)
    for _ in range(60):  # with one budget of 200 steps for all, the last would find nothing
        assert [similar.id for similar in index.more_like_this(story)] == [twin.id]
        assert index.suggest("ports of").articles == [twin.id, story.id]
        assert index.find(SearchRequest("ports coast")).total == 2
    index.close()


@pytest.mark.parametrize("query", ['"zz zz zz"', '"zz yy zz"', "zz yy"])
def test_positions_of_words_that_a_story_repeats_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    decoded: list[int] = []

    def decode(encoded: bytes) -> list[int]:
        positions = decode_positions(encoded)
        decoded.append(len(positions))
        return positions

    for module in (scoring, proximity):
        monkeypatch.setattr(module, "decode_positions", decode)
    index = open_index(tmp_path / "search")
    index.rebuild([document(f"Report {n}", "zz yy " * 5_000) for n in range(20)], offset=1)
    index.close()
    opened = open_snapshot(Generations(tmp_path / "search"))
    run_search(opened, query)
    assert sum(decoded) >= 100_000 and opened.budget.spent >= 200
    decoded.clear()
    partial = run_search(opened, query, steps=100)
    assert partial.is_partial and sum(decoded) <= 50_000
    opened.close()


LIMITED_QUERIES = (
    "pre*",
    "sub* pre* zebra*",
    "bribery pre*",
    "bribery* pre* report",
    '"the zebra" pre*',
    "-bribery report",
    "-pre* report",
    "quranic reports",
    "qur*",
    "mali bribery zebras",
    '"zz yy" "yy zz"',
)


def test_a_search_limited_to_own_stories_takes_the_same_steps_whatever_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exhaust every budget: where a search ends must tell nothing about other people's words.

    Nor about the segments and deleted versions that their saves leave or remove.
    """
    monkeypatch.setattr(internals, "_POSITIONS_PER_STEP", 1)
    prefixed = [f"{start}{letter}" for start in ("pre", "sub") for letter in "abcdefghijkl"]
    bodies = [" ".join(prefixed[::2]), " ".join(prefixed[1::2]), "the zebra", "quranic"]
    bodies += ["q'uranic", "qu'ranic", "qur'anic", "qura'nic", "quran'ic"] * 2
    bodies = [f"{body} zz yy zz yy" for body in bodies]
    own = [document("Report", f"{body} mali", language="fr", is_own=True) for body in bodies]
    secret = "bribery zebras quran'ic presage " + " ".join(f"{word}x" for word in prefixed)
    others = [document("Report", secret, is_own=True) for _ in range(40)]
    alone, crowded = open_index(tmp_path / "alone"), open_index(tmp_path / "crowded")
    alone.rebuild(own, 1)
    former = replace(own[0], body="preaaa preaab subaaa mali quran'ic")
    crowded.rebuild([*others[:9], former, *own[1:]], 1)
    groups = (others[9:12], own[1:2], others[12:15], own[:1], [*others[15:], *own[10:]], own[2:3])
    for number, group in enumerate(groups, 2):
        crowded.apply({story.id: story for story in group}, number)
    permitted = frozenset(story.id for story in own)

    def find(index: Index, text: str) -> tuple[list[int], int, bool]:
        request = SearchRequest(text, sort="newest", article_ids=permitted)
        results = index.find(request)
        return results.ids, results.total, results.is_partial

    partial = 0
    for steps in (*range(120), budget.MAX_STEPS):
        monkeypatch.setattr(whoosh_index, "Budget", lambda steps=steps: budget.Budget(steps))
        for text in LIMITED_QUERIES:
            expected = find(alone, text)
            assert find(crowded, text) == expected, (text, steps)
            partial += expected[2]
    assert partial > 100 and not expected[2]
    assert crowded.find(SearchRequest("report")).total == len(own) + len(others)
    assert len(crowded.suggest("report", limit=100).articles) == len(own) + len(others)
    alone.close(), crowded.close()


def test_a_search_limited_to_own_stories_counts_words_by_the_number_of_stories() -> None:
    """A look-up reads at most one block for each of them, however many segments there are."""
    for documents, steps in ((0, 1), (80, 11), (10**6, 200)):
        limited = budget.Budget()
        limited.count_words_only(documents)
        assert limited.spend_word(24) and limited.spend_block()
        assert limited.spent == steps


def test_word_lists_are_unpacked_as_far_as_the_budget_allows() -> None:
    rng = random.Random(3)
    long = pack_words("".join(rng.choices("abcdefgh", k=12)) for _ in range(5_000))
    assert len(long) > 20_000
    spent = budget.Budget(10)
    own = VisibleWords([(1, long), (2, long), (3, pack_words(["zebra"]))], spent)
    assert spent.is_exhausted
    assert own.documents_with_prefix("a") == [1] and own.documents_with_prefix("zebra") == []


def test_word_lists_that_pack_well_are_counted_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    similar = pack_words(f"{'a' * 50}{number:014b}" for number in range(15_000))
    assert len(similar) < 40_000, "of 975,000"
    spent = budget.Budget()
    own = VisibleWords([(number, similar) for number in range(99)], spent)
    assert own.documents_with_prefix("a") == list(range(20)) and spent.has_left_out
    assert spent.spent == 20 * 98
    monkeypatch.setattr(visible_words, "_MAX_BYTES", 10**6)
    assert VisibleWords([(1, similar), (2, similar)], spent).documents_with_prefix("a") == [1]


def test_visible_words_give_prefixes_and_the_first_names_in_the_alphabet() -> None:
    names = ("q uranic", "qu ranic", "qur anic", "qura nic", "quran ic")
    lists = [pack_words(["mali", f"quranic {name}"]) for name in names]
    own = VisibleWords(
        enumerate([*lists, b"", pack_words(["amali", "quranics"])]), budget.Budget()
    )
    assert own.names("quranic", 4) == [tuple(name.split()) for name in names[:4]]
    assert own.names("quran", 4) == []
    assert own.documents_with_prefix("mal") == [0, 1, 2, 3, 4]
    assert own.documents_with_prefix("quranic") == [0, 1, 2, 3, 4, 6]


def test_an_ordinary_search_uses_a_tenth_of_its_budget_at_most(snapshot: Snapshot) -> None:
    for text in (
        WORDS[0],
        f"{WORDS[0]} {WORDS[5]}",
        f'"{WORDS[1]} {WORDS[2]}"',
        "mangoing",  # in no story, so a better spelling is looked for
        f"{WORDS[3][:3]}*",
    ):
        assert not run_search(snapshot, text).is_partial
        assert snapshot.budget.spent < budget.MAX_STEPS / 10, text


def test_spelling_corrections_have_their_own_limit(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexicon, "MAX_SPELLING_STEPS", 40)
    snapshot.budget = budget.Budget()
    lexicon.suggest_spelling_of(snapshot, nonsense(18))
    assert 0 < snapshot.budget.spent <= 40
    assert not snapshot.budget.is_exhausted


def test_while_the_index_is_locked_searches_respond_that_it_is_busy(
    app: Flask,
    client: FlaskClient,
    story: Callable[..., int],
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story(headline="Ports of the coast")
    catch_up()
    assert "of the coast" in client.get("/search?q=ports").text
    monkeypatch.setattr(whoosh_index, "LOCK_TIMEOUT_SECONDS", 0.01)
    index = indexing.open_public_index(app.config["DATA_DIR"])
    with index._reader_state.lock:  # type: ignore[attr-defined]
        with pytest.raises(IndexBusyError):
            index.find(SearchRequest("ports"))
        response = client.get("/search?q=ports")
        assert response.status_code == 503
        assert "Search is busy right now" in response.text
        fragment = client.get("/fragments/search?q=ports")
        assert "Search is busy right now" in fragment.text
        assert fragment.headers["Cache-Control"] == "no-store"
        assert client.get("/").status_code == 200
        assert index.offset() is not None, "None would mean that the index must be rebuilt"
    assert client.get("/search?q=ports").status_code == 200


def test_one_search_of_editors_at_a_time_waits_beside_those_of_readers(
    app: Flask,
    story: Callable[..., int],
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    article_id = story(headline="Ports of the coast")
    catch_up()
    index = indexing.open_public_index(app.config["DATA_DIR"])
    for_editors = SearchRequest("ports", is_for_editors=True)
    with index._editors_turn():  # type: ignore[attr-defined]
        with monkeypatch.context() as patch, pytest.raises(IndexBusyError):
            patch.setattr(whoosh_index, "EDITORS_TIMEOUT_SECONDS", 0.01)
            index.find(for_editors)
        assert index.find(SearchRequest("ports")).ids == [article_id]
    assert index.find(for_editors).ids == [article_id]


def test_a_search_of_editors_waits_longer_for_colleagues_than_for_readers(
    app: Flask,
    story: Callable[..., int],
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    article_id = story(headline="Ports of the coast")
    catch_up()
    monkeypatch.setattr(whoosh_index, "LOCK_TIMEOUT_SECONDS", 0.01)
    index = indexing.open_public_index(app.config["DATA_DIR"])
    with ThreadPoolExecutor() as executor:
        with index._editors_turn():  # type: ignore[attr-defined]
            results = executor.submit(index.find, SearchRequest("ports", is_for_editors=True))
            assert not wait([results], timeout=0.1).done
        assert results.result().ids == [article_id]
