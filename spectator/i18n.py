"""Translations: the catalogues of `translations/`, and the language of what is being written.

English is the source: a message without a translation appears in English. Catalogues are read
when the site starts, as templates are, so that an update of the checkout does no harm.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from itertools import takewhile
from pathlib import Path
from typing import Any, cast

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy
from flask import Flask, current_app, has_app_context, request
from markupsafe import Markup

SOURCE_LANGUAGE = "en"
DIRECTORY = Path(__file__).resolve().parent.parent / "translations"

_language: ContextVar[str] = ContextVar("language", default="")
_RESET_KEY = "spectator.language"  # in the environ of a request: how to restore the language


@cache
def translated_languages() -> list[str]:
    """Return the languages with a catalogue, sorted; English needs none and is not among them."""
    return sorted(path.parent.parent.name for path in DIRECTORY.glob("*/LC_MESSAGES/*.po"))


def closest_language(tag: str) -> str:
    """Return the language with a catalogue that fits a language tag best, otherwise English."""
    languages = translated_languages()
    candidates = (tag, tag.partition("-")[0])
    return next((tag for tag in candidates if tag in languages), SOURCE_LANGUAGE)


@lru_cache(maxsize=1000)
def language_of_readers(tag: str) -> str:
    """Return the language in which readers' pages of a story in `tag` are written.

    It is "" if there is no catalogue, or one that does not translate all these pages.
    """
    language = closest_language(tag)
    if language == SOURCE_LANGUAGE:
        return language if tag.partition("-")[0] == SOURCE_LANGUAGE else ""
    return "" if "Complete: nothing yet" in _header_comments(language) else language


def _header_comments(language: str) -> str:
    """Return the first comments of a catalogue, which say what it translates."""
    with (DIRECTORY / language / "LC_MESSAGES" / "spectator.po").open(encoding="utf-8") as file:
        return "".join(takewhile(lambda line: line.startswith("#"), file))


@cache
def newsroom_languages() -> list[str]:
    """Return the languages in which the whole newsroom can be written, English among them."""
    complete = [
        language
        for language in translated_languages()
        if "Complete: everything" in _header_comments(language)
    ]
    return sorted([SOURCE_LANGUAGE, *complete])


def readers_languages() -> list[str]:
    """Return the languages in which pages of stories may be written, besides English."""
    return [language for language in translated_languages() if language_of_readers(language)]


@cache
def load_catalogue(language: str) -> NullTranslations:
    """Return the catalogue of a language; that of English is empty.

    `make` compiles catalogues. One without a compiled file, or with an older one, is compiled here
    in memory, so that the site never shows an outdated text.
    """
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    source = DIRECTORY / language / "LC_MESSAGES" / "spectator.po"
    compiled = source.with_suffix(".mo")
    if compiled.exists() and compiled.stat().st_mtime >= source.stat().st_mtime:
        with compiled.open("rb") as file:
            return GNUTranslations(file)
    memory = BytesIO()
    with source.open("rb") as file:
        write_mo(memory, read_po(file, locale=language))
    memory.seek(0)
    return GNUTranslations(memory)


def current_language() -> str:
    """Return the language of what is being written: by default the site's."""
    language = _language.get()
    if language or not has_app_context():
        return language or SOURCE_LANGUAGE
    return str(current_app.extensions.get("language", SOURCE_LANGUAGE))


def set_language(language: str) -> Token[str]:
    """Write in a language with a catalogue, for the rest of the request or command."""
    return _language.set(language)


def story_page_language(tag: str) -> str:
    """Return the language of a story's page: the story's, or the site's without a catalogue."""
    return language_of_readers(tag) or str(current_app.extensions["language"])


@contextmanager
def use_language(language: str) -> Iterator[None]:
    """Write in a language with a catalogue."""
    token = _language.set(language)
    try:
        yield
    finally:
        _language.reset(token)


def gettext(message: str, /, **values: object) -> str:
    """Return the translation of a message, with its placeholders such as %(name)s filled in."""
    text = load_catalogue(current_language()).gettext(message)
    return text % values if values else text


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Return the translation of a message whose meaning depends on its context."""
    text = load_catalogue(current_language()).pgettext(context, message)
    return text % values if values else text


def ngettext(singular: str, plural: str, count: int, /, **values: object) -> str:
    """Return the translation of a message for a number of things, which is %(count)s in it."""
    text = load_catalogue(current_language()).ngettext(singular, plural, count)
    return text % ({"count": count} | values)


def gettext_noop(message: str) -> str:
    """Mark a message for the catalogues and return it unchanged; `gettext` translates it later."""
    return message


def plural_forms(singular: str, plural: str) -> tuple[str, str]:
    """Return both forms of a message, for tables whose entries `ngettext` translates later."""
    return singular, plural


def lazy_gettext(message: str, /, **values: object) -> str:
    """Return an object for tables that is translated whenever it is turned into a string.

    It compares like a string, but `join`, JSON and regular expressions need `str(…)` of it.
    """
    return cast("str", LazyProxy(gettext, message, enable_cache=False, **values))


def lazy_pgettext(context: str, message: str) -> str:
    """Return an object like that of `lazy_gettext`, by its context."""
    return cast("str", LazyProxy(pgettext, context, message, enable_cache=False))


def register(app: Flask) -> None:
    """Load the catalogues that pages may need, and let templates translate.

    Each request starts in the site's language. A view may choose another one with `set_language`.
    """
    language = app.extensions["language"] = closest_language(app.config["LANGUAGE"])
    for loaded in {language, *readers_languages(), *newsroom_languages()}:
        load_catalogue(loaded)

    @app.before_request
    def start() -> None:
        request.environ[_RESET_KEY] = _language.set(language)

    @app.teardown_request
    def finish(_error: BaseException | None) -> None:
        if token := request.environ.pop(_RESET_KEY, None):
            _language.reset(token)

    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.add_extension("jinja2.ext.i18n")
    environment: Any = app.jinja_env
    environment.newstyle_gettext = True
    environment.globals.update(
        _=_gettext_html,
        gettext=_gettext_html,
        ngettext=_ngettext_html,
        pgettext=_pgettext_html,
    )


# What templates call. It does what Jinja's own functions do, in a third of the time: a text of a
# template is HTML, and its values are escaped.


def _fill(text: str, values: dict[str, object]) -> Markup:
    html = Markup(text)  # noqa: S704 - a text of a template or of a catalogue
    return html % values if "%" in text else html


def _gettext_html(message: str, /, **values: object) -> Markup:
    return _fill(load_catalogue(current_language()).gettext(message), values)


def _pgettext_html(context: str, message: str, /, **values: object) -> Markup:
    return _fill(load_catalogue(current_language()).pgettext(context, message), values)


def _ngettext_html(singular: str, plural: str, count: int, /, **values: object) -> Markup:
    text = load_catalogue(current_language()).ngettext(singular, plural, count)
    return _fill(text, {"num": count} | values)
