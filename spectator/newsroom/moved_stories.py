"""Stories that a colleague moved on while their author was writing: what was typed is kept, and she reads why."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from spectator import drafting, publishing, queries
from spectator.models import Article, User
from spectator.newsroom import conflicts, forms
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.guard import current_user
from spectator.newsroom.previews import ONE, viewable

ACTS = {"scheduled": "scheduled", "published": "published", "withdrawn": "withdrawn"}


def register(newsroom: Blueprint) -> None:
    """Add the page of text that its author can no longer save."""
    newsroom.add_url_rule(ONE + "/unsaved", "unsaved_text", unsaved_text)


def unsaved_text(article_id: int) -> Response | str:
    """Show an author what she typed into a story that she may no longer change."""
    article = viewable(article_id)
    if publishing.may_edit(current_user(), article):
        return redirect(url_for("newsroom.edit_story", article_id=article_id), 303)
    return moved_page(article, current_user())


def has_moved_on(article: Article | None, user: User) -> bool:
    """Say whether a person may still look at a story, their own, but not change it any more."""
    return article is not None and publishing.may(user, "view", article) and not publishing.may_edit(user, article)


def moved_sentence(article: Article) -> str:
    """Return who did what with the story: “Ed Editor has published this story.”"""
    change = queries.last_state_change(article.id)
    act = ACTS.get(article.status, "moved on")
    if change is None or change.made_by is None:
        return f"This story has been {act}."
    return f"{change.made_by.name} has {act} this story."


def keep_text(article: Article, form: StoryForm, user: User) -> None:
    """Keep what was sent as unsaved text. Raises Forbidden, with which the text goes back, where it cannot be."""
    values = form.values | {"picture_id": forms.token_of_picture(form, user)}
    try:
        if forms.is_too_long(values):
            raise publishing.Forbidden(moved_sentence(article))
        drafting.keep(user.id, article.id, values["copy"], form.version, values)
    except drafting.TooMany as error:
        raise publishing.Forbidden(moved_sentence(article)) from error


def moved_page(article: Article, user: User) -> str:
    """Return the page that says what became of the story, with every text of this person that is not in it."""
    rows, stored = drafting.kept(user.id, article.id), forms.of_article(article)
    unsaved = conflicts.unsaved(rows, stored, user)
    return render_template("newsroom/moved.html", article=article, sentence=moved_sentence(article), unsaved=unsaved)
