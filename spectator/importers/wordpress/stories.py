"""Posts to records for the runner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import IO
from urllib.parse import unquote, urlsplit

from spectator import media
from spectator.i18n import gettext
from spectator.importers.records import Record, RecordError, describe_unexpected_error
from spectator.importers.wordpress.attachments import AttachedFile
from spectator.importers.wordpress.category_map import Mapping
from spectator.importers.wordpress.classification import classify
from spectator.importers.wordpress.dates import SKIPPED_STATUSES, publication
from spectator.importers.wordpress.elements import META_KEYS, Item
from spectator.importers.wordpress.media_library import MediaLibrary
from spectator.importers.wordpress.search_fields import search_fields
from spectator.importers.wordpress.story_bodies import picture_path, story_body
from spectator.importers.wordpress.survey import Advance, Survey, read_file
from spectator.publishing import Draft
from spectator.publishing.fields import FIELDS
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.excerpts import excerpt
from spectator.text.words.slugs import is_slug, slugify

# Meta of plugins and of the editor itself, which says nothing about the story.
TECHNICAL_META = ("_", "amazonS3_cache", "rank_math_", "wpseo_", "ampforwp", "classic-editor-")
Entry = Record | tuple[str, RecordError]


@dataclass(slots=True)
class StoryReader:
    """The second pass: the posts of all files as records, with what the first pass learnt.

    `skipped` counts posts that are left out by type and status.
    """

    survey: Survey
    mapping: Mapping
    library: MediaLibrary
    language: str
    zone: tzinfo
    skipped: dict[str, int] = field(default_factory=dict)

    def read(
        self, files: Sequence[tuple[str, IO[bytes]]], advance: Advance | None = None
    ) -> Iterator[Entry]:
        """Yield the record of every post, or its location and the reason why it has none."""
        for number, (_, file) in enumerate(files):
            for element in read_file(file, number in self.survey.mended, advance):
                if (
                    isinstance(element, Item)
                    and element.type == "post"
                    and element.get("status") not in SKIPPED_STATUSES
                    and not self.survey.is_copy(number, element)
                ):
                    yield self._entry(element)

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
        headline = self._headline(item, body.html, changes)
        dek = _limited(plain_line(item.get("excerpt")), FIELDS["dek"].limit, changes)
        lead, lead_fields = self._lead_picture(item, changes)
        search = search_fields(item, headline, dek)
        shared = self._share_picture(search.picture_id, search.picture_url)
        draft = Draft(
            kind=labels.kind,
            headline=encode(headline),
            dek=encode(dek),
            body=body.html or _stand_in(item, headline, changes),
            language=labels.language,
            slug=old_slug(item, headline),
            authors=tuple(map(encode, labels.authors)),
            topics=tuple(map(encode, labels.topics)),
            search_title=encode(search.title),
            search_description=encode(search.description),
            share_picture=picture_path(shared) if shared else "",
            **lead_fields,  # type: ignore[arg-type]
        )
        if item.get("is_sticky") == "1":
            changes.append(gettext("It was at the top of the old site’s front page."))
        pictures = (*body.pictures, *((shared,) if shared else ()))
        return Record(
            location=location,
            draft=draft,
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
            pictures=pictures,
            may_number_slug=True,
            is_picture_known=lead is not None or not self.library.is_dry,
        )

    def _headline(self, item: Item, html: str, changes: list[str]) -> str:
        """Return the title as one line, or the beginning of the text, or the post's number."""
        title = plain_line(item.get("title"))
        if not title:
            changes.append(gettext("It has no title."))
            title = excerpt(plain_text(html), 80) or f"Post {item.post_id}"
        return _limited(title, FIELDS["headline"].limit, changes)

    def _lead_picture(
        self, item: Item, changes: list[str]
    ) -> tuple[media.StoredPicture | None, dict[str, str]]:
        number = item.meta_value("_thumbnail_id").strip()
        is_number = number.isascii() and number.isdigit() and len(number) < 19
        attached = self.survey.attachments.get(int(number)) if is_number else None
        picture = self.library.picture(attached.url) if attached else None
        if picture is None or attached is None:
            if is_number and int(number) and not self.library.is_dry:
                source = attached.url if attached else number
                changes.append(gettext("Lead picture missing: %(source)s", source=source))
            return None, {}
        return picture, _picture_fields(attached, changes)

    def _share_picture(self, number: int, url: str) -> media.StoredPicture | None:
        attached = self.survey.attachments.get(number) if number else None
        url = attached.url if attached else url
        return self.library.picture(url) if url else None


def _picture_fields(attached: AttachedFile, changes: list[str]) -> dict[str, str]:
    texts = {
        "picture_alt": plain_line(attached.alt),
        "picture_caption": plain_line(attached.caption),
        "picture_credit": plain_line(attached.credit),
    }
    return {
        name: encode(_limited(text, FIELDS[name].limit, changes)) for name, text in texts.items()
    }


def plain_line(html: str) -> str:
    """Return HTML, such as a title, as one line of text, decoded once."""
    return " ".join(plain_text(html).split())


def encode(text: str) -> str:
    """Return a text as the runner expects it, which decodes character references once."""
    return text.replace("&", "&amp;")


def _limited(text: str, limit: int, changes: list[str]) -> str:
    """Return a text that a field can hold; a longer one is in the receipt as a whole."""
    if len(text) <= limit:
        return text
    changes.append(gettext("Shortened. In full: %(text)s", text=text[:5000]))
    return excerpt(text, limit)


def _stand_in(item: Item, headline: str, changes: list[str]) -> str:
    """Return a body for a post without one, which no story may lack: its excerpt or its title."""
    changes.append(gettext("It has no text."))
    return f"<p>{encode(plain_line(item.get('excerpt')) or headline).replace('<', '&lt;')}</p>"


def old_slug(item: Item, headline: str) -> str:
    """Return the slug of a post, spelled in ASCII; "" if the headline gives it one."""
    name = unquote(item.get("post_name")).removesuffix("__trashed")
    if is_slug(name):
        return name
    if name:
        return slugify(name, FIELDS["slug"].limit)
    return "" if slugify(headline) != "story" else f"post-{item.post_id}"


def old_addresses(item: Item, site_url: str) -> tuple[str, ...]:
    """Return the URLs that a post had on its old site."""
    link = item.get("link")
    addresses = [link, f"{site_url}/?p={item.post_id}"]
    name = urlsplit(link).path.rstrip("/").rpartition("/")[2]
    if name and name == item.get("post_name"):
        former = filter(None, item.meta_values("_wp_old_slug"))
        addresses += [f"{link.rstrip('/').removesuffix(name)}{slug}/" for slug in former]
    return tuple(dict.fromkeys(filter(None, addresses)))


def custom_fields(item: Item) -> tuple[str, ...]:
    """Return the keys of meta values that somebody may miss, those of plugins left out."""
    keys = dict.fromkeys(key[:40] for key, _ in item.meta if key not in META_KEYS)
    return tuple(key for key in keys if key and not key.startswith(TECHNICAL_META))[:101]
