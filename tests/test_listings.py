"""Listings, the table of the stories in every list, and counts: right after every action."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from spectator import outbox, publishing, queries, urls
from spectator.db import db
from spectator.importers import jsonl, runner
from spectator.models import Article, ListingCount, ListingRow, User
from spectator.operations import doctor
from spectator.publishing import Action, listings
from spectator.worker import Worker
from tests.conftest import make_draft

Story = Callable[..., int]
MONTH_END = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)


def counts() -> dict[tuple[str, int], int]:
    db.session.rollback()
    rows = db.session.execute(select(ListingCount.kind, ListingCount.key, ListingCount.number))
    return {(row.kind, row.key): row.number for row in rows}


def lists_of(article_id: int) -> Counter[str]:
    db.session.rollback()
    return Counter(
        db.session.scalars(select(ListingRow.kind).where(ListingRow.article_id == article_id))
    )


def expected_rows() -> set[tuple[str, int, datetime, int]]:
    """Return the expected listings, computed story by story and not by the SQL under test."""
    listing_rows = set()
    for article in db.session.scalars(
        queries.select_full_articles().where(Article.status == "published")
    ).unique():
        at = article.published_at
        assert at is not None
        keys = {("section", article.section_id), ("month", at.year * 100 + at.month)}
        keys |= {("country", country.id) for country in article.countries}
        keys |= {("topic", topic.id) for topic in article.topics}
        keys |= {("author", author.id) for author in article.authors}
        listing_rows |= {(kind, key, at, article.id) for kind, key in keys}
    return listing_rows


def check_listings() -> None:
    """Compare listings and counts with the stories."""
    db.session.rollback()
    listing_rows = expected_rows()
    rows = db.session.execute(
        select(ListingRow.kind, ListingRow.key, ListingRow.published_at, ListingRow.article_id)
    )
    assert {tuple(row) for row in rows} == listing_rows
    assert counts() == Counter((kind, key) for kind, key, _, _ in listing_rows)
    assert publishing.are_listings_correct(db.session())


def version(article_id: int) -> int:
    db.session.rollback()
    return db.session.scalars(select(Article.version).where(Article.id == article_id)).one()


def test_a_story_is_in_its_lists_only_while_it_is_published(app: Flask, editor: User) -> None:
    filing = {
        "countries": ("Mali", "Niger"),
        "topics": ("Peace",),
        "authors": ("A One", "B Two", "A One"),
    }
    article_id = publishing.create(make_draft(**filing), editor)
    assert lists_of(article_id) == {}
    publishing.apply_action(article_id, editor, Action("publish", MONTH_END))
    assert lists_of(article_id) == {
        "section": 1,
        "month": 1,
        "country": 2,
        "topic": 1,
        "author": 2,
    }
    assert counts()["month", 202610] == 1
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    assert (lists_of(article_id), counts()) == ({}, {})
    publishing.apply_action(article_id, editor, Action("reinstate"))
    assert lists_of(article_id)["country"] == 2
    check_listings()


def test_a_changed_story_moves_to_other_lists(app: Flask, editor: User, story: Story) -> None:
    article_id = story(countries=("Mali",), topics=("One",), authors=("A One",))
    before = counts()
    changed = make_draft(
        section="health", countries=("Kenya", "Mali"), topics=(), authors=("B Two",)
    )
    publishing.save(article_id, changed, editor, version(article_id), publishing.Action("update"))
    after = counts()
    assert lists_of(article_id) == {"section": 1, "month": 1, "country": 2, "author": 1}
    assert sum(after.values()) == sum(before.values())
    assert set(before) - set(after), "lists that are empty have no count"
    check_listings()


def test_a_scheduled_story_is_listed_once_it_is_published(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(), editor)
    publishing.apply_action(
        article_id, editor, Action("schedule", datetime.now(UTC) + timedelta(minutes=1))
    )
    assert lists_of(article_id) == {}
    publishing.publish_due(datetime.now(UTC) + timedelta(minutes=2))
    assert lists_of(article_id) == {"section": 1, "month": 1}
    check_listings()


def test_imported_stories_are_listed_and_move_with_the_next_import(
    app: Flask, tmp_path: Path
) -> None:
    def import_stories(**changes: object) -> None:
        lines = [
            {
                "id": f"i{number}",
                "headline": f"I {number}",
                "body": "Text.",
                "published_at": "2026-01-31T23:00:00Z",
            }
            | {"countries": ["ML"], "topics": ["One"], "authors": ["A One", "B Two"]}
            | (changes if number % 2 else {})
            for number in range(20)
        ]
        file = tmp_path / "stories.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)))
        assert (
            runner.import_records(
                jsonl.read(BytesIO(file.read_bytes()), "en"), app.config["MEDIA"]
            ).refused
            == []
        )
        check_listings()

    import_stories()
    assert counts()["month", 202601] == 20
    import_stories(
        section="sport", countries=["KE"], topics=[], published_at="2026-02-01T00:00:00Z"
    )
    assert counts()["month", 202602] == 10
    import_stories(status="withdrawn")
    assert counts()["month", 202601] == 10
    assert sum(counts().values()) == 60


def test_a_failed_action_leaves_lists_unchanged(app: Flask, editor: User, story: Story) -> None:
    article_id = story()
    with pytest.raises(publishing.ValidationError):
        publishing.save(
            article_id,
            make_draft(section="nowhere"),
            editor,
            version(article_id),
            publishing.Action("update"),
        )
    assert lists_of(article_id) == {"section": 1, "month": 1}
    check_listings()


@pytest.mark.parametrize("seed", range(3))
def test_lists_are_correct_after_any_actions(app: Flask, editor: User, seed: int) -> None:
    rng = random.Random(seed)
    ids: list[int] = []
    counts_by_action: Counter[str] = Counter()

    def sample(*names: str) -> tuple[str, ...]:
        return tuple(rng.sample(names, rng.randrange(len(names) + 1)))

    def random_draft() -> publishing.Draft:
        filing = {
            "countries": sample("Mali", "Niger", "Kenya"),
            "topics": sample("A", "B"),
            "authors": sample("X Y", "Z W"),
        }
        return make_draft(
            headline=f"S {rng.random()}", section=rng.choice(["politics", "health"]), **filing
        )

    def publish_what_is_due(_article_id: int) -> None:
        publishing.publish_due(datetime.now(UTC) + timedelta(minutes=2))

    around_the_end = [MONTH_END + timedelta(minutes=minutes) for minutes in (-3, 0, 1, 2)]
    actions: dict[str, Callable[[int], object]] = {
        "publish": lambda article_id: publishing.apply_action(
            article_id, editor, Action("publish", rng.choice(around_the_end))
        ),
        "withdraw": lambda article_id: publishing.apply_action(
            article_id, editor, Action("withdraw", note="Wrong.")
        ),
        "reinstate": lambda article_id: publishing.apply_action(
            article_id, editor, Action("reinstate")
        ),
        "schedule": lambda article_id: publishing.apply_action(
            article_id, editor, Action("schedule", datetime.now(UTC) + timedelta(minutes=1))
        ),
        "unschedule": lambda article_id: publishing.apply_action(
            article_id, editor, Action("unschedule")
        ),
        "due": publish_what_is_due,
        "restore": lambda article_id: publishing.restore(
            article_id, editor, 1, version(article_id)
        ),
        "save": lambda article_id: publishing.save(
            article_id, random_draft(), editor, version(article_id)
        ),
        "update": lambda article_id: publishing.save(
            article_id, random_draft(), editor, version(article_id), publishing.Action("update")
        ),
        "correct": lambda article_id: publishing.save(
            article_id,
            random_draft(),
            editor,
            version(article_id),
            publishing.Action("correct", note="Not so."),
        ),
    }
    while sum(counts_by_action.values()) < 40:
        if len(ids) < 4:
            ids.append(publishing.create(random_draft(), editor))
        action = rng.choice(list(actions))
        try:
            actions[action](rng.choice(ids))
        except publishing.ForbiddenError:
            continue
        counts_by_action[action] += 1
        check_listings()
    assert len(counts_by_action) > 7


def test_pages_of_a_list_and_counts_of_months_use_the_listings(app: Flask, story: Story) -> None:
    ids = [story(headline=f"S {number}", hours=number, topics=("One",)) for number in range(5)]
    listing = queries.listing_by_path("/topic/one/")
    assert listing is not None
    first = queries.stream(listing, limit=2)
    assert [article.id for article in first.articles] == ids[:2]
    assert [
        article.id for article in queries.stream(listing, first.cursor, limit=2).articles
    ] == ids[2:4]
    assert queries.month_counts() == [(2026, 11, 5)]


def test_a_batch_update_moves_all_of_its_stories(app: Flask, story: Story) -> None:
    ids = [
        story(headline=f"S {number}", hours=number, topics=("One", f"T {number}"))
        for number in range(12)
    ]
    with db.write() as session:
        session.execute(update(Article).where(Article.id.in_(ids[:6])).values(status="withdrawn"))
        session.execute(
            update(Article).where(Article.id.in_(ids[6:])).values(published_at=MONTH_END)
        )
        listings.update_listings(session, [*ids, *ids, 999])
    assert counts()["month", 202610] == 6
    check_listings()


@pytest.mark.sqlite
def test_updating_an_unchanged_story_takes_one_select_and_no_write(
    app: Flask, story: Story, take_selects: Callable[[], list[str]]
) -> None:
    article_id = story(topics=("One",))
    with db.write() as session:
        changes = text("SELECT total_changes()")
        before = session.scalar(changes)
        take_selects()
        listings.update_listings(session, [article_id])
        assert len(take_selects()) == 1
        assert session.scalar(changes) == before


def test_a_story_with_a_date_stored_without_a_time_is_listed(
    app: Flask, editor: User, story: Story
) -> None:
    article_id = story()
    with db.write() as session:  # as another program may have written the date
        session.execute(text("UPDATE article SET published_at = '2026-03-01'"))
        listings.update_listings(session, [article_id])
    check_listings()
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    assert (lists_of(article_id), counts()) == ({}, {})


def test_a_story_imported_as_withdrawn_is_dated_when_it_is_republished(
    app: Flask, editor: User, tmp_path: Path
) -> None:
    file = tmp_path / "stories.jsonl"
    file.write_text(
        json.dumps({"id": "w", "headline": "W", "body": "Text.", "status": "withdrawn"})
    )
    assert (
        runner.import_records(
            jsonl.read(BytesIO(file.read_bytes()), "en"), app.config["MEDIA"]
        ).refused
        == []
    )
    article_id = db.session.scalars(select(Article.id)).one()
    publishing.apply_action(article_id, editor, Action("reinstate"))
    assert lists_of(article_id) == {"section": 1, "month": 1}
    check_listings()


def test_a_deleted_story_leaves_its_lists(app: Flask, story: Story) -> None:
    article_id = story(topics=("One",))
    with db.write() as session:  # no action deletes a story
        session.execute(text("DELETE FROM article"))
    assert lists_of(article_id) == {}


def test_missing_or_wrong_rows_are_reported_and_repaired(
    app: Flask, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "BATCH_SIZE", 2)
    for number in range(5):
        story(headline=f"S {number}", topics=("One",))
    assert publishing.repair_listings() is False
    for damage in (
        "delete from listed where kind = 'topic'",
        "delete from listed where article_id = 5",
        "update listed set published_at = '2020-01-01 00:00:00.000000' where kind = 'month'",
        "insert into listed select 'topic', 99, published_at, id, 'en' from article",
        "update listed set language = 'fr' where kind = 'section'",
        "delete from listed",
        "update story_count set number = 9",
        "update story_count set number = -9",
        "insert into story_count values ('topic', 99, 1)",
        "delete from story_count",
        "update language_count set number = 9",
        "insert into language_count values ('topic', 99, 'fr', 1)",
        "delete from language_count",
    ):
        with db.write() as session:
            session.execute(text(damage))
        assert any("Story lists or counts" in problem for problem in doctor.problems(app))
        assert publishing.repair_listings() is True
        check_listings()
    assert not any("Story lists or counts" in problem for problem in doctor.problems(app))


def publish_as_code_without_listings(monkeypatch: pytest.MonkeyPatch, story: Story) -> int:
    """Publish a story as code does that knows no listings."""
    with monkeypatch.context() as patch:
        patch.setattr("spectator.publishing.revisions.update_listings", lambda *_: None)
        article_id = story()
    assert lists_of(article_id) == {}
    return article_id


def test_stories_of_code_that_knows_no_listings_stand_in_every_list_after_a_round(
    app: Flask, idle_worker: Worker, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = publish_as_code_without_listings(monkeypatch, story)
    idle_worker.run_once()  # a new worker checks all stories
    assert lists_of(first)["section"] == 1
    client = app.test_client()
    assert client.get("/politics/").status_code == 200
    second = publish_as_code_without_listings(monkeypatch, story)
    path = urls.permalink(queries.published_article(second))
    assert path not in client.get("/politics/").text
    monkeypatch.setattr(publishing, "repair_listings", pytest.fail)  # nor all of them again
    idle_worker.run_once()
    assert path in client.get("/politics/").text
    check_listings()


def test_stories_that_code_without_listings_withdrew_leave_every_list_after_a_round(
    idle_worker: Worker, story: Story
) -> None:
    article_id = story()
    idle_worker.run_once()
    with db.write() as session:
        session.execute(
            update(Article).where(Article.id == article_id).values(status="withdrawn")
        )
        outbox.append(session, article_id, "withdraw")
    idle_worker.run_once()
    assert lists_of(article_id) == {} and counts() == {}


def test_correct_listings_are_left_alone(idle_worker: Worker, story: Story) -> None:
    story()
    idle_worker.run_once()
    story()
    before = outbox.newest_number()
    idle_worker.run_once()
    db.session.rollback()
    assert outbox.newest_number() == before
