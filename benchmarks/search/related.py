"""Related stories: how often the four most similar share the category, which no method sees.

For comparison the same run computes the cosine of tf-idf vectors over all words.
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
    """Yield the rows of related stories on the real English stories; nothing if they are absent."""
    real = [
        replace(story, section="", names="")
        for story in real_stories()
        if story.language == LANGUAGE
    ]
    if not real:
        return
    sections = {story.id: story.section for story in real_stories()}
    index = open_index(directory)
    index.rebuild(real, 1)

    def alike(story: Document) -> Sequence[int]:
        return [similar.id for similar in index.more_like_this(story, limit=NEIGHBOURS)]

    share, times = precision(alike, real, sections)
    baseline, _ = precision(Cosine(real).rank_similar, real, sections)
    index.close()
    note = f"same category {share:.3f}, tf-idf cosine {baseline:.3f}, {len(real)} stories"
    yield Figure(
        "related, same category ÷ tf-idf cosine",
        share / baseline,
        "",
        RATIO_GOAL,
        higher_is_better=True,
        note=note,
    )
    yield Figure(
        "related, mean CPU a story, the real ones",
        mean(times),
        "ms",
        CPU_GOAL,
        note=format_spread(times),
    )


def cost_at_size(site: BenchSite, number: int) -> Figure:
    """Return the cost of finding related stories in a large archive."""
    with site.app_context():
        index = indexing.open_public_index(site.data)
        drawn = [
            story for index, story in enumerate(documents()) if index % (site.number // number) == 0
        ]
        _, times = precision(
            lambda story: [similar.id for similar in index.more_like_this(story)], drawn, {}
        )
    name = f"related, mean CPU a story, {site.number:,} stories"
    return Figure(
        name,
        mean(times),
        "ms",
        CPU_GOAL,
        note=f"p95 {quantile(times, 0.95):.3g}, {format_spread(times)}",
    )


def precision(
    ranker: Ranker, stories: Sequence[Document], sections: dict[int, str]
) -> tuple[float, list[float]]:
    """Return the share of neighbours in the story's category, and CPU milliseconds for each
    story.
    """
    parts, times = [], []
    for story in stories:
        started = time.process_time()
        ids = ranker(story)
        times.append((time.process_time() - started) * 1000)
        parts.append(
            sum(
                sections.get(article_id) == sections.get(story.id)
                for article_id in ids[:NEIGHBOURS]
            )
            / NEIGHBOURS
        )
    return mean(parts), times


class Cosine:
    """Index of unit tf-idf vectors, without words that one story or half of all stories have."""

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
        """Return the nearest other stories, best first."""
        products: Counter[int] = Counter()
        for word, weight in self.vectors[story.id].items():
            for other, its in self.stories_with[word]:
                products[other] += weight * its  # type: ignore[assignment]
        del products[story.id]
        return nlargest(NEIGHBOURS, products, key=lambda document_id: products[document_id])


def _unit(count: Counter[str], rarity: dict[str, float]) -> dict[str, float]:
    vector = {
        word: (1 + math.log(number)) * rarity[word]
        for word, number in count.items()
        if word in rarity
    }
    length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {word: weight / length for word, weight in vector.items()}
