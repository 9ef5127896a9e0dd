"""What every importer yields."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from spectator.publishing import Draft


class BadRecord(Exception):
    """A record that cannot be taken; the message says why."""


@dataclass(frozen=True, slots=True)
class Record:
    """A story as another system had it. `place` names it in the report (line 12); `section` is a name or a slug."""

    place: str
    draft: Draft
    section: str
    external_id: str | None = None
    status: str = "draft"
    published_at: datetime | None = None
    updated_at: datetime | None = None
    picture: Path | None = None
    unknown_keys: tuple[str, ...] = field(default=())
