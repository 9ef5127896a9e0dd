"""The loader of a story for a view, with a check that the user may view, edit or share it."""

from __future__ import annotations

from spectator import publishing, queries
from spectator.i18n import lazy_gettext
from spectator.models import Article
from spectator.newsroom.security import current_user

STORY_RULE = "/stories/<int(max=2147483647):article_id>"
STORY_FRAGMENT_RULE = f"/fragments{STORY_RULE}"
REFUSALS = {
    "view": lazy_gettext("This is a colleague's story; ask an editor."),
    "edit": lazy_gettext("You can open only your own drafts. Ask an editor about this one."),
    "share": lazy_gettext(
        "You can share a preview only of an unpublished story that you can edit."
    ),
}


def load_story(article_id: int, action: str) -> Article:
    """Return a story that the user may view, edit or share.

    Raises NotFoundError if there is no such story, ForbiddenError if the user may not.
    """
    article, user = queries.article_to_edit(article_id), current_user()
    if article is None:
        raise publishing.NotFoundError
    may_edit = publishing.may_edit(user, article)
    if not (may_edit if action == "edit" else publishing.may(user, action, article)):
        raise publishing.ForbiddenError(str(REFUSALS[action]))
    return article
