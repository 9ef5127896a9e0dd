"""The story list, form, preview and actions for people of each role."""

from __future__ import annotations

import re
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from spectator import publishing
from spectator.accounts import log_out
from spectator.db import db
from spectator.models import Article, Picture, User
from spectator.newsroom import security
from spectator.publishing import Action
from spectator.publishing.validation import MAX_BODY_PIECES, body_size_problem
from spectator.text.words.name_lists import join_names, split_names
from spectator.urls import permalink
from tests.conftest import make_draft
from tests.newsroom_client import (
    ALL_ENTRIES,
    NEW_STORY,
    SAME_ORIGIN,
    SESSION_COOKIE,
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
    upload,
)
from tests.page_checks import Page


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
    assert set(split_names(values["countries"])) == {country.name for country in article.countries}


def test_saving_an_unchanged_form_changes_no_content(newsroom: FlaskClient, editor: User) -> None:
    body = "\n\nFirst line\n\n<blockquote>\n<p>Quoted</p>\n</blockquote>\n\n<p>Last &amp; least</p>"
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
            post(author, NEW_STORY, story_form(do="publish", published_at=date)).status_code == 403
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
            post(author, path, story_form(version="1", headline="Mine now", reason="x")).status_code
            == 403
        )
    assert "Secret headline" not in author.get("/newsroom/stories/").text
    assert get_article(secret).headline == "Secret headline"


def test_an_author_cannot_change_an_own_published_story(app: Flask, newsroom: FlaskClient) -> None:
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


def test_posted_values_without_a_form_field_are_ignored(
    app: Flask, newsroom: FlaskClient, editor: User
) -> None:
    author = logged_in_client(app, "author")
    forged = {
        "id": "999",
        "status": "published",
        "created_by_id": str(editor.id),
        "version_id": "7",
        "updated_at": "2020-01-01",
        "external_id": "x",
        "excerpt": "forged",
        "word_count": "9",
        "role": "admin",
        "withdrawn_reason": "forged",
        "published_at": "2020-01-01T00:00",
    }
    article = get_article(create_story(author, **forged))
    assert (article.id, article.status, article.external_id) != (999, "published", "x")
    assert (article.status, article.published_at, article.updated_at) == ("draft", None, None)
    assert article.created_by is not None
    assert (article.created_by.role, article.version) == ("author", 1)
    assert (article.excerpt, article.withdrawn_reason) != ("forged", "forged")
    other = create_story(newsroom, headline="Other")
    post(
        author,
        f"/newsroom/stories/{article.id}",
        story_form(version="1", id=str(other), headline="Changed"),
    )
    assert get_article(other).headline == "Other"


# Field, its invalid value, and the field that shows the error.
INVALID_ENTRIES = [
    ("headline", "", "headline"),
    ("headline", " \u200b\u202e ", "headline"),
    ("headline", "x" * 301, "headline"),
    ("body", "", "body"),
    ("body", "<p><script>alert(1)</script></p>", "body"),
    ("body", "x" * 1_000_001, "body"),
    ("section", "", "section"),
    ("section", "nowhere", "section"),
    ("language", "not a tag", "language"),
    ("slug", "Not A Slug!", "slug"),
    ("countries", "Atlantis", "countries"),
    ("topics", ",".join(f"t{n}" for n in range(40)), "topics"),
    ("authors", "x" * 200, "authors"),
    ("source_url", "javascript:alert(1)", "source_url"),
    ("source_url", "data:text/html,x", "source_url"),
    ("published_at", "not a date", "published_at"),
    ("published_at", "9999-12-31T23:59", "published_at"),
    ("published_at", "0001-01-01T00:00", "published_at"),
    ("published_at", "0999-12-31T00:00", "published_at"),
]


@pytest.mark.parametrize("name", ["do", "then"])
@pytest.mark.parametrize("action", ["keep", "update", "explode"])
def test_a_new_story_has_only_actions_of_the_table(
    newsroom: FlaskClient, name: str, action: str
) -> None:
    response = post(newsroom, NEW_STORY, ALL_ENTRIES | {name: action})
    assert response.status_code == (403 if action == "update" else 303)


@pytest.mark.parametrize(
    ("field", "value", "error"),
    INVALID_ENTRIES,
    ids=[f"{field}-{value[:12]!r}" for field, value, _ in INVALID_ENTRIES],
)
def test_an_invalid_entry_is_returned_with_its_error(
    newsroom: FlaskClient, field: str, value: str, error: str
) -> None:
    sent = ALL_ENTRIES | {"do": "publish", field: value}
    response = post(newsroom, NEW_STORY, sent)
    assert response.status_code == 422
    assert f'id="{error}-error"' in response.text
    assert f'<a href="#{error}">' in response.text
    page = Page(response.text)
    control = next(
        element
        for element in page.find_all("input", "textarea", "select")
        if element.get("id") == error
    )
    assert control["aria-invalid"] == "true"
    assert f"{error}-error" in (control["aria-describedby"] or "")
    returned = form_values(response)
    for name, entry in sent.items():
        if name not in {"do", "section"} and (name, entry) != ("language", "not a tag"):
            assert returned[name] == entry.replace("\r\n", "\n"), name
    assert returned["section"] == ("" if field == "section" else "business")
    assert count_articles() == 0


def test_publishing_with_a_future_date_is_refused(newsroom: FlaskClient) -> None:
    later = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    response = post(newsroom, NEW_STORY, story_form(do="publish", published_at=later))
    assert response.status_code == 422
    assert "Press Schedule, or clear the field" in response.text
    assert count_articles() == 0
    assert (
        get_article(create_story(newsroom, do="schedule", published_at=later)).status == "scheduled"
    )


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


def test_all_invalid_entries_are_reported_at_once(newsroom: FlaskClient) -> None:
    broken = upload(b"not a picture", "picture.png")
    sent = story_form(headline="", source_url="ftp://x", published_at="tomorrow", picture=broken)
    response = post(newsroom, NEW_STORY, sent)
    assert response.status_code == 422
    for name in ("headline", "source_url", "published_at", "picture"):
        assert f'id="{name}-error"' in response.text


def test_a_slug_that_is_in_use_is_refused(newsroom: FlaskClient) -> None:
    create_story(newsroom, slug="taken", do="publish")
    response = post(newsroom, NEW_STORY, story_form(slug="taken"))
    assert response.status_code == 422
    assert 'id="slug-error"' in response.text
    assert form_values(response)["slug"] == "taken"


def test_backdating_in_the_newsrooms_time_zone(app: Flask, newsroom: FlaskClient) -> None:
    app.config["TIMEZONE"] = "Africa/Nairobi"
    article = get_article(create_story(newsroom, do="publish", published_at="2024-03-01T09:30"))
    assert article.status == "published"
    assert article.published_at == datetime(2024, 3, 1, 6, 30, tzinfo=UTC)
    page = newsroom.get(f"/newsroom/stories/{article.id}").text
    assert (
        form_values(newsroom.get(f"/newsroom/stories/{article.id}"))["published_at"]
        == "2024-03-01T09:30"
    )
    assert "1 Mar 2024, 09:30 Africa/Nairobi (06:30 UTC)" in page


def test_one_megabyte_is_stored_and_three_are_refused(newsroom: FlaskClient) -> None:
    body = "word " * 199_000
    response = post(newsroom, NEW_STORY, story_form(body=body))
    assert response.status_code == 303
    for name in ("body", "headline"):
        sent = story_form(dek="Keep me") | {name: "x" * 3_000_000}
        response = post(newsroom, NEW_STORY, sent)
        assert response.status_code == 422
        assert f'id="{name}-error"' in response.text
        assert form_values(response)["dek"] == "Keep me"
    assert count_articles() == 1


@pytest.mark.parametrize("unit", ["a\n", "<b>a</b>", "<p>"])
def test_a_text_with_too_many_lines_or_tags_is_refused(newsroom: FlaskClient, unit: str) -> None:
    tags_or_lines = unit.count("<") or 1
    most = MAX_BODY_PIECES // tags_or_lines
    fits, too_many = unit * (most - 1), unit * (most + 1)
    response = post(newsroom, NEW_STORY, story_form(body=f"<hr>{too_many}", dek="Keep me"))
    assert response.status_code == 422 and form_values(response)["dek"] == "Keep me"
    assert "100,000 lines and tags" in response.text
    address = "/newsroom/fragments/stories/new/autosave"
    assert "too long" in post(newsroom, address, story_form(body=f"<hr>{too_many}")).text
    assert body_size_problem(fits) == ""


@pytest.mark.parametrize("is_logged_in", [True, False])
@pytest.mark.parametrize("kind", ["multipart", "urlencoded"])
def test_no_response_returns_more_than_a_few_megabytes_of_a_form(
    newsroom: FlaskClient, is_logged_in: bool, kind: str
) -> None:
    if not is_logged_in:
        log_out(session_token(newsroom))
    sizes = [0]
    for megabytes in (1, 3, 5, 11):
        sent = story_form(body="x" * megabytes * 1024**2)
        response = (
            newsroom.post(NEW_STORY, data=sent, headers=SAME_ORIGIN)
            if kind == "urlencoded"
            else post(newsroom, NEW_STORY, sent)
        )
        assert response.status_code in {401, 413, 422}
        sizes.append(len(response.data))
    assert max(sizes) < 5 * 1024**2
    if kind == "urlencoded":
        assert max(sizes) < 100_000, "refused unread"
    else:
        assert sizes[2] > 3 * 1024**2, "a text of 3 MB is returned"
    assert count_articles() == 0


@pytest.mark.parametrize(
    ("field_bytes", "form_bytes"),
    [(1_200_000, 64_000_000), (10**14, 1_000_000)],
    ids=["field", "form"],
)
def test_oversized_forms_get_an_error_page(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch, field_bytes: int, form_bytes: int
) -> None:
    monkeypatch.setattr(security, "MAX_STORY_FIELD_BYTES", field_bytes)
    monkeypatch.setattr(security, "MAX_STORY_BYTES", form_bytes)
    response = post(newsroom, NEW_STORY, story_form(body="x" * 1_500_000))
    assert response.status_code == 413
    assert "too large" in response.text
    assert count_articles() == 0


def client_without_checks(app: Flask, client: FlaskClient) -> FlaskClient:
    """Return a client with the same session that does not check pages."""
    plain = FlaskClient(app, Response)
    plain.set_cookie(SESSION_COOKIE, session_token(client))
    return plain


HOSTILE = '<img src=x onerror=alert(1)>{{7*7}}"><script>alert(1)</script>'


def test_hostile_entries_are_shown_as_text(app: Flask, newsroom: FlaskClient) -> None:
    text_fields = (
        "headline",
        "dek",
        "authors",
        "topics",
        "source_name",
        "picture_alt",
        "picture_caption",
        "picture_credit",
    )
    body = (
        '<p hx-get="/x" data-hx-get="/x" onclick="a()">'
        f'Text <a href="javascript:alert(1)">a</a></p>{HOSTILE}'
    )
    sent = story_form(
        do="publish", body=body, picture=picture_file(), **dict.fromkeys(text_fields, HOSTILE)
    )
    response = post(newsroom, NEW_STORY, sent)
    assert response.status_code == 303
    article = db.session.scalars(select(Article)).one()
    story = f"/newsroom/stories/{article.id}"
    plain = client_without_checks(app, newsroom)
    for path in (
        story,
        f"{story}/preview",
        "/newsroom/stories/",
        permalink(get_article(article.id)),
    ):
        page = plain.get(path).text
        for tag, attrs in Page(page).elements:
            assert not [name for name in attrs if name.startswith("on")], tag
            assert "javascript:" not in (attrs.get("href") or "")
            assert attrs.get("hx-get") != "/x"
        assert "<script>alert" not in page
        assert "{{7*7}}" in page


def post_story_with_picture(client: FlaskClient, **changes: Any) -> TestResponse:
    sent = story_form(picture=picture_file(), picture_alt="A red field", **changes)
    return post(client, NEW_STORY, sent)


def test_a_picture_is_stored_shown_and_removed(newsroom: FlaskClient) -> None:
    response = post_story_with_picture(newsroom)
    assert response.status_code == 303
    article = db.session.scalars(select(Article)).one()
    assert article.picture_id
    page = newsroom.get(f"/newsroom/stories/{article.id}")
    assert "Remove this picture" in page.text
    picture = next(image for image in Page(page.text).find_all("img") if "src" in image)
    with newsroom.get(picture["src"] or "") as response:
        assert response.status_code == 200
    assert save_story(newsroom, article.id, headline="Kept").status_code == 303
    assert get_article(article.id).picture_id
    assert save_story(newsroom, article.id, remove_picture="1").status_code == 303
    db.session.expire_all()
    assert get_article(article.id).picture_id is None


SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        len(content).to_bytes(4, "big")
        + kind
        + content
        + zlib.crc32(kind + content).to_bytes(4, "big")
    )


SIZE = (20_000).to_bytes(4, "big") * 2
# A small file that claims 20,000 × 20,000 pixels.
DECOMPRESSION_BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + png_chunk(b"IHDR", SIZE + b"\x08\0\0\0\0")
    + png_chunk(b"IDAT", zlib.compress(bytes(8000)))
)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"hello", "picture.png", "not a picture we support"),
        (SVG, "a.svg", "not a picture we support"),
        (DECOMPRESSION_BOMB, "bomb.png", "megapixels"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 42_000_000, "../../big.png", "40 MB"),
    ],
    ids=["text", "svg", "bomb", "large"],
)
def test_an_invalid_picture_is_refused_and_all_other_entries_returned(
    newsroom: FlaskClient, content: bytes, name: str, words: str
) -> None:
    response = post(
        newsroom, NEW_STORY, ALL_ENTRIES | {"picture": upload(content, name), "picture_alt": "Alt"}
    )
    assert response.status_code == 422
    assert words in response.text
    returned = form_values(response)
    assert {field: returned[field] for field in ALL_ENTRIES} == {
        field: ALL_ENTRIES[field].replace("\r\n", "\n") for field in ALL_ENTRIES
    }
    assert (returned["picture_alt"], count_articles()) == ("Alt", 0)


def test_an_uploaded_picture_survives_a_refused_form(newsroom: FlaskClient) -> None:
    response = post_story_with_picture(newsroom, headline="")
    assert response.status_code == 422
    returned = form_values(response)
    assert returned["picture_id"]
    assert count_articles() == 0
    response = post(newsroom, NEW_STORY, returned | {"headline": "Now with a headline"})
    assert response.status_code == 303
    assert db.session.scalars(select(Article.picture_id)).one() is not None


def test_a_picture_needs_alt_text(newsroom: FlaskClient) -> None:
    response = post(newsroom, NEW_STORY, story_form(picture=picture_file()))
    assert response.status_code == 422
    assert 'id="picture_alt-error"' in response.text


def test_a_colleagues_uploaded_picture_cannot_be_claimed(app: Flask, newsroom: FlaskClient) -> None:
    token = form_values(post_story_with_picture(newsroom, headline=""))["picture_id"]
    number = db.session.scalars(select(Picture.id)).one()
    author = logged_in_client(app, "author")
    for claim in (token, str(number), "999", "x", f"{number}.x"):
        response = post(author, NEW_STORY, story_form(picture_id=claim, picture_alt="Alt"))
        assert response.status_code == 422, claim
        assert "upload it again" in response.text
    assert count_articles() == 0


def test_a_correction_is_dated_and_shown(newsroom: FlaskClient, client: FlaskClient) -> None:
    article_id = create_story(newsroom, do="publish")
    response = save_story(
        newsroom, article_id, do="correct", body="Corrected.", note="The port was misnamed."
    )
    assert "done=correct&" in response.location
    article = get_article(article_id)
    assert [correction.text for correction in article.corrections] == ["The port was misnamed."]
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
def test_saving_with_an_unknown_version_is_a_conflict(newsroom: FlaskClient, version: str) -> None:
    article_id = create_story(newsroom)
    response = post(
        newsroom, f"/newsroom/stories/{article_id}", story_form(version=version, headline="Changed")
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


def test_the_story_list_has_pages_a_status_filter_and_a_search(
    newsroom: FlaskClient, editor: User
) -> None:
    assert "Write the first" in newsroom.get("/newsroom/stories/").text
    for number in range(53):
        action = Action("publish" if number == 1 else "save")
        publishing.create(
            make_draft(headline=f"Story {number:02}", authors=("Amina Diallo",)), editor, action
        )
    first, second = (newsroom.get(f"/newsroom/stories/?page={page}").text for page in (1, 2))
    headlines = [re.findall(r"Story \d\d", page) for page in (first, second)]
    assert [len(titles) for titles in headlines] == [50, 3]
    assert len({*headlines[0], *headlines[1]}) == 53
    assert "Amina Diallo" in first
    assert "Politics" in first
    published = newsroom.get("/newsroom/stories/?status=published").text
    assert re.findall(r"Story \d\d", published) == ["Story 01"]
    assert "On the site" in published
    assert "Story 07" in newsroom.get("/newsroom/stories/?q=ory+07").text
    assert "No story matches" in newsroom.get("/newsroom/stories/?q=%25").text


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=NaN",
        "page=999999",
        "page=" + "9" * 50,
        "status=nothing",
        "q=" + "x" * 5000,
        "q=%00",
    ],
)
def test_invalid_list_parameters_are_ignored(newsroom: FlaskClient, query: str) -> None:
    assert newsroom.get(f"/newsroom/stories/?{query}").status_code == 200


def test_scheduled_stories_are_listed_by_publication_time(app: Flask, editor: User) -> None:
    client = logged_in_client(app)
    start = datetime.now(UTC).replace(second=0, microsecond=0)
    for days in (3, 1, 2):
        article_id = publishing.create(make_draft(headline=f"In {days} days"), editor)
        publishing.apply_action(
            article_id, editor, Action("schedule", start + timedelta(days=days))
        )
    page = client.get("/newsroom/stories/?status=scheduled").text
    assert re.findall(r"In \d days", page) == ["In 1 days", "In 2 days", "In 3 days"]
    first = start + timedelta(days=1)
    assert (
        f'publishes\n      <time datetime="{first:%Y-%m-%dT%H:%M:00Z}">'
        f"{first.day} {first:%b %Y}, {first:%H:%M}" in page
    )
    assert page.count("publishes\n") == 3
    assert client.get("/newsroom/stories/").text.count("publishes\n") == 3


def test_the_list_takes_few_selects(newsroom: FlaskClient, editor: User, take_selects: Any) -> None:
    for number in range(5):
        publishing.create(
            make_draft(headline=f"Story {number}", authors=(f"Author {number}",)), editor
        )
    newsroom.get("/newsroom/stories/")
    take_selects()
    newsroom.get("/newsroom/stories/")
    assert len(take_selects()) <= 7  # the navigation counts what is in review


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
