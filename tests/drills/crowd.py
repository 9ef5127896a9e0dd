"""One process of concurrent searchers: four threads share an index and record wrong answers.

`python -m tests.drills.crowd STORIES LEDGER SECONDS OUTPUT` writes its report as JSON. `STORIES`
maps the numbers of stories whose words never change to their ids; `LEDGER` lists what is published
meanwhile.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from spectator.search import MAX_PER_PAGE, Index, IndexBusyError, SearchRequest, open_index
from tests.drills import publisher
from tests.drills.running_site import Story, token

THREADS = 4
STORIES = 60
# A story has a word if its number is divisible by this.
GROUPS = {"zgsecond": 2, "zgthird": 3, "zgfifth": 5}
MOVING_WORD = "drill"  # every story published meanwhile has it
MAX_COMPLAINTS = 20


def word(number: int, prefix: str) -> str:
    """Return a word for a number that no English ending makes equal to another's."""
    return f"{token(number, prefix)}x"


def body(number: int) -> str:
    """Return the text of an unchanging story: the words of its groups in a row."""
    return " ".join(
        [
            "Here",
            *(name for name, step in GROUPS.items() if number % step == 0),
            "and nowhere else.",
        ]
    )


@dataclass
class Crowd:
    """Searchers of one process: what they know, what they have seen, and what was wrong."""

    index: Index
    ids: dict[int, int]
    ledger: Path
    seen: set[str] = field(default_factory=set)
    most: int = 0
    position: int = 0
    answers: int = 0
    refusals: int = 0  # readers get the page "search is busy"
    complaints: list[str] = field(default_factory=list)

    def published(self) -> list[Story]:
        """Return the stories published meanwhile and acknowledged."""
        whole, _, _ = self.ledger.read_text().rpartition("\n")
        return publisher.parse_ledger(whole.splitlines())

    def search(self, seed: int, until: float) -> None:
        """Search until a moment; never raise."""
        chance = random.Random(seed)
        while time.monotonic() < until and len(self.complaints) < MAX_COMPLAINTS:
            check = chance.choice(
                (
                    self.check_stable_story,
                    self.check_groups,
                    self.check_suggestions,
                    self.check_changing_results,
                    self.check_all_stories,
                )
            )
            try:
                check(chance)
            except IndexBusyError:
                self.refusals += 1
                continue
            except Exception as error:
                self.complaints.append(f"{check.__name__}: {error!r:.300}")
            self.answers += 1

    def check_stable_story(self, chance: random.Random) -> None:
        """Search for a word of one story only."""
        number = chance.choice(list(self.ids))
        results = self.index.find(SearchRequest(word(number, "zb")))
        assert (results.ids, results.total) == ([self.ids[number]], 1), (number, results)

    def check_groups(self, chance: random.Random) -> None:
        """Search for words of a known group of stories."""
        first, second = chance.sample(list(GROUPS), 2)
        has = {
            name: {story_number for story_number in self.ids if story_number % step == 0}
            for name, step in GROUPS.items()
        }
        text, numbers = chance.choice(
            (
                (first, has[first]),
                (f"{first} {second}", has[first] & has[second]),
                (f"{first} -{second}", has[first] - has[second]),
                (f"{first[:4]}*", has[first]),
                ('"zgsecond zgthird"', has["zgsecond"] & has["zgthird"]),
                (f"{first} in:politics country:mali", has[first]),
            )
        )
        results = self.index.find(SearchRequest(text, sort="newest", per_page=MAX_PER_PAGE))
        ids = sorted((self.ids[number] for number in numbers), reverse=True)
        assert (results.mode, results.total, results.ids) == ("all", len(ids), ids), (text, results)
        assert dict(results.facets["country"]) == {"mali": len(ids)}, (text, results.facets)

    def check_suggestions(self, chance: random.Random) -> None:
        """Ask for completions of the last word of a headline."""
        number = chance.choice(list(self.ids))
        suggestions = self.index.suggest(f"stays {word(number, 'zb')[:-2]}", limit=20)
        tens = [
            self.ids[story_number]
            for story_number in self.ids
            if story_number // 10 == number // 10
        ]
        assert suggestions.articles == sorted(tens, reverse=True), (number, suggestions)

    def check_changing_results(self, chance: random.Random) -> None:
        """Search for a newly published story: once seen it stays, alone and only once."""
        story = chance.choice(self.published()[-50:])
        was_seen = story.token in self.seen
        results = self.index.find(SearchRequest(story.token))
        assert results.ids in ([story.id], []), (story, results)
        assert results.total == len(results.ids), (story, results)
        assert results.ids or not was_seen, f"{story} was found, and is not any more"
        if results.ids:
            self.seen.add(story.token)

    def check_all_stories(self, _chance: random.Random) -> None:
        """Search for all stories: never fewer than before, never more than exist."""
        least, before = self.most, self.position
        results = self.index.find(SearchRequest(MOVING_WORD))
        there_are = len(self.published()) + 1  # one may be committed and not acknowledged yet
        assert least <= results.total <= there_are, (least, results.total, there_are)
        assert before <= results.index_offset, (before, results.index_offset)
        self.most, self.position = (
            max(self.most, results.total),
            max(self.position, results.index_offset),
        )


def main() -> None:
    """Search for that many seconds, then write the report."""
    ids = {
        int(number): article_id
        for number, article_id in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")).items()
    }
    crowd = Crowd(
        open_index(Path(os.environ["SPECTATOR_DATA_DIR"]) / "index"), ids, Path(sys.argv[2])
    )
    until = time.monotonic() + float(sys.argv[3])
    threads = [
        threading.Thread(target=crowd.search, args=(os.getpid() + seed, until))
        for seed in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = {
        "answers": crowd.answers,
        "refusals": crowd.refusals,
        "complaints": crowd.complaints,
        "most": crowd.most,
        "seen": len(crowd.seen),
    }
    Path(sys.argv[4]).write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main()
