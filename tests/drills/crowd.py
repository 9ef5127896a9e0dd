"""A process of a crowd that searches: four threads that share one index, and complain of every answer that is wrong.

`python -m tests.drills.crowd STORIES LEDGER SECONDS OUTPUT` writes what it saw as JSON. `STORIES` maps the numbers of
stories whose words never change to their ids; `LEDGER` is what is published meanwhile.
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
# A story has a word where its number is divisible by this.
GROUPS = {"zgsecond": 2, "zgthird": 3, "zgfifth": 5}
MOVING_WORD = "drill"  # all that is published meanwhile has it
MAX_COMPLAINTS = 20


def word(number: int, prefix: str) -> str:
    """Return a word for a number that no English ending makes equal to another's."""
    return f"{token(number, prefix)}x"


def body(number: int) -> str:
    """Return the text of a story that stays: the words of its groups in a row."""
    return " ".join(
        [
            "Here",
            *(name for name, step in GROUPS.items() if number % step == 0),
            "and nowhere else.",
        ]
    )


@dataclass
class Crowd:
    """One process's searchers: what they know, what they have seen, and what was wrong."""

    index: Index
    ids: dict[int, int]
    ledger: Path
    seen: set[str] = field(default_factory=set)
    most: int = 0
    position: int = 0
    answers: int = 0
    refusals: int = 0  # "search is busy", which a reader gets as an honest page
    complaints: list[str] = field(default_factory=list)

    def published(self) -> list[Story]:
        """Return what was published meanwhile and is acknowledged."""
        whole, _, _ = self.ledger.read_text().rpartition("\n")
        return publisher.parse_ledger(whole.splitlines())

    def search(self, seed: int, until: float) -> None:
        """Search until a moment; never raises."""
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
        """Ask for a word that one story alone has."""
        number = chance.choice(list(self.ids))
        found = self.index.find(SearchRequest(word(number, "zb")))
        assert (found.ids, found.total) == ([self.ids[number]], 1), (number, found)

    def check_groups(self, chance: random.Random) -> None:
        """Ask for words that a known part of the stories has."""
        first, second = chance.sample(list(GROUPS), 2)
        has = {
            name: {each for each in self.ids if each % step == 0} for name, step in GROUPS.items()
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
        found = self.index.find(SearchRequest(text, sort="newest", per_page=MAX_PER_PAGE))
        ids = sorted((self.ids[number] for number in numbers), reverse=True)
        assert (found.mode, found.total, found.ids) == ("all", len(ids), ids), (text, found)
        assert dict(found.facets["country"]) == {"mali": len(ids)}, (text, found.facets)

    def check_suggestions(self, chance: random.Random) -> None:
        """Ask what the first letters of a headline's last word may become."""
        number = chance.choice(list(self.ids))
        found = self.index.suggest(f"stays {word(number, 'zb')[:-2]}", limit=20)
        tens = [self.ids[each] for each in self.ids if each // 10 == number // 10]
        assert found.articles == sorted(tens, reverse=True), (number, found)

    def check_changing_results(self, chance: random.Random) -> None:
        """Ask for a story that was just published: once seen it stays, and never shows twice or instead of another."""
        story = chance.choice(self.published()[-50:])
        was_seen = story.token in self.seen
        found = self.index.find(SearchRequest(story.token))
        assert found.ids in ([story.id], []), (story, found)
        assert found.total == len(found.ids), (story, found)
        assert found.ids or not was_seen, f"{story} was found, and is not any more"
        if found.ids:
            self.seen.add(story.token)

    def check_all_stories(self, _chance: random.Random) -> None:
        """Ask for all of them: never fewer than before, never more than there are."""
        least, before = self.most, self.position
        found = self.index.find(SearchRequest(MOVING_WORD))
        there_are = len(self.published()) + 1  # one may be committed and not acknowledged yet
        assert least <= found.total <= there_are, (least, found.total, there_are)
        assert before <= found.index_offset, (before, found.index_offset)
        self.most, self.position = (
            max(self.most, found.total),
            max(self.position, found.index_offset),
        )


def main() -> None:
    """Search for that many seconds, then tell."""
    ids = {
        int(number): article_id
        for number, article_id in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")).items()
    }
    crowd = Crowd(
        open_index(Path(os.environ["SPECTATOR_DATA_DIR"]) / "index"), ids, Path(sys.argv[2])
    )
    until = time.monotonic() + float(sys.argv[3])
    threads = [
        threading.Thread(target=crowd.search, args=(os.getpid() + each, until))
        for each in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {
        "answers": crowd.answers,
        "refusals": crowd.refusals,
        "complaints": crowd.complaints,
        "most": crowd.most,
        "seen": len(crowd.seen),
    }
    Path(sys.argv[4]).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
