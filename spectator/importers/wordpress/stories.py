"""Posts to records for the runner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import IO

from spectator import media
from spectator.i18n import gettext
from spectator.importers.records import Record, RecordError, describe_unexpected_error
from spectator.importers.wordpress.attachments import AttachedFile
from spectator.importers.wordpress.category_map import Mapping
from spectator.importers.wordpress.classification import Classification, classify
from spectator.importers.wordpress.dates import SKIPPED_STATUSES, publication
from spectator.importers.wordpress.elements import Item
from spectator.importers.wordpress.media_library import MediaLibrary
from spectator.importers.wordpress.pages import PageEntry, page_entry
from spectator.importers.wordpress.search_fields import search_fields
from spectator.importers.wordpress.story_bodies import picture_path, story_body
from spectator.importers.wordpress.survey import Advance, Survey, read_file
from spectator.importers.wordpress.texts import (
    custom_fields,
    encode,
    old_addresses,
    old_slug,
    plain_line,
    shorten,
    stand_in,
    title_of,
)
from spectator.publishing import Draft
from spectator.publishing.fields import FIELDS

Entry = Record | tuple[str, RecordError]


@dataclass(slots=True)
class StoryReader:
    """The second pass: the posts of all files as records, with what the first pass learnt.

    It collects pages, and the lists with a public story by kind and name.
    """

    survey: Survey
    mapping: Mapping
    library: MediaLibrary
    language: str
    zone: tzinfo
    pages: list[PageEntry] = field(default_factory=list)
    public_names: set[tuple[str, str]] = field(default_factory=set)

    def read(
        self, files: Sequence[tuple[str, IO[bytes]]], advance: Advance | None = None
    ) -> Iterator[Entry]:
        """Yield the record of every post, or its location and the reason why it has none.

        Collect the pages, of which there are few.
        """
        for number, (_, file) in enumerate(files):
            for element in read_file(file, number in self.survey.mended, advance):
                if (
                    isinstance(element, Item)
                    and element.type in {"post", "page"}
                    and element.get("status") not in SKIPPED_STATUSES
                    and not self.survey.is_copy(number, element)
                ):
                    if element.type == "page":
                        self._add_page(element)
                    else:
                        yield self._entry(element)

    def _add_page(self, item: Item) -> None:
        published = publication(item, self.zone, datetime.now(UTC))
        body = story_body(item, self.survey, self.library)
        self.pages.append(page_entry(item, self.survey, body, published, self.language))

    def _entry(self, item: Item) -> Entry:
        location = gettext("post %(number)s", number=item.post_id)
        try:
            return self.record(item, location)
        except RecordError as error:
            return location, error
        except Exception as error:
            return location, RecordError(describe_unexpected_error(error))

    def record(self, item: Item, location: str) -> Record:
        """Return the record of a post."""
        changes: list[str] = []
        published = publication(item, self.zone, datetime.now(UTC))
        body = story_body(item, self.survey, self.library)
        labels = classify(item, self.survey, self.mapping, self.language)
        draft, shared = self._draft(item, body.html, labels, changes)
        lead, lead_fields = self._lead_picture(item, changes)
        if published.status == "published":
            self.public_names |= labels.names()
        if item.get("is_sticky") == "1":
            changes.append(gettext("It was at the top of the old site’s front page."))
        return Record(
            location=location,
            draft=replace(draft, **lead_fields),  # type: ignore[arg-type]
            section=encode(labels.section),
            size=item.size,
            external_id=self.survey.external_id(item),
            status=published.status,
            published_at=published.published_at,
            updated_at=published.updated_at,
            feed_id=item.get("guid"),
            unknown_keys=custom_fields(item),
            changes=(*published.changes, *labels.changes, *changes, *body.changes),
            addresses=old_addresses(item, self.survey.url),
            stored_picture=lead,
            pictures=(*body.pictures, *((shared,) if shared else ())),
            may_number_slug=True,
            is_picture_known=lead is not None or not self.library.is_dry,
        )

    def _draft(
        self, item: Item, html: str, labels: Classification, changes: list[str]
    ) -> tuple[Draft, media.StoredPicture | None]:
        """Return the draft of a post without its lead picture, and its picture for sharing."""
        headline = title_of(item, html, FIELDS["headline"].limit, changes)
        dek = shorten(plain_line(item.get("excerpt")), FIELDS["dek"].limit, changes)
        search = search_fields(item, headline, dek)
        shared = self._share_picture(search.picture_id, search.picture_url)
        draft = Draft(
            kind=labels.kind,
            headline=encode(headline),
            dek=encode(dek),
            body=html or stand_in(item, headline, changes),
            language=labels.language,
            slug=old_slug(item, headline),
            authors=tuple(map(encode, labels.authors)),
            topics=tuple(map(encode, labels.topics)),
            search_title=encode(search.title),
            search_description=encode(search.description),
            share_picture=picture_path(shared) if shared else "",
        )
        return draft, shared

    def _lead_picture(
        self, item: Item, changes: list[str]
    ) -> tuple[media.StoredPicture | None, dict[str, str]]:
        number = item.meta_value("_thumbnail_id").strip()
        is_number = number.isascii() and number.isdigit() and len(number) < 19
        attached = self.survey.attachments.get(int(number)) if is_number else None
        picture = self.library.picture(attached.url) if attached else None
        if picture is None or not picture.width or attached is None:
            if is_number and int(number) and not self.library.is_dry:
                source = attached.url if attached else number
                changes.append(gettext("Lead picture missing: %(source)s", source=source))
            return None, {}
        return picture, _picture_fields(attached, changes)

    def _share_picture(self, number: int, url: str) -> media.StoredPicture | None:
        attached = self.survey.attachments.get(number) if number else None
        url = attached.url if attached else url
        picture = self.library.picture(url) if url else None
        return picture if picture and picture.width else None


def _picture_fields(attached: AttachedFile, changes: list[str]) -> dict[str, str]:
    texts = {
        "picture_alt": plain_line(attached.alt),
        "picture_caption": plain_line(attached.caption),
        "picture_credit": plain_line(attached.credit),
    }
    return {
        name: encode(shorten(text, FIELDS[name].limit, changes)) for name, text in texts.items()
    }
