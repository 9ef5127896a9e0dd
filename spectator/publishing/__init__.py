"""Every act on an article. The only writer of articles and, through them, of the outbox.

Each act loads the story with all its collections inside one `db.write()`, decides, and leaves article, revision and
outbox row behind in one commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.db import db
from spectator.media import TakenPicture
from spectator.models import Article, Correction, Picture, Section, User
from spectator.publishing.drafts import DRAFT_FIELDS, Draft, Invalid, Prepared, one_line, prepare
from spectator.publishing.storing import fill, for_change, record
from spectator.text.slugs import RESERVED_PATHS, slugify

__all__ = [
    "DRAFT_FIELDS",
    "Conflict",
    "Draft",
    "Forbidden",
    "Invalid",
    "NotFound",
    "Prepared",
    "add_picture",
    "add_section",
    "create",
    "may_edit",
    "may_publish",
    "prepare",
    "publish",
    "publish_due",
    "save",
    "take_import",
    "withdraw",
]

MAX_NOTE = 2000
CLOCK_SLACK = timedelta(minutes=1)


class Forbidden(Exception):
    """This person may not do this to this story; the message says who may."""


class Conflict(Exception):
    """The story was saved by somebody else after this person opened it."""


class NotFound(Exception):
    """There is no such story."""


def may_edit(user: User, article: Article) -> bool:
    """Say whether a person may change a story: editors any, authors their own until it is public."""
    is_own_draft = article.created_by_id == user.id and article.status == "draft"
    return user.role in {"editor", "admin"} or is_own_draft


def may_publish(user: User) -> bool:
    """Say whether a person may publish, correct and withdraw."""
    return user.role in {"editor", "admin"}


def create(draft: Draft, by: User, is_published: bool = False, at: datetime | None = None) -> int:
    """Store a new story as a draft, or publish it in the same commit, dated back to `at`; return its id.

    Raises Invalid, Forbidden.
    """
    if is_published and not may_publish(by):
        raise Forbidden("Only editors can publish; the story can be saved as a draft.")
    prepared, now = prepare(draft), datetime.now(UTC)
    with db.write() as session:
        article = Article(status="draft", created_at=now, created_by_id=by.id)
        fill(session, article, prepared, now)
        if is_published:
            _make_public(session, article, _not_future(at, now))
        record(session, article, "publish" if is_published else "create", prepared.draft, by.id, now)
        return article.id


def save(
    article_id: int,
    draft: Draft,
    by: User,
    version: int,
    note: str = "",
    is_published: bool = False,
    at: datetime | None = None,
) -> None:
    """Store a person's changes; a public story's readers see them at once, with an optional dated correction.

    `version` is the one the person saw. `is_published` publishes a draft in the same commit, dated back to `at`.
    Raises Invalid, Conflict, Forbidden, NotFound.
    """
    prepared, note = prepare(draft), _note(note, "note")

    def change(session: Session, article: Article, now: datetime) -> str:
        if article.version != version:
            raise Conflict
        fill(session, article, prepared, now)
        if is_published and article.status != "published":
            _make_public(session, article, _not_future(at, now))
            return "publish"
        if article.is_public:
            article.updated_at = now
            if note:
                article.corrections.append(Correction(text=note, made_at=now))
            outbox.append(session, article.id, "update")
            return "correct" if note else "update"
        return "save"

    _act(article_id, by, change, needs_publisher=is_published, draft=prepared.draft)


def publish(article_id: int, by: User, at: datetime | None = None) -> None:
    """Make a story public as it stands; `at` in the past dates it. Raises Invalid for a future `at`."""

    def change(session: Session, article: Article, now: datetime) -> str:
        moment = _not_future(at, now)
        if article.status == "published":
            return ""
        _make_public(session, article, moment)
        return "publish"

    _act(article_id, by, change, needs_publisher=True)


def withdraw(article_id: int, by: User, reason: str) -> None:
    """Take a public story back: its address answers 410 with the reason. Raises Invalid without a reason."""
    reason = _note(reason, "reason")
    if not reason:
        raise Invalid({"reason": "Say why the story is withdrawn; readers will see it."})

    def change(session: Session, article: Article, now: datetime) -> str:
        if article.status != "published":
            raise Invalid({"reason": "Only a published story can be withdrawn."})
        article.status, article.withdrawn_at, article.withdrawn_reason = "withdrawn", now, reason
        outbox.append(session, article.id, "withdraw")
        return "withdraw"

    _act(article_id, by, change, needs_publisher=True)


def publish_due(now: datetime | None = None) -> int:
    """Publish every scheduled story whose time has come; return how many. Doing it twice does no harm."""
    now = now or datetime.now(UTC)
    with db.write() as session:
        due = (Article.status == "scheduled") & (Article.published_at <= now)
        articles = session.scalars(select(Article).where(due).order_by(Article.published_at)).all()
        for article in articles:
            article.status, article.saved_at = "published", now
            outbox.append(session, article.id, "publish")
            record(session, article, "publish", None, None, now)
        return len(articles)


def take_import(
    session: Session,
    prepared: Prepared,
    external_id: str | None,
    status: str,
    published_at: datetime | None,
    updated_at: datetime | None,
) -> bool:
    """Store an imported story inside the importer's `db.write()`; return whether it is new.

    The same `external_id` again updates that story and never makes a second one. Raises Invalid.
    """
    now = datetime.now(UTC)
    article = None
    if external_id is not None:
        article = session.scalar(for_change().where(Article.external_id == external_id))
    is_new = article is None
    if article is None:
        article = Article(external_id=external_id, status="draft", created_at=now)
    was_public = article.is_public
    fill(session, article, prepared, now, keeps_slug=not is_new)
    article.status, article.published_at, article.updated_at = status, published_at, updated_at
    if article.is_public or was_public:
        outbox.append(session, article.id, "publish" if article.is_public else "withdraw")
    record(session, article, "import", prepared.draft, None, now)
    return is_new


def add_section(session: Session, name: str) -> Section:
    """Add a section inside the caller's `db.write()`; raises Invalid where its address would be taken."""
    slug = slugify(name)
    if slug in RESERVED_PATHS:
        raise Invalid({"section": f"“{name}” cannot be a section: its address /{slug}/ has another use."})
    last = session.scalar(select(func.max(Section.position))) or 0
    name = one_line(name)[:120]
    section = Section(slug=slug, name=name[:1].upper() + name[1:], position=last + 1)
    session.add(section)
    session.flush()
    return section


def _act(
    article_id: int,
    by: User,
    change: Callable[[Session, Article, datetime], str],
    needs_publisher: bool = False,
    draft: Draft | None = None,
) -> None:
    """Run `change` on a freshly loaded story in one transaction; record the act that it names ("" = nothing done)."""
    if needs_publisher and not may_publish(by):
        raise Forbidden("Only editors can publish, correct and withdraw.")
    now = datetime.now(UTC)
    with db.write() as session:
        article = session.scalar(for_change().where(Article.id == article_id))
        if article is None:
            raise NotFound
        if not may_edit(by, article):
            raise Forbidden("Authors can change their own drafts; ask an editor for this one.")
        action = change(session, article, now)
        if action:
            record(session, article, action, draft, by.id, now)


def _not_future(at: datetime | None, now: datetime) -> datetime:
    """Return the moment of publication: `at`, else now; raises Invalid where it has not come yet."""
    if at is not None and at > now + CLOCK_SLACK:
        raise Invalid({"published_at": "Scheduling comes later; leave the date empty to publish now."})
    return at or now


def _make_public(session: Session, article: Article, at: datetime) -> None:
    """Publish; a story that was public before keeps its first date."""
    if article.status != "withdrawn" or article.published_at is None:
        article.published_at = at
    article.status, article.withdrawn_at, article.withdrawn_reason = "published", None, ""
    outbox.append(session, article.id, "publish")


def _note(text: str, name: str) -> str:
    if len(text) > MAX_NOTE:
        raise Invalid({name: f"At most {MAX_NOTE} characters are possible."})
    return one_line(text)


def add_picture(session: Session, taken: TakenPicture, by_id: int | None) -> int:
    """Store a picture that `media.take_in` has taken, inside the caller's `db.write()`; return its id.

    The same picture again is the same row.
    """
    known = session.scalar(select(Picture.id).where(Picture.digest == taken.digest))
    if known is not None:
        return known
    picture = Picture(**asdict(taken), created_at=datetime.now(UTC), created_by_id=by_id)
    session.add(picture)
    session.flush()
    return picture.id
