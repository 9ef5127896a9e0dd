"""The addresses of standing pages: which are free, and the redirects from former ones.

Stories, sections and the site's own addresses come first: a page cannot take theirs. An address
that was ever public leads to its page forever.
"""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from spectator.editions import all_editions
from spectator.i18n import gettext
from spectator.models import Article, Page, PageRedirect, Redirect, Section
from spectator.models.article import EVER_PUBLIC
from spectator.publishing.page_drafts import PageDraft
from spectator.publishing.validation import ValidationError
from spectator.text.words.slugs import RESERVED_PATHS, numbered_slug, slugify
from spectator.urls import permalink, permalink_at

# Reserved for pages, so that no section takes them.
PAGE_SLUGS = frozenset({"about", "contact", "privacy", "terms"})
MAX_NUMBER = 1000


def address_problem(session: Session, path: str, page_id: int | None) -> str:
    """Return the message about a path that a page cannot have, "" if it can."""
    first, _, rest = path.partition("/")
    editions = {edition.only for edition in all_editions()}
    reserved = (RESERVED_PATHS - PAGE_SLUGS) | editions
    if first in reserved or first.isdigit() or rest.isdigit():  # dates, and parts of pages
        return gettext(
            "The address “%(address)s” is reserved. Choose a different one.", address=f"/{path}"
        )
    if session.scalar(select(Section.id).where(Section.slug == first)) is not None:
        return gettext(
            "A section has the address “%(address)s”. Choose a different one.",
            address=f"/{first}/",
        )
    if rest and _is_story_address(session, path):
        return gettext(
            "Another story has the address “%(slug)s”. Choose a different one.", slug=f"/{path}"
        )
    if page_address_owner(session, path) not in (None, page_id):
        return gettext(
            "Another page has the address “%(address)s”. Choose a different one.",
            address=f"/{path}",
        )
    return ""


def page_address_owner(session: Session, path: str) -> int | None:
    """Return the id of the page that has a path or had it, None if there is none."""
    current = select(Page.id).where(Page.path == path)
    former = select(PageRedirect.page_id).where(PageRedirect.path == path)
    return session.scalar(current) or session.scalar(former)


def _is_story_address(session: Session, path: str) -> bool:
    """Return whether a story is or was public at a path."""
    slugs = path.split("/")
    query = select(Article).options(joinedload(Article.section)).where(EVER_PUBLIC)
    stories = session.scalars(query.where(Article.slug.in_(slugs))).all()
    if any(permalink(story) == f"/{path}" for story in stories):
        return True
    former = (
        select(Redirect.slug, Section.slug, Article.published_at)
        .join(Article, Article.id == Redirect.article_id)
        .join(Section, Section.id == Article.section_id)
        .where(Redirect.slug.in_(slugs))
    )
    return any(
        permalink_at(section, slug, published_at) == f"/{path}"
        for slug, section, published_at in session.execute(former)
    )


def page_path(session: Session, page: Page, draft: PageDraft, *, may_number: bool = False) -> str:
    """Return the path of a page with a draft's slug and parent.

    Without a slug it gets the first free one made from its title; `may_number`: one that is
    typed may get a number too. Raises ValidationError.
    """
    prefix = _parent_prefix(session, page, draft)
    wanted = draft.slug or slugify(draft.title)
    path = f"{prefix}{wanted}"
    if path == page.path or not (problem := address_problem(session, path, page.id)):
        return path
    if draft.slug and not may_number:
        raise ValidationError({"slug": problem})
    for number in range(2, MAX_NUMBER):
        path = f"{prefix}{numbered_slug(wanted, number)}"
        if path == page.path or not address_problem(session, path, page.id):
            return path
    raise ValidationError({"slug": problem})


def _parent_prefix(session: Session, page: Page, draft: PageDraft) -> str:
    """Return the beginning of a page's path: that of its parent, or "". Raises ValidationError."""
    if draft.parent is None:
        return ""
    parent = session.get(Page, draft.parent)
    if parent is None or parent.parent_id is not None or parent.id == page.id:
        raise ValidationError({"parent": gettext("Choose a page that has no parent itself.")})
    if page.id and session.scalar(select(Page.id).where(Page.parent_id == page.id).limit(1)):
        raise ValidationError({"parent": gettext("This page has pages below it.")})
    return f"{parent.path}/"


def set_path(session: Session, page: Page, path: str) -> list[Page]:
    """Give a page a free path, and its children theirs; return the children that moved.

    Pages that are or were public leave a redirect. Raises ValidationError if the new address of a
    child is taken.
    """
    former, page.path = page.path, path
    if former is None or former == path:
        return []
    _leave_redirect(session, page, former)
    children = list(session.scalars(select(Page).where(Page.parent_id == page.id)))
    for child in children:
        former, child_path = child.path, f"{path}/{child.slug}"
        if problem := address_problem(session, child_path, child.id):
            raise ValidationError({"slug": problem})
        child.path = child_path
        _leave_redirect(session, child, former)
    return children


def _leave_redirect(session: Session, page: Page, former: str) -> None:
    session.execute(delete(PageRedirect).where(PageRedirect.path.in_([former, page.path])))
    if page.status != "draft":
        session.add(PageRedirect(path=former, page_id=page.id))
