"""What people may want to look at in the stories, though nothing is wrong with the installation: for `doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spectator import migrations, queries

MAX_HINTS = 20


def find_hints() -> Iterator[str]:
    """Yield what people may want to look at, though nothing is wrong with the installation."""
    if not migrations.is_current():
        return
    merged: dict[tuple[str, str], list[queries.MergedName]] = {}
    for row in queries.merged_names(MAX_HINTS * 10):
        merged.setdefault((row.kind, row.name), []).append(row)
    for (kind, name), rows in list(merged.items())[:MAX_HINTS]:
        stories = ", ".join(str(row.article_id) for row in rows[:MAX_HINTS])
        more = " and more" if len(rows) > MAX_HINTS else ""
        shown = ", ".join(f"“{each}”" for each in json.loads(rows[0].displayed_names)) or "none"
        yield (
            f"The {kind} “{name}” was typed but lost to another {kind} with the same address; "
            f"check and save again the stories {stories}{more} (the first shows {shown})."
        )
    groups = queries.similar_name_groups(MAX_HINTS)
    for kind, names in groups[:MAX_HINTS]:
        listed = ", ".join(f"“{name}”" for name in names[:MAX_HINTS])
        yield f"These {kind}s look alike: {listed}. If they are one, correct the stories that carry the wrong one."
    if len(groups) > MAX_HINTS or len(merged) > MAX_HINTS:
        yield f"There are more such names; at most {MAX_HINTS} of each kind are listed."
