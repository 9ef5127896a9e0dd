"""The kind of a story: from the form and imports to pages, feeds and structured data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator import autosaves, publishing
from spectator.db import db
from spectator.importers import jsonl
from spectator.importers.runner import ImportReport, import_records
from spectator.models import STORY_KINDS, Article, Revision, User
from spectator.publishing import ValidationError
from tests.conftest import make_draft
from tests.newsroom_client import (
    create_story,
    form_values,
    logged_in_client,
    post,
    reload_article,
    story_form,
)

Story = Callable[..., int]


def import_line(directory: Path, **values: str) -> ImportReport:
    line = {"id": "1", "headline": "The budget", "body": "x"} | values
    return import_records(jsonl.read(BytesIO(json.dumps(line).encode()), "en"), directory)


@pytest.mark.parametrize(
    ("kind", "label", "schema_type"),
    [
        ("news", None, "NewsArticle"),
        ("analysis", "Analysis", "AnalysisNewsArticle"),
        ("opinion", "Opinion", "OpinionNewsArticle"),
        ("interview", "Interview", "NewsArticle"),
        ("explainer", "Explainer", "BackgroundNewsArticle"),
        ("obituary", "Obituary", "NewsArticle"),
    ],
)
def test_readers_and_machines_are_told_the_kind(
    kind: str, label: str | None, schema_type: str, client: FlaskClient, story: Story
) -> None:
    story(headline="The budget", slug="budget", kind=kind)
    article, listing = client.get("/politics/budget").text, client.get("/").text
    assert f'"@type":"{schema_type}"' in article
    labels = [text for text in STORY_KINDS.values() if f"<b>{text}</b>" in article]
    assert labels == ([label] if label else [])
    assert [text for text in STORY_KINDS.values() if f"<b>{text}</b>" in listing] == labels
    item = ElementTree.fromstring(client.get("/feed.xml").text).find("channel/item")
    assert item is not None
    categories = [element.text for element in item.findall("category")]
    assert categories == ["Politics", *labels]


def test_opinion_looks_different_and_begins_with_its_author(
    client: FlaskClient, story: Story
) -> None:
    story(headline="Why we vote", slug="vote", kind="opinion", authors=("Ama Mensah",))
    story(headline="The vote", slug="the-vote", authors=("Ama Mensah",))
    opinion, news = client.get("/politics/vote").text, client.get("/politics/the-vote").text
    assert 'class="story opinion"' in opinion and 'class="story"' in news
    assert opinion.index('rel="author">Ama Mensah') < opinion.index("<h1>")
    assert news.index('rel="author">Ama Mensah') > news.index("<h1>")
    assert opinion.count('class="byline"') == news.count('class="byline"') == 1
    cards = re.findall(r'class="card([^"]*)"', client.get("/politics/").text)
    assert sorted(cards) == ["", " opinion"]


def test_section_opinion_implies_the_kind_and_no_label_is_repeated(
    client: FlaskClient, story: Story
) -> None:
    story(headline="Why we vote", slug="vote", section="opinion")
    story(headline="Who votes", slug="who", section="opinion", kind="analysis")
    story(headline="How to vote", slug="how", kind="explainer", kicker="Explainer")
    page = client.get("/opinion/vote").text
    assert 'class="story opinion"' in page and "OpinionNewsArticle" in page
    assert "<b>Opinion</b>" not in page
    page = client.get("/opinion/who").text
    assert 'class="story"' in page and "<b>Analysis</b>" in page
    assert "<b>Explainer</b>" not in client.get("/politics/how").text


def test_the_kind_is_in_form_preview_history_and_conflicts(app: Flask) -> None:
    editor = logged_in_client(app)
    page = editor.get("/newsroom/stories/new")
    options = re.findall(r'<option value="(\w+)" (?:selected)?>(\w+)</option>', page.text)
    assert {(kind, str(label)) for kind, label in STORY_KINDS.items()} <= set(options)
    assert form_values(page)["kind"] == "news"
    article_id = create_story(editor, kind="analysis")
    path = f"/newsroom/stories/{article_id}"
    values = form_values(editor.get(path))
    assert values["kind"] == "analysis"
    assert "<b>Analysis</b>" in editor.get(f"{path}/preview").text
    assert post(editor, path, values | {"kind": "interview", "do": "save"}).status_code == 303
    comparison = editor.get(f"{path}/history/compare").text
    assert "<h2>Kind of story</h2>" in comparison
    assert "<del>analysis</del><ins>interview</ins>" in comparison
    conflict = post(editor, path, values | {"kind": "opinion", "do": "save"})
    assert conflict.status_code == 409
    assert 'name="choice.kind"' in conflict.text


@pytest.mark.parametrize("kind", ["", "column", "News"])
def test_an_unknown_kind_is_refused(kind: str, app: Flask, editor: User, tmp_path: Path) -> None:
    refused = post(
        logged_in_client(app), "/newsroom/stories/new", story_form(kind=kind, do="save")
    )
    assert refused.status_code == 422
    assert "Choose the kind of story." in refused.text
    with pytest.raises(ValidationError, match="kind"):
        publishing.create(make_draft(kind=kind), editor)
    if kind:
        report = import_line(tmp_path, kind=kind)
        assert "“kind” must be one of news, analysis, opinion" in str(report.refused)
        assert db.session.scalar(select(Article)) is None


def test_an_import_changes_the_kind_until_somebody_edits_it(editor: User, tmp_path: Path) -> None:
    assert not import_line(tmp_path).refused
    assert not import_line(tmp_path, kind="analysis").preserved
    article = db.session.scalar(select(Article))
    assert article is not None and article.kind == "analysis"
    publishing.save(
        article.id, make_draft(headline="The budget", body="x", kind="interview"), editor, 2
    )
    assert import_line(tmp_path, kind="opinion").preserved == [("line 1", "kind")]
    assert reload_article(article.id).kind == "interview"


def test_revisions_autosaves_and_forms_without_a_kind_are_news(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(), editor)
    with db.write() as session:
        revision = session.scalars(select(Revision)).one()
        revision.content = {
            name: value for name, value in revision.content.items() if name != "kind"
        }
    client, path = logged_in_client(app), f"/newsroom/stories/{article_id}"
    publishing.restore(article_id, editor, number=1, version=1)
    values = form_values(client.get(path))
    form_id = "a" * 22
    old = {name: text for name, text in values.items() if name != "kind"}
    autosaves.save(
        editor.id, article_id, form_id, 2, old | {"headline": "Typed", "copy": form_id}
    )
    restored = form_values(client.get(f"{path}?restore={form_id}"))
    assert (restored["headline"], restored["kind"]) == ("Typed", "news")
    assert post(client, path, old | {"dek": "Sent", "do": "save"}).status_code == 303
    article = reload_article(article_id)
    assert (article.dek, article.kind) == ("Sent", "news")
