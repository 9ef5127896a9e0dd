"""Administrators add, import, test and remove redirects, and see pages that readers missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator import answers, missing_pages, outbox, publishing, search_log
from spectator.db import db
from spectator.models import MissingPage, OldAddress
from spectator.publishing import redirects as rules
from tests.conftest import add_user, make_draft
from tests.newsroom_client import logged_in_client, post, upload

PAGE = "/newsroom/redirects/"


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    """Client that is logged in as an administrator."""
    return logged_in_client(app, "admin")


def stored() -> dict[str, tuple[str, int, str, bool]]:
    """Return the stored addresses with their targets, and whether somebody decided on them."""
    db.session.rollback()
    rows = db.session.scalars(select(OldAddress))
    return {row.address: (row.kind, row.target_id, row.target, row.is_manual) for row in rows}


def test_a_redirect_follows_its_story(
    admin: FlaskClient, client: FlaskClient, story: Callable[..., int]
) -> None:
    article_id, newest = story(headline="Rains"), outbox.newest_number()
    entries = {"address": "https://old.example/Regen/", "target": "/politics/rains"}
    response = post(admin, PAGE, entries)
    assert response.status_code == 303
    page = admin.get(response.location).text
    assert "Redirect saved." in page and "301 /politics/rains" in page
    assert stored() == {"/regen": ("article", article_id, "", True)}
    assert outbox.newest_number() == newest + 1
    assert client.get("/regen/").location == "/politics/rains"


@pytest.mark.parametrize(
    ("target", "row"),
    [
        ("/business/", ("section", "/business/")),
        ("/business", ("section", "/business/")),
        ("https://spectator.example/archive/", ("path", "/archive/")),
        ("", ("gone", "")),
    ],
)
def test_targets(
    target: str, row: tuple[str, str], admin: FlaskClient, client: FlaskClient
) -> None:
    assert post(admin, PAGE, {"address": "/a", "target": target}).status_code == 303
    assert stored()["/a"][0] == row[0]
    response = client.get("/a")
    assert (response.status_code, response.location) == (301 if row[1] else 410, row[1] or None)


@pytest.mark.parametrize(
    ("address", "target", "message"),
    [
        ("", "/archive/", "This address cannot redirect."),
        ("/", "/archive/", "This address cannot redirect."),
        ("/newsroom/x", "/archive/", "This address cannot redirect."),
        ("javascript:alert(1)", "/archive/", "This address cannot redirect."),
        ("/business/", "/archive/", "This address has a page of its own."),
        ("/a", "/nowhere/", "No page of this site answers there."),
        ("/a", "https://evil.example/archive/", "No page of this site answers there."),
        ("/a", "//evil.example/archive/", "No page of this site answers there."),
        ("/a", "http://[", "No page of this site answers there."),
        ("/a", "/newsroom/login", "No page of this site answers there."),
        ("/a", "/politics/secret", "No page of this site answers there."),
    ],
)
def test_refused_redirects(
    address: str, target: str, message: str, admin: FlaskClient, app: Flask
) -> None:
    publishing.create(make_draft(headline="Secret", slug="secret"), add_user("editor"))
    response = post(admin, PAGE, {"address": address, "target": target})
    assert response.status_code == 422 and message in response.text
    assert stored() == {}


def test_a_csv_file_is_imported_and_its_wrong_lines_are_named(
    admin: FlaskClient, client: FlaskClient
) -> None:
    lines = (
        "source;target\n/a;/archive/\n\n/b;/nowhere/\nhttps://old.example/?p=9;/business/\n/c\n"
    )
    file = upload(b"\xef\xbb\xbf" + lines.encode(), "redirects.csv")
    response = post(admin, f"{PAGE}import", {"file": file})
    assert response.status_code == 422
    assert "Redirects saved: 3" in response.text
    assert "line 4: No page of this site answers there." in response.text
    assert set(stored()) == {"/a", "/?p=9", "/c"}
    assert client.get("/?p=9").location == "/business/"
    assert client.get("/c").status_code == 410


def test_files_that_are_no_csv_or_too_long_are_refused(
    admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for content in (b'"', b"/a,/archive/\n" * 3, b""):
        monkeypatch.setattr(rules, "MAX_LINES", 2)
        file = upload(content, "a.csv")
        status = post(admin, f"{PAGE}import", {"file": file}).status_code
        assert status == (422 if content else 200), content
    assert stored() == {}


def test_a_removed_address_is_not_imported_again(admin: FlaskClient, client: FlaskClient) -> None:
    def register() -> int:
        with db.write() as session:
            entry = ("/a", ("list", "/business/"))
            return publishing.register_old_addresses(session, [entry])

    register()
    assert post(admin, f"{PAGE}remove", {"address": "/a"}).status_code == 303
    assert client.get("/a").status_code == 404
    assert register() == 0 and "→" not in admin.get(PAGE).text
    assert post(admin, f"{PAGE}remove", {"address": "/unknown"}).status_code == 303


def test_the_list_is_searched_and_paged(admin: FlaskClient, app: Flask) -> None:
    with db.write() as session:
        entries = [(f"/old-{number:03}", ("path", "/archive/")) for number in range(60)]
        publishing.register_old_addresses(session, [*entries, ("/x_y", ("gone", ""))])
    first, second = admin.get(PAGE).text, admin.get(f"{PAGE}?page=2").text
    assert "/old-049" in first and "/old-050" not in first and "/old-050" in second
    assert admin.get(f"{PAGE}?q=X_Y").text.count("→") == 1
    assert admin.get(f"{PAGE}?q=%25").text.count("→") == 0


def test_only_administrators_see_and_change_redirects(app: Flask, newsroom: FlaskClient) -> None:
    assert newsroom.get(PAGE).status_code == 403
    for path, entries in (("", {"address": "/a"}), ("remove", {"address": "/a"}), ("import", {})):
        assert post(newsroom, PAGE + path, entries).status_code == 403
    with pytest.raises(publishing.ForbiddenError):
        rules.add_redirect(add_user("author"), "/a", "")
    assert stored() == {}


def counted() -> dict[str, int]:
    """Return the counted paths."""
    db.session.rollback()
    return {row.path: row.times for row in db.session.scalars(select(MissingPage))}


def test_missing_pages_are_counted_and_lead_to_a_new_redirect(
    app: Flask, admin: FlaskClient, client: FlaskClient
) -> None:
    for path in ("/2019/old-story/", "/2019/Old-Story", "/other?mail=a@b.example", "/ዝናብ/"):
        assert client.get(path).status_code == 404
    assert answers.ask_site("/only-asked").status == 404
    for _ in range(2):
        search_log.aggregate(app.config["DATA_DIR"])
    assert counted() == {"/2019/old-story": 2, "/other": 1, "/ዝናብ": 1}
    page = admin.get(PAGE).text
    assert f"{PAGE}?address=/2019/old-story" in page and "× 2" in page
    assert 'value="/2019/old-story"' in admin.get(f"{PAGE}?address=/2019/old-story").text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/a@b.example",
        "/call/0712-345-678",
        "/0712345678",
        "/reset/" + "a1b2c3d4" * 5,
        "/.env",
        "/.git/config",
        "/wp-login.php",
        "/wp-admin/x",
        "/wp-json/y",
        "/newsroom/zzz",
        "/static/none.css",
        "/media/aa/none-640.jpg",
        "/a/<script>",
        "/a\x00b",
        "/a b",
        "/x" * 150,
    ],
)
def test_paths_that_may_be_personal_or_attacks_are_not_counted(path: str, tmp_path: Path) -> None:
    missing_pages.log_missing(tmp_path, path)
    assert not (tmp_path / missing_pages.LOG_NAME).exists()


def test_the_counts_are_bounded(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing_pages, "MAX_LOG_BYTES", 200)
    monkeypatch.setattr(missing_pages, "MAX_ROWS", 2)
    for _ in range(30):
        missing_pages.log_missing(tmp_path, "/path")
    path = tmp_path / missing_pages.LOG_NAME
    assert 200 <= path.stat().st_size < 300
    with path.open("ab") as file:
        file.write(b'rubbish\n[]\n{"path": "/a@b", "day": "2026-01-01"}\n{"path": 1}\n')
    counts = missing_pages.read_counts(path)
    assert list(counts.values()) == [len(path.read_bytes().splitlines()) - 4]
    today = datetime.now(UTC).date()
    counts[today, "/rare"], counts[today, "/other"] = 1, 2
    counts[today - timedelta(days=200), "/old"] = 99
    with db.write() as session:
        missing_pages.store(session, counts)
    assert set(counted()) == {"/path", "/other"}
