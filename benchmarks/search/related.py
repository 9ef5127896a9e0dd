"""Stories that read alike: how often the four most alike are in the same category, which neither method is told.

Beside it the cosine of tf-idf vectors over all words, the usual measure, worked out here in the same run.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import nlargest
from pathlib import Path
from statistics import mean

from benchmarks.figures import Figure, format_spread, quantile
from benchmarks.search.corpus import real_stories
from benchmarks.search.sites import BenchSite, documents
from spectator import indexing
from spectator.search import Document, open_index
from spectator.text.words.folding import tokens

NEIGHBOURS, RATIO_GOAL, CPU_GOAL = 4, 0.95, 15.0
LANGUAGE = "en"
MAX_DOCUMENT_SHARE = 0.5

Ranker = Callable[[Document], Sequence[int]]


def figures(directory: Path) -> Iterator[Figure]:
    """Yield the rows of likeness on the real English stories; nothing where they are absent."""
    known = [
        replace(story, section="", names="")
        for story in real_stories()
        if story.language == LANGUAGE
    ]
    if not known:
        return
    sections = {story.id: story.section for story in real_stories()}
    index = open_index(directory)
    index.rebuild(known, 1)

    def alike(story: Document) -> Sequence[int]:
        return [each.id for each in index.more_like_this(story, limit=NEIGHBOURS)]

    ours, taken = precision(alike, known, sections)
    usual, _ = precision(Cosine(known).rank_similar, known, sections)
    index.close()
    note = f"same category {ours:.3f}, tf-idf cosine {usual:.3f}, {len(known)} stories"
    yield Figure(
        "related, same category ÷ tf-idf cosine",
        ours / usual,
        "",
        RATIO_GOAL,
        higher_is_better=True,
        note=note,
    )
    yield Figure(
        "related, mean CPU a story, the real ones",
        mean(taken),
        "ms",
        CPU_GOAL,
        note=format_spread(taken),
    )


def cost_at_size(site: BenchSite, number: int) -> Figure:
    """Return what the stories most like one cost to find among many."""
    with site.app_context():
        index = indexing.open_public_index(site.data)
        drawn = [
            story for place, story in enumerate(documents()) if place % (site.number // number) == 0
        ]
        _, taken = precision(
            lambda story: [each.id for each in index.more_like_this(story)], drawn, {}
        )
    name = f"related, mean CPU a story, {site.number:,} stories"
    return Figure(
        name,
        mean(taken),
        "ms",
        CPU_GOAL,
        note=f"p95 {quantile(taken, 0.95):.3g}, {format_spread(taken)}",
    )


def precision(
    ranker: Ranker, stories: Sequence[Document], sections: dict[int, str]
) -> tuple[float, list[float]]:
    """Return which part of the neighbours is of the story's own category, and the milliseconds of CPU of each story."""
    parts, taken = [], []
    for story in stories:
        started = time.process_time()
        ids = ranker(story)
        taken.append((time.process_time() - started) * 1000)
        parts.append(
            sum(sections.get(each) == sections.get(story.id) for each in ids[:NEIGHBOURS])
            / NEIGHBOURS
        )
    return mean(parts), taken


class Cosine:
    """tf-idf vectors of unit length; words that one story alone or half of all have are left out."""

    def __init__(self, stories: Sequence[Document]) -> None:
        counts = {
            story.id: Counter(token.text for token in tokens(f"{story.headline}\n{story.body}"))
            for story in stories
        }
        frequencies = Counter(word for count in counts.values() for word in count)
        most = MAX_DOCUMENT_SHARE * len(stories)
        rarity = {
            word: math.log(len(stories) / number) + 1
            for word, number in frequencies.items()
            if 1 < number <= most
        }
        self.vectors = {story: _unit(count, rarity) for story, count in counts.items()}
        self.stories_with: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for story, vector in self.vectors.items():
            for word, weight in vector.items():
                self.stories_with[word].append((story, weight))

    def rank_similar(self, story: Document) -> Sequence[int]:
        """Return the nearest stories, best first, without itself."""
        products: Counter[int] = Counter()
        for word, weight in self.vectors[story.id].items():
            for other, its in self.stories_with[word]:
                products[other] += weight * its  # type: ignore[assignment]
        del products[story.id]
        return nlargest(NEIGHBOURS, products, key=lambda each: products[each])


def _unit(count: Counter[str], rarity: dict[str, float]) -> dict[str, float]:
    vector = {
        word: (1 + math.log(number)) * rarity[word]
        for word, number in count.items()
        if word in rarity
    }
    length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {word: weight / length for word, weight in vector.items()}
