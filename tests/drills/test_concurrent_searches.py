"""Search results are correct while four processes of four threads search and stories change.

The site serves readers at the same time. 10 seconds in CI, 120 at full size (variable
`SEARCH_SECONDS`).
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
from tests.drills.running_site import Site, publish
from tests.drills.searchers import STABLE_STORIES, THREADS, body, word
from tests.drills.sizes import drill_size

pytestmark = pytest.mark.drill
SECONDS = drill_size("SEARCH_SECONDS", ci=10, full=120)
PROCESSES = 4
SLACK_SECONDS, END_SECONDS = 60.0, 30.0
PAUSE_SECONDS = 0.05
UPDATE = publishing.Action("update")


def test_search_results_are_correct_during_constant_publishing(
    site: Site, tmp_path: Path
) -> None:
    ledger, stories = tmp_path / "ledger", tmp_path / "stories.json"
    with site.app_context():
        ids = {number: publish_stable_story(number) for number in range(STABLE_STORIES)}
        ledger.write_bytes(publisher.format_line(publish(word(0, "zp"))))
    stories.write_text(json.dumps(ids))
    site.assert_findable(
        publisher.parse_ledger(ledger.read_text().splitlines()), 20, "before the searchers start"
    )
    paths = [
        "/search?q=zgsecond",
        "/search?q=zgthird+-zgfifth&sort=newest",
        "/fragments/suggest?q=stays",
    ]
    with site.polling(paths) as responses:
        reports = run_searchers(site, stories, ledger, ids)
    assert [report["failures"] for report in reports] == [[]] * PROCESSES
    assert {response.status for response in responses} == {200}, "a reader got an error"
    published = publisher.parse_ledger(ledger.read_text().splitlines())
    print(
        f"{sum(report['searches'] for report in reports)} searches while "
        f"{len(published)} stories were published"
    )
    searches = sum(report["searches"] for report in reports)
    assert sum(report["busy"] for report in reports) <= searches / 100
    assert min(report["searches"] for report in reports) >= 10 * THREADS
    assert min(report["seen"] for report in reports) > 1, "a process found no new stories"
    site.assert_findable(published, END_SECONDS, "after the searchers have ended")
    assert site.is_index_correct()


def run_searchers(
    site: Site, stories: Path, ledger: Path, ids: dict[int, int]
) -> list[dict[str, Any]]:
    """Run the searchers while this process publishes and changes stories; return their reports."""
    outputs = [ledger.with_name(f"report{number}.json") for number in range(PROCESSES)]
    arguments = [(str(stories), str(ledger), str(SECONDS), str(output)) for output in outputs]
    processes = [site.spawn("tests.drills.searchers", *words) for words in arguments]
    until = time.monotonic() + SECONDS + SLACK_SECONDS
    with site.app_context(), ledger.open("ab", buffering=0) as notes:
        for number in count(1):
            if all(process.poll() is not None for process in processes):
                break
            assert time.monotonic() < until, f"the searchers do not end\n{site.log_tail()}"
            notes.write(publisher.format_line(publish(word(number, "zp"))))
            change(number % STABLE_STORIES, ids[number % STABLE_STORIES], number)
            time.sleep(PAUSE_SECONDS)
    return [json.loads(output.read_text()) for output in outputs]


def publish_stable_story(number: int) -> int:
    """Publish a stable story; return its id."""
    return publishing.create(stable_draft(number), the_editor(), publishing.Action("publish"))


def change(number: int, article_id: int, times: int) -> None:
    """Edit words of a stable story that no search uses, so that the index replaces its document."""
    article = queries.article_to_edit(article_id)
    assert article is not None
    publishing.save(
        article_id,
        stable_draft(number, f"Changed {times} times."),
        the_editor(),
        article.version,
        UPDATE,
    )


def stable_draft(number: int, extra_text: str = "") -> publishing.Draft:
    """Return a stable story, as first published or with an extra paragraph."""
    headline = f"A story that stays {word(number, 'zb')}"
    text = f"{body(number)}\n\n{extra_text}"
    return publishing.Draft(headline=headline, body=text, section="politics", countries=("Mali",))


def the_editor() -> User:
    """Return the site's only editor."""
    return db.session.query(User).filter_by(role="editor").one()
