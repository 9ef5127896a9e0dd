"""Every save of a story: who, when, what; the words that changed between any two; and the way back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing, queries
from spectator.models import Revision
from spectator.newsroom import conflicts
from spectator.newsroom.forms import in_one_line
from spectator.newsroom.guard import current_user
from spectator.newsroom.previews import ONE, viewable
from spectator.text.differences import BlockDifference, Piece, body_differences, line_differences

ACTIONS = {
    "create": "begun",
    "import": "imported",
    "save": "saved",
    "submit": "submitted for review",
    "send_back": "sent back",
    "schedule": "scheduled",
    "unschedule": "unscheduled",
    "publish": "published",
    "update": "updated",
    "correct": "corrected",
    "edit_note": "edited a note to readers",
    "remove_note": "removed a note to readers",
    "withdraw": "withdrawn",
    "reinstate": "republished",
    "restore": "restored an older version",
    "rename": "changed a name everywhere",
}


@dataclass(frozen=True, slots=True)
class Changed:
    """A field that two revisions hold differently, word by word; the text also block by block."""

    label: str
    pieces: list[Piece]
    blocks: list[BlockDifference]


def register(newsroom: Blueprint) -> None:
    """Add the history of a story."""
    newsroom.add_url_rule(ONE + "/history", "history", history)
    newsroom.add_url_rule(ONE + "/history/compare", "compare", compare)
    newsroom.add_url_rule(
        ONE + "/history/<int(max=2147483647):number>", "restore_revision", restore_revision, methods=["POST"]
    )


def history(article_id: int) -> str:
    """Show a story's revisions, newest first."""
    article = viewable(article_id)
    found = queries.revisions(article_id)
    return render_template(
        "newsroom/history.html",
        article=article,
        revisions=found[:200],
        has_more=len(found) > 200,
        actions=ACTIONS,
        may_restore=publishing.may(current_user(), "restore", article),
    )


def compare(article_id: int) -> str:
    """Show what changed between two revisions, by default the newest two, word by word."""
    article = viewable(article_id)
    newer = queries.revision(article_id, _number("to", 0)) or queries.revisions(article_id, 0)[0]
    older = queries.revision(article_id, _number("from", newer.number - 1))
    if older is not None and older.number > newer.number:
        older, newer = newer, older
    return render_template(
        "newsroom/compare.html",
        article=article,
        older=older,
        newer=newer,
        changes=changes(older, newer),
        actions=ACTIONS,
        may_restore=publishing.may(current_user(), "restore", article),
    )


def _number(name: str, default: int) -> int:
    given = request.args.get(name, "")
    return int(given) if re.fullmatch(r"[0-9]{1,9}", given, re.ASCII) else default


def changes(older: Revision | None, newer: Revision) -> list[Changed]:
    """Return the fields that differ between two revisions, against nothing where there is no older one."""
    before, after = _texts(older), _texts(newer)
    found = []
    for name, label in conflicts.LABELS.items():
        if before[name] == after[name]:
            continue
        if name == "body":
            found.append(Changed(label, [], body_differences(before[name], after[name])))
        else:
            found.append(Changed(label, line_differences(before[name], after[name]), []))
    if older is not None and "notes" in older.content and "notes" in newer.content:
        notes = [_note_lines(revision) for revision in (older, newer)]
        if notes[0] != notes[1]:
            found.append(Changed("Notes to readers", line_differences(*notes), []))
    return found


def _note_lines(revision: Revision) -> str:
    """Return the notes to readers as a revision keeps them, one a line."""
    return "\n".join(f"{note['kind'].capitalize()}: {note['text']}" for note in revision.content["notes"])


def _texts(revision: Revision | None) -> dict[str, str]:
    draft = publishing.draft_of(revision.content if revision else {})
    texts = {name: getattr(draft, name, "") for name in conflicts.LABELS}
    texts |= {name: in_one_line(list(texts[name])) for name in ("authors", "countries", "topics")}
    return texts | {"picture": f"picture {draft.picture_id}" if draft.picture_id else ""}


def restore_revision(article_id: int, number: int) -> Response | tuple[str, int]:
    """Make a story what it was in an older revision; that is a new revision, and nothing is lost."""
    version = request.form.get("version", "")
    seen = int(version) if re.fullmatch(r"[0-9]{1,9}", version, re.ASCII) else 0
    try:
        publishing.restore(article_id, current_user(), number, seen)
    except publishing.Conflict:
        title, message = "Somebody saved this story meanwhile", "Nothing was restored. Look at the history again."
        return render_template("newsroom/refused.html", title=title, message=message), 409
    except publishing.Invalid as invalid:
        title, message = "This version cannot be restored as it is", " ".join(invalid.errors.values())
        return render_template("newsroom/refused.html", title=title, message=message), 422
    return redirect(url_for("newsroom.edit_story", article_id=article_id, done="restored"), 303)
