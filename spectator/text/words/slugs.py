"""The part of an address that names a story, a section, a topic or an author."""

from __future__ import annotations

import re

from anyascii import anyascii

MAX_SLUG_LENGTH = 100
FALLBACK = "story"

# First parts of addresses that are not sections: our own, and those that other software or habit expects. Each stands
# here as a slug as well ("feed-xml"), so that no section looks like one of them.
_PATHS = frozenset(
    "country topic author archive search fragments feed.xml feed.json feed sitemap.xml sitemaps robots.txt"
    " opensearch.xml manifest.webmanifest media healthz readyz newsroom static page tag category today corrections"
    " about contact privacy terms account login logout admin api rss atom amp newsletter subscribe offline sitemap"
    " manifest opensearch robots favicon.ico ads.txt trust.txt security.txt .well-known wp-admin wp-content"
    " wp-includes wp-json wp-login.php xmlrpc.php archives comments humans.txt index.html sw.js".split()
)
RESERVED_PATHS = _PATHS | {path.replace(".", "-").strip("-") for path in _PATHS}

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_APOSTROPHES = re.compile("['’‘ʼʻ`´]")
_BREAKS = re.compile(r"[^a-z0-9]+")


def slugify(text: str, limit: int = 80) -> str:
    """A slug of at most `limit` characters, cut at a word; "story" where nothing in the text can be spelled.

    Other scripts and accents are spelled in ASCII ("አዲስ አበባ" is "adis-abeba"). Reads no more of the text than it needs.
    """
    start = _APOSTROPHES.sub("", text[: 4 * limit])
    spelled = (start if start.isascii() else anyascii(start)).lower()
    slug = _BREAKS.sub("-", _APOSTROPHES.sub("", spelled)).strip("-")
    if len(slug) > limit:
        at_word = slug[: limit + 1].rpartition("-")[0]
        slug = (at_word or slug[:limit]).strip("-")
    return slug or FALLBACK[:limit]


def is_slug(text: str) -> bool:
    """Whether text is a slug: lower-case ASCII letters and digits parted by single hyphens, at most 100 characters."""
    return len(text) <= MAX_SLUG_LENGTH and _SLUG.fullmatch(text) is not None
