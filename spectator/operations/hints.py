"""Hints of `spectator doctor` about stories and hosts that people may want to check."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spectator import migrations, queries
from spectator.db.clock import current_time
from spectator.hosts import registry
from spectator.i18n import gettext, lazy_gettext, ngettext, pgettext

MAX_HINTS = 20
TIME_FORMAT = "%Y-%m-%d %H:%M"
MERGED_NAMES = {
    "author": lazy_gettext(
        "The author “%(name)s” was replaced by another author with the same slug. "
        "Check and save the stories %(stories)s (the first shows %(names)s)."
    ),
    "topic": lazy_gettext(
        "The topic “%(name)s” was replaced by another topic with the same slug. "
        "Check and save the stories %(stories)s (the first shows %(names)s)."
    ),
}
SIMILAR_NAMES = {
    "author": lazy_gettext(
        "These authors look alike: %(names)s. "
        "If they are the same, correct the stories with the wrong spelling."
    ),
    "topic": lazy_gettext(
        "These topics look alike: %(names)s. "
        "If they are the same, correct the stories with the wrong spelling."
    ),
}


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
        if len(rows) > MAX_HINTS:
            stories = gettext("%(stories)s and more", stories=stories)
        names = ", ".join(f"“{label}”" for label in json.loads(rows[0].displayed_names))
        yield str(MERGED_NAMES[kind]) % {
            "name": name,
            "stories": stories,
            "names": names or pgettext("names of a story", "none"),
        }
    groups = queries.similar_name_groups(MAX_HINTS)
    for kind, similar_names in groups[:MAX_HINTS]:
        listed = ", ".join(f"“{name}”" for name in similar_names[:MAX_HINTS])
        yield str(SIMILAR_NAMES[kind]) % {"names": listed}
    if len(groups) > MAX_HINTS or len(merged) > MAX_HINTS:
        yield gettext(
            "There are more such names; this list has at most %(limit)s of each kind.",
            limit=MAX_HINTS,
        )


def _silent_hosts() -> Iterator[str]:
    """Yield a sentence about each host that does not run but is not forgotten yet."""
    now = current_time()
    for host in [] if registry.is_single_host_site() else registry.other_hosts():
        if host.live_until <= now:
            reported_at = host.live_until - registry.LIVE_TIME
            yield ngettext(
                "The host %(host)s has not reported since %(time)s UTC. "
                "It is forgotten after %(days)s day.",
                "The host %(host)s has not reported since %(time)s UTC. "
                "It is forgotten after %(days)s days.",
                registry.HOST_RETENTION.days,
                host=host.name,
                time=reported_at.strftime(TIME_FORMAT),
                days=registry.HOST_RETENTION.days,
            )
