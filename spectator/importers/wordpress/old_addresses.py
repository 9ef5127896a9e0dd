"""The addresses that the old site had, registered so that they lead to the same content here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from sqlalchemy import select

from spectator import publishing, queries
from spectator.db import db
from spectator.importers.records import Record
from spectator.importers.wordpress.category_map import Mapping, ancestors, clean_name
from spectator.importers.wordpress.media_library import MediaLibrary
from spectator.importers.wordpress.story_bodies import picture_name
from spectator.importers.wordpress.survey import Survey
from spectator.media import StoredPicture
from spectator.models import Article
from spectator.text.words.folding import fold

BATCH_SIZE = 500
Entry = tuple[str, tuple[str, int | str]]


def register_stories(records: Iterable[Record]) -> None:
    """Register the addresses of stories that are stored now."""
    by_id = {record.external_id: record.addresses for record in records if record.external_id}
    query = select(Article.external_id, Article.id).where(Article.external_id.in_(by_id))
    stored = {row.external_id: row.id for row in db.session.execute(query)}
    db.session.rollback()
    _register(
        (address, ("article", stored[external_id]))
        for external_id, addresses in by_id.items()
        if external_id in stored
        for address in addresses
    )


def register_lists(survey: Survey, mapping: Mapping) -> None:
    """Register the addresses of categories, tags and people."""
    sections = {fold(section.name): section.slug for section in queries.sections()}
    sections |= {slug: slug for slug in sections.values()}
    db.session.rollback()
    _register(
        [*_categories(survey, mapping, sections), *_tags(survey), *_people(survey, mapping)]
    )


def _categories(survey: Survey, mapping: Mapping, sections: dict[str, str]) -> Iterator[Entry]:
    numbers = {slug: number for number, slug in survey.category_slugs.items()}
    parents = survey.parents()
    for slug, target in mapping.categories.items():
        section = sections.get(target.section) or sections.get(fold(target.section), "")
        if slug not in survey.categories or not (target.topic or section):
            continue
        kind = "topic" if target.topic else "section"
        leads_to = kind, target.topic or section
        path = "/".join(ancestors(slug, parents))
        for spelling in dict.fromkeys((path, slug)):
            yield f"{survey.url}/category/{spelling}/", leads_to
        if slug in numbers:
            yield f"{survey.url}/?cat={numbers[slug]}", leads_to
        yield f"{survey.url}/?category_name={quote(slug, safe='%')}", leads_to


def _tags(survey: Survey) -> Iterator[Entry]:
    for slug, name in survey.tags.items():
        yield f"{survey.url}/tag/{slug}/", ("topic", clean_name(name))
        yield f"{survey.url}/?tag={quote(slug, safe='%')}", ("topic", clean_name(name))


def _people(survey: Survey, mapping: Mapping) -> Iterator[Entry]:
    """Yield the lists of people, whose slugs are made from their logins."""
    names = survey.guests | survey.names | mapping.authors
    for login, name in names.items():
        slug = "".join(char if char.isalnum() or char in "-_" else "-" for char in login)
        for spelling in dict.fromkeys((slug, f"cap-{slug}")):
            yield f"{survey.url}/author/{spelling}/", ("author", clean_name(name))
        yield f"{survey.url}/?author_name={quote(slug)}", ("author", clean_name(name))
    for number, login in survey.author_numbers.items():
        yield f"{survey.url}/?author={number}", ("author", clean_name(names[login]))


def register_pictures(survey: Survey, library: MediaLibrary) -> int:
    """Store every picture of the old site that can be had, and register its addresses.

    Return the number of pictures that are stored.
    """
    batch: list[tuple[StoredPicture, list[str]]] = []
    count = 0
    for number, url, link in survey.attachments.pictures():
        picture = library.picture(url)
        if picture is not None:
            addresses = [url, link, f"{survey.url}/?attachment_id={number}"]
            batch.append((picture, [address for address in addresses if address]))
            count += 1
        if len(batch) == BATCH_SIZE:
            _register_pictures(batch)
            batch = []
    _register_pictures(batch)
    return count


def _register_pictures(batch: list[tuple[StoredPicture, list[str]]]) -> None:
    if not batch:
        return
    with db.write() as session:
        for picture, _ in batch:
            publishing.add_picture(session, picture, None)
    _register(
        (address, ("media", picture_name(picture)))
        for picture, addresses in batch
        for address in addresses
    )


def _register(entries: Iterable[Entry]) -> None:
    """Register addresses, at most a batch in each transaction."""
    remaining = list(entries)
    for start in range(0, len(remaining), BATCH_SIZE):
        with db.write() as session:
            publishing.register_old_addresses(session, remaining[start : start + BATCH_SIZE])
