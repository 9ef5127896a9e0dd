"""The addresses that the old site had, registered so that they lead to the same content here."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote

from spectator import publishing, queries
from spectator.db import db
from spectator.importers.receipt import Receipt
from spectator.importers.wordpress.category_map import Mapping, ancestors, clean_name
from spectator.importers.wordpress.media_library import MediaLibrary
from spectator.importers.wordpress.story_bodies import picture_name
from spectator.importers.wordpress.survey import Survey
from spectator.media import StoredPicture
from spectator.text.words.folding import fold

BATCH_SIZE = 500
Entry = tuple[str, tuple[str, int | str]]


def register_lists(
    survey: Survey, mapping: Mapping, receipt: Receipt, public_names: Collection[tuple[str, str]]
) -> None:
    """Register the addresses of categories, tags and people.

    The receipt gets those of lists with a public story, which are in `public_names` by kind and
    name, at the address that the old site linked to.
    """
    sections = {fold(section.name): section.slug for section in queries.sections()}
    sections |= {slug: slug for slug in sections.values()}
    db.session.rollback()
    public = {
        (kind, sections.get(fold(name), name) if kind == "section" else name)
        for kind, name in public_names
    }
    links = [*_categories(survey, mapping, sections), *_tags(survey), *_people(survey, mapping)]
    _register([(link.address, link.target) for link in links])
    for link in links:
        if link.is_linked and link.target in public:
            receipt.add_address(link.address)


class ListLink(NamedTuple):
    """An address of a list, and what it becomes; the old site linked to it if `is_linked`."""

    address: str
    target: tuple[str, str]
    is_linked: bool = True


def _categories(survey: Survey, mapping: Mapping, sections: dict[str, str]) -> Iterator[ListLink]:
    numbers = {slug: number for number, slug in survey.category_slugs.items()}
    parents = survey.parents()
    for slug, target in mapping.categories.items():
        section = sections.get(target.section) or sections.get(fold(target.section), "")
        if slug not in survey.categories or not (target.topic or section):
            continue
        kind = "topic" if target.topic else "section"
        leads_to = kind, target.topic or section
        path = "/".join(ancestors(slug, parents))
        yield ListLink(f"{survey.url}/category/{path}/", leads_to)
        yield ListLink(f"{survey.url}/category/{slug}/", leads_to, False)
        if slug in numbers:
            yield ListLink(f"{survey.url}/?cat={numbers[slug]}", leads_to)
        name = quote(slug, safe="%")
        yield ListLink(f"{survey.url}/?category_name={name}", leads_to, False)


def _tags(survey: Survey) -> Iterator[ListLink]:
    for slug, name in survey.tags.items():
        topic = "topic", clean_name(name)
        yield ListLink(f"{survey.url}/tag/{slug}/", topic)
        yield ListLink(f"{survey.url}/?tag={quote(slug, safe='%')}", topic, False)


def _people(survey: Survey, mapping: Mapping) -> Iterator[ListLink]:
    """Yield the lists of people, whose slugs are made from their logins."""
    names = survey.guests | survey.names | mapping.authors
    for login, name in names.items():
        author = "author", clean_name(name)
        slug = "".join(char if char.isalnum() or char in "-_" else "-" for char in login)
        yield ListLink(f"{survey.url}/author/{slug}/", author)
        yield ListLink(f"{survey.url}/author/cap-{slug}/", author, False)
        yield ListLink(f"{survey.url}/?author_name={quote(slug)}", author, False)
    for number, login in survey.author_numbers.items():
        yield ListLink(f"{survey.url}/?author={number}", ("author", clean_name(names[login])))


def register_files(survey: Survey, library: MediaLibrary, receipt: Receipt, stores: bool) -> None:
    """Register the addresses of the old site's files; store them all, if there is a source."""
    batch: list[tuple[StoredPicture, list[str]]] = []
    for number, url, link in survey.attachments.files():
        picture = library.picture(url) if stores else None
        addresses = [url, link, f"{survey.url}/?attachment_id={number}"]
        if picture is not None:
            batch.append((picture, [address for address in addresses if address]))
        else:
            receipt.add_address(url)
        if len(batch) == BATCH_SIZE:
            _register_files(batch, receipt)
            batch = []
    _register_files(batch, receipt)


def _register_files(batch: list[tuple[StoredPicture, list[str]]], receipt: Receipt) -> None:
    if not batch:
        return
    with db.write() as session:
        for picture, _ in batch:
            publishing.add_picture(session, picture, None)
    entries: list[Entry] = [
        (address, ("media", picture_name(picture)))
        for picture, addresses in batch
        for address in addresses
    ]
    _register(entries)
    for address, _ in entries:
        receipt.add_address(address)


def _register(entries: Sequence[Entry]) -> None:
    """Register addresses, at most a batch in each transaction."""
    for start in range(0, len(entries), BATCH_SIZE):
        with db.write() as session:
            publishing.register_old_addresses(session, entries[start : start + BATCH_SIZE])
