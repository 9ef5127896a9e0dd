"""Values of stories from other systems, fitted to the limits of the story fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from spectator.i18n import gettext
from spectator.publishing.fields import FIELDS
from spectator.publishing.validation import MAX_NAMES, clean_line
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.excerpts import excerpt
from spectator.text.words.languages import is_usable_tag
from spectator.text.words.slugs import slugify

HEADLINE_LENGTH = 100  # of one that is made from the text
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_REGION = re.compile(r"[a-zA-Z]{2,3}-(?:[a-zA-Z]{2}|[0-9]{3})", re.ASCII)


@dataclass(slots=True)
class StoryValues:
    """Fits the values of one story to its fields; `changes` says what was cut."""

    changes: list[str] = field(default_factory=list)

    def line(self, name: str, text: str) -> str:
        """Return a text without markup as the value of a one-line field."""
        line = clean_line(plain_line(text))
        limit = FIELDS[name].limit
        if len(line) <= limit:
            return line
        self._add_shortened(name)
        return excerpt(line, limit)

    def names(self, name: str, texts: Iterable[str]) -> tuple[str, ...]:
        """Return names, each once, as the value of a field."""
        limit = FIELDS[name].limit
        lines = [line for text in texts if (line := clean_line(plain_line(text)))]
        names = list(dict.fromkeys(line[:limit].strip() for line in lines))
        if len(names) > MAX_NAMES or any(len(line) > limit for line in lines):
            self._add_shortened(name)
        return tuple(names[:MAX_NAMES])

    def headline(self, text: str, body: str, fallback: str) -> str:
        """Return the headline; without one the beginning of the body, or else the fallback."""
        if line := self.line("headline", text):
            return line
        self.changes.append(gettext("There was no headline; it was made from the text."))
        return excerpt(plain_text(body), HEADLINE_LENGTH) or clean_line(fallback) or "?"

    def _add_shortened(self, name: str) -> None:
        label = str(FIELDS[name].label)
        self.changes.append(gettext("Too long, shortened: %(field)s", field=label))


def plain_line(text: str) -> str:
    """Return a line without markup; character references stay if it has none, to be decoded."""
    return plain_text(text).replace("\n", " ") if _TAG.search(text) else text


def language_or(tag: str, default: str) -> str:
    """Return a language tag; the default if it is not valid or only adds a region to it."""
    tag = tag.strip().replace("_", "-")
    if not is_usable_tag(tag):
        return default
    is_region = _REGION.fullmatch(tag) is not None
    return default if is_region and tag[:2].lower() == default[:3].rstrip("-").lower() else tag


def split_section(
    topics: Iterable[str], sections: Collection[str], default: str
) -> tuple[str, list[str]]:
    """Return the section of a story and its topics: the first topic that names one of `sections`.

    Otherwise it is the default.
    """
    names = list(topics)
    section = next((name for name in names if slugify(name) in sections), "")
    return section or default, [name for name in names if name != section]


def parse_moment(text: str, zone: tzinfo = UTC) -> datetime | None:
    """Return a time of ISO 8601 or RFC 822 in UTC, None if it is none; without zone in `zone`."""
    parsers: tuple[Callable[[str], datetime], ...] = (
        datetime.fromisoformat,
        parsedate_to_datetime,
    )
    for parse in parsers:
        try:
            moment = parse(text.strip()[:60])
            aware = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment
            moment = aware.astimezone(UTC)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
        return moment if 1000 <= moment.year <= 9000 else None
    return None


def site_of(url: str) -> str:
    """Return the host of a URL without `www.`, and the port if it is not the usual one."""
    host = host_of(url)
    try:
        port = urlsplit(url).port
    except ValueError:
        return ""
    return f"{host}:{port}" if host and port not in {None, 80, 443} else host


def host_of(url: str) -> str:
    """Return the host of a URL without `www.`, "" if it has none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
