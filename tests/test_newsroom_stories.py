"""Stories in the newsroom: stored, saved, published, corrected, withdrawn, by whom."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import publishing
from spectator.db import db
from spectator.models import User
from spectator.text.words.name_lists import join_names, split_names
from spectator.urls import permalink
from tests.conftest import make_draft
from tests.newsroom_client import (
    ALL_ENTRIES,
    NEW_STORY,
    client_without_checks,
    count_articles,
    create_story,
    form_values,
    get_article,
    logged_in_client,
    post,
    save_story,
    story_form,
)


def test_a_story_is_stored_with_every_entry(newsroom: FlaskClient, editor: User) -> None:
    assert newsroom.get(NEW_STORY).status_code == 200
    article = get_article(create_story(newsroom, **ALL_ENTRIES))
    assert (article.status, article.created_by_id, article.slug) == (
        "draft",
        editor.id,
        "ports-of-guinea",
    )
    assert article.body == "<p>One.</p>\n<p>Two.</p>"
    assert [author.name for author in article.authors] == ["Zainab Bello", "Amina Diallo"]
    assert {country.code for country in article.countries} == {"NG", "CI"}
    assert [topic.name for topic in article.topics] == ["Ports", "Trade"]
    values = form_values(newsroom.get(f"/newsroom/stories/{article.id}"))
    for name in (
        "headline",
        "dek",
        "section",
        "language",
        "slug",
        "authors",
        "source_name",
        "source_url",
    ):
        assert values[name] == ALL_ENTRIES[name]
    assert set(split_names(values["countries"])) == {
        country.name for country in article.countries
    }


def test_saving_an_unchanged_form_changes_no_content(newsroom: FlaskClient, editor: User) -> None:
    body = (
        "\n\nFirst line\n\n<blockquote>\n<p>Quoted</p>\n</blockquote>\n\n<p>Last &amp; least</p>"
    )
    article_id = publishing.create(
        make_draft(body=body, authors=("Diallo, Amina", "Zed"), topics=("A, B",)), editor
    )
    before = get_article(article_id)
    values = (
        before.body,
        before.headline,
        before.slug,
        [a.name for a in before.authors],
        [t.name for t in before.topics],
    )
    assert save_story(newsroom, article_id).status_code == 303
    db.session.rollback()
    db.session.expire_all()
    after = get_article(article_id)
    assert values == (
        after.body,
        after.headline,
        after.slug,
        [a.name for a in after.authors],
        [t.name for t in after.topics],
    )
    assert after.version > 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("Amina Diallo", ("Amina Diallo",)),
        (" A , B ,, C ", ("A", "B", "C")),
        ("Diallo, Amina; Bello, Zainab", ("Diallo, Amina", "Bello, Zainab")),
        ("Diallo, Amina;", ("Diallo, Amina",)),
        ("A, B\nC", ("A, B", "C")),
        ("علي، عمر", ("علي", "عمر")),
    ],
)
def test_names_in_one_line_are_split_and_joined(text: str, names: tuple[str, ...]) -> None:
    assert split_names(text) == names
    assert split_names(join_names(list(names))) == names


def test_an_author_drafts_and_an_editor_publishes(
    app: Flask, client: FlaskClient, newsroom: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    page = author.get(NEW_STORY).text
    assert 'value="publish"' not in page
    assert "published_at" not in page
    article_id = create_story(author, published_at="2020-01-01T00:00")
    assert get_article(article_id).published_at is None
    assert client.get(permalink(get_article(article_id))).status_code == 404
    assert save_story(newsroom, article_id, do="publish").status_code == 303
    assert get_article(article_id).status == "published"
    assert client.get(permalink(get_article(article_id))).status_code == 200


@pytest.mark.parametrize("path", ["", "/publish", "/withdraw"])
def test_an_author_cannot_publish(app: Flask, path: str) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author)
    sent = story_form(version="1", do="publish", reason="x", body="My precious <words>")
    response = post(author, f"/newsroom/stories/{article_id}{path}", sent)
    assert response.status_code == 403
    assert "My precious &lt;words&gt;" in response.text
    assert get_article(article_id).status == "draft"
    for date in ("", "2020-01-01T00:00"):
        assert (
            post(author, NEW_STORY, story_form(do="publish", published_at=date)).status_code
            == 403
        )
    assert count_articles() == 1
    future = story_form(published_at="2999-01-01T00:00")
    assert post(author, NEW_STORY, future).status_code == 303, "authors cannot set the date"


def test_an_author_cannot_view_or_change_a_colleagues_story(
    app: Flask, newsroom: FlaskClient
) -> None:
    secret = create_story(newsroom, headline="Secret headline")
    author = logged_in_client(app, "author")
    story = f"/newsroom/stories/{secret}"
    for path in (story, f"{story}/preview"):
        response = author.get(path)
        assert response.status_code == 403
        assert "Secret headline" not in response.text
    for path in (story, f"{story}/publish", f"{story}/withdraw"):
        assert (
            post(
                author, path, story_form(version="1", headline="Mine now", reason="x")
            ).status_code
            == 403
        )
    assert "Secret headline" not in author.get("/newsroom/stories/").text
    assert get_article(secret).headline == "Secret headline"


def test_an_author_cannot_change_an_own_published_story(
    app: Flask, newsroom: FlaskClient
) -> None:
    author = logged_in_client(app, "author")
    article_id = create_story(author)
    save_story(newsroom, article_id, do="publish")
    response = post(
        author, f"/newsroom/stories/{article_id}", story_form(version="2", body="Late words")
    )
    assert response.status_code == 403
    assert "Late words" in response.text
    page = author.get("/newsroom/stories/").text
    assert "On the site" in page
    assert f'href="/newsroom/stories/{article_id}"' not in page


@pytest.mark.parametrize("name", ["do", "then"])
@pytest.mark.parametrize("action", ["keep", "update", "explode"])
def test_a_new_story_has_only_actions_of_the_table(
    newsroom: FlaskClient, name: str, action: str
) -> None:
    response = post(newsroom, NEW_STORY, ALL_ENTRIES | {name: action})
    assert response.status_code == (403 if action == "update" else 303)


def test_scheduling_says_when_the_story_is_published(newsroom: FlaskClient) -> None:
    time = (datetime.now(UTC) + timedelta(days=1)).replace(second=0, microsecond=0)
    response = post(
        newsroom, NEW_STORY, story_form(do="schedule", published_at=f"{time:%Y-%m-%dT%H:%M}")
    )
    page = newsroom.get(response.location).text
    assert f"Scheduled for {time.day} {time:%b %Y}, {time:%H:%M} UTC." in page


def test_a_notice_is_not_shown_once_the_story_has_moved_on(newsroom: FlaskClient) -> None:
    response = post(newsroom, NEW_STORY, story_form(do="publish"))
    assert "Published. Readers see the story now." in newsroom.get(response.location).text
    story = response.location.partition("?")[0]
    withdrawn = post(newsroom, f"{story}/withdraw", {"reason": "A court order."})
    assert "Published. Readers see the story now." not in newsroom.get(response.location).text
    assert "Story withdrawn. Readers now see the reason." in newsroom.get(withdrawn.location).text
    post(newsroom, f"{story}/reinstate")
    assert "Story withdrawn." not in newsroom.get(withdrawn.location).text


def test_a_withdrawn_story_links_to_what_readers_see(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish")
    post(newsroom, f"/newsroom/stories/{article_id}/withdraw", {"reason": "A court order."})
    link = re.search(
        r'<a href="([^"]+)">What readers see</a>',
        newsroom.get(f"/newsroom/stories/{article_id}").text,
    )
    assert link
    gone = client.get(link[1])
    assert gone.status_code == 410
    assert "A court order." in gone.text


def test_a_correction_is_dated_and_shown(newsroom: FlaskClient, client: FlaskClient) -> None:
    article_id = create_story(newsroom, do="publish")
    response = save_story(
        newsroom, article_id, do="correct", body="Corrected.", note="The port was misnamed."
    )
    assert "done=correct&" in response.location
    article = get_article(article_id)
    assert [note.text for note in article.notes] == ["The port was misnamed."]
    assert article.updated_at is not None
    page = client.get(permalink(article)).text
    assert "The port was misnamed." in page
    assert "Corrected." in page
    assert "done=update&" in save_story(newsroom, article_id, do="update").location
    assert save_story(newsroom, article_id, do="update", note="x" * 3000).status_code == 422


def test_a_story_can_be_withdrawn_and_republished(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish")
    story, url = f"/newsroom/stories/{article_id}", permalink(get_article(article_id))
    response = post(newsroom, f"{story}/withdraw", {"reason": " "})
    assert response.status_code == 422
    assert 'id="reason-error"' in response.text
    response = post(newsroom, f"{story}/withdraw", {"reason": "The source <b>lied</b>."})
    assert response.status_code == 303
    gone = client.get(url)
    assert gone.status_code == 410
    assert "The source &lt;b&gt;lied&lt;/b&gt;." in gone.text
    page = newsroom.get(response.location).text
    assert "Republish" in page
    assert post(newsroom, f"{story}/withdraw", {"reason": "Again"}).status_code == 403
    assert post(newsroom, f"{story}/reinstate").status_code == 303
    assert client.get(url).status_code == 200


def test_the_old_url_redirects_after_a_slug_change(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(newsroom, do="publish")
    before = permalink(get_article(article_id))
    assert save_story(newsroom, article_id, do="update", slug="a-new-address").status_code == 303
    response = client.get(before)
    assert response.status_code in {301, 308}
    assert response.location.endswith("/a-new-address")


@pytest.mark.parametrize("version", ["", "0", "-1", "x", "9" * 30, "2"])
def test_saving_with_an_unknown_version_is_a_conflict(
    newsroom: FlaskClient, version: str
) -> None:
    article_id = create_story(newsroom)
    response = post(
        newsroom,
        f"/newsroom/stories/{article_id}",
        story_form(version=version, headline="Changed"),
    )
    assert response.status_code == 409
    assert get_article(article_id).headline != "Changed"


def test_the_preview_shows_the_body_that_readers_get(
    newsroom: FlaskClient, client: FlaskClient
) -> None:
    article_id = create_story(
        newsroom, headline="Seen before it is out", dek="A dek", authors="Amina Diallo"
    )
    path = f"/newsroom/stories/{article_id}/preview"
    response = newsroom.get(path)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert "noindex" in response.headers["X-Robots-Tag"]
    for words in ("Seen before it is out", "A dek", "Amina Diallo", "Preview", "noindex"):
        assert words in response.text
    assert client.get(path).status_code == 303
    save_story(newsroom, article_id, do="publish")
    public = client.get(permalink(get_article(article_id))).text
    preview = newsroom.get(path).text
    public_body, preview_body = (
        re.findall(r'<div class="prose">.*?</div>', page, re.DOTALL) for page in (public, preview)
    )
    assert public_body and public_body == preview_body


@pytest.mark.parametrize("number", ["0", "999", "2147483648", "9" * 40, "-1", "x", "%00"])
def test_unknown_story_numbers_get_404(newsroom: FlaskClient, number: str) -> None:
    assert newsroom.get(f"/newsroom/stories/{number}").status_code == 404
    assert newsroom.get(f"/newsroom/stories/{number}/preview").status_code == 404
    assert post(newsroom, f"/newsroom/stories/{number}/publish").status_code == 404
    assert post(newsroom, f"/newsroom/stories/{number}", story_form(version="1")).status_code in {
        404,
        405,
    }


def test_the_page_of_an_internal_error_returns_the_text(
    app: Flask, newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(publishing, "create", broken)
    app.testing = False
    response = post(
        client_without_checks(app, newsroom), NEW_STORY, story_form(body="My <precious> words")
    )
    assert response.status_code == 500
    assert "My &lt;precious&gt; words" in response.text
