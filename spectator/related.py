"""Which stories go with which: worked out by the worker after publication, shown by one select.

A follower of the outbox behind the search index, which it asks. Its position is stored with what it derives, in table
`follower`: where it is missing, all stories are worked out anew, a little at a time, and so they are once every night.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from spectator import outbox, queries
from spectator.db import db
from spectator.indexing import build_document
from spectator.models import Article, Consumer, Related
from spectator.queries.related import ArticleFeatures
from spectator.search import Index, IndexUnavailableError
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.folding import tokens

MAX_STORED = 6
MAX_CANDIDATES = 30
MAX_NEIGHBOURS = 12
TOPIC_WEIGHT, COUNTRY_WEIGHT, MAX_SHARED = (
    0.1,
    0.05,
    3,
)  # what a shared topic or country adds to a score of at most 1
HALF_LIFE_DAYS, RECENCY_WEIGHT = (
    730,
    0.1,
)  # a very old story loses a tenth, half of that in two years
MIN_SCORE = 0.12  # what has less in common stands behind the newest of the section
SAME_TEXT_THRESHOLD, SHINGLE_SIZE, MAX_COMPARED = 0.5, 3, 12
SLICE_SECONDS = 0.2
BATCH_SIZE, MAX_LAG = (
    3,
    300,
)  # rows of the outbox; who is further behind works out all stories anew, which costs less
CONSUMER, FULL_PASS, NIGHTLY_PASS = "related", "related-pass", "related-night"

ScoredIds = list[tuple[int, float]]


def catch_up(index: Index) -> bool:
    """Take the next step after the outbox, or of a pass over all stories; return whether there may be more to do."""
    reached, position = index.offset(), queries.consumer_offset(CONSUMER)
    if reached is None:
        return False
    try:
        if (
            position is None
            or not 0 <= reached - position <= MAX_LAG
            or outbox.oldest_seq() > position + 1
        ):
            _store(
                {}, {CONSUMER: reached, FULL_PASS: 0}
            )  # the number first: what is published meanwhile is done after
            return True
        if position < reached:
            ids, last = outbox.articles_changed_after(position, limit=BATCH_SIZE)
            _recompute(index, _affected_ids(index, ids), {CONSUMER: min(last, reached)})
            return True
        return _continue_pass(index)
    except IndexUnavailableError:
        return False


def start_full_pass(day: date) -> None:
    """Begin to work out all stories anew, unless that was begun on this day."""
    if queries.consumer_offset(NIGHTLY_PASS) != day.toordinal():
        _store({}, {FULL_PASS: 0, NIGHTLY_PASS: day.toordinal()})


def _continue_pass(index: Index) -> bool:
    """Work out the next stories of a pass for a moment; return whether some are left."""
    after = queries.consumer_offset(FULL_PASS)
    if after is None:
        return False
    until, found = time.monotonic() + SLICE_SECONDS, {}
    ids = queries.published_ids_after(after, 200)
    for each in ids:
        found[each] = compute_related(index, each)
        after = each
        if time.monotonic() > until:
            break
    _store(found, {FULL_PASS: after if ids else None})
    return True


def _affected_ids(index: Index, ids: Iterable[int]) -> set[int]:
    """The stories that have to be worked out for these: they, and those that they are or will be shown with."""
    touched = set(ids)
    for each in ids:
        touched |= queries.neighbours(each, MAX_NEIGHBOURS)
        touched |= {other for other, _ in compute_related(index, each)}
    return touched


def _recompute(index: Index, ids: Iterable[int], offsets: dict[str, int | None]) -> None:
    _store({each: compute_related(index, each) for each in ids}, offsets)


def _store(results: dict[int, ScoredIds], offsets: dict[str, int | None]) -> None:
    """Store what was worked out together with the positions that it stands for; None ends a pass."""
    db.session.rollback()
    with db.write() as session:
        for article_id, chosen in results.items():
            _replace_related(session, article_id, chosen)
        for name, position in offsets.items():
            if position is None:
                session.execute(delete(Consumer).where(Consumer.name == name))
            else:
                session.merge(Consumer(name=name, offset=position))


def _replace_related(session: Session, article_id: int, scored_ids: ScoredIds) -> None:
    session.execute(delete(Related).where(Related.article_id == article_id))
    rows = [
        {"article_id": article_id, "position": place, "related_id": related_id, "score": score}
        for place, (related_id, score) in enumerate(scored_ids)
    ]
    if rows:
        session.execute(insert(Related), rows)


def compute_related(index: Index, article_id: int) -> ScoredIds:
    """Return up to six (id, score) for a published story, best first; nothing for any other. Raises IndexUnavailable.

    What an editor pinned comes first, in the story's language what reads alike, then other languages, and the newest of
    the section where less than a little is shared. Nothing that tells the same story twice, nothing forbidden.
    """
    found = queries.articles_to_index([article_id])
    if not found:
        return []
    article = found[0]
    pins, forbidden = queries.related_overrides(article_id)
    ranked = _rank_similar(article, index, forbidden | set(pins))
    alike = [(each, score) for each, score in ranked if score >= MIN_SCORE][:MAX_COMPARED]
    newest = [
        (each, 0.0)
        for each in queries.newest_in_section(article.section_id, MAX_STORED + len(pins) + 1)
    ]
    known = queries.article_features([*pins, *(each for each, _ in newest)])
    chosen: ScoredIds = [(each, 1.0) for each in pins if each in known]
    taken = {article_id, *forbidden, *pins}
    for each, score in [*_drop_duplicates(article, alike), *newest]:
        if each not in taken and len(chosen) < MAX_STORED:
            taken.add(each)
            chosen.append((each, score))
    return chosen


def _rank_similar(article: Article, index: Index, exclude: set[int]) -> ScoredIds:
    """What reads like a story, best first, with what the two share beside words."""
    similar = {
        each.id: each.score
        for each in index.more_like_this(build_document(article), MAX_CANDIDATES)
        if each.id not in exclude
    }
    facts = queries.article_features([*similar, article.id])
    own = facts.pop(article.id, None)
    if own is None:
        return []
    scores = {each.id: _score(similar[each.id], own, each) for each in facts.values()}
    return sorted(
        scores.items(),
        key=lambda item: (facts[item[0]].language != own.language, -item[1], -item[0]),
    )


def _score(likeness: float, own: ArticleFeatures, other: ArticleFeatures) -> float:
    topics = min(MAX_SHARED, len(own.topics & other.topics))
    countries = min(MAX_SHARED, len(own.countries & other.countries))
    days = max(0.0, (datetime.now(UTC) - other.published_at).total_seconds() / 86_400)
    age: float = 1 - RECENCY_WEIGHT * (1 - 0.5 ** (days / HALF_LIFE_DAYS))
    return (likeness + TOPIC_WEIGHT * topics + COUNTRY_WEIGHT * countries) * age


def _drop_duplicates(article: Article, candidates: Sequence[tuple[int, float]]) -> ScoredIds:
    """The candidates without those whose text is mostly that of the story, or of a better candidate."""
    bodies = queries.bodies_by_id([each for each, _ in candidates])
    seen, kept = [_shingles(article.body)], []
    for each, score in candidates:
        shingles = _shingles(bodies.get(each, ""))
        if not any(_are_duplicates(shingles, other) for other in seen):
            seen.append(shingles)
            kept.append((each, score))
    return kept


def _shingles(body: str) -> frozenset[tuple[str, ...]]:
    """Every three words in a row (Broder, 1997)."""
    words = [token.text for token in tokens(plain_text(body))]
    return frozenset(zip(*(words[start:] for start in range(SHINGLE_SIZE)), strict=False))


def _are_duplicates(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    shared = len(one & other)
    return shared > SAME_TEXT_THRESHOLD * (len(one) + len(other) - shared)
