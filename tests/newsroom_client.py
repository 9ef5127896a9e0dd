"""Test client of the newsroom: logs in, reads and posts forms, creates and saves stories."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO
from typing import Any

from flask import Flask, Response
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from spectator import accounts, queries
from spectator.db import db
from spectator.models import Article, User
from tests.page_checks import Page

NEW_STORY = "/newsroom/stories/new"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
SESSION_COOKIE = "__Host-session"
ALL_ENTRIES = {
    "headline": "Ports & “Gulf” <of> Guinea",
    "dek": "What they carry",
    "body": "One.\r\n\r\nTwo.",
    "section": "business",
    "language": "fr",
    "slug": "ports-of-guinea",
    "authors": "Zainab Bello, Amina Diallo",
    "countries": "Nigeria, CI",
    "topics": "Ports, Trade",
    "source_name": "Reuters",
    "source_url": "https://www.reuters.com/a?b=c&d=e",
    "picture_caption": "A harbour",
    "picture_credit": "Somebody",
}


def post(
    client: FlaskClient, path: str, data: dict[str, Any] | None = None, **options: Any
) -> TestResponse:
    """Post a form as a newsroom page does; a redirect must be one that is followed with GET."""
    # Encoded here, because the client would leave uploaded files open.
    boundary, body = encode_multipart(data or {"csrf_token": ""})
    options["content_type"] = f"multipart/form-data; boundary={boundary}"
    options["headers"] = SAME_ORIGIN | options.get("headers", {})
    response = client.post(path, data=body, **options)
    assert not response.location or response.status_code == 303
    return response


def create_account(role: str) -> int:
    """Create the account `<role>@news.example` with `a long password of <role>`; return its id."""
    user_id, _ = accounts.add_user(
        f"{role}@news.example", role.title(), role, f"a long password of {role}"
    )
    return user_id


def log_in(client: FlaskClient, role: str, password: str = "", **options: Any) -> TestResponse:
    """Send the login form; without a password, send the one of `create_account`."""
    entries = {
        "email": f"{role}@news.example",
        "password": password or f"a long password of {role}",
    }
    return post(client, "/newsroom/login", entries, **options)


def logged_in_client(app: Flask, role: str = "editor") -> FlaskClient:
    """Return a logged-in client with this role; create its account if it is missing."""
    if db.session.scalar(select(User.id).where(User.email == f"{role}@news.example")) is None:
        create_account(role)
    client = app.test_client()
    assert log_in(client, role).status_code == 303
    return client


def session_token(client: FlaskClient) -> str:
    """Return the session token in the client's cookie, empty if there is none."""
    cookie = client.get_cookie(SESSION_COOKIE)
    return cookie.value if cookie else ""


def story_form(**changes: Any) -> dict[str, Any]:
    """Return the entries of a valid story form, with some of them changed."""
    entries = {
        "headline": "Ports of the Gulf of Guinea",
        "body": "One paragraph.\r\n\r\nAnother paragraph.",
        "section": "business",
        "language": "en",
        "do": "save",
    }
    return entries | changes


def picture_file(size: tuple[int, int] = (64, 40), kind: str = "PNG") -> FileStorage:
    """Return the upload of a small picture."""
    stream = BytesIO()
    Image.new("RGB", size, (160, 60, 30)).save(stream, kind)
    return upload(stream.getvalue(), f"picture.{kind.lower()}")


def upload(content: bytes, name: str) -> FileStorage:
    """Return the upload of a file."""
    return FileStorage(BytesIO(content), name, content_type="image/png")


def get_article(article_id: int) -> Article:
    """Return a story with its collections; fail if there is none."""
    article = queries.article_to_edit(article_id)
    assert article is not None
    return article


def reload_article(article_id: int) -> Any:
    """Return a story as it is stored now."""
    db.session.rollback()
    db.session.expire_all()
    return get_article(article_id)


def count_articles() -> int:
    return db.session.scalar(select(func.count(Article.id))) or 0


def create_story(client: FlaskClient, **changes: Any) -> int:
    """Store a new story through the form and return its id."""
    response = post(client, NEW_STORY, story_form(**changes))
    assert response.status_code == 303, response.text
    match = re.fullmatch(
        r"/newsroom/stories/(\d+)\?done=[a-z_]+&stored=[\w-]+", response.location
    )
    assert match
    return int(match[1])


def form_values(response: TestResponse) -> dict[str, str]:
    """Return every entry of a page's form as a browser would send it."""
    page = Page(response.text)
    values = {
        field["name"] or "": field.get("value") or ""
        for field in page.find_all("input")
        if field.get("name") and field.get("type") not in {"file", "checkbox"}
    }
    for name, text in re.findall(
        r'<textarea[^>]* name="(\w+)"[^>]*>\n(.*?)</textarea>', response.text, re.DOTALL
    ):
        values[name] = unescape(text)
    for name, options in re.findall(
        r'<select[^>]* name="(section|kind|language)"[^>]*>(.*?)</select>',
        response.text,
        re.DOTALL,
    ):
        selected = re.search(r'<option value="([\w-]*)"[^>]*\sselected[\s>]', options)
        values[name] = selected[1] if selected else ""
    return values


def save_story(client: FlaskClient, article_id: int, **changes: Any) -> TestResponse:
    """Open a story's form, change some entries and submit it."""
    path = f"/newsroom/stories/{article_id}"
    return post(client, path, form_values(client.get(path)) | {"do": "save"} | changes)


def autosave(
    client: FlaskClient, article_id: int | str, entries: dict[str, str], **changes: Any
) -> TestResponse:
    """Send an autosave as the form does; `article_id` is `new` for a new story."""
    path = f"/newsroom/fragments/stories/{article_id}/autosave"
    response = post(client, path, entries | {"seq": "7"} | changes)
    assert response.status_code == 200
    return response


def count_rows(model: type[Any]) -> int:
    """Return the number of rows of a table."""
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def client_without_checks(app: Flask, client: FlaskClient) -> FlaskClient:
    """Return a client with the same session that does not check pages."""
    plain = FlaskClient(app, Response)
    plain.set_cookie(SESSION_COOKIE, session_token(client))
    return plain
