"""Process of concurrent searchers: four threads share an index and record wrong results.

`python -m tests.drills.searchers STORIES LEDGER SECONDS OUTPUT` searches for that many seconds,
then writes a report to OUTPUT, as JSON. STORIES is a JSON file that maps the number of each stable
story to its article id. Stable stories are edited meanwhile, but keep the words that are searched
for. LEDGER is the file in which the publisher lists the new stories that it publishes meanwhile.
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
STABLE_STORIES = 60
# Each of these words is in the stable stories whose number is divisible by the word's number.
GROUPS = {"zgsecond": 2, "zgthird": 3, "zgfifth": 5}
COMMON_WORD = "drill"  # in every new story
MAX_FAILURES = 20


def word(number: int, prefix: str) -> str:
    """Return a word for a number: a letter for each of its digits, then x.

    The x prevents stemming, so that the words of different numbers stay different.
    """
    return f"{token(number, prefix)}x"


def body(number: int) -> str:
    """Return the text of a stable story: the words of its groups in a row."""
    return " ".join(
        [
            "Here",
            *(name for name, step in GROUPS.items() if number % step == 0),
            "and nowhere else.",
        ]
    )


@dataclass
class Searchers:
    """State that the threads of a process share."""

    index: Index
    ids: dict[int, int]  # article ids of the stable stories by story number
    ledger: Path
    # The tokens of new stories found so far; a token is a word that no other story has.
    seen: set[str] = field(default_factory=set)
    max_total: int = 0
    max_offset: int = 0  # the last row of the outbox that the index had
    searches: int = 0
    busy: int = 0  # searches refused with IndexBusyError
    failures: list[str] = field(default_factory=list)

    def published(self) -> list[Story]:
        """Return the stories published so far; an unfinished last line is ignored."""
        complete_lines, _, _ = self.ledger.read_text().rpartition("\n")
        return publisher.parse_ledger(complete_lines.splitlines())

    def search(self, seed: int, end: float) -> None:
        """Run random checks until the monotonic time `end`; record failures."""
        rng = random.Random(seed)
        while time.monotonic() < end and len(self.failures) < MAX_FAILURES:
            check = rng.choice(
                (
                    self.check_stable_story,
                    self.check_groups,
                    self.check_suggestions,
                    self.check_changing_results,
                    self.check_all_stories,
                )
            )
            try:
                check(rng)
            except IndexBusyError:
                self.busy += 1
                continue
            except Exception as error:
                self.failures.append(f"{check.__name__}: {error!r:.300}")
            self.searches += 1

    def check_stable_story(self, rng: random.Random) -> None:
        """Search for a word that only one story has."""
        number = rng.choice(list(self.ids))
        results = self.index.find(SearchRequest(word(number, "zb")))
        assert (results.ids, results.total) == ([self.ids[number]], 1), (number, results)

    def check_groups(self, rng: random.Random) -> None:
        """Search for words that known groups of stories have."""
        first, second = rng.sample(list(GROUPS), 2)
        numbers_by_word = {
            name: {story_number for story_number in self.ids if story_number % step == 0}
            for name, step in GROUPS.items()
        }
        with_first, with_second = numbers_by_word[first], numbers_by_word[second]
        text, numbers = rng.choice(
            (
                (first, with_first),
                (f"{first} {second}", with_first & with_second),
                (f"{first} -{second}", with_first - with_second),
                (f"{first[:4]}*", with_first),
                ('"zgsecond zgthird"', numbers_by_word["zgsecond"] & numbers_by_word["zgthird"]),
                (f"{first} in:politics country:mali", with_first),
            )
        )
        results = self.index.find(SearchRequest(text, sort="newest", per_page=MAX_PER_PAGE))
        ids = sorted((self.ids[number] for number in numbers), reverse=True)
        # A search that finds no story with all words has the mode "any"; here there are some.
        assert (results.mode, results.total, results.ids) == ("all", len(ids), ids), (
            text,
            results,
        )
        assert dict(results.facets["country"]) == {"mali": len(ids)}, (text, results.facets)

    def check_suggestions(self, rng: random.Random) -> None:
        """Complete a headline "stays zb…x" without its last digit and the x: ten stories match."""
        number = rng.choice(list(self.ids))
        suggestions = self.index.suggest(f"stays {word(number, 'zb')[:-2]}", limit=20)
        same_prefix = [
            self.ids[story_number]
            for story_number in self.ids
            if story_number // 10 == number // 10
        ]
        assert suggestions.articles == sorted(same_prefix, reverse=True), (number, suggestions)

    def check_changing_results(self, rng: random.Random) -> None:
        """Search for a new story's token: only it matches, and it never disappears again."""
        story = rng.choice(self.published()[-50:])
        was_seen = story.token in self.seen
        results = self.index.find(SearchRequest(story.token))
        assert results.ids in ([story.id], []), (story, results)
        assert results.total == len(results.ids), (story, results)
        assert results.ids or not was_seen, f"{story} was found earlier but not now"
        if results.ids:
            self.seen.add(story.token)

    def check_all_stories(self, _rng: random.Random) -> None:
        """Search for all new stories: never fewer than before, nor more than were published."""
        old_total, old_offset = self.max_total, self.max_offset
        results = self.index.find(SearchRequest(COMMON_WORD))
        published = len(self.published()) + 1  # the last story may not be in the ledger yet
        assert old_total <= results.total <= published, (
            old_total,
            results.total,
            published,
        )
        assert old_offset <= results.index_offset, (old_offset, results.index_offset)
        self.max_total = max(self.max_total, results.total)
        self.max_offset = max(self.max_offset, results.index_offset)


def main() -> None:
    """Search in four threads, then write the report."""
    stories, ledger, seconds, output = sys.argv[1:]
    ids_by_text = json.loads(Path(stories).read_text(encoding="utf-8"))
    ids = {int(number): article_id for number, article_id in ids_by_text.items()}
    index = open_index(Path(os.environ["SPECTATOR_DATA_DIR"]) / "index")
    searchers = Searchers(index, ids, Path(ledger))
    end = time.monotonic() + float(seconds)
    threads = [
        threading.Thread(target=searchers.search, args=(os.getpid() + seed, end))
        for seed in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = {
        "searches": searchers.searches,
        "busy": searchers.busy,
        "failures": searchers.failures,
        "seen": len(searchers.seen),
    }
    Path(output).write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main()
