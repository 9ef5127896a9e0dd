"""Related stories: how often the four most similar stories are of the story's own section.

The section is removed from the stories before they are indexed. The baseline is the cosine
similarity of tf-idf vectors over all words.
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

    def rank_similar(story: Document) -> Sequence[int]:
        return [similar.id for similar in index.more_like_this(story, limit=NEIGHBOURS)]

    share, times = precision(rank_similar, real, sections)
    baseline, _ = precision(Cosine(real).rank_similar, real, sections)
    index.close()
    note = f"same section {share:.3f}, tf-idf cosine {baseline:.3f}, {len(real)} stories"
    yield Figure(
        "related, same section ÷ tf-idf cosine",
        share / baseline,
        "",
        RATIO_GOAL,
        higher_is_better=True,
        note=note,
    )
    yield Figure(
        "related, mean CPU a story, real stories",
        mean(times),
        "ms",
        CPU_GOAL,
        note=format_spread(times),
    )


def cost_at_size(site: BenchSite, number: int) -> Figure:
    """Return the cost of finding related stories in a large archive."""
    with site.app_context():
        index = indexing.open_public_index(site.data)
        step = site.number // number
        sample = [story for position, story in enumerate(documents()) if position % step == 0]
        _, times = precision(
            lambda story: [similar.id for similar in index.more_like_this(story)], sample, {}
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
    """Return the mean share of neighbours of the story's section, and each story's CPU
    milliseconds.
    """
    shares, times = [], []
    for story in stories:
        started = time.process_time()
        ids = ranker(story)
        times.append((time.process_time() - started) * 1000)
        section = sections.get(story.id)
        matches = [sections.get(article_id) == section for article_id in ids[:NEIGHBOURS]]
        shares.append(sum(matches) / NEIGHBOURS)
    return mean(shares), times


class Cosine:
    """Unit tf-idf vectors of stories.

    Words in only one story or in more than half of all stories are left out.
    """

    def __init__(self, stories: Sequence[Document]) -> None:
        counts = {
            story.id: Counter(token.text for token in tokens(f"{story.headline}\n{story.body}"))
            for story in stories
        }
        frequencies = Counter(word for count in counts.values() for word in count)
        max_frequency = MAX_DOCUMENT_SHARE * len(stories)
        inverse_frequencies = {
            word: math.log(len(stories) / number) + 1
            for word, number in frequencies.items()
            if 1 < number <= max_frequency
        }
        self.vectors = {
            story: _unit_vector(count, inverse_frequencies) for story, count in counts.items()
        }
        self.stories_with: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for story, vector in self.vectors.items():
            for word, weight in vector.items():
                self.stories_with[word].append((story, weight))

    def rank_similar(self, story: Document) -> Sequence[int]:
        """Return the ids of the most similar other stories, best first."""
        products: Counter[int] = Counter()
        for word, weight in self.vectors[story.id].items():
            for other, other_weight in self.stories_with[word]:
                products[other] += weight * other_weight  # type: ignore[assignment]
        del products[story.id]
        return nlargest(NEIGHBOURS, products, key=lambda document_id: products[document_id])


def _unit_vector(count: Counter[str], inverse_frequencies: dict[str, float]) -> dict[str, float]:
    vector = {
        word: (1 + math.log(number)) * inverse_frequencies[word]
        for word, number in count.items()
        if word in inverse_frequencies
    }
    length = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {word: weight / length for word, weight in vector.items()}
