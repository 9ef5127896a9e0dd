"""Pages of an export as standing pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from spectator import media, publishing
from spectator.db import db
from spectator.i18n import gettext
from spectator.importers.receipt import Receipt
from spectator.importers.wordpress.classification import post_language
from spectator.importers.wordpress.dates import Publication
from spectator.importers.wordpress.elements import Item
from spectator.importers.wordpress.search_fields import search_fields
from spectator.importers.wordpress.story_bodies import StoryBody
from spectator.importers.wordpress.survey import Survey
from spectator.importers.wordpress.texts import (
    old_addresses,
    old_slug,
    plain_line,
    shorten,
    stand_in,
    title_of,
)
from spectator.models import Page
from spectator.publishing.page_drafts import PAGE_FIELDS, PageDraft
from spectator.publishing.page_imports import ImportedPage, import_pages


class PageEntry(NamedTuple):
    """A page with its pictures, what was converted, and the addresses that it had."""

    page: ImportedPage
    pictures: tuple[media.StoredPicture, ...]
    changes: tuple[str, ...]
    addresses: tuple[str, ...]


def page_entry(
    item: Item, survey: Survey, body: StoryBody, published: Publication, language: str
) -> PageEntry:
    """Return a page of an export. One without text, such as a list of posts, is a draft."""
    changes: list[str] = []
    title = title_of(item, body.html, PAGE_FIELDS["title"].limit, changes)
    summary = plain_line(item.get("excerpt"))
    description = search_fields(item, title, "").description or summary
    parent = item.get("post_parent")
    is_public = published.status == "published" and bool(body.html)
    draft = PageDraft(
        title=title,
        body=body.html or stand_in(item, title, changes),
        slug=old_slug(item, title),
        language=post_language(item, language),
        description=shorten(description, PAGE_FIELDS["description"].limit, changes),
    )
    page = ImportedPage(
        draft,
        survey.external_id(item),
        parent=survey.id_of_number(parent) if parent.strip("0") else "",
        status="published" if is_public else "draft",
        published_at=published.published_at,
        updated_at=published.updated_at,
        location=gettext("page %(number)s", number=item.post_id),
    )
    changes = [*published.changes, *changes, *body.changes]
    return PageEntry(page, body.pictures, tuple(changes), old_addresses(item, survey.url))


def store_pages(
    entries: Sequence[PageEntry], receipt: Receipt, overwrite: bool, is_dry: bool
) -> publishing.ImportResult:
    """Store pages with their pictures, and register their addresses."""
    for page, _, changes, addresses in entries:
        receipt.add_story(page.location, page.external_id, changes)
        for address in addresses:
            receipt.add_address(address, page.external_id)
    pictures = {picture.digest: picture for entry in entries for picture in entry.pictures}
    if pictures and not is_dry:
        with db.write() as session:
            for picture in pictures.values():
                publishing.add_picture(session, picture, None)
    result = import_pages([entry.page for entry in entries], overwrite, is_dry)
    if entries and not is_dry:
        _register(entries)
    return result


def _register(entries: Sequence[PageEntry]) -> None:
    query = select(Page.external_id, Page.id).where(Page.external_id.is_not(None))
    ids = {row.external_id: row.id for row in db.session.execute(query)}
    db.session.rollback()
    with db.write() as session:
        publishing.register_old_addresses(
            session,
            (
                (address, ("page", ids[entry.page.external_id]))
                for entry in entries
                if entry.page.external_id in ids
                for address in entry.addresses
            ),
        )
