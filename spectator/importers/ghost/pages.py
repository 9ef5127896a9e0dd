"""Standing pages from the pages of Ghost."""

from __future__ import annotations

from sqlalchemy import select

from spectator import publishing
from spectator.db import db
from spectator.importers.ghost.addresses import addresses_of
from spectator.importers.ghost.cards import Payload, text_of
from spectator.importers.ghost.joins import Joins
from spectator.importers.ghost.pictures import PostFiles
from spectator.importers.ghost.records import (
    GhostOptions,
    external_id_of,
    language_of,
    location_of,
    moment_of,
    post_files,
    publication,
    report_code,
    story_body,
)
from spectator.importers.receipt import Receipt
from spectator.importers.runner import decode_references
from spectator.importers.story_values import StoryValues
from spectator.models import Page
from spectator.publishing import ImportResult
from spectator.publishing.page_drafts import PageDraft
from spectator.publishing.page_imports import ImportedPage, import_pages
from spectator.text.words.slugs import is_slug

MAX_WAITING = 4_000_000  # characters of pages that wait to be stored together


class PageImport:
    """Stores pages in batches; `result` and `changes` say what was done, `count` how many came."""

    def __init__(
        self,
        options: GhostOptions,
        overwrite: bool = False,
        is_dry: bool = False,
        receipt: Receipt | None = None,
    ) -> None:
        self.receipt = receipt
        self.options, self.overwrite, self.is_dry = options, overwrite, is_dry
        self.result = ImportResult()
        self.changes: list[tuple[str, str]] = []
        self.count = 0
        self.joins = Joins()
        self.waiting: list[ImportedPage] = []
        self.files: list[PostFiles] = []
        self.size = 0

    def add(self, post: Payload, size: int, number: int, joins: Joins) -> None:
        """Add a page, and store those that wait if they are large enough."""
        self.count += 1
        files = post_files(self.options)
        page, changes = build_page(post, number, joins, self.options, files)
        self.changes += [(page.location, text) for text in changes]
        if self.receipt is not None:
            self.receipt.add_story(page.location, page.external_id, changes)
            for address in addresses_of(page.draft.slug, self.options.site_url):
                self.receipt.add_address(address, page.external_id)
        self.waiting.append(page)
        self.files.append(files)
        self.size += size
        if self.size >= MAX_WAITING:
            self.store()

    def store(self) -> None:
        """Store the pages that wait, with the rows of their pictures first."""
        pictures = {digest: file for files in self.files for digest, file in files.used.items()}
        if pictures and not self.is_dry:
            with db.write() as session:
                for picture in pictures.values():
                    publishing.add_picture(session, picture, None)
        if self.waiting:
            self.result.add(import_pages(self.waiting, self.overwrite, self.is_dry))
        if self.waiting and not self.is_dry:
            self._register_addresses()
        self.waiting, self.files, self.size = [], [], 0

    def _register_addresses(self) -> None:
        """Let the addresses of the pages lead to them; without changes write nothing."""
        addresses = {
            page.external_id: addresses_of(page.draft.slug, self.options.site_url)
            for page in self.waiting
        }
        query = select(Page.external_id, Page.id).where(Page.external_id.in_(addresses))
        with db.write() as session:
            ids = dict(session.execute(query).all())
            entries = [
                (address, ("page", ids[external_id]))
                for external_id, urls in addresses.items()
                if external_id in ids
                for address in urls
            ]
            publishing.register_old_addresses(session, entries)


def build_page(
    post: Payload, number: int, joins: Joins, options: GhostOptions, files: PostFiles
) -> tuple[ImportedPage, tuple[str, ...]]:
    """Return the page of a row, and sentences about what was converted or dropped."""
    values = StoryValues()
    meta = joins.meta_of(post)
    body = story_body(post, options, values, files)
    slug = text_of(post, "slug")
    status, published_at = publication(post, meta, values)
    description = text_of(post, "custom_excerpt") or text_of(meta, "meta_description")
    report_code(post, values)
    draft = PageDraft(
        title=decode_references(values.headline(text_of(post, "title"), body, slug)),
        body=body,
        slug=slug if is_slug(slug) else "",
        language=language_of(post, joins, options),
        description=decode_references(values.line("dek", description)),
    )
    page = ImportedPage(
        draft,
        external_id_of(post) or f"ghost:page-{number}",
        # Pages are not scheduled: one whose time has not come waits as a draft.
        status="published" if status == "published" else "draft",
        published_at=published_at if status == "published" else None,
        updated_at=moment_of(post, "updated_at"),
        location=location_of(post, number),
    )
    return page, tuple(dict.fromkeys(values.changes))
