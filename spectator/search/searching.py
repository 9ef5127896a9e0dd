"""One request against one snapshot: which documents match, in which order, which page of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from whoosh.query import And, Or, Term

from spectator.search import MAX_PAGE, MAX_PER_PAGE, Found, Mode, Request
from spectator.search.query import Query
from spectator.search.snapshot import Snapshot
from spectator.search.whoosh_query import trees
from spectator.search.whoosh_schema import FILTERS

_DAY_SECONDS = 86_400
_EPOCH = date(1970, 1, 1).toordinal()


def search(snapshot: Snapshot, request: Request, query: Query) -> Found:
    """The page of results. Called by one thread at a time."""
    page = _page(request)
    allowed = _allowed(snapshot, request, query)
    mode: Mode = "all"
    if query.wanted:
        documents, total, mode = _matching(snapshot, request, query, allowed, page.stop)
    elif query.clauses or query.is_blank:
        documents = [each for each in snapshot.newest if allowed is None or each in allowed]
        total = len(documents)
        if request.sort == "oldest":
            documents.reverse()
    else:
        documents, total = [], 0
    return Found(
        ids=[snapshot.article[document] for document in documents[page]],
        total=total,
        terms=query.terms,
        prefixes=query.prefixes,
        mode=mode,
        position=snapshot.generation.position,
    )


def _page(request: Request) -> slice:
    """Where the page lies among the results; an empty slice where there is no such page."""
    size = max(1, min(request.per_page, MAX_PER_PAGE))
    if not 1 <= request.page <= MAX_PAGE:
        return slice(0, 0)
    return slice((request.page - 1) * size, request.page * size)


def _allowed(snapshot: Snapshot, request: Request, query: Query) -> set[int] | None:
    """The documents that the filters and the excluded words leave, or None when there are neither."""
    allowed = _filtered(snapshot, request)
    if query.excluded:
        unwanted = Or(trees(query.excluded, snapshot.searcher.reader()))
        left = set(snapshot.newest) if allowed is None else allowed
        allowed = left.difference(snapshot.searcher.docs_for_query(unwanted))
    return allowed


def _filtered(snapshot: Snapshot, request: Request) -> set[int] | None:
    values = {name: getattr(request, name) for name in FILTERS}
    terms = [Term(name, value) for name, value in values.items() if value]
    documents: Iterable[int] | None = None
    if terms:
        documents = snapshot.searcher.docs_for_query(And(terms))
    if request.published_from or request.published_to:
        start = _seconds(request.published_from or date.min)
        end = _seconds(request.published_to or date.max) + _DAY_SECONDS
        everything = snapshot.newest if documents is None else documents
        documents = (each for each in everything if start <= snapshot.published[each] < end)
    return None if documents is None else set(documents)


def _seconds(day: date) -> int:
    """The first second of a day in UTC; plain numbers, because timestamps overflow at both ends of time."""
    return (day.toordinal() - _EPOCH) * _DAY_SECONDS


def _matching(
    snapshot: Snapshot, request: Request, query: Query, allowed: set[int] | None, count: int
) -> tuple[list[int], int, Mode]:
    """The first `count` documents with every wanted clause, else with any; how many there are; which it was."""
    parts = trees(query.wanted, snapshot.searcher.reader())
    ranked = _by_date if request.sort in {"newest", "oldest"} else _by_relevance
    documents, total = ranked(snapshot, request, And(parts), allowed, count)
    if total or len(parts) == 1:
        return documents, total, "all"
    documents, total = ranked(snapshot, request, Or(parts), allowed, count)
    return documents, total, "any" if total else "all"


def _by_date(
    snapshot: Snapshot, request: Request, tree: Any, allowed: set[int] | None, count: int
) -> tuple[list[int], int]:
    documents = snapshot.searcher.docs_for_query(tree)
    ordered = sorted(
        (each for each in documents if allowed is None or each in allowed),
        key=snapshot.age,
        reverse=request.sort == "newest",
    )
    return ordered[:count], len(ordered)


def _by_relevance(
    snapshot: Snapshot, request: Request, tree: Any, allowed: set[int] | None, count: int
) -> tuple[list[int], int]:
    # Whoosh takes an empty set for no filter at all.
    if allowed is not None and not allowed:
        return [], 0
    # Without its optimizations, because those lose count of the documents they skip.
    collector = snapshot.searcher.collector(limit=max(1, count), filter=allowed, optimize=False)
    snapshot.searcher.search_with_collector(tree, collector)
    ranked = [document for _, document in collector.results().top_n]
    return ranked, collector.count()
