"""Copies in front of the site are renewed in every encoding after a withdrawal or a change."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask import Flask

from spectator import publishing
from spectator.db import db
from spectator.front_copies import ENCODINGS, OFFSET_FILE, FrontCopies
from spectator.models import Article, Author, FormerName, User
from spectator.publishing import Step
from tests.conftest import NEWEST, draft

Asked = list[tuple[str, str, str, str]]


class Front:
    """A web server in front: what it was asked, and the status that it answers with."""

    def __init__(self) -> None:
        self.asked: Asked = []
        self.status = 200
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                names = ("Host", "X-Spectator-Renew", "Accept-Encoding")
                host, renew, encoding = (self.headers.get(name, "") for name in names)
                front.asked.append((self.path, host, renew, encoding))
                self.send_response(front.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def copies(app: Flask, front: Front) -> FrontCopies:
    made = FrontCopies(app.config["DATA_DIR"], front.url, app.config["SITE_URL"])
    made.follow()  # it begins at the newest row
    return made


def follow(copies: FrontCopies) -> None:
    while copies.follow():
        pass


def test_a_withdrawal_renews_every_encoding_of_every_address(
    front: Front, copies: FrontCopies, editor: User, story: Callable[..., int]
) -> None:
    article_id = story(headline="First words")
    version = db.session.get_one(Article, article_id).version
    publishing.save(article_id, draft(headline="First words", slug="second"), editor, version, Step("update"))
    follow(copies)
    front.asked.clear()
    publishing.withdraw(article_id, editor, "A court ordered it.")
    follow(copies)
    lists = {"/", "/politics/", f"/archive/{NEWEST:%Y/%m}/"}
    paths = {"/politics/second", "/politics/first-words"} | lists | {f"{path}feed.xml" for path in lists}
    assert {path for path, _, _, _ in front.asked} == paths
    assert Counter(encoding for _, _, _, encoding in front.asked) == dict.fromkeys(ENCODINGS, len(paths))
    assert {(host, renew) for _, host, renew, _ in front.asked} == {("spectator.example", "1")}


def test_all_that_a_story_ever_showed_itself_under_is_renewed(
    app: Flask, front: Front, copies: FrontCopies, editor: User, story: Callable[..., int]
) -> None:
    app.config["PERMALINK"] = "/<year>/<section>/<slug>"
    names = {"topics": ("Old ports",), "authors": ("Mariam Bah",), "countries": ("ML",)}
    article_id = story(headline="Words", **names)
    app.config["PERMALINK"] = "/<section>/<slug>"

    def change(step: Step, **more: object) -> None:
        version = db.session.get_one(Article, article_id).version
        publishing.save(article_id, draft(headline="Words", **more), editor, version, step)

    change(Step("update", at=NEWEST.replace(year=2019, month=3), has_time=True), section="business", topics=("New",))
    change(Step("update"), section="culture", slug="other")
    story(headline="A draft's name is nobody's", topics=("Else",))
    with db.write() as session:
        author = session.query(Author).filter_by(name="Mariam Bah").one()
        session.add(FormerName(kind="author", part="slug", value="m-bah", owner_id=author.id))
    follow(copies)
    front.asked.clear()
    publishing.withdraw(article_id, editor, "A court ordered it.")
    follow(copies)
    asked = {path for path, _, _, _ in front.asked}
    own = {f"/{NEWEST:%Y}/politics/words", "/politics/words", "/business/words", "/culture/words", "/culture/other"}
    lists = {"/topic/old-ports/", "/topic/new/", "/author/mariam-bah/", "/author/m-bah/", "/country/mali/", "/"}
    lists |= {"/politics/", "/business/", "/culture/", f"/archive/{NEWEST:%Y/%m}/", "/archive/2019/03/"}
    assert own <= asked
    assert {path for path in asked if path.endswith("/")} == lists
    assert {path for path in asked if path.endswith(".xml")} == {f"{path}feed.xml" for path in lists}


def test_publications_leave_the_copies_alone(front: Front, copies: FrontCopies, story: Callable[..., int]) -> None:
    for number in range(30):
        story(headline=f"Story {number}")
    follow(copies)
    assert front.asked == []


def test_what_failed_is_tried_again_and_survives_a_restart(
    app: Flask, front: Front, copies: FrontCopies, editor: User, story: Callable[..., int]
) -> None:
    article_id = story(headline="First words")
    follow(copies)
    front.status = 502
    publishing.withdraw(article_id, editor, "A court ordered it.")
    assert not copies.follow()
    assert copies.retry_moment() > 0
    before = copies.offset
    assert before is not None
    assert copies.needs_after(10**6) == before, "the outbox keeps what still waits"
    front.status, front.asked = 200, []
    restarted = FrontCopies(app.config["DATA_DIR"], front.url, app.config["SITE_URL"])
    follow(restarted)
    assert ("/politics/first-words", "spectator.example", "1", "") in front.asked
    assert int((app.config["DATA_DIR"] / OFFSET_FILE).read_text("utf-8")) > before


@pytest.mark.parametrize("offset", ["", "rubbish", "999999"])
def test_an_impossible_offset_begins_at_the_newest_row(
    app: Flask, front: Front, story: Callable[..., int], offset: str
) -> None:
    story()
    (app.config["DATA_DIR"] / OFFSET_FILE).write_text(offset, "utf-8")
    made = FrontCopies(app.config["DATA_DIR"], front.url, app.config["SITE_URL"])
    follow(made)
    assert front.asked == []


def test_without_a_setting_nothing_is_asked(app: Flask, front: Front, editor: User, story: Callable[..., int]) -> None:
    made = FrontCopies(app.config["DATA_DIR"], app.config["FRONT_URL"], app.config["SITE_URL"])
    publishing.withdraw(story(), editor, "A court ordered it.")
    assert not made.follow()
    assert made.needs_after(5) == 5
