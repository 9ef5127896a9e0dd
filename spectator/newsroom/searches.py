"""Statistics of reader searches: the most frequent, and the most frequent without results."""

from __future__ import annotations

from flask import render_template, request

from spectator import queries
from spectator.i18n import gettext
from spectator.newsroom import bp

PERIODS = (7, 30, 90)  # days


@bp.get("/searches")
def searches() -> str:
    """Show the most frequent recent searches: of all, and of those without results."""
    raw_days = request.args.get("days", "")
    days = next((period for period in PERIODS if str(period) == raw_days), PERIODS[0])
    tables = [
        (gettext("Most searched for"), queries.top_searches(days)),
        (
            gettext("Searches with no results"),
            queries.top_searches(days, only_without_results=True),
        ),
    ]
    return render_template("newsroom/searches.html", days=days, periods=PERIODS, tables=tables)
