"""The table of permissions in docs/roles.md agrees with the code, cell by cell."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from spectator import publishing, queries
from spectator.db import db
from spectator.models import ARTICLE_STATUSES, PAGE_STATUSES, Article, Page, ReaderNote, User
from spectator.publishing import ACTIONS, Action, pages
from spectator.publishing.actions import PAST_TENSES
from tests.conftest import add_user, make_draft

TABLE = (Path(__file__).parents[1] / "docs/roles.md").read_text()
ROWS = re.findall(
    r"^\| (new|draft|review|scheduled|published|withdrawn) \| (.+?) \| (.+?) \|$",
    TABLE,
    re.MULTILINE,
)
STATES_AFTER = dict(
    re.findall(
        r"^\| (\w+) \| .+ \| (review|draft|scheduled|published|withdrawn) \|$",
        TABLE,
        re.MULTILINE,
    )
)
# Allowed actions by status and role.
DOCUMENTED = {
    **{(state, "editor"): frozenset(editors.split(", ")) for state, editors, _ in ROWS},
    **{(state, "author"): frozenset(authors.split(", ")) for state, _, authors in ROWS},
}


def test_the_documented_table_has_every_status_and_action() -> None:
    assert [row[0] for row in ROWS] == ["new", *ARTICLE_STATUSES]
    headings = {"state", "action", "new", *ARTICLE_STATUSES}
    described = set(re.findall(r"^\| (\w+) \| [a-z]", TABLE, re.M)) - headings
    assert set(ACTIONS) == frozenset().union(*DOCUMENTED.values()) == described


def test_the_documented_states_after_an_action_are_those_of_its_row() -> None:
    statuses = {name: rule.status for name, rule in ACTIONS.items() if rule.status}
    assert statuses == STATES_AFTER


@pytest.mark.parametrize(
    "name", [name for name, rule in ACTIONS.items() if rule.is_in_form or rule.effect]
)
def test_every_action_that_changes_a_story_has_a_label_and_a_notice(name: str) -> None:
    rule = ACTIONS[name]
    assert rule.label[0].isupper()
    assert rule.notice.endswith(".")
    assert PAST_TENSES[name][0].islower()
    assert rule.is_in_form or rule.has_address or name == "restore"


def story_in(state: str, by: User) -> Article:
    """Return a new story of a person, with its status set in the database."""
    article_id = publishing.create(make_draft(headline=f"In {state}"), by)
    with db.write() as session:
        at = datetime.now(UTC) + timedelta(days=1 if state == "scheduled" else -1)
        session.execute(
            update(Article).where(Article.id == article_id).values(status=state, published_at=at)
        )
    article = queries.article_to_edit(article_id)
    assert article is not None
    return article


def perform(action: str, article: Article, by: User) -> None:
    """Perform an action on a story; raise ForbiddenError if the person may not."""
    at = datetime.now(UTC) + timedelta(hours=1)
    if action == "restore":
        publishing.restore(article.id, by, 1, article.version)
    elif action in {"save", "update", "correct"}:
        publishing.save(
            article.id,
            make_draft(dek="Changed"),
            by,
            article.version,
            Action(action, note="What was wrong."),
        )
    elif action in {"edit_note", "remove_note"}:
        with db.write() as session:
            note = ReaderNote(
                article_id=article.id, text="Old words.", made_at=datetime.now(UTC), kind="update"
            )
            session.add(note)
            session.flush()
            note_id = note.id
        if action == "edit_note":
            publishing.edit_note(
                article.id, by, note_id, "correction", "New words.", "Old words."
            )
        else:
            publishing.remove_note(article.id, by, note_id, "Old words.")
    elif action in {"view", "share"}:
        if not publishing.may(by, action, article):
            raise publishing.ForbiddenError
    elif action == "relate":
        other = publishing.create(make_draft(), by)
        publishing.set_related_override(article.id, by, other, "pin")
    else:
        note = "Wrong." if action == "withdraw" else ""
        publishing.apply_action(
            article.id, by, Action(action, at if action == "schedule" else None, note)
        )


@pytest.mark.parametrize("state", ARTICLE_STATUSES)
@pytest.mark.parametrize("role", ["author", "editor", "admin"])
@pytest.mark.parametrize("whose", ["own", "other's"])
def test_every_action_is_allowed_exactly_where_documented(
    app: Flask, state: str, role: str, whose: str
) -> None:
    by = add_user(role)
    maker = by if whose == "own" else add_user("author" if role != "author" else "editor")
    allowed = DOCUMENTED[state, "author" if role == "author" else "editor"]
    if role == "author" and whose != "own":
        allowed = frozenset()
    for action in ACTIONS:
        article = story_in(state, maker)
        # Pressing the button twice does no harm.
        is_repeated = action == "publish" and state == "published" and role != "author"
        if action in allowed or is_repeated:
            perform(action, article, by)
        else:
            with pytest.raises(publishing.ForbiddenError):
                perform(action, article, by)
        after = queries.article_to_edit(article.id)
        assert after is not None
        db.session.refresh(after)
        expected = STATES_AFTER.get(action, state) if action in allowed else state
        assert after.status == expected, f"{role} {action} on {whose} {state}"


@pytest.mark.parametrize("role", ["author", "editor"])
def test_the_first_action_on_a_new_story_is_allowed_exactly_as_documented(
    app: Flask, role: str
) -> None:
    by, at = add_user(role), datetime.now(UTC) + timedelta(hours=1)
    for action in (
        "save",
        "submit",
        "schedule",
        "publish",
        "update",
        "correct",
        "withdraw",
        "reinstate",
        "send_back",
    ):
        first_action = Action(action, at if action == "schedule" else None, "A note.")
        if action in DOCUMENTED["new", role]:
            publishing.create(make_draft(), by, first_action)
        else:
            with pytest.raises(publishing.ForbiddenError):
                publishing.create(make_draft(), by, first_action)


def test_the_documented_actions_on_pages_are_those_of_the_code() -> None:
    documented = dict(re.findall(r"^\| (\w+) page \| (.+) \|$", TABLE, re.MULTILINE))
    states = {"new": None} | {status: Page(status=status) for status in PAGE_STATUSES}
    assert {state: set(actions.split(", ")) for state, actions in documented.items()} == {
        state: set(pages.page_actions(page)) for state, page in states.items()
    }
