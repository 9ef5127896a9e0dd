"""Which URLs are searches: their number is limited, and those of readers are not cached.

deploy/nginx*.conf repeats the pattern of readers' searches. It does not know which languages have
an edition.
"""

from __future__ import annotations

import re

_CODE = "(?:[a-z]{2,3}/+)?"
SEARCH = re.compile(f"/+{_CODE}(?:search|fragments/(?:search|suggest))(?:[./]|$)")
# All pages of the newsroom that search an index.
NEWSROOM_SEARCH = re.compile("/+newsroom/+(?:search|stories/+[^/]+/+related)/*")
_WITH_CODE = re.compile("/[a-z]{2,3}(?=/(?:search|fragments)(?:[./]|$))")


def is_search_path(path: str) -> bool:
    """Return whether an unquoted path is that of a search, whatever slashes it starts with."""
    return SEARCH.match(path) is not None


def is_newsroom_search_path(path: str) -> bool:
    """Return whether an unquoted path is that of a newsroom page that searches an index."""
    return NEWSROOM_SEARCH.fullmatch(path) is not None


def without_edition(path: str) -> str:
    """Return the path of a search or fragment as it is in the default edition, others unchanged."""
    return _WITH_CODE.sub("", path, count=1)
