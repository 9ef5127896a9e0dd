"""Imports of JSON lines: bad lines are reported, good ones stored, and repeats do no harm."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from PIL import Image
from sqlalchemy import func, select

from spectator import outbox, queries
from spectator.cli import main
from spectator.db import Base, StorageError, db
from spectator.importers import runner as importing
from spectator.importers.records import Record
from spectator.models import Article, Outbox, Picture, Redirect, Revision, Section
from spectator.publishing import FIELDS, Draft, imports, taxonomy
from tests.conftest import use_site


def write(path: Path, *lines: object) -> Path:
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines),
        encoding="utf-8",
    )
    return path


@pytest.fixture
def run(app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    use_site(app, monkeypatch)

    def run(*lines: object, options: tuple[str, ...] = ()):  # type: ignore[no-untyped-def]
        file = write(tmp_path / "stories.jsonl", *lines)
        db.session.rollback()
        return runner.invoke(main, ["import", "jsonl", str(file), *options])

    return run


def articles() -> dict[str, Article]:
    db.session.rollback()
    db.session.expunge_all()
    ids = db.session.scalars(select(Article.id)).all()
    loaded = [queries.article_to_edit(article_id) for article_id in ids]
    return {article.headline: article for article in loaded if article}


def test_every_key_is_imported(run) -> None:  # type: ignore[no-untyped-def]
    line = {
        "id": 7,
        "headline": "H",
        "body": "one\ntwo",
        "dek": "D",
        "section": "Business",
        "authors": ["B", "A"],
    }
    line |= {
        "countries": ["ML", "Ivory Coast"],
        "topics": ["Gold"],
        "language": "fr",
        "source_name": "AFP",
    }
    line |= {
        "source_url": "https://afp.example/",
        "published_at": "2024-05-01T10:00:00+02:00",
        "slug": "gold",
    }
    line |= {"updated_at": "2024-05-02T10:00:00Z", "views": 12}
    result = run(line)
    assert result.exit_code == 0, result.output
    assert "1 added" in result.output
    assert "views (1)" in result.output
    article = articles()["H"]
    assert article.body == "<p>one</p>\n<p>two</p>"
    assert (article.section.slug, article.slug, article.status) == (
        "business",
        "gold",
        "published",
    )
    assert article.published_at == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert [author.name for author in article.authors] == ["B", "A"]
    assert {country.code for country in article.countries} == {"ML", "CI"}


def test_the_same_id_updates_and_never_duplicates(run) -> None:  # type: ignore[no-untyped-def]
    line = {"id": "a", "headline": "First", "body": "x", "published_at": "2024-05-01T10:00:00Z"}
    run(line)
    assert "1 updated" in run(line | {"headline": "Second"}).output
    assert list(articles()) == ["Second"]
    assert articles()["Second"].slug == "first", "an import without a slug keeps the stored one"
    assert outbox.newest_number() == 2


def test_the_date_decides_the_status(run) -> None:  # type: ignore[no-untyped-def]
    future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    run(
        {"headline": "Draft", "body": "x"},
        {"headline": "Scheduled", "body": "x", "published_at": future},
        {"headline": "Published", "body": "x", "published_at": "2024-05-01"},
        {
            "headline": "Withdrawn",
            "body": "x",
            "published_at": "2024-05-01",
            "status": "withdrawn",
        },
    )
    assert {article.headline.lower() == article.status for article in articles().values()} == {
        True
    }


def test_a_long_name_of_a_section_is_refused_before_anything_reads_it(run) -> None:  # type: ignore[no-untyped-def]
    names = ["\u0301\u0316" * 61, "x" * 121, "&amp;" * 30]
    lines = ({"headline": f"H{len(name)}", "body": "x", "section": name} for name in names)
    output = run(*lines).output
    assert output.count("“section” has over 120 characters") == 2
    assert list(articles()) == ["H150"]


def test_invalid_lines_are_reported_and_the_others_imported(run) -> None:  # type: ignore[no-untyped-def]
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
    assert (
        db.session.scalar(select(Section.name).where(Section.slug == "sports-desk"))
        == "Sports desk"
    )


def test_a_dry_run_stores_nothing(run) -> None:  # type: ignore[no-untyped-def]
    result = run({"headline": "H", "body": "x", "section": "New"}, options=("--dry-run",))
    assert result.exit_code == 0
    assert "1 added" in result.output
    assert not articles()
    assert db.session.scalar(select(Section.id).where(Section.slug == "new")) is None


def test_a_report_sends_no_commands_to_the_terminal(run) -> None:  # type: ignore[no-untyped-def]
    hostile = {"headline": "H", "body": "B", "\x1b]0;pwn\x07key": 1}
    result = run(hostile, hostile | {"published_at": "\x1b[2Jsoon"}, {"\x1b[31mred": 1})
    assert result.exit_code == 1 and "key (1)" in result.output and "soon" in result.output
    assert "\x1b" not in result.output and "\x07" not in result.output


def test_a_missing_file_is_a_usage_error(runner: FlaskCliRunner) -> None:
    assert runner.invoke(main, ["import", "jsonl", "/nowhere.jsonl"]).exit_code == 2


PUBLIC = {"body": "x", "published_at": "2024-05-01T10:00:00Z"}


def slugs() -> dict[str | None, str]:
    """Return the slug of every story by its external id."""
    db.session.rollback()
    return dict(db.session.execute(select(Article.external_id, Article.slug)).all())


def counts() -> dict[str, int]:
    """Return how many rows each table has."""
    db.session.rollback()
    tables = Base.metadata.sorted_tables
    return {
        table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in tables
    }


def test_one_batch_holds_new_stories_updates_and_bad_lines(run) -> None:  # type: ignore[no-untyped-def]
    run(
        PUBLIC
        | {
            "id": "old",
            "headline": "Old",
            "authors": ["A", "B"],
            "topics": ["One", "Two"],
            "countries": ["ML"],
        }
    )
    result = run(
        PUBLIC | {"id": "new", "headline": "New"},
        "{not json",
        PUBLIC
        | {
            "id": "old",
            "headline": "Changed",
            "authors": ["B"],
            "topics": ["Two", "two!"],
            "countries": ["SN"],
        },
        {"headline": "x", "body": "y", "section": "newsroom"},
        PUBLIC | {"id": "new", "headline": "Newer", "status": "withdrawn"},
    )
    assert "1 added, 2 updated" in result.output
    assert result.exit_code == 1
    assert "line 2:" in result.output
    assert "line 4:" in result.output
    stored = articles()
    assert sorted(stored) == ["Changed", "Newer"]
    assert [author.name for author in stored["Changed"].authors] == ["B"]
    assert [topic.name for topic in stored["Changed"].topics] == ["Two", "two!"]
    assert [country.code for country in stored["Changed"].countries] == ["SN"]
    assert {(article.version, article.status) for article in stored.values()} == {
        (2, "published"),
        (2, "withdrawn"),
    }
    actions = db.session.execute(
        select(Outbox.article_id, Outbox.action).order_by(Outbox.seq)
    ).all()
    old, new = stored["Changed"].id, stored["Newer"].id
    assert actions == [(old, "publish"), (new, "publish"), (old, "update"), (new, "withdraw")]
    revisions = db.session.execute(
        select(Revision.article_id, Revision.number, Revision.version)
    ).all()
    assert sorted(revisions) == sorted([(old, 1, 1), (old, 2, 2), (new, 1, 1), (new, 2, 2)])


def test_a_revision_of_an_import_holds_the_whole_draft(run) -> None:  # type: ignore[no-untyped-def]
    run(PUBLIC | {"headline": "A long road", "authors": ["A"]})
    revision = db.session.scalars(select(Revision)).one()
    assert sorted(revision.content) == sorted((*FIELDS, "month", "path"))
    assert (revision.content["slug"], revision.content["authors"]) == ("a-long-road", ["A"])
    assert (revision.action, revision.note, revision.made_by_id) == ("import", "", None)


def test_equal_slugs_in_a_batch_and_in_the_database_are_numbered(run) -> None:  # type: ignore[no-untyped-def]
    run(PUBLIC | {"id": "stored", "headline": "Vote"})
    result = run(
        PUBLIC | {"id": "a", "headline": "Vote"},
        PUBLIC | {"id": "given", "headline": "x", "slug": "vote-4"},
        PUBLIC | {"id": "b", "headline": "Vote"},
        PUBLIC | {"id": "c", "headline": "Vote"},
        PUBLIC | {"id": "taken", "headline": "x", "slug": "vote-3"},
    )
    assert "line 5: slug: Another story has the address “vote-3”" in result.output
    assert slugs() == {
        "stored": "vote",
        "a": "vote-2",
        "given": "vote-4",
        "b": "vote-3",
        "c": "vote-5",
    }


def test_a_hundred_equal_headlines_get_numbered_slugs(run) -> None:  # type: ignore[no-untyped-def]
    for _ in range(2):
        run(*(PUBLIC | {"headline": "Again"} for _ in range(50)))
    assert set(slugs()) == {None}
    stored_slugs = db.session.scalars(select(Article.slug)).all()
    assert sorted(stored_slugs) == sorted(
        ["again", *(f"again-{number}" for number in range(2, 101))]
    )


def test_a_slug_that_was_public_is_reserved_for_its_story(run) -> None:  # type: ignore[no-untyped-def]
    run(PUBLIC | {"id": "a", "headline": "First"})
    result = run(
        PUBLIC | {"id": "a", "headline": "First", "slug": "second"},
        PUBLIC | {"id": "b", "headline": "First"},
        PUBLIC | {"id": "c", "headline": "x", "slug": "first"},
    )
    assert "line 3: slug:" in result.output
    assert slugs() == {"a": "second", "b": "first-2"}
    assert db.session.execute(select(Redirect.slug)).all() == [("first",)]
    run(
        PUBLIC | {"id": "d", "headline": "First"},
        PUBLIC | {"id": "a", "headline": "First", "slug": "first"},
    )
    assert slugs() == {"a": "first", "b": "first-2", "d": "first-3"}
    assert db.session.execute(select(Redirect.slug)).all() == [("second",)]


def test_a_former_slug_that_was_never_public_can_be_reused(run) -> None:  # type: ignore[no-untyped-def]
    draft = {"id": "a", "headline": "First", "body": "x"}
    run(draft)
    run(draft | {"slug": "second"}, PUBLIC | {"id": "b", "headline": "First"})
    assert slugs() == {"a": "second", "b": "first"}
    assert counts()["redirect"] == 0


def test_a_story_that_cannot_be_stored_does_not_stop_the_others(run) -> None:  # type: ignore[no-untyped-def]
    result = run(
        PUBLIC | {"id": "a", "headline": "A", "section": "Sport"},
        PUBLIC
        | {"id": "half \ud800", "headline": "No", "section": "Nowhere", "topics": ["Lost"]},
        PUBLIC | {"id": "b", "headline": "B", "section": "Sport"},
        PUBLIC | {"id": "a", "headline": "A2"},
    )
    assert result.exit_code == 1
    assert "2 added, 1 updated\nsections created: Sport\n" in result.output
    assert "line 2: cannot be stored" in result.output
    assert sorted(articles()) == ["A2", "B"]
    assert counts()["topic"] == 0
    stored = articles()
    actions = db.session.execute(
        select(Outbox.article_id, Outbox.action)
        .where(Outbox.article_id.is_not(None))
        .order_by(Outbox.seq)
    ).all()
    first, second = stored["A2"].id, stored["B"].id
    assert actions == [(first, "publish"), (second, "publish"), (first, "update")]


def test_a_transaction_ends_before_a_repeated_id_and_after_many_names(  # type: ignore[no-untyped-def]
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else can write while a transaction is open."""
    monkeypatch.setattr(imports, "MAX_NAMES", 6)
    transactions: list[list[str]] = []
    store = imports._import_in_transaction

    def record(stories, *options):  # type: ignore[no-untyped-def]
        transactions.append([story.prepared.draft.headline for story in stories])
        return store(stories, *options)

    monkeypatch.setattr(imports, "_import_in_transaction", record)
    names = {"topics": ["T1", "T2"], "authors": ["A"], "countries": ["ML"]}
    result = run(
        *(PUBLIC | {"id": "a", "headline": f"A{number}"} for number in range(3)),
        *(PUBLIC | {"headline": f"N{number}"} | names for number in range(3)),
        PUBLIC | {"headline": "Last"},
    )
    assert "5 added, 2 updated" in result.output
    assert transactions == [["A0"], ["A1"], ["A2", "N0", "N1"], ["N2", "Last"]]


def test_a_story_that_cannot_be_stored_leaves_the_write_lock_free_between_the_others(  # type: ignore[no-untyped-def]
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    store = imports._import_in_transaction

    def record(stories, *options):  # type: ignore[no-untyped-def]
        sizes.append(len(stories))
        return store(stories, *options)

    monkeypatch.setattr(imports, "_import_in_transaction", record)
    result = run(*(PUBLIC | {"id": key, "headline": "H"} for key in ("a", "bad \ud800", "c")))
    assert "2 added" in result.output and "line 2: cannot be stored" in result.output
    assert sizes == [3, 1, 1, 1]


def test_a_database_that_does_not_answer_is_not_asked_again_for_each_story(  # type: ignore[no-untyped-def]
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def fail(stories, *_options):  # type: ignore[no-untyped-def]
        sizes.append(len(stories))
        raise StorageError("busy", OSError("locked"))

    monkeypatch.setattr(imports, "_import_in_transaction", fail)
    result = run(*(PUBLIC | {"id": key, "headline": "H"} for key in ("a", "b")))
    assert (result.exit_code, sizes) == (1, [2])


def test_an_import_creates_no_more_sections_than_a_site_can_have(  # type: ignore[no-untyped-def]
    run, client: FlaskClient
) -> None:
    lines = [
        PUBLIC | {"id": f"s{number}", "headline": f"H{number}", "section": f"Part {number}"}
        for number in range(taxonomy.MAX_SECTIONS + 5)
    ]
    result = run(*lines)
    sections = queries.sections()
    assert len(sections) == taxonomy.MAX_SECTIONS
    assert "would be section 101, and a site can have 100. Use a topic instead." in result.output
    assert client.get("/").status_code == client.get(f"/{sections[-1].slug}/").status_code == 200


def test_a_refused_story_leaves_neither_section_nor_picture(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    Image.new("RGB", (64, 48), "green").save(tmp_path / "green.png")
    Image.new("RGB", (64, 48), "red").save(tmp_path / "red.png")
    green = PUBLIC | {"lead_image": "green.png", "lead_image_alt": "Green"}
    result = run(
        green | {"id": "a", "headline": "A"},
        green | {"id": "b", "headline": "B"},
        PUBLIC | {"headline": "C", "slug": "a", "section": "Gone", "lead_image": "red.png"},
        PUBLIC | {"headline": "D", "lead_image": "missing.png"},
    )
    assert "2 added" in result.output
    assert "sections created" not in result.output
    assert "line 3: slug:" in result.output
    assert "line 4: lead_image:" in result.output
    picture = db.session.scalars(select(Picture.id)).one()
    assert db.session.scalars(select(Article.picture_id)).all() == [picture, picture]


def test_a_dry_run_changes_no_table(run) -> None:  # type: ignore[no-untyped-def]
    run(PUBLIC | {"id": "a", "headline": "First", "topics": ["One"]})
    before = counts()
    result = run(
        PUBLIC | {"id": "a", "headline": "First", "slug": "second", "topics": ["Two"]},
        PUBLIC | {"headline": "New", "section": "New", "authors": ["N"]},
        "{not json",
        options=("--dry-run",),
    )
    assert "1 added, 1 updated (dry run" in result.output
    assert result.exit_code == 1
    assert counts() == before
    assert slugs() == {"a": "first"}


def test_a_batch_takes_no_more_selects_than_one_story(
    app: Flask, take_selects: Callable[[], list[str]]
) -> None:
    draft = Draft(headline="H", body="x", topics=("T",), authors=("A",), countries=("ML",))
    stories = [Record("", draft, "Politics", 0, external_id=f"s{number}") for number in range(20)]
    select_counts = []
    for some in (stories[:1], stories, stories):
        take_selects()
        importing.import_records(some, app.config["MEDIA"])
        select_counts.append(len(take_selects()))
    assert 0 < select_counts[1] <= select_counts[0]
    assert 0 < select_counts[2] <= select_counts[0]
    assert counts()["revision"] == 20, "unchanged stories get no new revision"


def test_batches_are_bounded_by_number_and_by_length(
    monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    monkeypatch.setattr(importing, "BATCH_SIZE", 3)
    monkeypatch.setattr(importing, "BATCH_BYTES", 1000)
    lengths = [10] * 7 + [999, 1, 1000, 10]
    draft = Draft(headline="H", body="x")
    entries = [Record("", draft, "Politics", length) for length in lengths]
    commits: list[int] = []
    report = importing.import_records(entries, app.config["MEDIA"], progress=commits.append)
    assert (report.added, commits) == (11, [3, 3, 2, 2, 1])
