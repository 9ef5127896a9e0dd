"""The documented table of role × status × ownership is what the code does, cell by cell."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from spectator import publishing, queries
from spectator.db import db
from spectator.models import ARTICLE_STATUSES, Article, Correction, User
from spectator.publishing import ACTIONS, Action
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
        r"^\| (\w+) \| .+ \| (review|draft|scheduled|published|withdrawn) \|$", TABLE, re.MULTILINE
    )
)
WRITTEN = {
    **{(state, "editor"): frozenset(editors.split(", ")) for state, editors, _ in ROWS},
    **{(state, "author"): frozenset(authors.split(", ")) for state, _, authors in ROWS},
}


def test_the_documented_table_has_every_status_and_action() -> None:
    assert [row[0] for row in ROWS] == ["new", *ARTICLE_STATUSES]
    assert (
        set(ACTIONS)
        == frozenset().union(*WRITTEN.values())
        == set(re.findall(r"^\| (\w+) \| [a-z]", TABLE, re.M))
        - {
            "state",
            "action",
            "new",
            *ARTICLE_STATUSES,
        }
    )


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
    """Return a person's story in a status of the database."""
    article_id = publishing.create(make_draft(headline=f"In {state}"), by)
    with db.write() as session:
        at = datetime.now(UTC) + timedelta(days=1 if state == "scheduled" else -1)
        session.execute(
            update(Article).where(Article.id == article_id).values(status=state, published_at=at)
        )
    article = queries.article_to_edit(article_id)
    assert article is not None
    return article


def use(verb: str, article: Article, by: User) -> None:
    """Apply an action to a freshly loaded story; raise Forbidden if the person may not."""
    at = datetime.now(UTC) + timedelta(hours=1)
    if verb == "restore":
        publishing.restore(article.id, by, 1, article.version)
    elif verb in {"save", "update", "correct"}:
        publishing.save(
            article.id,
            make_draft(dek="Changed"),
            by,
            article.version,
            Action(verb, note="What was wrong."),
        )
    elif verb in {"edit_note", "remove_note"}:
        with db.write() as session:
            note = Correction(
                article_id=article.id, text="Old words.", made_at=datetime.now(UTC), kind="update"
            )
            session.add(note)
            session.flush()
            note_id = note.id
        more = (
            ("correction", "New words.", "Old words.") if verb == "edit_note" else ("Old words.",)
        )
        getattr(publishing, verb)(article.id, by, note_id, *more)
    elif verb in {"view", "share"}:
        if not publishing.may(by, verb, article):
            raise publishing.ForbiddenError
    elif verb == "relate":
        other = publishing.create(make_draft(), by)
        publishing.set_related_override(article.id, by, other, "pin")
    else:
        note = "Wrong." if verb == "withdraw" else ""
        publishing.apply_action(
            article.id, by, Action(verb, at if verb == "schedule" else None, note)
        )


@pytest.mark.parametrize("state", ARTICLE_STATUSES)
@pytest.mark.parametrize("role", ["author", "editor", "admin"])
@pytest.mark.parametrize("whose", ["own", "other's"])
def test_every_action_is_allowed_exactly_where_documented(
    app: Flask, state: str, role: str, whose: str
) -> None:
    by = add_user(role)
    maker = by if whose == "own" else add_user("author" if role != "author" else "editor")
    allowed = WRITTEN[state, "author" if role == "author" else "editor"]
    if role == "author" and whose != "own":
        allowed = frozenset()
    for verb in ACTIONS:
        article = story_in(state, maker)
        twice = (
            verb == "publish" and state == "published" and role != "author"
        )  # the button pressed twice
        if verb in allowed or twice:
            use(verb, article, by)
        else:
            with pytest.raises(publishing.ForbiddenError):
                use(verb, article, by)
        after = queries.article_to_edit(article.id)
        assert after is not None
        db.session.refresh(after)
        expected = STATES_AFTER.get(verb, state) if verb in allowed else state
        assert after.status == expected, f"{role} {verb} on {whose} {state}"


@pytest.mark.parametrize("role", ["author", "editor"])
def test_the_first_action_on_a_new_story_is_allowed_exactly_as_documented(
    app: Flask, role: str
) -> None:
    by, at = add_user(role), datetime.now(UTC) + timedelta(hours=1)
    for verb in (
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
        step = Action(verb, at if verb == "schedule" else None, "A note.")
        if verb in WRITTEN["new", role]:
            publishing.create(make_draft(), by, step)
        else:
            with pytest.raises(publishing.ForbiddenError):
                publishing.create(make_draft(), by, step)
