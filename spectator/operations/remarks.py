"""What people may want to look at in the stories, though nothing is wrong with the installation: for `doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from spectator import migrations, queries

MOST_REMARKS = 20


def remarks() -> Iterator[str]:
    """Yield what people may want to look at, though nothing is wrong with the installation."""
    if not migrations.is_current():
        return
    merged: dict[tuple[str, str], list[queries.MergedName]] = {}
    for row in queries.merged_names(MOST_REMARKS * 10):
        merged.setdefault((row.kind, row.name), []).append(row)
    for (kind, name), rows in list(merged.items())[:MOST_REMARKS]:
        stories = ", ".join(str(row.article_id) for row in rows[:MOST_REMARKS])
        more = " and more" if len(rows) > MOST_REMARKS else ""
        shown = ", ".join(f"“{each}”" for each in json.loads(rows[0].shown)) or "none"
        yield (
            f"The {kind} “{name}” was typed but lost to another {kind} with the same address; "
            f"check and save again the stories {stories}{more} (the first shows {shown})."
        )
    groups = queries.look_alike_names(MOST_REMARKS)
    for kind, names in groups[:MOST_REMARKS]:
        listed = ", ".join(f"“{name}”" for name in names[:MOST_REMARKS])
        yield f"These {kind}s look alike: {listed}. If they are one, correct the stories that carry the wrong one."
    if len(groups) > MOST_REMARKS or len(merged) > MOST_REMARKS:
        yield f"There are more such names; at most {MOST_REMARKS} of each kind are listed."
