"""Limits on unsaved text, and how much of it pages load: counted, not timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, inspect, select

from spectator import autosaves, preview_links
from spectator.db import db
from spectator.models import Autosave, Revision, User
from spectator.newsroom import conflicts
from tests.newsroom_client import create_story, logged_in_client, post, save_story

TEXT = {"headline": "A headline", "body": "x" * 900, "picture_id": ""}


def autosave(letter: str, article_id: int | None = None, **values: str) -> None:
    """Autosave a form of the editor whose id is this letter 22 times."""
    autosaves.save(1, article_id, letter * 22, 1, TEXT | values)


def stored_letters() -> str:
    """Return the letters of the form ids with unsaved text."""
    return "".join(sorted(form_id[0] for form_id in db.session.scalars(select(Autosave.form_id))))


@contextmanager
def loaded(model: type[Any]) -> Iterator[list[Any]]:
    """Record which objects of a model are loaded."""
    rows: list[Any] = []

    def record(row: Any, _context: object) -> None:
        rows.append(row)

    event.listen(model, "load", record)
    try:
        yield rows
    finally:
        event.remove(model, "load", record)


def count_loaded(rows: list[Any], column: str) -> int:
    """Return in how many rows a column was loaded."""
    return sum(column not in inspect(row).unloaded for row in rows)


@pytest.mark.parametrize(("limit", "most"), [("MAX_BYTES", 3000), ("MAX_AUTOSAVES", 3)])
def test_at_the_limit_the_oldest_discarded_text_is_deleted(
    limit: str, most: int, newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosaves, limit, most)
    for letter in "abc":
        autosave(letter)
    with pytest.raises(autosaves.AutosaveLimitReached):
        autosave("d")
    assert stored_letters() == "abc", "text that was not discarded is never deleted"
    autosave("a", headline="Typed on")  # replaces the text of the same form
    autosaves.discard(1, "c" * 22)
    autosaves.discard(1, "b" * 22)
    autosave("d")
    assert stored_letters() == "abd"
    autosave("e")
    assert stored_letters() == "ade"
    with pytest.raises(autosaves.AutosaveLimitReached):
        autosave("f")
    assert stored_letters() == "ade"


def test_nothing_is_deleted_if_the_new_text_would_not_fit_anyway(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autosaves, "MAX_BYTES", 3000)
    for letter in "abc":
        autosave(letter)
    autosaves.discard(1, "a" * 22)
    with pytest.raises(autosaves.AutosaveLimitReached):
        autosave("d", body="x" * 2500)
    assert stored_letters() == "abc"


@pytest.mark.parametrize("role", ["editor", "author"])
def test_a_form_compares_only_the_newest_unsaved_texts(
    app: Flask, newsroom: FlaskClient, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An author sees unsaved texts of a published story on a separate page."""
    person = logged_in_client(app, role)
    article_id = create_story(person)
    user_id = db.session.scalar(select(User.id).where(User.email.startswith(role))) or 0
    for number in range(7):
        values = TEXT | {"headline": f"Headline {number}", "body": f"Body {number}."}
        autosaves.save(user_id, article_id, f"{number}" * 22, 1, values)
    path = f"/newsroom/stories/{article_id}"
    if role == "author":
        assert save_story(newsroom, article_id, do="publish").status_code == 303
        path += "/unsaved"
    compared: list[str] = []
    clean = conflicts.stored_body
    monkeypatch.setattr(
        conflicts, "stored_body", lambda body: compared.append(body) or clean(body)
    )
    with loaded(Autosave) as rows:
        page = person.get(path).text
    assert len(compared) == conflicts.MAX_COMPARED + 1
    assert count_loaded(rows, "values") == conflicts.MAX_COMPARED
    for number in range(7):
        assert f"Headline {number}" in page
        assert (f"Body {number}." in page) is (number > 3)
        assert page.count(f'name="copy" value="{str(number) * 22}"') == 1, (
            "each has a button to discard it"
        )
    assert ("preview?copy=" if role == "author" else "restore=") + "2" * 22 in page, (
        "each has a link to open it"
    )


@pytest.mark.parametrize("is_new", [True, False])
def test_lists_of_unsaved_stories_load_no_text(newsroom: FlaskClient, is_new: bool) -> None:
    article_id = None if is_new else create_story(newsroom)
    for letter in "abcd":
        autosave(letter, article_id, headline=f"Headline {letter}")
        autosaves.discard(1, letter * 22)
    autosave("e", None, headline="Headline e")
    with loaded(Autosave) as rows:
        page = newsroom.get(
            "/newsroom/stories/" if is_new else f"/newsroom/stories/{article_id}"
        ).text
    assert all(f"Headline {letter}" in page for letter in "abcd")
    assert ("Headline e" in page) is is_new
    assert (len(rows), count_loaded(rows, "values")) == (5 if is_new else 4, 0)


def test_the_history_loads_no_text(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom)
    with loaded(Revision) as rows:
        assert newsroom.get(f"/newsroom/stories/{article_id}/history").status_code == 200
    assert (len(rows), count_loaded(rows, "content")) == (1, 0)


def test_a_story_has_a_bounded_number_of_links(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_links, "MAX_LINKS", 2)
    path = f"/newsroom/stories/{create_story(newsroom)}/links"
    assert [post(newsroom, path, {"days": "1"}).status_code for _ in range(3)] == [303, 303, 422]
    assert "Revoke one" in post(newsroom, path, {"days": "1"}).text
    assert post(newsroom, f"{path}/1").status_code == 303
    assert post(newsroom, path, {"days": "1"}).status_code == 303
