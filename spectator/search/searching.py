"""One request against one snapshot: which documents match, in which order, which page, and how they are filed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from spectator.search import FACETS, MAX_PAGE, MAX_PER_PAGE, Found, Mode, Request
from spectator.search.budget import Budget
from spectator.search.facets import keep, most_common
from spectator.search.matching import Lists, Scores
from spectator.search.narrowing import Narrowing, narrowing_of
from spectator.search.nearness import lift
from spectator.search.query import Clause, Query, parse
from spectator.search.snapshot import Snapshot
from spectator.search.spelling import better_spelling

# A word that more than this part of the stories has says nothing where rarer words are known.
COMMON = 0.1
FEW_HITS = 2


@dataclass(frozen=True, slots=True)
class Matches:
    """The documents that the words find, before any filter: scored, or all of them, newest first, without words."""

    documents: Sequence[int]
    scores: Scores
    mode: Mode
    words: Sequence[tuple[str, int]]


def search(snapshot: Snapshot, request: Request) -> Found:
    """The page of results. Called by one thread at a time."""
    snapshot.budget = Budget()
    found = _search(snapshot, request, parse(request.text))
    if (found.mode == "all" and found.total > FEW_HITS) or found.is_partial or request.among is not None:
        return found
    meant = better_spelling(snapshot, request.text)
    if not meant:
        return found
    other = _search(snapshot, replace(request, text=meant), parse(meant))
    is_better = other.mode == "all" and other.total > (found.total if found.mode == "all" else 0)
    return replace(found, meant=meant) if is_better else found


def _search(snapshot: Snapshot, request: Request, query: Query) -> Found:
    candidates = _candidates(snapshot, request)
    narrowing = narrowing_of(snapshot, request, query, candidates)
    matches = _matches(snapshot, query, candidates)
    allowed = keep(matches.documents, narrowing.tests())
    return Found(
        ids=[snapshot.article[document] for document in _page(snapshot, request, query, matches, allowed)],
        total=len(allowed),
        terms=query.terms,
        prefixes=query.prefixes,
        mode=matches.mode,
        position=snapshot.generation.position,
        facets=_facets(snapshot, narrowing, matches.documents, allowed),
        years=_years(snapshot, narrowing, matches.documents),
        words=matches.words,
        chosen=narrowing.chosen,
        excluded=narrowing.excluded,
        unknown=narrowing.unknown,
        is_cut=query.is_cut,
        is_partial=snapshot.budget.is_spent,
        published_from=narrowing.published_from,
        published_to=narrowing.published_to,
    )


def _candidates(snapshot: Snapshot, request: Request) -> Sequence[int] | None:
    """Return the documents of the only articles to search, newest first; None for all."""
    if request.among is None:
        return None
    return [document for document in snapshot.newest if snapshot.article[document] in request.among]


def _matches(snapshot: Snapshot, query: Query, candidates: Sequence[int] | None) -> Matches:
    """What the words find: every wanted clause, else any, and none of the excluded."""
    newest = snapshot.newest if candidates is None else candidates
    if not query.wanted:
        has_any = query.has_conditions or query.is_blank
        return Matches(_without(snapshot, query, newest if has_any else ()), {}, "all", ())
    lists, share = Lists(snapshot, candidates), max(1, sum(clause.is_prefix for clause in query.clauses))
    scores = _with_every(lists, query.wanted, share)
    documents = _without(snapshot, query, scores)
    if documents:
        return Matches(documents, scores, "all", ())
    any_lists = lists.among(newest) if snapshot.deleted else lists
    return _matches_of_any(snapshot, query, any_lists, share, COMMON * len(newest))


def _matches_of_any(snapshot: Snapshot, query: Query, lists: Lists, share: int, most: float) -> Matches:
    """What any of the words finds."""
    clauses = query.wanted
    parts = [lists.match(clause, share) for clause in clauses]
    words = [(str(clause), len(part)) for clause, part in zip(clauses, parts, strict=True)]
    if len(parts) == 1:
        return Matches((), {}, "all", words)
    scores = _with_any(parts, most)
    documents = _without(snapshot, query, scores)
    return Matches(documents, scores, "any" if documents else "all", words)


def _with_every(lists: Lists, clauses: Sequence[Clause], share: int) -> Scores:
    """The documents that fit every clause; the rarest is looked up first, and the others only among what it found."""
    scores: Scores | None = None
    for clause in sorted(clauses, key=lists.frequency):
        here = lists.match(clause, share)
        if scores is not None:
            here = {document: score + scores[document] for document, score in here.items() if document in scores}
        if not here:
            return {}
        scores, lists = here, lists.among(here)
    return scores or {}


def _with_any(parts: Sequence[Scores], most: float) -> Scores:
    """The documents that fit at least one clause; clauses that more than `most` fit do not count beside rarer ones."""
    known = [part for part in parts if part]
    telling = [part for part in known if len(part) <= most] or known
    scores: Scores = {}
    number: Counter[int] = Counter()
    for part in telling:
        number.update(part.keys())
        for document, score in part.items():
            scores[document] = scores.get(document, 0.0) + score
    return {document: score * (number[document] / len(telling)) ** 2 for document, score in scores.items()}


def _without(snapshot: Snapshot, query: Query, documents: Sequence[int] | Scores) -> list[int]:
    """The documents that are not deleted and fit no excluded clause."""
    left = [each for each in documents if each not in snapshot.deleted] if snapshot.deleted else list(documents)
    for clause in query.excluded:
        unwanted = Lists(snapshot, left).match(clause)
        left = [each for each in left if each not in unwanted]
    return left


def _page(
    snapshot: Snapshot, request: Request, query: Query, matches: Matches, allowed: Sequence[int]
) -> Sequence[int]:
    """The asked page of the documents in the asked order; nothing where there is no such page."""
    size = max(1, min(request.per_page, MAX_PER_PAGE))
    if not 1 <= request.page <= MAX_PAGE:
        return ()
    page = slice((request.page - 1) * size, request.page * size)
    if request.sort != "relevance" or not matches.scores:
        if matches.scores or request.sort == "oldest":
            allowed = sorted(allowed, key=snapshot.age, reverse=request.sort != "oldest")
        return allowed[page]
    scores = matches.scores
    ranked = sorted(allowed, key=lambda document: (-scores[document], -snapshot.published[document]))
    words = list(dict.fromkeys(word for clause in query.wanted if not clause.is_prefix for word in clause.words))
    if len(words) > 1 and matches.mode == "all":
        ranked = lift(snapshot, scores, words, ranked)
    return ranked[page]


def _facets(
    snapshot: Snapshot, narrowing: Narrowing, documents: Sequence[int], allowed: Sequence[int]
) -> Mapping[str, Sequence[tuple[str, int]]]:
    """The facets of what is allowed; one with a chosen value shows its alternatives too."""
    found = {}
    for name in FACETS:
        among = keep(documents, narrowing.tests(but=name)) if name in narrowing.by_facet else allowed
        found[name] = most_common(snapshot.facets[name].counts(among), narrowing.slugs(name))
    return found


def _years(snapshot: Snapshot, narrowing: Narrowing, documents: Sequence[int]) -> list[tuple[int, int]]:
    among = keep(documents, narrowing.tests(but="date"))
    return sorted(Counter(map(snapshot.year.__getitem__, among)).items())
