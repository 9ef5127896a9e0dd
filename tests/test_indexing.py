"""The index as a consumer: it catches up, notices gaps, and loses nothing to a parallel rebuild."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType

import pytest
from click.testing import Result
from flask import Flask

from spectator import indexing, outbox, publishing, queries
from spectator.cli import context, main
from spectator.db import db
from spectator.indexing import NEWSROOM, PUBLIC
from spectator.models import Article, User
from spectator.publishing import Action
from spectator.search import Document, Index, IndexUnavailableError, SearchRequest
from spectator.search.postgres import writer as postgres_writer
from spectator.search.whoosh import writer
from tests.conftest import SEARCH_ENGINE, make_draft

WRITER = (writer, "document_fields")
if SEARCH_ENGINE == "postgres":
    WRITER = (postgres_writer, "document_row")


@pytest.fixture
def index(app: Flask) -> Index:
    return indexing.open_public_index(app.config["DATA_DIR"])


def search_ids(index: Index, text: str) -> list[int]:
    return index.find(SearchRequest(text=text)).ids


def test_the_index_follows_publications_and_withdrawals(
    index: Index, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    article_id = story(headline="Harmattan", countries=("CI",))
    catch_up()
    assert (
        search_ids(index, "harmattan")
        == search_ids(index, "ivory coast")
        == search_ids(index, "Côte d’Ivoire")
        == [article_id]
    )
    assert index.offset() == outbox.newest_number()
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    catch_up()
    assert search_ids(index, "harmattan") == []
    assert indexing.find_differences(index) == (set(), set())


def test_only_unpublished_stories_are_indexed_as_somebodys_own(editor: User) -> None:
    article_id = publishing.create(make_draft(), editor)
    [draft] = queries.unpublished_to_index([article_id])
    assert indexing.build_document(draft).is_own
    publishing.apply_action(article_id, editor, Action("publish"))
    [public] = queries.articles_to_index([article_id])
    assert not indexing.build_document(public).is_own


def test_a_story_with_several_new_changes_is_indexed_once(
    index: Index, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    article_id = story(headline="Harmattan")
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    publishing.apply_action(article_id, editor, Action("reinstate"))
    catch_up()
    assert search_ids(index, "harmattan") == [article_id]


@pytest.mark.parametrize(("module", "name"), [(indexing, "build_document"), WRITER])
@pytest.mark.parametrize("is_rebuild", [True, False])
def test_other_stories_are_indexed_after_one_that_cannot_be(
    index: Index,
    story: Callable[..., int],
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    module: ModuleType,
    name: str,
    is_rebuild: bool,
) -> None:
    original = getattr(module, name)

    def fail(story: Article | Document) -> object:
        if story.headline == "Bad harmattan":
            raise RecursionError("too deep")
        return original(story)

    if not is_rebuild:
        catch_up()
    bad = story(headline="Bad harmattan")
    others = [story(headline=f"Harmattan {number}") for number in range(2)]
    monkeypatch.setattr(module, name, fail)
    catch_up()
    assert sorted(search_ids(index, "harmattan")) == others
    assert f"story {bad} cannot be indexed" in caplog.text
    assert index.offset() == outbox.newest_number()


def test_an_index_ahead_of_a_restored_database_is_rebuilt(
    index: Index, app: Flask, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story()
    indexing.rebuild(index)
    index.rebuild([], 99)
    catch_up()
    assert index.offset() == 1
    assert indexing.find_differences(index) == (set(), set())


@pytest.mark.whoosh
def test_an_index_of_an_older_release_is_searched_until_it_is_rebuilt(
    index: Index, app: Flask, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    """Keep search available and ready through an upgrade that changes the index."""
    article_id = story(headline="Harmattan in N'Djamena")
    catch_up()
    for directory in app.config["DATA_DIR"].glob("index*/generation-*"):
        (directory / "format").unlink()
    assert index.is_outdated()
    assert search_ids(index, "harmattan") == [article_id]
    assert index.offset() == outbox.newest_number()
    with pytest.raises(IndexUnavailableError, match="format"):
        index.apply({}, outbox.newest_number())
    catch_up()
    assert not index.is_outdated()
    assert search_ids(index, "ndjamena") == [article_id]


def test_one_failed_read_of_the_offset_causes_no_rebuild(
    index: Index, catch_up: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    catch_up()
    offsets = [None, index.offset()]
    monkeypatch.setattr(index, "offset", lambda: offsets.pop(0))
    monkeypatch.setattr(index, "rebuild", lambda *_: pytest.fail("it was rebuilt"))
    assert indexing.catch_up(index) is False


def test_an_index_that_missed_pruned_outbox_rows_is_rebuilt(
    index: Index, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    ids = {story(headline="First")}
    catch_up()
    ids |= {story(headline=f"Later {number}") for number in range(3)}
    outbox.prune(4)
    catch_up()
    assert set(index.versions()) == ids


@pytest.mark.parametrize("source", [PUBLIC, NEWSROOM])
def test_long_stories_are_loaded_and_indexed_a_few_at_a_time(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch, source: indexing.Source
) -> None:
    monkeypatch.setattr(outbox, "BATCH_BYTES", 2_500)
    for size in (900, 900, 900, 3_000, 900):
        action = Action("publish" if source is PUBLIC else "save")
        publishing.create(make_draft(body="word " * (size // 5)), editor, action)
    batches: list[int] = []

    def load(ids: set[int] | None = None, after: int = 0) -> Sequence[Article]:
        articles = source.articles(ids, after)
        batches.extend([len(articles)] if articles else ())
        return articles

    index, _ = indexing.open_indexes(app.config["DATA_DIR"])[source is NEWSROOM]
    counted = replace(source, articles=load)
    expected = [2, 1, 1, 1]
    indexing.rebuild(index, source=counted)
    assert batches == expected
    index.apply(dict.fromkeys(index.versions()), 0)
    batches.clear()
    while indexing.catch_up(index, counted):
        pass
    assert batches == expected
    index.apply(dict.fromkeys(index.versions()), source.newest())
    batches.clear()
    assert len(indexing.repair(index, counted)[0]) == 5 and batches == expected


def test_a_rebuild_during_an_update_loses_no_story(
    index: Index, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story(headline="First")
    catch_up()
    story(headline="Second")
    has_switched = []

    def read_while_another_process_rebuilds(ids: set[int]) -> Sequence[Article]:
        articles = queries.articles_to_index(ids)
        documents = [indexing.build_document(article) for article in articles]
        db.session.expunge_all()  # keep the articles as they were loaded
        story(headline="Third")
        index.rebuild(documents, 0)
        has_switched.append(True)
        return articles

    assert (
        indexing.catch_up(index, replace(PUBLIC, articles=read_while_another_process_rebuilds))
        is False
    )
    assert has_switched and index.offset() == 0
    catch_up()
    assert indexing.find_differences(index) == (set(), set())


def test_catching_up_does_nothing_while_another_process_rebuilds(
    index: Index, app: Flask, story: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_args: object, **_more: object) -> None:
        raise IndexUnavailableError

    monkeypatch.setattr(indexing, "rebuild", busy)
    story()
    assert indexing.catch_up(index) is False


def test_a_repair_never_replaces_newer_text_indexed_meanwhile(
    index: Index, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    article_id = story(headline="Old words")
    catch_up()
    index.apply({article_id: None}, 1)
    moves = []

    def read_while_a_worker_follows(ids: set[int]) -> Sequence[Article]:
        articles = queries.articles_to_index(ids)
        if not moves:
            moves.append(True)
            version = articles[0].version
            db.session.expunge_all()  # keep the articles as they were loaded
            publishing.save(
                article_id, make_draft(headline="New words"), editor, version, Action("update")
            )
            catch_up()
        return articles

    indexing.repair(index, replace(PUBLIC, articles=read_while_a_worker_follows))
    assert moves and search_ids(index, "new") == [article_id] and search_ids(index, "old") == []


def test_an_index_that_another_process_updated_is_not_rebuilt(
    app: Flask, index: Index, story: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    story()
    assert indexing.catch_up(index) is True
    assert outbox.newest_number() == 1  # starts a read transaction, which does not see later rows

    def publish_and_follow() -> None:
        with app.app_context():
            story(headline="Second")
            indexing.catch_up(index)

    other = threading.Thread(target=publish_and_follow)
    other.start()
    other.join()
    assert index.offset() == 2
    monkeypatch.setattr(
        indexing, "rebuild", lambda *_args, **_options: pytest.fail("rebuilt without need")
    )
    assert indexing.catch_up(index) is False


def test_changes_that_are_not_yet_indexed_need_no_repair(
    index: Index,
    story: Callable[..., int],
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story(headline="First")
    catch_up()
    story(headline="Second")
    monkeypatch.setattr(indexing, "catch_up", lambda *_: False)
    assert indexing.repair(index) == (set(), set())
    assert index.offset() == 1


def test_a_repair_does_not_wait_for_changes_that_keep_arriving(
    index: Index,
    story: Callable[..., int],
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing, saved = story(headline="Missing"), story(headline="Saved")
    catch_up()
    index.apply({missing: None}, 2)
    rounds: list[int] = []
    apply_next = indexing.catch_up

    def save_before_each_round(index: Index, source: indexing.Source = PUBLIC) -> bool:
        rounds.append(1)
        with db.write() as session:
            outbox.append_all(session, [(saved, "update")] * 3)
        return apply_next(index, source)

    monkeypatch.setattr(indexing, "catch_up", save_before_each_round)
    assert indexing.repair(index) == ({missing}, set())
    assert len(rounds) == 2, "once to find the difference, once to find none"
    assert set(index.versions()) == {missing, saved}
    story(headline="Third")
    rounds.clear()
    indexing.catch_up_to_now(index)
    assert len(rounds) == 1


def test_a_failed_repair_names_the_index(
    index: Index,
    story: Callable[..., int],
    catch_up: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    article_id = story()
    catch_up()
    index.apply({article_id: None}, 1)

    def refuse(*_args: object, **_more: object) -> None:
        raise IndexUnavailableError

    monkeypatch.setattr(type(index), "apply", refuse)
    with pytest.raises(IndexUnavailableError, match="published stories"):
        indexing.repair(index)


def test_a_missing_index_is_repaired_by_a_rebuild(
    index: Index, story: Callable[..., int]
) -> None:
    article_id = story()
    assert indexing.repair(index) == (set(), set())
    assert set(index.versions()) == {article_id}


def test_the_lag_of_both_indexes_is_reported(
    app: Flask, editor: User, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    data = app.config["DATA_DIR"]
    assert indexing.lag(data) == indexing.Lag(0, None, 0.0)
    story()
    catch_up()
    assert indexing.lag(data).offset == indexing.lag(data).newest_number == 1
    newsroom = indexing.lag(data, NEWSROOM)
    assert (
        newsroom.offset is None
        and newsroom.newest_number == queries.newest_revision_id()
        and newsroom.seconds >= 0
    )
    publishing.create(make_draft(), editor)
    while indexing.catch_up(indexing.open_newsroom_index(data), NEWSROOM):
        pass
    newsroom = indexing.lag(data, NEWSROOM)
    assert (newsroom.offset, newsroom.seconds) == (queries.newest_revision_id(), 0.0)


@pytest.fixture
def command(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Return a function that runs `spectator reindex` on this site."""
    monkeypatch.setattr(context, "create_ready_app", lambda: app)
    return lambda *words: app.test_cli_runner().invoke(main, ["reindex", *words])


def test_reindex_rebuilds_both_indexes(
    app: Flask, editor: User, story: Callable[..., int], command: Callable[..., Result]
) -> None:
    public, private = (
        story(headline="Monsoon"),
        publishing.create(make_draft(headline="Harmattan"), editor),
    )
    result = command()
    assert result.exit_code == 0, result.output
    assert (
        "1 published story indexed" in result.output
        and "1 unpublished story indexed" in result.output
    )
    assert [
        set(index.versions()) for index, _ in indexing.open_indexes(app.config["DATA_DIR"])
    ] == [
        {public},
        {private},
    ]


def test_reindex_check_repairs_both_indexes_and_reports(
    app: Flask, editor: User, story: Callable[..., int], command: Callable[..., Result]
) -> None:
    story(headline="Monsoon"), publishing.create(make_draft(headline="Harmattan"), editor)
    assert command("--check").exit_code == 0
    for index, _ in indexing.open_indexes(app.config["DATA_DIR"]):
        index.apply(dict.fromkeys(index.versions()), index.offset() or 0)
    result = command("--check")
    assert result.exit_code == 0
    assert result.output.count("repaired 1 missing or outdated, removed 0 orphaned") == 2
    assert command("--check").output.count("as in the database") == 2


@pytest.mark.whoosh
def test_reindex_check_reports_a_failed_repair_in_one_line(
    app: Flask, index: Index, command: Callable[..., Result]
) -> None:
    assert command().exit_code == 0
    directory = app.config["DATA_DIR"] / PUBLIC.directory
    index.close()
    (directory / "current").unlink()
    with (directory / "rebuild.lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # another process rebuilds it
        result = command("--check")
    assert result.exit_code == 1
    assert "Traceback" not in result.output and "Try again in a minute" in result.output
