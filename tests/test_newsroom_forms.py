"""Enter in a one-line field submits the harmless action on every page of the newsroom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from spectator import publishing, queries
from spectator.db import db
from spectator.models import ARTICLE_STATUSES, Article, Autosave, User
from tests.conftest import add_user, make_draft
from tests.newsroom_client import (
    NEW_STORY,
    create_story,
    form_values,
    get_article,
    logged_in_client,
    post,
    save_story,
    story_form,
)

ONE_LINE_TYPES = {
    None,
    "text",
    "search",
    "email",
    "url",
    "tel",
    "number",
    "password",
    "date",
    "datetime-local",
    "time",
}
# Values of a form's first button, which Enter presses.
HARMLESS_SAVES = {("do", "save"), ("do", "keep")}
HARMLESS_ANSWERS = {"keep", "stay", "no"}
# Forms whose only button does what Enter is expected to do.
SINGLE_PURPOSE = ("/newsroom/login", "/newsroom/account/", "/newsroom/password", "/related")
# Routes that return no newsroom page: redirects and the readers' page in a frame.
NON_PAGE_ENDPOINTS = {
    "newsroom.index",
    "newsroom.preview",
    "newsroom.preview_new",
    "newsroom.preview_page",
    "newsroom.shared_preview",
}


@dataclass
class Form:
    """Form of a page: its target, one-line fields, and submit buttons (name, value) in order."""

    method: str
    action: str
    id: str = ""
    line_fields: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    """Parser of a page's forms, with the elements outside that name a form by its id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.open_forms: list[Form] = []
        self.outside: list[tuple[str, str, dict[str, str | None]]] = []
        self.feed(html)
        for owner, tag, attributes in self.outside:
            for form in self.forms:
                if form.id == owner:
                    self.add(form, tag, attributes)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            names = (
                attributes.get("method") or "get",
                attributes.get("action") or "",
                attributes.get("id") or "",
            )
            self.forms.append(Form(*names))
            self.open_forms.append(self.forms[-1])
        elif attributes.get("form"):
            self.outside.append((attributes["form"] or "", tag, attributes))
        elif self.open_forms:
            self.add(self.open_forms[-1], tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open_forms.pop()

    @staticmethod
    def add(form: Form, tag: str, attributes: dict[str, str | None]) -> None:
        kind = attributes.get("type")
        name, value = attributes.get("name") or "", attributes.get("value") or ""
        if (tag == "button" and kind in {None, "submit"}) or (
            tag == "input" and kind in {"submit", "image"}
        ):
            form.buttons.append((name, value))
        elif tag == "input" and kind in ONE_LINE_TYPES and "readonly" not in attributes:
            form.line_fields.append(name)


def form_errors(html: str) -> list[str]:
    """Return the forms of a page in which Enter presses a button that is not harmless."""
    errors = []
    for form in Forms(html).forms:
        if not form.buttons or form.method.lower() == "get":
            continue
        name, value = form.buttons[0]
        if form.method.lower() == "dialog":
            if len(form.buttons) > 1 and value not in HARMLESS_ANSWERS:
                errors.append(f"Enter in a dialog presses {name}={value}")
            continue
        is_single_purpose = len(form.buttons) == 1 and form.action.endswith(SINGLE_PURPOSE)
        can_press_enter = bool(form.line_fields) or len(form.buttons) > 1
        if can_press_enter and not is_single_purpose and (name, value) not in HARMLESS_SAVES:
            errors.append(
                f"Enter in {form.action} presses {name}={value}; fields: {form.line_fields}"
            )
    return errors


def create_story_in_state(state: str, by: User) -> int:
    """Store a story with a table; set its status in the database."""
    article_id = publishing.create(
        make_draft(headline=f"In {state}", body="<p>A</p><table><tr><td>1</td></tr></table>"), by
    )
    at = datetime.now(UTC) + timedelta(days=1 if state == "scheduled" else -1)
    with db.write() as session:
        session.execute(
            update(Article).where(Article.id == article_id).values(status=state, published_at=at)
        )
    return article_id


def visited_pages(client: FlaskClient, article_ids: list[int]) -> Iterator[tuple[str, str]]:
    """Yield (URL, page) of every newsroom page that can be fetched."""
    paths = [
        NEW_STORY,
        "/newsroom/stories/",
        "/newsroom/search?q=in",
        "/newsroom/searches",
        "/newsroom/taxonomy/",
        "/newsroom/account/",
        "/newsroom/password",
    ]
    for article_id in article_ids:
        story = f"/newsroom/stories/{article_id}"
        pages = ("proof", "history", "history/compare", "related", "unsaved")
        paths += [story, *(f"{story}/{page}" for page in pages)]
    unsaved = post(
        client, NEW_STORY + "/proof", form_values(client.get(NEW_STORY)) | {"headline": "Unsaved"}
    )
    paths.append(unsaved.location)
    if client.get("/newsroom/pages/").status_code == 200:  # not for authors
        paths += standing_page_paths(client)
    for path in paths:
        yield path, client.get(path).text


def standing_page_paths(client: FlaskClient) -> list[str]:
    """Return the paths of the screens of standing pages, of which one is a draft, one public."""
    paths = ["/newsroom/pages/", "/newsroom/pages/new", "/newsroom/pages/menus"]
    for action in ("save", "publish"):
        entries = {"title": f"To {action}", "body": "Words.", "language": "en", "do": action}
        page = post(client, "/newsroom/pages/new", entries).location.partition("?")[0]
        post(client, "/newsroom/pages/menus/footer", {"page": page.rpartition("/")[2]})
        paths += [page, f"{page}/history"]
    return paths


def special_pages(client: FlaskClient, draft_id: int, live_id: int) -> Iterator[tuple[str, str]]:
    """Yield (name, page) of every response to a refused form."""
    yield "invalid entries", post(client, NEW_STORY, story_form(headline="", do="publish")).text
    for article_id, do in ((draft_id, "save"), (live_id, "update")):
        opened = form_values(client.get(f"/newsroom/stories/{article_id}"))
        lost = post(
            client, f"/newsroom/stories/{article_id}", opened | {"do": do, "body": "Words."}
        )
        assert lost.status_code == 422
        yield "removed table", lost.text
        outdated = post(
            client,
            f"/newsroom/stories/{article_id}",
            opened | {"do": do, "version": "0", "headline": "Other"},
        )
        assert outdated.status_code == 409
        yield "conflict", outdated.text
    yield (
        "withdrawal without a reason",
        post(client, f"/newsroom/stories/{live_id}/withdraw", {"reason": ""}).text,
    )


@pytest.mark.parametrize("role", ["author", "editor"])
def test_enter_presses_the_harmless_save_on_every_page(app: Flask, role: str) -> None:
    creator = add_user(role)
    client = logged_in_client(app, role)
    ids = {state: create_story_in_state(state, creator) for state in ARTICLE_STATUSES}
    pages = [*visited_pages(client, list(ids.values()))]
    pages.append(("the login", app.test_client().get("/newsroom/login").text))
    for path in ("/newsroom/status/", "/newsroom/redirects/"):
        pages.append((path, logged_in_client(app, "admin").get(path).text))
    if role == "editor":
        pages += special_pages(client, ids["draft"], ids["published"])
    story_forms = [path for path, html in pages if 'id="story"' in html]
    assert len(story_forms) >= (3 if role == "author" else 6)
    errors = {path: form_errors(html) for path, html in pages}
    assert {path: reported for path, reported in errors.items() if reported} == {}


def test_every_newsroom_page_is_checked(app: Flask, editor: User) -> None:
    """Fail until a new page is added to `visited_pages`."""
    client, article_id = logged_in_client(app), create_story_in_state("draft", editor)
    endpoints = set()
    for path, _ in visited_pages(client, [article_id]):
        endpoints.add(app.url_map.bind("localhost").match(path.partition("?")[0])[0])
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("newsroom.")
        and "GET" in (rule.methods or ())
        and "fragments" not in rule.rule
    }
    others = {"newsroom.login", "newsroom.status", "newsroom.redirects"}
    assert pages - endpoints - NON_PAGE_ENDPOINTS == others


def test_the_check_reports_a_form_whose_first_button_is_not_harmless() -> None:
    form = '<form method="post" action="/newsroom/stories/1">{}</form>'
    field_and_button = '<input name="q"><button name="do" value="schedule">Schedule</button>'
    assert form_errors(form.format(field_and_button))
    save_button = '<button name="do" value="save">Save</button>'
    assert not form_errors(form.format(save_button + field_and_button))


def test_enter_in_the_form_of_a_published_story_autosaves_and_publishes_nothing(
    app: Flask, editor: User
) -> None:
    client = logged_in_client(app)
    article_id = create_story(client, do="publish")
    response = save_story(
        client, article_id, do="keep", headline="Half a headline", note="Unfinished note"
    )
    assert (response.status_code, "done=kept" in response.location) == (303, True)
    article = get_article(article_id)
    assert (article.headline, article.notes) == ("Ports of the Gulf of Guinea", [])
    assert len(queries.revisions(article_id)) == 1
    autosave = db.session.query(Autosave).one()
    assert (autosave.article_id, autosave.values["note"]) == (article_id, "Unfinished note")
    page = client.get(response.location)
    assert "Press Update to publish them." in page.text
    assert form_values(page)["note"] == "Unfinished note"
    assert form_values(page)["headline"] == "Half a headline"
    too_long = save_story(client, article_id, do="keep", dek="x" * 6000)
    assert too_long.status_code == 422


def test_saving_a_scheduled_story_moves_it_only_to_a_future_time(
    app: Flask, editor: User
) -> None:
    client = logged_in_client(app)
    later = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=2)
    article_id = create_story(client, do="schedule", published_at=f"{later:%Y-%m-%dT%H:%M}")
    moved = later + timedelta(days=1)
    assert (
        save_story(client, article_id, published_at=f"{moved:%Y-%m-%dT%H:%M}").status_code == 303
    )
    db.session.expire_all()
    assert (get_article(article_id).status, get_article(article_id).published_at) == (
        "scheduled",
        moved,
    )
    assert save_story(client, article_id, published_at="2020-01-01T00:00").status_code == 422
    assert save_story(client, article_id, published_at="").status_code == 303
    db.session.expire_all()
    assert (get_article(article_id).status, get_article(article_id).published_at) == (
        "scheduled",
        moved,
    )
