"""The related stories page of the newsroom."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import publishing, queries
from spectator.models import User
from spectator.newsroom.story_references import find_article_id
from spectator.publishing import Action
from tests.conftest import make_draft
from tests.newsroom_client import logged_in_client, post
from tests.newsroom_indexes import update_indexes as update_indexes


def test_search_and_related_stories_need_a_login(client: FlaskClient) -> None:
    assert client.get("/newsroom/search?q=dust").status_code == 303
    assert client.get("/newsroom/stories/1/related").status_code == 303


def test_related_stories_can_be_pinned_blocked_and_unblocked(
    app: Flask, story: Callable[..., int], update_indexes: Callable[[], None]
) -> None:
    article_id, other = story(headline="This"), story(headline="That", section="health")
    update_indexes()
    client, path = logged_in_client(app), f"/newsroom/stories/{article_id}/related"
    assert (
        post(
            client, path, {"related": "http://localhost/health/that?x=1", "kind": "pin"}
        ).status_code
        == 303
    )
    assert queries.related_overrides(article_id) == ([other], set())
    update_indexes()
    assert "Unpin" in client.get(path).text
    post(client, path, {"related": str(other), "kind": "forbid"})
    update_indexes()
    page = client.get(path).text
    assert "Blocked" in page and "Unblock" in page
    post(client, f"/newsroom/stories/{other}/related", {"related": str(article_id), "kind": ""})
    assert queries.related_overrides(article_id) == ([], set()), "unblocked from the other story"


def test_a_pin_that_readers_do_not_see_can_be_removed(
    app: Flask, editor: User, story: Callable[..., int], update_indexes: Callable[[], None]
) -> None:
    """Of a draft, or on a story that was withdrawn."""
    draft_id = publishing.create(make_draft(headline="Draft"), editor)
    article_id, other = story(headline="This"), story(headline="That", section="health")
    for pinning in (draft_id, article_id):
        publishing.set_related_override(pinning, editor, other, "pin")
    publishing.apply_action(other, editor, Action("withdraw", note="Wrong."))
    update_indexes()
    client = logged_in_client(app)
    for pinning in (draft_id, article_id):
        path = f"/newsroom/stories/{pinning}/related"
        page = client.get(path).text
        assert "Pinned, but not shown to readers" in page and "Unpin: That" in page
        post(client, path, {"related": str(other), "kind": ""})
        assert "Pinned, but" not in client.get(path).text
        assert queries.related_overrides(pinning) == ([], set())


def test_a_blocked_story_that_is_not_public_appears_once(
    app: Flask, editor: User, story: Callable[..., int], update_indexes: Callable[[], None]
) -> None:
    words = {"headline": "Cocoa harvest", "body": "The cocoa harvest of the west failed."}
    article_id, other = story(**words), publishing.create(make_draft(**words), editor)
    # Words that only one story has do not make stories similar.
    publishing.create(make_draft(**words), editor)
    update_indexes()
    client, path = logged_in_client(app), f"/newsroom/stories/{article_id}/related"
    link = f'href="/newsroom/stories/{other}/preview"'
    assert client.get(path).text.count(link) == 1, "as a similar one"
    publishing.set_related_override(article_id, editor, other, "forbid")
    assert client.get(path).text.count(link) == 1, "as a blocked one"


@pytest.mark.parametrize(
    "raw_input", ["", "nothing like it", "999999", "https://elsewhere.example/x/y"]
)
def test_an_unknown_story_is_refused_with_an_error_at_the_field(
    app: Flask, story: Callable[..., int], raw_input: str
) -> None:
    article_id = story()
    response = post(
        logged_in_client(app),
        f"/newsroom/stories/{article_id}/related",
        {"related": raw_input, "kind": "pin"},
    )
    assert response.status_code == 422 and "related-error" in response.text


def test_authors_can_view_but_not_change_related_stories(
    app: Flask, story: Callable[..., int]
) -> None:
    client = logged_in_client(app, "author")
    author = next(user for user in queries.users() if user.role == "author")
    own, other = publishing.create(make_draft(), author), story(headline="Other")
    page = client.get(f"/newsroom/stories/{own}/related")
    assert page.status_code == 200 and "Pin another story" not in page.text
    assert (
        post(
            client, f"/newsroom/stories/{own}/related", {"related": str(other), "kind": "pin"}
        ).status_code
        == 403
    )
    assert client.get(f"/newsroom/stories/{other}/related").status_code == 403


def test_a_story_is_found_by_id_path_or_url(story: Callable[..., int]) -> None:
    article_id = story(headline="A headline")
    for text in (
        str(article_id),
        "/politics/a-headline",
        "https://x.example/politics/a-headline/#top",
        f"/newsroom/stories/{article_id}/history",
    ):
        assert find_article_id(text) == article_id
    assert find_article_id("/politics/none") is None
