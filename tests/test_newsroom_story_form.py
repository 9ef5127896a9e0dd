"""Features of the story form: autosave, presence, suggestions, URLs, previews, history."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update
from werkzeug.test import TestResponse

from spectator import accounts, autosaves, publishing
from spectator.db import db
from spectator.models import Autosave, Outbox, Picture, PreviewLink, Revision, User
from spectator.newsroom import media
from spectator.publishing import Action
from spectator.text.compare import diff
from spectator.urls import permalink
from tests.conftest import make_draft
from tests.newsroom_client import (
    NEW_STORY,
    count_articles,
    create_story,
    form_values,
    get_article,
    logged_in_client,
    picture_file,
    post,
    save_story,
    session_token,
    story_form,
)
from tests.page_checks import Page


def autosave(
    client: FlaskClient, article_id: int | str, entries: dict[str, str], **changes: Any
) -> TestResponse:
    """Send an autosave as the form does; `article_id` is `new` for a new story."""
    path = f"/newsroom/fragments/stories/{article_id}/autosave"
    response = post(client, path, entries | {"seq": "7"} | changes)
    assert response.status_code == 200
    return response


def count_rows(model: type[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_an_autosave_touches_neither_story_nor_history(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom, do="publish")
    path, before = f"/newsroom/stories/{article_id}", get_article(article_id)
    version, revisions, rows = before.version, count_rows(Revision), count_rows(Outbox)
    opened = form_values(newsroom.get(path))
    response = autosave(newsroom, article_id, opened, headline="Half a headl")
    assert 'data-outcome="saved" data-seq="7"' in " ".join(response.text.split())
    assert re.search(r'data-weight="\d+ KB, \d\.\d s on 3G"', response.text)
    assert re.search(r"Saved\s+<time datetime=\"[^\"]+\">\d\d:\d\d:\d\d</time>", response.text)
    db.session.expire_all()
    assert (get_article(article_id).version, count_rows(Revision), count_rows(Outbox)) == (
        version,
        revisions,
        rows,
    )
    assert get_article(article_id).headline == story_form()["headline"]
    autosave(newsroom, article_id, opened, headline="Half a headline")
    assert count_rows(Autosave) == 1


def test_unsaved_text_is_offered_next_to_the_stored_text(newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom)
    path = f"/newsroom/stories/{article_id}"
    opened = form_values(newsroom.get(path))
    autosave(newsroom, article_id, opened, body="Typed & <lost>.")
    page = newsroom.get(path)
    assert "Unsaved changes from" in page.text
    assert "Typed &amp; &lt;lost&gt;." in page.text
    assert form_values(page)["body"] == "One paragraph.\n\nAnother paragraph."
    assert "unsaved changes" in newsroom.get("/newsroom/stories/").text
    restored = newsroom.get(f"{path}?restore={opened['copy']}")
    assert form_values(restored)["body"] == "Typed & <lost>."
    assert post(newsroom, path, form_values(restored) | {"do": "save"}).status_code == 303
    assert count_rows(Autosave) == 0
    assert "Unsaved changes from" not in newsroom.get(path).text


def test_an_unsaved_new_story_is_in_the_list(newsroom: FlaskClient) -> None:
    opened = form_values(newsroom.get(NEW_STORY))
    autosave(newsroom, "new", opened, headline="Never saved", body="Words")
    page = newsroom.get("/newsroom/stories/").text
    assert "Never saved" in page
    again = newsroom.get(f"{NEW_STORY}?restore={opened['copy']}")
    assert form_values(again)["headline"] == "Never saved"
    assert form_values(again)["copy"] == opened["copy"]
    assert post(newsroom, "/newsroom/stories/discard", {"copy": opened["copy"]}).status_code == 303
    assert count_articles() == 0


def framed_pages(client: FlaskClient, page: TestResponse) -> list[str]:
    """Return the pages in the frames of a preview."""
    return [
        client.get(unescape(path)).text for path in re.findall(r'<iframe src="([^"]+)"', page.text)
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
        "Pending words" in frame for frame in framed_pages(newsroom, newsroom.get(path + "/proof"))
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


def test_a_preview_is_refused_if_its_text_cannot_be_autosaved(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom)
    author = logged_in_client(app, "author")
    assert post(author, f"/newsroom/stories/{article_id}/proof", story_form()).status_code == 422
    assert post(newsroom, NEW_STORY + "/proof", story_form(headline="x" * 5001)).status_code == 422
    assert count_rows(Autosave) == 0


@pytest.mark.parametrize("is_new", [True, False])
def test_discarded_text_can_be_brought_back_without_javascript(
    newsroom: FlaskClient, is_new: bool
) -> None:
    story: int | str = "new" if is_new else create_story(newsroom)
    form = NEW_STORY if is_new else f"/newsroom/stories/{story}"
    page = "/newsroom/stories/" if is_new else form
    opened = form_values(newsroom.get(form))
    autosave(newsroom, story, opened, headline="Half a thought", body="Words")
    sent = {"copy": opened["copy"], "story": "" if is_new else str(story)}
    response = post(newsroom, "/newsroom/stories/discard", sent)
    after = newsroom.get(response.location).text
    assert "You can bring them back for 30 days" in after
    assert ">Bring back</button>" in after
    assert "Discarded changes (1)" in newsroom.get(page).text
    assert autosaves.list_unsaved(1, None if is_new else int(story)) == []
    response = post(newsroom, "/newsroom/stories/bring_back", sent)
    assert "Half a thought" in newsroom.get(response.location).text
    assert "Discarded changes" not in newsroom.get(page).text
    assert (
        form_values(newsroom.get(f"{form}?restore={opened['copy']}"))["headline"]
        == "Half a thought"
    )


def test_discarded_text_is_deleted_after_30_days(
    newsroom: FlaskClient,
) -> None:
    opened = form_values(newsroom.get(NEW_STORY))
    autosave(newsroom, "new", opened, headline="Set aside")
    autosaves.discard(1, opened["copy"])
    autosaves.prune()
    assert [row.form_id for row in autosaves.list_discarded(1, None)] == [opened["copy"]]
    long_ago = datetime.now(UTC) - timedelta(days=autosaves.DISCARDED_DAYS, minutes=1)
    with db.write() as session:
        session.execute(update(Autosave).values(discarded_at=long_ago))
    assert autosaves.list_discarded(1, None) == []
    autosaves.prune()
    assert count_rows(Autosave) == 0


def test_typing_in_a_discarded_form_brings_its_text_back(newsroom: FlaskClient) -> None:
    opened = form_values(newsroom.get(NEW_STORY))
    autosave(newsroom, "new", opened, headline="Typed")
    autosaves.discard(1, opened["copy"])
    autosave(newsroom, "new", opened, headline="Typed on")
    assert [row.values["headline"] for row in autosaves.list_unsaved(1, None)] == ["Typed on"]


def test_saving_restored_text_of_an_older_version_is_a_conflict(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom)
    path = f"/newsroom/stories/{article_id}"
    opened = form_values(newsroom.get(path))
    autosave(newsroom, article_id, opened, headline="Mine")
    assert (
        save_story(logged_in_client(app, "admin"), article_id, headline="Theirs").status_code == 303
    )
    restored = form_values(newsroom.get(f"{path}?restore={opened['copy']}"))
    assert post(newsroom, path, restored | {"do": "save"}).status_code == 409


def test_nobody_sees_or_discards_a_colleagues_unsaved_text(
    app: Flask, newsroom: FlaskClient
) -> None:
    article_id = create_story(newsroom)
    opened = form_values(newsroom.get(f"/newsroom/stories/{article_id}"))
    autosave(newsroom, article_id, opened, headline="Mine alone")
    admin = logged_in_client(app, "admin")
    path = f"/newsroom/stories/{article_id}"
    for address in (
        path,
        f"{path}?restore={opened['copy']}",
        f"{path}/preview?copy={opened['copy']}",
    ):
        assert "Mine alone" not in admin.get(address).text
    for action in ("discard", "bring_back"):
        post(admin, f"/newsroom/stories/{action}", {"copy": opened["copy"]})
    assert autosaves.list_discarded(1, article_id) == []
    autosave(admin, article_id, opened, headline="The admin's")
    assert [row.values["headline"] for row in autosaves.list_unsaved(1, article_id)] == [
        "Mine alone"
    ]


def test_an_author_cannot_autosave_a_colleagues_story(app: Flask, newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom)
    author = logged_in_client(app, "author")
    response = autosave(author, article_id, story_form())
    assert 'data-outcome="refused"' in response.text
    assert 'data-outcome="refused"' in autosave(author, 999, story_form()).text
    assert count_rows(Autosave) == 0


def test_autosaves_are_limited_in_size_and_number(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "too long" in autosave(newsroom, "new", story_form(body="x" * 1_000_001)).text
    assert "too long" in autosave(newsroom, "new", story_form(headline="x" * 5001)).text
    monkeypatch.setattr(autosaves, "MAX_AUTOSAVES", 2)
    for number in range(3):
        response = autosave(newsroom, "new", story_form(copy=f"{number}" * 22)).text
    assert "too much unsaved text" in response
    assert count_rows(Autosave) == 2
    assert 'data-outcome="saved"' in autosave(newsroom, "new", story_form(copy="0" * 22)).text


def test_an_autosave_without_a_login_is_refused(app: Flask, client: FlaskClient) -> None:
    response = autosave(client, "new", story_form())
    assert 'data-reason="logged-out"' in response.text
    assert 'data-outcome="refused"' in response.text
    assert "/newsroom/login" in response.text
    assert 'data-reason="logged-out"' in client.get("/newsroom/fragments/session").text
    assert count_rows(Autosave) == 0


def test_a_save_without_a_login_returns_all_entries_to_send_again(
    app: Flask, newsroom: FlaskClient
) -> None:
    sent = story_form(headline="My <headline>", body="Line one.\r\n\r\nLine two.")
    accounts.log_out(session_token(newsroom))
    response = post(newsroom, NEW_STORY, sent)
    assert response.status_code == 401
    returned = {
        field["name"]: field["value"]
        for field in Page(response.text).find_all("input")
        if field.get("name") in sent
    }
    assert {name: str(text).replace("\r\n", "\n") for name, text in returned.items()} == {
        name: text.replace("\r\n", "\n") for name, text in sent.items()
    }
    again = post(logged_in_client(app), NEW_STORY, returned)
    assert again.status_code == 303
    assert get_article(1).headline == "My <headline>"


def test_presence_names_colleagues_and_newer_versions(app: Flask, newsroom: FlaskClient) -> None:
    article_id = create_story(newsroom)
    admin = logged_in_client(app, "admin")
    path = f"/newsroom/fragments/stories/{article_id}/presence"
    version = str(get_article(article_id).version)
    assert "also editing" not in post(newsroom, path, {"version": version}).text
    assert "Editor is also editing." in post(admin, path, {"version": version}).text
    assert "Admin is also editing." in post(newsroom, path, {"version": version}).text
    assert "Admin is also editing." in newsroom.get(f"/newsroom/stories/{article_id}").text
    assert save_story(admin, article_id, headline="Newer").status_code == 303
    assert "Admin saved a newer version." in post(newsroom, path, {"version": version}).text


@pytest.mark.parametrize(
    ("kind", "text", "first"),
    [
        ("authors", "seg", "Ṣẹ́gun Adé"),
        ("authors", "Ṣẹ́g", "Ṣẹ́gun Adé"),
        ("topics", "elec", "Elections"),
        ("countries", "cote", "Ivory Coast"),
        ("countries", "Bamako", "Mali"),
        ("countries", "tg", "Togo"),
        ("sources", "reu", "Reuters"),
        ("sources", "", "Reuters"),
    ],
)
def test_suggestions_match_the_typed_text(
    newsroom: FlaskClient, story: Callable[..., int], kind: str, text: str, first: str
) -> None:
    source = {"source_name": "Reuters", "source_url": "https://www.reuters.com/x"}
    story(authors=("Ṣẹ́gun Adé",), topics=("Elections",), countries=("CI", "ML"), **source)
    response = newsroom.get(f"/newsroom/fragments/suggestions/{kind}", query_string={"q": text})
    options = Page(response.text).find_all("li")
    assert [unescape(options[0]["data-value"] or "")] == [first]
    assert {option["role"] for option in options} == {"option"}


@pytest.mark.parametrize(
    "text", ["", "x" * 5000, "%", "_", "'; drop table author", "\x00", "<b>", "\U000e0001"]
)
@pytest.mark.parametrize("kind", ["authors", "topics", "countries", "sources"])
def test_unusual_suggestion_queries_cause_no_error(
    newsroom: FlaskClient, kind: str, text: str
) -> None:
    assert (
        newsroom.get(
            f"/newsroom/fragments/suggestions/{kind}", query_string={"q": text}
        ).status_code
        == 200
    )


def test_the_form_shows_the_url_before_saving(
    newsroom: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="Ports")
    path = "/newsroom/fragments/stories/new/address"
    sent = {"headline": "Ports", "slug": "", "section": "health"}
    assert "https://spectator.example/health/ports-2" in post(newsroom, path, sent).text
    assert "Another story has the address" in post(newsroom, path, sent | {"slug": "ports"}).text
    assert "lowercase letters" in post(newsroom, path, sent | {"slug": "Ümlaut"}).text
    own = post(newsroom, "/newsroom/fragments/stories/1/address", sent | {"slug": "ports"}).text
    assert "https://spectator.example/health/ports" in own


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
    assert post(newsroom, f"/newsroom/stories/{article_id}/links", {"days": "1"}).status_code == 303
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


def test_only_people_who_may_change_a_story_can_share_it(app: Flask, newsroom: FlaskClient) -> None:
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


def test_the_history_lists_compares_and_restores_versions(newsroom: FlaskClient) -> None:
    article_id = create_story(
        newsroom, body="The dam is dry.\n\nRain is expected.", authors="Ama Serwaa"
    )
    save_story(
        newsroom,
        article_id,
        body="The dam is full.\n\nRain is expected.",
        authors="Ama Serwaa, Zed",
    )
    path = f"/newsroom/stories/{article_id}/history"
    page = newsroom.get(path)
    assert "1. started" in page.text and "2. saved" in page.text and "Editor" in page.text
    changed = newsroom.get(f"{path}/compare?from=2&to=1")
    assert re.search(r"<del>\s*dry", changed.text)
    assert re.search(r"<ins>\s*full", changed.text)
    assert "Zed" in changed.text
    version = str(get_article(article_id).version)
    assert post(newsroom, f"{path}/1", {"version": "1"}).status_code == 409
    assert post(newsroom, f"{path}/1", {"version": version}).status_code == 303
    db.session.expire_all()
    article = get_article(article_id)
    assert article.body == "<p>The dam is dry.</p>\n<p>Rain is expected.</p>"
    assert [author.name for author in article.authors] == ["Ama Serwaa"]
    assert count_rows(Revision) == 3
    assert post(newsroom, f"{path}/99", {"version": version}).status_code == 404


def test_restoring_a_version_of_a_published_story_changes_its_public_page(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish", body="First words.")
    save_story(newsroom, article_id, do="update", body="Second words.")
    post(
        newsroom,
        f"/newsroom/stories/{article_id}/history/1",
        {"version": str(get_article(article_id).version)},
    )
    assert "First words." in client.get("/business/ports-of-the-gulf-of-guinea").text


def test_a_very_long_comparison_ends_with_a_notice(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff, "MAX_SHOWN", 5000)
    article_id = create_story(newsroom, body="<p>alpha</p>" * 100)
    save_story(newsroom, article_id, body="<p>omega</p>" * 100)
    page = newsroom.get(f"/newsroom/stories/{article_id}/history/compare").text
    assert 0 < page.count("alpha") < 60 and page.count(diff.OMITTED) == 1


def test_a_hostile_revision_is_shown_as_text(newsroom: FlaskClient, editor: User) -> None:
    article_id = publishing.create(
        make_draft(headline="<script>alert(1)</script>", body="<p>x</p>"), editor
    )
    save_story(newsroom, article_id, headline="Plain")
    page = newsroom.get(f"/newsroom/stories/{article_id}/history/compare")
    assert "<script>alert" not in page.text
    assert "alert(1)" in page.text


def test_a_story_from_review_to_republication(
    app: Flask, newsroom: FlaskClient, client: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author, do="submit")
    assert get_article(article_id).status == "review"
    assert "In review" in newsroom.get("/newsroom/stories/?status=review").text
    later = f"{datetime.now(UTC) + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    assert save_story(newsroom, article_id, do="schedule", published_at=later).status_code == 303
    db.session.expire_all()
    assert get_article(article_id).status == "scheduled"
    assert author.get(f"/newsroom/stories/{article_id}").status_code == 403
    assert save_story(newsroom, article_id, do="unschedule").status_code == 303
    db.session.expire_all()
    assert (get_article(article_id).status, get_article(article_id).published_at is not None) == (
        "draft",
        True,
    )
    assert save_story(newsroom, article_id, do="publish", published_at="").status_code == 303
    assert save_story(newsroom, article_id, do="update", note="New figures.").status_code == 303
    assert "New figures." in client.get("/business/ports-of-the-gulf-of-guinea").text
    assert (
        post(newsroom, f"/newsroom/stories/{article_id}/withdraw", {"reason": "Wrong."}).status_code
        == 303
    )
    assert post(newsroom, f"/newsroom/stories/{article_id}/reinstate").status_code == 303
    assert client.get("/business/ports-of-the-gulf-of-guinea").status_code == 200


def test_a_saved_draft_keeps_its_planned_time(newsroom: FlaskClient) -> None:
    later = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"
    article_id = create_story(newsroom, published_at=later)
    assert form_values(newsroom.get(f"/newsroom/stories/{article_id}"))["published_at"] == later
    assert get_article(article_id).status == "draft"


def test_a_local_time_that_occurs_twice_must_be_chosen(app: Flask, newsroom: FlaskClient) -> None:
    # In Cairo clocks go back at the end of 28 October 2027, from midnight to 23:00.
    app.config["TIMEZONE"] = "Africa/Cairo"
    sent = story_form(do="schedule", published_at="2027-10-28T23:30")
    response = post(newsroom, NEW_STORY, sent)
    assert response.status_code == 422
    assert "happens twice: first as UTC+3, then as UTC+2" in response.text
    offered = [
        field["value"]
        for field in Page(response.text).find_all("input")
        if field.get("name") == "published_at_choice"
    ]
    assert offered == ["2027-10-28T20:30Z", "2027-10-28T21:30Z"]
    assert (
        post(newsroom, NEW_STORY, sent | {"published_at_choice": "2027-01-01T00:00Z"}).status_code
        == 422
    )
    article_id = create_story(newsroom, **sent, published_at_choice=offered[1])
    assert get_article(article_id).published_at == datetime(2027, 10, 28, 21, 30, tzinfo=UTC)
    assert (
        save_story(newsroom, article_id, do="schedule", published_at_choice=offered[1]).status_code
        == 303
    )


def test_a_local_time_that_does_not_exist_must_be_replaced(
    app: Flask, newsroom: FlaskClient
) -> None:
    # In Cairo clocks go forward on 30 April 2027, from midnight to 01:00.
    app.config["TIMEZONE"] = "Africa/Cairo"
    sent = story_form(do="schedule", published_at="2027-04-30T00:30")
    response = post(newsroom, NEW_STORY, sent)
    assert response.status_code == 422
    assert "00:30 does not exist" in response.text
    assert "29 Apr 2027, 23:30 Africa/Cairo (21:30 UTC)" in response.text
    assert "30 Apr 2027, 01:30 Africa/Cairo (29 Apr, 22:30 UTC)" in response.text
    article_id = create_story(newsroom, **sent, published_at_choice="2027-04-29T22:30Z")
    assert get_article(article_id).published_at == datetime(2027, 4, 29, 22, 30, tzinfo=UTC)


def test_a_picture_uploaded_for_the_text_is_returned_as_a_figure(newsroom: FlaskClient) -> None:
    sent = {"picture": picture_file(), "alt": "A <port>", "caption": "Noon", "credit": "Ama"}
    response = post(newsroom, "/newsroom/fragments/pictures", sent)
    assert response.status_code == 200
    assert re.search(
        r'<figure><img src="/media/[^"]+" alt="A &lt;port&gt;" width="64" height="40">',
        response.text,
    )
    assert "<figcaption>Noon <cite>Ama</cite></figcaption>" in response.text
    for wrong in ({"alt": ""}, {"picture": b""}):
        refused = post(
            newsroom, "/newsroom/fragments/pictures", sent | {"picture": picture_file()} | wrong
        )
        assert 'data-outcome="refused"' in refused.text
