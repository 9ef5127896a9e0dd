"""A search of one generation: matching, filtering, sorting, paging and facet counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.exc import DBAPIError

from spectator.search import (
    MAX_PAGE,
    MAX_PER_PAGE,
    IndexBusyError,
    SearchRequest,
    SearchResults,
)
from spectator.search.language.parser import parse_query
from spectator.search.language.query import Query
from spectator.search.language.spelling import suggest_spelling
from spectator.search.postgres.clauses import clause_matcher
from spectator.search.postgres.facets import count_documents, count_values, has_documents
from spectator.search.postgres.filters import build_filters
from spectator.search.postgres.lexicon import DatabaseLexicon
from spectator.search.postgres.matchers import Matcher, Statistics
from spectator.search.postgres.ranker import Scorer, sort_by_date, sort_by_relevance
from spectator.search.postgres.reader import QUERY_CANCELED, Reader
from spectator.search.postgres.selection import Selection
from spectator.search.postgres.verification import Verifier, any_verified
from spectator.search.relevance import COMMON_WORD_SHARE, FEW_HITS
from spectator.search.whoosh.stems import Highlights

# A suggestion that takes longer is left out, so that it cannot cost the results.
MAX_SPELLING_SECONDS = 2.0
ANY_DOCUMENT = Selection()


@dataclass(frozen=True, slots=True)
class Matches:
    """The documents that match the words, before any filter; no scorer if there are no words."""

    selection: Selection
    scorer: Scorer | None = None
    term_counts: Sequence[tuple[str, int]] = ()


def search(reader: Reader, request: SearchRequest) -> SearchResults:
    """Return one page of results, within the reader's limits."""
    results = _run_query(reader, request, parse_query(request.text, request.synonyms))
    full_matches = results.total if results.mode == "all" else 0
    if full_matches > FEW_HITS or results.is_partial or request.article_ids is not None:
        return results
    reader.end_by(MAX_SPELLING_SECONDS)
    try:
        suggestion = _suggest_spelling(reader, request, full_matches)
    except IndexBusyError:
        return results
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != QUERY_CANCELED:
            raise
        return results  # The transaction has failed, but nothing more is read.
    return replace(results, suggestion=suggestion)


def _suggest_spelling(reader: Reader, request: SearchRequest, full_matches: int) -> str:
    """Return a spelling with which more documents have every word, or ""."""
    suggestion = suggest_spelling(DatabaseLexicon(reader), request.text)
    if not suggestion:
        return ""
    corrected = replace(request, text=suggestion)
    alternative = _run_query(reader, corrected, parse_query(suggestion))
    is_better = alternative.mode == "all" and alternative.total > full_matches
    return suggestion if is_better else ""


def _run_query(reader: Reader, request: SearchRequest, query: Query) -> SearchResults:
    filters = build_filters(reader, request, query)
    verifier = Verifier(reader, filters, is_oldest_first=request.sort == "oldest")
    matches = _match(verifier, request, query)
    counts = count_values(reader, matches.selection, filters)
    ids = _page(reader, request, query, matches, filters.apply(matches.selection))
    return SearchResults(
        ids=ids,
        total=counts.total,
        terms=Highlights(query.terms),
        prefixes=query.prefixes,
        mode="any" if matches.scorer and matches.scorer.is_any else "all",
        index_offset=reader.generation.offset,
        facets=counts.facets,
        year_counts=counts.years,
        term_counts=matches.term_counts,
        filters=filters.included,
        excluded_filters=filters.excluded,
        unknown_filters=filters.unknown,
        is_truncated=query.is_truncated,
        is_partial=reader.is_partial,
        published_from=filters.published_from,
        published_to=filters.published_to,
    )


def _match(verifier: Verifier, request: SearchRequest, query: Query) -> Matches:
    """Return the documents that match every clause or, if none does, any clause."""
    reader, scope = verifier.reader, ANY_DOCUMENT
    if request.article_ids is not None:
        scope = scope.among("permitted", request.article_ids)
    matchers = [clause_matcher(clause) for clause in query.included]
    excluded = [clause_matcher(clause) for clause in query.excluded]
    statistics = _read_statistics(reader, [*matchers, *excluded])
    if not matchers:
        lists_all = query.has_conditions or query.is_blank
        everything = verifier.exclude(scope, excluded, statistics)
        return Matches(everything if lists_all else scope.nothing())
    selection = verifier.select(scope, matchers, statistics)
    selection = verifier.exclude(selection, excluded, statistics)
    if has_documents(reader, selection):
        return Matches(selection, Scorer(matchers, statistics))
    return _match_any(verifier, query, scope, matchers, excluded, statistics)


def _match_any(
    verifier: Verifier,
    query: Query,
    scope: Selection,
    matchers: Sequence[Matcher],
    excluded: Sequence[Matcher],
    statistics: Statistics,
) -> Matches:
    """Return the documents that match at least one clause, and how many match each clause.

    Clauses that match more than a tenth of the documents count only if there is no rarer one.
    """
    reader = verifier.reader
    verified = verifier.verify_each(scope, matchers, statistics)
    counts = [count_documents(reader, matches.restrict(scope)) for matches in verified]
    term_counts = [
        (str(clause), count) for clause, count in zip(query.included, counts, strict=True)
    ]
    if len(matchers) == 1 or not any(counts):
        return Matches(scope.nothing(), term_counts=term_counts)
    most = COMMON_WORD_SHARE * _scope_size(reader, scope)
    used = [number for number, count in enumerate(counts) if 0 < count <= most]
    used = used or [number for number, count in enumerate(counts) if count]
    selection = any_verified(verified[number] for number in used).restrict(scope)
    selection = verifier.exclude(selection, excluded, statistics)
    if not has_documents(reader, selection):
        return Matches(scope.nothing(), term_counts=term_counts)
    scorer = Scorer([matchers[number] for number in used], statistics, is_any=True)
    return Matches(selection, scorer, term_counts)


def _scope_size(reader: Reader, scope: Selection) -> int:
    if scope is ANY_DOCUMENT:
        return reader.generation.document_count
    return count_documents(reader, scope)


def _read_statistics(reader: Reader, matchers: Iterable[Matcher]) -> Statistics:
    matchers = list(matchers)
    terms = {term for matcher in matchers for term in matcher.terms()}
    frequencies = reader.document_frequencies(terms)
    for prefix in {prefix for matcher in matchers for prefix in matcher.prefixes()}:
        frequencies[f"{prefix}*"] = reader.prefix_frequency(prefix)
    return Statistics(reader.generation.document_count, frequencies)


def _page(
    reader: Reader, request: SearchRequest, query: Query, matches: Matches, allowed: Selection
) -> list[int]:
    """Return the requested page of the allowed documents in the requested order.

    A page out of range is empty.
    """
    size = max(1, min(request.per_page, MAX_PER_PAGE))
    if not 1 <= request.page <= MAX_PAGE:
        return []
    page = slice((request.page - 1) * size, request.page * size)
    if request.sort == "relevance" and matches.scorer:
        return sort_by_relevance(reader, allowed, query, matches.scorer, page)
    is_oldest = request.sort == "oldest"
    return sort_by_date(reader, allowed, size, page.start, oldest_first=is_oldest)
