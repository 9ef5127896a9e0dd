"""The state of the site in plain words, for administrators."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

from flask import current_app, render_template

from spectator import queries
from spectator.formats import (
    format_day_and_month,
    format_number,
    format_percentage,
    join_date_and_time,
)
from spectator.i18n import gettext, lazy_gettext, ngettext, pgettext
from spectator.newsroom import bp, security
from spectator.newsroom.charts import Chart, make_chart
from spectator.newsroom.preferences import current_zone, newsroom_time, newsroom_zone
from spectator.operations.doctor import describe_database
from spectator.operations.site_status import ConsumerState, Disk, SiteStatus

CHART_HOURS, CHART_DAYS = 48, 30
TABLE_LABELS = {
    "article": lazy_gettext("Stories"),
    "revision": lazy_gettext("Versions of stories"),
    "redirect": lazy_gettext("Former addresses of stories"),
    "picture": lazy_gettext("Pictures"),
    "autosave": lazy_gettext("Unsaved texts"),
    "known_client": lazy_gettext("Known devices and networks"),
    "login_attempt": lazy_gettext("Login attempts"),
    "missing_page": lazy_gettext("Pages that readers did not find"),
    "outbox": lazy_gettext("Recent changes"),
    "presence": lazy_gettext("Open story forms"),
    "preview_link": lazy_gettext("Preview links"),
    "search_count": lazy_gettext("Counted searches"),
    "traffic_hour": lazy_gettext("Hours of traffic"),
    "user_session": lazy_gettext("Sessions"),
}


CONSUMER_LABELS = {
    "search index": lazy_gettext("Search index"),
    "newsroom index": lazy_gettext("Newsroom index"),
    "related stories": lazy_gettext("Related stories"),
}
DISK_LABELS = {
    "data": lazy_gettext("Disk (data)"),
    "database": lazy_gettext("Disk (database)"),
    "pictures": lazy_gettext("Disk (pictures)"),
    "backups": lazy_gettext("Disk (backups)"),
}


@bp.get("/status/")
@security.for_admins
def status() -> str:
    """Show administrators whether everything works, with charts of recent days."""
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
    no_story = pgettext("next scheduled story", "none")
    yield gettext("Next scheduled story"), newsroom_time(due) if due else no_story
    yield gettext("Stories in review"), format_number(site_status.in_review)
    for consumer in site_status.consumers:
        yield str(CONSUMER_LABELS[consumer.name]), describe_consumer(consumer)
    for disk in site_status.disks:
        yield str(DISK_LABELS[disk.name]), describe_disk(disk)
    size = format_number(sum(site_status.index_bytes.values()) / 1e6, 1)
    yield gettext("Search indexes"), gettext("%(size)s MB", size=size)
    yield gettext("Last backup"), describe_backup(site_status)
    yield gettext("Database"), describe_database(current_app.config)


def describe_consumer(consumer: ConsumerState) -> str:
    """Return how far a consumer of changes is behind."""
    if not consumer.rows:
        return gettext("up to date")
    return ngettext(
        "%(number)s change behind, the first of %(seconds)s s ago",
        "%(number)s changes behind, the first of %(seconds)s s ago",
        consumer.rows,
        number=format_number(consumer.rows),
        seconds=format_number(consumer.seconds),
    )


def describe_disk(disk: Disk) -> str:
    """Return how much space is left."""
    return gettext(
        "%(free)s GB of %(total)s GB free (%(share)s)",
        free=format_number(disk.free / 1e9, 1),
        total=format_number(disk.total / 1e9, 1),
        share=format_percentage(disk.free / max(1, disk.total)),
    )


def describe_backup(site_status: SiteStatus) -> str:
    """Return when the last backup was made."""
    if current_app.config["BACKUP_TO"] is None:
        return gettext("none: SPECTATOR_BACKUP_TO is not set")
    made_at = site_status.last_backup_at
    return newsroom_time(made_at) if made_at else gettext("none yet")


def requests_chart() -> Chart:
    """Return the chart of the requests of each hour, with hours in the person's time zone."""
    zone = current_zone()
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    rows = {row.hour: row for row in queries.traffic_hours(CHART_HOURS)}
    values = []
    for number in reversed(range(CHART_HOURS)):
        hour = now - timedelta(hours=number)
        row = rows.get(hour)
        local = hour.astimezone(zone)
        label = join_date_and_time(format_day_and_month(local.date()), f"{local:%H:%M}")
        values.append((label, row.requests, row.errors) if row else (label, 0, 0))
    return make_chart(gettext("Requests per hour"), values, describe_requests)


def describe_requests(count: int, failed: int) -> str:
    """Return the requests of an hour and how many of them failed, in words."""
    requests = ngettext(
        "%(number)s request", "%(number)s requests", count, number=format_number(count)
    )
    if not failed:
        return requests
    return gettext("%(requests)s, %(failed)s failed", requests=requests, failed=failed)


def publications_chart() -> Chart:
    """Return the chart of the stories published on each day, as readers see their dates."""
    counts = queries.publications_by_day(CHART_DAYS, newsroom_zone())
    values = [(format_day_and_month(day), count, 0) for day, count in counts.items()]
    return make_chart(gettext("Stories published per day"), values, describe_stories)


def describe_stories(count: int, _bad: int) -> str:
    """Return the stories of a day in words."""
    return ngettext("%(count)s story", "%(count)s stories", count)
