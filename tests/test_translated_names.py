"""Names of sections and topics in other languages: who stores them, and where readers see them."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import create_app, indexing, publishing
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


def translate(
    entity: Section | Topic, by: User, own_description: str | None = None, **names: str | NameText
) -> None:
    """Store names by language, some with a description.

    `own_description` is a section's description in the language of the site.
    """
    db.session.rollback()
    entity = db.session.merge(entity)
    texts = {
        language: NameText(name) if isinstance(name, str) else name
        for language, name in names.items()
    }
    if own_description is not None:
        texts[OWN] = NameText(description=own_description)
    version = publishing.texts_version(publishing.stored_texts(entity))
    publishing.translate_name(entity.__tablename__, entity.id, by, texts, version)
    db.session.rollback()


@pytest.fixture
def stories(app: Flask, editor: User) -> dict[str, str]:
    """Paths of stories in English, French and Arabic, each about two topics."""
    paths = {}
    for language, headline in (("en", "Vote"), ("fr", "Scrutin"), ("ar", "Iqtira")):
        draft = make_draft(
            headline=headline,
            section="politics",
            language=language,
            topics=("Elections", "Trade"),
        )
        publishing.create(draft, editor, Action("publish"))
        paths[language] = f"/politics/{headline.lower()}"
    return paths


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


def open_site_again(app: Flask, **changes: str) -> FlaskClient:
    """Return the client of another app with the same data, as another process would have it."""
    other = create_app(settings(app.config["DATA_DIR"], **changes))
    other.extensions["page_cache"].poll_seconds = 0.0  # ask the database at each request
    return other.test_client()


def test_every_process_shows_a_new_name_at_once(
    app: Flask, stories: dict[str, str], editor: User, client: FlaskClient
) -> None:
    readers = (client, open_site_again(app))
    for name, shown_name in (("", "Politics"), ("Politique", "Politique"), ("", "Politics")):
        translate(section(), editor, fr=name)
        for reader in readers:
            assert f">{shown_name}</a>" in reader.get(stories["fr"]).text
    assert db.session.query(NameTranslation).count() == 0, "an empty name leaves no row"


@pytest.fixture
def french_client(app: Flask, stories: dict[str, str]) -> FlaskClient:
    """Client of the same site, configured in French."""
    return open_site_again(app, SPECTATOR_LANGUAGE="fr")


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
    # Names are translated, paths are not.
    assert french_client.get("/politique/").status_code == 404


def test_each_edition_has_the_names_of_its_language(
    app: Flask, stories: dict[str, str], editor: User
) -> None:
    translate(section(), editor, "Power", fr=NameText("Politique", "Le pouvoir"))
    client = open_site_again(app, SPECTATOR_LANGUAGES="en,fr,ar")
    french, english = client.get("/fr/politics/").text, client.get("/politics/").text
    assert "<h1>Politique</h1>" in french and '<p class="dek">Le pouvoir</p>' in french
    assert "<h1>Politics</h1>" in english and '<p class="dek">Power</p>' in english
    arabic = client.get("/ar/politics/").text
    assert "<h1>Politics</h1>" in arabic, "without a translation"
    assert "Power" not in arabic, "the section's own description is in English"


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
    translate(section(), editor, "Power & <who> holds it")
    escaped = "Power &amp; &lt;who&gt; holds it"
    page = client.get("/politics/").text
    assert f'<p class="dek">{escaped}</p>' in page and meta.format(escaped) in page
    with app.test_request_context("/"), use_language("ar"):
        assert section_description(section()) == "", "its own description is in English"
    translate(section(), editor, fr=NameText(description="Le pouvoir"))
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
    proof = post(newsroom, f"{NEW_STORY}/proof", unsaved)  # stores the form as an autosave
    form_id = proof.location.rpartition("=")[2]
    page = newsroom.get(f"{NEW_STORY}/preview?copy={form_id}").text
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
        form
        | {
            "name-fr": " Politique ",
            "description-fr": "Le pouvoir",
            f"description-{OWN}": "Who governs",
        },
    )
    assert response.status_code == 303
    assert response.location.endswith(f"?kind=section&done=names#section-{politics.id}")
    assert "Names saved." in newsroom.get(response.location).text
    row = db.session.get(NameTranslation, ("section", politics.id, "fr"))
    assert row and (row.name, row.description) == ("Politique", "Le pouvoir")
    assert section().description == "Who governs"
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


def listed_topics(newsroom: FlaskClient, text: str = "") -> list[str]:
    """Return the names of the topics on the page, those that `text` finds."""
    page = newsroom.get(TAXONOMY, query_string={"kind": "topic", "q": text}).text
    return re.findall(r"<bdi>(\w+)</bdi>", page.partition("<main")[2])


def test_topics_with_most_stories_come_first(
    stories: dict[str, str], editor: User, newsroom: FlaskClient
) -> None:
    draft = make_draft(headline="Only trade", section="business", topics=("Trade",))
    publishing.create(draft, editor, Action("publish"))
    assert listed_topics(newsroom) == ["Trade", "Elections"]


def test_topics_are_found_by_a_part_of_any_of_their_names(
    stories: dict[str, str], editor: User, newsroom: FlaskClient
) -> None:
    translate(topic("Elections"), editor, ar="انتخابات")
    assert listed_topics(newsroom, "elec") == listed_topics(newsroom, "تخاب") == ["Elections"]
    assert listed_topics(newsroom, "%") == [], "it is no wildcard"
    assert "No name matches." in newsroom.get(f"{TAXONOMY}?kind=topic&q=xyz").text


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
    has_next = [
        'rel="next"' in newsroom.get(f"{TAXONOMY}?kind=topic&page={n}").text for n in (1, 2, 3)
    ]
    assert has_next == [True, True, False]
    for page in ("0", "x", "99999999999999999999"):
        assert newsroom.get(f"{TAXONOMY}?kind=topic&page={page}").status_code == 200


def test_authors_cannot_translate_names(
    app: Flask, stories: dict[str, str], newsroom: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    politics = section()
    assert author.get(TAXONOMY).status_code == 403
    assert "Sections and topics" in newsroom.get("/newsroom/stories/").text
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
    # The form keeps what the person typed. Sent again as it is, it would remove the colleague's
    # Arabic name, since that field is empty in it: so the person copies the name.
    retry = forms_of(response.text)[path] | {"name-ar": "سياسة"}
    assert post(newsroom, path, retry).status_code == 303
    stored = publishing.stored_texts(section())
    assert (stored["fr"].name, stored["ar"].name) == ("La politique", "سياسة")
    # A form that changes nothing is no conflict, even if it is of an old version.
    unchanged = {"name-fr": "La politique", "version": "old"}
    assert post(newsroom, path, unchanged).status_code == 303


def test_sections_have_different_names_but_topics_may_share_one(
    stories: dict[str, str], editor: User, newsroom: FlaskClient
) -> None:
    translate(section("business"), editor, fr="Économie")
    for name in ("economie", "Society"):  # a translation, and the own name of another section
        path = f"{TAXONOMY}section/{section().id}"
        form = forms_of(newsroom.get(TAXONOMY).text)[path]
        response = post(newsroom, path, form | {"name-fr": name})
        assert response.status_code == 422
        assert "already has this name. Choose another name." in response.text
        assert f'value="{name}"' in response.text
    translate(section(), editor, ar="Économie")  # no other section has it in Arabic
    translate(topic("Elections"), editor, fr="Scrutins")
    translate(topic("Trade"), editor, fr="Scrutins")


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"fr": NameText("x" * 121)}, "name-fr"),
        ({"fr": NameText("x", "y" * 301)}, "description-fr"),
        ({OWN: NameText("", "y" * 301)}, f"description-{OWN}"),
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


def test_only_existing_sections_and_topics_have_translated_names(editor: User) -> None:
    with pytest.raises(publishing.NotFoundError):
        publishing.translate_name("topic", 9999, editor, {"fr": NameText("x")}, "")
    with pytest.raises(publishing.NotFoundError):
        publishing.translate_name("author", 1, editor, {"fr": NameText("x")}, "")


def test_unexpected_fields_of_a_form_are_ignored(
    stories: dict[str, str], newsroom: FlaskClient
) -> None:
    path = f"{TAXONOMY}topic/{topic('Elections').id}"
    form = forms_of(newsroom.get(f"{TAXONOMY}?kind=topic").text)[path]
    unexpected = {
        "name-tlh",  # not a language of readers
        f"name-{OWN}",  # not changed on this page
        f"description-{OWN}",  # only sections have descriptions
        "description-fr",
    }
    assert post(newsroom, path, form | dict.fromkeys(unexpected, "x")).status_code == 303
    assert publishing.stored_texts(topic("Elections")) == {OWN: NameText()}


def test_names_of_missing_topics_and_other_kinds_are_not_found(
    stories: dict[str, str], newsroom: FlaskClient
) -> None:
    form = {"name-fr": "x"}
    assert post(newsroom, f"{TAXONOMY}topic/9999", form).status_code == 404
    assert post(newsroom, f"{TAXONOMY}author/1", form).status_code == 404


def test_languages_with_names_are_offered_even_without_stories(
    app: Flask, editor: User, newsroom: FlaskClient
) -> None:
    assert "Once stories are published in another language" in newsroom.get(TAXONOMY).text
    translate(section(), editor, sw="Siasa")
    page = newsroom.get(TAXONOMY).text
    assert "Name in Swahili" in page and 'value="Siasa"' in page
