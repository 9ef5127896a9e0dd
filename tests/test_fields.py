"""The table of story fields agrees with the columns, the form, the documents and what is stored."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import String, select

from spectator import publishing, queries
from spectator.db import db
from spectator.importers.jsonl import ALL_KEYS
from spectator.models import Article, Revision, User
from spectator.publishing import Draft, ValidationError
from spectator.publishing.fields import COPIED_FIELDS, FIELDS, LABELS, LINE_FIELDS
from spectator.publishing.validation import prepare
from tests.conftest import make_draft
from tests.newsroom_client import logged_in_client

OPERATIONS = (Path(__file__).parents[1] / "docs/operations.md").read_text()
LIMITED = [name for name in LINE_FIELDS if FIELDS[name].limit]


def full_draft() -> Draft:
    """Return a draft in which every line has a value of its own."""
    lines = {name: f"The {name} of it" for name in LINE_FIELDS if FIELDS[name].kind == "line"}
    names = {"authors": ("Zola Adeyemi", "Ama Mensah"), "countries": ("Ghana",)}
    return make_draft(
        **lines
        | names
        | {"source_url": "https://reuters.com/a", "topics": ("Budget", "Courts")}
        | {"share_picture": f"/media/ab/ab{'0' * 30}-320.jpg"}
    )


def test_a_story_and_its_revision_hold_every_field(app: Flask, editor: User) -> None:
    original_id = publishing.create(make_draft(language="fr"), editor)
    draft = replace(full_draft(), translation_of=str(original_id))
    article_id = publishing.create(draft, editor)
    article = queries.article_to_edit(article_id)
    revision = db.session.scalar(select(Revision).where(Revision.article_id == article_id))
    assert article is not None
    assert revision is not None
    stored = publishing.draft_from_article(article)
    assert publishing.draft_from_revision(revision.content) == stored
    expected = asdict(prepare(draft).draft) | {"slug": article.slug}
    assert asdict(stored) == expected
    assert all(value for name, value in expected.items() if name != "picture_id")


def test_columns_are_as_wide_as_the_limits() -> None:
    for name in COPIED_FIELDS:
        column = Article.__table__.c[name]
        if isinstance(column.type, String) and column.type.length:
            assert column.type.length == FIELDS[name].limit, name


@pytest.mark.parametrize("name", LIMITED)
def test_a_line_longer_than_its_limit_is_refused(name: str) -> None:
    limit = FIELDS[name].limit
    with pytest.raises(ValidationError) as too_long:
        prepare(make_draft(**{name: "x" * (limit + 1)}))
    assert f"has {limit + 1:,} characters. Use at most {limit}." in too_long.value.errors[name]
    assert f"The {LABELS[name][0].lower()}{LABELS[name][1:]} has" in too_long.value.errors[name]
    if FIELDS[name].kind == "line" and name not in {"source_url", "share_picture"}:
        prepare(make_draft(**{name: "x" * limit}))


def test_every_field_is_in_the_form_with_its_label(app: Flask) -> None:
    page = logged_in_client(app).get("/newsroom/stories/new").text
    for name, label in LABELS.items():
        assert re.search(rf'<(input|textarea|select)[^>]*\bname="{name}"', page), name
        assert str(label) in page


def test_the_keys_of_json_lines_are_documented() -> None:
    section = OPERATIONS.partition("## Importing: JSON lines")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    documented = {key for row in rows for key in re.findall(r"`([a-z_]+)`", row)}
    assert documented >= ALL_KEYS
    assert {field.key for field in FIELDS.values()} < ALL_KEYS
