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
from spectator.indexing import document_of
from spectator.models import Article, Follower, Related
from spectator.queries.alike import Facts
from spectator.search import Index, IndexUnavailable
from spectator.text.folding import tokens
from spectator.text.html import plain_text

STORED = 6
CANDIDATES = 30
NEIGHBOURS = 12
TOPIC, COUNTRY, MOST_SHARED = 0.1, 0.05, 3  # what a shared topic or country adds to a score of at most 1
HALF_LIFE_DAYS, RECENCY = 730, 0.1  # a very old story loses a tenth, half of that in two years
FLOOR = 0.12  # what has less in common stands behind the newest of the section
SAME_TEXT, SHINGLE, COMPARED = 0.5, 3, 12
SLICE_SECONDS = 0.2
AT_ONCE, MOST_BEHIND = 3, 300  # rows of the outbox; who is further behind works out all stories anew, which costs less
POSITION, PASS, NIGHT = "related", "related-pass", "related-night"

Chosen = list[tuple[int, float]]


def follow(index: Index) -> bool:
    """Take the next step after the outbox, or of a pass over all stories; return whether there may be more to do."""
    reached, position = index.position(), queries.follower_position(POSITION)
    if reached is None:
        return False
    try:
        if position is None or not 0 <= reached - position <= MOST_BEHIND or outbox.oldest() > position + 1:
            _store({}, {POSITION: reached, PASS: 0})  # the number first: what is published meanwhile is done after
            return True
        if position < reached:
            ids, last = outbox.articles_after(position, limit=AT_ONCE)
            _work_out(index, _touched(index, ids), {POSITION: min(last, reached)})
            return True
        return _go_on(index)
    except IndexUnavailable:
        return False


def start_pass(day: date) -> None:
    """Begin to work out all stories anew, unless that was begun on this day."""
    if queries.follower_position(NIGHT) != day.toordinal():
        _store({}, {PASS: 0, NIGHT: day.toordinal()})


def _go_on(index: Index) -> bool:
    """Work out the next stories of a pass for a moment; return whether some are left."""
    after = queries.follower_position(PASS)
    if after is None:
        return False
    until, found = time.monotonic() + SLICE_SECONDS, {}
    ids = queries.next_published(after, 200)
    for each in ids:
        found[each] = related_to(index, each)
        after = each
        if time.monotonic() > until:
            break
    _store(found, {PASS: after if ids else None})
    return True


def _touched(index: Index, ids: Iterable[int]) -> set[int]:
    """The stories that have to be worked out for these: they, and those that they are or will be shown with."""
    touched = set(ids)
    for each in ids:
        touched |= queries.neighbours(each, NEIGHBOURS)
        touched |= {other for other, _ in related_to(index, each)}
    return touched


def _work_out(index: Index, ids: Iterable[int], positions: dict[str, int | None]) -> None:
    _store({each: related_to(index, each) for each in ids}, positions)


def _store(found: dict[int, Chosen], positions: dict[str, int | None]) -> None:
    """Store what was worked out together with the positions that it stands for; None ends a pass."""
    db.session.rollback()
    with db.write() as session:
        for article_id, chosen in found.items():
            _replace(session, article_id, chosen)
        for name, position in positions.items():
            if position is None:
                session.execute(delete(Follower).where(Follower.name == name))
            else:
                session.merge(Follower(name=name, position=position))


def _replace(session: Session, article_id: int, chosen: Chosen) -> None:
    session.execute(delete(Related).where(Related.article_id == article_id))
    rows = [
        {"article_id": article_id, "position": place, "related_id": related_id, "score": score}
        for place, (related_id, score) in enumerate(chosen)
    ]
    if rows:
        session.execute(insert(Related), rows)


def related_to(index: Index, article_id: int) -> Chosen:
    """Return up to six (id, score) for a published story, best first; nothing for any other. Raises IndexUnavailable.

    What an editor pinned comes first, in the story's language what reads alike, then other languages, and the newest of
    the section where less than a little is shared. Nothing that tells the same story twice, nothing forbidden.
    """
    found = queries.articles_to_index([article_id])
    if not found:
        return []
    article = found[0]
    pins, forbidden = queries.related_choices(article_id)
    ranked = _ranked(article, index, forbidden | set(pins))
    alike = [(each, score) for each, score in ranked if score >= FLOOR][:COMPARED]
    newest = [(each, 0.0) for each in queries.newest_of_section(article.section_id, STORED + len(pins) + 1)]
    known = queries.facts_of([*pins, *(each for each, _ in newest)])
    chosen: Chosen = [(each, 1.0) for each in pins if each in known]
    taken = {article_id, *forbidden, *pins}
    for each, score in [*_told_once(article, alike), *newest]:
        if each not in taken and len(chosen) < STORED:
            taken.add(each)
            chosen.append((each, score))
    return chosen


def _ranked(article: Article, index: Index, but: set[int]) -> Chosen:
    """What reads like a story, best first, with what the two share beside words."""
    similar = {each.id: each.score for each in index.similar(document_of(article), CANDIDATES) if each.id not in but}
    facts = queries.facts_of([*similar, article.id])
    own = facts.pop(article.id, None)
    if own is None:
        return []
    scores = {each.id: _score(similar[each.id], own, each) for each in facts.values()}
    return sorted(scores.items(), key=lambda item: (facts[item[0]].language != own.language, -item[1], -item[0]))


def _score(likeness: float, own: Facts, other: Facts) -> float:
    topics = min(MOST_SHARED, len(own.topics & other.topics))
    countries = min(MOST_SHARED, len(own.countries & other.countries))
    days = max(0.0, (datetime.now(UTC) - other.published_at).total_seconds() / 86_400)
    age: float = 1 - RECENCY * (1 - 0.5 ** (days / HALF_LIFE_DAYS))
    return (likeness + TOPIC * topics + COUNTRY * countries) * age


def _told_once(article: Article, candidates: Sequence[tuple[int, float]]) -> Chosen:
    """The candidates without those whose text is mostly that of the story, or of a better candidate."""
    bodies = queries.bodies_of([each for each, _ in candidates])
    seen, kept = [_shingles(article.body)], []
    for each, score in candidates:
        shingles = _shingles(bodies.get(each, ""))
        if not any(_are_the_same(shingles, other) for other in seen):
            seen.append(shingles)
            kept.append((each, score))
    return kept


def _shingles(body: str) -> frozenset[tuple[str, ...]]:
    """Every three words in a row (Broder, 1997)."""
    words = [token.text for token in tokens(plain_text(body))]
    return frozenset(zip(*(words[start:] for start in range(SHINGLE)), strict=False))


def _are_the_same(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    shared = len(one & other)
    return shared > SAME_TEXT * (len(one) + len(other) - shared)
