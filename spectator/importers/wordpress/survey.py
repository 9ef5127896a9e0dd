"""The first pass over the files of an import: what the second needs to know before it begins."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import IO, NamedTuple
from urllib.parse import urlsplit

from spectator.i18n import gettext
from spectator.importers.wordpress.attachments import AttachmentIndex
from spectator.importers.wordpress.elements import (
    Author,
    Channel,
    Comment,
    Element,
    Item,
    Term,
)
from spectator.importers.wordpress.reader import read_elements
from spectator.importers.xml_text import XmlError

MAX_COUNTED = 1_000  # types and statuses of posts, hosts, reusable blocks
MAX_PATTERN = 50_000  # characters of a reusable block
# Elements of comments that are saved; not the reader's address on the network.
COMMENT_FIELDS = (
    "comment_id",
    "comment_author",
    "comment_author_email",
    "comment_author_url",
    "comment_date_gmt",
    "comment_content",
    "comment_approved",
    "comment_type",
    "comment_parent",
)
Advance = Callable[[int], None]


class Position(NamedTuple):
    """Where an item is: number of the file, bytes in it, and when it was changed."""

    modified: str
    file: int
    offset: int


@dataclass(slots=True)
class Survey:
    """What the files hold.

    `names` are those of people by their lower-case login, `guests` those of authors without an
    account by the slug that posts refer to. `categories` are by slug, `category_slugs` by their
    number. `tags` are names by slug, `author_numbers` logins by number, and `patterns` reusable
    blocks by number. `hosts` serve the site and its files. `counts` are of items by type and
    status. `mended` are the numbers of damaged files that can be read after mending, `copies` the
    positions of older copies of items, and `shared_ids` the items that share a number.
    """

    url: str = ""
    language: str = ""
    names: dict[str, str] = field(default_factory=dict)
    guests: dict[str, str] = field(default_factory=dict)
    categories: dict[str, Term] = field(default_factory=dict)
    category_uses: Counter[str] = field(default_factory=Counter)
    category_slugs: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    author_numbers: dict[str, str] = field(default_factory=dict)
    patterns: dict[int, str] = field(default_factory=dict)
    hosts: set[str] = field(default_factory=set)
    attachments: AttachmentIndex = field(default_factory=AttachmentIndex)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    comments: Counter[str] = field(default_factory=Counter)
    mended: set[int] = field(default_factory=set)
    numbers: dict[int, bytes] = field(default_factory=dict)
    positions: dict[bytes, Position] = field(default_factory=dict)
    copies: set[tuple[int, int]] = field(default_factory=set)
    shared_ids: dict[int, list[bytes]] = field(default_factory=dict)

    def parents(self) -> dict[str, str]:
        """Return the slugs of parents by those of their children; old exports name them by name."""
        slugs = {term.name: term.slug for term in self.categories.values()}
        parents = {}
        for term in self.categories.values():
            parent = term.parent if term.parent in self.categories else slugs.get(term.parent)
            if parent and parent != term.slug:
                parents[term.slug] = parent
        return parents

    @property
    def site(self) -> str:
        """Return the name of the old site, with which the ids of its stories begin."""
        return site_name(self.url)

    def external_id(self, item: Item) -> str:
        """Return the id of an item: the site and the number, which another one may also have."""
        key = _guid_key(item)
        rest = self.shared_ids.get(item.post_id, [])
        suffix = "" if not rest or rest[0] == key else f":{key.hex()}"
        return f"wordpress:{self.site}:{item.post_id or key.hex()}{suffix}"

    def id_of_number(self, number: str) -> str:
        """Return the id of the item with a number, the first one if several share it."""
        return f"wordpress:{self.site}:{number}"

    def item_counts(self) -> list[tuple[str, int]]:
        """Return how many items of each type and status there are, and how many comments."""
        counts = [(" ".join(filter(None, kind)), count) for kind, count in self.counts.items()]
        counts += [(f"comment {kind}", count) for kind, count in self.comments.items()]
        return sorted(counts)

    def is_copy(self, file: int, item: Item) -> bool:
        """Return whether a newer copy of the item stands elsewhere in the files."""
        return (file, item.offset) in self.copies


def site_name(url: str) -> str:
    """Return the host and path of a site, the same with http and https and with www or without."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}"[:150]


def host_of(url: str) -> str:
    """Return the host of a URL, "" if it has none."""
    try:
        return urlsplit(url.strip()).hostname or ""
    except ValueError:
        return ""


def read_file(
    file: IO[bytes], is_mended: bool, advance: Advance | None = None
) -> Iterator[Element]:
    """Yield the elements of a file from its beginning, and report the progress in bytes."""
    file.seek(0)
    position = 0
    for element in read_elements(file, is_mended):
        yield element
        if advance and isinstance(element, Item):
            advance(file.tell() - position)
            position = file.tell()
    if advance:
        advance(file.tell() - position)


def survey_files(
    files: Sequence[tuple[str, IO[bytes]]],
    comments_file: IO[str] | None = None,
    advance: Advance | None = None,
) -> Survey:
    """Read all files, each a name and an open file; write comments as JSON lines.

    A damaged file is read again with its markup mended. Raises XmlError, which names the file, if
    that fails too, and for files of several sites.
    """
    mended: dict[int, XmlError] = {}
    while True:
        survey = Survey(mended=set(mended))
        for number, (name, file) in enumerate(files):
            try:
                _survey_file(survey, number, file, comments_file, advance)
            except XmlError as error:
                if number in mended or isinstance(error, OtherSiteError):
                    error = mended.get(number, error)
                    raise XmlError(f"{name}: {error}") from error
                mended[number] = error
                break
        else:
            return survey
        if comments_file:
            comments_file.seek(0)
            comments_file.truncate()


class OtherSiteError(XmlError):
    """A file of another site than the first."""


def _survey_file(
    survey: Survey,
    number: int,
    file: IO[bytes],
    comments_file: IO[str] | None,
    advance: Advance | None,
) -> None:
    for element in read_file(file, number in survey.mended, advance):
        match element:
            case Item():
                _add_item(survey, number, element)
            case Comment():
                survey.comments[element.fields.get("comment_type") or "comment"] += 1
                if comments_file:
                    comments_file.write(_comment_line(element))
            case Author():
                login = element.login.lower()
                survey.names.setdefault(login, element.name)
                survey.author_numbers.setdefault(element.fields.get("author_id", ""), login)
            case Term(taxonomy="category"):
                survey.categories.setdefault(element.slug, element)
                if element.number:
                    survey.category_slugs[element.number] = element.slug
            case Term(taxonomy="post_tag"):
                survey.tags.setdefault(element.slug, element.name)
            case Channel():
                _check_site(survey, element)


def _check_site(survey: Survey, channel: Channel) -> None:
    if survey.url and site_name(channel.url) != survey.site:
        raise OtherSiteError(
            gettext("it is an export of %(site)s. Import it by itself.", site=channel.url[:200])
        )
    survey.url = survey.url or channel.url
    for name in ("base_blog_url", "base_site_url", "link"):
        survey.hosts.add(host_of(channel.fields.get(name, "")))
    survey.language = survey.language or channel.fields.get("language", "")


def _add_item(survey: Survey, number: int, item: Item) -> None:
    status = "password" if item.get("post_password") else item.get("status")
    kind = (item.type[:40], status[:40])
    if kind in survey.counts or len(survey.counts) < MAX_COUNTED:
        survey.counts[kind] += 1
    if item.type == "attachment":
        survey.attachments.add(item)
        if len(survey.hosts) < MAX_COUNTED:
            survey.hosts.add(host_of(item.get("attachment_url")))
    elif item.type == "guest-author":
        name = item.meta_value("cap-display_name") or item.get("title")
        survey.guests[item.get("post_name").removeprefix("cap-")] = name
    elif item.type == "post":
        survey.category_uses.update(term.slug for term in item.terms_of("category"))
        for term in item.terms_of("category"):
            survey.categories.setdefault(term.slug, term)
        survey.tags |= {term.slug: term.name for term in item.terms_of("post_tag")}
    elif item.type == "wp_block" and len(survey.patterns) < MAX_COUNTED:
        survey.patterns[item.post_id] = item.get("content")[:MAX_PATTERN]
    _add_position(survey, number, item)


def _add_position(survey: Survey, number: int, item: Item) -> None:
    """Remember the newest copy of an item, and the items that share a number."""
    key = _guid_key(item)
    copy_key = key + item.post_id.to_bytes(8, "big")
    position = Position(item.get("post_modified_gmt"), number, item.offset)
    former = survey.positions.get(copy_key)
    if former is None:
        survey.positions[copy_key] = position
        survey.numbers.setdefault(item.post_id, key)
        if survey.numbers[item.post_id] != key:
            keys = survey.shared_ids.setdefault(item.post_id, [survey.numbers[item.post_id]])
            keys.append(key)
        return
    older, newer = sorted((former, position))
    survey.copies.add((older.file, older.offset))
    survey.positions[copy_key] = newer


def _guid_key(item: Item) -> bytes:
    """Return a hash of what tells items with the same number apart."""
    text = item.get("guid") or item.get("link") or item.get("title")
    return blake2b(text.encode("utf-8", "replace"), digest_size=6).digest()


def _comment_line(comment: Comment) -> str:
    values = {name: comment.fields[name] for name in COMMENT_FIELDS if name in comment.fields}
    return json.dumps({"post_id": comment.post_id} | values, ensure_ascii=False) + "\n"
