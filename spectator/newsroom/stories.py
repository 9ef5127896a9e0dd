"""The list of stories, the form, and the acts that have a button of their own."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import drafting, publishing, queries
from spectator.models import ARTICLE_STATUSES, Article, User
from spectator.newsroom import conflicts, forms, moved_stories, previews
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.guard import current_user
from spectator.newsroom.unsaved import TOO_MUCH_UNSAVED
from spectator.text.languages import language_choices

PAGE_SIZE = 50
IN_HANDS = ("draft", "review", "scheduled")  # between an author and the editors
ONE = "/stories/<int(max=2147483647):article_id>"


def register(newsroom: Blueprint) -> None:
    """Add the story list, the form and the acts."""
    newsroom.add_url_rule("/", "desk", desk)
    newsroom.add_url_rule("/stories/", "stories", stories)
    newsroom.add_url_rule("/stories/new", "new_story", new_story)
    newsroom.add_url_rule("/stories/new", "create_story", create_story, methods=["POST"])
    newsroom.add_url_rule(ONE, "edit_story", edit_story)
    newsroom.add_url_rule(ONE, "save_story", save_story, methods=["POST"])
    newsroom.add_url_rule(ONE + "/merge", "merge_story", merge_story, methods=["POST"])
    for name, act in ACTS.items():
        newsroom.add_url_rule(f"{ONE}/{name}", name, act, methods=["POST"])


def desk() -> Response:
    """Lead to the list of stories."""
    return redirect(url_for("newsroom.stories"), 303)


def stories() -> str:
    """Show the newsroom's stories, last saved first; an author sees those of their own."""
    user, page = current_user(), _page_number(request.args.get("page", ""))
    status, text = request.args.get("status", ""), request.args.get("q", "").strip()[:200]
    status = status if status in ARTICLE_STATUSES else ""
    own = None if publishing.is_publisher(user) else user.id
    found = queries.stories(status, text, (page - 1) * PAGE_SIZE, PAGE_SIZE, own)
    return render_template(
        "newsroom/stories.html",
        articles=found[:PAGE_SIZE],
        editable={article.id for article in found if publishing.may_edit(user, article)},
        statuses=ARTICLE_STATUSES,
        filters={"status": status, "q": text},
        page=page,
        has_more=len(found) > PAGE_SIZE,
        unsaved_new=drafting.kept(user.id, None),
        discarded=drafting.list_discarded(user.id, None),
        in_hand=drafting.stories_in_hand(user.id),
    )


def _page_number(text: str) -> int:
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,5}", text) else 1


def new_story() -> str:
    """Show the empty form, or what was typed into one and not saved."""
    return form_page(_restored(None) or forms.blank(), None)


def create_story() -> Response | tuple[str, int]:
    """Store a new story, with the step the button said; a wrong entry comes back beside its message."""
    user, form = current_user(), forms.posted(current_user())
    try:
        article_id = forms.store(form, user, None)
    except publishing.AlreadyStored as stored:
        return _sent_twice(stored.article_id, form)
    except publishing.Invalid as invalid:
        form.errors = invalid.errors
        return form_page(form, None), 422
    return _stored(article_id, form, forms.verb())


def _sent_twice(article_id: int, form: StoryForm) -> Response | tuple[str, int]:
    """Lead to the story that this very form has made already; words it has not got come as a conflict."""
    article = editable_story(article_id)
    if conflicts.is_same(form, forms.of_article(article)):
        return _stored(article_id, form, "saved")
    return conflicts.page(form, article, current_user()), 409


def edit_story(article_id: int) -> str | tuple[str, int]:
    """Show a story's form, as it is stored or, where asked, as it was typed and not saved."""
    article = queries.article_to_edit(article_id)
    if article is not None and moved_stories.has_moved_on(article, current_user()):
        return moved_stories.moved_page(article, current_user()), 403
    article = editable_story(article_id)
    return form_page(_restored(article_id) or forms.of_article(article), article)


def save_story(article_id: int) -> Response | tuple[str, int]:
    """Store a person's changes; a wrong entry, or a colleague's newer version, comes back with every entry kept."""
    moved = _moved(article_id, lambda _: forms.posted(current_user()))
    return moved or _save(editable_story(article_id), forms.posted(current_user()))


def merge_story(article_id: int) -> Response | tuple[str, int]:
    """Store what a person has chosen from two versions; a choice not made, or a newer version still, comes back."""
    user = current_user()
    moved = _moved(article_id, lambda article: conflicts.chosen_so_far(article, user))
    if moved:
        return moved
    article = editable_story(article_id)
    try:
        form = conflicts.chosen(article, user)
    except conflicts.NotChosen as missing:
        return conflicts.page(missing.form, article, user, missing.names), 422
    return _save(article, form)


def _moved(article_id: int, typed: Callable[[Article], StoryForm]) -> tuple[str, int] | None:
    """Keep what was typed for a story that has moved on, and say so; None where the person may still change it."""
    article, user = queries.article_to_edit(article_id), current_user()
    if article is None or not moved_stories.has_moved_on(article, user):
        return None
    moved_stories.keep_text(article, typed(article), user)
    return moved_stories.moved_page(article, user), 403


def _save(article: Article, form: StoryForm) -> Response | tuple[str, int]:
    if forms.verb() == "keep":
        return _keep(article, form)
    try:
        forms.store(form, current_user(), article)
    except publishing.Invalid as invalid:
        form.errors = invalid.errors
        return form_page(form, article), 422
    except publishing.Conflict:
        moved = _moved(article.id, lambda _: form)
        return moved or (conflicts.page(form, editable_story(article.id), current_user()), 409)
    return _stored(article.id, form, forms.verb())


def _keep(article: Article, form: StoryForm) -> Response | tuple[str, int]:
    """Keep what was typed as unsaved text and show it again: a save of a live story that readers see nothing of."""
    user, copy = current_user(), form.values["copy"]
    values = form.values | {"picture_id": forms.token_of_picture(form, user)}
    try:
        if forms.is_too_long(values):
            raise publishing.Invalid({"body": "One entry is too long."})
        drafting.keep(user.id, article.id, copy, form.version, values)
    except drafting.TooMany:
        form.errors |= {"body": f"You {TOO_MUCH_UNSAVED}"}
    except publishing.Invalid as invalid:
        form.errors |= invalid.errors
    if form.errors:
        return form_page(form, article), 422
    return redirect(url_for("newsroom.edit_story", article_id=article.id, restore=copy, done="kept"), 303)


def _act(verb: str) -> Callable[[int], Response | tuple[str, int]]:
    """Return the view of an act that needs nothing but its button."""

    def act(article_id: int) -> Response | tuple[str, int]:
        more = (request.form.get("remark", ""),) if verb in {"submit", "send_back"} else ()
        try:
            getattr(publishing, verb)(article_id, current_user(), *more)
        except publishing.Invalid as invalid:
            article = editable_story(article_id)
            form = forms.of_article(article)
            form.errors, form.values["remark"] = invalid.errors, more[0] if more else ""
            return form_page(form, article), 422
        return _done(article_id, verb)

    act.__doc__ = f"Take the step “{verb}” with a story as it was last saved."
    return act


def withdraw(article_id: int) -> Response | tuple[str, int]:
    """Take a published story back, with a reason that readers will see."""
    reason = request.form.get("reason", "")
    try:
        publishing.withdraw(article_id, current_user(), reason)
    except publishing.Invalid as invalid:
        article = editable_story(article_id)
        form = forms.of_article(article)
        form.errors = invalid.errors
        return form_page(form, article, reason=reason), 422
    return _done(article_id, "withdraw")


ACTS: dict[str, Callable[[int], Response | tuple[str, int]]] = {
    **{verb: _act(verb) for verb in ("publish", "submit", "send_back", "unschedule", "reinstate")},
    "withdraw": withdraw,
}


def editable_story(article_id: int) -> Article:
    """Return a story that this person may change; raises NotFound, Forbidden."""
    article = queries.article_to_edit(article_id)
    if article is None:
        raise publishing.NotFound
    if not publishing.may_edit(current_user(), article):
        raise publishing.Forbidden("Authors can open their own drafts; ask an editor for this one.")
    return article


def _restored(article_id: int | None) -> StoryForm | None:
    """Return what was typed and not saved in the form that the address names."""
    row = drafting.kept_copy(current_user().id, request.args.get("restore", "")[:40])
    return forms.of_autosave(row, current_user()) if row is not None and row.article_id == article_id else None


def _stored(article_id: int, form: StoryForm, verb: str) -> Response:
    """Forget the autosave of what is now stored, and show the story's form anew."""
    drafting.forget(current_user().id, form.values["copy"])
    return _done(article_id, verb, form.values["copy"])


def _done(article_id: int, verb: str, copy: str | None = None) -> Response:
    article = queries.article_to_edit(article_id)
    if verb == "send_back" and article is not None and article.created_by_id == current_user().id:
        verb = "taken_back"
    if article is not None and not publishing.may_edit(current_user(), article):
        return redirect(url_for("newsroom.stories", done=verb, stored=copy), 303)
    return redirect(url_for("newsroom.edit_story", article_id=article_id, done=verb, stored=copy), 303)


def form_page(form: StoryForm, article: Article | None, reason: str = "", **more: object) -> str:
    """Return the page of the story form, or of a new one for None; `more` is what other forms of it show."""
    user = current_user()
    rows = drafting.kept(user.id, article.id) if article else ()
    unsaved = [row for row in rows if row.copy != form.values["copy"]]
    return render_template(
        "newsroom/story.html",
        form=form,
        article=article,
        errors=form.errors,
        reason=reason,
        verbs=publishing.verbs(user, article),
        picture_token=forms.token_of_picture(form, user),
        languages=language_choices(),
        zone=current_app.config["TIMEZONE"],
        unsaved=conflicts.unsaved(unsaved, form, user),
        discarded=drafting.list_discarded(user.id, article.id) if article else [],
        others=_others(article, user),
        then=forms.verb(),
        weight=previews.weight_words(article) if article else "",
        handover=queries.last_remark(article.id) if article and article.status in IN_HANDS else None,
        **({"wrong_note": None} | more),
    )


def _others(article: Article | None, user: User) -> list[User]:
    return list(drafting.others_at(article.id, user.id)) if article else []
