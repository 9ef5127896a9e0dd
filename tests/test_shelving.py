"""In which lists stories stand, and how many: true after every act, and made anew where they are not."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from spectator import installation, publishing, queries
from spectator.db import db
from spectator.importers import jsonl, runner
from spectator.models import Article, Listed, StoryCount, User
from tests.conftest import draft

Story = Callable[..., int]
MONTH_END = datetime(2026, 10, 31, 23, 59, tzinfo=UTC)


def counts() -> dict[tuple[str, int], int]:
    db.session.rollback()
    rows = db.session.execute(select(StoryCount.kind, StoryCount.key, StoryCount.number))
    return {(row.kind, row.key): row.number for row in rows}


def lists_of(article_id: int) -> Counter[str]:
    db.session.rollback()
    return Counter(db.session.scalars(select(Listed.kind).where(Listed.article_id == article_id)))


def check() -> None:
    db.session.rollback()
    assert publishing.are_lists_true(db.session())


def version(article_id: int) -> int:
    db.session.rollback()
    return db.session.scalars(select(Article.version).where(Article.id == article_id)).one()


def test_a_story_stands_where_it_is_filed_as_long_as_it_is_public(app: Flask, editor: User) -> None:
    filing = {"countries": ("Mali", "Niger"), "topics": ("Peace",), "authors": ("A One", "B Two", "A One")}
    each = publishing.create(draft(**filing), editor)
    assert lists_of(each) == {}
    publishing.publish(each, editor, MONTH_END)
    assert lists_of(each) == {"section": 1, "month": 1, "country": 2, "topic": 1, "author": 2}
    assert counts()["month", 202610] == 1
    publishing.withdraw(each, editor, "Wrong.")
    assert (lists_of(each), counts()) == ({}, {})
    publishing.reinstate(each, editor)
    assert lists_of(each)["country"] == 2
    check()


def test_a_changed_story_moves(app: Flask, editor: User, story: Story) -> None:
    each = story(countries=("Mali",), topics=("One",), authors=("A One",))
    before = counts()
    changed = draft(section="health", countries=("Kenya", "Mali"), topics=(), authors=("B Two",))
    publishing.save(each, changed, editor, version(each), publishing.Step("update"))
    after = counts()
    assert lists_of(each) == {"section": 1, "month": 1, "country": 2, "author": 1}
    assert sum(after.values()) == sum(before.values())
    assert set(before) - set(after), "lists that are empty have no count"
    check()


def test_a_scheduled_story_is_listed_when_its_time_has_come(app: Flask, editor: User) -> None:
    each = publishing.create(draft(), editor)
    publishing.schedule(each, editor, datetime.now(UTC) + timedelta(minutes=1))
    assert lists_of(each) == {}
    publishing.publish_due(datetime.now(UTC) + timedelta(minutes=2))
    assert lists_of(each) == {"section": 1, "month": 1}
    check()


def test_imported_stories_are_listed_and_move_with_the_next_import(app: Flask, tmp_path: Path) -> None:
    def bring_in(**changes: object) -> None:
        lines = [
            {"id": f"i{number}", "headline": f"I {number}", "body": "Text.", "published_at": "2026-01-31T23:00:00Z"}
            | {"countries": ["ML"], "topics": ["One"], "authors": ["A One", "B Two"]}
            | (changes if number % 2 else {})
            for number in range(20)
        ]
        file = tmp_path / "stories.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)))
        assert runner.run(jsonl.read(file, "en"), app.config["MEDIA"]).refused == []
        check()

    bring_in()
    assert counts()["month", 202601] == 20
    bring_in(section="sport", countries=["KE"], topics=[], published_at="2026-02-01T00:00:00Z")
    assert counts()["month", 202602] == 10
    bring_in(status="withdrawn")
    assert counts()["month", 202601] == 10
    assert sum(counts().values()) == 60


def test_an_act_that_fails_leaves_lists_as_they_were(app: Flask, editor: User, story: Story) -> None:
    each = story()
    with pytest.raises(publishing.Invalid):
        publishing.save(each, draft(section="nowhere"), editor, version(each), publishing.Step("update"))
    assert lists_of(each) == {"section": 1, "month": 1}
    check()


def test_lists_are_true_after_any_acts(app: Flask, editor: User) -> None:
    chance = random.Random(5)
    ids: list[int] = []

    def some(*names: str) -> tuple[str, ...]:
        return tuple(chance.sample(names, chance.randrange(len(names) + 1)))

    for number in range(60):
        filing = {"countries": some("Mali", "Niger", "Kenya"), "topics": some("A", "B", "C")}
        changed = draft(
            headline=f"S {number}", section=chance.choice(["politics", "health"]), authors=some("X Y", "Z W"), **filing
        )
        if not ids or chance.random() < 0.3:
            ids.append(publishing.create(changed, editor))
            continue
        each, at = chance.choice(ids), MONTH_END + timedelta(minutes=chance.randrange(-9, 9))
        acts: list[Callable[[], object]] = [
            lambda each=each, at=at: publishing.publish(each, editor, at),
            lambda each=each: publishing.withdraw(each, editor, "Wrong."),
            lambda each=each: publishing.reinstate(each, editor),
            lambda each=each, new=changed: publishing.save(each, new, editor, version(each), publishing.Step("update")),
            lambda each=each, new=changed: publishing.save(each, new, editor, version(each)),
        ]
        try:
            chance.choice(acts)()
        except publishing.Forbidden:
            continue
        check()
    assert sum(counts().values()) > 20


def test_pages_of_a_list_and_the_archive_are_read_from_there(app: Flask, story: Story) -> None:
    ids = [story(headline=f"S {number}", hours=number, topics=("One",)) for number in range(5)]
    where = queries.listing("/topic/one/")
    assert where is not None
    first = queries.stream(where, limit=2)
    assert [each.id for each in first.articles] == ids[:2]
    assert [each.id for each in queries.stream(where, first.cursor, limit=2).articles] == ids[2:4]
    assert queries.months() == [(2026, 11, 5)]


def test_what_is_lost_is_told_and_made_anew(app: Flask, story: Story) -> None:
    story(topics=("One",))
    assert publishing.mend_lists() is False
    for damage in (
        "delete from listed where kind = 'topic'",
        "update story_count set number = 9",
        "delete from story_count",
    ):
        with db.write() as session:
            session.execute(text(damage))
        assert any("Lists and counts" in each for each in installation.problems(app))
        assert publishing.mend_lists() is True
        check()
    assert not any("Lists and counts" in each for each in installation.problems(app))
