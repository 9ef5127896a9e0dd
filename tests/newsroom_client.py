"""A browser of the newsroom in tests: it logs in and posts forms from newsroom pages."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from spectator.db import db
from spectator.models import User
from tests.conftest import add_user

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
SESSION_COOKIE = "__Host-session"


def post(
    client: FlaskClient, path: str, data: dict[str, Any] | None = None, **more: Any
) -> TestResponse:
    """Post a form as a newsroom page does."""
    boundary, body = encode_multipart(
        data or {"csrf_token": ""}
    )  # in memory: the client's own way leaves files open
    more["content_type"] = f"multipart/form-data; boundary={boundary}"
    more["headers"] = SAME_ORIGIN | more.get("headers", {})
    return client.post(path, data=body, **more)


def log_in(client: FlaskClient, role: str, password: str = "", **more: Any) -> TestResponse:
    """Send the login form."""
    entries = {
        "email": f"{role}@news.example",
        "password": password or f"a long password of {role}",
    }
    return post(client, "/newsroom/login", entries, **more)


def logged_in_client(app: Flask, role: str = "editor") -> FlaskClient:
    """Return a logged-in client of a person of this role, created if missing."""
    if db.session.scalar(select(User.id).where(User.email == f"{role}@news.example")) is None:
        add_user(role)
    client = app.test_client()
    assert log_in(client, role).status_code == 303
    return client


def session_token(client: FlaskClient) -> str:
    """Return the session token in the client's cookie, empty if there is none."""
    cookie = client.get_cookie(SESSION_COOKIE)
    return cookie.value if cookie else ""


def story_form(**more: Any) -> dict[str, Any]:
    """Return a form that can be saved."""
    usual = {
        "headline": "Ports of the Gulf of Guinea",
        "body": "One paragraph.\r\n\r\nAnother paragraph.",
        "section": "business",
        "language": "en",
        "do": "save",
    }
    return usual | more


def picture_file(size: tuple[int, int] = (64, 40), kind: str = "PNG") -> FileStorage:
    """Return the upload of a small picture."""
    stream = BytesIO()
    Image.new("RGB", size, (160, 60, 30)).save(stream, kind)
    return upload(stream.getvalue(), f"picture.{kind.lower()}")


def upload(content: bytes, name: str) -> FileStorage:
    """Return the upload of a file."""
    return FileStorage(BytesIO(content), name, content_type="image/png")
