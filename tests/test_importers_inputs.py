"""Inputs of an import: files, pipes, pictures below one directory; one bad line harms no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from PIL import Image
from sqlalchemy import select

from spectator import queries
from spectator.cli import main
from spectator.db import db
from spectator.importers import inputs, jsonl
from spectator.importers import runner as importing
from spectator.models import Article
from tests.cases import case_file, case_text
from tests.conftest import use_site

LINE = json.dumps(
    {"id": "a", "headline": "First", "body": "Text.", "published_at": "2026-02-01T08:00:00Z"}
)


def import_lines(
    app: Flask, *lines: dict[str, object] | str, **options: object
) -> importing.ImportReport:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    entries = jsonl.read(BytesIO(text.encode()), "en")
    return importing.import_records(entries, app.config["MEDIA"], **options)  # type: ignore[arg-type]


def articles() -> dict[str, Article]:
    db.session.rollback()
    db.session.expunge_all()
    loaded = [
        queries.article_to_edit(article_id)
        for article_id in db.session.scalars(select(Article.id)).all()
    ]
    return {article.headline: article for article in loaded if article}


@pytest.fixture
def command(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Command line of an import into the site, for a process with real pipes."""
    use_site(app, monkeypatch)
    db.session.rollback()
    return [sys.executable, "-m", "spectator.commands", "import", "jsonl"]


def test_a_line_of_any_length_takes_little_memory(tmp_path: Path) -> None:
    file = tmp_path / "one-line.jsonl"
    with file.open("wb") as output:
        output.truncate(50_000_000)
    tracemalloc.start()
    with inputs.open_input(file) as source, source.progress():
        [(location, error)] = jsonl.read(source.file, "en")  # type: ignore[misc]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (location, str(error)) == ("line 1", "longer than 4 MB")
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("text", "count"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\nb", 2), (b"a\n\nb\n", 3)]
)
def test_the_progress_bar_counts_every_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes, count: int
) -> None:
    lengths: list[int] = []

    @contextmanager
    def bar(items: range, **_more: object) -> Iterator[SimpleNamespace]:
        lengths.append(len(items))
        yield SimpleNamespace(update=None)

    monkeypatch.setattr(inputs.click, "progressbar", bar)
    file = tmp_path / "stories.jsonl"
    file.write_bytes(text)
    with inputs.open_input(file) as source, source.progress():
        assert source.file.read() == text
    assert lengths == [count]


SHELLS = (
    "cat {file} | {command} -",
    "cat {file} | {command} /dev/stdin",
    "{command} - < {file}",
    "{command} <(cat {file})",
    "{command} /dev/stdin < {file}",
)


@pytest.mark.parametrize("shell", SHELLS)
def test_stories_can_be_read_from_a_pipe(command: list[str], tmp_path: Path, shell: str) -> None:
    file = tmp_path / "stories.jsonl"
    file.write_text(LINE)
    line = shell.format(file=file, command=" ".join(command))
    result = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout) == (0, "1 added, 0 updated\n"), result.stderr
    assert list(articles()) == ["First"]


@pytest.mark.parametrize("content", ["", "\n \n\n"])
def test_an_empty_input_is_reported(
    app: Flask,
    runner: FlaskCliRunner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: str,
) -> None:
    use_site(app, monkeypatch)
    db.session.rollback()
    file = tmp_path / "stories.jsonl"
    file.write_text(content)
    for arguments, name in (([str(file)], "stories.jsonl"), (["-"], "standard input")):
        result = runner.invoke(main, ["import", "jsonl", *arguments], input=content)
        assert result.exit_code == 1
        assert f"spectator: {name} is empty. It needs one JSON object per line." in result.output
        assert "added" not in result.output


def test_character_references_are_decoded_once(app: Flask) -> None:
    line = json.loads(case_text("2026-11/08-wordpress-leftovers.jsonl"))
    more = {
        "dek": "AT&amp;amp;T &#x2014; R&D &copy right",
        "authors": ["Ren&eacute; O&#39;Neill"],
    }
    more |= {
        "topics": ["Oil &amp; gas"],
        "source_name": "D&amp;D",
        "section": "Arts &amp; letters",
    }
    more |= {
        "source_url": "https://a.example/?a=1&amp;b=2",
        "countries": ["C&ocirc;te d&#8217;Ivoire"],
    }
    assert import_lines(app, line | more).refused == []
    article = articles()["Nigeria’s budget & debt"]
    assert article.slug == "nigerias-budget-debt"
    assert article.dek == "AT&amp;T — R&D &copy right"
    assert [author.name for author in article.authors] == ["René O'Neill"]
    assert [topic.name for topic in article.topics] == ["Oil & gas"]
    assert (article.source_name, article.source_url) == ("D&D", "https://a.example/?a=1&b=2")
    assert (article.section.name, article.section.slug) == ("Arts & letters", "arts-letters")
    assert [country.code for country in article.countries] == ["CI"]


def test_an_update_time_before_the_publication_is_dropped(app: Flask) -> None:
    with case_file("2026-11/11-draft-with-updated_at.jsonl").open("rb") as file:
        report = importing.import_records(jsonl.read(file, "en"), app.config["MEDIA"])
    assert report.added == 2
    assert {article.updated_at for article in articles().values()} == {None}
    story = {"body": "x", "published_at": "2026-05-01T08:00:00Z"}
    import_lines(
        app,
        story | {"headline": "Before", "updated_at": "2025-01-01T08:00:00Z"},
        story | {"headline": "After", "updated_at": "2026-06-01T08:00:00Z"},
        story
        | {
            "headline": "Later",
            "published_at": "2999-05-01T08:00:00Z",
            "updated_at": "2026-06-01T08:00:00Z",
        },
    )
    stored = articles()
    assert (stored["Before"].updated_at, stored["Later"].updated_at) == (None, None)
    assert stored["After"].updated_at == datetime(2026, 6, 1, 8, tzinfo=UTC)


def test_times_without_an_offset_are_in_the_newsrooms_time_zone(
    app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_site(app, monkeypatch)
    monkeypatch.setenv("SPECTATOR_TIMEZONE", "Africa/Lagos")  # UTC+1 all year
    db.session.rollback()
    file = tmp_path / "stories.jsonl"
    times = {
        "Zone": "2026-02-01T08:00:00",
        "Day": "2026-02-01",
        "Offset": "2026-02-01T08:00:00+03:00",
    }
    file.write_text(
        "\n".join(
            json.dumps({"headline": n, "body": "x", "published_at": at})
            for n, at in times.items()
        )
    )
    assert runner.invoke(main, ["import", "jsonl", str(file)]).exit_code == 0
    hours = {name: article.published_at for name, article in articles().items()}
    assert hours == {
        "Zone": datetime(2026, 2, 1, 7, tzinfo=UTC),
        "Day": datetime(2026, 1, 31, 23, tzinfo=UTC),
        "Offset": datetime(2026, 2, 1, 5, tzinfo=UTC),
    }


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Directory with a picture, links, a pipe, and a secret picture outside."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    (inside / "sub").mkdir(parents=True)
    outside.mkdir()
    for path in (inside / "sub" / "a b.png", outside / "secret.png"):
        Image.new("RGB", (64, 48), "green").save(path)
    (inside / "good-link.png").symlink_to(inside / "sub" / "a b.png")
    (inside / "bad-link.png").symlink_to(outside / "secret.png")
    (inside / "loop.png").symlink_to(inside / "loop.png")
    os.mkfifo(inside / "pipe.png")
    return inside


def with_picture(path: str) -> dict[str, object]:
    return {"headline": "A picture", "body": "x", "lead_image": path, "lead_image_alt": "Green"}


def test_pictures_outside_their_directory_are_refused(app: Flask, pictures: Path) -> None:
    good = [
        "sub/a b.png",
        str(pictures / "sub" / "a b.png"),
        f"file://{pictures}/sub/a%20b.png",
        "good-link.png",
    ]
    bad = [
        "../outside/secret.png",
        str(pictures.parent / "outside" / "secret.png"),
        "bad-link.png",
        "pipe.png",
    ]
    bad += [
        "sub",
        "missing.png",
        "nul\x00.png",
        "x" * 5000,
        "loop.png",
        "/dev/zero",
        "\ud800.png",
        "sub/../../outside/secret.png",
    ]
    report = import_lines(app, *map(with_picture, (*good, *bad)), pictures_dir=pictures)
    assert report.added == len(good)
    assert [line for line, _ in report.refused] == [
        f"line {number}" for number in range(5, 5 + len(bad))
    ]
    assert all(
        reason.startswith("lead_image: ") and "\n" not in reason for _, reason in report.refused
    )
    dry = import_lines(
        app, *map(with_picture, (*good, *bad)), pictures_dir=pictures, dry_run=True
    )
    assert (dry.added, len(dry.refused)) == (len(good), len(bad))


def test_an_import_from_a_stream_needs_a_directory_for_pictures(
    app: Flask, pictures: Path
) -> None:
    report = import_lines(app, with_picture("sub/a b.png"))
    assert report.refused == [
        ("line 1", "lead_image: name the directory of the pictures with --media DIR")
    ]


def test_the_media_option_names_the_directory_of_pictures(
    command: list[str], pictures: Path
) -> None:
    line = json.dumps(with_picture("sub/a b.png"))
    call = [*command, "-", "--media", str(pictures)]
    result = subprocess.run(call, input=line, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "1 added, 0 updated\n"), result.stderr


def test_an_error_in_one_line_is_reported_for_that_line(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importing.publishing.prepare

    def prepare(draft):  # type: ignore[no-untyped-def]
        if draft.headline == "Boom":
            raise ZeroDivisionError("nobody\nforesaw this")
        return real(draft)

    monkeypatch.setattr(importing.publishing, "prepare", prepare)
    good = {"headline": "Good", "body": "x"}
    bad: list[dict[str, object] | str] = [
        good | {"headline": "Boom"},
        good | {"id": "x" * 201},
        good | {"id": "\ud800"},
        good | {"published_at": "0001-01-01T00:00:00+14:00"},
        '{"headline": "x", "body": "y", "id": ' + "9" * 5000 + "}",
        "[" * 100_000,
        '{"headline": "\\ud800", "body": "\\ud800"}',
        good | {"slug": "\x00"},
        good | {"section": "\x00"},
    ]
    report = import_lines(app, good, *bad, good | {"headline": "Last"})
    assert report.added >= 2
    assert {"Good", "Last"} <= set(articles())
    refused = dict(report.refused)
    for number in range(2, 9):
        assert f"line {number}" in refused, report.refused
    assert all("\n" not in reason for reason in refused.values())


def test_sections_with_equal_slugs_stay_separate(app: Flask) -> None:
    names = ["سعيد", "سيد", "C++", "c#", "C#", "POLITICS"]
    lines = [
        {"body": "x", "headline": str(number), "section": name}
        for number, name in enumerate(names)
    ]
    report = import_lines(app, *lines)
    assert report.sections == ["سعيد", "سيد", "C++", "C#"]
    assert len({article.section.slug for article in articles().values()}) == 5
