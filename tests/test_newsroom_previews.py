"""Previews of saved and unsaved stories, and links that show them without a login."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from spectator import accounts, publishing
from spectator.db import db
from spectator.models import Picture, PreviewLink, Revision, Topic, User
from spectator.newsroom import media
from spectator.publishing import Action, NameText
from spectator.urls import permalink
from tests.conftest import make_draft
from tests.newsroom_client import (
    NEW_STORY,
    autosave,
    count_articles,
    count_rows,
    create_story,
    form_values,
    get_article,
    logged_in_client,
    picture_file,
    post,
)
from tests.page_checks import Page


def framed_pages(client: FlaskClient, page: TestResponse) -> list[str]:
    """Return the pages in the frames of a preview."""
    return [
        client.get(unescape(path)).text
        for path in re.findall(r'<iframe src="([^"]+)"', page.text)
    ]


def test_unsaved_changes_of_a_published_story_are_in_the_preview_only(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish")
    path = f"/newsroom/stories/{article_id}"
    opened, revisions = form_values(newsroom.get(path)), count_rows(Revision)
    saved = autosave(newsroom, article_id, opened, body="Pending words.")
    assert "not published. Readers still see the old text." in saved.text
    response = post(newsroom, path + "/proof", opened | {"body": "Pending words, and more."})
    assert response.status_code == 303
    page = newsroom.get(response.location)
    assert "Readers still see the old text." in page.text
    frames = framed_pages(newsroom, page)
    assert len(frames) == 2 and all("Pending words, and more." in frame for frame in frames)
    assert not any(
        "Pending words" in frame
        for frame in framed_pages(newsroom, newsroom.get(path + "/proof"))
    )
    assert "Pending words" not in client.get(permalink(get_article(article_id))).text
    assert count_rows(Revision) == revisions


def test_the_preview_of_an_unsaved_new_story_shows_its_picture(
    app: Flask, newsroom: FlaskClient
) -> None:
    opened = form_values(newsroom.get(NEW_STORY))
    sent = opened | {
        "headline": "Not saved",
        "body": "Words.",
        "picture": picture_file(),
        "picture_alt": "A boat",
    }
    response = post(newsroom, NEW_STORY + "/proof", sent)
    page = newsroom.get(response.location)
    frames = framed_pages(newsroom, page)
    assert len(frames) == 2
    for frame in frames:
        assert "Not saved" in frame and "Words." in frame and 'alt="A boat"' in frame
    assert count_articles() == 0
    assert logged_in_client(app, "admin").get(response.location).status_code == 404
    assert newsroom.get(NEW_STORY + "/proof?copy=nothing").status_code == 404


def test_the_preview_pane_shows_autosaved_text_and_the_public_page_does_not(
    newsroom: FlaskClient, client: FlaskClient, story: Callable[..., int]
) -> None:
    article_id = story(headline="Stored")
    opened = form_values(newsroom.get(f"/newsroom/stories/{article_id}"))
    autosave(
        newsroom,
        article_id,
        opened,
        headline="Typed",
        section="",
        countries="Mali, Atlantis",
        authors="Ama",
    )
    pane = newsroom.get(
        f"/newsroom/fragments/stories/{article_id}/preview?copy={opened['copy']}&seq=7"
    )
    [source] = [iframe["src"] for iframe in Page(pane.text).find_all("iframe")]
    page = newsroom.get(str(source))
    assert "<h1>Typed</h1>" in page.text
    assert "Atlantis" not in page.text
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert "script-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Typed" not in client.get("/politics/stored").text


def token_from(response: TestResponse) -> str:
    match = re.search(r"/newsroom/shared/([\w.-]+)", response.text)
    assert match
    return match[1]


def create_preview_link(newsroom: FlaskClient, article_id: int) -> str:
    """Share a story for 30 days; return the link's token."""
    post(newsroom, f"/newsroom/stories/{article_id}/links", {"days": "30"})
    return token_from(newsroom.get(f"/newsroom/stories/{article_id}/proof"))


def test_a_preview_link_shows_a_draft_until_it_is_revoked(
    app: Flask, newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, headline="Embargoed words")
    assert (
        post(newsroom, f"/newsroom/stories/{article_id}/links", {"days": "1"}).status_code == 303
    )
    token = token_from(newsroom.get(f"/newsroom/stories/{article_id}/proof"))
    page = client.get(f"/newsroom/shared/{token}")
    assert page.status_code == 200
    assert "Embargoed words" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in page.headers
    for path in ("/", "/business/", "/feed.xml", "/search?q=embargoed", "/archive/"):
        assert "Embargoed" not in client.get(path).text
    for wrong in (token[:-1], "1", f"2{token[1:]}", "x" * 5000, "%00"):
        assert client.get(f"/newsroom/shared/{wrong}").status_code == 410
    assert post(newsroom, f"/newsroom/stories/{article_id}/links/1").status_code == 303
    assert client.get(f"/newsroom/shared/{token}").status_code == 410


@pytest.mark.parametrize("end", ["expired", "creator disabled", "withdrawn"])
def test_a_preview_link_ends_with_its_time_its_story_or_its_creators_account(
    app: Flask, newsroom: FlaskClient, client: FlaskClient, editor: User, end: str
) -> None:
    article_id = create_story(newsroom)
    path = f"/newsroom/shared/{create_preview_link(newsroom, article_id)}"
    if end == "withdrawn":
        publishing.apply_action(article_id, editor, Action("publish"))
        assert client.get(path).location == "/business/ports-of-the-gulf-of-guinea"
        publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    else:
        past = datetime.now(UTC) - timedelta(seconds=1)
        with db.write() as session:
            if end == "expired":
                session.execute(update(PreviewLink).values(expires_at=past))
            else:
                session.execute(update(User).values(is_active=False))
    assert client.get(path).status_code == 410


def test_a_preview_link_ends_when_its_creator_may_no_longer_view_the_story(
    app: Flask, newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(logged_in_client(app, "author"))
    colleagues, own = (
        f"/newsroom/shared/{create_preview_link(newsroom, story_id)}"
        for story_id in (article_id, create_story(newsroom))
    )
    assert [client.get(path).status_code for path in (colleagues, own)] == [200, 200]
    with db.write() as session:
        session.execute(
            update(User).where(User.email == "editor@news.example").values(role="author")
        )
    assert [client.get(path).status_code for path in (colleagues, own)] == [410, 200]


def test_an_old_preview_link_never_shows_a_story_linked_later(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    first = create_preview_link(newsroom, create_story(newsroom, headline="First secret"))
    # After a cleanup, or a restored backup, SQLite uses the row's id again.
    with db.write() as session:
        session.execute(delete(PreviewLink))
    second = create_preview_link(newsroom, create_story(newsroom, headline="Second secret"))
    assert count_rows(PreviewLink) == 1
    assert first != second
    assert client.get(f"/newsroom/shared/{first}").status_code == 410
    assert "Second secret" in client.get(f"/newsroom/shared/{second}").text


def test_no_stored_value_works_as_a_preview_token(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    token = create_preview_link(newsroom, create_story(newsroom))
    link = db.session.scalars(select(PreviewLink)).one()
    stored = [str(link.id), link.nonce, link.token_hash]
    assert token not in stored
    for guess in stored:
        assert client.get(f"/newsroom/shared/{guess}").status_code == 410


def shared_tokens(client: FlaskClient, article_id: int) -> set[str]:
    """Return the tokens of all preview links to a story."""
    page = client.get(f"/newsroom/stories/{article_id}/proof").text
    return set(re.findall(r'href="/newsroom/shared/([\w.-]+)"', page))


@pytest.mark.parametrize("end_access", [accounts.reset_password, accounts.disable_user])
def test_preview_links_end_when_their_creators_account_is_reset_or_disabled(
    app: Flask, newsroom: FlaskClient, client: FlaskClient, end_access: Callable[[str], object]
) -> None:
    article_id = create_story(newsroom)
    token = create_preview_link(newsroom, article_id)
    admin = logged_in_client(app, "admin")
    post(admin, f"/newsroom/stories/{article_id}/links", {"days": "30"})
    assert len(shared_tokens(admin, article_id)) == 2
    end_access("editor@news.example")
    with db.write() as session:
        session.execute(update(User).values(is_active=True))
    assert client.get(f"/newsroom/shared/{token}").status_code == 410
    [admins_token] = shared_tokens(admin, article_id)
    assert admins_token != token
    assert client.get(f"/newsroom/shared/{admins_token}").status_code == 200


def test_a_picture_token_is_void_once_its_row_holds_another_picture(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom, picture=picture_file(), picture_alt="A boat")
    picture = get_article(article_id).picture
    user = db.session.scalars(select(User)).first()
    assert picture and user
    with app.test_request_context():
        token = media.picture_token(picture, user)
        assert media.picture_from_token(token, user)
        with db.write() as session:
            session.execute(update(Picture).values(digest="f" * 64))
        assert media.picture_from_token(token, user) is None


def test_only_people_who_may_change_a_story_can_share_it(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom)
    author = logged_in_client(app, "author")
    assert post(author, f"/newsroom/stories/{article_id}/links", {"days": "1"}).status_code == 403
    assert author.get(f"/newsroom/stories/{article_id}/proof").status_code == 403
    assert author.get(f"/newsroom/stories/{article_id}/history").status_code == 403
    assert (
        post(author, f"/newsroom/stories/{article_id}/history/1", {"version": "1"}).status_code
        == 403
    )
    assert count_rows(PreviewLink) == 0


def test_previews_of_authors_translate_only_topics_that_readers_see(
    app: Flask, client: FlaskClient, editor: User, story: Callable[..., int]
) -> None:
    publishing.create(make_draft(topics=("Secret",)), editor)
    topic = db.session.scalars(select(Topic)).one()
    texts = {"fr": NameText("Confidentiel")}
    version = publishing.texts_version(publishing.stored_texts(topic))
    publishing.translate_name("topic", topic.id, editor, texts, version)
    author_client, editor_client = (logged_in_client(app, role) for role in ("author", "editor"))
    own = create_story(author_client, language="fr", topics="Secret")
    path = f"/newsroom/stories/{own}/preview"
    post(author_client, f"/newsroom/stories/{own}/links", {"days": "1"})
    shared = f"/newsroom/shared/{token_from(author_client.get(path.replace('preview', 'proof')))}"
    for page in (author_client.get(path), client.get(shared)):
        assert ">Secret</a>" in page.text
    assert ">Confidentiel</a>" in editor_client.get(path).text
    story(headline="Public", topics=("Secret",))
    for page in (author_client.get(path), client.get(shared)):
        assert ">Confidentiel</a>" in page.text


def test_frames_begin_where_the_language_of_the_story_begins(newsroom: FlaskClient) -> None:
    arabic = {"headline": "مالي تصوت", "body": "صوت الناس.", "language": "ar"}
    article_id = create_story(newsroom, **arabic)
    path = f"/newsroom/stories/{article_id}"
    assert newsroom.get(f"{path}/proof").text.count('dir="rtl"') == 2
    opened = form_values(newsroom.get(NEW_STORY))
    proof = post(newsroom, f"{NEW_STORY}/proof", opened | arabic)
    assert newsroom.get(proof.location).text.count('dir="rtl"') == 2
    assert re.search(r'id="preview"\s+class="frame"\s+dir="rtl"', newsroom.get(path).text)


def test_a_preview_of_unsaved_text_does_not_tell_of_secret_originals(
    app: Flask, editor: User, story: Callable[..., int]
) -> None:
    secret = publishing.create(make_draft(language="ha"), editor)
    story(headline="Open", language="en", translation_of=str(secret))
    clients = [logged_in_client(app, role) for role in ("author", "editor")]
    pages = []
    for client in clients:
        opened = form_values(client.get(NEW_STORY))
        changes = {"headline": "Mine", "language": "fr", "translation_of": str(secret)}
        autosave(client, "new", opened, **changes)
        pages.append(client.get(f"{NEW_STORY}/preview?copy={opened['copy']}").text)
    assert all("Mine" in page for page in pages)
    assert "/politics/open" not in pages[0]
    assert "/politics/open" in pages[1]


def test_a_preview_shows_the_versions_of_a_story_whose_original_is_secret(
    app: Flask, editor: User, story: Callable[..., int]
) -> None:
    secret = publishing.create(make_draft(language="ha"), editor)
    public = [
        story(headline=headline, language=language, translation_of=str(secret))
        for headline, language in (("Open", "en"), ("Ouvert", "fr"))
    ]
    client = logged_in_client(app, "author")
    own = create_story(client, language="sw", translation_of=str(public[1]))
    opened = form_values(client.get(f"/newsroom/stories/{own}"))
    links = []
    # The number of the original does as little as any other: authors cannot find it by trying.
    for reference in (opened["translation_of"], str(public[0]), str(secret), "999"):
        autosave(client, own, opened, translation_of=reference)
        page = client.get(f"/newsroom/stories/{own}/preview?copy={opened['copy']}").text
        links.append(("/politics/open" in page, "/politics/ouvert" in page))
    assert links == [(True, True), (True, True), (False, False), (False, False)]
