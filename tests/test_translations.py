"""Catalogues: every text is translated, or the header does not claim so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages import Catalog
from babel.messages.pofile import write_po
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from spectator import create_app, formats, i18n
from spectator.newsroom import URL_PREFIX
from spectator.script_texts import load_texts
from spectator.times import explain_ambiguous_time, format_moment
from tests import text_checks
from tests.catalogues import SourceMessage, problems, read_catalogue, source_messages
from tests.conftest import BASE, settings

CAIRO = ZoneInfo("Africa/Cairo")
CLOCKS_GO_BACK = datetime(2026, 10, 29, 23, 30)  # noqa: DTZ001 - a time as a form has it
FRENCH_QUESTION = (
    "À Africa/Cairo, les horloges reculent le 29 octobre 2026\u00a0: 23:30 a lieu deux fois"
)


def make_catalogue(**changes: str) -> Catalog:
    """Return a complete French catalogue with one entry, or with a broken one."""
    entry = {"id": "%(count)s story", "string": "%(count)s article"} | changes
    catalogue = Catalog("fr", header_comment="# French.\n# Complete: everything.")
    catalogue.add(**entry)  # type: ignore[arg-type]
    return catalogue


MESSAGES = (SourceMessage(None, ("%(count)s story",), frozenset({"templates/base.html"})),)


@pytest.mark.parametrize("language", i18n.translated_languages())
def test_catalogues_are_as_complete_as_they_say(language: str) -> None:
    assert source_messages(), "no texts were read"
    assert problems(read_catalogue(language), source_messages()) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"string": ""}, "missing: %(count)s story"),
        ({"id": "Other", "string": "Autre"}, "missing: %(count)s story"),
        ({"flags": {"fuzzy"}}, "fuzzy: %(count)s story"),
        ({"string": "%(counts)s article"}, "placeholders differ: %(counts)s article"),
        ({"string": "un article"}, "placeholders differ: un article"),
        ({"string": "%(count)s % article"}, "placeholders differ: %(count)s % article"),
        ({"string": "%(count)s story"}, "equal to its source: %(count)s story"),
        ({"string": '%(count)s "article"'}, 'straight quotes: %(count)s "article"'),
        ({"string": "%(count)s <b>article"}, "tags differ: %(count)s <b>article"),
    ],
)
def test_a_broken_entry_is_reported(changes: dict[str, str], problem: str | None) -> None:
    assert problems(make_catalogue(**changes), MESSAGES) == ([problem] if problem else [])


def test_a_catalogue_of_the_site_may_leave_out_the_newsroom() -> None:
    catalogue = make_catalogue()
    newsroom = SourceMessage(None, ("Kicker",), frozenset({"templates/newsroom/story.html"}))
    assert problems(catalogue, (*MESSAGES, newsroom)) == ["missing: Kicker"]
    catalogue.header_comment = "# Complete: site."
    assert problems(catalogue, (*MESSAGES, newsroom)) == []
    catalogue.header_comment = "# Almost."
    with pytest.raises(AssertionError, match="the header says"):
        problems(catalogue, MESSAGES)


def test_a_site_writes_in_its_language(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path, SPECTATOR_LANGUAGE="fr-SN"))
    with app.app_context():
        assert explain_ambiguous_time(CLOCKS_GO_BACK, CAIRO).startswith(FRENCH_QUESTION)
        assert formats.format_month(2026, 2) == "février 2026"
        assert formats.language_name("ha-Arab") == "haoussa (Arab)"
        assert formats.format_number(12345) == "12\u202f345"
        assert formats.country_name("Ivory Coast") == "Côte d’Ivoire"
        assert formats.country_name("South Africa") == "Afrique du Sud"
        assert formats.country_name("Atlantis") == "Atlantis"
        moment = datetime(2026, 2, 1, 23, 30, tzinfo=UTC)
        assert format_moment(moment, CAIRO) == (
            "2 févr. 2026, 01:30 Africa/Cairo (1 févr., 23:30 UTC)"
        )
        with i18n.use_language("en"):
            assert formats.format_long_date(date(2026, 2, 1)) == "1 February 2026"
            assert explain_ambiguous_time(CLOCKS_GO_BACK, CAIRO).startswith(
                "Clocks in Africa/Cairo"
            )
        assert i18n.current_language() == "fr"


def test_a_site_in_a_language_without_a_catalogue_writes_english(tmp_path: Path) -> None:
    app = create_app(settings(tmp_path, SPECTATOR_LANGUAGE="nqo"))
    with app.app_context():
        assert i18n.current_language() == "en"
        assert formats.format_number(12345) == "12,345"
    assert i18n.current_language() == "en"


def test_a_request_leaves_no_language_behind(app: Flask) -> None:
    with app.test_request_context():
        app.preprocess_request()
        i18n.set_language("fr")
        assert i18n.current_language() == "fr"
    assert i18n.current_language() == "en"


def test_an_outdated_compiled_catalogue_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A catalogue without a compiled file, or with an older one, is compiled in memory."""
    shutil.copytree(i18n.DIRECTORY / "fr", tmp_path / "fr")
    monkeypatch.setattr(i18n, "DIRECTORY", tmp_path)
    source = tmp_path / "fr/LC_MESSAGES/spectator.po"
    compiled = source.with_suffix(".mo")
    compiled.write_bytes(b"not a catalogue")
    source_time = source.stat().st_mtime
    os.utime(compiled, (source_time - 1, source_time - 1))
    read = i18n.load_catalogue.__wrapped__
    message = "Write a headline."
    assert read("fr").gettext(message) != message
    os.utime(compiled, (source_time, source_time))
    with pytest.raises(OSError, match="Bad magic number"):
        read("fr")
    compiled.unlink()
    assert read("fr").gettext(message) != message


def test_templates_escape_values_but_not_translations(app: Flask) -> None:
    with app.test_request_context():
        page = render_template_string(
            "{% autoescape true %}{{ _('<b>%(name)s</b>', name=name) }}"
            "{% trans count=2 %} {{ count }} <i>story</i>{% pluralize %} {{ count }} <i>stories</i>"
            "{% endtrans %}{% endautoescape %}",
            name="<script>",
        )
    assert page == "<b>&lt;script&gt;</b>2 <i>stories</i>"
    assert len(text_checks.take_problems()) == 2, "no catalogue has these texts"


def test_texts_of_tables_are_translated_when_they_are_shown() -> None:
    message = "Write a headline."
    label = i18n.lazy_gettext(message)
    assert label == message and f"{label}" == message
    with i18n.use_language("fr"):
        assert str(label) == i18n.gettext(message) != message


def test_pages_commands_and_scripts_of_a_french_site_are_french(
    fresh_data: Path, tmp_path: Path
) -> None:
    shutil.copytree(fresh_data, tmp_path / "data")
    environ = settings(tmp_path / "data", SPECTATOR_LANGUAGE="fr")
    page = create_app(environ).test_client().get(f"{URL_PREFIX}/login", base_url=BASE).text
    assert '<html lang="fr"' in page and "<h1>Se connecter</h1>" in page
    assert '"Sending…": "Envoi…"' in page.replace("\\u2026", "…")
    output = subprocess.run(
        [sys.executable, "-m", "spectator", "doctor", "--help"],
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Cherche les problèmes de cette installation" in output


def test_scripts_get_plural_forms_by_category() -> None:
    texts = load_texts("fr", is_newsroom=True)
    assert texts["%(count)s word"] == {
        "one": "%(count)s mot",
        "many": "%(count)s mots",
        "other": "%(count)s mots",
    }
    assert load_texts("en", is_newsroom=True) == {}
    assert texts.keys() > load_texts("fr", is_newsroom=False).keys()


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Directory of catalogues: a French one for readers, and a Hausa one that is not complete."""
    for language, parts, text in (
        ("fr", "site", "À lire aussi"),
        ("ha", "nothing yet", "Karanta"),
    ):
        path = tmp_path / "catalogues" / language / "LC_MESSAGES" / "spectator.po"
        path.parent.mkdir(parents=True)
        catalogue = Catalog(language, header_comment=f"# A test.\n# Complete: {parts}.")
        catalogue.add("You may also like", text)
        with path.open("wb") as file:
            write_po(file, catalogue)
    monkeypatch.setattr(i18n, "DIRECTORY", tmp_path / "catalogues")
    clear_caches()
    yield tmp_path
    clear_caches()


def clear_caches() -> None:
    i18n.load_catalogue.cache_clear()
    i18n.language_of_readers.cache_clear()
    i18n.translated_languages.cache_clear()
    i18n.newsroom_languages.cache_clear()


@pytest.mark.parametrize(
    ("tag", "page", "text"),
    [
        ("fr", "fr", "À lire aussi"),
        ("fr-SN", "fr", "À lire aussi"),
        ("en", "en", "You may also like"),
        ("ha", "en", "You may also like"),
        ("sw", "en", "You may also like"),
    ],
)
def test_the_page_of_a_story_is_written_in_its_language(
    catalogues: Path,
    client: FlaskClient,
    story: Callable[..., int],
    tag: str,
    page: str,
    text: str,
) -> None:
    article_id = story(headline="Une nouvelle", language=tag)
    html = client.get("/politics/une-nouvelle").text
    assert f'<html lang="{page}" dir="ltr">' in html and text in html
    assert re.search(f'<article[^>]* lang="{tag}"', html)
    assert text in client.get(f"/fragments/related/{article_id}").text
    assert '<html lang="en"' in client.get("/").text, "the site's own pages"


def test_no_catalogue_is_read_while_readers_wait(
    app: Flask, client: FlaskClient, story: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update of the checkout must not mix its catalogues with the code of a running process."""
    languages = i18n.readers_languages()
    assert {"fr", "ar", "am"} <= set(languages)
    monkeypatch.setattr(i18n, "DIRECTORY", Path("/nowhere"))
    for language in languages:
        story(headline=language, slug=language, language=language)
        assert f'<html lang="{language}"' in client.get(f"/politics/{language}").text


def test_an_english_story_of_a_french_site_has_an_english_page(
    catalogues: Path, app: Flask, story: Callable[..., int]
) -> None:
    story(headline="One story", language="en")
    story(headline="Une nouvelle", language="yo")
    french = create_app(settings(app.config["DATA_DIR"], SPECTATOR_LANGUAGE="fr"))
    client = french.test_client()
    assert '<html lang="en"' in client.get("/politics/one-story").text
    assert '<html lang="fr"' in client.get("/politics/une-nouvelle").text
