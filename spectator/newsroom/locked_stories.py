"""Stories that their author can no longer change because an editor scheduled or published them."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from spectator import autosaves, publishing, queries
from spectator.i18n import lazy_gettext
from spectator.models import Article, User
from spectator.newsroom import bp, conflicts, forms
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.security import current_user
from spectator.newsroom.story_loader import STORY_RULE, load_story

# By the new status: sentences with and without the name of the person.
STATUS_CHANGES = {
    "scheduled": (
        lazy_gettext("%(name)s has scheduled this story."),
        lazy_gettext("This story has been scheduled."),
    ),
    "published": (
        lazy_gettext("%(name)s has published this story."),
        lazy_gettext("This story has been published."),
    ),
    "withdrawn": (
        lazy_gettext("%(name)s has withdrawn this story."),
        lazy_gettext("This story has been withdrawn."),
    ),
}
OTHER_CHANGE = (
    lazy_gettext("%(name)s has changed this story."),
    lazy_gettext("This story has been changed."),
)


@bp.get(STORY_RULE + "/unsaved")
def unsaved_text(article_id: int) -> Response | str:
    """Show authors their unsaved text of a story that they may no longer change."""
    article = load_story(article_id, "view")
    if publishing.may_edit(current_user(), article):
        return redirect(url_for("newsroom.edit_story", article_id=article_id), 303)
    return render_locked(article, current_user())


def is_locked_for(article: Article | None, user: User) -> bool:
    """Return whether the user may still view a story but no longer change it."""
    return (
        article is not None
        and publishing.may(user, "view", article)
        and not publishing.may_edit(user, article)
    )


def describe_status_change(article: Article) -> str:
    """Return who changed the status: “Ed Editor has published this story.”"""
    change = queries.last_state_change(article.id)
    active, passive = STATUS_CHANGES.get(article.status, OTHER_CHANGE)
    if change is None or change.made_by is None:
        return str(passive)
    return str(active) % {"name": change.made_by.name}


def autosave_form(article: Article, form: StoryForm, user: User) -> None:
    """Store the submitted form as unsaved text; raises ForbiddenError if that is impossible."""
    values = form.values | {"picture_id": forms.form_picture_token(form, user)}
    try:
        if forms.is_too_long(values):
            raise publishing.ForbiddenError(describe_status_change(article))
        autosaves.save(user.id, article.id, form.form_id, form.version, values)
    except autosaves.AutosaveLimitReached as error:
        raise publishing.ForbiddenError(describe_status_change(article)) from error


def render_locked(article: Article, user: User) -> str:
    """Return the page with the new status of the story and the user's unsaved text."""
    rows, stored = autosaves.list_unsaved(user.id, article.id), forms.form_from_article(article)
    return render_template(
        "newsroom/locked.html",
        article=article,
        sentence=describe_status_change(article),
        unsaved_changes=conflicts.compare_unsaved(rows, stored, user),
    )
