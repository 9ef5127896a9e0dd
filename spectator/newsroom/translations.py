"""Translations in the newsroom: starting one, its original beside it, changes of the original."""

from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing, queries
from spectator.i18n import lazy_gettext
from spectator.models import Article
from spectator.newsroom import bp, forms
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.preferences import newsroom_time
from spectator.newsroom.security import current_user
from spectator.newsroom.story_loader import STORY_RULE
from spectator.newsroom.story_references import reference_number, visible_article
from spectator.publishing import Draft
from spectator.text.words.numbers import parse_int

# What a new translation has from the story that it translates.
COPIED_FIELDS = (
    "kind",
    "section",
    "countries",
    "topics",
    "picture_id",
    "picture_alt",
    "picture_caption",
    "picture_credit",
    "share_picture",
)
CHANGE_SENTENCES = {
    "correct": lazy_gettext("The original was corrected on %(time)s."),
    "withdraw": lazy_gettext("The original was withdrawn on %(time)s."),
    "reinstate": lazy_gettext("The original was republished on %(time)s."),
    "update": lazy_gettext("The original was changed on %(time)s."),
}


def new_translation_form() -> StoryForm | None:
    """Return the form of a new translation of the story that the URL names, None if it names none.

    It has the story's filing and picture, but no language. Raises NotFoundError for a story that
    the user may not see.
    """
    reference = request.args.get("translation_of")
    if reference is None:
        return None
    article = visible_article(reference_number(reference), current_user())
    if article is None:
        raise publishing.NotFoundError
    draft = publishing.draft_from_article(article)
    copied = {name: getattr(draft, name) for name in COPIED_FIELDS}
    values = forms.values_from_draft(Draft(**copied, language=""))
    return StoryForm(values | {"translation_of": str(article.id)}, picture=article.picture)


def original_of(form: StoryForm, article: Article | None) -> Article | None:
    """Return the story that a form's story translates, if the user may see it."""
    reference = form.values["translation_of"]
    if not reference:
        return None
    original = visible_article(reference_number(reference), current_user())
    is_itself = original is not None and article is not None and original.id == article.id
    return None if is_itself else original


def describe_change(change: queries.OriginalChange) -> str:
    """Return the sentence about what happened to an original."""
    sentence = CHANGE_SENTENCES.get(change.action, CHANGE_SENTENCES["update"])
    return str(sentence) % {"time": newsroom_time(change.at)}


@bp.post(STORY_RULE + "/checked")
def mark_checked(article_id: int) -> Response:
    """Remember that a translation was compared with the original, as the form showed it."""
    version = parse_int(request.form.get("original_version", ""))
    publishing.mark_checked(article_id, current_user(), version)
    return redirect(url_for("newsroom.edit_story", article_id=article_id, done="checked"), 303)
