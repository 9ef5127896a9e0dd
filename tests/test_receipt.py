"""The receipt of an import says what readers get at old addresses, and can be replayed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select
from werkzeug.serving import make_server

from spectator import outbox, publishing
from spectator.cli import main
from spectator.db import db
from spectator.importers import receipt as receipts
from spectator.importers.receipt import Receipt
from spectator.models import Article, User
from spectator.publishing import Action
from tests.conftest import make_draft, use_site
from tests.page_checks import Page

OLD = "https://old.example"
STORIES: list[dict[str, Any]] = [
    {
        "id": "wp:7",
        "headline": "The rains",
        "body": "Rain.",
        "published_at": "2024-05-17T08:00:00Z",
        "addresses": [f"{OLD}/?p=7", f"{OLD}/2024/05/the-rains/", f"{OLD}/politics/the-rains"],
    },
    {"id": "wp:8", "headline": "A draft", "body": "Secret.", "addresses": [f"{OLD}/?p=8"]},
    {
        "id": "wp:9",
        "headline": "ዝናብ <b>",
        "slug": "rain",
        "body": "Rain.",
        "published_at": "2024-05-18T08:00:00Z",
        "addresses": [f"{OLD}/2024/05/%e1%8b%9d%e1%8a%93%e1%89%a5/"],
    },
]


@pytest.fixture
def stories(tmp_path: Path) -> Path:
    """File of stories with the addresses that they had on an older site."""
    path = tmp_path / "stories.jsonl"
    path.write_text("\n".join(map(json.dumps, STORIES)), encoding="utf-8")
    return path


@pytest.fixture
def run(
    app: Flask, runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a command and returns its exit code and output."""
    use_site(app, monkeypatch)

    def invoke(*arguments: object) -> tuple[int, str]:
        result = runner.invoke(main, [str(argument) for argument in arguments])
        return result.exit_code, result.output

    return invoke


@pytest.fixture
def base(app: Flask) -> Iterator[str]:
    """Address of a server of the site."""
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever, name="test-server")
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def answers(path: Path) -> dict[str, tuple[int, str, str]]:
    """Return status, location and problem of each address of a receipt."""
    rows = json.loads(path.with_suffix(".json").read_bytes())["addresses"]
    return {row["address"]: (row["status"], row["location"], row["problem"]) for row in rows}


def test_a_receipt_says_what_readers_get_and_can_be_replayed(
    run: Callable[..., tuple[int, str]], stories: Path, tmp_path: Path, base: str
) -> None:
    receipt = tmp_path / "receipt.html"
    code, output = run("import", "jsonl", stories, "--receipt", receipt)
    assert code == 0
    assert "(old addresses: 5, without their page: 0)" in output
    assert answers(receipt) == {
        "/?p=7": (301, "/politics/the-rains", ""),
        "/2024/05/the-rains/": (301, "/politics/the-rains", ""),
        "/politics/the-rains": (200, "", ""),
        "/?p=8": (404, "", ""),
        "/2024/05/%E1%8B%9D%E1%8A%93%E1%89%A5/": (301, "/politics/rain", ""),
    }
    for name in (receipt, receipt.with_suffix(".json")):
        code, output = run("check-addresses", name, "--base", base)
        assert (code, output.splitlines()[-1]) == (0, "5 of 5 addresses answer rightly.")
    assert receipt.stat().st_mode & 0o777 == 0o600


def test_a_replay_names_every_address_that_answers_otherwise(
    run: Callable[..., tuple[int, str]],
    stories: Path,
    tmp_path: Path,
    base: str,
    editor: User,
) -> None:
    receipt = tmp_path / "receipt.html"
    run("import", "jsonl", stories, "--receipt", receipt)
    db.session.rollback()
    article_id = db.session.scalars(select(Article.id).where(Article.slug == "the-rains")).one()
    draft = make_draft(headline="The rains", slug="rains")
    publishing.save(article_id, draft, editor, 1, Action("update"))
    code, output = run("check-addresses", receipt, "--base", base)
    assert code == 1
    lines = output.splitlines()
    assert ("/?p=7: 301 /politics/rains, but the receipt says 301 /politics/the-rains") in lines
    assert "/politics/the-rains: 301 /politics/rains, but the receipt says 200" in lines
    assert lines[-1] == "2 of 5 addresses answer rightly."


def test_importing_again_registers_nothing_anew(
    run: Callable[..., tuple[int, str]], stories: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.html", tmp_path / "second.html"
    run("import", "jsonl", stories, "--receipt", first)
    newest = outbox.newest_number()
    assert run("import", "jsonl", stories, "--receipt", second)[0] == 0
    assert outbox.newest_number() == newest
    assert answers(first) == answers(second)


def test_a_dry_run_registers_nothing_and_writes_no_receipt(
    run: Callable[..., tuple[int, str]], stories: Path, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.html"
    newest = outbox.newest_number()
    code, output = run("import", "jsonl", stories, "--dry-run", "--receipt", receipt)
    assert code == 0 and "No receipt was written" in output
    assert not receipt.exists() and outbox.newest_number() == newest


def test_problems_come_first_and_the_page_is_complete_and_safe(
    app: Flask, story: Callable[..., int], tmp_path: Path
) -> None:
    story(headline="One")
    with db.write() as session:
        session.scalars(select(Article)).one().external_id = "id:1"
        publishing.register_old_addresses(
            session,
            [
                ("/gone", ("gone", "No comments here.")),
                ("/front", ("path", "/")),
                ("/away", ("path", "/nowhere/")),
                ("/wrong", ("list", "/business/")),
            ],
        )
    receipt = Receipt("<script>alert(1)</script>")
    receipt.add_address("/politics/one", "id:1")
    receipt.add_address("/business/", None)
    receipt.add_address("/wrong", "id:1")
    receipt.add_address("/front")
    receipt.add_address("/away")
    receipt.add_address("/lost", "id:1")
    receipt.add_address("/politics/one", "id:unknown")
    receipt.add_address("http://[")
    receipt.add_gone("/gone", "No comments here.")
    receipt.add_story("<i>line 1</i>", "id:1", ["The table “<b>” was dropped."])
    receipt.count("comments left behind", 3)
    path = tmp_path / "receipt.html"
    totals = receipt.write(path)
    assert totals == {"200": 2, "410": 1, "missing": 4, "elsewhere": 1}
    problems = {address: problem for address, (_, _, problem) in answers(path).items()}
    assert problems["/front"] == problems["/away"] == problems["/lost"] == "missing"
    assert problems["/wrong"] == "elsewhere" and problems["/gone"] == ""
    text = path.read_text("utf-8")
    page = Page(text)
    assert not page.find_all("script", "link", "img", "i", "b")
    assert [attrs.get("lang") for attrs in page.find_all("html")] == ["en"]
    assert text.index("/lost") < text.index("All old addresses") < text.rindex("/business/")
    assert "The table “&lt;b&gt;” was dropped." in text and "comments left behind" in text
    assert json.loads(path.with_suffix(".json").read_bytes())["counts"] == {
        "comments left behind": 3
    }


def test_a_problem_of_the_receipt_fails_its_replay(
    run: Callable[..., tuple[int, str]], tmp_path: Path, base: str
) -> None:
    receipt = Receipt()
    receipt.add_address("/lost", "id:1")
    receipt.write(tmp_path / "receipt.html")
    code, output = run("check-addresses", tmp_path / "receipt.json", "--base", base)
    assert code == 1
    assert "/lost: 404, which is not its page" in output


def test_a_redirect_to_a_page_that_is_lost_fails(
    run: Callable[..., tuple[int, str]], tmp_path: Path, base: str, app: Flask
) -> None:
    with db.write() as session:
        publishing.register_old_addresses(session, [("/a", ("path", "/nowhere/"))])
    row = {"address": "/a", "status": 301, "location": "/nowhere/", "problem": ""}
    text = {"format": 1, "site": "https://spectator.example", "addresses": [row]}
    (tmp_path / "receipt.json").write_text(json.dumps(text))
    code, output = run("check-addresses", tmp_path / "receipt.json", "--base", base)
    assert code == 1 and "/a: 301 /nowhere/ → 404" in output


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"format": 2, "addresses": [], "site": ""}',
        '{"format": 1, "addresses": [1], "site": ""}',
        '{"format": 1, "site": "", "addresses": [{"address": "x", "status": 200,'
        ' "location": "", "problem": ""}]}',
        '{"format": 1, "site": "", "addresses": [{"address": "/x", "status": "200",'
        ' "location": "", "problem": ""}]}',
    ],
)
def test_a_file_that_is_no_receipt_is_named_in_one_line(
    text: str, run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    path = tmp_path / "receipt.json"
    path.write_text(text)
    code, output = run("check-addresses", path, "--base", "http://127.0.0.1:9")
    assert (code, output) == (1, f"spectator: {path} is not a receipt of an import.\n")


def test_a_wrong_base_or_a_silent_site_is_said_in_one_line(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    Receipt().write(tmp_path / "receipt.html")
    for base in ("ftp://a.example", "127.0.0.1:8000", "http://", "http://a:b"):
        assert run("check-addresses", tmp_path / "receipt.html", "--base", base)[0] == 2
    receipt = Receipt()
    receipt.add_address("/")
    receipt.write(tmp_path / "receipt.html")
    code, output = run(
        "check-addresses", tmp_path / "receipt.html", "--base", "http://127.0.0.1:9"
    )
    assert code == 1 and "does not answer" in output.splitlines()[-1]


def test_an_interrupted_write_leaves_the_former_receipt(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "receipt.html"
    Receipt("first").write(path)
    monkeypatch.setattr(receipts, "_json_text", lambda *_: iter(["x", None]))
    with pytest.raises(TypeError):
        Receipt("second").write(path)
    assert "first" in path.read_text() and "first" in path.with_suffix(".json").read_text()
    assert {file.name for file in tmp_path.glob(".receipt*")} == set()
