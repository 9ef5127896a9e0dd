"""Hints of `spectator doctor` about stories and hosts that people may want to check."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spectator import migrations, queries
from spectator.db.clock import current_time
from spectator.hosts import registry

MAX_HINTS = 20


def find_hints() -> Iterator[str]:
    """Yield sentences about silent hosts, and merged and similar names in the stories."""
    if not migrations.current_schema().is_usable:
        return
    yield from _silent_hosts()
    merged: dict[tuple[str, str], list[queries.MergedName]] = {}
    for row in queries.merged_names(MAX_HINTS * 10):
        merged.setdefault((row.kind, row.name), []).append(row)
    for (kind, name), rows in list(merged.items())[:MAX_HINTS]:
        stories = ", ".join(str(row.article_id) for row in rows[:MAX_HINTS])
        suffix = " and more" if len(rows) > MAX_HINTS else ""
        displayed = (
            ", ".join(f"“{label}”" for label in json.loads(rows[0].displayed_names)) or "none"
        )
        yield (
            f"The {kind} “{name}” was replaced by another {kind} with the same slug. "
            f"Check and save the stories {stories}{suffix} (the first shows {displayed})."
        )
    groups = queries.similar_name_groups(MAX_HINTS)
    for kind, names in groups[:MAX_HINTS]:
        listed = ", ".join(f"“{name}”" for name in names[:MAX_HINTS])
        yield (
            f"These {kind}s look alike: {listed}. "
            "If they are the same, correct the stories with the wrong spelling."
        )
    if len(groups) > MAX_HINTS or len(merged) > MAX_HINTS:
        yield f"There are more such names; this list has at most {MAX_HINTS} of each kind."


def _silent_hosts() -> Iterator[str]:
    """Yield a sentence about each host that does not run but is not forgotten yet."""
    now = current_time()
    for host in [] if registry.is_alone() else registry.other_hosts():
        if host.live_until <= now:
            reported_at = host.live_until - registry.LIVE_TIME
            yield (
                f"The host {host.name} has not reported since {reported_at:%Y-%m-%d %H:%M} UTC. "
                f"It is forgotten after {registry.RETENTION.days} days."
            )
