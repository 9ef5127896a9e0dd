"""Names of sections and topics in other languages: who stores them, and where readers see them."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import create_app, indexing, outbox, publishing
from spectator.db import db
from spectator.i18n import use_language
from spectator.models import NameTranslation, Section, Topic, User
from spectator.navigation import section_description
from spectator.publishing import OWN, Action, NameText
from tests.conftest import make_draft, settings
from tests.newsroom_client import NEW_STORY, logged_in_client, post, story_form

TAXONOMY = "/newsroom/taxonomy/"


def section(slug: str = "politics") -> Section:
    return db.session.query(Section).filter_by(slug=slug).one()


def topic(name: str) -> Topic:
    return db.session.query(Topic).filter_by(name=name).one()


def translate(entity: Section | Topic, by: User, **names: str | tuple[str, str]) -> None:
    """Store names (and descriptions) by language; `own` is the section's own description."""
    db.session.rollback()
    entity = db.session.merge(entity)
    texts = {
        OWN if language == "own" else language: NameText(
            *((text,) if isinstance(text, str) else text)
        )
        for language, text in names.items()
    }
    version = publishing.texts_version(publishing.stored_texts(entity))
    publishing.translate_name(entity.__tablename__, entity.id, by, texts, version)
    db.session.rollback()


@pytest.fixture
def stories(app: Flask, editor: User) -> dict[str, str]:
    """Addresses of stories in English, French and Arabic, about one topic."""
    addresses = {}
    for language, headline in (("en", "Vote"), ("fr", "Scrutin"), ("ar", "Iqtira")):
        draft = make_draft(
            headline=headline,
            section="politics",
            language=language,
            topics=("Elections", "Trade"),
        )
        publishing.create(draft, editor, Action("publish"))
        addresses[language] = f"/politics/{headline.lower()}"
    return addresses


def test_a_page_shows_names_in_its_language(
    stories: dict[str, str], editor: User, client: FlaskClient
) -> None:
    translate(section(), editor, fr="Politique", ar="سياسة")
    translate(topic("Elections"), editor, fr="Élections", ar="انتخابات")
    french, arabic = client.get(stories["fr"]).text, client.get(stories["ar"]).text
    english = client.get(stories["en"]).text
    breadcrumb, navigation = '<a href="/politics/">{}</a>', 'aria-current="true">{}</a>'
    for page, name in ((french, "Politique"), (arabic, "سياسة"), (english, "Politics")):
        assert breadcrumb.format(name) in page and navigation.format(name) in page
        assert f'"articleSection":"{name}"' in page and f'"name":"{name}"' in page
        assert f'property="article:section"\n      content="{name}"' in page
    chip = '<li><a href="/topic/elections/">{}</a></li>'
    assert chip.format("Élections") in french and chip.format("انتخابات") in arabic
    assert chip.format("Elections") in english
    assert '/topic/trade/">Trade<' in french  # without a translation
    assert "Politics" not in french and "Elections" not in french


def test_every_process_shows_a_new_name_at_once(
    app: Flask, stories: dict[str, str], editor: User, client: FlaskClient
) -> None:
    assert ">Politics</a>" in client.get(stories["fr"]).text
    before = outbox.newest_number()
    translate(section(), editor, fr="Politique")
    assert outbox.newest_number() == before + 1
    assert ">Politique</a>" in client.get(stories["fr"]).text
    translate(section(), editor, fr="")
    assert ">Politics</a>" in client.get(stories["fr"]).text
    assert db.session.query(NameTranslation).count() == 0


@pytest.fixture
def french_client(app: Flask, stories: dict[str, str]) -> FlaskClient:
    """Reader of the same site with French as its language, whose lists are in French."""
    french = create_app(settings(app.config["DATA_DIR"], SPECTATOR_LANGUAGE="fr"))
    french.extensions["page_cache"].poll_seconds = 0.0
    return french.test_client()


def test_lists_feeds_and_search_show_names_in_their_language(
    app: Flask, stories: dict[str, str], editor: User, french_client: FlaskClient
) -> None:
    translate(section(), editor, fr="Politique")
    translate(topic("Elections"), editor, fr="Élections")
    indexing.catch_up(indexing.open_public_index(app.config["DATA_DIR"]))
    front, listing = french_client.get("/").text, french_client.get("/politics/").text
    assert "<b>Politique</b>" in front and "<h1>Politique</h1>" in listing
    assert "<title>Politique – " in listing and "Politics" not in front + listing
    topic_page = french_client.get("/topic/elections/").text
    assert "<h1>Élections</h1>" in topic_page and "<b>Politique</b>" in topic_page
    feed = french_client.get("/politics/feed.xml").text
    assert "<title>Politique – " in feed and "<category>Politique</category>" in feed
    results = french_client.get("/search?q=&section=politics&topic=elections").text
    assert "Sujet\u00a0: Élections" in results and ">Politique</option>" in results
    suggested = french_client.get("/fragments/suggest?q=elect").text
    assert "<bdi>Élections</bdi>" in suggested
    # The addresses are the same in every language.
    assert french_client.get("/topic/elections/").status_code == 200


def test_each_edition_has_the_names_of_its_language(
    app: Flask, stories: dict[str, str], editor: User
) -> None:
    translate(section(), editor, fr=("Politique", "Le pouvoir"), own=("", "Power"))
    languages = {"SPECTATOR_LANGUAGES": "en,fr,ar", "SPECTATOR_DEFAULT_EDITION": "all"}
    client = create_app(settings(app.config["DATA_DIR"], **languages)).test_client()
    french, english = client.get("/fr/politics/").text, client.get("/politics/").text
    assert "<h1>Politique</h1>" in french and '<p class="dek">Le pouvoir</p>' in french
    assert "<h1>Politics</h1>" in english and '<p class="dek">Power</p>' in english
    arabic = client.get("/ar/politics/").text
    assert "<h1>Politics</h1>" in arabic and "Power" not in arabic


def test_a_section_describes_itself_in_its_language(
    app: Flask,
    stories: dict[str, str],
    editor: User,
    client: FlaskClient,
    french_client: FlaskClient,
) -> None:
    meta = '<meta name="description"\n          content="{}">'
    assert meta.format("Politics: the newest stories of The African Spectator.") in (
        client.get("/politics/").text
    )
    translate(section(), editor, own=("", "Power & <who> holds it"))
    escaped = "Power &amp; &lt;who&gt; holds it"
    page = client.get("/politics/").text
    assert f'<p class="dek">{escaped}</p>' in page and meta.format(escaped) in page
    with app.test_request_context("/"), use_language("ar"):
        assert section_description(section()) == ""  # that of the site is not in Arabic
    translate(section(), editor, fr=("", "Le pouvoir"))
    page = french_client.get("/politics/").text
    assert '<p class="dek">Le pouvoir</p>' in page and "<h1>Politics</h1>" in page
    assert escaped in client.get("/politics/").text


def test_previews_show_translated_names(
    app: Flask, stories: dict[str, str], editor: User, newsroom: FlaskClient
) -> None:
    translate(section(), editor, fr="Politique")
    translate(topic("Elections"), editor, fr="Élections")
    topics = ("Elections", "Trade", "New")
    draft = make_draft(headline="Brouillon", section="politics", language="fr", topics=topics)
    draft_id = publishing.create(draft, editor)
    page = newsroom.get(f"/newsroom/stories/{draft_id}/preview").text
    assert all(f">{name}</a>" in page for name in ("Politique", "Élections", "Trade", "New"))
    unsaved = story_form(section="politics", language="fr", topics="Elections, Newer")
    proof = post(newsroom, f"{NEW_STORY}/proof", unsaved)
    copy = proof.location.rpartition("=")[2]
    page = newsroom.get(f"{NEW_STORY}/preview?copy={copy}").text
    assert all(f">{name}</a>" in page for name in ("Politique", "Élections", "Newer"))


def test_editors_translate_names_on_a_page(
    stories: dict[str, str], newsroom: FlaskClient, client: FlaskClient
) -> None:
    page = newsroom.get(TAXONOMY)
    assert "Name in French" in page.text and "Name in Arabic" in page.text
    assert "Name in Swahili" not in page.text and "Name in English" not in page.text
    politics, form = section(), forms_of(page.text)[f"{TAXONOMY}section/{section().id}"]
    response = post(
        newsroom,
        f"{TAXONOMY}section/{politics.id}",
        form | {"name-fr": " Politique ", "description-fr": "Le pouvoir"},
    )
    assert response.status_code == 303
    assert response.location.endswith(f"?kind=section&done=names#section-{politics.id}")
    assert "Names saved." in newsroom.get(response.location).text
    row = db.session.get(NameTranslation, ("section", politics.id, "fr"))
    assert row and (row.name, row.description) == ("Politique", "Le pouvoir")
    assert ">Politique</a>" in client.get(stories["fr"]).text


def forms_of(html: str) -> dict[str, dict[str, str]]:
    """Return the entries of every form of a page by the path of its action."""
    result = {}
    for action, body in re.findall(
        r'<form method="post"\s+action="([^"?]*)[^>]*>(.*?)</form>', html, re.S
    ):
        fields = re.findall(r'name="([^"]+)"\s+value="([^"]*)"', body)
        result[action] = dict(fields)
    return result


def test_topics_are_listed_by_stories_and_found_by_every_name(
    stories: dict[str, str], editor: User, newsroom: FlaskClient
) -> None:
    draft = make_draft(headline="Only trade", section="business", topics=("Trade",))
    publishing.create(draft, editor, Action("publish"))
    translate(topic("Elections"), editor, ar="انتخابات")
    page = newsroom.get(f"{TAXONOMY}?kind=topic").text.partition("<main")[2]
    assert re.findall(r"<bdi>(\w+)</bdi>", page) == ["Trade", "Elections"]
    for text in ("elec", "تخاب"):
        page = newsroom.get(f"{TAXONOMY}?kind=topic&q={text}").text.partition("<main")[2]
        assert re.findall(r"<bdi>(\w+)</bdi>", page) == ["Elections"]
    assert "No name matches." in newsroom.get(f"{TAXONOMY}?kind=topic&q=%25").text


def test_many_topics_are_on_several_pages(editor: User, newsroom: FlaskClient) -> None:
    for number in range(0, 45, 5):
        names = tuple(f"Topic {n:02}" for n in range(number, number + 5))
        publishing.create(make_draft(headline=f"Story {number}", topics=names), editor)
    numbers = [
        re.findall(
            r"<bdi>Topic (\d+)</bdi>", newsroom.get(f"{TAXONOMY}?kind=topic&page={n}").text
        )
        for n in (1, 2, 3)
    ]
    assert [len(page) for page in numbers] == [20, 20, 5]
    assert [int(n) for page in numbers for n in page] == list(range(45))
    assert 'rel="next"' not in newsroom.get(f"{TAXONOMY}?kind=topic&page=3").text
    for page in ("0", "x", "99999999999999999999"):
        assert newsroom.get(f"{TAXONOMY}?kind=topic&page={page}").status_code == 200


def test_authors_cannot_translate_names(app: Flask, stories: dict[str, str]) -> None:
    author = logged_in_client(app, "author")
    politics = section()
    assert author.get(TAXONOMY).status_code == 403
    assert "Sections and topics" not in author.get("/newsroom/stories/").text
    response = post(author, f"{TAXONOMY}section/{politics.id}", {"name-fr": "Politique"})
    assert response.status_code == 403
    user = db.session.query(User).filter_by(role="author").one()
    with pytest.raises(publishing.ForbiddenError):
        translate(politics, user, fr="Politique")
    assert db.session.query(NameTranslation).count() == 0


def test_a_colleague_is_not_overwritten(
    stories: dict[str, str], editor: User, newsroom: FlaskClient
) -> None:
    path = f"{TAXONOMY}section/{section().id}"
    form = forms_of(newsroom.get(TAXONOMY).text)[path]
    translate(section(), editor, fr="Politique", ar="سياسة")
    response = post(newsroom, path, form | {"name-fr": "La politique"})
    assert response.status_code == 409
    assert "Saved meanwhile: “<bdi>Politique</bdi>”" in response.text
    assert "Saved meanwhile: “<bdi>سياسة</bdi>”" in response.text
    assert 'value="La politique"' in response.text
    retry = forms_of(response.text)[path] | {"name-ar": "سياسة"}
    assert post(newsroom, path, retry).status_code == 303
    assert publishing.stored_texts(section())["fr"].name == "La politique"
    # What changes nothing is no conflict, whatever its version.
    unchanged = {"name-fr": "La politique", "version": "old"}
    assert post(newsroom, path, unchanged).status_code == 303


def test_sections_have_different_names_topics_may_share_one(
    stories: dict[str, str], editor: User, newsroom: FlaskClient
) -> None:
    translate(section("business"), editor, fr="Économie")
    for name in ("economie", "Society"):  # a translation, and the own name of another section
        path = f"{TAXONOMY}section/{section().id}"
        form = forms_of(newsroom.get(TAXONOMY).text)[path]
        response = post(newsroom, path, form | {"name-fr": name})
        assert (
            response.status_code == 422 and "is called so. Choose another name." in response.text
        )
        assert f'value="{name}"' in response.text
    translate(section(), editor, ar="Économie")  # another language
    translate(topic("Elections"), editor, fr="Scrutins")
    translate(topic("Trade"), editor, fr="Scrutins")


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"fr": NameText("x" * 121)}, "name-fr"),
        ({"fr": NameText("x", "y" * 301)}, "description-fr"),
        ({OWN: NameText("", "y" * 301)}, "description-"),
        ({"tlh": NameText("x")}, "name-tlh"),
    ],
)
def test_long_names_and_unknown_languages_are_refused(
    editor: User, texts: dict[str, NameText], field: str
) -> None:
    with pytest.raises(publishing.ValidationError) as refused:
        publishing.translate_name("section", section().id, editor, texts, "")
    assert list(refused.value.errors) == [field]


def test_hostile_names_are_cleaned_and_escaped(
    stories: dict[str, str], editor: User, client: FlaskClient
) -> None:
    translate(topic("Elections"), editor, fr="a\u202eb\n<script>")
    stored = publishing.stored_texts(topic("Elections"))["fr"]
    assert stored.name == "ab <script>"
    assert "ab &lt;script&gt;" in client.get(stories["fr"]).text
    with pytest.raises(publishing.NotFoundError):
        publishing.translate_name("topic", 9999, editor, {"fr": NameText("x")}, "")
    with pytest.raises(publishing.NotFoundError):
        publishing.translate_name("author", 1, editor, {"fr": NameText("x")}, "")


def test_a_form_with_foreign_fields_is_harmless(
    stories: dict[str, str], newsroom: FlaskClient
) -> None:
    path = f"{TAXONOMY}topic/{topic('Elections').id}"
    form = forms_of(newsroom.get(f"{TAXONOMY}?kind=topic").text)[path]
    hostile = {"name-tlh": "x", "name-": "x", "description-": "x", "description-fr": "x"}
    assert post(newsroom, path, form | hostile).status_code == 303
    assert publishing.stored_texts(topic("Elections")) == {OWN: NameText()}
    assert post(newsroom, f"{TAXONOMY}topic/9999", form).status_code == 404
    assert post(newsroom, f"{TAXONOMY}author/1", form).status_code == 404


def test_other_languages_with_names_stay_editable(
    app: Flask, editor: User, newsroom: FlaskClient
) -> None:
    assert "Once stories are published in another language" in newsroom.get(TAXONOMY).text
    translate(section(), editor, sw="Siasa")
    page = newsroom.get(TAXONOMY).text
    assert "Name in Swahili" in page and 'value="Siasa"' in page
