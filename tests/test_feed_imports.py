"""`spectator import feed`: files, pipes and URLs, drafts and published stories, and repetition."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from spectator import publishing, queries
from spectator.cli import main
from spectator.db import db
from spectator.models import Article, User
from spectator.publishing import Action
from tests.conftest import use_site
from tests.feed_samples import item, rss

RunImport = Callable[..., Result]


@pytest.fixture
def run_import(
    app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RunImport:
    """Return a function that imports a feed from a file."""
    use_site(app, monkeypatch)

    def run(data: bytes, *options: str) -> Result:
        file = tmp_path / "feed.xml"
        file.write_bytes(data)
        return runner.invoke(main, ["import", "feed", str(file), *options])

    return run


def stories() -> list[Article]:
    db.session.rollback()
    db.session.expunge_all()
    return list(db.session.scalars(select(Article).order_by(Article.id)))


def test_entries_become_drafts_and_are_published_on_request(run_import: RunImport) -> None:
    result = run_import(rss(item()))
    assert result.exit_code == 0, result.output
    assert result.output.startswith("1 added, 0 updated\n")
    assert "entry 1: Not imported: https://wire.example/lead.jpg\n" in result.output
    [story] = stories()
    assert (story.status, story.headline) == ("draft", "Rain & relief")
    assert (story.source_name, story.published_at) == ("Sahel Wire", None)
    assert run_import(rss(item()), "--published").output.startswith("0 added, 1 updated\n")
    assert [story.status for story in stories()] == ["published"]


def test_importing_again_writes_nothing_and_keeps_what_editors_did(
    run_import: RunImport, editor: User
) -> None:
    run_import(rss(item(1)), "--published")
    result = run_import(rss(item(2), item(1)), "--published")
    assert result.output.startswith("1 added, 0 updated, 1 unchanged\n")
    versions = [story.version for story in stories()]
    result = run_import(rss(item(2), item(1)), "--published")
    assert result.output.startswith("0 added, 0 updated, 2 unchanged\n")
    assert [story.version for story in stories()] == versions
    publishing.apply_action(stories()[0].id, editor, Action("withdraw", note="An error."))
    changed = rss(item(2), item(1)).replace(b"came early", b"came late")
    result = run_import(changed, "--published")
    assert "entry 2: not overwritten, changed on this site: stays withdrawn" in result.output
    first, second = stories()
    assert (first.status, second.status) == ("withdrawn", "published")
    stored = queries.article_to_edit(second.id)
    assert stored is not None and "came late" in stored.body
    assert "<p><editor-note>Not imported: https://wire.example/lead.jpg</editor-note></p>" in (
        stored.body
    )


@pytest.mark.parametrize("options", [(), ("--overwrite",)])
def test_an_import_of_drafts_leaves_the_status_of_stored_stories(
    run_import: RunImport, options: tuple[str, ...]
) -> None:
    more = "<updated>2026-11-03T06:30:00Z</updated>"
    run_import(rss(item(1, more)), "--published")
    dates = [(story.published_at, story.updated_at) for story in stories()]
    assert dates[0][1] is not None
    result = run_import(rss(item(1, more)), *options)
    assert result.output.startswith("0 added, 0 updated, 1 unchanged\n")
    changed = rss(item(2), item(1, more)).replace(b"came early", b"came late")
    assert run_import(changed, *options).output.startswith("1 added, 1 updated\n")
    first, second = stories()
    assert (first.status, second.status) == ("published", "draft")
    assert (first.published_at, first.updated_at) == dates[0]
    run_import(changed, "--published")
    assert [story.status for story in stories()] == ["published", "published"]


def test_an_entry_that_loses_its_date_stays_published(run_import: RunImport) -> None:
    run_import(rss(item()), "--published")
    published_at = stories()[0].published_at
    undated = rss(item()).replace(b"pubDate>", b"noDate>").replace(b"came early", b"came late")
    assert run_import(undated, "--published").output.startswith("0 added, 1 updated\n")
    [after] = stories()
    assert (after.status, after.published_at) == ("published", published_at)


def test_a_dry_run_stores_nothing(run_import: RunImport) -> None:
    result = run_import(rss(item()), "--dry-run")
    assert result.output.startswith("1 added, 0 updated (dry run: nothing was saved)\n")
    assert stories() == []


def test_a_pipe_can_be_read(
    app: Flask, runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_site(app, monkeypatch)
    result = runner.invoke(main, ["import", "feed", "-"], input=rss(item()))
    assert result.output.startswith("1 added")


def test_what_is_no_feed_fails_in_one_line(run_import: RunImport) -> None:
    result = run_import(b"<html></html>")
    assert result.exit_code == 1
    assert "feed.xml: it is not a feed (RSS, Atom or JSON Feed)" in result.output
    assert len(result.output.splitlines()) == 1
    damaged = run_import(rss(item(), "<item>"))
    assert damaged.exit_code == 1
    assert "entry 2: it is damaged at byte" in damaged.output


class _FeedPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Send the feed."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(rss(item()))

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def feed_url() -> Iterator[str]:
    """Return the address of a feed on this machine."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _FeedPage)
    threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{httpd.server_port}/feed.xml"
    httpd.shutdown()
    httpd.server_close()


def test_a_url_on_this_machine_is_read_only_if_that_is_allowed(
    app: Flask, runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch, feed_url: str
) -> None:
    use_site(app, monkeypatch)
    refused = runner.invoke(main, ["import", "feed", feed_url])
    assert (refused.exit_code, len(refused.output.splitlines())) == (1, 1)
    assert "127.0.0.1 is not on the public Internet" in refused.output
    allowed = runner.invoke(main, ["import", "feed", feed_url, "--allow-loopback"])
    assert allowed.output.startswith("1 added"), allowed.output
    missing = runner.invoke(main, ["import", "feed", "/no/such/file"])
    assert missing.exit_code == 2
    assert "/no/such/file does not exist" in missing.output


def test_a_file_changes_no_story_that_came_from_a_url(
    run_import: RunImport, runner: FlaskCliRunner, feed_url: str
) -> None:
    runner.invoke(main, ["import", "feed", feed_url, "--allow-loopback", "--published"])
    forged = rss(item()).replace(b"https://www.wire.example/", feed_url.encode())
    changed = forged.replace(b"came early", b"came late")
    for options in ((), ("--url", "https://wire.example")):
        assert run_import(changed, *options).output.startswith("1 added, 0 updated\n")
    first = queries.article_to_edit(stories()[0].id)
    assert first is not None and "came early" in first.body
    assert run_import(changed, "--url", feed_url).output.startswith("0 added, 1 updated\n")
    refused = run_import(changed, "--url", "wire.example")
    assert (refused.exit_code, "wire.example is not a web address" in refused.output) == (2, True)


def test_a_file_is_of_this_site_only_if_the_option_says_so(
    run_import: RunImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    site_url = "https://news.example"
    monkeypatch.setenv("SPECTATOR_SITE_URL", site_url)
    claimed = rss(item()).replace(b"https://www.wire.example/", f"{site_url}/".encode())
    run_import(claimed)
    run_import(claimed, "--url", site_url)
    names = [(story.source_name, story.slug) for story in stories()]
    assert names == [("Sahel Wire", "rain-relief"), ("", "rain")]


def test_the_receipt_has_what_was_not_imported(run_import: RunImport, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.html"
    result = run_import(rss(item()), "--receipt", str(receipt))
    assert f"receipt: {receipt} " in result.output
    assert "Not imported: https://wire.example/lead.jpg" in receipt.read_text("utf-8")
