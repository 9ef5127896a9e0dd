"""Stories that a colleague moved on while their author was writing: what was typed is kept, and she reads why."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from spectator import autosaves, publishing, queries
from spectator.models import Article, User
from spectator.newsroom import conflicts, forms
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.previews import STORY_RULE, viewable_story
from spectator.newsroom.security import current_user

STATUS_VERBS = {"scheduled": "scheduled", "published": "published", "withdrawn": "withdrawn"}


def register(newsroom: Blueprint) -> None:
    """Add the page of text that its author can no longer save."""
    newsroom.add_url_rule(STORY_RULE + "/unsaved", "unsaved_text", unsaved_text)


def unsaved_text(article_id: int) -> Response | str:
    """Show an author what she typed into a story that she may no longer change."""
    article = viewable_story(article_id)
    if publishing.may_edit(current_user(), article):
        return redirect(url_for("newsroom.edit_story", article_id=article_id), 303)
    return render_locked(article, current_user())


def is_locked_for(article: Article | None, user: User) -> bool:
    """Say whether a person may still look at a story, their own, but not change it any more."""
    return (
        article is not None
        and publishing.may(user, "view", article)
        and not publishing.may_edit(user, article)
    )


def describe_status_change(article: Article) -> str:
    """Return who did what with the story: “Ed Editor has published this story.”"""
    change = queries.last_state_change(article.id)
    act = STATUS_VERBS.get(article.status, "moved on")
    if change is None or change.made_by is None:
        return f"This story has been {act}."
    return f"{change.made_by.name} has {act} this story."


def autosave_form(article: Article, form: StoryForm, user: User) -> None:
    """Keep what was sent as unsaved text. Raises Forbidden, with which the text goes back, where it cannot be."""
    values = form.values | {"picture_id": forms.form_picture_token(form, user)}
    try:
        if forms.is_too_long(values):
            raise publishing.ForbiddenError(describe_status_change(article))
        autosaves.save(user.id, article.id, values["copy"], form.version, values)
    except autosaves.AutosaveLimitReached as error:
        raise publishing.ForbiddenError(describe_status_change(article)) from error


def render_locked(article: Article, user: User) -> str:
    """Return the page that says what became of the story, with every text of this person that is not in it."""
    rows, stored = autosaves.list_unsaved(user.id, article.id), forms.form_from_article(article)
    unsaved = conflicts.compare_unsaved(rows, stored, user)
    return render_template(
        "newsroom/moved.html",
        article=article,
        sentence=describe_status_change(article),
        unsaved=unsaved,
    )
