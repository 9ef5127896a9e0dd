"""Reader searches, and what they do not find."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from spectator import queries

PERIODS = (7, 30, 90)  # days


def register(newsroom: Blueprint) -> None:
    """Add the page of searches."""
    newsroom.add_url_rule("/searches", "searches", searches)


def searches() -> str:
    """Show what readers searched for most in the last days, and what of it found nothing."""
    asked = request.args.get("days", "")
    days = next((span for span in PERIODS if str(span) == asked), PERIODS[0])
    tables = [
        ("Most searched for", queries.top_searches(days)),
        ("Searches with no results", queries.top_searches(days, has_hits=False)),
    ]
    return render_template("newsroom/searches.html", days=days, spans=PERIODS, tables=tables)
