"""The cost of one search: counted steps, never an error, and a clear page when others must wait."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from whoosh.codec.base import Automata

from spectator import indexing
from spectator.search import IndexBusyError, SearchRequest, SearchResults, open_index
from spectator.search.language import spelling
from spectator.search.whoosh import budget, lexicon, searcher
from spectator.search.whoosh import index as whoosh_index
from spectator.search.whoosh.generations import Generations
from spectator.search.whoosh.snapshot import Snapshot, open_snapshot
from tests.search_samples import document

SEGMENTS = 6
WORDS = [
    f"{first}{middle}ing{last}"
    for first in "bcdfgm"
    for middle in "aeiou"
    for last in ("s", "er", "")
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    """Return an open index of several segments."""
    directory = tmp_path_factory.mktemp("budget") / "search"
    index = open_index(directory)
    chance = random.Random(5)
    stories = [
        replace(
            document(" ".join(chance.sample(WORDS, 6)), " ".join(chance.choices(WORDS, k=120))),
            id=number,
        )
        for number in range(1, 200)
    ]
    index.rebuild(stories[:100], 1)
    for position in range(SEGMENTS - 1):
        part = stories[100 + position * 19 : 119 + position * 19]
        index.apply({story.id: story for story in part}, position + 2)
    index.close()
    opened = open_snapshot(Generations(Path(directory)))
    assert len(opened.leaves) > 1
    yield opened
    opened.close()


@pytest.fixture
def automata(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Record the words and distances of every automaton that is built."""
    calls: list[tuple[str, int]] = []
    original = Automata.levenshtein_dfa

    def count(word: str, distance: int, prefix: int = 0) -> object:
        calls.append((word, distance))
        return original(word, distance, prefix)

    monkeypatch.setattr(Automata, "levenshtein_dfa", staticmethod(count))
    return calls


def run_search(snapshot: Snapshot, text: str, steps: int = budget.MAX_STEPS) -> SearchResults:
    snapshot.budget = budget.Budget(steps)
    return searcher.search(snapshot, SearchRequest(text, per_page=100))


def nonsense(length: int, number: int = 4) -> str:
    chance = random.Random(length)
    return " ".join("".join(chance.choices("qxzjkv", k=length)) for _ in range(number))


def test_an_automaton_is_built_once_a_word_and_distance(
    snapshot: Snapshot, automata: list[tuple[str, int]]
) -> None:
    run_search(snapshot, nonsense(12))
    assert len(automata) == len(set(automata)) == 8, (
        "four words at two distances, however many segments"
    )


def test_long_words_get_no_automaton(snapshot: Snapshot, automata: list[tuple[str, int]]) -> None:
    run_search(snapshot, nonsense(48))
    run_search(snapshot, nonsense(spelling.MAX_WORD_LENGTH + 1))
    assert automata == []


def hostile(number: int) -> Iterator[str]:
    chance = random.Random(7)
    for _ in range(number):
        words = [
            chance.choice(WORDS) if chance.random() < 0.5 else nonsense(chance.randint(3, 48), 1)
            for _ in "1234567890"
        ]
        signs = [chance.choice(["{}", '"{} {}"', "{}*", "-{}", "in:{}"]) for _ in words]
        yield " ".join(
            sign.format(word, chance.choice(WORDS)) for sign, word in zip(signs, words, strict=True)
        )


def test_no_search_takes_more_steps_than_it_may(snapshot: Snapshot) -> None:
    partial = 0
    for text in hostile(150):
        results = run_search(snapshot, text, steps=300)
        # every loop asks before each step; one that stops has counted the step that it did not take
        assert snapshot.budget.spent < 300 + 300 + budget.MAX_SPELLING_STEPS, text
        partial += results.is_partial
    assert partial > 20


def test_a_spent_search_answers_with_what_it_has_found(snapshot: Snapshot) -> None:
    text = " ".join(WORDS[:2])
    assert not run_search(snapshot, text).is_partial
    partial = run_search(snapshot, text, steps=len(snapshot.leaves) * 6)
    assert partial.is_partial
    assert not partial.suggestion
    assert run_search(snapshot, text, steps=0).total == 0


def test_every_read_has_a_budget_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that only suggests and compares stories never runs out of steps."""
    monkeypatch.setattr(whoosh_index, "Budget", lambda: budget.Budget(200))
    index = open_index(tmp_path / "search")
    story, twin = (document("Ports of the coast", "Ships in ports") for _ in range(2))
    index.rebuild([story, twin], 1)
    for _ in range(60):
        assert [similar.id for similar in index.more_like_this(story)] == [twin.id]
        assert index.suggest("ports of").articles == [twin.id, story.id]
        assert index.find(SearchRequest("ports coast")).total == 2
    index.close()


def test_an_ordinary_search_is_far_from_the_limit(snapshot: Snapshot) -> None:
    for text in (
        WORDS[0],
        f"{WORDS[0]} {WORDS[5]}",
        f'"{WORDS[1]} {WORDS[2]}"',
        "mangoing",
        f"{WORDS[3][:3]}*",
    ):
        assert not run_search(snapshot, text).is_partial
        assert snapshot.budget.spent < budget.MAX_STEPS / 10, text


def test_spelling_has_a_limit_of_its_own(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexicon, "MAX_SPELLING_STEPS", 40)
    snapshot.budget = budget.Budget()
    lexicon.suggest_spelling_of(snapshot, nonsense(18))
    assert 0 < snapshot.budget.spent <= 40
    assert not snapshot.budget.is_exhausted


def test_one_search_at_a_time_and_the_others_are_told(
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
        answers: list[type[Exception] | None] = []

        def ask() -> None:
            try:
                index.find(SearchRequest("ports"))
            except IndexBusyError as error:
                answers.append(type(error))

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        assert answers == [IndexBusyError]
        response = client.get("/search?q=ports")
        assert response.status_code == 503
        assert "Search is busy right now" in response.text
        fragment = client.get("/fragments/search?q=ports")
        assert "Search is busy right now" in fragment.text
        assert fragment.headers["Cache-Control"] == "no-store"
        assert client.get("/").status_code == 200
        assert index.offset() is not None, "a busy index is not one to rebuild"
    assert client.get("/search?q=ports").status_code == 200
