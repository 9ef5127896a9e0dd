"""Related stories (“You may also like”): by shared words, topics and countries, then by section.

The worker computes them after changes; a full pass over all stories runs once a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import delete

from spectator import indexing, outbox, publishing, queries, related
from spectator.db import db
from spectator.models import Consumer, Related, User
from spectator.publishing import Action
from spectator.related import RelatedConsumer
from spectator.search import Index
from spectator.text.words.folding import Token

RIVER = (
    "The river rose in the night and the ferry to the market stopped at the old bridge "
    "of the harbour. "
)
GOLD = (
    "Miners dug gold at the mine of Kayes while the ministry counted the royalties "
    "of the quarter. "
)
VILLAGE_BODIES = [
    f"Nothing of note happened in village number {number}, the council said on day {number}."
    for number in range(9)
]


@pytest.fixture
def index(app: Flask) -> Iterator[Index]:
    """Readers' search index of the site."""
    index = indexing.open_public_index(app.config["DATA_DIR"])
    yield index
    index.close()


@pytest.fixture
def follow(index: Index, catch_up: Callable[[], None]) -> Callable[[], None]:
    """Return a function that updates index and related stories as the worker does."""

    def run_consumers() -> None:
        catch_up()
        consumer = RelatedConsumer()
        for _ in range(1000):
            if not consumer.catch_up(index):
                return
        raise AssertionError("the consumer never finishes")

    return run_consumers


@pytest.fixture
def village(story: Callable[..., int]) -> list[int]:
    """Ids, newest first, of nine published stories of another section about something else.

    Without them a test's words would be in nearly all stories, and would make none similar.
    """
    return [
        story(headline=f"Village {n}", body=words, section="society", hours=50 + n)
        for n, words in enumerate(VILLAGE_BODIES)
    ]


def related_ids(article_id: int) -> list[int]:
    """Return the ids of the stories that readers see as related."""
    db.session.rollback()  # end the read transaction, to see what has been committed since
    article = queries.published_article(article_id)
    assert article is not None
    return [card.id for card in queries.related_articles(article)]


def test_similar_stories_come_before_the_newest_of_the_section(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    article_id = story(headline="The river rises", body=RIVER + "It was dark.")
    similar = story(
        headline="River ferry stops",
        body="At the harbour the ferry waits for the river to fall.",
        section="health",
        hours=30,
    )
    newest = story(headline="Gold mine", body=GOLD)
    follow()
    assert related_ids(article_id)[:2] == [similar, newest]


@pytest.mark.parametrize("is_full_pass", [True, False])
def test_related_stories_are_computed_after_a_story_for_which_they_cannot_be(
    village: list[int],
    story: Callable[..., int],
    follow: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_full_pass: bool,
) -> None:
    if not is_full_pass:
        follow()  # the first run is a full pass
    bad, other = (
        story(headline="The river rises", body=RIVER),
        story(headline="Ferry", body=RIVER),
    )
    compute = related.compute_related

    def fail(index: Index, article_id: int) -> related.ScoredIds:
        if article_id == bad:
            raise RecursionError("too deep")
        return compute(index, article_id)

    monkeypatch.setattr(related, "compute_related", fail)
    follow()
    assert queries.related_scores(other)
    assert queries.consumer_offset(related.CONSUMER) == outbox.newest_number()
    assert f"related articles of story {bad} cannot be computed" in caplog.text


def test_before_they_are_computed_related_stories_come_from_the_section(
    village: list[int], story: Callable[..., int]
) -> None:
    article_id, other = story(headline="This"), story(headline="That", hours=1)
    assert related_ids(article_id) == [other]
    assert related_ids(village[0]) == village[1:5]


@pytest.mark.parametrize("shared", [{"topics": ("Gold",)}, {"countries": ("Mali",)}])
def test_shared_topics_and_countries_rank_similar_stories(
    shared: dict[str, object],
    village: list[int],
    story: Callable[..., int],
    follow: Callable[[], None],
) -> None:
    article_id = story(headline="The river rises", body=RIVER + "It was dark.", **shared)
    words = "The ferry and the river and the harbour: "
    other = story(headline="River one", body=words + "one two three four five", hours=2)
    sharing = story(
        headline="River two", body=words + "six seven eight nine ten", hours=3, **shared
    )
    follow()
    assert related_ids(article_id)[:2] == [sharing, other]


def test_the_same_language_comes_first(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    article_id = story(headline="The river rises", body=RIVER)
    other = story(
        headline="The river rises again",
        body="The river rose: ferry, market, bridge, harbour, night.",
        language="sw",
    )
    same = story(headline="Ferry", body="A ferry at the harbour.", hours=9)
    follow()
    assert related_ids(article_id)[:2] == [same, other]


def test_near_duplicates_are_not_related_and_not_shown_together(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    article_id = story(headline="The river rises", body=RIVER)
    twin = story(
        headline="River rises, says agency", body=RIVER + "Reuters.", section="health", hours=1
    )
    body = (
        "Ferry owners at the harbour asked for a new bridge over the river, and for a "
        "night watch at the market."
    )
    once, again = (
        story(headline=f"Ferry {n}", body=body, section="health", hours=n) for n in (2, 3)
    )
    follow()
    assert twin not in related_ids(article_id)
    assert len({once, again} & set(related_ids(article_id))) == 1


def test_older_stories_rank_lower(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    article_id = story(headline="The river rises", body=RIVER)
    words = "The ferry and the river and the harbour: "
    old = story(headline="River one", body=words + "one two three four five", hours=24 * 365 * 4)
    new = story(headline="River two", body=words + "six seven eight nine ten", hours=24)
    follow()
    assert related_ids(article_id)[:2] == [new, old]


def test_a_pinned_story_comes_first_and_blocked_stories_are_hidden_from_each_other(
    village: list[int], story: Callable[..., int], follow: Callable[[], None], editor: User
) -> None:
    article_id = story(headline="The river rises", body=RIVER)
    similar = story(
        headline="River ferry stops",
        body="The ferry waits for the river at the harbour.",
        hours=1,
    )
    follow()
    assert related_ids(article_id)[0] == similar and article_id in related_ids(similar)
    publishing.set_related_override(article_id, editor, village[3], "pin")
    publishing.set_related_override(article_id, editor, similar, "forbid")  # block it
    assert similar not in related_ids(article_id), "a blocked story disappears at once"
    follow()
    assert related_ids(article_id)[0] == village[3]
    assert similar not in related_ids(article_id) and article_id not in related_ids(similar)
    for related_id in (village[3], similar):
        publishing.set_related_override(article_id, editor, related_id, kind="")  # undo both
    follow()
    assert related_ids(article_id)[0] == similar and article_id in related_ids(similar)


@pytest.mark.parametrize("kind", ["", "pin", "forbid"])
def test_every_override_queues_both_stories_for_recomputation(
    kind: str, story: Callable[..., int], editor: User
) -> None:
    article_id, other = story(), story(headline="Other")
    last_row = outbox.newest_number()
    publishing.set_related_override(article_id, editor, other, kind)
    assert outbox.articles_changed_after(last_row) == ({article_id, other}, last_row + 2)


def test_an_invalid_override_is_refused(story: Callable[..., int], editor: User) -> None:
    article_id = story()
    for related_id, kind in (
        (article_id, "pin"),
        (999, "pin"),
        (999, "forbid"),
        (story(headline="X"), "marry"),
    ):
        with pytest.raises(publishing.ValidationError):
            publishing.set_related_override(article_id, editor, related_id, kind)
    for number in range(4):
        publishing.set_related_override(
            article_id, editor, story(headline=f"Pin {number}"), "pin"
        )
    with pytest.raises(publishing.ValidationError, match="Unpin one first"):
        publishing.set_related_override(article_id, editor, story(headline="One too many"), "pin")


def test_a_withdrawn_story_disappears_at_once_and_its_relations_are_recomputed(
    village: list[int], story: Callable[..., int], follow: Callable[[], None], editor: User
) -> None:
    article_id = story(headline="The river rises", body=RIVER)
    similar = story(
        headline="River ferry stops",
        body="The ferry waits for the river at the harbour.",
        hours=1,
    )
    follow()
    publishing.apply_action(similar, editor, Action("withdraw", note="Wrong."))
    assert similar not in related_ids(article_id)
    follow()
    assert similar not in [related_id for related_id, _ in queries.related_scores(article_id)]
    assert queries.related_scores(similar) == []
    publishing.apply_action(similar, editor, Action("reinstate"))
    follow()
    assert related_ids(article_id)[0] == similar


def test_a_new_story_becomes_related_to_older_ones(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    old = story(headline="The river rises", body=RIVER, hours=5)
    follow()
    new = story(
        headline="River ferry stops",
        body="The ferry waits for the river at the harbour.",
        section="health",
    )
    follow()
    assert related_ids(old)[0] == new


def test_deleted_relations_are_computed_again(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    article_id = story(headline="The river rises", body=RIVER)
    story(
        headline="River ferry stops",
        body="The ferry waits for the river at the harbour.",
        section="health",
    )
    follow()
    before = queries.related_scores(article_id)
    assert before
    with db.write() as session:
        session.execute(delete(Related))
        session.execute(delete(Consumer))
    follow()
    assert [related_id for related_id, _ in queries.related_scores(article_id)] == [
        related_id for related_id, _ in before
    ]


def test_a_full_pass_continues_in_slices_and_runs_once_a_day(
    village: list[int], index: Index, follow: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    follow()
    monkeypatch.setattr(related, "SLICE_SECONDS", 0)  # one story per slice
    related.start_full_pass(date(2026, 1, 1))
    # The offset of a full pass is the id of the last story that it has recomputed, None at the end.
    offsets: list[int | None] = []
    while RelatedConsumer().catch_up(index):
        offsets.append(queries.consumer_offset(related.FULL_PASS))
    assert offsets == [*sorted(village), None]
    related.start_full_pass(date(2026, 1, 1))
    assert not RelatedConsumer().catch_up(index), "one full pass a day"
    related.start_full_pass(date(2026, 1, 2))
    assert RelatedConsumer().catch_up(index)


def test_what_a_change_affects_is_computed_in_slices(
    village: list[int],
    story: Callable[..., int],
    catch_up: Callable[[], None],
    follow: Callable[[], None],
    index: Index,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker indexes and refreshes other stories between slices."""
    old = [story(headline=f"River {n}", body=f"{RIVER} {n}", hours=9 + n) for n in range(3)]
    follow()
    before = queries.consumer_offset(related.CONSUMER)
    new = story(headline="The river rises", body=RIVER)
    catch_up()
    computed: list[int] = []
    compute = related.compute_related

    def count(index: Index, article_id: int) -> related.ScoredIds:
        computed.append(article_id)
        return compute(index, article_id)

    monkeypatch.setattr(related, "compute_related", count)
    monkeypatch.setattr(related, "SLICE_SECONDS", -1.0)  # one story per slice
    consumer = RelatedConsumer()
    while queries.consumer_offset(related.CONSUMER) == before:
        number = len(computed)
        assert consumer.catch_up(index)
        assert len(computed) == number + 1
    assert computed[0] == new and {new, *old} <= set(computed)
    assert len(computed) == len(set(computed)), "each is computed once"
    assert not consumer.catch_up(index)


def test_an_error_in_a_slice_begins_the_rows_again(
    village: list[int],
    story: Callable[..., int],
    catch_up: Callable[[], None],
    follow: Callable[[], None],
    index: Index,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = story(headline="River", body=f"{RIVER} old", hours=9)
    follow()
    story(headline="The river rises", body=RIVER)
    catch_up()
    with db.write() as session:
        session.execute(delete(Related).where(Related.article_id == old))
    monkeypatch.setattr(related, "SLICE_SECONDS", -1.0)  # one story per slice
    consumer, store = RelatedConsumer(), related._store
    assert consumer.catch_up(index)
    monkeypatch.setattr(related, "_store", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        consumer.catch_up(index)
    monkeypatch.setattr(related, "_store", store)
    while consumer.catch_up(index):
        pass
    assert queries.related_scores(old)


def test_only_the_start_of_long_texts_is_compared(
    village: list[int],
    story: Callable[..., int],
    follow: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(related, "MAX_COMPARED_CHARACTERS", 500)
    bodies = [f"{RIVER} number {n}. " + f"word{n} other{n} " * 5000 for n in range(4)]
    ids = [story(headline=f"River {n}", body=body) for n, body in enumerate(bodies)]
    lengths: list[int] = []
    find_tokens = related.tokens

    def count(text: str) -> Iterator[Token]:
        lengths.append(len(text))
        return find_tokens(text)

    monkeypatch.setattr(related, "tokens", count)
    assert all(len(start) <= 500 for start in queries.body_starts(ids, 500).values())
    follow()
    assert related_ids(ids[0])
    assert lengths and max(lengths) <= 500
    assert set(map(type, related._shingles(RIVER))) == {int}, (
        "tuples would take four times as much"
    )


def test_related_stories_and_the_index_have_separate_offsets(
    story: Callable[..., int],
    catch_up: Callable[[], None],
    follow: Callable[[], None],
    index: Index,
) -> None:
    story()
    follow()
    reached = queries.consumer_offset(related.CONSUMER)
    story(headline="Another")
    catch_up()
    assert index.offset() == outbox.newest_number()
    assert queries.consumer_offset(related.CONSUMER) == reached
    follow()
    assert queries.consumer_offset(related.CONSUMER) == outbox.newest_number()


def test_a_consumer_far_behind_starts_one_full_pass(
    village: list[int],
    index: Index,
    catch_up: Callable[[], None],
    follow: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    follow()
    monkeypatch.setattr(related, "MAX_LAG", 2)
    with db.write() as session:
        for _ in range(4):
            outbox.append(session, village[0], "update")
    catch_up()
    assert RelatedConsumer().catch_up(index)
    assert queries.consumer_offset(related.CONSUMER) == outbox.newest_number()
    assert queries.consumer_offset(related.FULL_PASS) == 0, "a full pass should have been started"


@pytest.mark.sqlite
def test_related_stories_take_one_select_that_does_not_scan_all_stories(
    village: list[int], follow: Callable[[], None], take_selects: Callable[[], list[str]]
) -> None:
    follow()
    article = queries.published_article(village[0])
    assert article is not None
    take_selects()  # forget those before
    assert len(queries.related_articles(article)) == 4
    statement, bylines = take_selects()
    assert "FROM article_author" in bylines
    with db.engine.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", (1,) * statement.count("?")
        ).fetchall()
    steps = [description for *_, description in plan]
    # A scan of anything else reads only the few rows that a subquery returns.
    scans = [step for step in steps if step.startswith("SCAN") and "article" in step.lower()]
    assert scans == [], steps
