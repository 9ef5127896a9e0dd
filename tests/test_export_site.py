"""`spectator export site`: pages with relative links, for any web server and for a disk."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from posixpath import dirname

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from spectator import media, publishing, queries
from spectator.db import db
from spectator.models import User
from spectator.publishing import Action, pages
from spectator.publishing.page_drafts import PageDraft
from tests.conftest import add_user
from tests.exported_sites import (
    SECRET,
    export,
    files_in,
    import_stories,
    links_of,
    open_site,
    pages_in,
    sample_stories,
    target_of,
)
from tests.page_checks import Page
from tests.picture_samples import encoded, photograph

pytestmark = pytest.mark.sqlite


@pytest.fixture(scope="module")
def site(
    fresh_data: Path,
    compiled_templates: FileSystemBytecodeCache,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Flask]:
    """Site in three languages with lists of two pages, a picture and private stories."""
    directory = tmp_path_factory.mktemp("site")
    data = shutil.copytree(fresh_data, directory / "data")
    with open_site(data, SPECTATOR_LANGUAGES="en,fr,ar") as app:
        app.jinja_env.bytecode_cache = compiled_templates
        patch = pytest.MonkeyPatch()
        patch.setattr(queries.front_page, "LATEST_COUNT", 2)
        patch.setattr(queries.front_page, "RAIL_SIZE", 1)
        import_stories(app, sample_stories(), directory)
        editor = add_user("editor")
        for title, action in (("Contact", "publish"), (f"Page of {SECRET}", "save")):
            pages.create_page(PageDraft(title, "Write to us."), editor, action)
        yield app
        patch.undo()


@pytest.fixture(scope="module")
def exported(site: Flask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with the export of `site`."""
    directory = tmp_path_factory.mktemp("export") / "static"
    assert export(site, directory).missing == []
    return directory


def test_every_link_is_relative_and_leads_to_a_file(exported: Path) -> None:
    page_by_name = pages_in(exported)
    for name in page_by_name.keys() - {"404.html"}:
        assert not page_by_name[name].errors
        for link in links_of(page_by_name[name]):
            assert (exported / target_of(name, link)).is_file(), f"{name} leads to {link}"
    assert {"fr/index.html", "ar/index.html", "fr/search/index.html"} <= page_by_name.keys()
    assert "Write to us." in page_by_name["contact/index.html"].visible_text
    lists = {"archive/index.html", "country/mali/index.html", "topic/water/index.html"}
    assert lists <= page_by_name.keys()
    assert (exported / "author/ama-mensah/feed.xml").read_bytes().startswith(b"<?xml")


def test_pages_need_neither_htmx_nor_the_newsroom(exported: Path) -> None:
    for name, page in pages_in(exported).items():
        for tag, attributes in page.elements:
            assert not [key for key in attributes if key.startswith("hx-")], (name, tag)
            assert attributes.get("type") != "module"
            assert attributes.get("name") != "htmx-config"
            assert "newsroom" not in (attributes.get("href") or "")
        assert 'src="http' not in (exported / name).read_text("utf-8")
        assert "Today" not in page.visible_text


def test_a_story_shows_related_stories(exported: Path) -> None:
    story = pages_in(exported)["politics/story-3/index.html"]
    assert story.visible_text.count("You may also like") == 1
    assert "Rivers number 0" in story.visible_text
    assert "© 2026" in story.visible_text and len(story.find_all("html", "body")) == 2


def test_links_in_texts_lead_to_pages_of_the_export(exported: Path) -> None:
    page = (exported / "politics/story-3/index.html").read_text("utf-8")
    body = page.partition('<div class="prose">')[2].partition("</div>")[0]
    links = re.findall(r'<a(?: href="([^"]*)")?[^>]*>([^<]*)', body)
    assert links == [
        ("../story-2/index.html#top", "this"),
        ("../story-5/index.html", "that"),
        ("", "us"),
        ("", "no page"),
        ("../../search/index.html?q=water&amp;sort=newest", "a search"),
        ("https://other.example/a?b=c&amp;d=e", "others"),
        ("https://other.example/pixel.png", "A map (other.example)"),
    ]


@pytest.mark.parametrize(
    ("start", "count"),
    [("index.html", 24), ("politics/index.html", 24), ("fr/politics/index.html", 2)],
)
def test_older_pages_lead_to_every_story(exported: Path, start: str, count: int) -> None:
    stories, name, names = set[str](), start, []
    while name:
        names.append(name)
        links = Page((exported / name).read_text("utf-8")).find_all("a")
        targets = [target_of(name, a["href"] or "") for a in links if "href" in a]
        stories |= {target for target in targets if re.search(r"/story-\d+/", target)}
        following = [a["href"] or "" for a in links if a.get("rel") == "next"]
        name = target_of(name, following[0]) if following else ""
    assert len(stories) == count
    assert names[1:2] == ([f"{dirname(start)}/older-2.html".lstrip("/")] if count > 20 else [])


def test_nothing_private_is_exported(exported: Path) -> None:
    for name, file in files_in(exported).items():
        assert SECRET.lower() not in file.read_bytes().decode("utf-8", "replace").lower(), name
    assert not list(exported.rglob("secret-*"))


def test_an_export_without_changes_writes_nothing(site: Flask, exported: Path) -> None:
    # A file with other content would be replaced by a new one.
    before = {path: path.stat().st_ino for path in files_in(exported).values()}
    listed = (exported / "spectator-site.sha256").read_bytes()
    export(site, exported)
    assert {path: path.stat().st_ino for path in files_in(exported).values()} == before
    assert (exported / "spectator-site.sha256").read_bytes() == listed


def test_the_list_has_the_digest_of_every_file(exported: Path) -> None:
    listed = (exported / "spectator-site.sha256").read_text().splitlines()
    assert [line.split("  ")[1] for line in listed] == sorted(files_in(exported))
    if command := shutil.which("sha256sum"):
        check = [command, "--quiet", "--strict", "-c", "spectator-site.sha256"]
        assert subprocess.run(check, cwd=exported, check=False).returncode == 0


def test_the_page_for_missing_addresses_works_at_any_depth(exported: Path) -> None:
    page = Page((exported / "404.html").read_text("utf-8"))
    assert "Page not found" in page.visible_text
    for link in links_of(page):
        is_inside = link.startswith("#")
        assert is_inside or (link.startswith("/") and (exported / link[1:]).is_file()), link


def test_what_is_gone_is_removed_and_nothing_else(
    app: Flask, story: Callable[..., int], editor: User, tmp_path: Path
) -> None:
    directory = tmp_path / "static"
    article_id = story(slug="dam", countries=("Mali",))
    story(slug="river")
    export(app, directory)
    (directory / "CNAME").write_text("www.spectator.example")
    assert (directory / "politics/dam/index.html").is_file()
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    export(app, directory)
    assert not (directory / "politics/dam").exists()
    assert (directory / "politics/river/index.html").is_file()
    assert (directory / "CNAME").read_text() == "www.spectator.example"
    assert "dam" not in (directory / "spectator-site.sha256").read_text()


@pytest.fixture
def boat(app: Flask, story: Callable[..., int]) -> int:
    """Published story with a picture."""
    stored = media.store_upload(BytesIO(encoded(photograph(400, 300))), app.config["MEDIA"])
    with db.write() as session:
        picture_id = publishing.add_picture(session, stored, None)
    return story(slug="boat", picture_id=picture_id, picture_alt="A boat")


def test_pictures_of_another_host_are_copied(app: Flask, boat: int, tmp_path: Path) -> None:
    app.config["MEDIA_URL"] = "https://cdn.example/pictures"
    assert export(app, tmp_path / "static").missing == []
    page = (tmp_path / "static/politics/boat/index.html").read_text("utf-8")
    (source,) = re.findall(r'<img[^>]* src="([^"]*)"', page)
    assert source.startswith("../../media/")
    assert (tmp_path / "static" / target_of("politics/boat/index.html", source)).is_file()


def test_missing_pictures_are_reported(app: Flask, boat: int, tmp_path: Path) -> None:
    shutil.rmtree(app.config["MEDIA"] / "renditions")
    (path,) = set(export(app, tmp_path / "static").missing)
    assert path.startswith("/media/")
    page = (tmp_path / "static/politics/boat/index.html").read_text("utf-8")
    assert "<img" in page and "media/" not in page.partition("<main")[2]
