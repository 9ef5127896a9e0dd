"""The permissions table: role × own or colleague's story × status; docs/roles.md shows it.

Authors write and submit their own stories; they may only view one that is scheduled or public.
Administrators may do with stories what editors may. An imported story is nobody's own.
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
    """Return the names of the actions that a person may take on a story (None: a new one)."""
    state = article.status if article is not None else "new"
    if user.role in {"editor", "admin"}:
        return frozenset(EDITOR_ACTIONS[state].split())
    is_own = article is None or article.created_by_id == user.id
    return frozenset(AUTHOR_ACTIONS[state].split()) if is_own else frozenset()


def may(user: User, action: str, article: Article | None = None) -> bool:
    """Return whether a person may take an action on a story (None: a new one)."""
    return action in allowed_actions(user, article)


def may_edit(user: User, article: Article) -> bool:
    """Return whether a person may change the text of a story."""
    return bool(allowed_actions(user, article) & {"save", "update"})


def is_publisher(user: User) -> bool:
    """Return whether a person may publish and see all stories: an editor or administrator."""
    return user.role in {"editor", "admin"}
