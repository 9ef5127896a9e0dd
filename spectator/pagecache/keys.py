"""Which requests the cache may answer, and the keys of pages and of what they show.

A response is stored only if it has a `Surrogate-Key` header, so that invented URLs cannot fill the
memory. The header says which changes make the page stale: `article-12`, changes of that story;
`outbox`, every change that readers see, and midnight in the newsroom's time zone; `related`, also
new results of the outbox's consumers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from spectator.old_addresses import may_be_old
from spectator.search_paths import is_search_path

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

CacheKey = tuple[str, str, str]  # scheme, path, query

SURROGATE_KEY = "Surrogate-Key"
OUTBOX, RELATED = "outbox", "related"
_ARTICLE_PREFIX = "article-"

# Key of the application's environment: the query with the parameters that are not in the cache key.
WHOLE_QUERY_ENVIRON_KEY = "spectator.whole_query"
MAX_PATH_LENGTH, MAX_QUERY_LENGTH = 300, 2000
# URLs that are not pages. They and searches are not cached; deploy/nginx*.conf repeats them.
UNCACHED_PREFIXES = (
    "/newsroom",
    "/static/",
    "/media/",
    "/healthz",
    "/readyz",
    "/metrics",
)
# Environment variables about the client, and those of ProxyFix, which has them from the proxy.
CLIENT_ENVIRON_PREFIXES = ("HTTP_", "CONTENT_", "REMOTE_", "werkzeug.")
_CURSOR = "-?[0-9]{1,18}-[0-9]{1,18}"
# Query parameters of the site's own list links; `site.pagination` describes them.
_LIST_PARAMS = f"(?:&rails={_CURSOR})?(?:&start={_CURSOR})?(?:&through={_CURSOR})?"
CURSOR_QUERY = re.compile(f"before={_CURSOR}{_LIST_PARAMS}|through={_CURSOR}")
CURSOR_PARAMS = frozenset({"before", "rails", "start", "through"})
SAFE_METHODS = frozenset({"GET", "HEAD"})


def article_key(article_id: int) -> str:
    """Return the surrogate key of a page that shows only one story."""
    return f"{_ARTICLE_PREFIX}{article_id}"


def article_id_in(surrogate_key: str) -> int | None:
    """Return the id of the only story on a page, None if it shows more."""
    is_article = surrogate_key.startswith(_ARTICLE_PREFIX)
    return int(surrogate_key.removeprefix(_ARTICLE_PREFIX)) if is_article else None


def is_cursor_query(query: str) -> bool:
    """Return whether a query string has exactly the form of the site's own list links."""
    return CURSOR_QUERY.fullmatch(query) is not None


def cache_key(environ: WSGIEnvironment) -> CacheKey | None:
    """Return the cache key of a request, without unknown parameters; None if uncacheable.

    Queries that name a page of an older site lead elsewhere than their path.
    """
    path: str = environ.get("PATH_INFO", "")
    # In lower case, because /Search?q= redirects to /search?q= with its parameters, and with one
    # slash at its start, as the application reads it.
    lower_path = f"/{path.lstrip('/')}".lower()
    is_uncached = lower_path.startswith(UNCACHED_PREFIXES) or is_search_path(lower_path)
    if (
        environ["REQUEST_METHOD"] not in SAFE_METHODS
        or len(path) > MAX_PATH_LENGTH
        or is_uncached
    ):
        return None
    query: str = environ.get("QUERY_STRING", "")
    if query and not is_cursor_query(query):
        if len(query) > MAX_QUERY_LENGTH or may_be_old(lower_path, query):
            return None
        names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        if names & CURSOR_PARAMS:
            return None
        query = ""
    return environ["wsgi.url_scheme"], path, query


def anonymous_environ(environ: WSGIEnvironment, key: CacheKey) -> WSGIEnvironment:
    """Return the environment of a GET of the same page, without anything about the client.

    Addresses without a page may need the parameters that pages do not know.
    """
    server_environ = {
        name: value
        for name, value in environ.items()
        if not name.startswith(CLIENT_ENVIRON_PREFIXES)
    }
    host = {"HTTP_HOST": environ["HTTP_HOST"]} if "HTTP_HOST" in environ else {}
    whole_query = {WHOLE_QUERY_ENVIRON_KEY: environ.get("QUERY_STRING", "")}
    return server_environ | host | whole_query | {"REQUEST_METHOD": "GET", "QUERY_STRING": key[2]}
