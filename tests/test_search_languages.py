"""Names of countries and topics in every language find the same stories, and steal no word."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import create_app, publishing, queries
from spectator.db import db
from spectator.models import Topic, User
from spectator.publishing import Action, NameText
from spectator.search import Document, Index, SearchRequest
from spectator.search.language.parser import parse_query
from spectator.text.places.country_names import (
    COMMON_WORDS,
    LANGUAGES,
    SHARED_NAMES,
    find_translated_country,
)
from spectator.text.places.gazetteer import COUNTRIES, country_by_code, name_words
from tests.conftest import make_draft, settings
from tests.search_engines import MakeIndex
from tests.search_samples import document, search_ids


def ids_of(*stories: Document) -> set[int]:
    return {story.id for story in stories}


def about(code: str, headline: str, body: str = "", **fields: object) -> Document:
    """Return a story that is filed under a country, with the names that the index knows."""
    country = country_by_code(code)
    assert country is not None
    names = "\n".join((country.name, *country.aliases))
    return document(headline, body, countries=(country.slug,), names=names, **fields)


IVORY = about("CI", "Cocoa prices fall")
FRENCH_IVORY = about("CI", "Le cacao", "Le président ivoirien", language="fr")
ARABIC_IVORY = about("CI", "أسعار الكاكاو", "في ساحل العاج", language="ar")
NIGER, NIGERIA = about("NE", "Uranium mines"), about("NG", "Naira notes")
GUINEA, BISSAU = about("GN", "Bauxite"), about("GW", "Cashews")
EQUATORIAL, PAPUA = about("GQ", "Oil fields"), about("PG", "Highlands")
KINSHASA, BRAZZAVILLE = about("CD", "Cobalt"), about("CG", "Timber")
CHAD, CHAD_BAKER = about("TD", "Lake levels"), document("Chad Baker wins", "A runner named Chad.")
EGYPT, MALI, CHINA = about("EG", "Canal fees"), about("ML", "Cotton"), about("CN", "Loans")
ARABIC_MONEY = document("تقرير مالي", "النظام المالي والبنك", language="ar")
SWAHILI = document("Mali ya umma", "Sina mali, wala gari; barani Afrika.", language="sw")
STORIES = [
    *(IVORY, FRENCH_IVORY, ARABIC_IVORY, NIGER, NIGERIA, GUINEA, BISSAU, EQUATORIAL, PAPUA),
    *(KINSHASA, BRAZZAVILLE, CHAD, CHAD_BAKER, EGYPT, MALI, CHINA, ARABIC_MONEY, SWAHILI),
]


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> Index:
    index = make_index()
    index.rebuild(STORIES, 7)
    return index


@pytest.mark.parametrize(
    "text",
    [
        *("Ivory Coast", "Côte d'Ivoire", "Costa do Marfim", "ساحل العاج", "Kodivuwa", "ኮትዲቯር"),
        *("Aibari Kwas", "Kóútè forà", "COSTA DO MARFIM", 'country:"Costa do Marfim"'),
        "country:kodivuwa",
    ],
)
def test_all_names_of_a_country_find_the_same_stories(index: Index, text: str) -> None:
    assert search_ids(index, text) >= ids_of(IVORY, FRENCH_IVORY, ARABIC_IVORY)
    assert len(search_ids(index, text)) == 3


@pytest.mark.parametrize(
    ("text", "stories"),
    [
        ("النيجر", {NIGER}),
        ("نيجيريا", {NIGERIA}),
        ("Nijar", {NIGER}),
        ("Nàìjíríà", {NIGERIA}),
        ("Guiné-Bissau", {BISSAU}),
        ("غينيا الاستوائية", {EQUATORIAL}),
        ("Papua-Nova Guiné", {PAPUA}),
        ("الكونغو - كينشاسا", {KINSHASA}),
        # As their English names do.
        ("Kongo - Brazzaville", {BRAZZAVILLE, KINSHASA}),
        ("Congo-Brazzaville", {BRAZZAVILLE, KINSHASA}),
        ("Tsadi", {CHAD, CHAD_BAKER}),
        ("Misri", {EGYPT}),
        ("مصر", {EGYPT}),
        ("Uchina", {CHINA}),
        # One word for two countries, and words that mean something else, name none.
        ("Kongo", set()),
        ("naija", set()),
        ("barani", {SWAHILI}),
        ("sina", {SWAHILI}),
    ],
)
def test_similar_names_find_no_neighbour(index: Index, text: str, stories: set[Document]) -> None:
    assert search_ids(index, text) == ids_of(*stories)


def test_a_name_beside_other_words_is_an_ordinary_word(index: Index) -> None:
    results = index.find(SearchRequest("misri canal"))
    assert results.mode == "any" and results.term_counts[0] == ("misri", 0)
    assert parse_query("Misri uchaguzi").included[0].alternative_names == ()
    (clause, _) = parse_query("Costa do Marfim cacau").included  # several words are unmistakable
    assert ("ivory", "coast") in clause.alternative_names


def test_stories_with_the_words_come_before_those_of_the_country(index: Index) -> None:
    ids = index.find(SearchRequest("مالي")).ids
    assert ids[0] == ARABIC_MONEY.id and set(ids) == ids_of(ARABIC_MONEY, MALI, SWAHILI)
    ids = index.find(SearchRequest("ساحل العاج")).ids
    assert ids[0] == ARABIC_IVORY.id


def test_english_names_find_what_they_found_before(index: Index) -> None:
    assert search_ids(index, "mali") == ids_of(MALI, SWAHILI)
    assert search_ids(index, "chad") == ids_of(CHAD, CHAD_BAKER)
    assert index.find(SearchRequest("chad")).ids[0] == CHAD_BAKER.id  # the word is in the text
    assert not any(clause.is_translated for clause in parse_query("chad niger").included)


def test_every_catalogue_language_names_every_african_country() -> None:
    # Names that are equal to one in the gazetteer, or shared, are found there or nowhere.
    from babel import Locale

    assert len(LANGUAGES) == 17
    for language in LANGUAGES:
        territories = Locale.parse(language).territories
        for country in COUNTRIES:
            words = name_words(territories.get(country.code, ""))
            named = find_translated_country(words)
            assert named in {country, None}, (language, country.code)
            if country.is_african and country.code not in SHARED_NAMES and len(words) > 1:
                assert named is country or words in {
                    name_words(name) for name in (country.name, *country.aliases)
                }


def test_common_words_name_no_country() -> None:
    assert {find_translated_country((word,)) for word in COMMON_WORDS} == {None}
    for word in ("end", "sin", "sina", "siri", "gene", "island", "congo", "koria"):
        assert find_translated_country((word,)) is None


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        *(("costa do ma", ["ivory-coast"]), ("ساحل", ["ivory-coast"]), ("misr", ["egypt"])),
        *(("mi", []), ("ni", ["niger", "nigeria"]), ("costa x", [])),
    ],
)
def test_suggestions_know_names_in_other_languages(
    index: Index, text: str, slugs: list[str]
) -> None:
    assert index.suggest(text).countries[: len(slugs) or 1] == slugs


def test_synonyms_are_found_after_the_name_itself(make_index: MakeIndex) -> None:
    index = make_index()
    english, french = document("Elections in May"), document("Élections en mai", language="fr")
    trade = document("Trade talks", "A deal on elections of judges.")
    index.rebuild([english, french, trade, *STORIES], 7)
    synonyms = {("uchaguzi",): (("elections",),), ("free", "trade"): (("commerce", "libre"),)}
    results = index.find(SearchRequest("Uchaguzi", synonyms=synonyms))
    assert set(results.ids) == ids_of(english, french, trade)
    # Beside other words, one word is an ordinary one.
    assert index.find(SearchRequest("uchaguzi deal", synonyms=synonyms)).ids == [trade.id]
    assert index.find(SearchRequest("uchaguzi deal", synonyms=synonyms)).mode == "any"


@pytest.fixture
def translated_topic(app: Flask, editor: User) -> Topic:
    """A public topic “Elections” with names in Swahili and Arabic, and a secret one."""
    draft = make_draft(headline="Ballots counted", topics=("Elections",))
    publishing.create(draft, editor, Action("publish"))
    secret = make_draft(headline="A secret", topics=("Merger",))
    publishing.create(secret, editor)
    names = {"Elections": {"sw": "Uchaguzi mkuu", "ar": "انتخابات"}, "Merger": {"sw": "Muungano"}}
    for name, texts in names.items():
        topic = db.session.query(Topic).filter_by(name=name).one()
        values = {language: NameText(text) for language, text in texts.items()}
        version = publishing.texts_version(publishing.stored_texts(topic))
        publishing.translate_name("topic", topic.id, editor, values, version)
    return db.session.query(Topic).filter_by(name="Elections").one()


def test_every_name_of_a_topic_finds_its_stories(
    client: FlaskClient, translated_topic: Topic, catch_up: Callable[[], None]
) -> None:
    catch_up()
    for text in ("Elections", "uchaguzi  MKUU", "انتخابات", "Uchaguzi mkuu ballots"):
        page = client.get(f"/search?q={quote(text)}").text
        assert "/politics/ballots-counted" in page, text
        feed = client.get(f"/search/feed.xml?q={quote(text)}").text
        assert "/politics/ballots-counted" in feed, text
    assert "ballots-counted" not in client.get("/search?q=uchaguzi").text  # not the whole name


def test_names_of_secret_topics_are_no_synonyms(translated_topic: Topic) -> None:
    assert queries.topic_synonyms("Muungano") == queries.topic_synonyms("merger") == {}
    uchaguzi, arabic = ("uchaguzi", "mkuu"), ("انتخابات",)
    synonyms = queries.topic_synonyms("the uchaguzi mkuu of")
    assert synonyms == {
        ("elections",): (arabic, uchaguzi),
        arabic: (("elections",), uchaguzi),
        uchaguzi: (("elections",), arabic),
    }
    assert queries.topic_synonyms("") == queries.topic_synonyms("%_' \x00") == {}
    assert queries.topic_synonyms("a " * 5000) == {}


def test_a_topic_whose_name_has_no_words_is_no_synonym(
    translated_topic: Topic, editor: User
) -> None:
    """The folded form of this name, a tatweel, is empty."""
    publishing.create(make_draft(headline="Signs", topics=("ـ",)), editor, Action("publish"))
    sign = db.session.query(Topic).filter_by(name="ـ").one()
    assert sign.folded_form == ""
    version = publishing.texts_version(publishing.stored_texts(sign))
    names = {"fr": NameText("Signe"), "sw": NameText("Ishara")}
    publishing.translate_name("topic", sign.id, editor, names, version)
    assert queries.topic_synonyms("the vote of today") == {}
    assert set(queries.topic_synonyms("uchaguzi mkuu")) == {
        ("elections",),
        ("uchaguzi", "mkuu"),
        ("انتخابات",),
    }


def test_stories_of_other_editions_are_behind_a_link(
    app: Flask, editor: User, catch_up: Callable[[], None]
) -> None:
    stories = (
        ("en", "Cocoa"),
        ("fr", "Cacao"),
        ("fr-SN", "Encore"),
        ("ar", "Kakaw"),
        ("sw", "S"),
    )
    for language, headline in stories:
        draft = make_draft(
            headline=headline, language=language, countries=("CI",), topics=("Trade",)
        )
        publishing.create(draft, editor, Action("publish"))
    catch_up()
    environ = settings(app.config["DATA_DIR"], SPECTATOR_LANGUAGES="en,fr,ar")
    client = create_app(environ).test_client()
    query = f"/search?q={quote('Costa do Marfim')}"
    english, french = client.get(query).text, client.get(f"/fr{query}").text
    encoded = "/search?q=Costa+do+Marfim"
    assert "/politics/cocoa" in english and "/politics/s" in english
    assert "/politics/cacao" not in english and "/politics/kakaw" not in english
    assert f'href="/fr{encoded}"' in english and "Français</bdi>: 2 stories" in english
    assert f'href="/ar{encoded}"' in english and "العربية</bdi>: 1 story" in english
    assert "/politics/cacao" in french and "/politics/cocoa" not in french
    assert f'href="{encoded}"' in french and "English</bdi>: 2 articles" in french
    fragment = client.get(f"/fr/fragments{query}").text
    assert f'href="/ar{encoded}"' in fragment
    # Neither with a language of the reader's choice nor with one edition.
    assert "</bdi>: " not in client.get(f"{query}&language=fr").text
    assert "hreflang" not in app.test_client().get(query).text
    assert client.get("/fr/search?q=nothing+at+all").status_code == 200
