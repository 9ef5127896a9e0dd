"""A search of one snapshot: matching, filtering, sorting, paging and facet counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spectator.search import FACETS, MAX_PAGE, MAX_PER_PAGE, Mode, SearchRequest, SearchResults
from spectator.search.language.parser import parse_query
from spectator.search.language.query import Clause, Query
from spectator.search.relevance import COMMON_WORD_SHARE, FEW_HITS
from spectator.search.whoosh.facets import filter_documents, top_values
from spectator.search.whoosh.filters import Filters, build_filters
from spectator.search.whoosh.lexicon import suggest_spelling_of
from spectator.search.whoosh.proximity import rerank
from spectator.search.whoosh.scoring import PostingLists, Scores
from spectator.search.whoosh.snapshot import Snapshot
from spectator.search.whoosh.stems import Highlights
from spectator.search.whoosh.visible_words import VisibleWords


@dataclass(frozen=True, slots=True)
class Matches:
    """The documents that match the words, before any filter.

    Without words these are all documents, newest first and without scores.
    """

    documents: Sequence[int]
    scores: Scores
    mode: Mode
    term_counts: Sequence[tuple[str, int]]


def search(snapshot: Snapshot, request: SearchRequest) -> SearchResults:
    """Return one page of results, within the snapshot's budget. The caller holds its lock."""
    results = _run_query(snapshot, request, parse_query(request.text, request.synonyms))
    full_matches = results.total if results.mode == "all" else 0
    if full_matches > FEW_HITS or results.is_partial or request.article_ids is not None:
        return results
    suggestion = suggest_spelling_of(snapshot, request.text)
    if not suggestion:
        return results
    corrected = replace(request, text=suggestion)
    alternative = _run_query(snapshot, corrected, parse_query(suggestion))
    is_better = alternative.mode == "all" and alternative.total > full_matches
    return replace(results, suggestion=suggestion) if is_better else results


def _run_query(snapshot: Snapshot, request: SearchRequest, query: Query) -> SearchResults:
    candidates = _candidates(snapshot, request)
    filters = build_filters(snapshot, request, query, candidates)
    matches = _match(snapshot, query, candidates)
    allowed = filter_documents(matches.documents, filters.predicates())
    page = _page(snapshot, request, query, matches, allowed)
    return SearchResults(
        ids=[snapshot.article_ids[document] for document in page],
        total=len(allowed),
        terms=Highlights(query.terms),
        prefixes=query.prefixes,
        mode=matches.mode,
        index_offset=snapshot.generation.offset,
        facets=_facet_counts(snapshot, filters, matches.documents, allowed),
        year_counts=_year_counts(snapshot, filters, matches.documents),
        term_counts=matches.term_counts,
        filters=filters.included,
        excluded_filters=filters.excluded,
        unknown_filters=filters.unknown,
        is_truncated=query.is_truncated,
        is_partial=snapshot.budget.has_left_out,
        published_from=filters.published_from,
        published_to=filters.published_to,
    )


def _candidates(snapshot: Snapshot, request: SearchRequest) -> Sequence[int] | None:
    """Return the documents that the request is limited to, newest first; None for no limit."""
    if request.article_ids is None:
        return None
    return [
        document
        for document in snapshot.newest_first
        if snapshot.article_ids[document] in request.article_ids
    ]


def _match(snapshot: Snapshot, query: Query, candidates: Sequence[int] | None) -> Matches:
    """Return the documents that match every clause or, if none does, any clause.

    Documents that match an excluded clause are left out.
    """
    newest_first = snapshot.newest_first if candidates is None else candidates
    lists = PostingLists(snapshot, candidates, _visible_words(snapshot, candidates))
    if not query.included:
        lists_all = query.has_conditions or query.is_blank
        return Matches(
            _drop_excluded(lists, query, newest_first if lists_all else ()), {}, "all", ()
        )
    # All prefixes of a query share the limit on the words that they stand for.
    prefix_count = max(1, sum(clause.is_prefix for clause in query.clauses))
    scores = _score_all(lists, query.included, prefix_count)
    documents = _drop_excluded(lists, query, scores)
    if documents:
        return Matches(documents, scores, "all", ())
    # The numbers of matches of single clauses must not include deleted documents.
    any_lists = lists.narrow(newest_first) if snapshot.deleted else lists
    return _match_any(any_lists, query, prefix_count, COMMON_WORD_SHARE * len(newest_first))


def _visible_words(snapshot: Snapshot, candidates: Sequence[int] | None) -> VisibleWords | None:
    """Return the words of the documents that the search is limited to."""
    if candidates is None:
        return None
    snapshot.budget.count_words_only(len(candidates))
    word_lists = ((document, snapshot.word_list(document)) for document in candidates)
    return VisibleWords(word_lists, snapshot.budget)


def _match_any(
    lists: PostingLists, query: Query, prefix_count: int, max_frequency: float
) -> Matches:
    """Return the documents that match at least one clause, and how many match each clause."""
    clauses = query.included
    clause_scores = [lists.match(clause, prefix_count) for clause in clauses]
    counts = [
        (str(clause), len(scores)) for clause, scores in zip(clauses, clause_scores, strict=True)
    ]
    if len(clauses) == 1:
        return Matches((), {}, "all", counts)
    scores = _score_any(clause_scores, max_frequency)
    documents = _drop_excluded(lists, query, scores)
    return Matches(documents, scores, "any" if documents else "all", counts)


def _score_all(lists: PostingLists, clauses: Sequence[Clause], prefix_count: int) -> Scores:
    """Return the scores of the documents that match every clause.

    The rarest clause is looked up first, the others only in the documents that match it.
    """
    scores: Scores | None = None
    for clause in sorted(clauses, key=lists.estimate_frequency):
        matches = lists.match(clause, prefix_count)
        if scores is not None:
            matches = {
                document: score + scores[document]
                for document, score in matches.items()
                if document in scores
            }
        if not matches:
            return {}
        scores, lists = matches, lists.narrow(matches)
    return scores or {}


def _score_any(clause_scores: Sequence[Scores], max_frequency: float) -> Scores:
    """Return the scores of the documents that match at least one clause.

    Clauses that match more than `max_frequency` documents count only if there is no rarer one.
    """
    matching = [matches for matches in clause_scores if matches]
    rare = [matches for matches in matching if len(matches) <= max_frequency] or matching
    scores: Scores = {}
    clause_count: Counter[int] = Counter()
    for matches in rare:
        clause_count.update(matches.keys())
        for document, score in matches.items():
            scores[document] = scores.get(document, 0.0) + score
    return {
        document: score * (clause_count[document] / len(rare)) ** 2
        for document, score in scores.items()
    }


def _drop_excluded(
    lists: PostingLists, query: Query, documents: Sequence[int] | Scores
) -> list[int]:
    """Return the documents that are not deleted and match no excluded clause."""
    remaining = list(documents)
    if deleted := lists.snapshot.deleted:
        remaining = [document for document in remaining if document not in deleted]
    for clause in query.excluded:
        unwanted = lists.narrow(remaining).match(clause)
        remaining = [document for document in remaining if document not in unwanted]
    return remaining


def _page(
    snapshot: Snapshot,
    request: SearchRequest,
    query: Query,
    matches: Matches,
    allowed: Sequence[int],
) -> Sequence[int]:
    """Return the requested page of the allowed documents in the requested order.

    A page out of range is empty.
    """
    size = max(1, min(request.per_page, MAX_PER_PAGE))
    if not 1 <= request.page <= MAX_PAGE:
        return ()
    page = slice((request.page - 1) * size, request.page * size)
    if request.sort != "relevance" or not matches.scores:
        # Documents without scores are in that order already.
        if matches.scores or request.sort == "oldest":
            allowed = sorted(
                allowed, key=snapshot.date_sort_key, reverse=request.sort != "oldest"
            )
        return allowed[page]
    scores = matches.scores
    ranked = sorted(
        allowed, key=lambda document: (-scores[document], -snapshot.published_at[document])
    )
    clauses = [clause for clause in query.included if not clause.is_prefix]
    words = dict.fromkeys(word for clause in clauses for word in clause.words)
    if len(words) > 1 and matches.mode == "all":
        ranked = rerank(snapshot, scores, list(words), ranked)
    return ranked[page]


def _facet_counts(
    snapshot: Snapshot, filters: Filters, documents: Sequence[int], allowed: Sequence[int]
) -> Mapping[str, Sequence[tuple[str, int]]]:
    """Return each facet's values with the number of documents that each would leave.

    A facet is counted without its own filter, so that its other values can still be selected.
    """
    counts = {}
    for name in FACETS:
        counted = allowed
        if name in filters.facet_predicates:
            counted = filter_documents(documents, filters.predicates(skip=name))
        slug_counts = snapshot.facets[name].count_slugs(counted)
        counts[name] = top_values(slug_counts, filters.included_slugs(name))
    return counts


def _year_counts(
    snapshot: Snapshot, filters: Filters, documents: Sequence[int]
) -> list[tuple[int, int]]:
    counted = filter_documents(documents, filters.predicates(skip="date"))
    return sorted(Counter(map(snapshot.years.__getitem__, counted)).items())
