"""The list of stories, the story form, and the actions with a button of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import autosaves, presence, publishing, queries
from spectator.formats import language_choices
from spectator.i18n import gettext
from spectator.models import ARTICLE_STATUSES, Article, User
from spectator.newsroom import (
    bp,
    conflicts,
    forms,
    locked_stories,
    previews,
    submissions,
    translations,
)
from spectator.newsroom.autosaves import TOO_MUCH_UNSAVED
from spectator.newsroom.element_names import describe_losses
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.media import withdrawn_in
from spectator.newsroom.preferences import newsroom_zone
from spectator.newsroom.security import current_user, large_form, returned_if_logged_out
from spectator.newsroom.story_loader import STORY_RULE, load_story
from spectator.newsroom.story_references import describe_reference
from spectator.publishing import ACTIONS, Action
from spectator.publishing.validation import size_errors
from spectator.text.words.numbers import parse_int

PAGE_SIZE = 50
BAR_ACTIONS = [name for name, rule in ACTIONS.items() if rule.is_in_bar]
# In these the form shows the last remark between an author and the editors.
HANDOVER_STATUSES = ("draft", "review", "scheduled")


@bp.get("/")
def index() -> Response:
    """Redirect to the list of stories."""
    return redirect(url_for("newsroom.stories"), 303)


@bp.get("/stories/")
def stories() -> str:
    """Show the stories, last saved first; authors see only their own."""
    user, page = current_user(), parse_int(request.args.get("page", ""), 1, 1)
    filters = _requested_filters()
    articles = _find_articles(user, filters, page)
    return render_template(
        "newsroom/stories.html",
        articles=articles[:PAGE_SIZE],
        editable={article.id for article in articles if publishing.may_edit(user, article)},
        statuses=ARTICLE_STATUSES,
        filters=filters,
        page=page,
        has_more=len(articles) > PAGE_SIZE,
        original_changes=queries.original_changes(articles),
        **_unsaved_text(user),
    )


def _find_articles(user: User, filters: dict[str, str], page: int) -> Sequence[Article]:
    """Return the stories of a page of the list, and one more if there is another page."""
    author_id = None if publishing.is_publisher(user) else user.id
    start = (page - 1) * PAGE_SIZE
    return queries.newsroom_articles(filters["status"], filters["q"], start, PAGE_SIZE, author_id)


def _requested_filters() -> dict[str, str]:
    status, text = request.args.get("status", ""), request.args.get("q", "").strip()[:200]
    return {"status": status if status in ARTICLE_STATUSES else "", "q": text}


def _unsaved_text(user: User) -> dict[str, object]:
    """Return the unsaved and discarded text that the list of stories shows."""
    return {
        "unsaved_new_stories": autosaves.list_unsaved(user.id, None),
        "discarded": autosaves.list_discarded(user.id, None),
        "unsaved_ids": autosaves.articles_with_unsaved_text(user.id),
    }


@bp.get("/stories/new")
def new_story() -> str:
    """Show an empty form, unsaved text of a new story, or the form of a new translation."""
    unsaved = _form_from_autosave(None)
    return render_form(unsaved or translations.new_translation_form() or forms.blank_form(), None)


@bp.post("/stories/new")
@large_form
@returned_if_logged_out
def create_story() -> Response | tuple[str, int]:
    """Save a new story with the action of the pressed button; show an invalid form again."""
    user, form = current_user(), forms.form_from_request(current_user())
    try:
        article_id = submissions.save(form, user, None)
    except publishing.DuplicateSubmission as duplicate:
        return _handle_duplicate(duplicate.article_id, form)
    except publishing.ValidationError as invalid:
        form.errors = invalid.errors
        return render_form(form, None), 422
    return _redirect_after_save(article_id, form, submissions.requested_action())


def _handle_duplicate(article_id: int, form: StoryForm) -> Response | tuple[str, int]:
    """Redirect to the story that this form already created; show a conflict if they differ."""
    article = load_story(article_id, "edit")
    if conflicts.has_same_content(form, forms.form_from_article(article)):
        return _redirect_after_save(article_id, form, "saved")
    return conflicts.render_conflict(form, article, current_user()), 409


@bp.get(STORY_RULE)
def edit_story(article_id: int) -> str | tuple[str, int]:
    """Show a story's form, as stored or, with `restore`, with unsaved text."""
    article = queries.article_to_edit(article_id)
    if article is not None and locked_stories.is_locked_for(article, current_user()):
        return locked_stories.render_locked(article, current_user()), 403
    article = load_story(article_id, "edit")
    return render_form(
        _form_from_autosave(article_id) or forms.form_from_article(article), article
    )


@bp.post(STORY_RULE)
@large_form
@returned_if_logged_out
def save_story(article_id: int) -> Response | tuple[str, int]:
    """Save changes; show the form again on errors, both versions on a conflict."""
    locked = _autosave_if_locked(article_id, lambda _: forms.form_from_request(current_user()))
    return locked or _save(
        load_story(article_id, "edit"), forms.form_from_request(current_user())
    )


@bp.post(STORY_RULE + "/merge")
@large_form
@returned_if_logged_out
def merge_story(article_id: int) -> Response | tuple[str, int]:
    """Save a merge; show both versions again if a choice is missing or there is a newer one."""
    user = current_user()
    locked = _autosave_if_locked(
        article_id, lambda article: conflicts.build_partial_form(article, user)
    )
    if locked:
        return locked
    article = load_story(article_id, "edit")
    try:
        form = conflicts.build_merged_form(article, user)
    except conflicts.MergeIncomplete as missing:
        form = missing.form
        if not size_errors(form.draft()):
            return conflicts.render_conflict(form, article, user, missing.field_names), 422
    return _save(article, form)


def _autosave_if_locked(
    article_id: int, build_form: Callable[[Article], StoryForm]
) -> tuple[str, int] | None:
    """Store unsaved text of a locked story and return its page; None if it is not locked."""
    article, user = queries.article_to_edit(article_id), current_user()
    if article is None or not locked_stories.is_locked_for(article, user):
        return None
    locked_stories.autosave_form(article, build_form(article), user)
    return locked_stories.render_locked(article, user), 403


def _save(article: Article, form: StoryForm) -> Response | tuple[str, int]:
    if submissions.is_keep_requested():
        return _autosave(article, form)
    try:
        submissions.save(form, current_user(), article)
    except publishing.ValidationError as invalid:
        form.errors = invalid.errors
        return render_form(form, article), 422
    except publishing.ConflictError:
        locked = _autosave_if_locked(article.id, lambda _: form)
        return locked or (
            conflicts.render_conflict(form, load_story(article.id, "edit"), current_user()),
            409,
        )
    return _redirect_after_save(article.id, form, submissions.requested_action())


def _autosave(article: Article, form: StoryForm) -> Response | tuple[str, int]:
    """Store changes of a public story as unsaved text, and show the form again."""
    user, form_id = current_user(), form.form_id
    values = form.values | {"picture_id": forms.form_picture_token(form, user)}
    try:
        if forms.is_too_long(values):
            raise publishing.ValidationError({"body": gettext("One field is too long.")})
        autosaves.save(user.id, article.id, form_id, form.version, values)
    except autosaves.AutosaveLimitReached:
        form.errors |= {"body": str(TOO_MUCH_UNSAVED)}
    except publishing.ValidationError as invalid:
        form.errors |= invalid.errors
    if form.errors:
        return render_form(form, article), 422
    return redirect(
        url_for("newsroom.edit_story", article_id=article.id, restore=form_id, done="kept"), 303
    )


def _action_view(action: str) -> Callable[[int], Response | tuple[str, int]]:
    """Return the view of an action whose only input is a remark or a reason, if any."""

    def view(article_id: int) -> Response | tuple[str, int]:
        message = ACTIONS[action].message
        text = request.form.get(message, "")
        try:
            publishing.apply_action(article_id, current_user(), Action(action, note=text))
        except publishing.ValidationError as invalid:
            article = load_story(article_id, "edit")
            form = forms.form_from_article(article)
            form.errors, form.values[message] = invalid.errors, text
            return render_form(form, article), 422
        return _redirect_after_action(article_id, action)

    view.__doc__ = f"Apply the action “{action}” to a story as last saved."
    return view


for action_name in [name for name, rule in ACTIONS.items() if rule.has_address]:
    bp.add_url_rule(
        f"{STORY_RULE}/{action_name}", action_name, _action_view(action_name), methods=["POST"]
    )


def _form_from_autosave(article_id: int | None) -> StoryForm | None:
    """Return the unsaved form that the URL refers to, None if there is none."""
    row = previews.find_autosave(article_id, request.args.get("restore", ""))
    return forms.form_from_autosave(row, current_user()) if row is not None else None


def _redirect_after_save(article_id: int, form: StoryForm, action: str) -> Response:
    """Delete the autosave of the saved form, and redirect to the story."""
    autosaves.remove(current_user().id, form.form_id)
    return _redirect_after_action(article_id, action, form.form_id)


def _redirect_after_action(article_id: int, action: str, form_id: str | None = None) -> Response:
    article = queries.article_to_edit(article_id)
    if (
        action == "send_back"
        and article is not None
        and article.created_by_id == current_user().id
    ):
        action = "taken_back"
    if article is not None and not publishing.may_edit(current_user(), article):
        return redirect(url_for("newsroom.stories", done=action, stored=form_id), 303)
    return redirect(
        url_for("newsroom.edit_story", article_id=article_id, done=action, stored=form_id), 303
    )


def render_form(form: StoryForm, article: Article | None, **context: object) -> str:
    """Return the page of the story form; `context` is for other forms on the page."""
    user = current_user()
    rows = autosaves.list_unsaved(user.id, article.id) if article else ()
    unsaved = [row for row in rows if row.form_id != form.form_id]
    return render_template(
        "newsroom/story.html",
        form=form,
        article=article,
        errors=form.errors,
        labels=forms.FORM_LABELS,
        actions=publishing.allowed_actions(user, article),
        bar_actions=BAR_ACTIONS,
        describe_losses=describe_losses,
        describe_reference=describe_reference,
        **_original_context(form, article),
        picture_token=forms.form_picture_token(form, user),
        hidden_pictures=withdrawn_in(form.picture, form.values["body"]),
        languages=language_choices(),
        newsroom_zone=newsroom_zone().key,
        unsaved_changes=conflicts.compare_unsaved(unsaved, form, user),
        discarded=autosaves.list_discarded(user.id, article.id) if article else [],
        other_editors=_other_editors(article, user),
        pending_action=submissions.requested_action(),
        weight=previews.describe_page_weight(article) if article else "",
        handover=queries.last_remark(article.id)
        if article and article.status in HANDOVER_STATUSES
        else None,
        **({"invalid_note": None} | context),
    )


def _original_context(form: StoryForm, article: Article | None) -> dict[str, object]:
    """Return what the form shows about the story's original."""
    original = translations.original_of(form, article)
    changes = queries.original_changes([article] if article else [])
    may_view = original is not None and publishing.may(current_user(), "view", original)
    return {
        "original": original,
        "original_change": changes.get(article.id) if article else None,
        "describe_change": translations.describe_change,
        "may_compare_original": may_view,
    }


def _other_editors(article: Article | None, user: User) -> list[User]:
    return list(presence.other_editors(article.id, user.id)) if article else []
