"""What cards and story pages say about a story: date, authors, language, correction, sharing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import publishing, queries, templating
from spectator.db import db
from spectator.formats import native_language_name
from spectator.i18n import use_language
from spectator.models import User
from spectator.publishing import Action
from spectator.text.html.embeds import render_body
from tests.conftest import NEWEST, make_draft
from tests.page_checks import Page

Story = Callable[..., int]


def set_clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let templates believe that it is another moment."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return moment.astimezone(tz)

    monkeypatch.setattr(templating, "datetime", Clock)


@pytest.mark.parametrize(
    ("hours", "english", "french"),
    [
        (0, "Today", "Aujourd’hui"),
        (11, "Today", "Aujourd’hui"),
        (13, "Thu 19 Nov", "jeu. 19 nov."),
        (6 * 24 + 11, "Sat 14 Nov", "sam. 14 nov."),
        (6 * 24 + 13, "13 November 2026", "13 novembre 2026"),
        (-24, "21 November 2026", "21 novembre 2026"),
    ],
)
def test_a_recent_story_has_a_near_date(
    app: Flask, monkeypatch: pytest.MonkeyPatch, hours: int, english: str, french: str
) -> None:
    """NEWEST is noon in UTC, which is the newsroom's time zone here."""
    set_clock(monkeypatch, NEWEST)
    moment = NEWEST - timedelta(hours=hours)
    with app.app_context():
        assert templating.recent_date(moment) == english
        with use_language("fr"):
            assert templating.recent_date(moment) == french


def test_the_day_is_that_of_the_newsrooms_time_zone(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config["TIMEZONE"] = "Africa/Nairobi"
    set_clock(monkeypatch, datetime(2026, 11, 20, 21, 30, tzinfo=UTC))  # 00:30 on the 21st
    with app.app_context():
        assert templating.recent_date(datetime(2026, 11, 20, 21, 5, tzinfo=UTC)) == "Today"
        assert templating.recent_date(datetime(2026, 11, 20, 20, 5, tzinfo=UTC)) == "Fri 20 Nov"


def test_cards_name_the_authors_in_their_order(client: FlaskClient, story: Story) -> None:
    ids = [story(hours=1, headline="One", slug="one", authors=("Zed Last", "Ama First"))]
    ids += [story(hours=number, headline=f"No {number}") for number in range(2, 40)]
    for path in ("/", "/politics/", "/author/zed-last/", f"/fragments/related/{ids[-1]}"):
        page = client.get(path).text
        cards = re.findall(r'class="eyebrow">(.*?)</p>', page, re.DOTALL)
        named = [card for card in cards if "by Zed Last, Ama First" in card]
        assert len(named) == 1, path
        assert all("by " not in card for card in cards if card not in named)


def test_a_story_in_another_language_says_which(
    app: Flask, client: FlaskClient, story: Story
) -> None:
    app.config["LANGUAGE"] = "en-NG"
    tags = ("fr", "sw", "so", "en", "en-GB", "ar")
    for tag in tags:
        story(headline=tag, slug=tag.lower(), language=tag)
    labels = {"fr": "Français", "sw": "Kiswahili", "so": "Soomaali", "ar": "العربية"}
    front = client.get("/").text
    for tag in tags:
        label = f' <span lang="{tag}">{labels.get(tag, "English")}</span>'
        assert front.count(label) == (tag in labels), tag
        # Where there is a catalogue, the whole page of a story is in its language.
        own_page = client.get(f"/politics/{tag.lower()}").text
        assert own_page.count(label) == (tag == "so"), tag
    # English of no region is in the language of the page, en-NG; that of another region is not.
    assert set(re.findall(r'<h3 lang="([^"]+)"', front)) == {*tags} - {"en"}


@pytest.mark.parametrize(
    ("tag", "name"),
    [("ha-Arab", "Hausa"), ("xh", "IsiXhosa"), ("fon", "Fon"), ("qaa", "Qaa"), ("x", "X")],
)
def test_a_language_without_a_native_name_has_another(tag: str, name: str) -> None:
    assert native_language_name(tag) == name


def test_a_correction_is_announced_under_the_byline(
    client: FlaskClient, story: Story, editor: User
) -> None:
    article_id = story(headline="Dam", slug="dam")
    path = "/politics/dam"
    assert "Corrected" not in client.get(path).text
    for kind in ("update", "clarification", "correction"):
        article = queries.article_to_edit(article_id)
        assert article is not None
        draft = make_draft(headline="Dam", slug="dam", body=f"The river is {kind}.")
        name = "correct" if kind == "correction" else "update"
        action = Action(name, note=f"A {kind}.", note_kind=kind)
        publishing.save(article_id, draft, editor, article.version, action)
        db.session.rollback()
        page = client.get(path).text
        meta = page[page.index('class="meta"') : page.index('class="prose"')]
        assert ('<a href="#corrections">Corrected <time' in meta) == (kind == "correction")
        assert ("Updated" in meta) != (kind == "correction"), "one line for one change"
    assert '<h2 id="corrections">' in page


def test_a_story_can_be_shared_by_plain_links(client: FlaskClient, story: Story) -> None:
    story(headline="Côte & Mali: 100% “rain”?", slug="rain")
    page = Page(client.get("/politics/rain").text)
    links = [attrs["href"] or "" for attrs in page.find_all("a") if "rain" in str(attrs["href"])]
    address = "https://spectator.example/politics/rain"
    whatsapp, facebook, x, mail = links[-4:]
    assert parse_qs(urlsplit(whatsapp).query) == {
        "text": [f"Côte & Mali: 100% “rain”? {address}"]
    }
    assert facebook.startswith("https://www.facebook.com/") and x.startswith("https://x.com/")
    assert parse_qs(urlsplit(facebook).query) == {"u": [address]}
    assert parse_qs(urlsplit(x).query) == {"url": [address]}
    assert parse_qs(urlsplit(mail).query) == {
        "subject": ["Côte & Mali: 100% “rain”?"],
        "body": [address],
    }
    assert "+" not in mail, "mail programs do not read + as a space"


@pytest.mark.parametrize("dash", "—–―")
def test_the_attribution_of_a_quote_is_marked(dash: str) -> None:
    quote = f"<blockquote><p>Nobody asked.</p>\n<p>{dash} Ama <b>S.</b></p>\n</blockquote>"
    assert f'<p class="by">{dash} Ama <b>S.</b></p>' in render_body(quote)
    for other in (
        f"<p>x</p><p>{dash} y</p>",
        f"<blockquote><p>{dash} y</p></blockquote>",
        f"<blockquote><p>x</p><p>{dash} y</p><p>z</p></blockquote>",
    ):
        assert render_body(other) == other


def test_a_list_says_how_many_stories_it_has_and_where_its_feed_is(
    client: FlaskClient, story: Story
) -> None:
    story(headline="One", countries=("Mali",))
    assert "1 story, newest first." in Page(client.get("/country/mali/").text).visible_text
    for number in range(24):
        story(hours=number + 1, headline=f"No {number}", countries=("Mali",))
    page = client.get("/country/mali/").text
    head = page[page.index('class="page-head"') : page.index("<h2")]
    assert "25 stories, newest first." in Page(head).visible_text
    assert '<a href="/country/mali/feed.xml">Follow by RSS</a>' in head


@pytest.mark.parametrize(
    ("path", "sentence", "links"),
    [
        ("/", "No story has been published yet.", {"/feed.xml", "/newsroom/"}),
        ("/politics/", "There are no stories here yet.", {"/politics/feed.xml", "/archive/"}),
        ("/archive/", "No story has been published yet.", {"/"}),
        ("/search", "Type a word, a name or a place.", {"/society/", "/archive/"}),
        ("/search?q=rain", "No story matches “rain”", {"/society/", "/archive/"}),
    ],
)
def test_an_empty_page_says_so_and_leads_on(
    client: FlaskClient, catch_up: Callable[[], None], path: str, sentence: str, links: set[str]
) -> None:
    catch_up()
    html = client.get(path).text
    main = html[html.index("<main") : html.index("</main>")]
    page = Page(main)
    assert sentence in page.visible_text
    assert links <= {attrs.get("href") for attrs in page.find_all("a")}
