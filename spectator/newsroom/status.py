"""The state of the site in plain words, for administrators."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from flask import current_app, render_template

from spectator import queries
from spectator.newsroom import bp, security
from spectator.newsroom.charts import Chart, make_chart
from spectator.operations.doctor import describe_database
from spectator.operations.site_status import ConsumerState, Disk, SiteStatus
from spectator.templating import newsroom_time

CHART_HOURS, CHART_DAYS = 48, 30
TABLE_LABELS = {
    "article": "Stories",
    "revision": "Versions of stories",
    "redirect": "Former addresses of stories",
    "picture": "Pictures",
    "autosave": "Unsaved texts",
    "known_client": "Known devices and networks",
    "login_attempt": "Login attempts",
    "outbox": "Changes of the last days",
    "presence": "Open story forms",
    "preview_link": "Preview links",
    "search_count": "Counted searches",
    "traffic_hour": "Hours of traffic",
    "user_session": "Sessions",
}


@bp.get("/status/")
@security.for_admins
def status() -> str:
    """Show administrators whether everything works, with charts of the last days."""
    site_status: SiteStatus = current_app.extensions["status"].current()
    return render_template(
        "newsroom/status.html",
        warnings=list(chain.from_iterable(site_status.warnings.values())),
        facts=list(describe(site_status)),
        disks=site_status.disks,
        charts=[requests_chart(), publications_chart()],
        row_counts=[(TABLE_LABELS[name], n) for name, n in site_status.table_rows.items()],
    )


def describe(site_status: SiteStatus) -> Iterator[tuple[str, str]]:
    """Yield (what, how it stands) in plain words."""
    due = site_status.next_due_at
    yield "Next scheduled story", newsroom_time(due) if due else "none"
    yield "Stories in review", f"{site_status.in_review:,}"
    for consumer in site_status.consumers:
        yield consumer.name.capitalize(), describe_consumer(consumer)
    for disk in site_status.disks:
        yield f"Disk ({disk.name})", describe_disk(disk)
    size = sum(site_status.index_bytes.values())
    yield "Search indexes", f"{size / 1e6:,.1f} MB"
    yield "Last backup", describe_backup(site_status)
    yield "Database", describe_database(current_app.config)


def describe_consumer(consumer: ConsumerState) -> str:
    """Return how far a consumer of changes is behind."""
    if not consumer.rows:
        return "up to date"
    changes = "change" if consumer.rows == 1 else "changes"
    return f"{consumer.rows:,} {changes} behind, the first of {consumer.seconds:,.0f} s ago"


def describe_disk(disk: Disk) -> str:
    """Return how much space is left."""
    share = disk.free / max(1, disk.total)
    return f"{disk.free / 1e9:,.1f} GB of {disk.total / 1e9:,.1f} GB free ({share:.0%})"


def describe_backup(site_status: SiteStatus) -> str:
    """Return when the last backup was made."""
    if current_app.config["BACKUP_TO"] is None:
        return "none: SPECTATOR_BACKUP_TO is not set"
    made_at = site_status.last_backup_at
    return newsroom_time(made_at) if made_at else "none yet"


def requests_chart() -> Chart:
    """Return the chart of the requests of each hour."""
    zone = newsroom_zone()
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = {row.hour: row for row in queries.traffic_hours(CHART_HOURS)}
    values = []
    for number in reversed(range(CHART_HOURS)):
        hour = now - timedelta(hours=number)
        row = rows.get(hour)
        label = f"{hour.astimezone(zone):%-d %b, %H:%M}"
        values.append((label, row.requests, row.errors) if row else (label, 0, 0))
    return make_chart("Requests per hour", "requests", values, "failed")


def publications_chart() -> Chart:
    """Return the chart of the stories published on each day."""
    counts = queries.publications_by_day(CHART_DAYS, newsroom_zone())
    values = [(f"{day:%-d %b}", count, 0) for day, count in counts.items()]
    return make_chart("Stories published per day", "stories", values)


def newsroom_zone() -> ZoneInfo:
    """Return the newsroom's time zone."""
    return ZoneInfo(current_app.config["TIMEZONE"])
