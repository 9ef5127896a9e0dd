"""Standing pages for readers: addresses, statuses, redirects, language, caches."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator import create_app, outbox, queries, urls
from spectator.db import db
from spectator.media import rendition_names
from spectator.models import Page, PageRedirect, Picture, User
from spectator.publishing import ConflictError, ForbiddenError, ValidationError, menus, pages
from spectator.publishing import taxonomy as sections
from spectator.publishing.page_drafts import PageDraft, draft_from_page
from tests.conftest import add_user, settings
from tests.editions import in_languages
from tests.newsroom_client import logged_in_client, picture_file, post
from tests.test_secrets_readers import responses


def make_page(**changes: object) -> PageDraft:
    """Return the draft of a page that can be published, with some fields changed."""
    return PageDraft(**({"title": "About us", "body": "We report."} | changes))  # type: ignore[arg-type]


def add_page(by: User, action: str = "publish", **changes: object) -> int:
    """Create a page, published unless another action is named, and return its id."""
    return pages.create_page(make_page(**changes), by, action)


def stored_page(page_id: int) -> Page:
    """Return a page as it is stored now."""
    db.session.expire_all()
    page = queries.page_to_edit(page_id)
    assert page is not None
    return page


def save(page_id: int, by: User, action: str = "update", **changes: object) -> None:
    """Save a page with some fields changed."""
    page = stored_page(page_id)
    fields = {name: getattr(draft_from_page(page), name) for name in PageDraft.__slots__}
    pages.save_page(page_id, PageDraft(**(fields | changes)), by, page.version, action)


def status_of(client: FlaskClient, path: str) -> int:
    """Return the status of the response with a file, which is closed."""
    response = client.get(path)
    response.close()
    return response.status_code


def test_a_page_is_at_its_slug_and_below_its_parent(client: FlaskClient, editor: User) -> None:
    parent = add_page(editor, slug="about", description="Who we are")
    add_page(editor, title="Team", body="<p>Amina</p>", parent=parent)
    answer = client.get("/about")
    assert answer.status_code == 200
    assert '<meta name="description"\n          content="Who we are">' in answer.text
    assert 'rel="canonical" href="https://spectator.example/about"' in answer.text
    assert "noindex" not in answer.text
    child = client.get("/about/team").text
    assert "Amina" in child and '<a href="/about"><bdi>About us</bdi></a>' in child
    for path, target in {
        "/about/": "/about",
        "/About.": "/about",
        "/about/team/": "/about/team",
        "/ABOUT/Team)": "/about/team",
    }.items():
        assert (client.get(path).status_code, client.get(path).location) == (301, target), path


def test_drafts_are_not_found_and_withdrawn_pages_are_gone(
    client: FlaskClient, editor: User
) -> None:
    page_id = add_page(editor, "save", slug="about")
    assert client.get("/about").status_code == 404
    save(page_id, editor, "publish")
    assert client.get("/about").status_code == 200
    pages.apply_page_action(page_id, editor, "withdraw", "We moved.")
    pages.apply_page_action(page_id, editor, "withdraw", "Pressed twice.")
    gone = client.get("/about")
    assert gone.status_code == 410
    assert "We moved." in gone.text and "We report." not in gone.text
    assert client.get("/about/").location == "/about"
    pages.apply_page_action(page_id, editor, "reinstate")
    assert "We report." in client.get("/about").text


def test_a_draft_changes_no_public_page(client: FlaskClient, editor: User) -> None:
    before = responses(client)
    page_id = add_page(editor, "save", title="Quokka page", body="Quokka body.")
    for menu in ("header", "footer"):
        menus.add_to_menu(menu, page_id, editor, "Quokka link")
    assert responses(client) == before
    save(page_id, editor, "publish")
    after = responses(client)
    assert after["/quokka-page"][0] == 200
    assert after["/"][1].count("Quokka link") == 2
    pages.apply_page_action(page_id, editor, "withdraw", "Old.")
    withdrawn = responses(client)
    assert withdrawn.pop("/quokka-page")[0] == 410
    del before["/quokka-page"]
    assert withdrawn == before


def test_a_renamed_page_and_those_below_it_redirect_in_one_hop(
    client: FlaskClient, editor: User
) -> None:
    parent = add_page(editor, slug="about")
    child = add_page(editor, title="Team", parent=parent)
    draft = add_page(editor, "save", title="Plans", parent=parent)
    save(parent, editor, slug="our-paper")
    save(parent, editor, slug="who-we-are")
    save(child, editor, parent=None)
    for path, target in {
        "/about": "/who-we-are",
        "/our-paper": "/who-we-are",
        "/about/team": "/team",
        "/our-paper/team": "/team",
        "/who-we-are/team": "/team",
    }.items():
        assert (client.get(path).status_code, client.get(path).location) == (301, target), path
    assert stored_page(draft).path == "who-we-are/plans"
    assert client.get("/about/plans").status_code == 404
    save(parent, editor, slug="about")
    assert client.get("/about").status_code == 200
    assert db.session.get(PageRedirect, "about") is None
    actions = [revision.action for revision in queries.page_revisions(child)]
    assert actions == ["update", "rename", "rename", "publish"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"slug": "politics"}, "A section has the address “/politics/”"),
        ({"slug": "search"}, "The address “/search” is reserved"),
        ({"slug": "fr"}, "The address “/fr” is reserved"),
        ({"slug": "2024"}, "The address “/2024” is reserved"),
        ({"slug": "about"}, "Another page has the address “/about”"),
        ({"slug": "old-about"}, "Another page has the address “/old-about”"),
    ],
)
def test_an_address_that_is_taken_is_refused(
    editor: User, changes: dict[str, object], message: str
) -> None:
    save(add_page(editor, slug="old-about"), editor, slug="about")
    with pytest.raises(ValidationError, match=message):
        add_page(editor, **changes)


def test_the_address_of_a_story_is_refused_with_any_permalink(
    app: Flask, client: FlaskClient, editor: User, story: Callable[..., int]
) -> None:
    story(headline="Press freedom", slug="press")
    app.config["PERMALINK"] = "/<slug>/<section>"
    parent = add_page(editor, title="Press")
    with pytest.raises(ValidationError, match="Another story has the address “/press/politics”"):
        add_page(editor, slug="politics", parent=parent)
    add_page(editor, slug="contacts", parent=parent)


def test_stories_and_sections_come_first_and_take_no_page(
    client: FlaskClient, editor: User, story: Callable[..., int]
) -> None:
    parent = add_page(editor, slug="staff")
    add_page(editor, slug="amina", parent=parent)
    story(headline="Amina", slug="amina")
    assert "We report." in client.get("/staff/amina").text  # its exact address
    assert client.get("/elsewhere/amina").location == "/politics/amina"
    with db.write() as session:
        assert sections.add_section(session, "Staff").slug == "staff-2"
    assert client.get("/staff").status_code == 200


def test_a_page_nests_one_level(editor: User) -> None:
    parent = add_page(editor, slug="about")
    child = add_page(editor, title="Team", parent=parent)
    for page_id, above in ((parent, parent), (parent, child), (None, child), (None, 999)):
        with pytest.raises(ValidationError, match="parent:"):
            if page_id is None:
                add_page(editor, title="Third", parent=above)
            else:
                save(page_id, editor, parent=above)
    other = add_page(editor, title="Other")
    with pytest.raises(ValidationError, match="This page has pages below it"):
        save(parent, editor, parent=other)


def test_slugs_are_made_from_titles_and_numbered(editor: User) -> None:
    ids = [add_page(editor, title=title) for title in ("Contact", "Contact", "Search")]
    assert [stored_page(page_id).path for page_id in ids] == ["contact", "contact-2", "search-2"]


def test_an_old_version_cannot_overwrite_a_newer_one(editor: User) -> None:
    page_id = add_page(editor, slug="about")
    version = stored_page(page_id).version
    save(page_id, editor, body="Newer.")
    with pytest.raises(ConflictError):
        pages.save_page(page_id, make_page(body="Older."), editor, version, "update")
    with pytest.raises(ConflictError):  # published meanwhile
        save(page_id, editor, "publish")
    pages.restore_page(page_id, editor, 1, stored_page(page_id).version)
    assert stored_page(page_id).body == "<p>We report.</p>"
    assert [revision.action for revision in queries.page_revisions(page_id)] == [
        "restore",
        "update",
        "publish",
    ]


def test_restoring_keeps_an_address_that_is_now_taken(editor: User) -> None:
    page_id = add_page(editor, "save", slug="about", body="First.")
    save(page_id, editor, "save", slug="who-we-are", body="Second.")
    add_page(editor, slug="about")
    pages.restore_page(page_id, editor, 1, stored_page(page_id).version)
    page = stored_page(page_id)
    assert (page.path, page.body) == ("who-we-are", "<p>First.</p>")


def test_the_same_form_makes_one_page(editor: User) -> None:
    page_id = pages.create_page(make_page(), editor, "save", "f" * 22)
    with pytest.raises(pages.DuplicatePage) as duplicate:
        pages.create_page(make_page(title="Again"), editor, "save", "f" * 22)
    assert duplicate.value.page_id == page_id


def test_authors_may_do_nothing_with_pages(editor: User) -> None:
    author, page_id = add_user("author"), add_page(editor)
    version = stored_page(page_id).version
    for act in (
        lambda: add_page(author),
        lambda: pages.save_page(page_id, make_page(), author, version, "update"),
        lambda: pages.apply_page_action(page_id, author, "withdraw", "No."),
        lambda: pages.restore_page(page_id, author, 1, version),
    ):
        with pytest.raises(ForbiddenError):
            act()


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"title": " "}, {"title"}),
        ({"body": "<p> </p>"}, {"body"}),
        ({"body": "x" * 1_000_001}, {"body"}),
        ({"title": "x" * 301, "description": "x" * 501}, {"title", "description"}),
        ({"slug": "No Slug"}, {"slug"}),
        ({"language": "Swahili!"}, {"language"}),
    ],
)
def test_invalid_fields_are_named(
    editor: User, changes: dict[str, object], fields: set[str]
) -> None:
    with pytest.raises(ValidationError) as invalid:
        add_page(editor, **changes)
    assert invalid.value.errors.keys() == fields


def test_scripts_are_removed_and_titles_escaped(client: FlaskClient, editor: User) -> None:
    add_page(
        editor,
        slug="about",
        title="<b>Us</b>",
        body='<p onclick="x()">Hi<script>evil()</script></p>',
    )
    page = client.get("/about").text
    assert "&lt;b&gt;Us&lt;/b&gt;" in page and "<p>Hi</p>" in page
    assert "evil" not in page and "onclick" not in page


def test_a_page_in_arabic_is_written_from_right_to_left(app: Flask, editor: User) -> None:
    add_page(editor, slug="about", title="من نحن", body="نحن صحيفة", language="ar")
    with in_languages(app, "en,ar") as site:
        page = site.test_client().get("/about").text
    assert '<html lang="ar" dir="rtl">' in page
    assert 'href="/ar/"' in page  # it leads to the lists of its edition
    assert app.test_client().get("/ar/about").status_code == 404


def test_every_change_that_readers_see_appends_an_outbox_row(
    client: FlaskClient, editor: User
) -> None:
    start = outbox.newest_number()
    page_id = add_page(editor, "save", slug="about")
    save(page_id, editor, "save", body="A draft.")
    assert outbox.newest_number() == start
    save(page_id, editor, "publish")
    assert "A draft." in client.get("/about").text
    save(page_id, editor, body="Changed.")
    assert "Changed." in client.get("/about").text  # not the cached page
    pages.apply_page_action(page_id, editor, "withdraw", "Old.")
    assert outbox.newest_number() == start + 3
    assert outbox.pages_changed_between(start, start + 3) == {page_id}


def test_a_picture_of_a_page_is_visible_while_the_page_is(
    app: Flask, client: FlaskClient, editor: User
) -> None:
    newsroom = logged_in_client(app)
    sent = {"picture": picture_file((64, 40)), "alt": "A port"}
    assert post(newsroom, "/newsroom/fragments/pictures", sent).status_code == 200
    picture = db.session.scalars(select(Picture)).one()
    name = "/media/" + rendition_names(picture.digest, picture.extension, picture.width)[0][0]
    page_id = add_page(editor, slug="about", body=f'<p><img src="{name}" alt="A"></p>')
    assert status_of(client, name) == 200
    pages.apply_page_action(page_id, editor, "withdraw", "Old.")
    assert status_of(client, name) == 410
    assert [state.is_withdrawn for state in queries.picture_states_of_pages([page_id])] == [True]
    pages.apply_page_action(page_id, editor, "reinstate")
    save(page_id, editor, body="No picture.")
    assert status_of(client, name) == 410


@pytest.mark.parametrize(
    "permalink", ["/<year>/<slug>", "/<year>/<month>/<slug>", "/news/<slug>", "/<slug>/<section>"]
)
def test_pages_have_the_same_addresses_with_every_permalink(
    app: Flask, editor: User, story: Callable[..., int], permalink: str
) -> None:
    article_id = story(headline="Test one")
    add_page(editor, slug="team", parent=add_page(editor, slug="about"))
    site = create_app(settings(app.config["DATA_DIR"], SPECTATOR_PERMALINK=permalink))
    client = site.test_client()
    for path in ("/about", "/about/team"):
        assert client.get(path).status_code == 200, path
        assert client.get(f"{path}/").location == path
    with site.test_request_context():
        article = queries.published_article(article_id)
        assert article is not None
        address = urls.permalink(article)
    assert client.get(address).status_code == 200
    if "section" not in permalink:  # the former permalink has another form
        assert client.get("/politics/test-one").location == address
    assert client.get("/about/nothing").status_code == 404
