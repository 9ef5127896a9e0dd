"""The redirects that administrators add to the addresses of an older site."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import current_app

from spectator import outbox, queries
from spectator.answers import ask_site, site_path
from spectator.db import db
from spectator.db.functions import upsert
from spectator.formats import format_number
from spectator.i18n import gettext
from spectator.models import OldAddress, User
from spectator.old_addresses import normalize_address
from spectator.publishing.old_addresses import (
    MAX_TARGET_LENGTH,
    OLD_ADDRESSES,
    Target,
    row_values,
)
from spectator.publishing.permissions import ForbiddenError
from spectator.publishing.validation import ValidationError
from spectator.queries.old_addresses import find_listing
from spectator.urls import permalink

MAX_LINES = 1000  # of a CSV file; each asks the site two or three times


def add_redirect(by: User, address: str, target: str) -> None:
    """Let an address lead to a page of this site, or be 410 without a target.

    It replaces what an import has stored. Raises ForbiddenError, and ValidationError by `address`
    and `target`.
    """
    require_admin(by)
    _store([(_check_address(address), _find_target(target))])


def import_redirects(by: User, text: str) -> tuple[int, list[tuple[int, str]]]:
    """Add the redirects of a CSV text with old addresses and paths of this site in two columns.

    Return their number, and (line, reason) for each line that was left out. A first line of titles
    is skipped. Raises ForbiddenError, and ValidationError by `file`.
    """
    require_admin(by)
    rows, refused = [], []
    for number, address, target in _read_lines(text):
        try:
            rows.append((_check_address(address), _find_target(target)))
        except ValidationError as invalid:
            refused.append((number, " ".join(invalid.errors.values())))
    if rows:
        _store(list(dict(rows).items()))
    return len(rows), refused


def remove_redirect(by: User, address: str) -> None:
    """Forget a stored address; imports do not store it again. Raises ForbiddenError."""
    require_admin(by)
    with db.write() as session:
        row = session.get(OldAddress, address)
        if row is not None and row.kind != "ignored":
            row.kind, row.target_id, row.target, row.is_manual = "ignored", 0, "", True
            outbox.append(session, None, "redirect")


def require_admin(by: User) -> None:
    """Raise ForbiddenError unless the person is an administrator."""
    if by.role != "admin":
        raise ForbiddenError(gettext("Only administrators can change redirects."))


def _store(entries: list[tuple[str, Target]]) -> None:
    with db.write() as session:
        rows = [row_values(address, target, is_manual=True) for address, target in entries]
        session.execute(upsert(OLD_ADDRESSES), rows)
        outbox.append(session, None, "redirect")


def _read_lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, address, target) of a CSV text; raises ValidationError by `file`."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        lines = list(csv.reader(text.splitlines(), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ValidationError({"file": str(error)}) from error
    if len(lines) > MAX_LINES:
        limit = format_number(MAX_LINES)
        message = gettext("The file has over %(limit)s lines. Split it.", limit=limit)
        raise ValidationError({"file": message})
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line]
        is_title = number == 1 and cells and not re.match("/|https?:", cells[0])
        if any(cells) and not is_title:
            yield number, cells[0], cells[1] if len(cells) > 1 else ""


def _check_address(text: str) -> str:
    """Return the stored form of an old address; raises ValidationError if it cannot redirect."""
    address = normalize_address(text)
    if not address or address.startswith(("/newsroom", "/static/", "/media/")):
        raise ValidationError({"address": gettext("This address cannot redirect.")})
    if ask_site(site_path(text)).status == 200:
        raise ValidationError({"address": gettext("This address has a page of its own.")})
    return address


def _find_target(text: str) -> Target:
    """Return the target of a path or URL of this site; raises ValidationError if it has no page."""
    if not text.strip():
        return Target("gone")
    try:
        parts, path = urlsplit(text.strip()), site_path(text)
    except ValueError:
        path = ""
    own_host = urlsplit(current_app.config["SITE_URL"]).netloc
    is_own = bool(path) and parts.netloc in ("", own_host) and len(path) <= MAX_TARGET_LENGTH
    answer = ask_site(path) if is_own else None
    if answer is not None and answer.location.startswith("/"):
        path, answer = answer.location, ask_site(answer.location)
    if answer is None or answer.status != 200 or path.startswith("/newsroom"):
        raise ValidationError({"target": gettext("No page of this site answers there.")})
    return _target_at(path)


def _target_at(path: str) -> Target:
    """Return the story, page or list at a path, so that it may be renamed; others by their path."""
    story = queries.article_by_slug(path.rpartition("/")[2])
    if story is not None and permalink(story) == path:
        return Target("article", story.id)
    if (page := queries.page_by_path(path)) is not None:
        return Target("page", page.id)
    listing = find_listing(path) if path.endswith("/") else None
    return Target(*listing) if listing is not None else Target("path", target=path)
