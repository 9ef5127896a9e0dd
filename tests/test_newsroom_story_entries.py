"""What the story form refuses: invalid, unlisted, hostile and oversized entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator.accounts import log_out
from spectator.db import db
from spectator.models import Article, User
from spectator.newsroom import security
from spectator.publishing.validation import MAX_BODY_PIECES, body_size_problem
from spectator.urls import permalink
from tests.newsroom_client import (
    ALL_ENTRIES,
    NEW_STORY,
    SAME_ORIGIN,
    client_without_checks,
    count_articles,
    create_story,
    form_values,
    get_article,
    logged_in_client,
    picture_file,
    post,
    session_token,
    story_form,
    upload,
)
from tests.page_checks import Page


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
        get_article(create_story(newsroom, do="schedule", published_at=later)).status
        == "scheduled"
    )


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
    texts = [{"body": "x" * megabytes * 1024**2} for megabytes in (1, 3, 5, 11)]
    fields = ("headline", "dek", "body", "note", "remark", "source_name", "topics", "authors")
    texts.append(dict.fromkeys(fields, "x" * 3 * 1024**2))
    for text in texts:
        sent = story_form(**text)
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
