"""Cached copies in a proxy are renewed in every encoding after a withdrawal or change."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from spectator import outbox, proxy_cache, publishing, queries
from spectator.db import db
from spectator.models import Article, Author, FormerName, Page, User
from spectator.proxy_cache import (
    BATCH_SIZE,
    ENCODINGS,
    MAX_PAGE_FAILURES,
    OFFSET_FILE,
    REFRESH_ACTIONS,
    ProxyCacheRefresher,
)
from spectator.publishing import Action, pages
from spectator.publishing.import_batches import EVENTS
from spectator.publishing.page_drafts import PageDraft
from spectator.queries import public_paths
from tests.conftest import NEWEST, make_draft

Requests = list[tuple[str, str, str, str]]


class FakeProxy:
    """Web server that records requests and responds with `status`."""

    def __init__(self) -> None:
        self.requests: Requests = []
        self.status = 200
        self.failing: dict[str, int] = {}
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                names = ("Host", "X-Spectator-Renew", "Accept-Encoding")
                host, renew, encoding = (self.headers.get(name, "") for name in names)
                proxy.requests.append((self.path, host, renew, encoding))
                self.send_response(proxy.failing.get(self.path, proxy.status))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def proxy() -> Iterator[FakeProxy]:
    fake_proxy = FakeProxy()
    thread = threading.Thread(target=fake_proxy.server.serve_forever, args=(0.02,))
    thread.start()
    yield fake_proxy
    fake_proxy.server.shutdown()
    thread.join()
    fake_proxy.server.server_close()


@pytest.fixture
def refresher(app: Flask, proxy: FakeProxy) -> ProxyCacheRefresher:
    consumer = ProxyCacheRefresher(app.config["DATA_DIR"], proxy.url, app.config["SITE_URL"])
    consumer.catch_up()  # starts at the newest outbox row
    return consumer


def catch_up(refresher: ProxyCacheRefresher) -> None:
    while refresher.catch_up():
        pass


def test_a_withdrawal_renews_every_encoding_of_every_url(
    proxy: FakeProxy, refresher: ProxyCacheRefresher, editor: User, story: Callable[..., int]
) -> None:
    article_id = story(headline="First words")
    version = db.session.get_one(Article, article_id).version
    publishing.save(
        article_id,
        make_draft(headline="First words", slug="second"),
        editor,
        version,
        Action("update"),
    )
    catch_up(refresher)
    proxy.requests.clear()
    publishing.apply_action(article_id, editor, Action("withdraw", note="A court ordered it."))
    catch_up(refresher)
    lists = {"/", "/politics/", f"/archive/{NEWEST:%Y/%m}/"}
    paths = (
        {"/politics/second", "/politics/first-words"}
        | lists
        | {f"{path}feed.xml" for path in lists}
    )
    assert {path for path, _, _, _ in proxy.requests} == paths
    assert Counter(encoding for _, _, _, encoding in proxy.requests) == dict.fromkeys(
        ENCODINGS, len(paths)
    )
    assert {(host, renew) for _, host, renew, _ in proxy.requests} == {("spectator.example", "1")}


def test_all_former_urls_and_lists_of_a_story_are_renewed(
    app: Flask,
    proxy: FakeProxy,
    refresher: ProxyCacheRefresher,
    editor: User,
    story: Callable[..., int],
) -> None:
    app.config["PERMALINK"] = "/<year>/<section>/<slug>"
    names = {"topics": ("Old ports",), "authors": ("Mariam Bah",), "countries": ("ML",)}
    article_id = story(headline="Words", **names)
    app.config["PERMALINK"] = "/<section>/<slug>"

    def change(step: Action, **more: object) -> None:
        version = db.session.get_one(Article, article_id).version
        publishing.save(article_id, make_draft(headline="Words", **more), editor, version, step)

    change(
        Action("update", at=NEWEST.replace(year=2019, month=3), has_time=True),
        section="business",
        topics=("New",),
    )
    change(Action("update"), section="culture", slug="other")
    story(headline="A draft's name is nobody's", topics=("Else",))
    with db.write() as session:
        author = session.query(Author).filter_by(name="Mariam Bah").one()
        session.add(FormerName(kind="author", part="slug", value="m-bah", owner_id=author.id))
    catch_up(refresher)
    proxy.requests.clear()
    publishing.apply_action(article_id, editor, Action("withdraw", note="A court ordered it."))
    catch_up(refresher)
    requested = {path for path, _, _, _ in proxy.requests}
    own = {
        f"/{NEWEST:%Y}/politics/words",
        "/politics/words",
        "/business/words",
        "/culture/words",
        "/culture/other",
    }
    lists = {
        "/topic/old-ports/",
        "/topic/new/",
        "/author/mariam-bah/",
        "/author/m-bah/",
        "/country/mali/",
        "/",
    }
    lists |= {
        "/politics/",
        "/business/",
        "/culture/",
        f"/archive/{NEWEST:%Y/%m}/",
        "/archive/2019/03/",
    }
    assert own <= requested
    assert {path for path in requested if path.endswith("/")} == lists
    assert {path for path in requested if path.endswith(".xml")} == {
        f"{path}feed.xml" for path in lists
    }


def test_names_of_revisions_that_nobody_could_read_are_not_looked_up(
    editor: User, story: Callable[..., int]
) -> None:
    for topic in ("Ports", "Dams"):
        story(headline=f"About {topic}", topics=(topic,))
    article_id = publishing.create(make_draft(topics=("Ports",)), editor)

    def save(name: str, *topics: str) -> None:
        version = db.session.get_one(Article, article_id).version
        publishing.save(article_id, make_draft(topics=topics), editor, version, Action(name))

    save("save", "Dams")
    publishing.restore(article_id, editor, 1, db.session.get_one(Article, article_id).version)
    save("publish", "Roads")
    save("update")
    topics = [path for path in queries.listing_paths([article_id]) if path.startswith("/topic/")]
    assert topics == ["/topic/roads/"]


def test_names_are_looked_up_a_few_at_a_time(
    editor: User, story: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite and PostgreSQL limit the variables of a statement."""
    monkeypatch.setattr(public_paths, "NAME_BATCH", 2)
    names = [f"Topic {letter}" for letter in "abcdefghijkl"]
    article_id = story(topics=tuple(names))
    publishing.save(article_id, make_draft(), editor, 2, Action("update"))
    variables: list[int] = []

    def count(*arguments: Any) -> None:
        variables.append(len(arguments[3]))

    event.listen(db.engine, "before_cursor_execute", count)
    paths = queries.listing_paths([article_id])
    event.remove(db.engine, "before_cursor_execute", count)
    assert [path for path in paths if "topic" in path] == [
        f"/topic/topic-{letter}/" for letter in "abcdefghijkl"
    ]
    assert len(variables) > 12 and max(variables) < 20


def test_a_storys_own_pages_are_renewed_before_its_lists_are_looked_up(
    proxy: FakeProxy,
    refresher: ProxyCacheRefresher,
    editor: User,
    story: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_ids: set[int]) -> list[str]:
        raise ValueError("a list")

    monkeypatch.setattr(queries, "listing_paths", fail)
    article_id = story(headline="First words")
    publishing.save(article_id, make_draft(headline="Others"), editor, 2, Action("update"))
    with pytest.raises(ValueError, match="a list"):
        refresher.catch_up()
    assert {path for path, _, _, _ in proxy.requests} >= {"/politics/first-words"}


def test_publications_renew_no_copies(
    proxy: FakeProxy, refresher: ProxyCacheRefresher, story: Callable[..., int]
) -> None:
    for number in range(30):
        story(headline=f"Story {number}")
    catch_up(refresher)
    assert proxy.requests == []


def test_a_withdrawal_does_not_wait_for_earlier_changes(
    proxy: FakeProxy, refresher: ProxyCacheRefresher, editor: User, story: Callable[..., int]
) -> None:
    ids = [story(headline=f"Story {number}") for number in range(2 * BATCH_SIZE)]
    last = story(headline="Secret")
    for article_id in ids:
        publishing.save(article_id, make_draft(headline="Changed"), editor, 2, Action("update"))
    publishing.apply_action(last, editor, Action("withdraw", note="A court ordered it."))
    assert refresher.catch_up()
    first = [path for path, _, _, _ in proxy.requests][: len(ENCODINGS)]
    assert first == ["/politics/secret"] * len(ENCODINGS)
    catch_up(refresher)
    assert Counter(path for path, _, _, _ in proxy.requests)["/politics/secret"] == 8


@pytest.mark.parametrize(("status", "is_skipped"), [(500, True), (502, False), (504, False)])
def test_other_pages_are_refreshed_while_one_always_fails(
    proxy: FakeProxy,
    refresher: ProxyCacheRefresher,
    editor: User,
    story: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    is_skipped: bool,
) -> None:
    monkeypatch.setattr(proxy_cache, "RETRY_SECONDS", 0.0)
    bad, good = story(headline="Bad"), story(headline="Good")
    proxy.failing = {"/politics/bad": status}
    for article_id in (bad, good):
        publishing.apply_action(
            article_id, editor, Action("withdraw", note="A court ordered it.")
        )
    for _ in range(MAX_PAGE_FAILURES):
        assert not refresher.catch_up()
    assert "/politics/good" not in {path for path, _, _, _ in proxy.requests}
    proxy.status = 502
    assert not refresher.catch_up(), "the whole site is down"
    proxy.status = 200
    assert refresher.catch_up() == is_skipped
    assert ("/politics/good" in {path for path, _, _, _ in proxy.requests}) == is_skipped


def test_an_import_that_changes_a_public_story_renews_its_copies() -> None:
    events = {event for (was_public, _), event in EVENTS.items() if was_public}
    assert events and events <= REFRESH_ACTIONS


def test_a_failed_renewal_is_tried_again_after_a_restart(
    app: Flask,
    proxy: FakeProxy,
    refresher: ProxyCacheRefresher,
    editor: User,
    story: Callable[..., int],
) -> None:
    article_id = story(headline="First words")
    catch_up(refresher)
    proxy.status = 502
    publishing.apply_action(article_id, editor, Action("withdraw", note="A court ordered it."))
    assert not refresher.catch_up()
    assert refresher.next_retry_at() > 0
    before = refresher.offset
    assert before is not None
    assert refresher.prunable_through(10**6) == before, (
        "rows of the failed renewal are not pruned"
    )
    proxy.status, proxy.requests = 200, []
    restarted = ProxyCacheRefresher(app.config["DATA_DIR"], proxy.url, app.config["SITE_URL"])
    catch_up(restarted)
    assert ("/politics/first-words", "spectator.example", "1", "") in proxy.requests
    assert int((app.config["DATA_DIR"] / OFFSET_FILE).read_text("utf-8")) > before


@pytest.mark.parametrize("offset", ["", "rubbish", "999999"])
def test_an_impossible_offset_begins_at_the_newest_row(
    app: Flask, proxy: FakeProxy, story: Callable[..., int], offset: str
) -> None:
    story()
    (app.config["DATA_DIR"] / OFFSET_FILE).write_text(offset, "utf-8")
    consumer = ProxyCacheRefresher(app.config["DATA_DIR"], proxy.url, app.config["SITE_URL"])
    catch_up(consumer)
    assert proxy.requests == []


def test_a_host_that_was_away_for_too_long_says_what_to_do(
    app: Flask,
    refresher: ProxyCacheRefresher,
    story: Callable[..., int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(3):
        story(headline=f"Story {number}")
    refresher.offset_file.write_text("1")
    catch_up(refresher)
    assert "delete the files" not in caplog.text
    outbox.prune(outbox.newest_number())
    refresher.offset_file.write_text("1")
    refresher.offset = None
    catch_up(refresher)
    assert caplog.text.count("delete the files in nginx's cache") == 1


def test_without_the_setting_no_requests_are_sent(
    app: Flask, proxy: FakeProxy, editor: User, story: Callable[..., int]
) -> None:
    consumer = ProxyCacheRefresher(
        app.config["DATA_DIR"], app.config["FRONT_URL"], app.config["SITE_URL"]
    )
    publishing.apply_action(story(), editor, Action("withdraw", note="A court ordered it."))
    assert not consumer.catch_up()
    assert consumer.prunable_through(5) == 5


def test_a_changed_page_is_renewed_at_all_its_urls(
    proxy: FakeProxy, refresher: ProxyCacheRefresher, editor: User
) -> None:
    page_id = pages.create_page(PageDraft("About", "We report.", "about"), editor, "publish")
    version = db.session.get_one(Page, page_id).version
    renamed = PageDraft("About", "We report.", "who-we-are")
    pages.save_page(page_id, renamed, editor, version, "update")
    pages.create_page(PageDraft("Draft", "Secret.", "draft"), editor)
    catch_up(refresher)
    proxy.requests.clear()
    pages.apply_page_action(page_id, editor, "withdraw", "Old.")
    catch_up(refresher)
    assert Counter(path for path, *_ in proxy.requests) == {
        "/about": len(ENCODINGS),
        "/who-we-are": len(ENCODINGS),
    }
