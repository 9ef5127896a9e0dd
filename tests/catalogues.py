"""The texts of the source that catalogues must translate, and what is wrong with a catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from typing import NamedTuple

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import read_po

from spectator import i18n

ROOT = Path(__file__).resolve().parent.parent
# As the target `messages` of the Makefile has them.
KEYWORDS = DEFAULT_KEYWORDS | {
    "lazy_gettext": None,
    "lazy_pgettext": ((1, "c"), 2),
    "plural_forms": (1, 2),
    "gettext_noop": None,
}
JINJA_OPTIONS = {"silent": "false", "trimmed": "true"}
# What readers see, which catalogues may translate without the newsroom.
SITE_PARTS = re.compile(
    r"templates/(site|errors|feeds|macros)/|templates/base\.html"
    r"|spectator/(site|text|queries|models)/|spectator/(templating|formats|times)\.py"
    r"|static/js/(site|search|combobox)\.js"
)
# Texts that every language may write as English does: names, keys, and what has only placeholders.
SAME_AS_ENGLISH = frozenset(
    {
        "RSS",
        "Tab",
        *("Alt+F10, Escape", "Shift+Enter", "Ctrl+S, Ctrl+Enter", "Ctrl+Shift+Enter"),
        *("Ctrl+Shift+8, Ctrl+Shift+7", "Ctrl+Z, Ctrl+Shift+Z"),
        *("%(action)s: %(headline)s", "%(first)s, %(next)s", "%(label)s: %(value)s"),
        *("%(size)s KB", "%(size)s MB"),
    }
)
# Words that one language has in common with English, or has borrowed.
COMMON_WORDS = {
    "fr": {
        *("Opinion", "Pages", "Sessions", "Source", "Suggestions", "Version"),
        *("%(count)s suggestion", "%(count)s suggestions"),
    },
    "sw": {"Video", "video"},
}
HEADER = r"^# Complete: (nothing yet|site|everything)\.$"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")
NUMBERS = {f"%({name})s" for name in ("count", "num", "number", "limit", "days")}
TAG = re.compile(r"</?[a-z]+|&[a-z]+;")


class SourceMessage(NamedTuple):
    """A text of the source: its context, its English forms and the files that show it."""

    context: str | None
    forms: tuple[str, ...]
    files: frozenset[str]

    @property
    def is_for_readers(self) -> bool:
        """Whether readers may see it."""
        return any(SITE_PARTS.match(file) for file in self.files)


def _extracted() -> Iterator[tuple[str | None, tuple[str, ...], str]]:
    for path in sorted((ROOT / "spectator").rglob("*.py")):
        is_command = path.parent.name == "cli"
        method = "spectator.cli.help_texts:extract" if is_command else "python"
        for _, message, _, context in extract_from_file(method, path, KEYWORDS):
            yield context, _forms(message), path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "templates").rglob("*.*")):
        rows = extract_from_file("jinja2", path, KEYWORDS, options=JINJA_OPTIONS)
        for _, message, _, context in rows:
            yield context, _forms(message), path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "static/js").glob("*.js")):
        for _, message, _, context in extract_from_file("javascript", path, KEYWORDS):
            yield context, _forms(message), path.relative_to(ROOT).as_posix()


def _forms(message: str | tuple[str, ...]) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message)


@cache
def source_messages() -> tuple[SourceMessage, ...]:
    """Return every text of the source that is to be translated."""
    files: dict[tuple[str | None, tuple[str, ...]], set[str]] = {}
    for context, forms, file in _extracted():
        files.setdefault((context, forms), set()).add(file)
    return tuple(SourceMessage(*key, frozenset(paths)) for key, paths in files.items())


def read_catalogue(language: str) -> Catalog:
    """Return the catalogue of a language as its file has it."""
    path = i18n.DIRECTORY / language / "LC_MESSAGES" / "spectator.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


def translated_parts(catalogue: Catalog) -> str:
    """Return what the header says the catalogue translates: nothing yet, site, everything."""
    match = re.search(
        r"^# Complete: (nothing yet|site|everything)\.$", catalogue.header_comment, re.M
    )
    assert match, "the header says “# Complete: nothing yet.”, “site.” or “everything.”"
    return match[1]


def problems(catalogue: Catalog, messages: tuple[SourceMessage, ...]) -> list[str]:
    """Return what is wrong with a catalogue, one line each."""
    parts = translated_parts(catalogue)
    same = SAME_AS_ENGLISH | COMMON_WORDS.get(str(catalogue.locale), set())
    lines = [line for entry in catalogue if entry.id for line in _entry_problems(entry, same)]
    for message in messages:
        if parts == "everything" or (parts == "site" and message.is_for_readers):
            entry = catalogue.get(message.forms[0], message.context)
            if entry is None or not all(_strings(entry)):
                lines.append(f"missing: {message.forms[0]}")
    return lines


def _strings(message: Message) -> tuple[str, ...]:
    return _forms(message.string)


def _entry_problems(message: Message, same: AbstractSet[str]) -> Iterator[str]:
    """Yield what is wrong with an entry; it may be equal to its source if that is in `same`."""
    forms = _forms(message.id)
    if message.fuzzy:
        yield f"fuzzy: {forms[0]}"
    for string in filter(None, _strings(message)):
        if string in forms and string not in same:
            yield f"equal to its source: {string}"
        # A form of the plural may leave out its number: “one story”.
        names_of_forms = [set(PLACEHOLDER.findall(form)) for form in forms]
        allowed, needed = set.union(*names_of_forms), set.intersection(*names_of_forms)
        if len(forms) > 1:
            needed -= NUMBERS
        names = set(PLACEHOLDER.findall(string))
        if not needed <= names <= allowed or "%" in PLACEHOLDER.sub("", string):
            yield f"placeholders differ: {string}"
        # Translations are HTML in templates, where a straight quote would end an attribute.
        if string.count('"') != forms[-1].count('"'):
            yield f"straight quotes: {string}"
        if sorted(TAG.findall(string)) != sorted(TAG.findall(forms[-1])):
            yield f"tags differ: {string}"
