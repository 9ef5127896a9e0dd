"""Related articles, computed by the worker after publication and read with one select.

This is a consumer of the outbox, on one host at a time. It queries the search index, so it waits
until the index contains a change. Its offset is stored in the same transaction as its results. If
the offset is missing, related articles are recomputed for all articles in small slices; this also
happens once every night.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime

from sqlalchemy import delete, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from spectator import outbox, queries
from spectator.db import db
from spectator.hosts import leases
from spectator.hosts.leases import LeaseLostError
from spectator.indexing import build_document
from spectator.models import Article, Consumer, Related
from spectator.queries.related import ArticleFeatures
from spectator.search import Index, IndexUnavailableError
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.folding import tokens
from spectator.text.words.snippets import beginning

log = logging.getLogger(__name__)
MAX_STORED = 6
MAX_CANDIDATES = 30
MAX_NEIGHBOURS = 12
# What each shared topic or country, up to MAX_SHARED, adds to a similarity of at most 1.
TOPIC_WEIGHT, COUNTRY_WEIGHT, MAX_SHARED = 0.1, 0.05, 3
# Age lowers a score by at most a tenth, and by half of that within two years.
HALF_LIFE_DAYS, RECENCY_WEIGHT = 730, 0.1
MIN_SCORE = 0.12  # Below this, the newest articles of the section are preferred.
# Texts are duplicates if they share more than this part of their shingles, runs of three words.
SAME_TEXT_THRESHOLD, SHINGLE_SIZE, MAX_COMPARED = 0.5, 3, 12
MAX_COMPARED_CHARACTERS = 20_000  # of HTML, at the start of each text: some 3,000 words
SLICE_SECONDS = 0.2
# In outbox rows. Beyond MAX_LAG, a full pass costs less than catching up.
BATCH_SIZE, MAX_LAG = 3, 300
# Rows of models.Consumer: the outbox offset, the last article id of a running full pass, and the
# day (as an ordinal) of the last nightly pass.
CONSUMER, FULL_PASS, NIGHTLY_PASS = "related", "related-pass", "related-night"

ScoredIds = list[tuple[int, float]]


class RelatedConsumer:
    """The consumer of the outbox; between slices it remembers what the next rows affect."""

    def __init__(self) -> None:
        self.offset: int | None = None  # of these rows
        self.last_seq = 0
        self.changed_ids: set[int] = set()
        self.pending_ids: list[int] = []
        self.affected_ids: set[int] = set()  # pending or computed

    def catch_up(self, index: Index) -> bool:
        """Compute one time slice of what the next outbox rows affect, or of a full pass.

        Return whether there may be more to do.
        """
        index_offset, offset = index.offset(), queries.consumer_offset(CONSUMER)
        if index_offset is None:
            return False
        try:
            if offset is not None and index_offset < offset <= outbox.newest_number():
                return False  # the host that had the lease before was ahead of this one's index
            if (
                offset is None
                or not 0 <= index_offset - offset <= MAX_LAG
                or outbox.oldest_number() > offset + 1
            ):
                # The offset is set first, so that articles published during the pass follow it.
                _store({}, {CONSUMER: index_offset, FULL_PASS: 0})
                return True
            if offset < index_offset:
                self._continue_rows(index, offset, index_offset)
                return True
            return _continue_pass(index)
        except (IndexUnavailableError, LeaseLostError):
            return False

    def _continue_rows(self, index: Index, offset: int, index_offset: int) -> None:
        """Compute changed articles, and others whose related articles may change with them."""
        if offset != self.offset:
            self.changed_ids, self.last_seq = outbox.articles_changed_after(offset, BATCH_SIZE)
            self.pending_ids, self.affected_ids = list(self.changed_ids), set(self.changed_ids)
        self.offset = None  # after an error, the same rows are read again
        deadline = time.monotonic() + SLICE_SECONDS
        results: dict[int, ScoredIds] = {}
        while self.pending_ids and (not results or time.monotonic() <= deadline):
            article_id = self.pending_ids.pop()
            results[article_id] = _compute(index, article_id)
            if article_id in self.changed_ids:
                affected = queries.neighbours(article_id, MAX_NEIGHBOURS)
                affected |= {related_id for related_id, _ in results[article_id]}
                self.pending_ids += affected - self.affected_ids
                self.affected_ids |= affected
        is_done = not self.pending_ids
        _store(results, {CONSUMER: min(self.last_seq, index_offset)} if is_done else {})
        self.offset = offset


def start_full_pass(day: date) -> None:
    """Start to recompute all articles, unless a pass was already started on this day."""
    if queries.consumer_offset(NIGHTLY_PASS) != day.toordinal():
        with suppress(LeaseLostError):  # then another host starts it
            _store({}, {FULL_PASS: 0, NIGHTLY_PASS: day.toordinal()})


def _continue_pass(index: Index) -> bool:
    """Compute one time slice of a full pass; return whether a pass was running."""
    after = queries.consumer_offset(FULL_PASS)
    if after is None:
        return False
    deadline, results = time.monotonic() + SLICE_SECONDS, {}
    ids = queries.published_ids_after(after, 200)
    for article_id in ids:
        results[article_id] = _compute(index, article_id)
        after = article_id
        if time.monotonic() > deadline:
            break
    _store(results, {FULL_PASS: after if ids else None})
    return True


def _compute(index: Index, article_id: int) -> ScoredIds:
    """Return what `compute_related` returns; [] if an error of this article keeps it from that."""
    try:
        return compute_related(index, article_id)
    except (IndexUnavailableError, SQLAlchemyError):
        raise
    except Exception:
        log.exception("related articles of story %s cannot be computed", article_id)
        return []


def _store(results: dict[int, ScoredIds], offsets: dict[str, int | None]) -> None:
    """Store results together with the offsets they belong to; None deletes an offset.

    Raises LeaseLostError if another host computes related articles now.
    """
    db.session.rollback()
    with db.write() as session:
        leases.require(session, leases.LEADER)
        for article_id, scored_ids in results.items():
            _replace_related(session, article_id, scored_ids)
        for name, offset in offsets.items():
            if offset is None:
                session.execute(delete(Consumer).where(Consumer.name == name))
            else:
                session.merge(Consumer(name=name, offset=offset))


def _replace_related(session: Session, article_id: int, scored_ids: ScoredIds) -> None:
    session.execute(delete(Related).where(Related.article_id == article_id))
    rows = [
        {"article_id": article_id, "position": position, "related_id": related_id, "score": score}
        for position, (related_id, score) in enumerate(scored_ids)
    ]
    if rows:
        session.execute(insert(Related), rows)


def compute_related(index: Index, article_id: int) -> ScoredIds:
    """Return up to six (id, score) for a published article, best first; [] for any other.

    Articles that an editor pinned come first, then similar ones in the same language, then those
    in other languages, then the newest of the section. Blocked articles and near-duplicates are
    left out, and so are translations: of the article itself, and of a better one. Raises
    IndexUnavailableError.
    """
    articles = queries.articles_to_index([article_id])
    if not articles:
        return []
    article = articles[0]
    pinned, blocked = queries.related_overrides(article_id)
    ranked = _rank_similar(article, index, blocked | set(pinned))
    similar = [(key, score) for key, score in ranked if score >= MIN_SCORE][:MAX_COMPARED]
    newest_ids = queries.newest_in_section(article.section_id, MAX_STORED + len(pinned) + 1)
    similar = _drop_duplicates(article, similar)
    candidates = [(key, 1.0) for key in pinned] + similar + [(key, 0.0) for key in newest_ids]
    features = queries.article_features([key for key, _ in candidates])
    related: ScoredIds = []
    seen_groups = {article.translation_of_id or article_id}
    for key, score in candidates:
        other = features.get(key)
        if other is None or other.group_id in seen_groups or key in blocked:
            continue
        seen_groups.add(other.group_id)
        related.append((key, score))
    return related[:MAX_STORED]


def _rank_similar(article: Article, index: Index, exclude: set[int]) -> ScoredIds:
    """Return similar articles, best first: same language, then text, topics, countries and age."""
    similarities = {
        hit.id: hit.score
        for hit in index.more_like_this(build_document(article), MAX_CANDIDATES)
        if hit.id not in exclude
    }
    features = queries.article_features([*similarities, article.id])
    own = features.pop(article.id, None)
    if own is None:
        return []
    scores = {other.id: _score(similarities[other.id], own, other) for other in features.values()}
    ranked_ids = sorted(
        scores, key=lambda key: (features[key].language != own.language, -scores[key], -key)
    )
    return [(key, scores[key]) for key in ranked_ids]


def _score(similarity: float, own: ArticleFeatures, other: ArticleFeatures) -> float:
    topics = min(MAX_SHARED, len(own.topics & other.topics))
    countries = min(MAX_SHARED, len(own.countries & other.countries))
    days = max(0.0, (datetime.now(UTC) - other.published_at).total_seconds() / 86_400)
    recency: float = 1 - RECENCY_WEIGHT * (1 - 0.5 ** (days / HALF_LIFE_DAYS))
    return (similarity + TOPIC_WEIGHT * topics + COUNTRY_WEIGHT * countries) * recency


def _drop_duplicates(article: Article, candidates: Sequence[tuple[int, float]]) -> ScoredIds:
    """Return the candidates whose text does not repeat the article or a better candidate."""
    ids = [key for key, _ in candidates]
    bodies = queries.body_starts(ids, MAX_COMPARED_CHARACTERS)
    seen_shingles, unique = [_shingles(article.body)], []
    for key, score in candidates:
        shingles = _shingles(bodies.get(key, ""))
        if not any(_are_duplicates(shingles, other) for other in seen_shingles):
            seen_shingles.append(shingles)
            unique.append((key, score))
    return unique


def _shingles(body: str) -> frozenset[int]:
    """Return the hashes of all runs of three words at the start of a text (Broder, 1997)."""
    text = plain_text(beginning(body, MAX_COMPARED_CHARACTERS))
    words = [token.text for token in tokens(text)]
    return frozenset(map(hash, zip(*(words[n:] for n in range(SHINGLE_SIZE)), strict=False)))


def _are_duplicates(one: frozenset[int], other: frozenset[int]) -> bool:
    shared = len(one & other)
    return shared > SAME_TEXT_THRESHOLD * (len(one) + len(other) - shared)
