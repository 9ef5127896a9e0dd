"""Lists of stories: by section, country, topic, author and month."""

from __future__ import annotations

from itertools import groupby

from flask import abort, redirect, render_template, request
from werkzeug.wrappers import Response

from spectator import queries
from spectator.editions import in_edition
from spectator.formats import format_month_name
from spectator.site import bp
from spectator.site.caching import cacheable
from spectator.site.pagination import (
    PageCursors,
    load_more_context,
    read_stream,
    requested_cursors,
)

MONTH_RULE = "/archive/<int(fixed_digits=4):year>/<int(fixed_digits=2):month>/"


@bp.get("/<slug:section>/", endpoint="section")
@bp.get("/country/<slug:slug>/", endpoint="country")
@bp.get("/topic/<slug:slug>/", endpoint="topic")
@bp.get("/author/<slug:slug>/", endpoint="author")
@bp.get(MONTH_RULE, endpoint="month")
@cacheable("before", "through")
def listing(**_parts: object) -> Response | str:
    """Show the stories of a list, newest first; redirect from its former URLs."""
    current = queries.listing_by_path(request.path)
    if current is None:
        abort(404)
    if current.path != request.path:
        return redirect(current.path, 301)
    cursors = requested_cursors()
    month = _month_in_new_time_zone(current) if cursors == PageCursors() else None
    if month is not None:
        return redirect(month.path, 301)
    return render(current, cursors)


def _month_in_new_time_zone(current: queries.Listing) -> queries.Listing | None:
    """Return the month that holds an empty month's stories since the time zone changed, if any."""
    if current.kind != "month" or queries.total_count(current):
        return None
    other = queries.nearest_month_listing(*divmod(current.key, 100))
    return None if other is None or other.key == current.key else other


def render(current: queries.Listing, cursors: PageCursors) -> str:
    """Return the page of a list at the given cursors; raises InvalidCursor."""
    stream = read_stream(current, cursors)
    return render_template(
        "site/listing.html",
        **load_more_context(current, stream.cursor, cursors.rails, cursors.before),
        articles=stream.articles,
        is_first_page=cursors.before is None and not stream.is_truncated,
        is_extended=cursors.through is not None,
        story_count=None if current.kind == "latest" else queries.story_count(current),
    )


@bp.get("/archive/")
@cacheable()
def archive() -> str:
    """Show the months that have stories, with their counts."""
    rows = [
        (
            year,
            (
                month,
                format_month_name(month),
                count,
                in_edition(f"/archive/{year:04}/{month:02}/"),
            ),
        )
        for year, month, count in queries.month_counts()
    ]
    months = [
        (year, [row for _, row in group]) for year, group in groupby(rows, key=lambda row: row[0])
    ]
    return render_template("site/archive.html", months=months)
