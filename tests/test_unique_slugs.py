"""Only stories that are or were public reserve their slug, however they became public."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import select

from spectator import publishing, queries
from spectator.cli import main
from spectator.db import db
from spectator.models import Article, User
from spectator.publishing import Action, ValidationError
from spectator.publishing.slugs import RedirectWriter, SlugLookup
from spectator.text.words.slugs import is_slug
from tests.conftest import make_draft, use_site

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PUBLIC = {"body": "x", "status": "published", "published_at": "2026-01-02T03:04:05Z"}


@pytest.fixture
def run(
    app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Return a function that imports records and returns the report."""
    use_site(app, monkeypatch)

    def import_records(*records: dict[str, Any]) -> str:
        path = tmp_path / "stories.jsonl"
        path.write_text(
            "".join(json.dumps({"section": "Politics", **record}) + "\n" for record in records)
        )
        db.session.rollback()
        result = runner.invoke(main, ["import", "jsonl", str(path)])
        assert result.exit_code == 0, result.output
        return result.output

    return import_records


def slugs() -> dict[str | None, str]:
    db.session.rollback()
    return dict(db.session.execute(select(Article.external_id, Article.slug)).all())


def slug_of(article_id: int) -> str:
    db.session.rollback()
    return db.session.scalars(select(Article.slug).where(Article.id == article_id)).one()


def test_scheduled_stories_with_equal_slugs_are_numbered_on_publication(
    client: FlaskClient, editor: User
) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    ids = [
        publishing.create(make_draft(slug="one"), editor, Action("schedule", at))
        for _ in range(3)
    ]
    assert [slug_of(article_id) for article_id in ids] == ["one"] * 3
    assert publishing.publish_due(at + timedelta(minutes=1)) == 3
    assert [slug_of(article_id) for article_id in ids] == ["one", "one-2", "one-3"]
    assert [
        client.get(f"/politics/{slug}").status_code for slug in ("one", "one-2", "one-3", "one-4")
    ] == [200] * 3 + [404]


@pytest.mark.parametrize("length", [80, 98, 99, 100])
def test_numbered_slugs_of_stories_are_valid_whatever_their_length(
    editor: User, length: int
) -> None:
    slug = ("ab-" * 34)[: length - 1] + "z"
    ids = [publishing.create(make_draft(slug=slug), editor) for _ in range(12)]
    for article_id in ids:
        publishing.apply_action(article_id, editor, Action("publish"))
    slugs = [slug_of(article_id) for article_id in ids]
    assert slugs[0] == slug and len(set(slugs)) == 12
    assert slugs[11].endswith("-12") and all(map(is_slug, slugs))


def test_equal_headlines_are_not_counted_from_two_each_time(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups: list[str] = []
    is_taken = SlugLookup.is_taken

    def count(lookup: SlugLookup, slug: str, article_id: int | None) -> bool:
        lookups.append(slug)
        return is_taken(lookup, slug, article_id)

    monkeypatch.setattr(SlugLookup, "is_taken", count)
    draft = publishing.prepare(make_draft())
    stories = [
        publishing.ImportedArticle(draft, "politics", str(number), "published", AT)
        for number in range(100)
    ]
    assert publishing.import_batch(stories).added == 100
    assert len(lookups) < 400


def test_a_story_keeps_its_number_after_others_got_later_ones(editor: User) -> None:
    ids = [publishing.create(make_draft(), editor, Action("publish")) for _ in range(3)]
    lookup = SlugLookup(db.session(), ["a-headline"])
    assert lookup.unique_slug("", "A headline", None) == "a-headline-4"
    assert lookup.unique_slug("", "A headline", ids[1]) == "a-headline-2"


def test_a_headline_without_a_free_number_is_searched_for_once(
    editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import may have thousands of stories with the same headline."""
    monkeypatch.setattr(publishing.slugs, "MAX_SLUG_NUMBER", 5)
    for _ in range(4):
        publishing.create(make_draft(), editor, Action("publish"))
    tried: list[int] = []
    numbered_slug = publishing.slugs.numbered_slug

    def count(slug: str, number: int) -> str:
        tried.append(number)
        return numbered_slug(slug, number)

    monkeypatch.setattr(publishing.slugs, "numbered_slug", count)
    lookup = SlugLookup(db.session(), ["a-headline"])
    for _ in range(3):
        with pytest.raises(ValidationError):
            lookup.unique_slug("", "A headline", 999)
    assert tried.count(3) <= 2, "once to look it up, once to try it"


def test_numbered_slugs_of_sections_are_valid(app: Flask) -> None:
    name = "a" * 74 + " news"
    with db.write() as session:
        slugs = [publishing.add_section(session, name).slug for _ in range(11)]
    assert len(set(slugs)) == 11 and all(map(is_slug, slugs))


@pytest.mark.parametrize("name", ["", "\x00", " \u200b\n"])
def test_a_section_needs_a_name_that_can_be_seen(name: str, app: Flask) -> None:
    with pytest.raises(ValidationError, match="A section needs a name"), db.write() as session:
        publishing.add_section(session, name)


def test_a_taken_slug_is_numbered_if_the_story_already_had_it_and_refused_otherwise(
    editor: User,
) -> None:
    waiting = publishing.create(make_draft(slug="one"), editor)
    publishing.create(make_draft(slug="one"), editor, Action("publish"))
    with pytest.raises(publishing.ValidationError) as raised:
        publishing.create(make_draft(slug="one"), editor)
    assert "slug" in raised.value.errors
    publishing.save(waiting, make_draft(slug="one"), editor, version=1, action=Action("publish"))
    assert slug_of(waiting) == "one-2"


def test_restoring_a_revision_keeps_the_storys_slug_if_the_revisions_is_taken(
    editor: User,
) -> None:
    article_id = publishing.create(make_draft(slug="one"), editor)
    publishing.create(make_draft(slug="one"), editor, Action("publish"))
    publishing.apply_action(article_id, editor, Action("publish"))
    article = queries.article_to_edit(article_id)
    assert article is not None
    publishing.restore(article_id, editor, number=1, version=article.version)
    assert slug_of(article_id) == "one-2"


def test_an_import_reserves_slugs_only_for_public_stories(run: Callable[..., str]) -> None:
    run(
        {"id": "draft", "headline": "Vote", "body": "x", "status": "draft"},
        PUBLIC | {"id": "public", "headline": "Vote"},
        {"id": "late", "headline": "Vote", "body": "x", "status": "draft"},
    )
    assert slugs() == {"draft": "vote", "public": "vote", "late": "vote-2"}
    run(
        PUBLIC | {"id": "draft", "headline": "Vote"}, PUBLIC | {"id": "other", "headline": "Vote"}
    )
    stored = slugs()
    assert stored["public"] == "vote"
    assert {stored["draft"], stored["other"]} == {"vote-2", "vote-3"}


def test_a_published_story_imported_as_a_draft_keeps_its_slug(
    run: Callable[..., str],
) -> None:
    run(PUBLIC | {"id": "a", "headline": "Vote"})
    run({"id": "a", "headline": "Vote", "body": "x", "status": "draft"})
    run(PUBLIC | {"id": "b", "headline": "Vote"})
    assert slugs() == {"a": "vote", "b": "vote-2"}
    run(PUBLIC | {"id": "a", "headline": "Vote"})
    assert slugs() == {"a": "vote", "b": "vote-2"}


@pytest.mark.parametrize(
    ("before", "after", "redirects", "reclaimed"),
    [
        (("old", "draft"), ("new", "draft"), [], ["new"]),
        (("old", "draft"), ("old", "published"), [], []),
        (("old", "published"), ("old", "published"), [], []),
        (("old", "published"), ("new", "published"), ["old"], ["new"]),
        (("old", "withdrawn"), ("new", "published"), ["old"], ["new"]),
        (("old", "published"), ("old", "draft"), ["old"], []),
        (("old", "published"), ("new", "draft"), ["old", "new"], []),
    ],
)
def test_only_slugs_that_were_public_leave_a_redirect(
    before: tuple[str, str], after: tuple[str, str], redirects: list[str], reclaimed: list[str]
) -> None:
    writer = RedirectWriter()
    writer.add_change(7, before, after)
    assert writer.rows == [{"slug": slug, "article_id": 7} for slug in redirects]
    assert writer.reclaimed == reclaimed
