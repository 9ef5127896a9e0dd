"""Every entry of a table has the form that its readers expect; none is blank."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import timedelta
from typing import Any

import pytest
from babel.support import LazyProxy

import spectator
from spectator.config import SETTINGS
from spectator.newsroom import errors as newsroom_errors
from spectator.publishing.actions import ACTIONS, PAST_TENSES
from spectator.publishing.fields import FIELDS
from spectator.site import errors as site_errors
from tests import constants, text_checks

TAG = r"[a-z][a-z0-9]*"
LANGUAGE = r"[a-z]{2,3}"
LABEL = r"[A-Z][A-Za-z’'(), -]+[a-z)]"
WORD = r"[a-z]+"
SENTENCES = r"[A-Z%].*[.]"
TABLES = [
    ("accounts.passwords", "ROLE_WORDS", "", WORD),
    ("config", "EDITOR_SCRIPTS", "", r"https://cdn\.jsdelivr\.net/npm/.+@.+\.js|sha384-.{64}"),
    ("setting_parsers", "PERMALINK_PARTS", WORD, r"<(slug|int):[a-z]+>"),
    ("db.sqlite_engine", "STORAGE_CODES", "", r"[a-z -]+"),
    ("headers", "DEFAULT_HEADERS", r"[A-Z][A-Za-z-]+", r"[A-Za-z()=, -]+"),
    ("headers", "FRAMED_ENDPOINTS", "", r"newsroom\.[a-z_]+"),
    ("importers.body_media", "MEDIA_ATTRIBUTES", TAG, TAG),
    ("importers.web_links", "_PAGES", WORD, r"https://[a-z./?=]+\{\}"),
    ("importers.web_links", "_TAGS_WITHOUT_LINKS", "", rf"{TAG}|editor-note"),
    ("importers.wordpress.autop", "_ITEMS", "", TAG),
    ("importers.wordpress.autop", "_LINES", "", TAG),
    ("importers.wordpress.autop", "_STRUCTURE", "", TAG),
    ("importers.wordpress.autop", "_VERBATIM", "", TAG),
    ("importers.wordpress.body_blocks", "_SILENT", "", r"[a-z-]+"),
    ("importers.wordpress.body_tags", "_LATE_SOURCES", "", r"data-[a-z-]+"),
    ("importers.wordpress.body_tags", "_SILENT", "", TAG),
    ("importers.wordpress.galleries", "_MEDIA_KEYS", "", r"[a-z0-9]{3}|webm"),
    ("importers.wordpress.shortcodes", "CONVERTED", "", r"[a-z_]+"),
    ("importers.wordpress.shortcodes", "_PLUGINS", "", r"[a-z0-9-]+"),
    ("importers.wordpress.shortcodes", "_VERBATIM", "", TAG),
    ("importers.inputs", "STREAM_DIRECTORIES", "", r"/[a-z]+"),
    (
        "newsroom.storage_errors",
        "STORAGE_REASONS",
        r"[a-z -]+",
        r"The server('s| is) [a-z ,-]+[.]",
    ),
    ("newsroom.storage_errors", "DISK_ERRORS", "", r"[a-z -]+"),
    ("models.article", "STORY_KINDS", WORD, LABEL),
    ("newsroom.notices", "STATUS_LABELS", WORD, LABEL),
    ("newsroom.security", "SAFE_METHODS", "", r"GET|HEAD|OPTIONS"),
    ("newsroom.security", "FORM_TYPES", "", r"[a-z]+/[a-z-]+"),
    ("newsroom.security", "HEADERS", r"[A-Z][A-Za-z-]+", r"no-store|noindex, nofollow"),
    ("newsroom.story_loader", "REFUSALS", r"[a-z_]+", SENTENCES),
    ("operations.setup", "FIRST_SECTIONS", "", r"[A-Z][a-z]+"),
    ("pagecache.keys", "UNCACHED_PREFIXES", "", r"/[a-z/]+"),
    ("pagecache.keys", "CLIENT_ENVIRON_PREFIXES", "", r"[A-Z]+_|werkzeug\."),
    ("publishing.import_merge", "REPORT_LABELS", WORD, r"[a-z_ ]+"),
    ("publishing.permissions", "STATUS_LABELS", WORD, r"[a-z ]+"),
    ("site.health", "PROXY_HEADERS", "", r"X-Forwarded-(For|Host|Proto)|X-Real-IP|Forwarded|Via"),
    ("site.results", "FACET_NAMES", WORD, LABEL),
    ("site.results", "SORT_LABELS", WORD, LABEL),
    ("site.structured_data", "ARTICLE_TYPES", WORD, r"[A-Z][a-z]+NewsArticle"),
    ("site.url_corrections", "FEED_NAMES", "", r"[a-z]+(\.xml)?"),
    ("static_files", "MEDIA_TYPES", r"\.[a-z]+", r"[a-z]+/[a-z+]+"),
    ("text.compare.diff", "ELEMENTS", TAG, r"[a-z -]+"),
    ("text.compare.diff", "_NAMES", TAG, r"[a-z -]+"),
    ("text.html.covers", "_PALETTES", "", r"#[0-9a-f]{6}"),
    ("text.html.embeds", "_FLOW", "", TAG),
    ("text.html.tokenizer", "BLOCKS", "", TAG),
    ("text.html.tokenizer", "BREAKS", "", TAG),
    ("text.html.tokenizer", "SKIPPED", "", TAG),
    ("text.html.tokenizer", "VOID", "", TAG),
    ("text.html.tokenizer", "_CLOSED_BY_SLASH", "", TAG),
    ("text.html.well_formed", "_FLOW", "", TAG),
    ("text.html.well_formed", "_PARENTS", TAG, TAG),
    ("text.html.well_formed", "_REQUIRED_ANCESTORS", TAG, TAG),
    ("text.html.well_formed", "_ROWS", "", TAG),
    ("text.html.well_formed", "_SCOPE_BOUNDARIES", "", TAG),
    ("text.html.well_formed", "_SECTIONS", "", TAG),
    ("text.html.sanitizer", "ATTRIBUTES", rf"{TAG}|\*", TAG),
    ("text.html.embeds", "_DROPPED_WHEN_EMPTY", "", TAG),
    ("text.html.sanitizer", "TAGS", "", rf"{TAG}|editor-note"),
    ("text.html.sanitizer", "URL_SCHEMES", "", TAG),
    ("text.html.sanitizer", "_OTHER_BREAKS", "", TAG),
    ("text.html.sanitizer", "_NUMBERS", "", TAG),
    ("text.html.sanitizer", "_URLS", "", TAG),
    ("text.words.apostrophes", "_ELIDED", "", WORD),
    ("text.words.apostrophes", "_ENDINGS", "", WORD),
    ("text.words.apostrophes", "_VOWELS", "", r"[a-z]"),
    ("text.words.bylines", "AGENCIES", "", r"[a-z-]+"),
    ("text.words.bylines", "DESK_WORDS", "", r"[^\W\d_]+"),
    ("text.words.excerpts", "_ABBREVIATIONS", "", WORD),
    ("text.words.folding", "_APOSTROPHES", "", r"."),
    ("text.words.folding", "_LETTERS", r".", r"[^\W\d_]{1,2}"),
    ("text.words.language_tags", "_RTL_LANGUAGES", "", LANGUAGE),
    ("text.words.language_tags", "_RTL_SCRIPTS", "", r"[a-z]{4}"),
    ("text.words.languages", "_NAMES", LANGUAGE, r"\w[\w ()’'-]+"),
    ("text.words.languages", "_TWO_LETTERS", "", r"[a-z]{2}"),
    ("text.words.languages", "_TWO_LETTER_CODES", r"[a-z]{3}", r"[a-z]{2}"),
    ("text.words.languages", "NATIVE_NAMES", r"\w[\w ]+", LANGUAGE),
    ("text.words.scripts", "SCRIPT_NAMES", r"[A-Z][a-z]{3}", r"[A-Z][A-Za-z’' -]+"),
    ("text.words.scripts", "_CODES", r"[A-Z]+", r"[A-Z][a-z]{3}"),
    ("text.words.scripts", "_SCRIPTS", LANGUAGE, r"[A-Z][a-z]{3}"),
    ("text.words.scripts", "_VARIANTS", r"[a-z]{4}", r"[A-Z][a-z]{3}"),
    ("text.words.slugs", "_PATHS", "", r"[a-z0-9._-]+"),
]


def texts(value: Any) -> Iterator[str]:
    """Yield the texts in a table, without the keys of mappings."""
    if isinstance(value, str | LazyProxy):
        yield str(value)
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from texts(entry)
    elif isinstance(value, tuple | list | set | frozenset):
        for entry in value:
            yield from texts(entry)


@pytest.mark.parametrize(
    ("module", "name", "key_form", "form"), TABLES, ids=[f"{m}.{n}" for m, n, _, _ in TABLES]
)
def test_every_entry_has_its_form(module: str, name: str, key_form: str, form: str) -> None:
    table = getattr(importlib.import_module(f"spectator.{module}"), name)
    assert table
    assert [text for text in texts(table) if not re.fullmatch(form, text)] == []
    if isinstance(table, Mapping) and key_form:
        assert [key for key in table if not re.fullmatch(key_form, key)] == []


@pytest.mark.parametrize("module", [site_errors, newsroom_errors])
def test_every_error_has_a_title_and_advice(module: Any) -> None:
    rows = list(module.MESSAGES.values())
    if module is newsroom_errors:
        rows += [module.SERVER_ERROR]
    for title, advice in [map(str, row) for row in rows]:
        assert re.fullmatch(r"[A-Z][a-z' -]+[a-z]", title), title
        assert re.fullmatch(SENTENCES, advice) and advice.count(".") >= 1, advice


def test_every_action_has_a_label_and_a_change_has_its_words() -> None:
    for name, rule in ACTIONS.items():
        assert re.fullmatch(LABEL, str(rule.label)), name
        changes_story = rule.effect is not None or bool(rule.status) or name.endswith("_note")
        assert bool(rule.past) is bool(rule.notice) is changes_story, name
        assert re.fullmatch(r"[a-z ]*", str(rule.past)), name
        assert re.fullmatch(rf"({SENTENCES})?", str(rule.notice)), name
        assert all(re.fullmatch(LABEL, str(label)) for label in rule.labels.values()), name
        statuses = "new draft review scheduled published withdrawn".split()
        assert set(rule.labels) <= set(statuses), name
        assert rule.message in {"remark", "note", "reason"}, name
    assert {name: PAST_TENSES[name] for name in ("create", "import", "rename")} == {
        "create": "started",
        "import": "imported",
        "rename": "changed a name everywhere",
    }


def module_values() -> Iterator[Any]:
    """Yield what the modules of the site define."""
    for info in pkgutil.walk_packages(spectator.__path__, "spectator."):
        if ".migrations" not in info.name and not info.name.endswith(("__main__", "commands")):
            yield from vars(importlib.import_module(info.name)).values()


def lazy_texts(value: Any) -> Iterator[str]:
    """Yield the English texts in a table that are translated when they are shown."""
    if isinstance(value, LazyProxy):
        yield text_checks.lazy_message(value)
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from lazy_texts(entry)
    elif isinstance(value, tuple | list | set | frozenset):
        for entry in value:
            yield from lazy_texts(entry)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from lazy_texts(getattr(value, field.name))


def test_no_limit_or_interval_is_zero() -> None:
    """A limit of zero refuses everybody, and a wait of zero occupies a core."""
    names = set()
    for info in pkgutil.walk_packages(spectator.__path__, "spectator."):
        if ".migrations" in info.name or info.name.endswith(("__main__", "commands")):
            continue
        for name, value in vars(importlib.import_module(info.name)).items():
            parts = value if isinstance(value, tuple) else (value,)
            numbers = [part for part in parts if isinstance(part, int | float | timedelta)]
            if name.isupper() and name != "TYPE_CHECKING" and numbers:
                names.add(name)
                assert all(numbers), (info.name, name)
    assert len(names) > 150


def test_limits_times_and_weights_are_those_that_were_chosen() -> None:
    """Small data reaches few limits, and no small test notices a slightly wrong weight.

    After a change on purpose run `python -m tests.constants`; what documents and benchmarks say of
    the value must still hold.
    """
    pinned = constants.FILE.read_text(encoding="utf-8").splitlines()
    assert len(pinned) > 350
    current = set(constants.current_lines())
    assert [line for line in pinned if line not in current] == []


def test_every_text_of_a_table_is_in_the_catalogues() -> None:
    messages = text_checks.known_messages()
    texts = [text for table in module_values() for text in lazy_texts(table)]
    assert len(texts) > 300
    assert [text for text in texts if text not in messages] == []


def test_every_field_and_setting_has_its_words() -> None:
    for name, field in FIELDS.items():
        assert is_dataclass(field)
        blank = [row.name for row in fields(field) if getattr(field, row.name) == ""]
        assert set(blank) <= {"required"}, name
        assert re.fullmatch(LABEL, str(field.label)), name
    for setting in SETTINGS:
        assert re.fullmatch(r"[A-Z_]+", setting.name)
        assert len(setting.description) > 10, setting.name
