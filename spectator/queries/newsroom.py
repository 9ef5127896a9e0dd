"""Reads of the newsroom and the worker: stories of every status, revisions, people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Row, Select, exists, func, select
from sqlalchemy.orm import defer, joinedload, selectinload

from spectator import outbox
from spectator.db import db
from spectator.db.functions import byte_length
from spectator.models import Article, Author, Revision, User
from spectator.queries.articles import load_articles_to_index, select_full_articles
from spectator.queries.suggestions import is_visible_to


def article_to_edit(article_id: int) -> Article | None:
    """Return a story of any status with everything the form, the preview and the index need."""
    query = (
        select_full_articles()
        .where(Article.id == article_id)
        .options(joinedload(Article.created_by))
    )
    return db.session.scalars(query).unique().one_or_none()


def has_articles() -> bool:
    """Return whether there is any story, of any status."""
    return bool(db.session.scalar(select(exists().where(Article.id.is_not(None)))))


def next_due_at(after: datetime | None = None) -> datetime | None:
    """Return the time of the next scheduled publication (after a time), None if there is none."""
    query = select(func.min(Article.published_at)).where(Article.status == "scheduled")
    if after is not None:
        query = query.where(Article.published_at > after)
    return db.session.scalar(query)


def scheduled_before(time: datetime, limit: int) -> Sequence[Row[int, datetime | None]]:
    """Return the rows (id, published_at) of stories that should be public since before a time."""
    query = select(Article.id, Article.published_at).where(
        Article.status == "scheduled", Article.published_at < time
    )
    return db.session.execute(query.order_by(Article.published_at).limit(limit)).all()


def newsroom_articles(
    status: str = "",
    text: str = "",
    offset: int = 0,
    limit: int = 50,
    created_by_id: int | None = None,
) -> Sequence[Article]:
    """Return the newsroom's stories, last saved first, up to `limit` + 1.

    Filters by status, text in the headline and creator. With status "scheduled" the order is that
    of publication.
    """
    query = _select_newsroom_articles(offset, limit)
    if status:
        query = query.where(Article.status == status)
    if status == "scheduled":
        query = query.order_by(None).order_by(Article.published_at, Article.id)
    if text:
        query = query.where(Article.headline.icontains(text, autoescape=True))
    if created_by_id is not None:
        query = query.where(Article.created_by_id == created_by_id)
    return db.session.scalars(query).all()


def _select_newsroom_articles(offset: int, limit: int) -> Select[Article]:
    query = (
        select(Article)
        .order_by(Article.saved_at.desc(), Article.id.desc())
        .offset(offset)
        .limit(limit + 1)
    )
    return query.options(
        joinedload(Article.section, innerjoin=True),
        joinedload(Article.created_by),
        selectinload(Article.authors),
    )


def newsroom_articles_matching(
    section: str = "",
    author: str = "",
    between: tuple[datetime, datetime] | None = None,
    is_public: bool | None = None,
    own_drafts_of: int | None = None,
    offset: int = 0,
    limit: int = 50,
) -> Sequence[Article]:
    """Return stories of every status, last saved first, up to `limit` + 1.

    `section` and `author` are slugs. `between` limits the publication time, or the time of the last
    save if there is none; its end is exclusive. `own_drafts_of` leaves out other people's
    unpublished stories.
    """
    query = _select_newsroom_articles(offset, limit)
    if section:
        query = query.where(Article.section.has(slug=section))
    if author:
        query = query.where(Article.authors.any(Author.slug == author))
    if between:
        moment = func.coalesce(Article.published_at, Article.saved_at)
        query = query.where(moment >= between[0], moment < between[1])
    if is_public is not None:
        query = query.where(
            (Article.status == "published") if is_public else (Article.status != "published")
        )
    if own_drafts_of is not None:
        query = query.where(
            (Article.status == "published") | (Article.created_by_id == own_drafts_of)
        )
    return db.session.scalars(query).all()


def publication_range(author_id: int | None = None) -> tuple[datetime, datetime] | None:
    """Return the first and the last publication time, past or planned, None if there is none.

    `author_id` leaves out stories that this author may not see; editors pass None.
    """
    if author_id is None:  # two queries, so that each reads one end of an index
        first = db.session.scalar(
            select(func.min(Article.published_at)).where(Article.published_at.is_not(None))
        )
        last = db.session.scalar(
            select(func.max(Article.published_at)).where(Article.published_at.is_not(None))
        )
    else:
        ends = select(func.min(Article.published_at), func.max(Article.published_at))
        first, last = db.session.execute(ends.where(is_visible_to(author_id))).one()
    return (first, last) if first and last else None


def users() -> Sequence[User]:
    """Return everybody who has an account, ordered by email."""
    return db.session.scalars(select(User).order_by(User.email)).all()


def has_users() -> bool:
    """Return whether anybody has an account."""
    return db.session.scalar(select(User.id).limit(1)) is not None


def has_user(email: str) -> bool:
    """Return whether there is an account with this email."""
    return db.session.scalar(select(User.id).where(User.email == email)) is not None


def revisions(article_id: int, limit: int = 200) -> Sequence[Revision]:
    """Return a story's revisions without their content, newest first, up to `limit` + 1."""
    query = select(Revision).where(Revision.article_id == article_id)
    query = query.options(joinedload(Revision.made_by), defer(Revision.content))
    return db.session.scalars(query.order_by(Revision.number.desc()).limit(limit + 1)).all()


STATE_CHANGES = (
    "submit",
    "send_back",
    "schedule",
    "unschedule",
    "publish",
    "withdraw",
    "reinstate",
)
# How many of the newest revisions to search for a remark. Each is slow to read, because its remark
# is stored after the whole content.
MAX_SEARCHED_REVISIONS = 200


def last_state_change(article_id: int) -> Revision | None:
    """Return the revision of a story's last change of status, with its author."""
    changes = (Revision.article_id == article_id) & Revision.action.in_(STATE_CHANGES)
    query = select(Revision).where(changes).options(joinedload(Revision.made_by))
    return db.session.scalar(query.order_by(Revision.number.desc()).limit(1))


def last_remark(article_id: int) -> Revision | None:
    """Return the latest revision with a remark since the last change of status.

    Without one, return the revision of that change.
    """
    change = last_state_change(article_id)
    newest = (
        select(Revision.id)
        .where(Revision.article_id == article_id)
        .order_by(Revision.number.desc())
    )
    remarks = Revision.id.in_(newest.limit(MAX_SEARCHED_REVISIONS)) & (Revision.note != "")
    if change is not None:
        remarks &= Revision.number >= change.number
    query = select(Revision).where(remarks).options(joinedload(Revision.made_by))
    return db.session.scalar(query.order_by(Revision.number.desc()).limit(1)) or change


def review_count(created_by_id: int | None = None) -> int:
    """Return the number of stories in review, all or those created by one person."""
    query = select(func.count(Article.id)).where(Article.status == "review")
    if created_by_id is not None:
        query = query.where(Article.created_by_id == created_by_id)
    return db.session.scalar(query) or 0


def revision(article_id: int, number: int) -> Revision | None:
    """Return a revision of a story, with its author."""
    query = select(Revision).where(Revision.article_id == article_id, Revision.number == number)
    return db.session.scalar(query.options(joinedload(Revision.made_by)))


def revision_at_version(article_id: int, version: int) -> Revision | None:
    """Return the revision with the content of a version of a story."""
    query = select(Revision).where(Revision.article_id == article_id, Revision.version <= version)
    return db.session.scalar(query.order_by(Revision.number.desc()).limit(1))


def last_saved_by(article_id: int) -> str:
    """Return the name of the person who last changed a story, "" if nobody did."""
    query = (
        select(User.name)
        .join(Revision, Revision.made_by_id == User.id)
        .where(Revision.article_id == article_id)
    )
    return db.session.scalar(query.order_by(Revision.number.desc()).limit(1)) or ""


def unpublished_ids(created_by_id: int) -> frozenset[int]:
    """Return the ids of a person's own stories that are not public."""
    own = (Article.created_by_id == created_by_id) & (Article.status != "published")
    return frozenset(db.session.scalars(select(Article.id).where(own)))


def newest_revision_id() -> int:
    """Return the highest revision id, 0 if there is none."""
    return db.session.scalar(select(func.max(Revision.id))) or 0


def first_revision_time_after(offset: int) -> datetime | None:
    """Return the time of the first revision after an id, None if there is none."""
    return db.session.scalar(
        select(Revision.made_at).where(Revision.id > offset).order_by(Revision.id).limit(1)
    )


def articles_revised_after(offset: int, limit: int = 500) -> tuple[set[int], int]:
    """Return the articles of the next revisions, at most `limit`, and the id of the last one read.

    Like every batch of articles to load, it ends after `outbox.BATCH_BYTES` of text.
    """
    query = (
        select(Revision.id, Revision.article_id, byte_length(Article.body))
        .join(Article, Article.id == Revision.article_id)
        .where(Revision.id > offset)
        .order_by(Revision.id)
    )
    return outbox.read_batch(query.limit(limit), offset)


def unpublished_to_index(ids: Iterable[int] | None = None, after: int = 0) -> Sequence[Article]:
    """Return unpublished stories with everything that the search index needs.

    These are the stories in `ids` or, without `ids`, the next batch with an id above `after`.
    """
    return load_articles_to_index(Article.status != "published", ids, after)


def unpublished_versions() -> dict[int, int]:
    """Return the version of every unpublished story by id, to compare with the search index."""
    query = select(Article.id, Article.version).where(Article.status != "published")
    return {row.id: row.version for row in db.session.execute(query)}


def newsroom_articles_by_id(ids: Sequence[int]) -> list[Article]:
    """Return the stories among `ids`, of any status, in the order of `ids`.

    Bodies, authors and creators are loaded.
    """
    query = (
        select_full_articles().where(Article.id.in_(ids)).options(joinedload(Article.created_by))
    )
    articles = {article.id: article for article in db.session.scalars(query).unique()}
    return [articles[article_id] for article_id in ids if article_id in articles]
