"""The history of a standing page: its revisions, what one changed, restoring one; its previews."""

from __future__ import annotations

from types import SimpleNamespace

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing, queries
from spectator.editions import as_readers_see
from spectator.i18n import gettext
from spectator.models import Page, PageRevision
from spectator.newsroom import bp, page_forms, security
from spectator.newsroom.element_names import describe_block, describe_unchanged
from spectator.newsroom.errors import render_error
from spectator.newsroom.history import FieldChange
from spectator.newsroom.security import current_user
from spectator.publishing import pages
from spectator.publishing.actions import PAST_TENSES
from spectator.publishing.page_drafts import (
    PAGE_FIELDS,
    PageDraft,
    page_draft_from_revision,
    prepare_page,
)
from spectator.text.compare.diff import diff_bodies, diff_lines
from spectator.text.words.numbers import parse_int

PAGE_RULE = "/pages/<int(max=2147483647):page_id>"


@bp.get(PAGE_RULE + "/history")
@security.for_editors
def page_history(page_id: int) -> str:
    """Show editors the revisions of a page, and what one of them changed."""
    page, revisions = _load(page_id), queries.page_revisions(page_id)
    number = parse_int(request.args.get("version", ""), revisions[0].number)
    revision = queries.page_revision(page_id, number)
    if revision is None:
        raise publishing.NotFoundError
    return render_template(
        "newsroom/page_history.html",
        page=page,
        revisions=revisions,
        revision=revision,
        changes=_changes_of(revision),
        action_labels=PAST_TENSES,
        describe_block=describe_block,
        describe_unchanged=describe_unchanged,
    )


@bp.post(PAGE_RULE + "/history/<int(max=2147483647):number>")
@security.for_editors
def restore_page(page_id: int, number: int) -> Response | tuple[str, int]:
    """Restore an older revision of a page as a new one."""
    version = parse_int(request.form.get("version", ""))
    try:
        pages.restore_page(page_id, current_user(), number, version)
    except publishing.ConflictError:
        title = gettext("Somebody has saved this page in the meantime")
        return render_error(409, title, gettext("Nothing was restored. Check the history again."))
    except publishing.ValidationError as invalid:
        message = " ".join(invalid.errors.values())
        return render_error(422, gettext("This version cannot be restored"), message)
    return redirect(url_for("newsroom.edit_page", page_id=page_id, done="restore"), 303)


def _load(page_id: int) -> Page:
    page = queries.page_to_edit(page_id)
    if page is None:
        raise publishing.NotFoundError
    return page


def _changes_of(revision: PageRevision) -> list[FieldChange]:
    """Return what a revision changed; of the first one all fields that are not empty."""
    older = queries.page_revision(revision.page_id, revision.number - 1)
    before = page_draft_from_revision(older.content) if older else PageDraft(language="")
    return list_page_changes(before, page_draft_from_revision(revision.content))


def list_page_changes(before: PageDraft, after: PageDraft) -> list[FieldChange]:
    """Return the fields that differ between two drafts of a page."""
    changes = []
    for name, row in PAGE_FIELDS.items():
        old, new = _comparable(before, name), _comparable(after, name)
        if old == new:
            continue
        if name == "body":
            changes.append(FieldChange(row.label, [], diff_bodies(old, new)))
        else:
            changes.append(FieldChange(row.label, diff_lines(old, new), []))
    return changes


def _comparable(draft: PageDraft, name: str) -> str:
    if name != "parent":
        return str(getattr(draft, name))
    parent = queries.page_to_edit(draft.parent) if draft.parent else None
    return parent.title if parent else ""


@bp.get(PAGE_RULE + "/preview")
@security.for_editors
def preview_page(page_id: int) -> str:
    """Show editors the last saved version of a page as readers will see it."""
    page = _load(page_id)
    banner = gettext("Preview of the last saved version – not published")
    if page.is_public:
        banner = gettext("Preview of the last saved version – published")
    return _render_preview(page, banner)


@bp.post("/pages/preview")
@security.for_editors
@security.large_form
def preview_unsaved_page() -> str | tuple[str, int]:
    """Show editors the text of a form as readers will see it, without saving it."""
    form = page_forms.form_from_request()
    try:
        draft = prepare_page(form.draft())
    except publishing.ValidationError as invalid:
        message = " ".join(invalid.errors.values())
        return render_error(422, gettext("There is no preview yet"), message)
    return _render_preview(_unsaved_page(draft), "")


def _unsaved_page(draft: PageDraft) -> SimpleNamespace:
    """Return a prepared draft in the shape of a page."""
    parent = queries.page_to_edit(draft.parent) if draft.parent else None
    path = f"{parent.path}/{draft.slug}" if parent else draft.slug
    return SimpleNamespace(
        title=draft.title,
        body=draft.body,
        language=draft.language,
        description=draft.description,
        parent=parent,
        path=path,
        updated_at=None,
    )


def _render_preview(page: Page | SimpleNamespace, banner: str) -> str:
    with as_readers_see(page.language):
        return render_template(
            "site/page.html", page=page, summary=page.description, is_preview=True, banner=banner
        )
