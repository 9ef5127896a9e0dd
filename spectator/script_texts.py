"""The texts of scripts in other languages, which pages pass to static/js/messages.js."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.extract import extract_from_file
from flask import Flask

from spectator.i18n import (
    SOURCE_LANGUAGE,
    current_language,
    load_catalogue,
    newsroom_languages,
    readers_languages,
)

SCRIPTS = Path(__file__).resolve().parent.parent / "static/js"
# Scripts of pages for readers, who pay for each byte; the newsroom's pages have the texts of all.
READER_SCRIPTS = ("site.js", "search.js", "combobox.js")
KEYWORDS = {"gettext": None, "ngettext": (1, 2)}
Texts = dict[str, str | dict[str, str]]


@cache
def _read_messages(names: tuple[str, ...]) -> list[str | tuple[str, ...]]:
    """Return the messages of scripts; those with a plural as pairs."""
    return [
        message
        for name in names
        for _, message, _, _ in extract_from_file("javascript", SCRIPTS / name, KEYWORDS)
    ]


def _plural_numbers(language: str) -> dict[str, int]:
    """Return a number of each plural category (“one”, “few”, …) of a language.

    The numbers below 200 and a million together have all categories of all languages (CLDR).
    """
    locale = Locale.parse(language, sep="-")
    return {locale.plural_form(number): number for number in (1_000_000, *range(199, -1, -1))}


@cache
def load_texts(language: str, is_newsroom: bool) -> Texts:
    """Return the translations of the scripts' texts by their English; none for English.

    Those with a plural are by its category, as `Intl.PluralRules` of browsers names it.
    """
    if language == SOURCE_LANGUAGE:
        return {}
    every = tuple(sorted(path.name for path in SCRIPTS.glob("*.js")))
    names = every if is_newsroom else READER_SCRIPTS
    catalogue, numbers, texts = load_catalogue(language), _plural_numbers(language), Texts()
    for message in _read_messages(names):
        if isinstance(message, str):
            translation = catalogue.gettext(message)
            if translation != message:
                texts[message] = translation
        else:
            forms = {
                category: catalogue.ngettext(message[0], message[1], number)
                for category, number in numbers.items()
            }
            if not set(forms.values()) <= set(message):
                texts[message[0]] = forms
    return texts


def script_texts(is_newsroom: bool) -> Texts:
    """Return the texts of the scripts of a page in its language, for a template."""
    return load_texts(current_language(), is_newsroom)


def register(app: Flask) -> None:
    """Read the texts in all languages that pages may have, and let templates pass them."""
    language: str = app.extensions["language"]
    for loaded in {language, *newsroom_languages()}:
        load_texts(loaded, is_newsroom=True)
    for loaded in {language, *readers_languages()}:
        load_texts(loaded, is_newsroom=False)
    globals_: dict[str, Any] = {"script_texts": script_texts}
    app.jinja_env.globals.update(globals_)
