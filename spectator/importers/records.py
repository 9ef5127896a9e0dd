"""The records that every importer yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from spectator.i18n import gettext
from spectator.media import StoredPicture
from spectator.publishing import Draft


class RecordError(Exception):
    """A record that cannot be imported; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """A story from another system.

    `location` names it in the report ("line 12"); `section` is a name or a slug; `size` is in
    bytes, of all that the source says about it. Single-line fields may hold character references,
    which are decoded once when the story is stored. `picture` is a path below the runner's
    `pictures_dir`, and `feed_id` the guid of the story in feeds. `unknown_keys` may be truncated.
    `changes` are sentences about what was converted or dropped, `addresses` the old URLs of the
    story, absolute or paths with queries. An importer that stores pictures itself gives the lead as
    `stored_picture` and those of the body and for sharing as `pictures`; `is_picture_known`: it
    knows whether there is a lead. `is_publication_known`: it knows the status and the date;
    otherwise those of a stored story stay. `may_number_slug`: a slug that another story has gets a
    number.
    """

    location: str
    draft: Draft
    section: str
    size: int
    external_id: str | None = None
    status: str = "draft"
    published_at: datetime | None = None
    updated_at: datetime | None = None
    picture: str = ""
    unknown_keys: tuple[str, ...] = field(default=())
    feed_id: str = ""
    changes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    stored_picture: StoredPicture | None = None
    pictures: tuple[StoredPicture, ...] = ()
    is_picture_known: bool = True
    is_publication_known: bool = True
    may_number_slug: bool = False


def describe_unexpected_error(error: Exception) -> str:
    """Return one line about an unexpected error in a record."""
    return gettext(
        "cannot be read (%(kind)s: %(reason)s)",
        kind=type(error).__name__,
        reason=" ".join(str(error).split())[:200],
    )
