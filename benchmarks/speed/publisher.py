"""Publishes and corrects stories, and asks at once for the page.

`python -m benchmarks.speed.publisher PORT NUMBER PAUSE` prints a JSON list with one row for each act: the milliseconds
of the first request whose answer was new, those from the commit to that answer, and the statuses of every answer. A
process of its own, like the newsroom's.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from flask import Flask

from spectator import accounts, create_app, publishing, queries
from spectator.db import db
from spectator.models import User
from spectator.urls import permalink

TIMEOUT_SECONDS = 10.0
LETTERS = "bcdfghjklmnpqrstvwxz"


def unique_word(number: int) -> str:
    """Return a word that no story has."""
    return "zz" + "".join(LETTERS[number // 20**place % 20] for place in range(3))


def publish_or_correct(number: int, by: User, article_ids: list[int]) -> str:
    """Correct a story that readers know, or publish a new one, in turn; return the path of its page."""
    word = unique_word(number)
    if number % 2:
        draft = publishing.Draft(
            headline=f"New {word}", body=f"{word} is told here. " * 100, section="politics"
        )
        article_id = publishing.create(draft, by, publishing.Action("publish"))
    else:
        article_id = article_ids[number // 2 % len(article_ids)]
        article = queries.article_to_edit(article_id)
        assert article is not None
        draft = publishing.draft_from_article(article)
        publishing.save(
            article_id,
            draft,
            by,
            article.version,
            publishing.Action("correct", note=f"It is {word}."),
        )
    article = queries.published_article(article_id)
    assert article is not None
    return permalink(article)


def wait_until_fresh(address: str, word: str) -> dict[str, Any]:
    """Ask until an answer holds the word; return what that took. Raises TimeoutError."""
    started, statuses = time.perf_counter(), []
    while time.perf_counter() - started < TIMEOUT_SECONDS:
        asked = time.perf_counter()
        status, body = fetch(address)
        now = time.perf_counter()
        statuses.append(status)
        if status == 200 and word.encode() in body:
            return {
                "request": (now - asked) * 1000,
                "seen": (now - started) * 1000,
                "statuses": statuses,
            }
    raise TimeoutError(f"{address} does not show {word}: {statuses[-5:]}")


def fetch(address: str) -> tuple[int, bytes]:
    """Return status and body, just as they are."""
    try:
        with urlopen(
            Request(address, headers={"Accept-Encoding": "identity"}), timeout=TIMEOUT_SECONDS
        ) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def run(app: Flask, port: int, number: int, pause_seconds: float) -> list[dict[str, Any]]:
    """Act, ask, pause, that many times."""
    rows = []
    with app.test_request_context():
        user_id, _ = accounts.add_user("bench@news.example", "Bench", "editor")
        by = db.session.get(User, user_id)
        assert by is not None
        db.session.refresh(by)
        db.session.expunge(by)
        known = [article.id for article in db.session.scalars(queries.select_published().limit(10))]
        for each in range(number):
            path = publish_or_correct(each, by, known)
            rows.append(wait_until_fresh(f"http://127.0.0.1:{port}{path}", unique_word(each)))
            db.session.rollback()
            time.sleep(pause_seconds)
        db.session.remove()
    return rows


def main() -> None:
    """Publish on the site of this environment, and print."""
    port, number, pause = sys.argv[1:]
    app = create_app(
        {name: value for name, value in os.environ.items() if name.startswith("SPECTATOR_")}
    )
    print(json.dumps(run(app, int(port), int(number), float(pause))))


if __name__ == "__main__":
    main()
