"""What an import prints: a sentence for each line that is wrong, and counts of the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner

from spectator import publishing
from spectator.cli import main
from spectator.importers import jsonl
from spectator.importers import runner as import_runner
from spectator.importers.jsonl import MAX_LINE_BYTES
from spectator.importers.records import Record
from tests.conftest import use_site

RunImport = Callable[..., Result]
STORY = {"id": "a", "headline": "First", "body": "Old text."}
TOO_LONG_LINE = "x" * (MAX_LINE_BYTES + 1)


@pytest.fixture
def run_import(
    app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RunImport:
    """Return a function that imports lines from a file."""
    use_site(app, monkeypatch)

    def run(*lines: dict[str, object] | str, options: tuple[str, ...] = ()) -> Result:
        file = tmp_path / "stories.jsonl"
        file.write_text(
            "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
        )
        return runner.invoke(main, ["import", "jsonl", str(file), *options])

    return run


def read_line(line: dict[str, Any] | str) -> Any:
    """Return the record of one line, or its location and error."""
    data = line if isinstance(line, str) else json.dumps(line)
    [entry] = jsonl.read(BytesIO(data.encode()), "fr", ZoneInfo("Africa/Lagos"))
    return entry


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON: Expecting property name enclosed in double quotes"),
        ("[]", "not a JSON object"),
        ({"body": "x"}, "“headline” is missing"),
        ({"headline": "x", "body": " "}, "“body” is missing"),
        (STORY | {"dek": 7}, "“dek” must be a string"),
        (STORY | {"id": True}, "“id” must be a string"),
        (STORY | {"topics": [7]}, "“topics” must be a list of strings"),
        (STORY | {"authors": {"a": 1}}, "“authors” must be a list of strings"),
        (
            STORY | {"published_at": "yesterday"},
            "“published_at” is not an RFC 3339 date and time: yesterday",
        ),
        (
            STORY | {"updated_at": "0999-01-01T00:00:00Z"},
            "“updated_at” must be between the years 1000 and 9000: 0999-01-01T00:00:00Z",
        ),
        (
            STORY | {"status": "live"},
            "“status” must be one of draft, review, scheduled, published, withdrawn",
        ),
        (STORY | {"status": "published"}, "a published story needs “published_at”"),
        (
            STORY | {"lead_image": "https://a.example/b.jpg"},
            "“lead_image” must be a local file. Download the picture first.",
        ),
        (TOO_LONG_LINE, "longer than 4 MB"),
    ],
)
def test_a_wrong_line_is_refused_with_a_sentence(
    line: dict[str, Any] | str, message: str
) -> None:
    location, error = read_line(line)
    assert location == "line 1"
    assert str(error).startswith(message)


def test_lines_up_to_the_limit_are_read_even_after_a_longer_line() -> None:
    start, end = json.dumps(STORY)[:-1] + ', "dek": "', '"}\n'
    longest = start + "x" * (MAX_LINE_BYTES - len(start) - len(end)) + end
    assert len(longest) == MAX_LINE_BYTES
    lines = ["\n", TOO_LONG_LINE * 2 + "\n", longest, " \n", json.dumps(STORY)]
    too_long, *records = jsonl.read(BytesIO("".join(lines).encode()), "en")
    assert isinstance(too_long, tuple) and too_long[0] == "line 2"
    # Lines 1 and 4 are empty.
    assert [entry.location for entry in records if isinstance(entry, Record)] == [
        "line 3",
        "line 5",
    ]


def test_missing_fields_get_defaults_and_short_forms_are_accepted() -> None:
    record = read_line(STORY | {"id": 7, "author": "Ama", "topics": "Budget"})
    assert (record.external_id, record.draft.authors, record.draft.topics) == (
        "7",
        ("Ama",),
        ("Budget",),
    )
    assert (record.draft.language, record.section, record.status) == ("fr", "politics", "draft")
    assert record.unknown_keys == () and record.picture == ""
    dated = read_line(
        STORY | {"published_at": "2026-01-02T03:04:05", "lead_image": "file://a%20b"}
    )
    assert f"{dated.published_at:%Y-%m-%dT%H:%M:%S%z}" == "2026-01-02T02:04:05+0000"
    assert (dated.status, dated.picture) == ("published", "a b")
    assert read_line(STORY | {"published_at": "8999-01-01T00:00:00Z"}).status == "scheduled"
    for status in ("draft", "withdrawn"):
        record = read_line(STORY | {"status": status, "published_at": "2026-01-02"})
        assert record.status == status


def test_the_size_of_a_record_is_that_of_its_line() -> None:
    long_key = STORY | {"x" * 500: ["y" * 500], "dek": "z" * 500}
    assert read_line(long_key).size == len(json.dumps(long_key))


def test_a_report_remembers_a_bounded_part_of_a_long_file(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has bad lines, long reasons and many long keys."""
    keys = [{f"{line}-{number}-{'k' * 200}": 0 for number in range(500)} for line in range(3)]
    assert len(read_line(STORY | keys[0]).unknown_keys) == jsonl.MAX_UNKNOWN_KEYS
    # “admin ! ! …” gets the reserved slug “admin”; the reason for refusing it quotes the long name.
    lines = [STORY | more for more in keys] + [STORY | {"section": "admin" + " !" * 5000}]
    data = "\n".join([*map(json.dumps, lines), *["x"] * 3000])
    report = import_runner.import_records(
        jsonl.read(BytesIO(data.encode()), "en"), app.config["MEDIA"]
    )
    assert (report.refused_count, len(report.refused)) == (3001, 1000)
    assert (len(report.unknown_keys), report.has_more_unknown_keys) == (100, True)
    assert max(map(len, report.unknown_keys)) == 40
    texts = [*report.unknown_keys, *(text for pair in report.refused for text in pair)]
    assert max(map(len, texts)) <= 500 and sum(map(len, texts)) < 100_000


def test_only_the_first_thousand_preserved_stories_are_listed() -> None:
    """Stories that were edited on the site keep their text."""
    total = publishing.ImportResult()
    for _ in range(3):
        batch = publishing.ImportResult()
        for number in range(500):
            batch.preserve(f"line {number}", "headline")
        total.add(batch)
    assert (total.preserved_count, len(total.preserved)) == (1500, 1000)


def test_a_truncated_report_says_so(run_import: RunImport) -> None:
    line = STORY | {f"key{number:03}": 0 for number in range(101)}
    result = run_import(line, *["x"] * 1002)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1].endswith("key099 (1) and others")
    assert result.stderr.splitlines()[-1] == "and 2 more"


def test_the_report_counts_and_names_what_it_could_not_use(run_import: RunImport) -> None:
    second = STORY | {"id": "b", "section": "Béton", "mood": "sad", "genre": "x"}
    third = STORY | {"id": "c", "section": "Coast", "mood": "sad"}
    dry = run_import(STORY, second, options=("--dry-run",))
    assert dry.exit_code == 0
    assert dry.stdout.startswith("2 added, 0 updated (dry run: nothing was saved)\n")
    result = run_import(STORY, second, third, "{")
    assert result.exit_code == 1
    _progress, *lines = result.output.splitlines()
    assert lines[:3] == [
        "3 added, 0 updated",
        "sections created: Béton, Coast",
        "unknown keys ignored: genre (1), mood (2)",
    ]
    assert lines[3].startswith("line 4: not JSON: ") and len(lines) == 4
    again = run_import(STORY, second | {"headline": "Second"}, third)
    assert again.stdout.splitlines() == [
        "0 added, 1 updated, 2 unchanged",
        "unknown keys ignored: genre (1), mood (2)",
    ]
    assert again.exit_code == 0
