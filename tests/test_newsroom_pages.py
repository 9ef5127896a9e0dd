"""The newsroom's screens of standing pages: list, form, preview, history, menus."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from spectator import queries
from spectator.models import Page, User
from tests.newsroom_client import logged_in_client, post
from tests.test_pages import add_page, save, stored_page

LIST = "/newsroom/pages/"
NEW = "/newsroom/pages/new"
MENUS = "/newsroom/pages/menus"


def page_form(**changes: str) -> dict[str, str]:
    """Return the entries of a valid form of a page, with some of them changed."""
    entries = {
        "title": "About us",
        "body": "Who we are.\r\n\r\nWhat we do.",
        "slug": "about",
        "parent": "",
        "language": "en",
        "description": "",
        "do": "publish",
    }
    return entries | changes


def create(newsroom: FlaskClient, **changes: str) -> Page:
    """Send the form of a new page and return the page."""
    response = post(newsroom, NEW, page_form(**changes))
    assert response.status_code == 303, response.text
    return stored_page(int(re.findall(r"/pages/([0-9]+)", response.location)[0]))


def send(newsroom: FlaskClient, page: Page, **changes: str) -> TestResponse:
    """Send the form of a page as it was opened."""
    entries = page_form(version=str(page.version)) | changes
    return post(newsroom, f"{LIST}{page.id}", entries)


def test_a_page_is_written_previewed_and_published(newsroom: FlaskClient) -> None:
    assert newsroom.get(NEW).status_code == 200
    draft = create(newsroom, do="save", slug="", title="Contact")
    assert (draft.status, draft.path) == ("draft", "contact")
    form = newsroom.get(f"{LIST}{draft.id}").text
    assert "Who we are.\n\nWhat we do." in form.replace("&#13;", "")
    preview = newsroom.get(f"{LIST}{draft.id}/preview").text
    assert "Preview of the last saved version – not published" in preview
    assert "<p>What we do.</p>" in preview and 'content="noindex"' in preview
    response = send(newsroom, draft, title="Contact", slug="contact", body="Write to us.")
    assert "Readers see the page now." in newsroom.get(response.location).text
    assert "Write to us." in newsroom.get("/contact").text
    listed = newsroom.get(LIST).text
    assert "Contact" in listed and 'href="/contact"' in listed


def test_pages_below_a_page_follow_it_in_the_list(newsroom: FlaskClient) -> None:
    about = create(newsroom)
    create(newsroom, slug="about-ar")
    create(newsroom, slug="team", parent=str(about.id))
    paths = re.findall(r'<bdi dir="ltr">(/[^<]+)', newsroom.get(LIST).text)
    assert paths == ["/about", "/about/team", "/about-ar"]


def test_unsaved_text_is_previewed_without_saving(newsroom: FlaskClient) -> None:
    page = create(newsroom)
    sent = page_form(body="<p>Not yet<script>x()</script>.</p>", title="Other")
    preview = post(newsroom, f"{LIST}preview", sent).text
    assert "Not yet" in preview and "x()" not in preview and "Other" in preview
    assert "Who we are." in newsroom.get("/about").text
    assert stored_page(page.id).title == "About us"
    invalid = post(newsroom, f"{LIST}preview", page_form(title=""))
    assert invalid.status_code == 422 and "Write a title." in invalid.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": ""}, "Write a title."),
        ({"slug": "politics"}, "A section has the address"),
        ({"slug": "newsroom"}, "is reserved"),
        ({"parent": "999"}, "Choose a page that has no parent itself."),
        ({"language": "other", "language_other": "Kiswahili?"}, "language"),
    ],
)
def test_an_invalid_form_comes_back_with_the_text(
    newsroom: FlaskClient, changes: dict[str, str], message: str
) -> None:
    response = post(newsroom, NEW, page_form(body="My own words.", **changes))
    assert response.status_code == 422
    assert message in response.text and "My own words." in response.text
    assert queries.all_pages() == []


def test_two_editors_see_what_differs_and_lose_nothing(
    newsroom: FlaskClient, editor: User
) -> None:
    page = create(newsroom)
    save(page.id, editor, title="About the paper", body="A colleague's words.")
    response = send(newsroom, page, body="My own words.")
    assert response.status_code == 409
    text = response.text
    assert "My own words." in text and "colleague" in text and "<del>" in text
    assert stored_page(page.id).title == "About the paper"
    newest = stored_page(page.id)
    assert f'name="version" value="{newest.version}"' in text
    assert send(newsroom, newest, body="My own words.", do="update").status_code == 303
    assert stored_page(page.id).body == "<p>My own words.</p>"


def test_a_form_that_is_sent_twice_makes_one_page(newsroom: FlaskClient) -> None:
    page = create(newsroom, copy="g" * 22)
    assert create(newsroom, copy="g" * 22).id == page.id
    changed = post(newsroom, NEW, page_form(copy="g" * 22, body="Changed since."))
    assert changed.status_code == 409 and "Changed since." in changed.text
    assert len(queries.all_pages()) == 1


def test_removing_a_table_asks_first(newsroom: FlaskClient) -> None:
    page = create(newsroom, body="<p>Staff</p><table><tr><td>Amina</td></tr></table>")
    question = send(newsroom, page, body="Staff", do="update")
    assert question.status_code == 422 and "about to remove a table" in question.text
    losses = re.findall(r'name="loss_asked" value="([^"]+)"', question.text)[0]
    answer = {"loss": "remove", "loss_asked": losses, "then": "update", "do": ""}
    assert send(newsroom, page, body="Staff", **answer).status_code == 303
    assert "table" not in stored_page(page.id).body


def test_withdrawing_needs_a_reason(newsroom: FlaskClient) -> None:
    page = create(newsroom)
    missing = post(newsroom, f"{LIST}{page.id}/withdraw", {"reason": " "})
    assert missing.status_code == 422 and "Give a reason." in missing.text
    response = post(newsroom, f"{LIST}{page.id}/withdraw", {"reason": "We moved."})
    assert "Page withdrawn." in newsroom.get(response.location).text
    gone = newsroom.get("/about")
    assert gone.status_code == 410 and "We moved." in gone.text
    post(newsroom, f"{LIST}{page.id}/withdraw", {"reason": "Again."})
    post(newsroom, f"{LIST}{page.id}/reinstate")
    assert newsroom.get("/about").status_code == 200


def test_the_history_shows_changes_and_restores(newsroom: FlaskClient, editor: User) -> None:
    page = create(newsroom)
    save(page.id, editor, body="Quite other words.")
    history = newsroom.get(f"{LIST}{page.id}/history").text
    assert "<ins>" in history and "Restore version" not in history
    older = newsroom.get(f"{LIST}{page.id}/history?version=1").text
    assert "Restore version 1" in older
    stale = post(newsroom, f"{LIST}{page.id}/history/1", {"version": "1"})
    assert stale.status_code == 409
    version = str(stored_page(page.id).version)
    response = post(newsroom, f"{LIST}{page.id}/history/1", {"version": version})
    assert response.status_code == 303
    assert "Who we are." in newsroom.get("/about").text
    assert newsroom.get(f"{LIST}{page.id}/history?version=99").status_code == 404


def test_menus_are_ordered_with_buttons(newsroom: FlaskClient) -> None:
    about, contact, plans = (
        create(newsroom, title=title, slug="", do=action)
        for title, action in (("About", "publish"), ("Contact", "publish"), ("Plans", "save"))
    )
    for page in (about, contact, plans):
        response = post(newsroom, f"{MENUS}/footer", {"page": str(page.id)})
        assert response.location == f"{MENUS}?done=menu#footer"
    post(newsroom, f"{MENUS}/footer", {"page": str(about.id)})  # pressed twice

    def footer() -> list[str]:
        page = newsroom.get("/").text.partition('<footer class="site-footer">')[2]
        return re.findall(r'href="(/about|/contact|/plans)">([^<]+)', page)

    assert footer() == [("/about", "About"), ("/contact", "Contact")]
    post(newsroom, f"{MENUS}/footer/{contact.id}", {"do": "up"})
    post(newsroom, f"{MENUS}/footer/{contact.id}", {"do": "up"})  # at the top already
    post(newsroom, f"{MENUS}/footer/{about.id}", {"do": "save", "label": "The paper"})
    assert footer() == [("/contact", "Contact"), ("/about", "The paper")]
    post(newsroom, f"{MENUS}/footer/{contact.id}", {"do": "down"})
    assert footer() == [("/about", "The paper"), ("/contact", "Contact")]
    page = newsroom.get(MENUS).text
    assert "Plans" in page and 'value="The paper"' in page
    post(newsroom, f"{MENUS}/footer/{about.id}", {"do": "remove"})
    assert footer() == [("/contact", "Contact")]
    assert post(newsroom, f"{MENUS}/footer/{about.id}", {"do": "up"}).status_code == 404
    assert post(newsroom, f"{MENUS}/footer", {"page": "999"}).status_code == 404


def test_a_menu_is_not_endless(
    newsroom: FlaskClient, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectator.publishing.menus.MAX_ENTRIES", 1)
    first, second = (add_page(editor, title=title) for title in ("About", "Contact"))
    post(newsroom, f"{MENUS}/header", {"page": str(first)})
    refused = post(newsroom, f"{MENUS}/header", {"page": str(second)})
    assert refused.status_code == 422 and "This menu is full." in refused.text


def test_authors_see_no_screen_of_pages(app: Flask, editor: User) -> None:
    page_id = add_page(editor)
    version = stored_page(page_id).version
    author = logged_in_client(app, "author")
    reads = (LIST, NEW, MENUS, *(f"{LIST}{page_id}{end}" for end in ("", "/history", "/preview")))
    for path in reads:
        assert author.get(path).status_code == 403, path
    writes = (NEW, f"{LIST}{page_id}", f"{LIST}preview", f"{MENUS}/header")
    ends = ("/withdraw", "/reinstate", "/history/1")
    for path in (
        *writes,
        *(f"{LIST}{page_id}{end}" for end in ends),
        f"{MENUS}/header/{page_id}",
    ):
        assert post(author, path, page_form()).status_code == 403, path
    assert stored_page(page_id).version == version
    assert LIST not in author.get("/newsroom/stories/").text


def test_a_missing_page_is_said_to_be_a_page(newsroom: FlaskClient) -> None:
    response = newsroom.get(f"{LIST}999")
    assert response.status_code == 404
    assert "find the page in the list" in response.text


def test_a_form_sent_without_a_login_comes_back(app: Flask, newsroom: FlaskClient) -> None:
    page = create(newsroom)
    token = newsroom.get_cookie("__Host-session")
    assert token is not None
    post(newsroom, "/newsroom/logout")
    newsroom.set_cookie("__Host-session", token.value, secure=True)
    response = send(newsroom, page, title="Kept title", description="Kept description")
    assert response.status_code == 401
    assert "Kept title" in response.text and "Kept description" in response.text


def test_buttons_copy_a_bounded_amount_of_text(
    newsroom: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spectator.publishing.page_revisions.MAX_COPIED_BYTES", 700)
    page = create(newsroom)
    path, reason = f"{LIST}{page.id}", {"reason": "Old."}
    statuses = [
        post(newsroom, f"{path}/{action}", reason).status_code
        for action in ("withdraw", "reinstate") * 4
    ]
    assert statuses[:3] == [303, 303, 303] and 429 in statuses
    stored = stored_page(page.id)
    assert send(newsroom, stored, do="", title="Sent by a person").status_code == 303
