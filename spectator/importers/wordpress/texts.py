"""Texts, slugs and addresses of posts and pages."""

from __future__ import annotations

from html import escape
from urllib.parse import unquote, urlsplit

from spectator.i18n import gettext
from spectator.importers.wordpress.elements import META_KEYS, Item
from spectator.publishing.fields import FIELDS
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.excerpts import excerpt
from spectator.text.words.slugs import is_slug, slugify

MAX_QUOTED = 5_000  # characters of a shortened text in the receipt
# Meta of plugins and of the editor itself, which says nothing about the story.
TECHNICAL_META = ("_", "amazonS3_cache", "rank_math_", "wpseo_", "ampforwp", "classic-editor-")


def plain_line(html: str) -> str:
    """Return HTML, such as a title, as one line of text, decoded once."""
    return " ".join(plain_text(html).split())


def encode(text: str) -> str:
    """Return a text as the runner expects it, which decodes character references once."""
    return text.replace("&", "&amp;")


def shorten(text: str, limit: int, changes: list[str]) -> str:
    """Return a text that a field can hold; a longer one is in the receipt as a whole."""
    if len(text) <= limit:
        return text
    changes.append(gettext("Shortened. In full: %(text)s", text=text[:MAX_QUOTED]))
    return excerpt(text, limit)


def title_of(item: Item, html: str, limit: int, changes: list[str]) -> str:
    """Return the title as one line, or the beginning of the text, or the post's number."""
    title = plain_line(item.get("title"))
    if not title:
        changes.append(gettext("It has no title."))
        title = excerpt(plain_text(html), 80) or f"Post {item.post_id}"
    return shorten(title, limit, changes)


def stand_in(item: Item, title: str, changes: list[str]) -> str:
    """Return a body for a post without one, which no story may lack: its excerpt or its title."""
    changes.append(gettext("It has no text."))
    return f"<p>{escape(plain_line(item.get('excerpt')) or title, quote=False)}</p>"


def old_slug(item: Item, title: str) -> str:
    """Return the slug of a post, spelled in ASCII; "" if the title gives it one."""
    name = unquote(item.get("post_name")).removesuffix("__trashed")
    if is_slug(name):
        return name
    if name:
        return slugify(name, FIELDS["slug"].limit)
    return "" if slugify(title) != "story" else f"post-{item.post_id}"


def old_addresses(item: Item, site_url: str) -> tuple[str, ...]:
    """Return the URLs that a post or page had on its old site."""
    link, number = item.get("link"), item.post_id
    names = ("p", "page_id") if item.type == "page" else ("p",)
    addresses = [link, *(f"{site_url}/?{name}={number}" for name in names)]
    name = _last_part(link)
    if name and name == item.get("post_name"):
        former = filter(None, item.meta_values("_wp_old_slug"))
        addresses += [f"{link.rstrip('/').removesuffix(name)}{slug}/" for slug in former]
    return tuple(dict.fromkeys(filter(None, addresses)))


def _last_part(url: str) -> str:
    try:
        return urlsplit(url).path.rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""


def custom_fields(item: Item) -> tuple[str, ...]:
    """Return the keys of meta values that somebody may miss, those of plugins left out."""
    keys = dict.fromkeys(key[:40] for key, _ in item.meta if key not in META_KEYS)
    return tuple(key for key in keys if key and not key.startswith(TECHNICAL_META))[:101]
