"""A repeated import changes only fields that nobody has edited here, and reports the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from PIL import Image
from sqlalchemy import delete, func, select, update

from spectator import publishing, queries
from spectator.cli import main
from spectator.db import Base, db
from spectator.models import Article, ImportState, Outbox, Revision, User
from spectator.publishing import Action, SpellingAnswer
from tests.cases import case_text
from tests.conftest import make_draft, use_site

LINE = {
    "id": "a",
    "headline": "First",
    "body": "Old text.",
    "dek": "Dek",
    "authors": ["A", "B"],
    "topics": ["T", "S"],
    "countries": ["ML", "SN"],
    "section": "Business",
    "source_name": "AFP",
    "published_at": "2026-02-01T08:00:00Z",
}


@pytest.fixture
def run(app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    use_site(app, monkeypatch)

    def run(*lines: dict[str, object] | str, options: tuple[str, ...] = ()) -> str:
        file = tmp_path / "stories.jsonl"
        file.write_text(
            "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        )
        db.session.rollback()
        result = runner.invoke(main, ["import", "jsonl", str(file), *options])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def story() -> Article:
    db.session.rollback()
    db.session.expunge_all()
    article = queries.article_to_edit(
        db.session.scalars(select(Article.id).where(Article.external_id.is_not(None))).one()
    )
    assert article is not None
    return article


def all_rows() -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    db.session.rollback()
    return {
        table.name: [tuple(row) for row in db.session.execute(select(table))]
        for table in Base.metadata.sorted_tables
    }


def change(editor: User, step: Action | None = None, **fields: object) -> None:
    """Save the story with some fields changed, as a person does."""
    article = story()
    whole = publishing.draft_from_article(article)
    values = {name: getattr(whole, name) for name in publishing.FIELDS} | fields
    step = step or Action("update" if article.is_public else "save")
    publishing.save(article.id, publishing.Draft(**values), editor, article.version, step)  # type: ignore[arg-type]


def test_a_withdrawn_story_stays_withdrawn(run, editor: User) -> None:  # type: ignore[no-untyped-def]
    line = case_text("2026-11/03-reimport-withdrawn.jsonl")
    run(line)
    publishing.apply_action(story().id, editor, Action("withdraw", note="A court ordered it."))
    before = all_rows()
    for options in ((), ("--overwrite",), ("--dry-run",)):
        output = run(line, options=options)
        assert "line 1: not overwritten, changed on this site: stays withdrawn" in output
        assert "0 added, 0 updated, 1 unchanged" in output
        assert all_rows() == before
    changed = json.loads(line) | {"published_at": "2026-03-01T08:00:00Z", "dek": "New"}
    run(changed, options=("--overwrite",))
    assert (story().status, story().withdrawn_reason) == ("withdrawn", "A court ordered it.")


def test_a_correction_and_the_corrected_text_are_not_overwritten(run, editor: User) -> None:  # type: ignore[no-untyped-def]
    run(LINE)
    change(editor, Action("correct", note="The text was wrong."), body="<p>Right text.</p>")
    for line in (
        LINE,
        LINE | {"body": "Another text.", "dek": "Another dek", "source_name": "Reuters"},
    ):
        output = run(line)
        assert "line 1: not overwritten, changed on this site:" in output
        assert "body" in output
        assert story().body == "<p>Right text.</p>"
        assert story().dek == "Dek", "a correction protects all text of the story"
        assert len(story().notes) == 1
    assert story().source_name == "Reuters"
    newest = db.session.scalars(select(Revision).order_by(Revision.id.desc())).first()
    assert newest is not None
    assert (newest.action, newest.content["notes"][0]["text"]) == (
        "import",
        "The text was wrong.",
    )
    run(LINE | {"body": "Another text."}, options=("--overwrite",))
    assert story().body == "<p>Another text.</p>"


def test_a_repeated_import_without_changes_writes_nothing(run, editor: User) -> None:  # type: ignore[no-untyped-def]
    lines = [
        LINE,
        LINE | {"id": "b", "status": "draft"},
        {"id": "c", "headline": "Bare", "body": "x"},
    ]
    future = {
        "id": "d",
        "headline": "Later",
        "body": "x",
        "published_at": "2999-01-01T00:00:00Z",
        "slug": "later",
    }
    run(*lines, future)
    before = all_rows()
    for options in ((), ("--overwrite",), ("--dry-run",)):
        assert "0 added, 0 updated, 4 unchanged" in run(*lines, future, options=options)
        assert all_rows() == before


# Key of the import, its second value, the draft's field, a person's value, the field's name in the
# report, and the import's third value.
FIELDS: list[tuple[str, object, str, object, str, object]] = [
    ("headline", "Second", "headline", "Ours", "headline", "Third"),
    ("dek", "New dek", "dek", "Ours", "dek", "Third"),
    ("body", "New text.", "body", "<p>Ours.</p>", "body", "Third."),
    ("section", "Health", "section", "culture", "section", "Society"),
    ("language", "fr", "language", "sw", "language", "ha"),
    ("authors", ["B"], "authors", ("Zed",), "authors", ["C"]),
    ("topics", ["U"], "topics", ("V",), "topics", ["W"]),
    ("countries", ["Niger"], "countries", ("Togo",), "countries", ["Ghana"]),
    ("source_name", "Reuters", "source_name", "Ours", "source", "BBC"),
    ("slug", "second", "slug", "ours", "slug", "third"),
]


@pytest.mark.parametrize(
    ("key", "new", "name", "ours", "word", "third"), FIELDS, ids=[row[0] for row in FIELDS]
)
def test_a_field_is_imported_until_somebody_edits_it(  # type: ignore[no-untyped-def]
    run, editor: User, key: str, new: object, name: str, ours: object, word: str, third: object
) -> None:
    run(LINE)
    assert "0 added, 1 updated" in run(LINE | {key: new})
    imported = getattr(publishing.draft_from_article(story()), name)
    assert imported != publishing.draft_from_article(story()).picture_alt
    change(editor, **{name: ours})
    before = all_rows()
    for line in (LINE | {key: new}, LINE | {key: third}):
        output = run(line)
        assert f"line 1: not overwritten, changed on this site: {word}\n" in output
        assert all_rows() == before
    assert getattr(publishing.draft_from_article(story()), name) == ours
    output = run(LINE | {key: third}, options=("--overwrite",))
    assert "1 updated" in output
    assert "not overwritten" not in output
    assert getattr(publishing.draft_from_article(story()), name) not in (ours, imported)


def test_fields_that_nobody_edited_are_still_imported(run, editor: User) -> None:  # type: ignore[no-untyped-def]
    run(LINE)
    change(editor, dek="Ours")
    output = run(LINE | {"headline": "Second", "dek": "Theirs", "authors": ["B", "A"]})
    assert "1 updated" in output
    assert "line 1: not overwritten, changed on this site: dek\n" in output
    now = story()
    assert (now.headline, now.dek, [author.name for author in now.authors]) == (
        "Second",
        "Ours",
        ["B", "A"],
    )
    newest = db.session.scalars(select(Revision).order_by(Revision.id.desc())).first()
    assert newest is not None
    assert (newest.content["headline"], newest.content["dek"], newest.version) == (
        "Second",
        "Ours",
        now.version,
    )
    assert newest.content["countries"] == ["Mali", "Senegal"]
    assert "dek" in run(LINE | {"headline": "Third", "dek": "Theirs", "authors": ["B", "A"]})
    assert story().headline == "Third"


def test_the_slug_of_a_changed_draft_is_free_for_a_public_story(run) -> None:  # type: ignore[no-untyped-def]
    draft = LINE | {"status": "draft"}
    run(draft)
    with db.write() as session:
        session.execute(update(Article).values(saved_at=datetime(2026, 1, 1, tzinfo=UTC)))
    run(draft | {"dek": "Changed"}, LINE | {"id": "another"})
    db.session.rollback()
    rows = db.session.execute(select(Article.slug, Article.status, Article.saved_at)).all()
    (slug, _, saved_at), (public_slug, _, _) = sorted(rows, key=lambda row: row.status)
    assert slug == public_slug
    assert datetime.now(UTC) - saved_at < timedelta(minutes=5), "the change is a save"


def test_a_field_edited_to_the_imported_value_is_imported_again(run, editor: User) -> None:  # type: ignore[no-untyped-def]
    run(LINE)
    change(editor, dek="Same")
    assert "not overwritten" not in run(LINE | {"dek": "Same"})
    run(LINE | {"dek": "Newer"})
    assert story().dek == "Newer"


def test_an_imported_draft_that_was_published_here_stays_published(run, editor: User) -> None:  # type: ignore[no-untyped-def]
    line = {"id": "a", "headline": "First", "body": "Text."}
    run(line)
    publishing.apply_action(story().id, editor, Action("publish"))
    at = story().published_at
    assert "line 1: not overwritten, changed on this site: status and date" in run(line)
    assert (story().status, story().published_at) == ("published", at)


def test_an_import_can_withdraw_and_republish_its_story(run, editor: User) -> None:  # type: ignore[no-untyped-def]
    run(LINE)
    run(LINE | {"status": "withdrawn"})
    assert story().status == "withdrawn"
    run(LINE)
    assert story().status == "published"
    query = select(Outbox.action).where(Outbox.article_id == story().id).order_by(Outbox.seq)
    acts = db.session.scalars(query).all()
    assert acts == ["publish", "withdraw", "publish"]


def test_a_scheduled_story_published_since_the_last_import_is_unchanged(
    run, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    future = LINE | {"published_at": "2999-01-01T00:00:00Z"}
    run(future)
    publishing.publish_due(story().published_at)
    before = all_rows()
    assert story().status == "published"
    assert "not overwritten" not in run(future)
    assert all_rows() == before


def test_an_import_does_not_undo_the_renaming_of_an_author(run, editor: User) -> None:  # type: ignore[no-untyped-def]
    run(LINE | {"authors": ["amina diallo"]})
    existing = story().authors[0].id
    yes = SpellingAnswer("authors", "Amina Diallo", "rename", existing)
    publishing.create(make_draft(authors=("Amina Diallo",)), editor, spelling_answers=[yes])
    before = all_rows()
    assert "not overwritten" not in run(LINE | {"authors": ["amina diallo"]})
    assert all_rows() == before
    assert "1 updated" in run(LINE | {"authors": ["amina diallo", "New One"]})
    assert [author.name for author in story().authors] == ["Amina Diallo", "New One"]


def test_pictures_are_compared_by_their_content(run, editor: User, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for name in ("red", "blue"):
        Image.new("RGB", (64, 48), name).save(tmp_path / f"{name}.png")
    line = LINE | {"lead_image": "red.png", "lead_image_alt": "Red"}
    run(line)
    before = all_rows()
    assert "1 unchanged" in run(line)
    assert "1 unchanged" in run(line, options=("--dry-run",))
    assert all_rows() == before
    red = story().picture_id
    run(line | {"lead_image": "blue.png"})
    assert story().picture_id != red
    change(editor, picture_alt="Ours")
    assert "lead_image" in run(line)
    assert story().picture_alt == "Ours"


def test_edits_are_recognized_without_a_stored_import_state(run, editor: User) -> None:  # type: ignore[no-untyped-def]
    """Take the newest import revision as the source's text."""

    def forget() -> None:
        with db.write() as session:
            session.execute(delete(ImportState))

    run(LINE)
    forget()
    before = all_rows()
    assert "0 updated, 1 unchanged" in run(LINE)
    assert all_rows() == before
    run(LINE | {"dek": "Newer"})
    assert story().dek == "Newer"
    forget()
    change(editor, headline="Ours")
    output = run(LINE | {"dek": "Newest", "headline": "Theirs"})
    assert "not overwritten, changed on this site: headline" in output
    assert (story().headline, story().dek) == ("Ours", "Newest")
    forget()
    publishing.apply_action(story().id, editor, Action("withdraw", note="Why."))
    assert "stays withdrawn" in run(LINE | {"dek": "Newest", "headline": "Theirs"})
    assert story().status == "withdrawn"


def test_finding_edits_takes_no_select_per_story(
    app: Flask, run, take_selects, editor: User
) -> None:  # type: ignore[no-untyped-def]
    counts = []
    for number in (2, 40):
        lines = [
            LINE | {"id": f"{number}-{index}", "slug": f"s-{number}-{index}"}
            for index in range(number)
        ]
        run(*lines)
        with db.write() as session:
            session.execute(update(Article).values(version=Article.version + 1))
        take_selects()
        run(*(line | {"dek": "Newer"} for line in lines))
        counts.append(len(take_selects()))
    assert counts[0] == counts[1]
    assert db.session.scalar(select(func.count()).select_from(ImportState)) == 42
