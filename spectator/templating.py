"""Globals and filters of the templates: settings, URLs, dates, generated covers, styles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from datetime import UTC, date, datetime
from email.utils import format_datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app
from flask.templating import Environment as FlaskEnvironment
from jinja2 import BaseLoader, Environment, TemplateNotFound
from markupsafe import Markup

from spectator.config import EDITOR_SCRIPTS, PROJECT_ROOT
from spectator.editions import in_edition
from spectator.formats import (
    country_name,
    format_date_with_weekday,
    format_list,
    format_long_date,
    format_number,
    join_date_and_time,
    language_name,
    native_language_name,
)
from spectator.i18n import current_language, gettext, lazy_gettext, lazy_pgettext
from spectator.media import MAX_BYTES, UPLOAD_HINT, avif_names, rendition_names
from spectator.models import DEFAULT_STORY_KIND, STORY_KINDS, Article, Picture
from spectator.navigation import (
    menu_links,
    navigation,
    section_description,
    section_links,
    section_name,
)
from spectator.static_files import StaticFiles
from spectator.stylesheet import Stylesheet
from spectator.text.html.covers import cover
from spectator.text.html.element_ids import without_ids
from spectator.text.html.embeds import render_body
from spectator.text.html.paragraphs import HTML_BLOCKS, KNOWN
from spectator.text.html.sanitizer import ATTRIBUTES, TAGS
from spectator.text.html.tokenizer import BREAKS
from spectator.text.words.excerpts import reading_minutes
from spectator.text.words.language_tags import text_dir
from spectator.times import has_whole_minute_offset, zone_abbreviation
from spectator.urls import absolute_url, listing_path, permalink, picture_url

# The kinds of notes to readers.
NOTE_LABELS = {
    "update": lazy_pgettext("kind of note", "Update"),
    "clarification": lazy_pgettext("kind of note", "Clarification"),
    "correction": lazy_pgettext("kind of note", "Correction"),
}
# Messages about values that no story has, by search filter.
UNKNOWN_FILTERS = {
    "section": lazy_gettext("There is no section “%(value)s”."),
    "country": lazy_gettext("There is no country “%(value)s”."),
    "topic": lazy_gettext("There is no topic “%(value)s”."),
    "author": lazy_gettext("There is no author “%(value)s”."),
    "language": lazy_gettext("There is no language “%(value)s”."),
}
# The names of HTML elements for the editor's scripts (static/js/html_names.js).
HTML_NAMES = {
    "blocks": sorted(HTML_BLOCKS),
    "breaks": sorted(BREAKS | {"td", "th"}),  # begin a new line
    "inline": sorted(TAGS - HTML_BLOCKS - {"col", "img", "source", "track"}),  # part of a line
    "known": sorted(KNOWN),  # their tags are markup even in plain text
    "attributes": {name: sorted(values) for name, values in ATTRIBUTES.items()},
}


def _newsroom_zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["TIMEZONE"])


def long_date(day: date) -> str:
    """Return a date for readers, such as 22 November 2026, in the newsroom's time zone."""
    local = day.astimezone(_newsroom_zone()) if isinstance(day, datetime) else day
    return format_long_date(local)


def date_time(moment: datetime) -> str:
    """Return a time for readers, in the newsroom's time zone: 1 May 2026, 00:30 EAT."""
    local = moment.astimezone(_newsroom_zone())
    return join_date_and_time(long_date(local), f"{local:%H:%M} {zone_abbreviation(local)}")


def page_language() -> str:
    """Return the language tag of the page: that of the site (en-NG) on pages in its language."""
    return _page_tag(current_language(), current_app.config["LANGUAGE"])


@cache
def _page_tag(language: str, site_tag: str) -> str:
    is_own = site_tag.partition("-")[0] == language.partition("-")[0]
    return site_tag if is_own else language


def recent_date(moment: datetime) -> str:
    """Return when a story appeared, in the newsroom's time zone.

    Today, Sat 28 Nov (in the six days before) or 22 November 2026. Only pages that the page cache
    renders again every day may show it.
    """
    zone = _newsroom_zone()
    local = moment.astimezone(zone)
    age = datetime.now(zone).toordinal() - local.toordinal()
    if age == 0:
        return gettext("Today")
    return format_date_with_weekday(local) if 0 < age < 7 else format_long_date(local)


def lang_attribute(article: Article) -> Markup:
    """Return the attribute lang of a story, "" if the page is in its language.

    `lang_attribute`, `dir_attribute` and `kind_class` are functions, because macros would take
    five times as long, and lists have fifty cards.
    """
    return _lang_attribute(article.language, page_language())


@lru_cache(maxsize=200)
def _lang_attribute(tag: str, page_tag: str) -> Markup:
    is_same = tag in (page_tag, page_tag.partition("-")[0])
    return Markup("") if is_same else Markup(' lang="{}"').format(tag)


def dir_attribute(article: Article) -> Markup:
    """Return the attribute dir of a story, "" if the page has its direction."""
    return _dir_attribute(article.language, page_language())


@lru_cache(maxsize=200)
def _dir_attribute(tag: str, page_tag: str) -> Markup:
    direction = text_dir(tag)
    return (
        Markup("") if direction == text_dir(page_tag) else Markup(' dir="{}"').format(direction)
    )


def kind_class(article: Article) -> str:
    """Return " opinion", the CSS class of opinion pieces, or "" for other kinds of stories."""
    return " opinion" if story_kind(article) == "opinion" else ""


def foreign_language_name(article: Article) -> str:
    """Return the native name of a story's language, "" if it is the language of the page."""
    return _foreign_name(article.language, page_language())


@lru_cache(maxsize=200)
def _foreign_name(tag: str, page_tag: str) -> str:
    if tag.partition("-")[0].lower() == page_tag.partition("-")[0].lower():
        return ""
    return native_language_name(tag)


def unknown_sentence(facet: str, value: str) -> Markup:
    """Return the sentence about a filter's value that no story has, as HTML."""
    sentence = Markup(str(UNKNOWN_FILTERS[facet]))  # noqa: S704 - our own text
    return sentence % {"value": Markup("<bdi>{}</bdi>").format(value)}


def partial_sentence() -> str:
    """Return the sentence about a search that was stopped because of its cost."""
    return gettext(
        "This search is too broad. Only some results are shown. Use more specific words."
    )


def iso(moment: datetime) -> str:
    """Return a time in the format of RFC 3339, in the newsroom's time zone.

    It is in UTC if the zone's offset has seconds, which the format does not allow.
    """
    local = _machine_time(moment)
    return local.isoformat(timespec="seconds").replace("+00:00", "Z")


def rfc822(moment: datetime) -> str:
    """Return a time in the format of RSS (RFC 822, four-digit year), in the zone as for `iso`."""
    return format_datetime(_machine_time(moment))


def _machine_time(moment: datetime) -> datetime:
    local = moment.astimezone(_newsroom_zone())
    return local if has_whole_minute_offset(local) else moment.astimezone(UTC)


def renditions(picture: Picture) -> list[tuple[str, int]]:
    """Return (URL, width in pixels) of each rendition of a picture, narrowest first."""
    names = rendition_names(picture.digest, picture.extension, picture.width)
    return [(picture_url(name), width) for name, width in names]


def avif_renditions(picture: Picture) -> list[tuple[str, int]]:
    """Return (URL, width in pixels) of each AVIF rendition, narrowest first, if all are stored."""
    if not picture.has_avif:
        return []
    names = avif_names(picture.digest, picture.width, picture.height)
    return [(picture_url(name), width) for name, width in names]


def srcset(images: Iterable[tuple[str, int]]) -> str:
    """Return URLs with their widths in pixels as the value of an attribute srcset."""
    return ", ".join(f"{url} {width}w" for url, width in images)


def story_kind(article: Article) -> str:
    """Return a story's kind; stories of section Opinion with the default kind are opinion."""
    is_opinion = article.kind == DEFAULT_STORY_KIND and article.section.slug == "opinion"
    return "opinion" if is_opinion else article.kind


def kind_label(article: Article) -> str:
    """Return the label of a story's kind, "" for news or if its section or kicker says it."""
    kind = story_kind(article)
    if kind == DEFAULT_STORY_KIND:
        return ""
    label = STORY_KINDS.get(kind, "")
    return "" if label in (section_name(article.section), article.kicker) else label


def rendered(body: str) -> Markup:
    """Return a stored body as readers get it, with the public URLs of its pictures."""
    html = render_body(body, picture_url(""), gettext("Table"))
    return Markup(html)  # noqa: S704 - cleaned when it was stored


class TemplateEnvironment(FlaskEnvironment):
    """Flask's environment, whose templates share one dictionary of globals.

    Jinja gives each template a chain of two mappings, which every import and rendering copies key
    by key.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template, which are the environment's unless it has its own."""
        return super().make_globals(d) if d else self.globals


class BootTemplateLoader(BaseLoader):
    """A loader that reads all templates at start-up, so that upgrading the code is safe."""

    def __init__(self, directory: Path) -> None:
        paths = sorted(path for path in directory.rglob("*") if path.is_file())
        self.sources = {
            path.relative_to(directory).as_posix(): (path.read_text("utf-8"), str(path))
            for path in paths
        }

    def get_source(
        self, _environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's source, its file name, and a function that says it is up to date."""
        if template not in self.sources:
            raise TemplateNotFound(template)
        return *self.sources[template], lambda: True

    def list_templates(self) -> list[str]:
        """Return the names of all templates."""
        return list(self.sources)


def register(app: Flask) -> None:
    """Set up the template loader, globals and filters."""
    app.jinja_loader = BootTemplateLoader(PROJECT_ROOT / "templates")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    files: StaticFiles = app.extensions["static_files"]
    stylesheet: Stylesheet = app.extensions["stylesheet"]
    settings = {
        name.lower(): app.config[name]
        for name in ("SITE_NAME", "SITE_TAGLINE", "SITE_URL", "HTMX_INTEGRITY")
    }
    globals_: dict[str, Any] = {
        "absolute": absolute_url,
        "cover": lambda slug: Markup(cover(slug)),  # noqa: S704 - our own drawing
        "article_css": Markup(stylesheet.article_css),  # noqa: S704 - our own stylesheet
        "list_css": Markup(stylesheet.list_css),  # noqa: S704 - our own stylesheet
        "design_tokens_url": files.url(stylesheet.tokens_name),
        "editor_scripts": EDITOR_SCRIPTS,
        "html_names": HTML_NAMES,
        "htmx_url": files.add_digest(app.config["HTMX_URL"]),
        "foreign_language_name": foreign_language_name,
        "kind_label": kind_label,
        "kind_class": kind_class,
        "lang_attribute": lang_attribute,
        "dir_attribute": dir_attribute,
        "current_language": current_language,
        "language_name": language_name,
        "native_language_name": native_language_name,
        "page_language": page_language,
        "note_labels": NOTE_LABELS,
        "in_edition": in_edition,
        "list_path": listing_path,
        "menu_links": menu_links,
        "permalink": permalink,
        "avif_renditions": avif_renditions,
        "picture_url": picture_url,
        "renditions": renditions,
        "section_description": section_description,
        "section_links": section_links,
        "sections": navigation,
        "section_name": section_name,
        "static_path": files.url,
        "story_kind": story_kind,
        "story_kinds": STORY_KINDS,
        "text_dir": text_dir,
        "upload_bytes": MAX_BYTES,
        "upload_hint": UPLOAD_HINT,
        "year": lambda: datetime.now(_newsroom_zone()).year,
    }
    app.jinja_env.globals.update(settings | globals_)
    app.jinja_env.filters.update(
        rendered=rendered,
        without_ids=without_ids,
        long_date=long_date,
        date_time=date_time,
        recent_date=recent_date,
        number=format_number,
        country_name=country_name,
        and_list=format_list,
        iso=iso,
        rfc822=rfc822,
        reading_minutes=reading_minutes,
        srcset=srcset,
    )
