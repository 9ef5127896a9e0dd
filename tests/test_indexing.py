"""The index as a follower: it catches up, notices what it cannot follow, and loses nothing to a rebuild beside it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from spectator import indexing, outbox, publishing, queries
from spectator.models import User
from spectator.search import Index, IndexUnavailable, Request


@pytest.fixture
def index(app: Flask) -> Index:
    return indexing.index_in(app.config["DATA_DIR"])


def found(index: Index, text: str) -> list[int]:
    return index.find(Request(text=text)).ids


def test_it_follows_what_is_published_changed_and_withdrawn(
    index: Index, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    article_id = story(headline="Harmattan", countries=("CI",))
    catch_up()
    assert found(index, "harmattan") == found(index, "ivory coast") == found(index, "Côte d’Ivoire") == [article_id]
    assert index.position() == outbox.edition()
    publishing.withdraw(article_id, editor, "Wrong.")
    catch_up()
    assert found(index, "harmattan") == []
    assert indexing.differences(index) == (set(), set())


def test_one_story_touched_twice_between_two_steps_is_there_once(
    index: Index, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    article_id = story(headline="Harmattan")
    publishing.withdraw(article_id, editor, "Wrong.")
    publishing.reinstate(article_id, editor)
    catch_up()
    assert found(index, "harmattan") == [article_id]


def test_an_index_ahead_of_a_restored_database_is_rebuilt(
    index: Index, app: Flask, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story()
    indexing.rebuild(index)
    index.rebuild([], 99)
    catch_up()
    assert index.position() == 1
    assert indexing.differences(index) == (set(), set())


def test_rows_forgotten_before_it_saw_them_mean_a_rebuild(
    index: Index, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    ids = {story(headline="First")}
    catch_up()
    ids |= {story(headline=f"Later {number}") for number in range(3)}
    outbox.forget_through(4)
    catch_up()
    assert set(index.versions()) == ids


def test_a_rebuild_that_switches_in_between_loses_nothing(
    index: Index, story: Callable[..., int], catch_up: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    story(headline="First")
    catch_up()
    story(headline="Second")
    read = queries.articles_to_index

    def read_while_another_process_rebuilds(*args: object, **kwargs: object) -> object:
        articles = read(*args, **kwargs)  # type: ignore[arg-type]
        monkeypatch.setattr(queries, "articles_to_index", read)
        story(headline="Third")
        index.rebuild([indexing.document_of(article) for article in articles], 0)
        return articles

    monkeypatch.setattr(queries, "articles_to_index", read_while_another_process_rebuilds)
    catch_up()
    catch_up()
    assert indexing.differences(index) == (set(), set())


def test_while_another_process_rebuilds_it_waits(
    index: Index, app: Flask, story: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: object, **_more: object) -> None:
        raise IndexUnavailable

    monkeypatch.setattr(indexing, "rebuild", busy)
    story()
    assert indexing.catch_up(index) is False
