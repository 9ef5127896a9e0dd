"""The kicker, a label above the headline: from the form and imports to pages and searches."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator import autosaves, publishing, queries
from spectator.db import db
from spectator.importers import jsonl
from spectator.importers.runner import import_records
from spectator.models import Article, Revision, User
from tests.conftest import make_draft
from tests.newsroom_client import create_story, form_values, logged_in_client, post, story_form


def test_the_kicker_is_shown_above_the_headline(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    story(headline="The budget", kicker="Analysis & <b>", slug="budget")
    escaped = "Analysis &amp; &lt;b&gt;"
    article = client.get("/politics/budget").text
    assert f'<h1><span class="kicker">{escaped}</span> The budget</h1>' in article
    card = f'<h3><span class="kicker">{escaped}</span> <a href="/politics/budget">The budget</a>'
    assert card in client.get("/politics/").text
    catch_up()
    assert "The <mark>budget</mark>" in client.get("/search?q=budget+analysis").text


def test_a_story_without_a_kicker_has_no_kicker_markup(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="The budget", slug="budget")
    for path in ("/politics/budget", "/politics/"):
        assert 'class="kicker"' not in client.get(path).text
    assert "    <header>\n      <h1>The budget</h1>" in client.get("/politics/budget").text
    assert '<h3><a href="/politics/budget">' in client.get("/politics/").text


def test_the_kicker_is_in_form_preview_history_and_conflicts(app: Flask) -> None:
    editor = logged_in_client(app)
    article_id = create_story(editor, kicker="Analysis")
    path = f"/newsroom/stories/{article_id}"
    values = form_values(editor.get(path))
    assert values["kicker"] == "Analysis"
    assert 'class="kicker">Analysis<' in editor.get(f"{path}/preview").text
    assert post(editor, path, values | {"kicker": "Interview", "do": "save"}).status_code == 303
    comparison = editor.get(f"{path}/history/compare").text
    assert "<h2>Kicker</h2>" in comparison
    assert "<del>Analysis</del><ins>Interview</ins>" in comparison
    conflict = post(editor, path, values | {"kicker": "Opinion", "do": "save"})
    assert conflict.status_code == 409
    assert 'name="choice.kicker"' in conflict.text
    too_long = post(editor, "/newsroom/stories/new", story_form(kicker="x" * 61, do="save"))
    assert too_long.status_code == 422
    assert "The kicker has 61 characters. Use at most 60." in too_long.text


def test_an_import_changes_the_kicker_until_somebody_edits_it(
    editor: User, tmp_path: Path
) -> None:
    def import_story(kicker: str | None) -> list[tuple[str, str]]:
        line = {"id": "1", "headline": "The budget", "body": "x"}
        line |= {"kicker": kicker} if kicker is not None else {}
        file = BytesIO(json.dumps(line).encode())
        report = import_records(jsonl.read(file, "en"), tmp_path)
        assert not report.refused
        assert not report.unknown_keys
        return report.preserved

    import_story(None)
    import_story("Analysis &amp; context")
    article = db.session.scalar(select(Article))
    assert article is not None
    assert article.kicker == "Analysis & context"
    draft = make_draft(headline="The budget", body="x", kicker="Interview")
    publishing.save(article.id, draft, editor, article.version)
    assert import_story("Opinion") == [("line 1", "kicker")]


def test_revisions_and_autosaves_without_a_kicker_still_open(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(), editor)
    with db.write() as session:
        revision = session.scalars(select(Revision)).one()
        revision.content = {
            name: value for name, value in revision.content.items() if name != "kicker"
        }
    client = logged_in_client(app)
    path = f"/newsroom/stories/{article_id}"
    assert client.get(f"{path}/history/compare").status_code == 200
    publishing.restore(article_id, editor, number=1, version=1)
    values = form_values(client.get(path))
    form_id = "a" * 22
    old = {name: text for name, text in values.items() if name != "kicker"}
    autosaves.save(
        editor.id, article_id, form_id, 2, old | {"headline": "Typed", "copy": form_id}
    )
    restored = form_values(client.get(f"{path}?restore={form_id}"))
    assert (restored["headline"], restored["kicker"]) == ("Typed", "")
    article = queries.article_to_edit(article_id)
    assert article is not None
    assert article.kicker == ""
