"""Slugs: the part of a URL that names a story, a section, a topic or an author."""

from __future__ import annotations

import re

from anyascii import anyascii

MAX_SLUG_LENGTH = 100
FALLBACK = "story"

# First path segments that cannot be sections: the site's own, and those that other software or
# people expect. Each is also reserved as a slug ("feed-xml"), so that no section looks like it.
_PATHS = frozenset(
    "country topic author archive search fragments feed.xml feed.json feed sitemap.xml"
    " sitemaps robots.txt opensearch.xml manifest.webmanifest media healthz readyz metrics"
    " newsroom static page tag category today corrections about contact privacy terms"
    " account login logout admin api rss atom amp newsletter subscribe offline sitemap"
    " manifest opensearch robots favicon.ico ads.txt trust.txt security.txt .well-known"
    " wp-admin wp-content wp-includes wp-json wp-login.php xmlrpc.php archives comments"
    " humans.txt index.html sw.js".split()
)
# Of the languages that have an edition, or may have one later: those of Africa's newsrooms.
LANGUAGE_CODES = frozenset(
    "am ak ar en ff fr ha ig lg ln mg ny om pcm pt rw sg sn so st sw ti tn wo xh yo zu".split()
)
RESERVED_PATHS = _PATHS | LANGUAGE_CODES | {path.replace(".", "-").strip("-") for path in _PATHS}

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_APOSTROPHES = re.compile("['’‘ʼʻ`´]")
_BREAKS = re.compile(r"[^a-z0-9]+")


def slugify(text: str, limit: int = 80) -> str:
    """Return a slug of at most `limit` characters, cut at a word; "story" if nothing is left.

    Other scripts and accents are spelled in ASCII ("አዲስ አበባ" is "adis-abeba"). Only the start of a
    long text is read.
    """
    start = _APOSTROPHES.sub("", text[: 4 * limit])
    spelled = (start if start.isascii() else anyascii(start)).lower()
    slug = _BREAKS.sub("-", _APOSTROPHES.sub("", spelled)).strip("-")
    if len(slug) > limit:
        at_word = slug[: limit + 1].rpartition("-")[0]
        slug = (at_word or slug[:limit]).strip("-")
    return slug or FALLBACK[:limit]


def numbered_slug(slug: str, number: int, limit: int = MAX_SLUG_LENGTH) -> str:
    """Return `slug-number`, with the slug cut so that the whole has at most `limit` characters."""
    return f"{slug[: limit - len(str(number)) - 1].rstrip('-')}-{number}"


def is_slug(text: str) -> bool:
    """Return whether text is a slug: a-z, 0-9 and single hyphens, at most 100 characters."""
    return len(text) <= MAX_SLUG_LENGTH and _SLUG.fullmatch(text) is not None
