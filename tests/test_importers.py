"""Imports: the contract's JSON lines, bad lines reported and the others taken, twice does no harm."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from spectator import outbox, queries
from spectator.commands import main
from spectator.db import db
from spectator.models import Article, Section


def write(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines))
    return path


@pytest.fixture
def run(app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("SPECTATOR_DATA_DIR", str(app.config["DATA_DIR"]))

    def run(*lines: object, options: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
        file = write(tmp_path / "stories.jsonl", *lines)
        db.session.rollback()
        return runner.invoke(main, ["import", "jsonl", str(file), *options])

    return run


def articles() -> dict[str, Article]:
    db.session.rollback()
    db.session.expunge_all()
    ids = db.session.scalars(select(Article.id)).all()
    found = [queries.article_to_edit(each) for each in ids]
    return {each.headline: each for each in found if each}


def test_every_key_arrives(run) -> None:  # type: ignore[no-untyped-def]
    line = {"id": 7, "headline": "H", "body": "one\ntwo", "dek": "D", "section": "Business", "authors": ["B", "A"]}
    line |= {"countries": ["ML", "Ivory Coast"], "topics": ["Gold"], "language": "fr", "source_name": "AFP"}
    line |= {"source_url": "https://afp.example/", "published_at": "2024-05-01T10:00:00+02:00", "slug": "gold"}
    line |= {"updated_at": "2024-05-02T10:00:00Z", "views": 12}
    result = run(line)
    assert result.exit_code == 0, result.output
    assert "1 added" in result.output
    assert "views (1)" in result.output
    article = articles()["H"]
    assert article.body == "<p>one</p>\n<p>two</p>"
    assert (article.section.slug, article.slug, article.status) == ("business", "gold", "published")
    assert article.published_at == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert [author.name for author in article.authors] == ["B", "A"]
    assert {country.code for country in article.countries} == {"ML", "CI"}


def test_the_same_id_updates_and_never_duplicates(run) -> None:  # type: ignore[no-untyped-def]
    line = {"id": "a", "headline": "First", "body": "x", "published_at": "2024-05-01T10:00:00Z"}
    run(line)
    assert "1 updated" in run(line | {"headline": "Second"}).output
    assert list(articles()) == ["Second"]
    assert articles()["Second"].slug == "first"  # its address does not move with the headline
    assert outbox.edition() == 2


def test_the_date_decides_the_status(run) -> None:  # type: ignore[no-untyped-def]
    future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    run(
        {"headline": "Draft", "body": "x"},
        {"headline": "Scheduled", "body": "x", "published_at": future},
        {"headline": "Published", "body": "x", "published_at": "2024-05-01"},
        {"headline": "Withdrawn", "body": "x", "published_at": "2024-05-01", "status": "withdrawn"},
    )
    assert {article.headline.lower() == article.status for article in articles().values()} == {True}


def test_bad_lines_are_named_and_the_others_go_in(run) -> None:  # type: ignore[no-untyped-def]
    good = {"headline": "Good", "body": "x", "section": "Sports desk"}
    result = run(
        good,
        "{not json",
        "[1]",
        {"headline": "No body"},
        "",
        {"headline": "x", "body": "y", "countries": ["Atlantis"]},
        {"headline": "x", "body": "y", "section": "newsroom"},
        {"headline": "x", "body": "y", "published_at": "soon"},
        {"headline": ["x"], "body": "y"},
        {"headline": "x", "body": "y", "status": "published"},
        good | {"headline": "Also good"},
    )
    assert result.exit_code == 1
    for number in (2, 3, 4, 6, 7, 8, 9, 10):
        assert f"line {number}:" in result.output, result.output
    assert sorted(articles()) == ["Also good", "Good"]
    assert "sections created: Sports desk" in result.output
    assert db.session.scalar(select(Section.name).where(Section.slug == "sports-desk")) == "Sports desk"


def test_a_dry_run_keeps_nothing(run) -> None:  # type: ignore[no-untyped-def]
    result = run({"headline": "H", "body": "x", "section": "New"}, options=("--dry-run",))
    assert result.exit_code == 0
    assert "1 added" in result.output
    assert not articles()
    assert db.session.scalar(select(Section.id).where(Section.slug == "new")) is None


def test_a_missing_file_is_wrong_usage(runner: FlaskCliRunner) -> None:
    assert runner.invoke(main, ["import", "jsonl", "/nowhere.jsonl"]).exit_code == 2
