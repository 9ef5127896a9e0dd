"""The history of a story: its revisions, comparisons between two, restoring an old one."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing, queries
from spectator.i18n import gettext
from spectator.models import Revision
from spectator.newsroom import bp
from spectator.newsroom.element_names import describe_block, describe_unchanged
from spectator.newsroom.errors import render_error
from spectator.newsroom.security import current_user
from spectator.newsroom.story_loader import STORY_RULE, load_story
from spectator.newsroom.story_references import describe_reference, known_reference
from spectator.publishing.actions import PAST_TENSES
from spectator.publishing.fields import LABELS, NAME_FIELDS, STORY_FIELDS
from spectator.templating import NOTE_LABELS
from spectator.text.compare.diff import BlockDiff, DiffPiece, diff_bodies, diff_lines
from spectator.text.words.name_lists import join_names
from spectator.text.words.numbers import parse_int


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that differs between two revisions: word by word, the body block by block."""

    label: str
    pieces: list[DiffPiece]
    blocks: list[BlockDiff]


@bp.get(STORY_RULE + "/history")
def history(article_id: int) -> str:
    """Show a story's revisions, newest first."""
    article = load_story(article_id, "view")
    revisions = queries.revisions(article_id)
    return render_template(
        "newsroom/history.html",
        article=article,
        revisions=revisions[:200],
        has_more=len(revisions) > 200,
        action_labels=PAST_TENSES,
    )


@bp.get(STORY_RULE + "/history/compare")
def compare(article_id: int) -> str:
    """Show the changes between two revisions, by default the newest two."""
    article = load_story(article_id, "view")
    older, newer = _compared_revisions(article_id)
    return render_template(
        "newsroom/compare.html",
        article=article,
        older=older,
        newer=newer,
        changes=list_changes(older, newer),
        describe_block=describe_block,
        describe_unchanged=describe_unchanged,
        action_labels=PAST_TENSES,
        may_restore=publishing.may(current_user(), "restore", article),
    )


def _compared_revisions(article_id: int) -> tuple[Revision | None, Revision]:
    """Return the revisions that the URL names, the older one first."""
    newer = (
        queries.revision(article_id, parse_int(request.args.get("to", "")))
        or queries.revisions(article_id, 0)[0]
    )
    older = queries.revision(
        article_id, parse_int(request.args.get("from", ""), newer.number - 1)
    )
    return (newer, older) if older is not None and older.number > newer.number else (older, newer)


def list_changes(older: Revision | None, newer: Revision) -> list[FieldChange]:
    """Return the fields that differ; without an older revision, all that are not empty."""
    before, after = _field_texts(older), _field_texts(newer)
    changes = []
    for name, label in LABELS.items():
        if before[name] == after[name]:
            continue
        if name == "body":
            changes.append(FieldChange(label, [], diff_bodies(before[name], after[name])))
        else:
            changes.append(FieldChange(label, diff_lines(before[name], after[name]), []))
    if older is not None and "notes" in older.content and "notes" in newer.content:
        old_notes, new_notes = _note_lines(older), _note_lines(newer)
        if old_notes != new_notes:
            notes = diff_lines(old_notes, new_notes)
            changes.append(FieldChange(gettext("Notes to readers"), notes, []))
    return changes


def _note_lines(revision: Revision) -> str:
    """Return the notes to readers in a revision, one per line."""
    return "\n".join(
        f"{NOTE_LABELS[note['kind']]}: {note['text']}" for note in revision.content["notes"]
    )


def _field_texts(revision: Revision | None) -> dict[str, str]:
    draft = publishing.draft_from_revision(revision.content if revision else {})
    texts = {name: getattr(draft, name, "") for name in LABELS}
    texts |= {name: join_names(list(texts[name])) for name in NAME_FIELDS}
    texts |= {name: describe_reference(known_reference(texts[name])) for name in STORY_FIELDS}
    return texts | {
        "picture": gettext("picture %(number)s", number=draft.picture_id)
        if draft.picture_id
        else ""
    }


@bp.post(STORY_RULE + "/history/<int(max=2147483647):number>")
def restore_revision(article_id: int, number: int) -> Response | tuple[str, int]:
    """Restore an older revision as a new one."""
    expected_version = parse_int(request.form.get("version", ""))
    try:
        publishing.restore(article_id, current_user(), number, expected_version)
    except publishing.ConflictError:
        title = gettext("Somebody has saved this story in the meantime")
        return render_error(409, title, gettext("Nothing was restored. Check the history again."))
    except publishing.ValidationError as invalid:
        message = " ".join(invalid.errors.values())
        return render_error(422, gettext("This version cannot be restored"), message)
    return redirect(url_for("newsroom.edit_story", article_id=article_id, done="restore"), 303)
