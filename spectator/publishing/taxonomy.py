"""New sections and pictures."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.media import StoredPicture
from spectator.models import Picture, Section
from spectator.publishing.validation import ValidationError, clean_line
from spectator.text.words.slugs import RESERVED_PATHS, slugify


def add_section(session: Session, name: str) -> Section:
    """Add a section inside the caller's `db.write()`; its slug gets a number if it is taken.

    Raises ValidationError if the slug is reserved for other pages.
    """
    slug = base = slugify(name)
    if slug in RESERVED_PATHS:
        raise ValidationError(
            {"section": f"The address /{slug}/ is reserved. Choose another name than “{name}”."}
        )
    number = 1
    while session.scalar(select(Section.id).where(Section.slug == slug)) is not None:
        number += 1
        slug = f"{base[:75]}-{number}"
    last = session.scalar(select(func.max(Section.position))) or 0
    name = clean_line(name)[:120]
    section = Section(slug=slug, name=name[:1].upper() + name[1:], position=last + 1)
    session.add(section)
    session.flush()
    outbox.append(session, None, "section")  # every page shows it in its navigation
    return section


def add_picture(session: Session, upload: StoredPicture, by_id: int | None) -> int:
    """Store the row of an uploaded picture inside the caller's `db.write()`; return its id.

    Storing the same picture again returns the existing row's id.
    """
    existing_id = session.scalar(select(Picture.id).where(Picture.digest == upload.digest))
    if existing_id is not None:
        return existing_id
    picture = Picture(**asdict(upload), created_at=datetime.now(UTC), created_by_id=by_id)
    session.add(picture)
    session.flush()
    return picture.id
