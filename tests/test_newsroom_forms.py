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
HARMLESS_SAVES = {("do", "save"), ("do", "keep")}
HARMLESS_ANSWERS = {"keep", "stay", "no"}
# Forms of one purpose: what Enter does there is what the one button says.
SINGLE_PURPOSE = ("/newsroom/login", "/newsroom/password", "/related")
# Answers that hold no page: redirects, downloads, the readers' page in a frame.
NON_PAGE_ENDPOINTS = {
    "newsroom.index",
    "newsroom.preview",
    "newsroom.preview_new",
    "newsroom.shared_preview",
}


@dataclass
class Form:
    """Form as a browser sees it: its target, one-line fields, and submit buttons in order."""

    method: str
    action: str
    id: str = ""
    lines: list[str] = field(default_factory=list)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    """Parser of a page's forms; fields and buttons outside may refer to a form by its id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.inside: list[Form] = []
        self.by_id: list[tuple[str, str, dict[str, str | None]]] = []
        self.feed(html)
        for owner, tag, attributes in self.by_id:
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
            self.inside.append(self.forms[-1])
        elif attributes.get("form"):
            self.by_id.append((attributes["form"] or "", tag, attributes))
        elif self.inside:
            self.add(self.inside[-1], tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside.pop()

    @staticmethod
    def add(form: Form, tag: str, attributes: dict[str, str | None]) -> None:
        kind = attributes.get("type")
        name, value = attributes.get("name") or "", attributes.get("value") or ""
        if (tag == "button" and kind in {None, "submit"}) or (
            tag == "input" and kind in {"submit", "image"}
        ):
            form.buttons.append((name, value))
        elif tag == "input" and kind in ONE_LINE_TYPES and "readonly" not in attributes:
            form.lines.append(name)


def form_errors(html: str) -> list[str]:
    """Return the faults of implicit submission on a page."""
    faults = []
    for form in Forms(html).forms:
        if not form.buttons or form.method.lower() == "get":
            continue
        first, is_asked = form.buttons[0], form.method.lower() == "dialog"
        if is_asked and len(form.buttons) > 1 and first[1] not in HARMLESS_ANSWERS:
            faults.append(f"Enter in a dialog answers {first}")
        is_one_purpose = len(form.buttons) == 1 and form.action.endswith(SINGLE_PURPOSE)
        can_be_hit = bool(form.lines) or len(form.buttons) > 1
        if not is_asked and can_be_hit and not is_one_purpose and first not in HARMLESS_SAVES:
            faults.append(
                f"Enter in the form of {form.action} presses {first}; fields: {form.lines}"
            )
    return faults


def create_story_in_state(state: str, by: User) -> int:
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
    """Yield URL and text of every newsroom page that a person may open."""
    paths = [
        NEW_STORY,
        "/newsroom/stories/",
        "/newsroom/search?q=in",
        "/newsroom/searches",
        "/newsroom/password",
    ]
    for article_id in article_ids:
        one = f"/newsroom/stories/{article_id}"
        paths += [
            one,
            *(
                f"{one}/{name}"
                for name in ("proof", "history", "history/compare", "related", "unsaved")
            ),
        ]
    unsaved = post(
        client, NEW_STORY + "/proof", form_values(client.get(NEW_STORY)) | {"headline": "Unsaved"}
    )
    paths.append(unsaved.location)
    for path in paths:
        yield path, client.get(path).text


def special_pages(client: FlaskClient, draft_id: int, live_id: int) -> Iterator[tuple[str, str]]:
    """Yield the pages that respond to a refused form."""
    yield "wrong entries", post(client, NEW_STORY, story_form(headline="", do="publish")).text
    for article_id, do in ((draft_id, "save"), (live_id, "update")):
        opened = form_values(client.get(f"/newsroom/stories/{article_id}"))
        lost = post(
            client, f"/newsroom/stories/{article_id}", opened | {"do": do, "body": "Words."}
        )
        assert lost.status_code == 422
        yield "what a save removes", lost.text
        old = post(
            client,
            f"/newsroom/stories/{article_id}",
            opened | {"do": do, "version": "0", "headline": "Other"},
        )
        assert old.status_code == 409
        yield "two versions", old.text
    yield "no reason", post(client, f"/newsroom/stories/{live_id}/withdraw", {"reason": ""}).text


@pytest.mark.parametrize("role", ["author", "editor"])
def test_enter_presses_the_harmless_save_on_every_page(app: Flask, role: str) -> None:
    by = add_user(role)
    client, ids = (
        logged_in_client(app, role),
        [create_story_in_state(state, by) for state in ARTICLE_STATUSES],
    )
    pages = [
        *visited_pages(client, ids),
        ("the login", app.test_client().get("/newsroom/login").text),
    ]
    if role == "editor":
        pages += special_pages(client, ids[0], ids[3])
    assert len([path for path, html in pages if 'id="story"' in html]) >= (
        3 if role == "author" else 6
    )
    assert {path: faults for path, html in pages if (faults := form_errors(html))} == {}


def test_every_newsroom_page_is_checked(app: Flask, editor: User) -> None:
    """Require every later page in `visited_pages`."""
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
    assert pages - endpoints - NON_PAGE_ENDPOINTS == {"newsroom.login"}


def test_the_check_reports_a_form_whose_first_button_is_not_harmless() -> None:
    field_and_button = '<input name="q"><button name="do" value="schedule">Schedule</button>'
    assert form_errors(
        f'<form method="post" action="/newsroom/stories/1">{field_and_button}</form>'
    )
    first = '<button name="do" value="save">Save</button>'
    assert not form_errors(
        f'<form method="post" action="/newsroom/stories/1">{first}{field_and_button}</form>'
    )


def test_enter_in_the_form_of_a_published_story_autosaves_and_publishes_nothing(
    app: Flask, editor: User
) -> None:
    client = logged_in_client(app)
    article_id = create_story(client, do="publish")
    answer = save_story(
        client, article_id, do="keep", headline="Half a headline", note="A half-typed no"
    )
    assert (answer.status_code, "done=kept" in answer.location) == (303, True)
    article = get_article(article_id)
    assert (article.headline, article.corrections) == ("Ports of the Gulf of Guinea", [])
    assert len(queries.revisions(article_id)) == 1
    autosave = db.session.query(Autosave).one()
    assert (autosave.article_id, autosave.values["note"]) == (article_id, "A half-typed no")
    page = client.get(answer.location)
    assert "Press Update to publish them." in page.text
    assert form_values(page)["note"] == "A half-typed no"
    assert form_values(page)["headline"] == "Half a headline"
    too_long = save_story(client, article_id, do="keep", dek="x" * 6000)
    assert too_long.status_code == 422


def test_saving_a_scheduled_story_moves_it_only_to_a_future_time(app: Flask, editor: User) -> None:
    client, later = (
        logged_in_client(app),
        datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=2),
    )
    article_id = create_story(client, do="schedule", published_at=f"{later:%Y-%m-%dT%H:%M}")
    moved = later + timedelta(days=1)
    assert save_story(client, article_id, published_at=f"{moved:%Y-%m-%dT%H:%M}").status_code == 303
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
