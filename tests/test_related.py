"""“You may also like”: shared words, topics and countries decide, then the section.

The worker computes it, and one SELECT shows it.
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
from spectator.search import Index

RIVER = (
    "The river rose in the night and the ferry to the market stopped at the old bridge "
    "of the harbour. "
)
GOLD = (
    "Miners dug gold at the mine of Kayes while the ministry counted the royalties of the quarter. "
)
FILLING = [
    f"Nothing of note happened in village number {number}, the council said on day {number}."
    for number in range(9)
]


@pytest.fixture
def index(app: Flask) -> Iterator[Index]:
    """The site's own index."""
    index = indexing.open_public_index(app.config["DATA_DIR"])
    yield index
    index.close()


@pytest.fixture
def follow(index: Index, catch_up: Callable[[], None]) -> Callable[[], None]:
    """Return a function that does all of the worker's work."""

    def work() -> None:
        catch_up()
        for _ in range(1000):
            if not related.catch_up(index):
                return
        raise AssertionError("there is no end to it")

    return work


@pytest.fixture
def village(story: Callable[..., int]) -> list[int]:
    """Add stories of another section, against which words are rare."""
    return [
        story(headline=f"Village {n}", body=words, section="society", hours=50 + n)
        for n, words in enumerate(FILLING)
    ]


def related_ids(article_id: int) -> list[int]:
    db.session.rollback()
    article = queries.published_article(article_id)
    assert article is not None
    return [related.id for related in queries.related_articles(article)]


def test_what_reads_alike_comes_before_the_newest_of_the_section(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    this = story(headline="The river rises", body=RIVER + "It was dark.")
    alike = story(
        headline="River ferry stops",
        body="At the harbour the ferry waits for the river to fall.",
        section="health",
        hours=30,
    )
    newest = story(headline="Gold mine", body=GOLD)
    follow()
    assert related_ids(this)[:2] == [alike, newest]


def test_until_it_is_worked_out_the_section_stands_in(
    village: list[int], story: Callable[..., int]
) -> None:
    this, other = story(headline="This"), story(headline="That", hours=1)
    assert related_ids(this) == [other]
    assert related_ids(village[0]) == village[1:5]


@pytest.mark.parametrize("shared", [{"topics": ("Gold",)}, {"countries": ("Mali",)}])
def test_shared_topics_and_countries_decide_among_the_alike(
    shared: dict[str, object],
    village: list[int],
    story: Callable[..., int],
    follow: Callable[[], None],
) -> None:
    this = story(headline="The river rises", body=RIVER + "It was dark.", **shared)
    words = "The ferry and the river and the harbour: "
    other = story(headline="River one", body=words + "one two three four five", hours=2)
    sharing = story(
        headline="River two", body=words + "six seven eight nine ten", hours=3, **shared
    )
    follow()
    assert related_ids(this)[:2] == [sharing, other]


def test_the_same_language_comes_first(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    this = story(headline="The river rises", body=RIVER)
    other = story(
        headline="The river rises again",
        body="The river rose: ferry, market, bridge, harbour, night.",
        language="sw",
    )
    same = story(headline="Ferry", body="A ferry at the harbour.", hours=9)
    follow()
    assert related_ids(this)[:2] == [same, other]


def test_the_same_text_is_not_told_twice(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    this = story(headline="The river rises", body=RIVER)
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
    assert twin not in related_ids(this)
    assert len({once, again} & set(related_ids(this))) == 1


def test_old_stories_lose_a_little(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    this = story(headline="The river rises", body=RIVER)
    words = "The ferry and the river and the harbour: "
    old = story(headline="River one", body=words + "one two three four five", hours=24 * 365 * 4)
    new = story(headline="River two", body=words + "six seven eight nine ten", hours=24)
    follow()
    assert related_ids(this)[:2] == [new, old]


def test_a_pin_comes_first_and_a_forbidden_pair_never_on_either_side(
    village: list[int], story: Callable[..., int], follow: Callable[[], None], editor: User
) -> None:
    this = story(headline="The river rises", body=RIVER)
    alike = story(
        headline="River ferry stops", body="The ferry waits for the river at the harbour.", hours=1
    )
    follow()
    assert related_ids(this)[0] == alike and this in related_ids(alike)
    publishing.set_related_override(this, editor, village[3], "pin")
    publishing.set_related_override(this, editor, alike, "forbid")
    assert alike not in related_ids(this), "a forbidden story vanishes at once"
    follow()
    assert related_ids(this)[0] == village[3]
    assert alike not in related_ids(this) and this not in related_ids(alike)
    publishing.set_related_override(this, editor, village[3])
    publishing.set_related_override(this, editor, alike)
    follow()
    assert related_ids(this)[0] == alike and this in related_ids(alike)


@pytest.mark.parametrize("kind", ["", "pin", "forbid"])
def test_every_decision_asks_for_working_out_both(
    kind: str, story: Callable[..., int], editor: User
) -> None:
    this, other = story(), story(headline="Other")
    before = outbox.edition()
    publishing.set_related_override(this, editor, other, kind)
    ids, last = outbox.articles_changed_after(before)
    assert (ids, last) == ({this, other}, before + 2)


def test_a_decision_that_makes_no_sense_is_refused(story: Callable[..., int], editor: User) -> None:
    this = story()
    for related_id, kind in (
        (this, "pin"),
        (999, "pin"),
        (999, "forbid"),
        (story(headline="X"), "marry"),
    ):
        with pytest.raises(publishing.ValidationError):
            publishing.set_related_override(this, editor, related_id, kind)
    for number in range(4):
        publishing.set_related_override(this, editor, story(headline=f"Pin {number}"), "pin")
    with pytest.raises(publishing.ValidationError, match="Unpin one first"):
        publishing.set_related_override(this, editor, story(headline="One too many"), "pin")


def test_a_withdrawn_story_vanishes_at_once_and_its_neighbours_are_recomputed(
    village: list[int], story: Callable[..., int], follow: Callable[[], None], editor: User
) -> None:
    this = story(headline="The river rises", body=RIVER)
    alike = story(
        headline="River ferry stops", body="The ferry waits for the river at the harbour.", hours=1
    )
    follow()
    publishing.apply_action(alike, editor, Action("withdraw", note="Wrong."))
    assert alike not in related_ids(this)
    follow()
    assert alike not in [related_id for related_id, _ in queries.related_scores(this)]
    assert queries.related_scores(alike) == []
    publishing.apply_action(alike, editor, Action("reinstate"))
    follow()
    assert related_ids(this)[0] == alike


def test_a_new_story_is_shown_with_older_ones(
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


def test_what_is_lost_comes_back_by_itself(
    village: list[int], story: Callable[..., int], follow: Callable[[], None]
) -> None:
    this = story(headline="The river rises", body=RIVER)
    story(
        headline="River ferry stops",
        body="The ferry waits for the river at the harbour.",
        section="health",
    )
    follow()
    before = queries.related_scores(this)
    assert before
    with db.write() as session:
        session.execute(delete(Related))
        session.execute(delete(Consumer))
    follow()
    assert [related_id for related_id, _ in queries.related_scores(this)] == [
        related_id for related_id, _ in before
    ]


def test_a_pass_goes_on_in_slices_where_it_stopped(
    village: list[int], index: Index, follow: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    follow()
    monkeypatch.setattr(related, "SLICE_SECONDS", 0)
    related.start_full_pass(date(2026, 1, 1))
    done: list[int | None] = []
    while related.catch_up(index):
        done.append(queries.consumer_offset(related.FULL_PASS))
    assert done == [*sorted(village), None]
    related.start_full_pass(date(2026, 1, 1))
    assert not related.catch_up(index), "one pass a day"
    related.start_full_pass(date(2026, 1, 2))
    assert related.catch_up(index)


def test_rows_of_the_outbox_stay_until_the_slower_consumer_has_passed(
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
    assert index.offset() == outbox.edition()
    assert queries.consumer_offset(related.CONSUMER) == reached
    follow()
    assert queries.consumer_offset(related.CONSUMER) == outbox.edition()


def test_who_is_far_behind_works_everything_out_in_one_pass(
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
    assert related.catch_up(index)
    assert queries.consumer_offset(related.CONSUMER) == outbox.edition()
    assert queries.consumer_offset(related.FULL_PASS) == 0


def test_one_select_that_touches_only_indexes(
    village: list[int], follow: Callable[[], None], count_selects: Callable[[], list[str]]
) -> None:
    follow()
    article = queries.published_article(village[0])
    assert article is not None
    count_selects()
    assert len(queries.related_articles(article)) == 4
    (statement,) = count_selects()
    with db.engine.connect() as connection:
        plan = connection.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {statement}", (1,) * statement.count("?")
        ).fetchall()
    scans = [row[-1] for row in plan if row[-1].startswith("SCAN") and "article" in row[-1].lower()]
    assert scans == [], plan
