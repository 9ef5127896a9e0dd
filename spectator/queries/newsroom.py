"""What the newsroom and the worker see: stories of every status, revisions, pictures, people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import defer, joinedload, selectinload

from spectator.db import db
from spectator.models import Article, Author, Revision, User
from spectator.queries.articles import select_full_articles
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
    """Say whether the site holds any story at all, of whatever status."""
    return bool(db.session.scalar(select(exists().where(Article.id.is_not(None)))))


def next_due_at() -> datetime | None:
    """Return the moment of the first scheduled story, None where nothing is scheduled."""
    query = select(func.min(Article.published_at)).where(Article.status == "scheduled")
    return db.session.scalar(query)


def newsroom_articles(
    status: str = "",
    text: str = "",
    offset: int = 0,
    limit: int = 50,
    created_by_id: int | None = None,
) -> Sequence[Article]:
    """Return the newsroom's list narrowed by status, headline, maker: last saved first, one more row than `limit`.

    Scheduled stories alone come in the order in which they go out.
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
    query = query.options(
        joinedload(Article.section, innerjoin=True), joinedload(Article.created_by)
    )
    return query.options(selectinload(Article.authors))


def newsroom_articles_matching(
    section: str = "",
    author: str = "",
    between: tuple[datetime, datetime] | None = None,
    is_public: bool | None = None,
    own_drafts_of: int | None = None,
    offset: int = 0,
    limit: int = 50,
) -> Sequence[Article]:
    """Return stories of every status, last saved first, one more than `limit`.

    `section` and `author` are slugs; `between` holds two moments for the publication, or the last save where there is
    none; `own_drafts_of` is the one person whose unpublished stories are shown, None for those of everybody.
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
    """Return the first and the last publication, past or planned, None where there is none.

    `author_id` leaves out what that author may not know of; None is for editors.
    """
    if author_id is None:  # one by one, so that each comes from the end of an index
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
    """Return everybody who has an account."""
    return db.session.scalars(select(User).order_by(User.email)).all()


def has_users() -> bool:
    """Say whether anybody has an account."""
    return db.session.scalar(select(User.id).limit(1)) is not None


def has_user(email: str) -> bool:
    """Say whether there is an account with this e-mail."""
    return db.session.scalar(select(User.id).where(User.email == email)) is not None


def revisions(article_id: int, limit: int = 200) -> Sequence[Revision]:
    """Return a story's revisions without what they hold, newest first; one more than `limit` where there are more."""
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
REMARKS_WITHIN = 200  # saves: a remark lies behind the whole text in its row


def last_state_change(article_id: int) -> Revision | None:
    """Return the revision in which a story last changed hands, with who made it."""
    changes = (Revision.article_id == article_id) & Revision.action.in_(STATE_CHANGES)
    query = select(Revision).where(changes).options(joinedload(Revision.made_by))
    return db.session.scalar(query.order_by(Revision.number.desc()).limit(1))


def last_remark(article_id: int) -> Revision | None:
    """Return the newest remark of late since a story last changed hands, or else the revision in which it did."""
    change = last_state_change(article_id)
    newest = (
        select(Revision.id)
        .where(Revision.article_id == article_id)
        .order_by(Revision.number.desc())
    )
    remarks = Revision.id.in_(newest.limit(REMARKS_WITHIN)) & (Revision.note != "")
    if change is not None:
        remarks &= Revision.number >= change.number
    query = select(Revision).where(remarks).options(joinedload(Revision.made_by))
    return db.session.scalar(query.order_by(Revision.number.desc()).limit(1)) or change


def review_count(created_by_id: int | None = None) -> int:
    """Return how many stories are in review, of all or of those that one person made."""
    query = select(func.count(Article.id)).where(Article.status == "review")
    if created_by_id is not None:
        query = query.where(Article.created_by_id == created_by_id)
    return db.session.scalar(query) or 0


def revision(article_id: int, number: int) -> Revision | None:
    """Return one revision of a story, with who made it."""
    known = (Revision.article_id == article_id) & (Revision.number == number)
    return db.session.scalar(select(Revision).where(known).options(joinedload(Revision.made_by)))


def revision_at_version(article_id: int, version: int) -> Revision | None:
    """Return the revision that a person had before them who saw this version of a story."""
    known = (Revision.article_id == article_id) & (Revision.version <= version)
    return db.session.scalar(
        select(Revision).where(known).order_by(Revision.number.desc()).limit(1)
    )


def last_saved_by(article_id: int) -> str:
    """Return the name of the person who changed a story last, empty where nobody did."""
    query = (
        select(User.name)
        .join(Revision, Revision.made_by_id == User.id)
        .where(Revision.article_id == article_id)
    )
    return db.session.scalar(query.order_by(Revision.number.desc()).limit(1)) or ""


def unpublished_ids(created_by_id: int) -> frozenset[int]:
    """Return the ids of the stories that one person made and that are not public."""
    own = (Article.created_by_id == created_by_id) & (Article.status != "published")
    return frozenset(db.session.scalars(select(Article.id).where(own)))


def newest_revision_id() -> int:
    """Return the number of the last act on any story, 0 where there was none."""
    return db.session.scalar(select(func.max(Revision.id))) or 0


def first_revision_time_after(offset: int) -> datetime | None:
    """Return when the first act on any story after a number was, None where there was none since."""
    return db.session.scalar(
        select(Revision.made_at).where(Revision.id > offset).order_by(Revision.id).limit(1)
    )


def articles_revised_after(offset: int, limit: int = 500) -> tuple[set[int], int]:
    """Return the ids of stories touched by the next `limit` revisions, and the number of the last of these."""
    query = (
        select(Revision.id, Revision.article_id)
        .where(Revision.id > offset)
        .order_by(Revision.id)
        .limit(limit)
    )
    rows = db.session.execute(query).all()
    return {row.article_id for row in rows}, rows[-1].id if rows else offset


def unpublished_to_index(
    ids: Iterable[int] | None = None, after: int = 0, limit: int = 200
) -> Sequence[Article]:
    """Return stories that are not public with all that is searched: those of `ids`, or the next behind an id."""
    query = select_full_articles().where(Article.status != "published").order_by(Article.id)
    query = (
        query.where(Article.id > after).limit(limit)
        if ids is None
        else query.where(Article.id.in_(ids))
    )
    return db.session.scalars(query).unique().all()


def unpublished_versions() -> dict[int, int]:
    """Return the version of every story that is not public by id, to hold against the index."""
    query = select(Article.id, Article.version).where(Article.status != "published")
    return {row.id: row.version for row in db.session.execute(query)}


def newsroom_articles_by_id(ids: Sequence[int]) -> list[Article]:
    """Return the stories among `ids`, of whatever status, in the order of `ids`.

    They come with bodies, authors and makers.
    """
    query = (
        select_full_articles().where(Article.id.in_(ids)).options(joinedload(Article.created_by))
    )
    found = {article.id: article for article in db.session.scalars(query).unique()}
    return [found[each] for each in ids if each in found]
