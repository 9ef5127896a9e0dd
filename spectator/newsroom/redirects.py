"""Redirects from addresses of an older site, and pages that readers did not find."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import answers, publishing
from spectator.models import OldAddress
from spectator.newsroom import bp, security
from spectator.publishing import redirects as rules
from spectator.publishing.validation import clean_line
from spectator.queries.old_addresses import (
    find_row_destination,
    stored_addresses,
    top_missing_pages,
)
from spectator.text.words.numbers import parse_int

MAX_PAGE, MAX_TEXT_LENGTH, MAX_FILE_BYTES = 10_000, 1000, 300_000
MAX_REFUSED = 20
MISSING_DAYS = 30  # the page names it


@bp.get("/redirects/")
@security.for_admins
def redirects() -> str:
    """Show the redirects, the answer at an address to test, and the pages that readers missed."""
    return _render({"address": request.args.get("address", "")[:MAX_TEXT_LENGTH]}, {})


@bp.post("/redirects/")
@security.for_admins
def add_redirect() -> Response | tuple[str, int]:
    """Add or replace a redirect."""
    names = ("address", "target")
    values = {name: request.form.get(name, "")[:MAX_TEXT_LENGTH] for name in names}
    try:
        rules.add_redirect(security.current_user(), **values)
    except publishing.ValidationError as invalid:
        return _render(values, invalid.errors), 422
    return redirect(url_for("newsroom.redirects", done="redirect", test=values["address"]), 303)


@bp.post("/redirects/import")
@security.for_admins
def import_redirects() -> tuple[str, int]:
    """Add the redirects of a CSV file, and show which lines were left out."""
    file = request.files.get("file")
    content = file.read(MAX_FILE_BYTES) if file else b""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    try:
        count, refused = rules.import_redirects(security.current_user(), text)
    except publishing.ValidationError as invalid:
        return _render({}, invalid.errors), 422
    return _render({}, {}, count, refused), 422 if refused else 200


@bp.post("/redirects/remove")
@security.for_admins
def remove_redirect() -> Response:
    """Remove a redirect."""
    rules.remove_redirect(security.current_user(), request.form.get("address", ""))
    return redirect(url_for("newsroom.redirects", done="redirect-removed"), 303)


def _render(
    values: dict[str, str],
    errors: dict[str, str],
    count: int | None = None,
    refused: list[tuple[int, str]] | None = None,
) -> str:
    text = clean_line(request.args.get("q", "")[:MAX_TEXT_LENGTH])
    page = min(parse_int(request.args.get("page", "")) or 1, MAX_PAGE)
    rows, has_more = stored_addresses(text, page)
    return render_template(
        "newsroom/redirects.html",
        values=values,
        errors=errors,
        count=count,
        refused=(refused or [])[:MAX_REFUSED],
        test=_test(request.args.get("test", "")[:MAX_TEXT_LENGTH]),
        rows=[(row.address, _target(row)) for row in rows],
        has_more=has_more,
        text=text,
        page=page,
        missing=top_missing_pages(MISSING_DAYS),
    )


def _target(row: OldAddress) -> str:
    """Return what a stored address leads to, in a few characters."""
    destination = find_row_destination(row)
    if destination is None:
        return "404"
    return destination.path or str(destination.status)


def _test(address: str) -> tuple[str, str]:
    """Return an address and its answer, ("", "") without one."""
    if not address.strip():
        return "", ""
    try:
        answer = answers.ask_site(answers.site_path(address))
    except ValueError:
        return address, "400"
    return address, f"{answer.status} {answer.location}".strip()
