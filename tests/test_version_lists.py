"""Lists and related stories never show two versions of one story."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import indexing, publishing, queries
from spectator.db import db
from spectator.models import Related, User
from spectator.publishing import Action
from spectator.related import compute_related
from tests.conftest import make_draft
from tests.editions import in_languages

Story = Callable[..., int]


def listed(path: str) -> list[int]:
    """Return the ids of the stories of a list, read page by page."""
    listing = queries.listing_by_path(path)
    assert listing is not None
    ids: list[int] = []
    cursor = None
    while True:
        page = queries.stream(listing, cursor, limit=3)
        ids += [article.id for article in page.articles]
        cursor = page.cursor
        if cursor is None:
            return ids


@pytest.mark.parametrize(
    ("site_language", "expected"), [("en", "en"), ("fr", "fr"), ("fr-SN", "fr"), ("sw", "ha")]
)
def test_a_list_shows_the_version_in_its_language_or_the_original(
    app: Flask, story: Story, site_language: str, expected: str
) -> None:
    app.config["LANGUAGE"] = site_language
    ids = {"ha": story(hours=3, headline="Labari", language="ha")}
    for hours, language in ((2, "en"), (1, "fr"), (4, "ar")):
        ids[language] = story(
            hours=hours, headline=language, language=language, translation_of=str(ids["ha"])
        )
    assert listed("/") == listed("/politics/") == [ids[expected]]


def test_without_the_original_a_list_shows_the_newest_version(story: Story, editor: User) -> None:
    original = story(hours=5, headline="One", language="ha")
    versions = [
        story(hours=hours, headline=language, language=language, translation_of=str(original))
        for hours, language in ((4, "fr"), (2, "ar"), (3, "sw"))
    ]
    publishing.apply_action(original, editor, Action("withdraw", note="Wrong."))
    assert listed("/politics/") == [versions[1]]
    publishing.apply_action(versions[1], editor, Action("withdraw", note="Wrong."))
    assert listed("/politics/") == [versions[2]]


def test_a_list_without_the_better_version_shows_the_other(story: Story) -> None:
    english = story(headline="Original", language="en", topics=("Ports",))
    french = story(
        headline="Traduction",
        language="fr",
        section="business",
        authors=("Ama Mensah",),
        translation_of=str(english),
    )
    assert listed("/politics/") == [english]
    assert listed("/business/") == listed("/author/ama-mensah/") == [french]
    assert listed("/") == [english]


def test_pages_stay_full_and_neither_repeat_nor_skip(story: Story) -> None:
    expected = []
    for number in range(8):
        original = story(hours=2 * number, headline=f"S {number}", language="en")
        story(
            hours=2 * number + 1,
            headline=f"F {number}",
            language="fr",
            translation_of=str(original),
        )
        expected.append(original)
    assert listed("/") == listed("/politics/") == expected
    listing = queries.listing_by_path("/politics/")
    assert listing is not None
    assert len(queries.stream(listing, limit=5).articles) == 5
    cards = {article.id: article for article in queries.stream(listing).articles}
    through = queries.cursor_after(cards[expected[5]])
    articles = queries.stream_through(listing, None, through).articles
    assert [article.id for article in articles] == expected[:6]


def test_the_front_page_shows_one_version_among_latest_and_rails(
    client: FlaskClient, story: Story
) -> None:
    for number in range(10):
        story(hours=number, headline=f"S {number}", language="en")
    english = story(hours=11, headline="Rail original", language="en", section="business")
    story(hours=12, headline="Rail doublon", language="fr", translation_of=str(english))
    story(hours=0.5, headline="Top doublon", language="ar", translation_of=str(english))
    page = client.get("/").text
    assert "Rail original" in page
    assert "doublon" not in page
    assert "doublon" not in client.get("/feed.xml").text


def test_related_stories_show_one_version_in_the_language_of_the_page(
    app: Flask, story: Story, editor: User
) -> None:
    english = story(hours=1, headline="English", language="en")
    french = story(hours=2, headline="French", language="fr", translation_of=str(english))
    other = story(hours=3, headline="Other", language="en")
    autre = story(hours=4, headline="Autre", language="fr", translation_of=str(other))
    with db.write() as session:
        for position, related_id in enumerate((other, autre)):
            session.add(
                Related(article_id=french, position=position, related_id=related_id, score=1)
            )

    def related(article_id: int) -> list[int]:
        article = queries.published_article(article_id)
        assert article is not None
        return [story.id for story in queries.related_articles(article)]

    assert related(french) == [autre]
    assert related(english) == [other]
    publishing.set_related_override(french, editor, autre, "forbid")
    assert related(french) == [other]


def test_the_worker_stores_no_versions_of_a_related_story(
    app: Flask, story: Story, catch_up: Callable[[], None]
) -> None:
    body = "The port of Mombasa handles containers, cranes and customs for the region."
    english = story(hours=1, headline="Port", body=body, language="en")
    french = story(hours=2, headline="Le port", language="fr", translation_of=str(english))
    other = story(hours=3, headline="Cranes", body=f"{body} More cranes.", language="en")
    grues = story(hours=4, headline="Grues", language="fr", translation_of=str(other))
    catch_up()
    index = indexing.open_public_index(app.config["DATA_DIR"])
    assert [key for key, _ in compute_related(index, english)] == [other]
    assert [key for key, _ in compute_related(index, french)] in ([grues], [other])


def test_search_finds_every_version(
    client: FlaskClient, story: Story, catch_up: Callable[[], None]
) -> None:
    english = story(headline="Mombasa port", language="en")
    story(headline="Mombasa bandari", language="sw", translation_of=str(english))
    catch_up()
    page = client.get("/search?q=mombasa").text
    assert "Mombasa</mark> port" in page and "Mombasa</mark> bandari" in page


def test_a_draft_version_hides_no_story(story: Story, editor: User) -> None:
    original = story(headline="Un", language="fr")
    draft = make_draft(language="en", translation_of=str(original))
    publishing.create(draft, editor)
    assert listed("/") == [original]


def test_each_edition_shows_its_own_version(app: Flask, story: Story) -> None:
    english = story(hours=1, headline="English", language="en")
    others = ((2, "French", "fr"), (3, "Swahili", "sw"), (4, "Old", "fr-SN"))
    for hours, headline, language in others:
        story(hours=hours, headline=headline, language=language, translation_of=str(english))
    french = story(hours=5, headline="Original", language="fr")
    story(hours=6, headline="Hausa", language="ha", translation_of=str(french))
    with in_languages(app, "en,fr") as site:
        client = site.test_client()
        for path in ("/", "/politics/", "/feed.xml"):
            page = client.get(path).text
            assert "English" in page and "Hausa" in page, "no edition has Hausa"
            assert "Swahili</a>" not in page and "Swahili</title>" not in page
            page = client.get(f"/fr{path}").text
            assert "French" in page and "Original" in page
            assert "Old</a>" not in page and "Old</title>" not in page


def test_the_links_between_editions_lead_to_the_versions_of_a_story(
    app: Flask, story: Story
) -> None:
    english = story(headline="English", language="en")
    story(headline="Other", language="en")
    story(headline="French", language="fr", translation_of=str(english))
    with in_languages(app, "en,fr") as site:
        client = site.test_client()

        def switcher(path: str) -> list[str]:
            html = client.get(path).text.partition("wrap editions")[2].partition("</nav>")[0]
            return re.findall(r'href="([^"]*)"', html)

        assert switcher("/politics/english") == ["/", "/politics/french"]
        assert switcher("/politics/french") == ["/politics/english", "/fr/"]
        assert switcher("/politics/other") == ["/", "/fr/"]
