"""One request against one snapshot: which documents match, in which order, which page, and how they are filed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spectator.search import FACETS, MAX_PAGE, MAX_PER_PAGE, Mode, SearchRequest, SearchResults
from spectator.search.language.query import Clause, Query, parse_query
from spectator.search.language.spelling import suggest_spelling
from spectator.search.whoosh.budget import Budget
from spectator.search.whoosh.facets import filter_documents, top_values
from spectator.search.whoosh.filters import Filters, build_filters
from spectator.search.whoosh.proximity import rerank
from spectator.search.whoosh.scoring import PostingLists, Scores
from spectator.search.whoosh.snapshot import Snapshot

# A word that more than this part of the stories has says nothing where rarer words are known.
COMMON_WORD_SHARE = 0.1
FEW_HITS = 2


@dataclass(frozen=True, slots=True)
class Matches:
    """The documents that the words find, before any filter: scored, or all of them, newest first, without words."""

    documents: Sequence[int]
    scores: Scores
    mode: Mode
    term_counts: Sequence[tuple[str, int]]


def search(snapshot: Snapshot, request: SearchRequest) -> SearchResults:
    """The page of results. Called by one thread at a time."""
    snapshot.budget = Budget()
    found = _run_query(snapshot, request, parse_query(request.text))
    if (
        (found.mode == "all" and found.total > FEW_HITS)
        or found.is_partial
        or request.article_ids is not None
    ):
        return found
    meant = suggest_spelling(snapshot, request.text)
    if not meant:
        return found
    other = _run_query(snapshot, replace(request, text=meant), parse_query(meant))
    is_better = other.mode == "all" and other.total > (found.total if found.mode == "all" else 0)
    return replace(found, suggestion=meant) if is_better else found


def _run_query(snapshot: Snapshot, request: SearchRequest, query: Query) -> SearchResults:
    candidates = _candidates(snapshot, request)
    narrowing = build_filters(snapshot, request, query, candidates)
    matches = _match(snapshot, query, candidates)
    allowed = filter_documents(matches.documents, narrowing.predicates())
    return SearchResults(
        ids=[
            snapshot.article_ids[document]
            for document in _page(snapshot, request, query, matches, allowed)
        ],
        total=len(allowed),
        terms=query.terms,
        prefixes=query.prefixes,
        mode=matches.mode,
        index_offset=snapshot.generation.offset,
        facets=_facet_counts(snapshot, narrowing, matches.documents, allowed),
        year_counts=_year_counts(snapshot, narrowing, matches.documents),
        term_counts=matches.term_counts,
        filters=narrowing.included,
        excluded_filters=narrowing.excluded,
        unknown_filters=narrowing.unknown,
        is_truncated=query.is_truncated,
        is_partial=snapshot.budget.is_exhausted,
        published_from=narrowing.published_from,
        published_to=narrowing.published_to,
    )


def _candidates(snapshot: Snapshot, request: SearchRequest) -> Sequence[int] | None:
    """Return the documents of the only articles to search, newest first; None for all."""
    if request.article_ids is None:
        return None
    return [
        document
        for document in snapshot.newest_first
        if snapshot.article_ids[document] in request.article_ids
    ]


def _match(snapshot: Snapshot, query: Query, candidates: Sequence[int] | None) -> Matches:
    """What the words find: every wanted clause, else any, and none of the excluded."""
    newest = snapshot.newest_first if candidates is None else candidates
    if not query.included:
        has_any = query.has_conditions or query.is_blank
        return Matches(_drop_excluded(snapshot, query, newest if has_any else ()), {}, "all", ())
    lists, share = (
        PostingLists(snapshot, candidates),
        max(1, sum(clause.is_prefix for clause in query.clauses)),
    )
    scores = _score_all(lists, query.included, share)
    documents = _drop_excluded(snapshot, query, scores)
    if documents:
        return Matches(documents, scores, "all", ())
    any_lists = lists.restricted_to(newest) if snapshot.deleted else lists
    return _match_any(snapshot, query, any_lists, share, COMMON_WORD_SHARE * len(newest))


def _match_any(
    snapshot: Snapshot, query: Query, lists: PostingLists, prefix_count: int, most: float
) -> Matches:
    """What any of the words finds."""
    clauses = query.included
    parts = [lists.match(clause, prefix_count) for clause in clauses]
    words = [(str(clause), len(part)) for clause, part in zip(clauses, parts, strict=True)]
    if len(parts) == 1:
        return Matches((), {}, "all", words)
    scores = _score_any(parts, most)
    documents = _drop_excluded(snapshot, query, scores)
    return Matches(documents, scores, "any" if documents else "all", words)


def _score_all(lists: PostingLists, clauses: Sequence[Clause], prefix_count: int) -> Scores:
    """The documents that fit every clause; the rarest is looked up first, and the others only among what it found."""
    scores: Scores | None = None
    for clause in sorted(clauses, key=lists.estimate_frequency):
        here = lists.match(clause, prefix_count)
        if scores is not None:
            here = {
                document: score + scores[document]
                for document, score in here.items()
                if document in scores
            }
        if not here:
            return {}
        scores, lists = here, lists.restricted_to(here)
    return scores or {}


def _score_any(parts: Sequence[Scores], most: float) -> Scores:
    """The documents that fit at least one clause; clauses that more than `most` fit do not count beside rarer ones."""
    known = [part for part in parts if part]
    telling = [part for part in known if len(part) <= most] or known
    scores: Scores = {}
    number: Counter[int] = Counter()
    for part in telling:
        number.update(part.keys())
        for document, score in part.items():
            scores[document] = scores.get(document, 0.0) + score
    return {
        document: score * (number[document] / len(telling)) ** 2
        for document, score in scores.items()
    }


def _drop_excluded(
    snapshot: Snapshot, query: Query, documents: Sequence[int] | Scores
) -> list[int]:
    """The documents that are not deleted and fit no excluded clause."""
    left = (
        [each for each in documents if each not in snapshot.deleted]
        if snapshot.deleted
        else list(documents)
    )
    for clause in query.excluded:
        unwanted = PostingLists(snapshot, left).match(clause)
        left = [each for each in left if each not in unwanted]
    return left


def _page(
    snapshot: Snapshot,
    request: SearchRequest,
    query: Query,
    matches: Matches,
    allowed: Sequence[int],
) -> Sequence[int]:
    """The asked page of the documents in the asked order; nothing where there is no such page."""
    size = max(1, min(request.per_page, MAX_PER_PAGE))
    if not 1 <= request.page <= MAX_PAGE:
        return ()
    page = slice((request.page - 1) * size, request.page * size)
    if request.sort != "relevance" or not matches.scores:
        if matches.scores or request.sort == "oldest":
            allowed = sorted(allowed, key=snapshot.date_sort_key, reverse=request.sort != "oldest")
        return allowed[page]
    scores = matches.scores
    ranked = sorted(
        allowed, key=lambda document: (-scores[document], -snapshot.published_at[document])
    )
    words = list(
        dict.fromkeys(
            word for clause in query.included if not clause.is_prefix for word in clause.words
        )
    )
    if len(words) > 1 and matches.mode == "all":
        ranked = rerank(snapshot, scores, words, ranked)
    return ranked[page]


def _facet_counts(
    snapshot: Snapshot, filters: Filters, documents: Sequence[int], allowed: Sequence[int]
) -> Mapping[str, Sequence[tuple[str, int]]]:
    """The facets of what is allowed; one with a chosen value shows its alternatives too."""
    found = {}
    for name in FACETS:
        among = (
            filter_documents(documents, filters.predicates(skip=name))
            if name in filters.facet_predicates
            else allowed
        )
        found[name] = top_values(
            snapshot.facets[name].count_slugs(among), filters.included_slugs(name)
        )
    return found


def _year_counts(
    snapshot: Snapshot, filters: Filters, documents: Sequence[int]
) -> list[tuple[int, int]]:
    among = filter_documents(documents, filters.predicates(skip="date"))
    return sorted(Counter(map(snapshot.years.__getitem__, among)).items())
