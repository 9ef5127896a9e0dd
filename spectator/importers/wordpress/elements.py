"""What an export file holds: authors, terms, items (posts, pages, attachments …) and comments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

Fields = dict[str, str]  # texts by the names of their elements

# The keys of meta values that the importer reads; of all others it knows only the key.
META_KEYS = frozenset(
    "_thumbnail_id _wp_old_slug _wp_attached_file _wp_attachment_metadata footnotes"
    " _wp_attachment_image_alt _wp_attachment_source_credit _media_credit"
    " _yoast_wpseo_title _yoast_wpseo_metadesc _yoast_wpseo_opengraph-image"
    " _yoast_wpseo_opengraph-image-id _yoast_wpseo_primary_category rank_math_title"
    " rank_math_description rank_math_facebook_image rank_math_facebook_image_id"
    " rank_math_primary_category cap-display_name cap-user_login".split()
)


def post_number(fields: Fields) -> int:
    """Return the number of a post, 0 if it has none."""
    text = fields.get("post_id", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@dataclass(frozen=True, slots=True)
class Channel:
    """The site that a file was exported from: `fields` are `link`, `language`, `base_blog_url` …"""

    fields: Fields

    @property
    def url(self) -> str:
        """Return the address of the blog's front page, without a slash at the end."""
        fields = self.fields
        address = fields.get("base_blog_url") or fields.get("link") or fields.get("base_site_url")
        return (address or "").strip().rstrip("/")


@dataclass(frozen=True, slots=True)
class Author:
    """A person with an account: the login is what posts refer to."""

    fields: Fields

    @property
    def login(self) -> str:
        """Return the login name."""
        return self.fields.get("author_login", "")

    @property
    def name(self) -> str:
        """Return the name to show."""
        first, last = (self.fields.get(f"author_{part}_name", "") for part in ("first", "last"))
        return self.fields.get("author_display_name") or f"{first} {last}".strip() or self.login


class Term(NamedTuple):
    """A category, a tag or a term of another taxonomy.

    `parent` is the slug of another one; posts do not repeat it, nor the `number`.
    """

    taxonomy: str
    slug: str
    name: str
    parent: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A post of any type.

    `terms` and `meta` are in the order of the file; `offset` and `size` are in bytes of it.
    """

    fields: Fields
    terms: tuple[Term, ...]
    meta: tuple[tuple[str, str], ...]
    offset: int
    size: int

    def get(self, name: str) -> str:
        """Return the text of a child element without white space around it, "" without one."""
        return self.fields.get(name, "").strip()

    @property
    def post_id(self) -> int:
        """Return the number of the post, 0 if it has none."""
        return post_number(self.fields)

    @property
    def type(self) -> str:
        """Return the type of the post: `post`, `page`, `attachment` …"""
        return self.get("post_type") or "post"

    def meta_value(self, key: str) -> str:
        """Return the last value of a meta key, as WordPress does for one value, "" without one."""
        return next((value for name, value in reversed(self.meta) if name == key), "")

    def meta_values(self, key: str) -> list[str]:
        """Return all values of a meta key."""
        return [value for name, value in self.meta if name == key]

    def terms_of(self, *taxonomies: str) -> list[Term]:
        """Return the terms of these taxonomies, in order and each once."""
        return list(dict.fromkeys(term for term in self.terms if term.taxonomy in taxonomies))


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on the post with this number."""

    post_id: int
    fields: Fields = field(default_factory=dict)


Element = Channel | Author | Term | Item | Comment
