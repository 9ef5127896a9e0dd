"""The list of stories, the form, the preview, and the acts that have a button of their own."""

from __future__ import annotations

import re

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing, queries
from spectator.models import ARTICLE_STATUSES, Article
from spectator.newsroom import forms
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.guard import current_user
from spectator.newsroom.media import picture_token

PAGE_SIZE = 50
ONE = "/stories/<int(max=2147483647):article_id>"
LANGUAGES = (
    ("en", "English"),
    ("fr", "French"),
    ("pt", "Portuguese"),
    ("ar", "Arabic"),
    ("sw", "Swahili"),
    ("ha", "Hausa"),
    ("am", "Amharic"),
    ("yo", "Yoruba"),
    ("ig", "Igbo"),
    ("om", "Oromo"),
    ("ti", "Tigrinya"),
    ("so", "Somali"),
    ("rw", "Kinyarwanda"),
    ("zu", "Zulu"),
    ("xh", "Xhosa"),
    ("pcm", "Nigerian Pidgin"),
)


def register(newsroom: Blueprint) -> None:
    """Add the story list, the form and the acts."""
    newsroom.add_url_rule("/", "desk", desk)
    newsroom.add_url_rule("/stories/", "stories", stories)
    newsroom.add_url_rule("/stories/new", "new_story", new_story)
    newsroom.add_url_rule("/stories/new", "create_story", create_story, methods=["POST"])
    newsroom.add_url_rule(ONE, "edit_story", edit_story)
    newsroom.add_url_rule(ONE, "save_story", save_story, methods=["POST"])
    newsroom.add_url_rule(ONE + "/preview", "preview", preview)
    newsroom.add_url_rule(ONE + "/publish", "publish", publish, methods=["POST"])
    newsroom.add_url_rule(ONE + "/withdraw", "withdraw", withdraw, methods=["POST"])


def desk() -> Response:
    """Lead to the list of stories."""
    return redirect(url_for("newsroom.stories"), 303)


def stories() -> str:
    """Show the newsroom's stories, last saved first; an author sees those of their own."""
    user, page = current_user(), _page_number(request.args.get("page", ""))
    status, text = request.args.get("status", ""), request.args.get("q", "").strip()[:200]
    status = status if status in ARTICLE_STATUSES else ""
    own = None if publishing.may_publish(user) else user.id
    found = queries.stories(status, text, (page - 1) * PAGE_SIZE, PAGE_SIZE, own)
    editable = {article.id for article in found if publishing.may_edit(user, article)}
    return render_template(
        "newsroom/stories.html",
        articles=found[:PAGE_SIZE],
        editable=editable,
        statuses=ARTICLE_STATUSES,
        filters={"status": status, "q": text},
        page=page,
        has_more=len(found) > PAGE_SIZE,
    )


def _page_number(text: str) -> int:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,5}", text) else 1


def new_story() -> str:
    """Show the empty form."""
    return _form_page(forms.blank(), None)


def create_story() -> Response | tuple[str, int]:
    """Store a new story, published if the button said so; a wrong entry comes back beside its message."""
    form = forms.posted(current_user())
    try:
        article_id = forms.store(form, current_user(), None)
    except publishing.Invalid as invalid:
        form.errors = invalid.errors
        return _form_page(form, None), 422
    return _saved(article_id, "published" if request.form.get("do") == "publish" else "saved")


def edit_story(article_id: int) -> str:
    """Show a story's form."""
    article = _editable(article_id)
    return _form_page(forms.of_article(article), article)


def save_story(article_id: int) -> Response | tuple[str, int]:
    """Store a person's changes; a wrong entry, or a colleague's newer version, comes back with every entry kept."""
    article, form = _editable(article_id), forms.posted(current_user())
    try:
        forms.store(form, current_user(), article)
    except publishing.Invalid as invalid:
        form.errors = invalid.errors
        return _form_page(form, article), 422
    except publishing.Conflict:
        newest = _editable(article_id)
        form.version = newest.version
        return _form_page(form, newest, is_conflict=True), 409
    if article.is_public:
        return _saved(article_id, "corrected" if form.values["note"].strip() else "updated")
    return _saved(article_id, "published" if request.form.get("do") == "publish" else "saved")


def preview(article_id: int) -> str:
    """Show a story exactly as readers will see it."""
    article = _editable(article_id)
    return render_template("site/article.html", article=article, is_preview=True, related=[])


def publish(article_id: int) -> Response:
    """Publish a story as it was last saved."""
    publishing.publish(article_id, current_user())
    return _saved(article_id, "published")


def withdraw(article_id: int) -> Response | tuple[str, int]:
    """Take a published story back, with a reason that readers will see."""
    reason = request.form.get("reason", "")
    try:
        publishing.withdraw(article_id, current_user(), reason)
    except publishing.Invalid as invalid:
        article = _editable(article_id)
        form = forms.of_article(article)
        form.errors = invalid.errors
        return _form_page(form, article, reason=reason), 422
    return _saved(article_id, "withdrawn")


def _editable(article_id: int) -> Article:
    """Return a story that this person may change; raises NotFound, Forbidden."""
    article = queries.article_to_edit(article_id)
    if article is None:
        raise publishing.NotFound
    if not publishing.may_edit(current_user(), article):
        raise publishing.Forbidden("Authors can open their own drafts; ask an editor for this one.")
    return article


def _saved(article_id: int, done: str) -> Response:
    return redirect(url_for("newsroom.edit_story", article_id=article_id, done=done), 303)


def _form_page(form: StoryForm, article: Article | None, is_conflict: bool = False, reason: str = "") -> str:
    return render_template(
        "newsroom/story.html",
        form=form,
        article=article,
        errors=form.errors,
        is_conflict=is_conflict,
        reason=reason,
        may_publish=publishing.may_publish(current_user()),
        picture_token=picture_token(form.picture, current_user()),
        languages=LANGUAGES,
        zone=current_app.config["TIMEZONE"],
    )
