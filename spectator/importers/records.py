"""What every importer yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from spectator.publishing import Draft


class RecordError(Exception):
    """A record that cannot be taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """A story as another system had it. `place` names it in the report (line 12); `section` is a name or a slug.

    Lines of text may hold character references, which are decoded once when the story is stored. `picture` is the path
    of a local file below the directory that the runner is told, `feed_id` the guid that feeds know the story by.
    """

    location: str
    draft: Draft
    section: str
    external_id: str | None = None
    status: str = "draft"
    published_at: datetime | None = None
    updated_at: datetime | None = None
    picture: str = ""
    unknown_keys: tuple[str, ...] = field(default=())
    feed_id: str = ""


def describe_unexpected_error(error: Exception) -> str:
    """Return one line that says what nobody foresaw about a record."""
    return f"cannot be read ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
