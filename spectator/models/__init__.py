"""The database schema, one module for each family of tables."""

from spectator.models.article import (
    ARTICLE_STATUSES,
    DEFAULT_KIND,
    NOTE_KINDS,
    STORY_KINDS,
    Article,
    ArticleAuthor,
    Correction,
    Redirect,
    Revision,
)
from spectator.models.derived import (
    Consumer,
    Related,
    RelatedOverride,
    SearchCount,
    SearchIndex,
    TrafficHour,
)
from spectator.models.desk import Autosave, Presence, PreviewLink
from spectator.models.hosts import Host, Lease
from spectator.models.imports import ImportState
from spectator.models.listings import (
    DerivedTable,
    LanguageCount,
    ListingCount,
    ListingRow,
    PublicListing,
)
from spectator.models.media import Picture, PictureUse
from spectator.models.names import FormerName
from spectator.models.newsroom import KnownClient, LoginAttempt, Outbox, UserSession
from spectator.models.people import ROLES, Author, User
from spectator.models.support import SchemaSupport
from spectator.models.taxonomy import Country, Section, Topic

__all__ = [
    "ARTICLE_STATUSES",
    "DEFAULT_KIND",
    "NOTE_KINDS",
    "ROLES",
    "STORY_KINDS",
    "Article",
    "ArticleAuthor",
    "Author",
    "Autosave",
    "Consumer",
    "Correction",
    "Country",
    "DerivedTable",
    "FormerName",
    "Host",
    "ImportState",
    "KnownClient",
    "LanguageCount",
    "Lease",
    "ListingCount",
    "ListingRow",
    "LoginAttempt",
    "Outbox",
    "Picture",
    "PictureUse",
    "Presence",
    "PreviewLink",
    "PublicListing",
    "Redirect",
    "Related",
    "RelatedOverride",
    "Revision",
    "SchemaSupport",
    "SearchCount",
    "SearchIndex",
    "Section",
    "Topic",
    "TrafficHour",
    "User",
    "UserSession",
]
