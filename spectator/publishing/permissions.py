"""Who may take which action on which story, by the table in `actions` (shown in docs/roles.md).

Authors write and submit their own stories; once a story is scheduled or public, they may only view
it. Administrators have the same permissions on stories as editors. An imported story is nobody's
own.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from spectator.i18n import gettext, lazy_pgettext
from spectator.models import Article, User
from spectator.publishing.actions import ACTIONS
from spectator.publishing.articles import select_for_update

STATUS_LABELS = {
    "new": lazy_pgettext("the story is …", "new"),
    "draft": lazy_pgettext("the story is …", "a draft"),
    "review": lazy_pgettext("the story is …", "in review"),
    "scheduled": lazy_pgettext("the story is …", "scheduled"),
    "published": lazy_pgettext("the story is …", "published"),
    "withdrawn": lazy_pgettext("the story is …", "withdrawn"),
}


class ForbiddenError(Exception):
    """The person may not take this action on the story; the message says why."""


class ConflictError(Exception):
    """Somebody else saved the story after this person opened it."""


class NotFoundError(Exception):
    """The story, revision or note does not exist."""


def allowed_actions(user: User, article: Article | None) -> dict[str, str]:
    """Return the actions that a person may take on a story (None: a new one), with their labels."""
    status = article.status if article is not None else "new"
    is_own = article is None or article.created_by_id == user.id
    is_editor = is_publisher(user)
    return {
        name: (is_own and rule.own_label) or rule.labels.get(status, rule.label)
        for name, rule in ACTIONS.items()
        if (is_editor or is_own)
        and status in (rule.editors if is_editor else rule.authors).split()
    }


def may(user: User, action: str, article: Article | None = None) -> bool:
    """Return whether a person may take an action on a story (None: a new one)."""
    return action in allowed_actions(user, article)


def may_edit(user: User, article: Article) -> bool:
    """Return whether a person may change the text of a story."""
    return not {"save", "update"}.isdisjoint(allowed_actions(user, article))


def is_publisher(user: User) -> bool:
    """Return whether a person may publish and see all stories: an editor or administrator."""
    return user.role in {"editor", "admin"}


def load_article(session: Session, article_id: int, by: User) -> Article:
    """Return a story that will be changed, with its body, section and notes to readers.

    Raises NotFoundError and ForbiddenError.
    """
    article = session.scalar(select_for_update().where(Article.id == article_id))
    if article is None:
        raise NotFoundError
    if not may(by, "view", article):
        raise ForbiddenError(
            gettext("You don't have permission to see a colleague's story. Ask an editor.")
        )
    return article


def require_permission(by: User, action: str, article: Article | None) -> None:
    """Raise ForbiddenError unless the person may take the action."""
    if may(by, action, article):
        return
    status = STATUS_LABELS[article.status if article is not None else "new"]
    label = ACTIONS[action].label
    if is_publisher(by):
        raise ForbiddenError(
            gettext(
                "The story is now %(status)s, so you can't use “%(action)s”. Reload the "
                "page to see its latest version.",
                status=status,
                action=label,
            )
        )
    raise ForbiddenError(
        gettext(
            "Only editors can use “%(action)s” while a story is %(status)s. Ask an editor.",
            action=label,
            status=status,
        )
    )
