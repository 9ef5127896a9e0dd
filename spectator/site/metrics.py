"""Figures of the site for Prometheus; only trusted clients see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from flask import Response, current_app
from sqlalchemy.exc import SQLAlchemyError

from spectator import metrics as request_metrics
from spectator.operations.site_status import SiteStatus
from spectator.site import bp
from spectator.site.health import may_know_details

if TYPE_CHECKING:
    from prometheus_client import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REFUSAL = (
    "The metrics are for this machine (not through a proxy), or for requests with "
    "SPECTATOR_METRICS_TOKEN (docs/operations.md, “Metrics”).\n"
)
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@bp.get("/metrics")
def metrics() -> Response:
    """Give trusted clients the figures of the site in the text format of Prometheus."""
    if not may_know_details():
        return Response(REFUSAL, 403, HEADERS, content_type="text/plain; charset=utf-8")
    body = request_metrics.render(current_app.extensions["request_metrics"], StatusCollector())
    return Response(body, 200, HEADERS, content_type=CONTENT_TYPE)


class StatusCollector:
    """The site's status as gauges."""

    def describe(self) -> list[Metric]:
        """Return nothing: the registry need not read the status to register it."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; only whether the database answers if it does not."""
        from prometheus_client.core import GaugeMetricFamily

        try:
            status: SiteStatus | None = current_app.extensions["status"].current()
        except SQLAlchemyError:
            current_app.logger.exception("the status cannot be read")
            status = None
        yield GaugeMetricFamily(
            "spectator_database_up", "Whether the database answers.", 0 if status is None else 1
        )
        if status is not None:
            for name, description, label, values in _gauges(status):
                family = GaugeMetricFamily(f"spectator_{name}", description, labels=[label])
                for key, value in values.items():
                    family.add_metric([key], value)
                yield family
            yield GaugeMetricFamily(
                "spectator_overdue_seconds",
                "How late the first due story is.",
                _seconds_overdue(status),
            )
            if status.last_backup_at:
                yield GaugeMetricFamily(
                    "spectator_backup_timestamp_seconds",
                    "When the last good backup was made.",
                    status.last_backup_at.timestamp(),
                )


def _gauges(status: SiteStatus) -> Iterator[tuple[str, str, str, Mapping[str, float]]]:
    """Yield (name, description, label, values by label) of the gauges with a label."""
    rows = {consumer.name: consumer.rows for consumer in status.consumers}
    yield "waiting_changes", "Changes that the worker has not processed.", "consumer", rows
    ages = {consumer.name: consumer.seconds for consumer in status.consumers}
    yield "oldest_waiting_change_seconds", "Age of the first of them.", "consumer", ages
    yield (
        "stories_waiting",
        "Stories that wait.",
        "for",
        {
            "review": status.in_review,
            "late publication": len(status.overdue),
        },
    )
    searches = {"bytes": status.uncounted_search_bytes}
    yield "uncounted_searches", "Searches not counted into the table yet.", "unit", searches
    free = {disk.name: disk.free for disk in status.disks}
    yield "disk_free_bytes", "Space left on the disk of a directory.", "directory", free
    total = {disk.name: disk.total for disk in status.disks}
    yield "disk_bytes", "Size of the disk of a directory.", "directory", total
    yield "index_bytes", "Size of a search index.", "index", status.index_bytes
    yield "table_rows", "Rows of a table.", "table", status.table_rows
    warnings = {kind: len(sentences) for kind, sentences in status.warnings.items()}
    yield "warnings", "Problems that need attention.", "kind", warnings


def _seconds_overdue(status: SiteStatus) -> float:
    first = min((due for _, due in status.overdue), default=status.at)
    return (status.at - first).total_seconds()
