"""Search for editors: all stories, public or not, by words, section, author and year."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from flask import render_template, request

from spectator import publishing, queries
from spectator.models import Article
from spectator.newsroom import bp
from spectator.newsroom.preferences import newsroom_zone
from spectator.newsroom.related import open_index
from spectator.newsroom.security import current_user
from spectator.newsroom.story_references import is_visible
from spectator.search import MAX_PAGE, IndexUnavailableError, Mode, SearchRequest
from spectator.templating import partial_sentence, unknown_sentence
from spectator.text.words.numbers import parse_int
from spectator.text.words.snippets import body_snippets, highlight

PER_PAGE = 20
SCOPES = ("all", "unpublished", "published")
MAX_YEARS = 100
# Whether each index that a search looks in holds the public stories, or all others.
SEARCHED_INDEXES = {"all": (False, True), "unpublished": (False,), "published": (True,)}


@dataclass(frozen=True, slots=True)
class StoryQuery:
    """A search. `author_input` is what the user typed.

    `author`, `author_slug` and `author_ascii_form` are those of the author that matches it, "" if
    none does.
    """

    text: str
    scope: str
    section: str
    author_input: str
    author: str
    author_slug: str
    author_ascii_form: str
    year: int
    page: int

    @property
    def is_author_unknown(self) -> bool:
        """Return whether no author matches the input."""
        return bool(self.author_input and not self.author_slug)

    def to_search_request(
        self, page: int, per_page: int, is_public: bool, article_ids: frozenset[int] | None
    ) -> SearchRequest:
        """Return the request for an index, limited to `article_ids` if given.

        A limited search is sorted by date. Scores depend on every indexed story, so an order by
        score would let an author guess the words of colleagues' drafts.
        """
        first, last = (
            (date(self.year, 1, 1), date(self.year, 12, 31)) if self.year else (None, None)
        )
        return SearchRequest(
            self.text,
            section=self.section,
            author=self.author_slug if is_public else self.author_ascii_form,
            published_from=first,
            published_to=last,
            page=page,
            per_page=per_page,
            article_ids=article_ids,
            sort="relevance" if article_ids is None else "newest",
            is_for_editors=True,
        )

    def year_bounds(self) -> tuple[datetime, datetime] | None:
        """Return when the year and the next begin in the newsroom's zone, in UTC; None for all."""
        if not self.year:
            return None
        zone = newsroom_zone()
        start, end = (
            datetime(year, 1, 1, tzinfo=zone).astimezone(UTC)
            for year in (self.year, self.year + 1)
        )
        return start, end


@dataclass(frozen=True, slots=True)
class Ranking:
    """The matching stories of one index, best first; `ids_between` returns the ids of a slice."""

    is_public: bool
    total: int
    mode: Mode
    terms: frozenset[str]
    prefixes: tuple[str, ...]
    unknown_filters: Sequence[tuple[str, str]]
    is_partial: bool
    ids_between: Callable[[int, int], list[int]]


@dataclass(frozen=True, slots=True)
class Hit:
    """A story with its headline and best passage as (piece, is_match) pairs."""

    article: Article
    headline: list[tuple[str, bool]]
    snippet: list[tuple[str, bool]]
    is_editable: bool


@bp.get("/search")
def search() -> tuple[str, int]:
    """Show the matching stories: public, unpublished or both."""
    query, author_names = _query_from_request(), queries.author_names(_restricted_user_id())
    context: dict[str, Any] = {
        "query": query,
        "scopes": SCOPES,
        "years": _year_options(),
        "author_names": author_names,
    }
    try:
        context |= _find_stories(query)
    except IndexUnavailableError:
        context |= {"hits": [], "is_unavailable": True}
    status = 503 if "is_unavailable" in context else 200
    return render_template("newsroom/search.html", **context), status


def _find_stories(query: StoryQuery) -> dict[str, Any]:
    if query.is_author_unknown:
        return {"hits": []}
    return _search_stories(query) if query.text else _list_stories(query)


def _restricted_user_id() -> int | None:
    """Return the id of a user who may see only their own drafts, None for an editor."""
    user = current_user()
    return None if publishing.is_publisher(user) else user.id


def _query_from_request() -> StoryQuery:
    sent = request.args
    page, year, scope = sent.get("page", ""), sent.get("year", ""), sent.get("in", "")
    author_input = sent.get("author", "").strip()[:120]
    author = queries.find_author(author_input, _restricted_user_id()) if author_input else None
    section = sent.get("section", "")
    return StoryQuery(
        text=sent.get("q", "").strip()[:200],
        scope=scope if scope in SCOPES else "all",
        section=section if section in {row.slug for row in queries.sections()} else "",
        author_input=author_input,
        author=author.name if author else "",
        author_slug=author.slug if author else "",
        author_ascii_form=author.ascii_form if author else "",
        year=parse_int(year, 0, 1000, 8999),
        page=min(parse_int(page, 1, 1, 99), MAX_PAGE),
    )


def _year_options() -> list[int]:
    """Return the years to choose from in the newsroom's zone, latest first, at most a hundred."""
    earliest, latest = queries.publication_range(_restricted_user_id()) or (None, None)
    now, zone = datetime.now(UTC), newsroom_zone()
    first = (earliest or now).astimezone(zone).year
    last = max(latest or now, now).astimezone(zone).year
    return list(range(last, max(first - 1, last - MAX_YEARS), -1))


def _list_stories(query: StoryQuery) -> dict[str, Any]:
    """Return the stories that match the filters, last saved first."""
    user = current_user()
    articles = queries.newsroom_articles_matching(
        query.section,
        query.author_slug,
        query.year_bounds(),
        is_public={"published": True, "unpublished": False}.get(query.scope),
        own_drafts_of=_restricted_user_id(),
        offset=(query.page - 1) * PER_PAGE,
        limit=PER_PAGE,
    )  # and one more, if there is one
    hits = [
        _plain_hit(article, publishing.may_edit(user, article)) for article in articles[:PER_PAGE]
    ]
    return {
        "hits": hits,
        "has_more": len(articles) > PER_PAGE and query.page < MAX_PAGE,
    }


def _plain_hit(article: Article, is_editable: bool) -> Hit:
    return Hit(
        article,
        [(article.headline, False)],
        [(article.dek or article.excerpt, False)],
        is_editable,
    )


def _search_stories(query: StoryQuery) -> dict[str, Any]:
    """Return one page of the stories that match the words.

    Each index scores by its own word counts, so the scores of the two cannot be compared: their
    stories alternate, best first. If one index has stories with every word, partial matches of the
    other are left out.
    """
    rankings = [_search_index(query, is_public) for is_public in SEARCHED_INDEXES[query.scope]]
    mode: Mode = (
        "all" if any(ranking.total and ranking.mode == "all" for ranking in rankings) else "any"
    )
    unknown_filters = [
        value
        for value in rankings[0].unknown_filters
        if all(value in ranking.unknown_filters for ranking in rankings)
    ]
    warnings: list[str] = [unknown_sentence(facet, value) for facet, value in unknown_filters]
    if any(ranking.is_partial for ranking in rankings):
        warnings.append(partial_sentence())
    rankings = [ranking for ranking in rankings if ranking.total and ranking.mode == mode]
    total = sum(ranking.total for ranking in rankings)
    start = (query.page - 1) * PER_PAGE
    hits = list(_hits(rankings, start, min(start + PER_PAGE, total))) if rankings else []
    has_more = query.page < MAX_PAGE and total > query.page * PER_PAGE
    return {
        "hits": hits,
        "total": total,
        "mode": mode,
        "has_more": has_more,
        "warnings": warnings,
    }


def _search_index(query: StoryQuery, is_public: bool) -> Ranking:
    """Return the matches of one index; authors search only their own unpublished stories."""
    index, user_id = open_index(is_public), _restricted_user_id()
    article_ids = None
    if user_id is not None and not is_public:
        article_ids = queries.unpublished_ids(user_id)
    results = index.find(query.to_search_request(1, PER_PAGE, is_public, article_ids))

    def ids_between(start: int, end: int) -> list[int]:
        ids: list[int] = []
        for page in range(start // PER_PAGE, -(-end // PER_PAGE)):
            request = query.to_search_request(page + 1, PER_PAGE, is_public, article_ids)
            ids += index.find(request).ids if page else results.ids
        offset = start // PER_PAGE * PER_PAGE
        return ids[start - offset : end - offset]

    return Ranking(
        is_public,
        results.total,
        results.mode,
        results.terms,
        results.prefixes,
        results.unknown_filters,
        results.is_partial,
        ids_between,
    )


def interleaved_count(length_1: int, length_2: int, count: int) -> int:
    """Return how many of the first `count` items of two merged lists come from list 1.

    Their items alternate, starting with list 1, until one list ends; `length_1` and `length_2` are
    their lengths.
    """
    return min(length_1, max(-(-count // 2), count - length_2))


def _hits(rankings: list[Ranking], start: int, end: int) -> Iterator[Hit]:
    """Yield the hits of a slice of the merged list, except stories whose status has changed."""
    totals = (rankings[0].total, rankings[1].total if len(rankings) > 1 else 0)
    end = max(start, end)
    start_1, end_1 = interleaved_count(*totals, start), interleaved_count(*totals, end)
    slices = [rankings[0].ids_between(start_1, end_1)]
    if len(rankings) > 1:
        slices.append(rankings[1].ids_between(start - start_1, end - end_1))
    hits = [_hits_by_id(ranking, ids) for ranking, ids in zip(rankings, slices, strict=True)]
    queues = [iter(ids) for ids in slices]
    for rank in range(start, end):
        is_first = interleaved_count(*totals, rank + 1) > interleaved_count(*totals, rank)
        source = 0 if is_first else 1
        hit = hits[source].get(next(queues[source], 0))
        if hit is not None:
            yield hit


def _hits_by_id(ranking: Ranking, ids: list[int]) -> dict[int, Hit]:
    """Return the stories that the user may see, with the search terms highlighted."""
    user = current_user()
    articles = [
        article
        for article in queries.newsroom_articles_by_id(ids)
        if article.is_public == ranking.is_public and is_visible(article, user)
    ]
    bodies = [article.body for article in articles]
    snippets = body_snippets(bodies, ranking.terms, ranking.prefixes)
    return {
        article.id: Hit(
            article,
            highlight(article.headline, ranking.terms, ranking.prefixes),
            pieces,
            publishing.may_edit(user, article),
        )
        for article, pieces in zip(articles, snippets, strict=True)
    }
