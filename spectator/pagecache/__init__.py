"""Cache of whole responses, in front of Flask, that never serves an outdated page.

Before it answers, a process polls the database for the newest outbox number, at most every 5 ms.
Pages from before that number are rendered again, so that every process shows a publication at once,
without notifications. A POST always polls, so that its author sees the result.

The cache key is scheme, path and cursors. Only responses with a `Surrogate-Key` header are stored,
so that invented URLs cannot fill the memory; the header never leaves the process. ETag, 304 and
Vary: RFC 9110, sections 8.8, 13 and 12.5.5.
"""

from __future__ import annotations

from spectator.pagecache.keys import (
    CURSOR_PARAMS,
    OUTBOX,
    RELATED,
    SURROGATE_KEY,
    WHOLE_QUERY_ENVIRON_KEY,
    article_key,
    cache_key,
    is_cursor_query,
)
from spectator.pagecache.middleware import (
    OUTBOX_NUMBER_ENVIRON_KEY,
    RESULT_ENVIRON_KEY,
    Hit,
    PageCache,
)
from spectator.pagecache.store import PRIVATE_CACHE_CONTROL, PUBLIC_CACHE_CONTROL

__all__ = [
    "CURSOR_PARAMS",
    "OUTBOX",
    "OUTBOX_NUMBER_ENVIRON_KEY",
    "PRIVATE_CACHE_CONTROL",
    "PUBLIC_CACHE_CONTROL",
    "RELATED",
    "RESULT_ENVIRON_KEY",
    "SURROGATE_KEY",
    "WHOLE_QUERY_ENVIRON_KEY",
    "Hit",
    "PageCache",
    "article_key",
    "cache_key",
    "is_cursor_query",
]
