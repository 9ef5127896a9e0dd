"""Imports link translations to originals by the ids of their source."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from sqlalchemy import select

from spectator import publishing
from spectator.cli import main
from spectator.db import db
from spectator.models import Article, User
from tests.conftest import add_user, make_draft, use_site
from tests.newsroom_client import get_article, reload_article

Load = Callable[..., str]
AT = "2026-11-20T12:00:00Z"
ORIGINAL = {"id": "a", "headline": "Mali votes", "body": "One.", "published_at": AT}
FRENCH = {
    "id": "b",
    "headline": "Le Mali vote",
    "body": "Un.",
    "language": "fr",
    "translation_of": "a",
    "published_at": AT,
}


@pytest.fixture
def load(
    app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Load:
    """Return a function that imports stories and returns the command's output."""
    use_site(app, monkeypatch)

    def run(*stories: dict[str, object], options: tuple[str, ...] = ()) -> str:
        path = tmp_path / "stories.jsonl"
        path.write_text("".join(f"{json.dumps(story)}\n" for story in stories))
        output: str = runner.invoke(main, ["import", "jsonl", str(path), *options]).output
        db.session.rollback()
        db.session.expire_all()
        return output

    return run


def original_of(external_id: str) -> str | None:
    """Return the external id of a story's original."""
    number = db.session.scalar(
        select(Article.translation_of_id).where(Article.external_id == external_id)
    )
    return db.session.scalar(select(Article.external_id).where(Article.id == number))


def language_of(external_id: str) -> str | None:
    """Return the language of an imported story."""
    return db.session.scalar(select(Article.language).where(Article.external_id == external_id))


def link(editor: User, external_id: str, original_id: str) -> None:
    """Let an editor mark a public story as the translation of another."""
    ids = dict(db.session.execute(select(Article.external_id, Article.id)).all())
    article = get_article(ids[external_id])
    draft = publishing.draft_from_article(article)
    draft = replace(draft, translation_of=str(ids[original_id]))
    publishing.save(article.id, draft, editor, article.version, publishing.Action("update"))


def test_a_file_may_hold_a_story_and_its_translations(load: Load, client: FlaskClient) -> None:
    swahili = FRENCH | {"id": 7, "headline": "Mali", "language": "sw", "translation_of": "b"}
    assert "3 added" in load(ORIGINAL, FRENCH, swahili)
    assert original_of("b") == original_of("7") == "a"
    assert 'hreflang="sw"' in client.get("/politics/mali-votes").text
    assert "3 unchanged" in load(ORIGINAL, FRENCH, swahili)
    load(ORIGINAL, FRENCH | {"status": "withdrawn"}, swahili)
    assert 'hreflang="fr"' not in client.get("/politics/mali-votes").text
    load(ORIGINAL, FRENCH, swahili | {"translation_of": None})
    assert original_of("7") is None
    assert 'hreflang="sw"' not in client.get("/politics/mali-votes").text


def test_an_import_refuses_what_cannot_be_linked(load: Load) -> None:
    output = load(FRENCH, ORIGINAL)
    assert "line 1" in output and "Import the original first." in output
    assert original_of("b") is None
    load(FRENCH)
    assert original_of("b") == "a"
    assert "its own translation" in load(ORIGINAL | {"translation_of": "a", "headline": "X"})
    assert "has translations" in load(
        ORIGINAL | {"id": "c", "language": "ha"},
        ORIGINAL | {"translation_of": "c"},
    )
    assert "is in English too" in load(FRENCH | {"language": "en"})


def test_drafts_of_authors_do_not_stop_an_import(load: Load) -> None:
    alone = FRENCH | {"translation_of": None}
    load(ORIGINAL, alone)
    ids = dict(db.session.execute(select(Article.external_id, Article.id)).all())
    author = add_user("author")
    english, arabic = (
        publishing.create(make_draft(language=tag, translation_of=str(ids["b"])), author)
        for tag in ("en", "ar")
    )
    assert "1 updated" in load(FRENCH | {"headline": "Le Mali vote enfin"})
    assert original_of("b") == "a"
    assert reload_article(english).translation_of_id is None
    assert reload_article(arabic).translation_of_id == ids["a"]


def test_one_file_makes_no_chain_of_translations(load: Load, editor: User) -> None:
    alone = FRENCH | {"translation_of": None}
    swahili = FRENCH | {"id": "c", "headline": "Mali", "language": "sw", "translation_of": "b"}
    hausa = ORIGINAL | {"id": "d", "headline": "Mali ta", "language": "ha"}
    load(ORIGINAL, alone, hausa)
    ids = dict(db.session.execute(select(Article.external_id, Article.id)).all())
    link(editor, "d", "b")
    # New: c translates b before b becomes a translation of a. Stored: d translates b.
    load(swahili, alone)
    publishing.apply_action(ids["d"], editor, publishing.Action("withdraw", note="x"))
    publishing.apply_action(
        db.session.scalars(select(Article.id).where(Article.external_id == "c")).one(),
        editor,
        publishing.Action("withdraw", note="x"),
    )
    load(FRENCH, hausa | {"headline": "Mali ta zabe"})
    assert [original_of(name) for name in "bcd"] == ["a", "a", "a"]


def test_the_original_that_is_kept_decides_on_the_language(load: Load, editor: User) -> None:
    english = ORIGINAL | {"id": "c", "headline": "Another"}
    alone = FRENCH | {"translation_of": None}
    load(ORIGINAL, alone, english, alone | {"id": "d", "language": "pt", "headline": "Um"})
    link(editor, "b", "c")
    output = load(alone | {"language": "en", "headline": "In English"})
    assert "The original is in English too." in output and "0 updated" in output
    assert (original_of("b"), language_of("b")) == ("c", "fr")
    # What the source says of the original does not count as long as an editor's link is kept.
    load(alone | {"language": "pt", "translation_of": "d", "headline": "Em"})
    assert (original_of("b"), language_of("b")) == ("c", "pt")
    load(alone | {"language": "en", "translation_of": "d"}, options=("--overwrite",))
    assert (original_of("b"), language_of("b")) == ("d", "en")


def test_an_import_gives_no_original_the_language_of_a_translation(
    load: Load, editor: User
) -> None:
    load(ORIGINAL, FRENCH)
    output = load(ORIGINAL | {"language": "fr"})
    assert "This story has a translation in French." in output
    assert (original_of("b"), language_of("a")) == ("a", "en")
    # Both in one file: whoever comes first, they are no translations of each other.
    load(FRENCH | {"language": "pt"}, ORIGINAL)
    load(FRENCH | {"language": "sw"}, ORIGINAL | {"language": "sw"})
    assert (original_of("b"), language_of("a"), language_of("b")) == (None, "sw", "sw")
    new = FRENCH | {"id": "e", "headline": "Neuf", "language": "ha"}
    load(new, ORIGINAL | {"language": "ha"})
    assert (original_of("e"), language_of("a"), language_of("e")) == (None, "ha", "ha")


def test_a_dry_run_does_not_miss_the_originals_of_its_own_file(load: Load) -> None:
    assert "2" in (output := load(ORIGINAL, FRENCH, options=("--dry-run",)))
    assert "refused" not in output or "0 refused" in output
    assert db.session.scalar(select(Article.id)) is None


def test_the_link_of_an_editor_stays(load: Load, editor: User) -> None:
    load(ORIGINAL, FRENCH, ORIGINAL | {"id": "c", "headline": "Another"})
    link(editor, "b", "c")
    assert "unchanged" in load(FRENCH)
    assert original_of("b") == "c"
    assert "not overwritten, changed on this site: translation_of" in load(
        FRENCH | {"translation_of": None}
    )
    assert original_of("b") == "c"
    load(FRENCH, options=("--overwrite",))
    assert original_of("b") == "a"
