"""Process that publishes and corrects stories and immediately requests each page.

`python -m benchmarks.speed.publisher PORT NUMBER PAUSE` prints a JSON list with one row for each
publication or correction: `request`, the milliseconds of the first request whose response has the
new text; `seen`, the milliseconds from the commit to that response; and the `statuses` of all
responses.
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
CONSONANTS = "bcdfghjklmnpqrstvwxz"


def unique_word(number: int) -> str:
    """Return a word that is in no generated story and differs for every number."""
    return "zz" + "".join(CONSONANTS[number // 20**digit % 20] for digit in range(3))


def add_editor(email: str) -> User:
    """Return a new editor that belongs to no session."""
    user_id, _ = accounts.add_user(email, "Bench", "editor")
    by = db.session.get(User, user_id)
    assert by is not None
    db.session.refresh(by)
    db.session.expunge(by)
    return by


def publish_or_correct(number: int, by: User, article_ids: list[int]) -> str:
    """Correct a story (even numbers) or publish a new one (odd numbers); return its path."""
    word = unique_word(number)
    if number % 2:
        draft = publishing.Draft(
            headline=f"New {word}", body=f"{word} appears here. " * 100, section="politics"
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
    """Request until a response has the word; return the timings. Raise TimeoutError."""
    started, statuses = time.perf_counter(), []
    while time.perf_counter() - started < TIMEOUT_SECONDS:
        sent_at = time.perf_counter()
        status, body = fetch(address)
        now = time.perf_counter()
        statuses.append(status)
        if status == 200 and word.encode() in body:
            return {
                "request": (now - sent_at) * 1000,
                "seen": (now - started) * 1000,
                "statuses": statuses,
            }
    raise TimeoutError(f"{word} did not appear on {address}; last statuses: {statuses[-5:]}")


def fetch(address: str) -> tuple[int, bytes]:
    """Return status and raw body."""
    try:
        with urlopen(
            Request(address, headers={"Accept-Encoding": "identity"}), timeout=TIMEOUT_SECONDS
        ) as response:
            return response.status, response.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def run(app: Flask, port: int, number: int, pause_seconds: float) -> list[dict[str, Any]]:
    """Publish, request and pause `number` times; return the timings."""
    rows = []
    with app.test_request_context():
        by = add_editor("bench@news.example")
        article_ids = [
            article.id for article in db.session.scalars(queries.select_published().limit(10))
        ]
        for index in range(number):
            path = publish_or_correct(index, by, article_ids)
            rows.append(wait_until_fresh(f"http://127.0.0.1:{port}{path}", unique_word(index)))
            db.session.rollback()
            time.sleep(pause_seconds)
        db.session.remove()
    return rows


def main() -> None:
    """Publish on the site that the environment configures; print the timings as JSON."""
    port, number, pause = sys.argv[1:]
    app = create_app(
        {name: value for name, value in os.environ.items() if name.startswith("SPECTATOR_")}
    )
    print(json.dumps(run(app, int(port), int(number), float(pause))))


if __name__ == "__main__":
    main()
