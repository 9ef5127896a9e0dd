"""`spectator import ghost`: posts become stories; what members had is never public."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from PIL import Image
from sqlalchemy import select

from spectator import publishing, queries
from spectator.cli import main
from spectator.db import db
from spectator.importers import ghost
from spectator.importers.ghost import GhostOptions, PageImport
from spectator.importers.records import Record, RecordError
from spectator.models import Article, OldAddress, User
from spectator.publishing import Action
from tests.conftest import use_site
from tests.ghost_samples import POST, export, lexical, post, relations, text

OPTIONS = GhostOptions(
    "en", "politics", frozenset({"politics", "business"}), "https://old.example"
)
DATE = datetime(2026, 2, 1, 8, tzinfo=UTC)


def read(data: bytes, options: GhostOptions = OPTIONS) -> list[Any]:
    return list(ghost.read(BytesIO(data), options, PageImport(options, False, False)))


def read_one(*, options: GhostOptions = OPTIONS, tables: Any = None, **columns: Any) -> Record:
    [record] = read(export(post(**columns), **(tables or {})), options)
    assert isinstance(record, Record), record
    return record


def test_a_post_becomes_a_story() -> None:
    record = read_one(
        tables=relations() | {"posts_meta": [{"post_id": POST["id"], "meta_title": "Search"}]},
        custom_excerpt="In short.",
        meta_description="Described.",
        codeinjection_head="<script></script>",
        og_title="Other",
    )
    draft = record.draft
    assert (draft.headline, draft.slug, draft.dek) == (
        "Gold &amp; grain",
        POST["slug"],
        "In short.",
    )
    assert draft.body == '<p>Prices rose in <a href="https://old.example/accra/">Accra</a>.</p>'
    assert draft.authors == ("Kofi Osei", "Ama Mensah")
    assert (record.section, draft.topics) == ("Business", ("Gold",))
    assert (draft.search_title, draft.search_description) == ("Search", "Described.")
    assert (record.status, record.published_at) == ("published", DATE)
    assert record.external_id == f"ghost:{POST['uuid']}"
    assert record.feed_id == POST["id"]
    assert record.addresses == (
        "https://old.example/gold-and-grain/",
        "https://old.example/gold-and-grain/amp/",
    )
    assert record.changes == (
        "Internal tags left out: #internal, Hidden",
        "Code left out: codeinjection_head",
    )
    assert record.unknown_keys == ("og_title",)


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"status": "draft"}, "draft"),
        ({"status": "scheduled", "published_at": "2100-01-01T00:00:00.000Z"}, "scheduled"),
        ({"status": "scheduled"}, "published"),
        ({"status": "sent"}, "draft"),
        ({"status": "strange"}, "draft"),
        ({"status": None}, "draft"),
        ({"visibility": "members"}, "draft"),
        ({"visibility": "paid"}, "draft"),
        ({"visibility": "tiers"}, "draft"),
        ({"visibility": "paid", "status": "scheduled"}, "draft"),
        ({"visibility": None}, "published"),
        ({"email_only": True}, "draft"),
        ({"published_at": None}, "published"),
        ({"published_at": None, "created_at": "x"}, "draft"),
    ],
)
def test_only_what_was_on_the_public_web_is_public(columns: dict[str, Any], status: str) -> None:
    record = read_one(**columns)
    assert record.status == status
    is_reported = any("it is a draft" in change for change in record.changes)
    is_private = status == "draft" and columns.get("status", "x") not in {"draft", None}
    assert is_reported == is_private


def test_old_versions_have_other_shapes() -> None:
    old = {
        "id": 7,
        "title": "Old",
        "slug": "old",
        "markdown": "One *word*.",
        "image": "/content/images/a.jpg",
        "page": 0,
        "status": "published",
        "language": "fr_FR",
        "author_id": 1,
        "published_at": 1_769_932_800_000,
        "created_at": 1_769_932_700_000,
    }
    tables: dict[str, Any] = {
        "users": [{"id": 1, "name": "Ama"}],
        "tags": [{"id": 3, "name": "Gold", "slug": "gold"}],
        "posts_tags": [{"post_id": 7, "tag_id": 3}],
    }
    [record] = read(export(old, **tables))
    assert record.draft.body.endswith("<p>One <em>word</em>.</p>")
    assert (record.draft.authors, record.draft.topics) == (("Ama",), ("Gold",))
    assert (record.draft.language, record.published_at) == ("fr-FR", DATE)
    assert (record.external_id, record.feed_id) == ("ghost:old", "")
    assert record.changes == ("Not imported: https://old.example/content/images/a.jpg",)


def test_authors_and_tags_may_stand_in_the_post() -> None:
    tags = [{"name": "Gold", "slug": "gold"}, {"name": "#no", "slug": "hash-no"}]
    record = read_one(authors=[{"name": "A"}, {"name": "B"}], tags=tags)
    assert (record.draft.authors, record.draft.topics) == (("A", "B"), ("Gold",))


def test_an_author_who_is_not_in_the_file_is_reported() -> None:
    record = read_one(author_id="gone")
    assert (record.draft.authors, record.changes) == ((), ("An author is not in the file.",))


def test_missing_values_are_made_up_and_reported() -> None:
    record = read_one(title="", html="", slug="Ünïcode/slug", uuid=None, id=5)
    assert record.draft.headline == "Ünïcode/slug"
    assert record.draft.slug == "unicode-slug"
    assert record.draft.body.startswith("<p><editor-note>The source has no text")
    assert len(record.changes) == 2
    assert record.external_id == "ghost:Ünïcode/slug"


def test_a_canonical_address_on_another_site_is_the_source() -> None:
    draft = read_one(canonical_url="https://www.wire.example/a").draft
    assert (draft.source_name, draft.source_url) == ("wire.example", "https://www.wire.example/a")
    assert read_one(canonical_url="__GHOST_URL__/a").draft.source_name == ""


def test_without_the_address_of_the_site_its_links_lead_to_paths_of_this_one() -> None:
    record = read_one(options=replace(OPTIONS, site_url=""))
    assert '<a href="/accra/">' in record.draft.body
    assert record.addresses == ("/gold-and-grain/", "/gold-and-grain/amp/")


def test_a_row_that_is_no_object_is_refused_alone() -> None:
    data = export(post()).replace(b'"posts": [', b'"posts": [7, ')
    (location, error), record = read(data)
    assert (location, type(error)) == ("post 1", RecordError)
    assert record.location == "post 2 (gold-and-grain)"


def test_old_addresses_lead_to_their_content_and_stand_in_the_receipt(
    run_import: RunImport, client: FlaskClient, tmp_path: Path
) -> None:
    data = export(post(), post(uuid="a", slug="about", title="About", type="page"), **relations())
    receipt = tmp_path / "receipt.html"
    result = run_import(data, "--receipt", str(receipt))
    assert f"receipt: {receipt} (old addresses: " in result.output
    expected = {
        "/gold-and-grain/": "/business/gold-and-grain",
        "/gold-and-grain/amp/": "/business/gold-and-grain",
        "/about/amp/": "/about",
        "/tag/gold/": "/topic/gold/",
        "/tag/business/": "/business/",
        "/author/ama/": "/author/ama-mensah/",
    }
    for address, target in expected.items():
        response = client.get(address)
        assert (response.status_code, response.location) == (301, target), address
        assert client.get(target).status_code == 200
    assert "Internal tags left out: #internal, Hidden" in receipt.read_text("utf-8")
    stored = [row.address for row in db.session.scalars(select(OldAddress))]
    assert "/tag/hidden" not in " ".join(stored)


def test_pages_become_standing_pages(
    run_import: RunImport, client: FlaskClient, tmp_path: Path
) -> None:
    columns = write_content(tmp_path / "content")
    rows = (
        post(uuid="a", slug="about", title="About &amp; us", type="page", html=columns["html"]),
        post(uuid="b", slug="old", title="Old", type=None, page=1),
        post(uuid="c", slug="secret", title="Secret", type="page", visibility="members"),
    )
    result = run_import(export(*rows), "--media", str(tmp_path / "content"))
    assert result.exit_code == 0, result.output
    assert result.output.startswith("0 added, 0 updated\npages: 3 added, 0 updated\n")
    assert "post 3 (secret): It was not public (members), so it is a draft." in result.output
    page = client.get("/about").text
    assert "About &amp; us" in page and 'src="/media/' in page
    assert client.get("/old").status_code == 200
    assert client.get("/secret").status_code == 404
    again = run_import(export(*rows), "--media", str(tmp_path / "content"))
    assert again.output.startswith("0 added, 0 updated\npages: 0 added, 0 updated, 3 unchanged\n")


RunImport = Callable[..., Result]


@pytest.fixture
def run_import(
    app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> RunImport:
    """Return a function that imports a file with these bytes."""
    use_site(app, monkeypatch)

    def run(data: bytes, *options: str) -> Result:
        file = tmp_path / "ghost.json"
        file.write_bytes(data)
        db.session.rollback()
        return runner.invoke(
            main, ["import", "ghost", str(file), "--url", "https://old.example", *options]
        )

    return run


def stories() -> list[Article]:
    db.session.rollback()
    db.session.expunge_all()
    ids = db.session.scalars(select(Article.id).order_by(Article.id)).all()
    return [article for number in ids if (article := queries.article_to_edit(number))]


def test_readers_see_public_posts_only(run_import: RunImport, client: FlaskClient) -> None:
    secret = {"title": "Secret", "html": "<p>Secret words</p>", "visibility": "paid"}
    page = post(uuid="p", slug="about", type="page")
    result = run_import(export(post(), post(uuid="s", slug="secret", **secret), page))
    assert result.exit_code == 0, result.output
    assert result.output.startswith("2 added, 0 updated\n")
    assert "post 2 (secret): It was not public (paid), so it is a draft.\n" in result.output
    assert "pages: 1 added, 0 updated\n" in result.output
    assert [story.status for story in stories()] == ["published", "draft"]
    assert "Prices rose" in client.get("/politics/gold-and-grain").text
    assert "Secret" not in client.get("/").text
    assert client.get("/politics/secret").status_code == 404


def test_importing_again_keeps_what_editors_did(run_import: RunImport, editor: User) -> None:
    run_import(export(post()))
    result = run_import(export(post()))
    assert result.output.startswith("0 added, 0 updated, 1 unchanged\n")
    [story] = stories()
    assert story.version == 1
    publishing.apply_action(story.id, editor, Action("withdraw", note="An error."))
    result = run_import(export(post(html="<p>New words.</p>", title="New")))
    assert "not overwritten, changed on this site: stays withdrawn" in result.output
    [story] = stories()
    assert (story.status, story.headline) == ("withdrawn", "New")


def write_content(directory: Path) -> dict[str, str]:
    """Write pictures and a file of the old site; return the columns of a post that shows them."""
    (directory / "images/2026").mkdir(parents=True)
    (directory / "files").mkdir()
    Image.new("RGB", (40, 30), "red").save(directory / "images/2026/a b.jpg")
    Image.new("RGB", (50, 30), "blue").save(directory / "images/2026/c-300x200.png")
    (directory / "images/2026/broken.jpg").write_bytes(b"no picture")
    (directory / "files/a.pdf").write_bytes(b"%PDF-1.4 words")
    root = "__GHOST_URL__/content"
    return {
        "feature_image": f"{root}/images/size/w600/2026/a%20b.jpg",
        "feature_image_alt": "Gold bars",
        "feature_image_caption": "By <i>Ama</i>",
        "html": f'<p><img src="{root}/images/2026/c-300x200.png" alt="C"></p><p><img src="{root}/'
        f'images/2026/broken.jpg"></p><p><a href="{root}/files/a.pdf">Report</a></p>',
    }


def test_pictures_and_files_come_from_a_copy_of_the_content(
    run_import: RunImport, tmp_path: Path, client: FlaskClient
) -> None:
    directory = tmp_path / "content"
    data = export(post(**write_content(directory)))
    media_option = ("--media", str(directory))
    assert "1 added" in run_import(data, *media_option, "--dry-run").output
    result = run_import(data, *media_option)
    missing = "Not imported: https://old.example/content/images/2026/broken.jpg"
    assert [line for line in result.output.splitlines() if "Not imported" in line] == [
        f"post 1 (gold-and-grain): {missing}"
    ]
    [story] = stories()
    assert story.picture is not None
    assert (story.picture_alt, story.picture_caption) == ("Gold bars", "By Ama")
    assert '<img src="/media/' in story.body and 'width="50" height="30"' in story.body
    assert '-0.pdf"' in story.body
    page = client.get("/politics/gold-and-grain").text
    for path in re.findall(r'(?:src|href)="(/media/[^"]+)"', page):
        with client.get(path) as response:
            assert response.status_code == 200, path
    for options in (media_option, (*media_option, "--dry-run")):
        assert "0 added, 0 updated, 1 unchanged" in run_import(data, *options).output


def test_a_damaged_lead_picture_does_not_refuse_the_story(
    run_import: RunImport, tmp_path: Path
) -> None:
    write_content(tmp_path / "content")
    url = "__GHOST_URL__/content/images/2026/broken.jpg"
    result = run_import(export(post(feature_image=url)), "--media", str(tmp_path / "content"))
    assert result.output.startswith("1 added")
    assert "Not imported: https://old.example/content/images/2026/broken.jpg" in result.output


def test_two_posts_with_the_same_slug_are_both_imported(run_import: RunImport) -> None:
    data = export(post(), post(uuid="other", title="Other"))
    assert run_import(data).output.startswith("2 added")
    assert [story.slug for story in stories()] == ["gold-and-grain", "gold-and-grain-2"]
    assert run_import(data).output.startswith("0 added, 0 updated, 2 unchanged")


def test_paths_out_of_the_directory_are_not_followed(
    run_import: RunImport, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "secret.jpg")
    url = "__GHOST_URL__/content/images/../secret.jpg"
    result = run_import(export(post(feature_image=url)), "--media", str(tmp_path / "images"))
    assert "Not imported: https://old.example/content/images/../secret.jpg" in result.output
    assert [story.picture for story in stories()] == [None]


def test_a_pipe_can_be_read(
    app: Flask, runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_site(app, monkeypatch)
    body = lexical({"type": "paragraph", "children": [text("Words")]})
    data = export(post(html=None, lexical=body))
    result = runner.invoke(main, ["import", "ghost", "-"], input=data)
    assert result.output.startswith("1 added"), result.output


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (export(), "ghost.json has no posts."),
        (b"{}", "ghost.json has no posts."),
        (b"<rss>", "ghost.json: it is not an export file of Ghost"),
        (export(post())[:-9], "ghost.json: it is damaged at character"),
    ],
)
def test_a_bad_file_fails_in_one_line_and_stores_nothing(
    run_import: RunImport, data: bytes, message: str
) -> None:
    result = run_import(data)
    assert (result.exit_code, len(result.output.splitlines())) == (1, 1)
    assert message in result.output
    assert stories() == []
