"""Four threads in each of four processes search while stories change: every answer is right.

10 seconds in CI, 120 at full size (`SEARCH_SECONDS`). The site serves readers at the same time.
"""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from spectator import publishing, queries
from spectator.db import db
from spectator.models import User
from tests.drills import publisher
from tests.drills.crowd import STORIES, THREADS, body, word
from tests.drills.running_site import Site, publish
from tests.drills.sizes import drill_size

pytestmark = pytest.mark.drill
SECONDS = drill_size("SEARCH_SECONDS", ci=10, full=120)
PROCESSES = 4
SLACK_SECONDS, END_SECONDS = 60.0, 30.0
PAUSE_SECONDS = 0.05
UPDATE = publishing.Action("update")


def test_every_answer_is_right_under_constant_publishing(site: Site, tmp_path: Path) -> None:
    ledger, stories = tmp_path / "ledger", tmp_path / "stories.json"
    with site.app_context():
        ids = {number: stay(number) for number in range(STORIES)}
        ledger.write_bytes(publisher.format_line(publish(word(0, "zp"))))
    stories.write_text(json.dumps(ids))
    site.assert_findable(
        publisher.parse_ledger(ledger.read_text().splitlines()), 20, "before the crowd comes"
    )
    paths = [
        "/search?q=zgsecond",
        "/search?q=zgthird+-zgfifth&sort=newest",
        "/fragments/suggest?q=stays",
    ]
    with site.polling(paths) as answers:
        reports = crowd(site, stories, ledger, ids)
    assert [report["complaints"] for report in reports] == [[]] * PROCESSES
    assert {answer.status for answer in answers} == {200}, "no fault for readers either"
    published = publisher.parse_ledger(ledger.read_text().splitlines())
    print(
        f"{sum(report['answers'] for report in reports)} answers while "
        f"{len(published)} stories were published"
    )
    assert (
        sum(report["refusals"] for report in reports)
        <= sum(report["answers"] for report in reports) / 100
    )
    assert min(report["answers"] for report in reports) >= 10 * THREADS
    assert min(report["seen"] for report in reports) > 1, "what is published is found meanwhile"
    site.assert_findable(published, END_SECONDS, "after the crowd has gone")
    assert site.is_index_correct()


def crowd(site: Site, stories: Path, ledger: Path, ids: dict[int, int]) -> list[dict[str, Any]]:
    """Run the searching processes while this one publishes and changes; return their reports."""
    outputs = [ledger.with_name(f"report{number}.json") for number in range(PROCESSES)]
    arguments = [(str(stories), str(ledger), str(SECONDS), str(output)) for output in outputs]
    processes = [site.spawn("tests.drills.crowd", *words) for words in arguments]
    until = time.monotonic() + SECONDS + SLACK_SECONDS
    with site.app_context(), ledger.open("ab", buffering=0) as notes:
        for number in count(1):
            if all(process.poll() is not None for process in processes):
                break
            assert time.monotonic() < until, f"the crowd does not end\n{site.log_tail()}"
            notes.write(publisher.format_line(publish(word(number, "zp"))))
            change(number % STORIES, ids[number % STORIES], number)
            time.sleep(PAUSE_SECONDS)
    return [json.loads(output.read_text()) for output in outputs]


def stay(number: int) -> int:
    """Publish a story that never changes; return its id."""
    return publishing.create(staying(number), somebody(), publishing.Action("publish"))


def change(number: int, article_id: int, times: int) -> None:
    """Edit a story in words that nobody searches for, so that the index replaces it."""
    article = queries.article_to_edit(article_id)
    assert article is not None
    publishing.save(
        article_id, staying(number, f"Changed {times} times."), somebody(), article.version, UPDATE
    )


def staying(number: int, more: str = "") -> publishing.Draft:
    """Return an unchanging story, as first published or with some extra words."""
    headline = f"A story that stays {word(number, 'zb')}"
    text = f"{body(number)}\n\n{more}"
    return publishing.Draft(headline=headline, body=text, section="politics", countries=("Mali",))


def somebody() -> User:
    """Return the editor who makes the changes."""
    return db.session.query(User).filter_by(role="editor").one()
