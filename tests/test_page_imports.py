"""Importing standing pages again keeps what editors changed, and writes nothing without need."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from spectator import outbox, queries
from spectator.db import db
from spectator.models import Page, PageRevision, User
from spectator.publishing import ValidationError, pages
from spectator.publishing.page_addresses import address_problem
from spectator.publishing.page_drafts import PageDraft
from spectator.publishing.page_imports import ImportedPage, import_pages
from tests.test_pages import save, stored_page

pytestmark = pytest.mark.usefixtures("app")
AT = datetime(2024, 5, 6, 7, 8, tzinfo=UTC)


def imported(external_id: str = "site:7", parent: str = "", **changes: Any) -> ImportedPage:
    """Return a public page of an old site; some fields are of the draft, others of the page."""
    own = {name: changes.pop(name) for name in ("status", "published_at") if name in changes}
    draft = {"title": "About us", "body": "We report.", "slug": "about"} | changes
    page = ImportedPage(PageDraft(**draft), external_id, parent, "published", AT)
    return replace(page, location=external_id, **own)


def page_of(external_id: str) -> Page:
    """Return the page that was imported with an id."""
    return stored_page(queries.pages_by_external_id([external_id])[external_id])


def counts() -> tuple[int, int]:
    """Return the number of revisions of pages and of the newest outbox row."""
    revisions = db.session.scalar(select(func.count()).select_from(PageRevision)) or 0
    return revisions, outbox.newest_number()


def test_pages_are_stored_below_their_topmost_parent(client: FlaskClient) -> None:
    result = import_pages(
        [
            imported("3", "2", slug="history", title="History"),
            imported("2", "1", slug="team", title="Team"),
            imported("1"),
            imported("4", "5", slug="a", title="A"),  # a circle
            imported("5", "4", slug="b", title="B"),
            imported("6", "99", slug="orphan", title="Orphan"),
        ]
    )
    assert (result.added, result.refused) == (6, [])
    assert client.get("/about/team").status_code == 200
    assert client.get("/about/history").status_code == 200
    assert client.get("/orphan").status_code == 200
    assert page_of("1").published_at == AT
    assert {page.external_id for page in queries.all_pages()} == set("123456")


def test_an_import_without_changes_writes_nothing() -> None:
    source = [imported(), imported("8", "site:7", title="Search", slug="search")]
    source += [imported("9", title="Search", slug="search"), imported("10", status="draft")]
    first = import_pages(source)
    assert first.added == 4 and page_of("9").path == "search-2"
    before = counts()
    again = import_pages(source)
    assert (again.unchanged, again.added, again.updated, again.preserved) == (4, 0, 0, [])
    assert counts() == before


def test_changes_of_the_source_arrive_and_edits_stay(client: FlaskClient, editor: User) -> None:
    import_pages([imported()])
    save(page_of("site:7").id, editor, title="About the paper")
    result = import_pages([imported(title="About", body="We report more.", slug="about-us")])
    page = page_of("site:7")
    assert (page.title, page.body) == ("About the paper", "<p>We report more.</p>")
    assert (result.updated, result.preserved) == (1, [("site:7", "title")])
    assert client.get("/about").location == "/about-us"
    before = counts()
    again = import_pages([imported(title="About", body="We report more.", slug="about-us")])
    assert (again.unchanged, again.preserved) == (1, [("site:7", "title")])
    assert counts() == before
    changed = import_pages([imported(title="About", body="Overwritten.", slug="")], True)
    page = page_of("site:7")
    assert (page.title, page.body) == ("About", "<p>Overwritten.</p>")
    assert (changed.updated, changed.preserved) == (1, [])


def test_a_withdrawn_page_stays_withdrawn(client: FlaskClient, editor: User) -> None:
    import_pages([imported()])
    pages.apply_page_action(page_of("site:7").id, editor, "withdraw", "Wrong.")
    for overwrite in (False, True):
        result = import_pages([imported(body="New words.")], overwrite)
        assert result.preserved == [("site:7", "stays withdrawn")]
        assert client.get("/about").status_code == 410
    assert page_of("site:7").body == "<p>New words.</p>"


def test_a_page_that_the_source_takes_back_is_gone_until_it_returns(
    client: FlaskClient,
) -> None:
    import_pages([imported()])
    assert import_pages([imported(status="draft")]).updated == 1
    assert client.get("/about").status_code == 410
    before = counts()
    assert import_pages([imported(status="draft")]).unchanged == 1
    assert counts() == before
    assert import_pages([imported()]).updated == 1
    assert client.get("/about").status_code == 200


def test_drafts_stay_private_until_the_source_publishes_them(client: FlaskClient) -> None:
    import_pages([imported(status="draft", published_at=None)])
    assert client.get("/about").status_code == 404
    import_pages([imported()])
    assert client.get("/about").status_code == 200


def test_a_bad_page_does_not_hold_up_the_others() -> None:
    result = import_pages(
        [imported("1", body=" "), imported("2", slug="Über uns!"), imported("3", language="?")]
    )
    assert result.added == 1 and page_of("2").path == "uber-uns"
    assert [location for location, _ in result.refused] == ["1", "3"]


def test_a_page_that_cannot_be_stored_leaves_nothing_behind(monkeypatch: Any) -> None:
    def refuse(session: Any, path: str, page_id: int | None) -> str:
        if path == "bad":
            raise ValidationError({"slug": "No."})
        return address_problem(session, path, page_id)

    monkeypatch.setattr("spectator.publishing.page_addresses.address_problem", refuse)
    result = import_pages([imported("1"), imported("2", slug="bad"), imported("3", slug="good")])
    assert (result.added, result.refused) == (2, [("2", "slug: No.")])
    assert [page.path for page in queries.all_pages()] == ["about", "good"]


def test_a_dry_run_writes_nothing() -> None:
    before = counts()
    result = import_pages([imported(), imported("8", "site:7", slug="team")], is_dry=True)
    assert result.added == 2
    assert queries.all_pages() == [] and counts() == before
