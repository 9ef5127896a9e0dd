"""The database schema, one module for each family of tables."""

from spectator.models.article import (
    ARTICLE_STATUSES,
    DEFAULT_STORY_KIND,
    NOTE_KINDS,
    STORY_KINDS,
    Article,
    ArticleAuthor,
    ReaderNote,
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
from spectator.models.former_names import FormerName  # of authors and topics
from spectator.models.hosts import Host, Lease
from spectator.models.imports import ImportState
from spectator.models.listings import (
    LanguageCount,
    ListingCount,
    ListingRow,
    PublicListing,
    TableTimeZone,
)
from spectator.models.logins import LoginAttempt, LoginClient, UserSession
from spectator.models.media import Picture, PictureUse
from spectator.models.old_addresses import MissingPage, OldAddress
from spectator.models.outbox import Outbox
from spectator.models.pages import (
    MENUS,
    PAGE_STATUSES,
    MenuEntry,
    Page,
    PageImport,
    PagePicture,
    PageRedirect,
    PageRevision,
)
from spectator.models.people import ROLES, Author, User
from spectator.models.schema_compatibility import SchemaCompatibility
from spectator.models.taxonomy import Country, NameTranslation, Section, Topic

__all__ = [
    "ARTICLE_STATUSES",
    "DEFAULT_STORY_KIND",
    "MENUS",
    "NOTE_KINDS",
    "PAGE_STATUSES",
    "ROLES",
    "STORY_KINDS",
    "Article",
    "ArticleAuthor",
    "Author",
    "Autosave",
    "Consumer",
    "Country",
    "FormerName",
    "Host",
    "ImportState",
    "LanguageCount",
    "Lease",
    "ListingCount",
    "ListingRow",
    "LoginAttempt",
    "LoginClient",
    "MenuEntry",
    "MissingPage",
    "NameTranslation",
    "OldAddress",
    "Outbox",
    "Page",
    "PageImport",
    "PagePicture",
    "PageRedirect",
    "PageRevision",
    "Picture",
    "PictureUse",
    "Presence",
    "PreviewLink",
    "PublicListing",
    "ReaderNote",
    "Redirect",
    "Related",
    "RelatedOverride",
    "Revision",
    "SchemaCompatibility",
    "SearchCount",
    "SearchIndex",
    "Section",
    "TableTimeZone",
    "Topic",
    "TrafficHour",
    "User",
    "UserSession",
]
