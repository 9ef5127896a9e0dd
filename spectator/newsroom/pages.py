"""Standing pages: their list, their form, withdrawing one and publishing it again."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing, queries
from spectator.formats import language_choices
from spectator.models import Page
from spectator.newsroom import bp, page_forms, security
from spectator.newsroom.element_names import describe_block, describe_losses, describe_unchanged
from spectator.newsroom.page_forms import PageForm
from spectator.newsroom.page_history import list_page_changes
from spectator.newsroom.security import current_user
from spectator.newsroom.submissions import ask_about_losses
from spectator.publishing import ACTIONS, pages
from spectator.publishing.page_drafts import draft_from_page, prepare_page

PAGE_RULE = "/pages/<int(max=2147483647):page_id>"
# The notices after actions by which readers see something else.
NOTICES = {
    "publish": "page-public",
    "update": "page-public",
    "reinstate": "page-public",
    "withdraw": "page-withdrawn",
}
ViewResponse = Response | str | tuple[str, int]


@bp.get("/pages/", endpoint="pages")
@security.for_editors
def list_pages() -> str:
    """Show editors all pages, each above those below it."""
    return render_template("newsroom/pages.html", pages=queries.all_pages())


@bp.get("/pages/new")
@security.for_editors
def new_page() -> str:
    """Show editors an empty form."""
    return render_form(page_forms.blank_form(), None)


@bp.post("/pages/new")
@security.for_editors
@security.large_form
@security.returned_if_logged_out
def create_page() -> ViewResponse:
    """Save a new page, as a draft or published; show an invalid form again."""
    form, action = page_forms.form_from_request(), requested_action("save")
    try:
        page_id = pages.create_page(form.draft(), current_user(), action, form.values["copy"])
    except pages.DuplicatePage as duplicate:
        return _render_conflict(form, load_page(duplicate.page_id))
    except publishing.ValidationError as invalid:
        form.errors = invalid.errors
        return render_form(form, None), 422
    return redirect_to_page(page_id, action)


@bp.get(PAGE_RULE)
@security.for_editors
def edit_page(page_id: int) -> str:
    """Show editors the form of a page."""
    page = load_page(page_id)
    return render_form(page_forms.form_from_page(page), page)


@bp.post(PAGE_RULE)
@security.for_editors
@security.large_form
@security.returned_if_logged_out
def save_page(page_id: int) -> ViewResponse:
    """Save changes; show the form again on errors, and what differs on a conflict."""
    page, form = load_page(page_id), page_forms.form_from_request()
    action = requested_action("update" if page.is_public else "save")
    try:
        _save(page, form, action)
    except publishing.ValidationError as invalid:
        form.errors = invalid.errors
        return render_form(form, page), 422
    except publishing.ConflictError:
        return _render_conflict(form, load_page(page_id))
    return redirect_to_page(page_id, action)


def _save(page: Page, form: PageForm, action: str) -> None:
    draft = prepare_page(form.draft())
    if page.version != form.version:
        raise publishing.ConflictError
    ask_about_losses(form, page.body, draft.body)
    pages.save_page(page.id, draft, current_user(), form.version, action)


@bp.post(PAGE_RULE + "/<any(withdraw, reinstate):action>")
@security.for_editors
def change_page_status(page_id: int, action: str) -> ViewResponse:
    """Withdraw a page with a reason, or publish it again."""
    reason = request.form.get("reason", "")
    try:
        pages.apply_page_action(page_id, current_user(), action, reason)
    except publishing.ConflictError:
        return redirect_to_page(page_id, "")
    except publishing.ValidationError as invalid:
        page = load_page(page_id)
        form = page_forms.form_from_page(page)
        form.errors, form.values["reason"] = invalid.errors, reason
        return render_form(form, page), 422
    return redirect_to_page(page_id, action)


def load_page(page_id: int) -> Page:
    """Return a page of any status. Raises NotFoundError."""
    page = queries.page_to_edit(page_id)
    if page is None:
        raise publishing.NotFoundError
    return page


def requested_action(default: str) -> str:
    """Return the action of the pressed button, or the one that waited for an answer."""
    action = request.form.get("do") or request.form.get("then", "")
    return action if action in {"save", "publish", "update"} else default


def redirect_to_page(page_id: int, action: str) -> Response:
    """Return the redirect to the form of a page, with the notice of an action."""
    notice = NOTICES.get(action, action) or None
    return redirect(url_for("newsroom.edit_page", page_id=page_id, done=notice), 303)


def _render_conflict(form: PageForm, page: Page) -> ViewResponse:
    """Return the form with what differs from the newest version; nothing to do if it is equal."""
    form.version = page.version
    draft = form.draft()
    try:
        draft = prepare_page(draft)
    except publishing.ValidationError as invalid:
        form.errors = invalid.errors
    changes = list_page_changes(draft_from_page(page), draft)
    if not changes and not form.errors:
        return redirect_to_page(page.id, "saved")
    return render_form(form, page, changes=changes), 409


def action_labels(page: Page | None) -> dict[str, str]:
    """Return the labels of the buttons for a page (None: a new one): those for a story."""
    status = page.status if page is not None else "new"
    rules = {name: ACTIONS[name] for name in pages.PAGE_ACTIONS}
    return {name: rule.labels.get(status, rule.label) for name, rule in rules.items()}


def render_form(form: PageForm, page: Page | None, **context: object) -> str:
    """Return the page with the form of a standing page."""
    parents = [other for other in queries.all_pages() if other.parent_id is None]
    return render_template(
        "newsroom/page.html",
        form=form,
        page=page,
        errors=form.errors,
        labels=page_forms.LABELS,
        actions=pages.page_actions(page),
        action_labels=action_labels(page),
        parents=[other for other in parents if page is None or other.id != page.id],
        languages=language_choices(),
        describe_losses=describe_losses,
        describe_block=describe_block,
        describe_unchanged=describe_unchanged,
        pending_action=requested_action(""),
        **({"changes": None} | context),
    )
