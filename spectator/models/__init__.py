"""The schema, one file a family."""

from spectator.models.article import (
    ARTICLE_STATUSES,
    NOTE_KINDS,
    Article,
    ArticleAuthor,
    Correction,
    Redirect,
    Revision,
)
from spectator.models.desk import Autosave, Presence, PreviewLink
from spectator.models.finding import Follower, Related, RelatedChoice, SearchCount
from spectator.models.imports import ImportState
from spectator.models.lists import Derivation, Listed, OpenedList, StoryCount
from spectator.models.media import Picture, PictureUse
from spectator.models.names import FormerName
from spectator.models.newsroom import KnownClient, LoginAttempt, Outbox, UserSession
from spectator.models.people import ROLES, Author, User
from spectator.models.taxonomy import Country, Section, Topic

__all__ = [
    "ARTICLE_STATUSES",
    "NOTE_KINDS",
    "ROLES",
    "Article",
    "ArticleAuthor",
    "Author",
    "Autosave",
    "Correction",
    "Country",
    "Derivation",
    "Follower",
    "FormerName",
    "ImportState",
    "KnownClient",
    "Listed",
    "LoginAttempt",
    "OpenedList",
    "Outbox",
    "Picture",
    "PictureUse",
    "Presence",
    "PreviewLink",
    "Redirect",
    "Related",
    "RelatedChoice",
    "Revision",
    "SearchCount",
    "Section",
    "StoryCount",
    "Topic",
    "User",
    "UserSession",
]
