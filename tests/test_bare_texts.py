"""Every text that people see can be translated: none is written beside the catalogues."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from babel.support import LazyProxy
from jinja2 import nodes

from spectator.newsroom import errors as newsroom_errors
from spectator.newsroom.notices import NOTICES, STATUS_LABELS
from spectator.publishing.actions import ACTIONS, PAST_TENSES
from spectator.publishing.fields import FIELDS
from spectator.site import errors as site_errors
from spectator.site.results import FACET_NAMES, SORT_LABELS
from tests.bare_strings import find_bare_sentences
from tests.bare_texts import ENVIRONMENT, TRANSLATING_FUNCTIONS, find_bare_texts

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
# Names and keys of the keyboard, which are the same in every language, an example of a search, and
# what templates write into attributes.
SAME_IN_ALL = {
    *("HTML", "RSS", "WhatsApp", "Facebook", "Control", "Ctrl", '"free and fair"'),
    *("noindex", "noindex,follow", "max-image-preview:large", "opinion"),
}
# Sentences for machines and developers, by module.
ENGLISH_MODULES = {
    "config.py": "the default tagline",
    "metrics.py": "descriptions of figures for Prometheus",
    "site/metrics.py": "descriptions of figures for Prometheus",
    "search/__init__.py": "descriptions of attributes",
    "text/compare/diff.py": "the template has a text of its own",
    "text/places/gazetteer.py": "an error in a table of this repository",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_bare_texts(path: Path) -> None:
    texts = find_bare_texts(path.read_text("utf-8"))
    assert [text for text in texts if text.text not in SAME_IN_ALL] == []


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("<p>Not saved</p>", ["Not saved"]),
        ('<p title="Not saved">{{ name }}</p>', ["Not saved"]),
        ("<p>{{ name }} saved it</p>", ["\ue0000\ue001 saved it"]),
        ("<p>{{ 'Draft' if x else _('Story') }}</p>", ["Draft"]),
        ("{{ field('a', 'Your email') }}", ["Your email"]),
        ("{% set title = 'A new story' %}", ["A new story"]),
        ("{% if x %}yes{% else %}no{% endif %}", ["no", "yes"]),
        ("{{ _('Not saved') }}", []),
        ("{% trans %}Not <b>saved</b>{% endtrans %}", []),
        ("{% trans n=1 %}One{% pluralize %}Two or more{% endtrans %}", []),
        ('<a class="secondary" href="/new story">{{ label }} · × 1</a>', []),
        ("<script>const words = 'Not saved';</script>{# A comment #}", []),
    ],
)
def test_bare_texts_of_templates_are_reported(source: str, texts: list[str]) -> None:
    assert [text.text for text in find_bare_texts(source)] == texts


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_translate_only_their_own_texts(path: Path) -> None:
    """A variable as the text would be looked up as HTML; a variable `_` would hide the function."""
    tree = ENVIRONMENT.parse(path.read_text("utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in TRANSLATING_FUNCTIONS:
            assert all(isinstance(text, nodes.Const) for text in call.args[:1]), path
    names = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    assert not names & TRANSLATING_FUNCTIONS


def test_sentences_in_python_can_be_translated() -> None:
    bare = {}
    for path in sorted((ROOT / "spectator").rglob("*.py")):
        name = path.relative_to(ROOT / "spectator").as_posix()
        if name.startswith("migrations/") or name in ENGLISH_MODULES:
            continue
        if sentences := find_bare_sentences(path.read_text("utf-8")):
            bare[name] = sentences
    assert bare == {}


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('raise ValidationError({"a": "Write a headline."})', ["Write a headline."]),
        ('fail(f"There is no file {name}.")', ["There is no file {}."]),
        ('x = gettext("Write a headline.")', []),
        ('log.error("The worker stopped at %s.", 1)', []),
        ('raise RuntimeError("Nobody may call this.")', []),
        ('def f():\n    """Return the text of a file."""', []),
    ],
)
def test_bare_sentences_of_python_are_reported(source: str, texts: list[str]) -> None:
    assert [text for _, text in find_bare_sentences(source)] == texts


def test_tables_have_texts_that_are_translated_when_they_are_shown() -> None:
    texts = [
        *(text for rule in ACTIONS.values() for text in (rule.label, rule.past, rule.notice)),
        *(text for rule in ACTIONS.values() for text in (rule.own_label, *rule.labels.values())),
        *(text for field in FIELDS.values() for text in (field.label, field.required)),
        *(text for pair in newsroom_errors.MESSAGES.values() for text in pair),
        *(text for pair in site_errors.MESSAGES.values() for text in pair),
        *(*NOTICES.values(), *STATUS_LABELS.values(), *PAST_TENSES.values()),
        *(*FACET_NAMES.values(), *SORT_LABELS.values()),
    ]
    assert [text for text in texts if text != "" and not isinstance(text, LazyProxy)] == []


def test_no_text_is_translated_within_a_formatted_string() -> None:
    """Babel does not see calls within f-strings, so no catalogue would have the text."""
    calls = [
        f"{path.name}: {ast.unparse(call)}"
        for path in sorted((ROOT / "spectator").rglob("*.py"))
        for string in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(string, ast.JoinedStr)
        for call in ast.walk(string)
        if isinstance(call, ast.Call) and "gettext" in ast.unparse(call.func)
    ]
    assert calls == []
