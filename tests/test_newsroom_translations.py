"""Translations in the newsroom: starting one, choosing the original, and following its changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Table, func, select

from spectator import publishing, queries
from spectator.db import db
from spectator.db.functions import skip_used_ids
from spectator.models import Article, Revision, User
from spectator.publishing import Action
from spectator.text.html.element_ids import without_ids
from tests.conftest import make_draft
from tests.newsroom_client import (
    create_story,
    form_values,
    get_article,
    logged_in_client,
    picture_file,
    post,
    reload_article,
    save_story,
    story_form,
)

Story = Callable[..., int]
NEW = "/newsroom/stories/new"


@pytest.fixture
def author_client(app: Flask) -> FlaskClient:
    """Client that is logged in as an author."""
    return logged_in_client(app, "author")


def form_path(article_id: int) -> str:
    return f"/newsroom/stories/{article_id}"


def test_a_translation_starts_with_filing_and_picture_but_without_text(
    newsroom: FlaskClient,
) -> None:
    original = create_story(
        newsroom,
        headline="Ports of Guinea",
        dek="What they carry",
        kicker="Trade",
        kind="analysis",
        topics="Ports, Trade",
        countries="Nigeria",
        authors="Zainab Bello",
        picture=picture_file(),
        picture_alt="A port",
        picture_caption="The port",
        picture_credit="Somebody",
    )
    opened = newsroom.get(form_path(original)).text
    assert f'href="{NEW}?translation_of={original}"' in opened
    values = form_values(newsroom.get(f"{NEW}?translation_of={original}"))
    copied = ("section", "kind", "topics", "countries", "picture_alt", "picture_caption")
    assert [values[name] for name in copied] == [
        "business",
        "analysis",
        "Ports, Trade",
        "Nigeria",
        "A port",
        "The port",
    ]
    assert values["translation_of"] == f"{original} – Ports of Guinea"
    for name in ("headline", "dek", "kicker", "body", "authors", "language", "slug"):
        assert not values[name], name
    without_language = post(newsroom, NEW, values | story_form(language=""))
    assert without_language.status_code == 422 and 'id="language-error"' in without_language.text
    sent = values | {"headline": "Les ports", "body": "Un.", "language": "fr", "do": "save"}
    response = post(newsroom, NEW, sent)
    assert response.status_code == 303
    number = re.search(r"stories/(\d+)", response.location)
    assert number
    translation = get_article(int(number[1]))
    assert translation.translation_of_id == original
    assert translation.picture_id == get_article(original).picture_id is not None


def test_the_original_stands_beside_the_editor_in_its_language(
    newsroom: FlaskClient, story: Story
) -> None:
    original = story(
        headline="مالي تصوت",
        slug="mali",
        language="ar",
        body='<p id="fn-1">نص المقال</p><p>Text with id="x" in it</p>',
    )
    for page in (
        newsroom.get(f"{NEW}?translation_of={original}").text,
        newsroom.get(
            form_path(create_story(newsroom, language="fr", translation_of=str(original)))
        ).text,
    ):
        aside = re.search(r'<details class="original">(.*?)</details>', page, re.DOTALL)
        assert aside
        assert re.search(r'<div lang="ar"\s+dir="rtl">', aside[1])
        assert "<p>نص المقال</p>" in aside[1]
        assert "Original in Arabic" in aside[1]
    assert "original" not in re.findall(r'<details class="(\w+)"', newsroom.get(NEW).text)


def test_ids_are_dropped_from_tags_alone() -> None:
    html = '<p id="a-1" lang="fr">An id="x" &lt;p&gt;</p><img alt=" id=&quot;z&quot;" id="b-2">'
    expected = '<p lang="fr">An id="x" &lt;p&gt;</p><img alt=" id=&quot;z&quot;">'
    assert without_ids(html) == expected


@pytest.mark.parametrize(
    "reference",
    [
        "{id}",
        "{id} – Mali votes",
        "https://spectator.example/politics/mali-votes",
        "/newsroom/stories/{id}/history",
    ],
)
def test_an_original_is_named_by_its_number_its_url_or_a_suggestion(
    newsroom: FlaskClient, story: Story, reference: str
) -> None:
    original = story(headline="Mali votes", language="en")
    translation = create_story(
        newsroom, language="fr", translation_of=reference.format(id=original)
    )
    assert get_article(translation).translation_of_id == original
    values = form_values(newsroom.get(form_path(translation)))
    assert values["translation_of"] == f"{original} – Mali votes"
    assert save_story(newsroom, translation, dek="More").status_code == 303
    assert reload_article(translation).translation_of_id == original
    save_story(newsroom, translation, translation_of="")
    assert reload_article(translation).translation_of_id is None
    history = newsroom.get(f"{form_path(translation)}/history/compare").text
    assert "Translation of" in history and "Mali votes" in history


def test_an_unknown_original_is_shown_again_with_an_error(newsroom: FlaskClient) -> None:
    sent = story_form(language="fr", translation_of="https://elsewhere.example/x")
    response = post(newsroom, NEW, sent)
    assert response.status_code == 422
    assert 'value="https://elsewhere.example/x"' in response.text
    assert "This story does not exist. Check its URL." in response.text


def test_originals_are_suggested_by_words_of_their_headlines(
    newsroom: FlaskClient, author_client: FlaskClient, story: Story
) -> None:
    original = story(headline="Mali votes", language="en")
    story(headline="Le Mali vote", language="fr", translation_of=str(original))
    create_story(newsroom, headline="Mali draft")
    path = "/newsroom/fragments/suggestions/stories?q=mali"
    options = re.findall(r'data-value="([^"]*)"', newsroom.get(path).text)
    assert [option.partition(" – ")[2] for option in options] == ["Mali draft", "Mali votes"]
    assert re.findall(r'data-value="([^"]*)"', author_client.get(path).text) == [
        f"{original} – Mali votes"
    ]


def test_authors_start_translations_only_of_stories_that_they_may_see(
    newsroom: FlaskClient, author_client: FlaskClient, story: Story
) -> None:
    public, hidden = story(headline="Public story"), create_story(newsroom, headline="Hidden")
    assert "Public story" in author_client.get(f"{NEW}?translation_of={public}").text
    for number in (str(hidden), "999", "x", ""):
        assert author_client.get(f"{NEW}?translation_of={number}").status_code == 404


def test_a_correction_of_the_original_is_shown_until_it_is_checked(
    newsroom: FlaskClient, story: Story, editor: User
) -> None:
    original = story(headline="Mali votes", language="en")
    translation = story(headline="Le Mali vote", language="fr", translation_of=str(original))
    draft = create_story(newsroom, headline="Mali", language="pt", translation_of=str(original))
    assert "The original was" not in newsroom.get(form_path(translation)).text
    assert "original changed" not in newsroom.get("/newsroom/stories/").text
    action = Action("correct", note="The date was wrong.")
    version = reload_article(original).version
    publishing.save(original, make_draft(headline="Mali votes"), editor, version, action)
    version = reload_article(original).version
    minor = Action("update", is_minor=True)
    publishing.save(original, make_draft(headline="Mali votes!"), editor, version, minor)
    assert newsroom.get("/newsroom/stories/").text.count("original changed") == 2
    page = newsroom.get(form_path(translation))
    assert "The original was corrected on" in page.text
    compare = re.search(r'href="([^"]*/history/compare[^"]*)"', page.text)
    assert compare
    changes = newsroom.get(compare[1].replace("&amp;", "&")).text
    assert re.search("<ins>.*!</ins>", changes) and "The date was wrong." in changes
    seen = re.search(r'name="original_version"\s+value="(\d+)"', page.text)
    assert seen
    before = reload_article(translation).version
    response = post(newsroom, f"{form_path(translation)}/checked", {"original_version": seen[1]})
    assert response.status_code == 303
    assert "Marked as checked." in newsroom.get(response.location).text
    assert "The original was" not in newsroom.get(form_path(translation)).text
    assert reload_article(translation).version == before
    assert "The original was corrected on" in newsroom.get(form_path(draft)).text
    # What happened after the page was opened is shown, whatever its button says.
    publishing.apply_action(original, editor, Action("withdraw", note="Wrong."))
    post(newsroom, f"{form_path(translation)}/checked", {"original_version": seen[1]})
    post(newsroom, f"{form_path(translation)}/checked", {"original_version": "999"})
    assert "The original was withdrawn on" in newsroom.get(form_path(translation)).text
    assert "original withdrawn" in newsroom.get("/newsroom/stories/").text


def test_changes_that_readers_do_not_see_are_not_reported(
    newsroom: FlaskClient, editor: User
) -> None:
    original = create_story(newsroom, headline="Draft", language="en")
    translation = create_story(newsroom, language="fr", translation_of=str(original))
    save_story(newsroom, original, dek="More")
    publishing.restore(original, editor, 1, reload_article(original).version)
    assert "The original was" not in newsroom.get(form_path(translation)).text


def test_the_last_correction_matters_most_until_a_withdrawal(story: Story, editor: User) -> None:
    original = story(headline="Mali votes", language="en")
    translation = story(headline="Le Mali vote", language="fr", translation_of=str(original))

    def change() -> tuple[str, datetime, int]:
        (only,) = queries.original_changes(queries.articles_to_index([translation])).values()
        assert (only.original_id, only.checked_number) == (original, 2)
        return only.action, only.at, only.number

    def act(name: str, **more: Any) -> datetime:
        action = Action(name, note="Wrong.", **more)
        if name in {"withdraw", "reinstate"}:
            publishing.apply_action(original, editor, action)
        else:
            version = reload_article(original).version
            publishing.save(
                original, make_draft(headline=f"Mali {version}"), editor, version, action
            )
        return db.session.scalars(select(func.max(Revision.made_at))).one()

    updated = act("update", is_minor=True)
    assert change() == ("update", updated, 3)
    act("correct")
    corrected = act("correct")
    act("update", is_minor=True)
    assert change() == ("correct", corrected, 6)
    withdrawn = act("withdraw")
    assert change() == ("withdraw", withdrawn, 7)
    again = act("reinstate")
    assert change() == ("reinstate", again, 8)


def test_what_happened_before_the_publication_is_not_reported(
    newsroom: FlaskClient, editor: User
) -> None:
    original = create_story(newsroom, headline="Draft", language="en")
    translation = create_story(newsroom, language="fr", translation_of=str(original))
    save_story(newsroom, original, dek="More")
    publishing.restore(original, editor, 1, reload_article(original).version)
    publishing.apply_action(original, editor, Action("publish"))
    assert "The original was" not in newsroom.get(form_path(translation)).text
    publishing.restore(original, editor, 2, reload_article(original).version)
    assert "The original was changed on" in newsroom.get(form_path(translation)).text


def test_authors_learn_that_an_original_was_corrected_without_its_history(
    author_client: FlaskClient, story: Story, editor: User
) -> None:
    original = story(headline="Mali votes", language="en")
    translation = create_story(author_client, language="fr", translation_of=str(original))
    publishing.apply_action(original, editor, Action("withdraw", note="Wrong."))
    page = author_client.get(form_path(translation)).text
    assert "The original was withdrawn on" in page
    assert "history/compare" not in page
    assert 'class="original"' not in page
    checked = f"{form_path(translation)}/checked"
    version = str(reload_article(original).version)
    assert post(author_client, checked, {"original_version": version}).status_code == 303
    assert "The original was" not in author_client.get(form_path(translation)).text
    assert post(author_client, f"{form_path(original)}/checked").status_code == 403


def test_no_page_shows_authors_the_number_of_a_secret_original(
    newsroom: FlaskClient, author_client: FlaskClient, editor: User, story: Story
) -> None:
    far_ahead = get_article(create_story(newsroom)).saved_at
    section_id = db.session.scalars(select(Article.section_id)).first()
    with db.write() as session:
        session.add(
            Article(
                id=98_764,
                section_id=section_id,
                created_at=far_ahead,
                saved_at=far_ahead,
                status="draft",
                headline="Far ahead",
                slug="far-ahead",
                language="en",
                body="",
            )
        )
        session.flush()
        skip_used_ids(session.connection(), cast(Table, Article.__table__))
    secret = create_story(newsroom, headline="Numbat", language="ha")
    assert secret > 98_764
    public = story(headline="Mali votes", language="en", translation_of=str(secret))
    second = story(headline="Le Mali", language="fr", translation_of=str(secret))
    drafts = [
        create_story(author_client, language=tag, translation_of=f"{second} – Le Mali")
        for tag in ("ha", "sw")
    ]
    alone = create_story(author_client, headline="Mine", language="sw")
    unsaved = form_values(author_client.get(form_path(alone)))
    # An editor links a story of the author to a secret original that has no public version.
    other_secret = create_story(newsroom, headline="Numbat", language="yo")
    save_story(newsroom, alone, translation_of=str(other_secret))
    pages = []

    def read(response: Any, status: int = 200) -> str:
        assert response.status_code == status, response.text
        pages.append(response.text)
        return str(response.text)

    for draft in drafts:
        assert get_article(draft).translation_of_id == secret
        values = form_values(author_client.get(form_path(draft)))
        assert values["translation_of"] == f"{public} – Mali votes"
        assert save_story(author_client, draft, dek="More").status_code == 303
        assert reload_article(draft).translation_of_id == secret
        # Editors see and keep the original itself.
        editors_values = form_values(newsroom.get(form_path(draft)))
        assert editors_values["translation_of"] == f"{secret} – Numbat"
    assert form_values(author_client.get(form_path(alone)))["translation_of"] == f"{alone} – Mine"
    assert save_story(author_client, alone, dek="More").status_code == 303
    assert reload_article(alone).translation_of_id == other_secret
    path = form_path(drafts[1])
    stale = form_values(author_client.get(path))
    save_story(newsroom, drafts[1], kicker="Votes")
    conflict = read(post(author_client, path, stale | {"do": "save", "kicker": "Mine"}), 409)
    assert "choice.kicker" in conflict and "choice.translation_of" not in conflict
    read(post(author_client, form_path(alone), unsaved | {"do": "save", "dek": "Mine"}), 409)
    for draft in (*drafts, alone):
        for page in ("", "/preview", "/proof", "/history", "/history/compare?from=1&to=2"):
            read(author_client.get(form_path(draft) + page))
    for address in ("/newsroom/stories/", f"{NEW}?translation_of={second}"):
        read(author_client.get(address))
    suggested = read(author_client.get("/newsroom/fragments/suggestions/stories?q=mali"))
    assert "Mali votes" in suggested and "Le Mali" in suggested
    for page in pages:
        for canary in (str(secret), str(other_secret), "Numbat", "is in Hausa too"):
            assert canary not in page
    # The history names the original, whichever of its versions a form named.
    assert f"{secret} – Numbat" in newsroom.get(f"{path}/history/compare?to=1").text
    assert "Translation of" not in newsroom.get(f"{path}/history/compare?from=1&to=2").text


def test_a_form_sent_twice_is_the_same_whichever_version_it_named(
    author_client: FlaskClient, newsroom: FlaskClient, story: Story
) -> None:
    secret = create_story(newsroom, language="ha")
    story(headline="Mali votes", language="en", translation_of=str(secret))
    second = story(headline="Le Mali", language="fr", translation_of=str(secret))
    opened = form_values(author_client.get(NEW))
    sent = opened | story_form(language="sw", translation_of=str(second))
    assert [post(author_client, NEW, sent).status_code for _ in range(2)] == [303, 303]


def test_a_conflict_shows_both_originals_by_their_headlines(
    newsroom: FlaskClient, story: Story
) -> None:
    first, second = (
        story(headline="First", language="en"),
        story(headline="Second", language="sw"),
    )
    translation = create_story(newsroom, language="fr", translation_of=str(first))
    stale = form_values(newsroom.get(form_path(translation)))
    save_story(newsroom, translation, translation_of=str(second))
    path = form_path(translation)
    page = post(newsroom, path, stale | {"do": "save", "translation_of": "", "dek": "Mine"})
    assert page.status_code == 409
    assert f"{second} – Second" in page.text
    merge = form_values(page) | {
        "choice.translation_of": "theirs",
        "choice.dek": "mine",
        "mine.translation_of": "",
        "mine.dek": "Mine",
        "do": "save",
    }
    assert post(newsroom, f"{path}/merge", merge).status_code == 303
    assert reload_article(translation).translation_of_id == second
