"""Lists of stories: by section, country, topic, author and month."""

from __future__ import annotations

import calendar
from itertools import groupby

from flask import Blueprint, abort, render_template, request

from spectator import queries


def register(site: Blueprint) -> None:
    """Add every list's address; what a path lists is for `queries.listing` to say."""
    site.add_url_rule("/archive/", "archive", archive)
    for rule, endpoint in (
        ("/<slug:section>/", "section"),
        ("/country/<slug:slug>/", "country"),
        ("/topic/<slug:slug>/", "topic"),
        ("/author/<slug:slug>/", "author"),
        ("/archive/<int(fixed_digits=4):year>/<int(fixed_digits=2):month>/", "month"),
    ):
        site.add_url_rule(rule, endpoint, listing)


def listing(**_parts: object) -> str:
    """Show the stories of a section, country, topic, author or month, newest first."""
    where = queries.listing(request.path)
    if where is None:
        abort(404)
    before = request.args.get("before")
    stream = queries.stream(where, before)
    if where.kind == "month" and before is None and not stream.articles:
        abort(404)  # else a robot finds nine thousand years of empty months
    return render_template(
        "site/listing.html",
        listing=where,
        articles=stream.articles,
        cursor=stream.cursor,
        is_first_page=before is None,
    )


def archive() -> str:
    """Show the months that have stories, with their number."""
    rows = [
        (year, (month, calendar.month_name[month], count, f"/archive/{year:04}/{month:02}/"))
        for year, month, count in queries.months()
    ]
    months = [(year, [row for _, row in group]) for year, group in groupby(rows, key=lambda each: each[0])]
    return render_template("site/archive.html", months=months)
