"""Actions on an article: their effects and refusals."""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from spectator import outbox, publishing, queries
from spectator.db import StorageError, db
from spectator.models import Article, ListingRow, Outbox, Redirect, Revision, User
from spectator.operations import doctor, site_status
from spectator.publishing import Action
from spectator.publishing.validation import clean_line
from spectator.urls import permalink
from tests.conftest import add_user, make_draft


def get_article(article_id: int) -> Article:
    article = queries.article_to_edit(article_id)
    assert article is not None
    return article


def outbox_actions(article_id: int) -> list[str]:
    """Return the actions of a story in the outbox, oldest first."""
    return list(
        db.session.scalars(
            select(Outbox.action).where(Outbox.article_id == article_id).order_by(Outbox.seq)
        )
    )


def change(article_id: int, by: User, note: str = "", **more: object) -> None:
    article = get_article(article_id)
    step = Action(("correct" if note else "update") if article.is_public else "save", note=note)
    publishing.save(article_id, make_draft(**more), by, article.version, step)


def test_a_draft_is_stored_with_every_field_and_leaves_the_outbox_empty(
    app: Flask, editor: User
) -> None:
    names = {
        "authors": ("Zainab Bello", "Amina Diallo"),
        "topics": ("Elections",),
        "countries": ("Mali", "CI"),
    }
    more = {
        "dek": "A dek",
        "source_name": "Reuters",
        "source_url": "https://www.reuters.com/x",
        "language": "fr",
    }
    article = get_article(publishing.create(make_draft(**names, **more), editor))
    assert article.status == "draft"
    assert article.body == "<p>One paragraph.</p>\n<p>Another paragraph.</p>"
    assert [author.name for author in article.authors] == ["Zainab Bello", "Amina Diallo"]
    assert [country.code for country in article.countries] == ["CI", "ML"]
    assert [topic.name for topic in article.topics] == ["Elections"]
    assert (article.source_name, article.language, article.word_count) == ("Reuters", "fr", 4)
    assert outbox.newest_number() == 0
    assert db.session.scalars(select(Revision.action)).all() == ["create"]


def test_publish_appends_to_the_outbox_in_the_same_commit(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(), editor)
    publishing.apply_action(article_id, editor, Action("publish"))
    publishing.apply_action(article_id, editor, Action("publish"))  # without a second row
    article = get_article(article_id)
    assert article.status == "published"
    assert article.published_at is not None
    assert outbox_actions(article_id) == ["publish"]
    assert outbox.newest_number() == 1


def test_nothing_is_stored_if_the_transaction_fails(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(publishing, "add_revision", broken)
    with pytest.raises(OSError, match="disk full"):
        publishing.create(make_draft(), editor, Action("publish"))
    assert not queries.has_articles()
    assert outbox.newest_number() == 0


def test_byline_order_survives_a_reordering(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(authors=("A One", "B Two", "C Three")), editor)
    change(article_id, editor, authors=("C Three", "A One"))
    assert [author.name for author in get_article(article_id).authors] == ["C Three", "A One"]


def test_a_correction_is_dated_and_shown(
    app: Flask, editor: User, story: Callable[..., int]
) -> None:
    article_id = story()
    change(
        article_id,
        editor,
        note="An earlier version misspelt a name.",
        headline="A headline, corrected",
    )
    article = get_article(article_id)
    assert article.updated_at is not None
    assert [note.text for note in article.notes] == ["An earlier version misspelt a name."]
    assert outbox_actions(article_id) == ["publish", "correct"]
    assert article.slug == "a-headline-corrected"


def test_withdrawing_needs_a_reason_and_can_be_undone(
    app: Flask, editor: User, story: Callable[..., int]
) -> None:
    article_id = story()
    with pytest.raises(publishing.ValidationError):
        publishing.apply_action(article_id, editor, Action("withdraw", note="  "))
    first = get_article(article_id).published_at
    publishing.apply_action(article_id, editor, Action("withdraw", note="It was wrong."))
    assert (get_article(article_id).status, get_article(article_id).withdrawn_reason) == (
        "withdrawn",
        "It was wrong.",
    )
    publishing.apply_action(article_id, editor, Action("reinstate"))
    assert (get_article(article_id).status, get_article(article_id).published_at) == (
        "published",
        first,
    )
    assert outbox_actions(article_id) == ["publish", "withdraw", "publish"]


def test_all_former_slugs_redirect_to_the_newest_one(
    app: Flask, editor: User, story: Callable[..., int]
) -> None:
    article_id = story()
    for number in (1, 2, 3):
        change(article_id, editor, slug=f"address-{number}")
    article = queries.article_by_slug("a-headline")
    assert article is not None
    assert permalink(article) == "/politics/address-3"
    assert db.session.scalar(select(func.count()).select_from(Redirect)) == 3
    change(article_id, editor, slug="address-1")
    assert {"address-2", "address-3", "a-headline"} == set(
        db.session.scalars(select(Redirect.slug))
    )


def test_a_slug_that_was_public_is_never_reused_by_another_story(
    app: Flask, editor: User, story: Callable[..., int]
) -> None:
    article_id = story()
    change(article_id, editor, slug="another")
    with pytest.raises(publishing.ValidationError) as caught:
        publishing.create(make_draft(slug="a-headline"), editor)
    assert "slug" in caught.value.errors
    assert get_article(publishing.create(make_draft(), editor)).slug == "a-headline-2"


def test_a_draft_changes_its_slug_without_a_redirect(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(), editor)
    change(article_id, editor, headline="Something else")
    assert get_article(article_id).slug == "something-else"
    assert db.session.scalar(select(func.count()).select_from(Redirect)) == 0


def test_a_save_over_a_newer_version_is_refused(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(), editor)
    seen = get_article(article_id).version
    publishing.save(article_id, make_draft(dek="mine"), editor, seen)
    with pytest.raises(publishing.ConflictError):
        publishing.save(article_id, make_draft(dek="theirs"), editor, seen)
    assert get_article(article_id).dek == "mine"


def test_authors_cannot_publish_or_change_published_or_colleagues_stories(
    app: Flask, editor: User
) -> None:
    author, other = (
        add_user("author"),
        publishing.create(make_draft(headline="Of the editor"), editor),
    )
    own = publishing.create(make_draft(), author)
    publishing.save(own, make_draft(dek="x"), author, get_article(own).version)
    for forbidden in (
        lambda: publishing.create(make_draft(), author, Action("publish")),
        lambda: publishing.apply_action(own, author, Action("publish")),
        lambda: publishing.save(
            own, make_draft(), author, get_article(own).version, Action("publish")
        ),
        lambda: publishing.save(other, make_draft(), author, get_article(other).version),
        lambda: publishing.apply_action(own, author, Action("withdraw", note="x")),
    ):
        with pytest.raises(publishing.ForbiddenError):
            forbidden()
    publishing.apply_action(own, editor, Action("publish"))
    with pytest.raises(publishing.ForbiddenError):
        publishing.save(own, make_draft(), author, get_article(own).version)
    with pytest.raises(publishing.NotFoundError):
        publishing.apply_action(10**9, editor, Action("publish"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("headline", ""),
        ("headline", "x" * 301),
        ("headline", "\u202e\u200b"),
        ("body", ""),
        ("body", "<p> </p><script>alert(1)</script>"),
        ("body", "x" * 10_000_000),
        ("dek", "x" * 501),
        ("section", "nowhere"),
        ("section", ""),
        ("slug", "../etc"),
        ("slug", "Ünï"),
        ("language", "klingon-ish!"),
        ("source_url", "javascript:alert(1)"),
        ("source_url", "https://x y"),
        ("countries", ("Atlantis",)),
        ("authors", ("x" * 121,)),
        ("topics", tuple(f"t{n}" for n in range(31))),
        ("picture_id", 999),
    ],
)
def test_bad_fields_are_named_and_nothing_is_stored(
    app: Flask, editor: User, field: str, value: object
) -> None:
    more = {"source_name": "X", "picture_alt": "X"} | {field: value}
    with pytest.raises(publishing.ValidationError) as caught:
        publishing.create(make_draft(**more), editor, Action("publish"))
    assert field.removesuffix("_id") in caught.value.errors
    assert not queries.has_articles()


def test_a_picture_needs_alt_text(app: Flask, editor: User) -> None:
    with pytest.raises(publishing.ValidationError) as caught:
        publishing.create(make_draft(picture_id=1), editor)
    assert "picture_alt" in caught.value.errors


def test_a_future_date_is_refused_by_publish(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(), editor)
    with pytest.raises(publishing.ValidationError) as caught:
        publishing.apply_action(
            article_id, editor, Action("publish", datetime.now(UTC) + timedelta(hours=1))
        )
    assert "in the future" in caught.value.errors["published_at"]
    assert get_article(article_id).status == "draft"


def test_a_new_story_can_be_published_with_a_past_date(app: Flask, editor: User) -> None:
    at = datetime(1968, 7, 1, tzinfo=UTC)
    article_id = publishing.create(make_draft(), editor, Action("publish", at))
    assert (get_article(article_id).published_at, outbox_actions(article_id)) == (at, ["publish"])
    assert db.session.scalars(select(Revision.action)).all() == ["publish"]
    with pytest.raises(publishing.ValidationError):
        publishing.create(
            make_draft(), editor, Action("publish", datetime.now(UTC) + timedelta(days=1))
        )
    assert db.session.scalar(select(func.count()).select_from(Article)) == 1


def test_printable_characters_need_no_cleaning() -> None:
    """Check both ways of cleaning a line against every character of Unicode."""
    for char in map(chr, range(sys.maxunicode + 1)):
        is_kept = char == " " or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
        if char.isprintable():
            assert is_kept and (char == " " or not char.isspace()), hex(ord(char))


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("  two  spaces ", "two spaces"),
        ("a\tb\nc\xa0d", "a b c d"),
        ("e\u0301  x", "é x"),
        ("e\u200b\u0301", "é"),
        ("e" + "\u0301\u200b" * 100, "é" + "\u0301" * 29),
        ("a\u202eb\u200dc\x00", "ab\u200dc"),
        ("\ud800\ufdd0", ""),
        ("ሰላም  ለዓለም", "ሰላም ለዓለም"),
    ],
)
def test_clean_line_normalises_one_line(raw: str, line: str) -> None:
    assert clean_line(raw) == line


def schedule(at: datetime) -> int:
    story = publishing.ImportedArticle(
        publishing.prepare(make_draft()), "Politics", "x", "scheduled", at
    )
    publishing.import_batch([story])
    return db.session.scalars(select(Article.id)).one()


def test_scheduled_stories_that_are_due_are_published_once(app: Flask) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    article_id = schedule(at)
    assert queries.next_due_at() == at
    assert publishing.publish_due() == 0
    assert outbox.newest_number() == 0
    assert publishing.publish_due(at) == 1
    assert publishing.publish_due(at) == 0
    assert outbox_actions(article_id) == ["publish"]
    assert get_article(article_id).published_at == at


def test_imports_due_stories_and_repairs_leave_pauses_in_which_others_write(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("spectator.db.TURN_SECONDS", 0.0)
    monkeypatch.setattr(time, "sleep", pauses.append)
    at = datetime.now(UTC)
    prepared = publishing.prepare(make_draft())
    story = publishing.ImportedArticle(prepared, "Politics", "x", "published", at)
    publishing.import_batch([story, story, story])
    assert len(pauses) == 3
    publishing.create(make_draft(), editor, Action("schedule", at + timedelta(hours=1)))
    assert publishing.publish_due(at + timedelta(hours=2)) == 1
    assert len(pauses) == 4
    with db.write() as session:
        session.execute(delete(ListingRow))
    assert publishing.repair_listings()
    assert len(pauses) == 5


@pytest.mark.parametrize(
    "error",
    [
        publishing.ValidationError({"slug": "There is no free address."}),
        IntegrityError("UPDATE", None, Exception("UNIQUE constraint failed: topic.slug")),
        RecursionError("too deep"),
    ],
)
def test_a_due_story_that_cannot_be_published_does_not_hold_up_others(
    app: Flask,
    editor: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    ids = [
        publishing.create(make_draft(headline=name), editor, Action("schedule", at))
        for name in ("First", "Second", "Third")
    ]
    publish = publishing.apply_effect

    def refuse_second(session: Session, article: Article, *more: object) -> None:
        if article.id == ids[1]:
            raise error
        publish(session, article, *more)

    monkeypatch.setattr(publishing, "apply_effect", refuse_second)
    assert publishing.publish_due(at) == 2
    assert set(queries.published_versions()) == {ids[0], ids[2]}
    assert get_article(ids[1]).status == "scheduled"
    assert f"scheduled story {ids[1]} cannot be published" in caplog.text
    monkeypatch.setattr(site_status, "datetime", Later)
    [line] = [line for line in doctor.problems(app) if "was due" in line]
    assert line.startswith(f"Story {ids[1]} was due at")


class Later(datetime):
    """A clock that is an hour and eleven seconds ahead."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) + timedelta(hours=1, seconds=11)


def test_a_fault_of_the_storage_ends_the_publication_of_due_stories(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    publishing.create(make_draft(), editor, Action("schedule", at))

    def fail(*_: object) -> None:
        raise StorageError("full", OSError())

    monkeypatch.setattr(publishing, "apply_effect", fail)
    with pytest.raises(StorageError):
        publishing.publish_due(at)


def test_outbox_numbers_are_never_used_twice(app: Flask, story: Callable[..., int]) -> None:
    story()
    story(headline="Second")
    outbox.prune(99)
    assert outbox.newest_number() == 2, "the newest row is not pruned"
    assert outbox.oldest_number() == 2
    story(headline="Third")
    assert outbox.newest_number() == 3


def test_publishing_a_new_story_needs_few_statements(
    app: Flask, editor: User, take_statements: Callable[[], list[str]]
) -> None:
    publishing.create(make_draft(), editor, Action("publish"))
    take_statements()
    publishing.create(make_draft(headline="Another"), editor, Action("publish"))
    statements = take_statements()
    assert len(statements) <= 18, statements
    assert not any(statement.startswith("DELETE") for statement in statements)
