"""Which story a story translates, and by which number a person may know that story.

A story and its translations are a group: all of them point to the same original, which points to
none. The pages of a group link to each other, so a change of one is a change of the others' pages.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Row, Table, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from spectator import outbox
from spectator.db import db
from spectator.formats import language_name
from spectator.i18n import gettext, ngettext
from spectator.models import Article, User
from spectator.models.article import EVER_PUBLIC_STATUSES
from spectator.publishing.fields import Draft
from spectator.publishing.permissions import is_publisher, load_article, require_permission
from spectator.publishing.validation import ValidationError
from spectator.text.words.numbers import parse_int
from spectator.urls import permalink

MAX_TRANSLATIONS = 100  # of a story: each page of a group reads the published ones
ORIGINAL_COLUMNS = (
    Article.id,
    Article.language,
    Article.version,
    Article.translation_of_id,
    Article.status,
    Article.created_by_id,
)


@dataclass(frozen=True, slots=True)
class PublicVersion:
    """What the pages of a group show of a published story."""

    group_id: int
    path: str
    language: str
    published_at: datetime | None


def public_version(article: Article) -> PublicVersion | None:
    """Return what other pages of the story's group show of it, None if it is not public."""
    if not article.is_public:
        return None
    group_id = article.translation_of_id or article.id
    return PublicVersion(group_id, permalink(article), article.language, article.published_at)


def append_changes(session: Session, article: Article, before: PublicVersion | None) -> None:
    """Append an outbox row for each public story whose page shows another version than before."""
    after = public_version(article)
    if before != after:
        groups = {version.group_id for version in (before, after) if version is not None}
        append_groups(session, groups, {article.id})


def append_groups(
    session: Session, group_ids: Collection[int], excluded_ids: Collection[int]
) -> None:
    """Append an outbox row for each public story of these groups, except the excluded ones."""
    is_member = or_(Article.id.in_(group_ids), Article.translation_of_id.in_(group_ids))
    query = (
        select(Article.id)
        .where(is_member, Article.status == "published", Article.id.not_in(excluded_ids))
        .order_by(Article.id)
    )
    ids = session.scalars(query)
    outbox.append_all(session, [(article_id, "update") for article_id in ids])


def set_original(session: Session, article: Article, draft: Draft, by: User) -> None:
    """Mark the story as a translation of the draft's original, or as none.

    The draft may name another translation of the original instead. People may choose only stories
    that they may see, and learn nothing of an original that they may not know. The story still has
    its former language. Raises ValidationError.
    """
    reference, language = draft.translation_of, draft.language
    original = None
    if reference:
        original = _load_original(session, article, reference, by)
    original_id = original.id if original is not None else None
    if original is not None and is_known(original, by):
        check_original(original, article.id, language)
    if original_id == article.translation_of_id and language == article.language:
        return
    if original is not None and original_id != article.translation_of_id:
        _check_number(session, original.id, by, article.id)
        article.original_version = original.version
    if article.id is not None:
        check_translations(session, article.id, original, language)
        move_translations(session, article.id, original, language)
    article.translation_of_id = original_id


def _load_original(
    session: Session, article: Article, reference: str, by: User
) -> Row[Any] | None:
    """Return the row of the original that a reference means.

    None is an original that was deleted since. Raises ValidationError.
    """
    number = parse_int(reference)
    row = load_row(session, number)
    if row is None and number == article.translation_of_id:
        return None
    if row is None or not is_known(row, by):
        raise unknown_original()
    original_id = row.translation_of_id or row.id
    may_see = row.status != "withdrawn" or is_publisher(by) or row.created_by_id == by.id
    if original_id != article.translation_of_id and not may_see:
        raise unknown_original()
    return row if row.translation_of_id is None else load_row(session, original_id)


def is_known(row: Row[Any], user: User) -> bool:
    """Return whether a person may know of a story: it was ever public, or they may see it."""
    return (
        row.status in EVER_PUBLIC_STATUSES or is_publisher(user) or row.created_by_id == user.id
    )


def known_original_id(reference: str, by: User) -> int | None:
    """Return the id of the original that a reference means.

    None is no story, or one that the person may not know.
    """
    row = load_row(db.session(), parse_int(reference))
    if row is None or not is_known(row, by):
        return None
    return cast(int, row.translation_of_id or row.id)


def known_reference(reference: str, by: User) -> str:
    """Return the number by which a person may know the original that a story or revision names.

    If they may not know the original, it is that of another of its translations, which means the
    same original when it is saved; "" if they may see none. People never choose what is asked for
    here: else they could find out which numbers are those of secret originals.
    """
    session = db.session()
    original = load_row(session, parse_int(reference))
    if original is not None and original.translation_of_id is not None:
        original = load_row(session, original.translation_of_id)
    if original is None:
        return reference
    if is_known(original, by):
        return str(original.id)
    is_published = Article.status == "published"
    query = (
        select(Article.id)
        .where(Article.translation_of_id == original.id)
        .where(is_published | (Article.created_by_id == by.id))
        .order_by(is_published.desc(), Article.id)
    )
    return str(session.scalar(query.limit(1)) or "")


def load_row(session: Session, article_id: int) -> Row[Any] | None:
    """Return the columns of a story that decide what it may be the original of."""
    row = session.execute(select(*ORIGINAL_COLUMNS).where(Article.id == article_id)).one_or_none()
    return cast("Row[Any] | None", row)


def unknown_original() -> ValidationError:
    """Return the error of a story that does not exist, or that the person may not see."""
    message = gettext("This story does not exist. Check its URL.")
    return ValidationError({"translation_of": message})


def check_original(original: Row[Any], article_id: int | None, language: str) -> None:
    """Raise ValidationError unless a story in this language may be a translation of the original.

    `article_id` is None for a new story.
    """
    if original.id == article_id:
        message = gettext("A story cannot be its own translation. Choose another original.")
    elif original.language == language:
        message = gettext(
            "The original is in %(language)s too. Choose the language of this story.",
            language=language_name(language),
        )
    else:
        return
    raise ValidationError({"translation_of": message})


def check_translations(
    session: Session, article_id: int, original: Row[Any] | None, language: str
) -> None:
    """Raise ValidationError if a story's published translations forbid this original or language.

    Unpublished ones never do: they may be drafts that others must not know of.
    """
    query = select(Article.language).where(Article.translation_of_id == article_id)
    languages = set(session.scalars(query.where(Article.status == "published")))
    if original is not None and languages:
        message = gettext(
            "This story has translations, so it cannot be one. Clear this field in them first."
        )
        raise ValidationError({"translation_of": message})
    if language in languages:
        message = gettext(
            "This story has a translation in %(language)s. Choose another language.",
            language=language_name(language),
        )
        raise ValidationError({"language": message})


def move_translations(
    session: Session, article_id: int, original: Row[Any] | None, language: str
) -> None:
    """Let a story's translations follow it to its original, if it becomes a translation itself.

    Those in the language of their original, old or new, are then translations of none; but not
    the drafts of authors who may not know the original, and would learn its language. They cannot
    be published without another language.
    """
    query = (
        select(Article.id, Article.language, Article.status, User)
        .outerjoin(User, User.id == Article.created_by_id)
        .where(Article.translation_of_id == article_id)
    )
    translations = session.execute(query).all()
    language = language if original is None else original.language
    parent = load_row(session, article_id) if original is None else original
    unlinked = {
        number
        for number, tag, status, creator in translations
        if tag == language
        and not (
            status in ("draft", "review")
            and creator is not None
            and parent is not None
            and not is_known(parent, creator)
        )
    }
    _link(session, unlinked, None, None)
    if original is not None:
        linked = {number for number, *_ in translations} - unlinked
        _link(session, linked, original.id, original.version)


def end_chains(session: Session, article_ids: Collection[int]) -> None:
    """Let the translations of these stories belong to the stories' originals.

    An import that stores both a translation and its translation at once knows of none beforehand.
    """
    translation = aliased(Article)
    has_translations = select(translation.id).where(translation.translation_of_id == Article.id)
    query = select(Article.id, Article.language, Article.translation_of_id).where(
        Article.id.in_(article_ids),
        Article.translation_of_id.is_not(None),
        has_translations.exists(),
    )
    for article_id, language, original_id in session.execute(query).all():
        move_translations(session, article_id, load_row(session, original_id or 0), language)


def unlink_same_language(session: Session, article_ids: Collection[int]) -> None:
    """Unlink the imported translations of these stories that are in the stories' language.

    An import that changes the languages of both at once knows of none beforehand.
    """
    original = aliased(Article)
    query = (
        select(Article.id)
        .join(original, original.id == Article.translation_of_id)
        .where(
            Article.translation_of_id.in_(article_ids),
            Article.created_by_id.is_(None),
            Article.language == original.language,
        )
    )
    _link(session, session.scalars(query).all(), None, None)


def check_publication(session: Session, article: Article) -> None:
    """Raise ValidationError if a story that will be published is in its original's language.

    Authors may save such a story if they may not know the original.
    """
    original = load_row(session, article.translation_of_id or 0)
    if original is not None:
        check_original(original, article.id, article.language)


def _link(
    session: Session, article_ids: Collection[int], original_id: int | None, version: int | None
) -> None:
    """Give stories another original. Their own versions stay, so nobody has a conflict."""
    table = cast(Table, Article.__table__)
    values = {"translation_of_id": original_id, "original_version": version}
    session.execute(update(table).where(table.c.id.in_(article_ids)).values(values))


def _check_number(session: Session, original_id: int, by: User, article_id: int | None) -> None:
    """Raise ValidationError if the original has so many translations that pages become slow.

    Translations of the story itself count too, because they will move to the original. Of those
    that are not published only the person's own count, so that drafts use up nobody else's number,
    and nobody learns how many others have.
    """
    story_ids = [original_id] if article_id is None else [original_id, article_id]
    query = select(func.count()).where(
        Article.translation_of_id.in_(story_ids),
        or_(Article.status == "published", Article.created_by_id == by.id),
    )
    if (session.scalar(query) or 0) >= MAX_TRANSLATIONS:
        message = ngettext(
            "This story already has %(count)s translation.",
            "This story already has %(count)s translations.",
            MAX_TRANSLATIONS,
        )
        raise ValidationError({"translation_of": message})


def mark_checked(article_id: int, by: User, version: int) -> None:
    """Remember that a translation was compared with a version of its original.

    Its own version stays, so that nobody who edits it has a conflict. Raises ForbiddenError and
    NotFoundError.
    """
    with db.write() as session:
        article = load_article(session, article_id, by)
        require_permission(by, "update" if article.is_public else "save", article)
        original = load_row(session, article.translation_of_id or 0)
        if original is None or not (article.original_version or 0) < version <= original.version:
            return  # somebody has unlinked it, or checked it already
        table = cast(Table, Article.__table__)
        session.execute(
            update(table).where(table.c.id == article.id).values(original_version=version)
        )
