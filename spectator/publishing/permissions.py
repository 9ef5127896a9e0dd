"""Who may do what with a story: one table of role × whose story × state. docs/roles.md shows it to people.

Authors write and hand in; once a story is scheduled or public they may look at it, and ask an editor. Administrators
may do with stories what editors may. Nobody's role matters for a story that was imported: it is nobody's own.
"""

from __future__ import annotations

from spectator.models import Article, User

EDITOR_ACTIONS = {
    "new": "save submit schedule publish",
    "draft": "view save restore share submit schedule publish relate",
    "review": "view save restore share send_back schedule publish relate",
    "scheduled": "view save restore share schedule unschedule publish relate",
    "published": "view update correct edit_note remove_note restore withdraw relate",
    "withdrawn": "view save edit_note remove_note restore share reinstate relate",
}
AUTHOR_ACTIONS = {
    "new": "save submit",
    "draft": "view save restore share submit",
    "review": "view save restore share send_back",
    "scheduled": "view",
    "published": "view",
    "withdrawn": "view",
}
ACTIONS = tuple(dict.fromkeys(" ".join(EDITOR_ACTIONS.values()).split()))


def allowed_actions(user: User, article: Article | None) -> frozenset[str]:
    """Return the verbs that a person may use on a story, on a new one for None."""
    state = article.status if article is not None else "new"
    if user.role in {"editor", "admin"}:
        return frozenset(EDITOR_ACTIONS[state].split())
    is_own = article is None or article.created_by_id == user.id
    return frozenset(AUTHOR_ACTIONS[state].split()) if is_own else frozenset()


def may(user: User, action: str, article: Article | None = None) -> bool:
    """Say whether a person may use a verb on a story, on a new one for None."""
    return action in allowed_actions(user, article)


def may_edit(user: User, article: Article) -> bool:
    """Say whether a person may change a story's text, in whatever way its state allows."""
    return bool(allowed_actions(user, article) & {"save", "update"})


def is_publisher(user: User) -> bool:
    """Say whether a person may publish at all, and sees everybody's stories."""
    return user.role in {"editor", "admin"}
