"""`spectator export json` and `import json`: a whole site, to another installation."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from spectator import media, publishing, queries
from spectator.accounts.hashing import check_password
from spectator.cli import main
from spectator.db import Base, db
from spectator.exporters.directories import ExportDirectory
from spectator.exporters.json_site import export_json
from spectator.importers.json_site import import_site
from spectator.models import Article, Author, Country, OldAddress, Page, Redirect, User
from spectator.publishing import Action, menus, pages
from spectator.publishing.page_drafts import PageDraft
from spectator.publishing.whole_sites import SiteImportError
from spectator.queries.site_tables import COLLECTIONS, LEFT_OUT_TABLES, PEOPLE_COLUMNS
from tests.conftest import NEWEST, add_user, make_draft, use_site
from tests.exported_sites import (
    export,
    files_in,
    import_stories,
    open_site,
    sample_story,
)
from tests.newsroom_client import logged_in_client

pytestmark = pytest.mark.sqlite


def write_json(app: Flask, path: Path) -> Path:
    with ExportDirectory(path, "json") as directory:
        assert export_json(app, directory, lambda *_: None).missing == []
        directory.finish()
    return path


@pytest.fixture(scope="module")
def exported(fresh_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with `json`, an export of everything, and `static`, its public site."""
    directory = tmp_path_factory.mktemp("exported")
    with open_site(shutil.copytree(fresh_data, directory / "data")) as app:
        fill_site(app, directory)
        write_json(app, directory / "json")
        export(app, directory / "static")
    return directory


def fill_site(app: Flask, directory: Path) -> None:
    """Fill a site with everything that an export must keep."""
    cover = {"lead_image": "boat.jpg", "lead_image_alt": "A boat", "section": "Harbours"}
    import_stories(
        app,
        [
            sample_story(1, **cover),
            sample_story(2, topics=["Élections", "Water"], authors=["B C", "Ama Mensah"]),
            sample_story(3, language="fr", translation_of="s2", headline="Le fleuve"),
            sample_story(4, id="w", status="withdrawn"),
            sample_story(
                5, id="d", status="draft", source_name="A", source_url="https://a.example/"
            ),
        ],
        directory,
    )
    editor = add_user("editor")
    report = media.store_media(BytesIO(b"%PDF-1.7 A report"), app.config["MEDIA"])
    with db.write() as session:
        publishing.add_picture(session, report, None)
    body = f'<p>The <a href="/media/{report.digest[:2]}/{report.digest}-0.pdf">report</a>.</p>'
    article_id = publishing.create(
        make_draft(headline="A typing mistake", slug="old", body=body), editor
    )
    publishing.apply_action(article_id, editor, Action("publish"))
    correction = Action("correct", note="The name was wrong.", note_kind="correction")
    article = queries.article_to_edit(article_id)
    assert article is not None
    publishing.save(
        article_id,
        make_draft(slug="new", body=body),
        editor,
        version=article.version,
        action=correction,
    )
    parent = pages.create_page(PageDraft("About", "We report."), editor, "publish")
    pages.create_page(PageDraft("Team", "Us.", parent=parent), editor, "publish")
    pages.create_page(PageDraft("Plans", "Not yet."), editor)
    menus.add_to_menu("footer", parent, editor, "Who we are")
    with db.write() as session:
        country = session.scalars(select(Country).where(Country.code == "ML")).one()
        session.add_all(
            OldAddress(address=address, kind=kind, target_id=number, created_at=NEWEST)
            for address, kind, number in (
                ("/?p=7", "article", article_id),
                ("/category/mali", "country", country.id),
            )
        )


@pytest.fixture
def target(fresh_data: Path, tmp_path: Path) -> Iterator[Flask]:
    """New installation."""
    with open_site(shutil.copytree(fresh_data, tmp_path / "target")) as app:
        yield app


def test_a_new_installation_gets_the_same_public_site(
    target: Flask, exported: Path, tmp_path: Path
) -> None:
    report = import_site(target, exported / "json", lambda *_: None)
    assert report.counts["stories"] == 6 and report.counts["pages"] == 3
    export(target, tmp_path / "static")
    former, new = files_in(exported / "static"), files_in(tmp_path / "static")
    assert former.keys() == new.keys() and len(former) > 50
    assert [name for name in new if name.endswith("-0.pdf")]
    year = f"© {queries.last_public_change():%Y}".encode()
    for name, file in former.items():
        assert file.read_bytes() == new[name].read_bytes(), name
        assert file.suffix != ".html" or year in file.read_bytes()
    client = target.test_client()
    assert client.get("/politics/old").location == "/politics/new"
    assert client.get("/politics/story-4").status_code == 410
    assert client.get("/?p=7").location == "/politics/new"
    assert client.get("/category/mali").location == "/country/mali/"


def test_exporting_the_new_installation_gives_the_same_files(
    target: Flask, exported: Path, tmp_path: Path
) -> None:
    import_site(target, exported / "json", lambda *_: None)
    write_json(target, tmp_path / "json")
    former, new = files_in(exported / "json"), files_in(tmp_path / "json")
    assert {name: file.read_text("latin-1") for name, file in new.items()} == {
        name: file.read_text("latin-1") for name, file in former.items()
    }


def test_documents_name_what_they_refer_to(exported: Path) -> None:
    stories = {
        story["slug"]: story
        for line in (exported / "json/stories/00000000.jsonl").read_text("utf-8").splitlines()
        for story in [json.loads(line)]
    }
    story = stories["new"]
    assert story["section"] == "politics" and story["former_slugs"] == ["old"]
    assert [note["text"] for note in story["notes"]] == ["The name was wrong."]
    actions = [revision["action"] for revision in story["revisions"]]
    assert actions == ["create", "publish", "correct"]
    assert story["revisions"][0]["content"]["headline"] == "A typing mistake"
    assert stories["story-2"]["authors"] == ["B C", "Ama Mensah"]
    assert set(stories["story-2"]["topics"]) == {"Élections", "Water"}
    picture = stories["story-1"]["picture"]
    assert (exported / f"json/media/{picture}.jpg").is_file()


def test_every_table_is_exported_or_left_out_for_a_reason() -> None:
    exported = {table for c in COLLECTIONS for table in (c.table, *c.children)}
    assert exported | LEFT_OUT_TABLES.keys() == Base.metadata.tables.keys()
    assert not exported & LEFT_OUT_TABLES.keys()


def test_secrets_are_left_out(app: Flask, editor: User, tmp_path: Path) -> None:
    logged_in_client(app)  # a session, and a device that is known
    write_json(app, tmp_path / "json")
    text = (tmp_path / "json/site.json").read_text("utf-8")
    (person,) = json.loads(text)["people"]
    assert set(person) == set(PEOPLE_COLUMNS) and person["email"] == editor.email
    assert "argon2" not in text and "token" not in text
    assert not list((tmp_path / "json").rglob("*key*"))


def test_nobody_has_a_password_after_an_import(target: Flask, exported: Path) -> None:
    import_site(target, exported / "json", lambda *_: None)
    (person,) = db.session.scalars(select(User))
    assert person.role == "editor" and person.password_hash.startswith("$argon2")
    assert not check_password(person, "a long password of editor")


def count(model: type[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def test_a_site_with_content_is_left_alone(app: Flask, exported: Path, story: Any) -> None:
    story()
    with pytest.raises(SiteImportError, match="new installation"):
        import_site(app, exported / "json", lambda *_: None)
    assert count(Article) == 1 and queries.sections()


def change(directory: Path, name: str, edit: Callable[[Any], Any]) -> None:
    """Change a file of an export and its digest, as somebody who means harm would."""
    path = directory / name
    lines = path.read_text("utf-8").splitlines() if name.endswith("l") else [path.read_text()]
    documents = [json.loads(line) for line in lines]
    edit(documents[0])
    path.write_text("\n".join(map(json.dumps, documents)), "utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    listed = directory / "spectator-json.sha256"
    kept_lines = [line for line in listed.read_text().splitlines() if not line.endswith(name)]
    listed.write_text("\n".join([*kept_lines, f"{digest}  {name}"]))


@pytest.fixture
def hostile(exported: Path, tmp_path: Path) -> Path:
    """Copy of an export to change."""
    return shutil.copytree(exported / "json", tmp_path / "hostile")


STORIES, SITE, PAGES = "stories/00000000.jsonl", "site.json", "pages/00000000.jsonl"
REFUSED: list[tuple[str, Callable[[Any], Any]]] = [
    (STORIES, lambda story: story.update(slug="../etc")),
    (STORIES, lambda story: story.update(status="secret")),
    (STORIES, lambda story: story.update(section="none")),
    (STORIES, lambda story: story.update(headline=["x"])),
    (STORIES, lambda story: story.update(headline="x" * 301)),
    (STORIES, lambda story: story.update(published_at="2026-11-20T12:00:00")),
    (STORIES, lambda story: story.update(id=-1)),
    (STORIES, lambda story: story.update(id=2**40)),
    (STORIES, lambda story: story.update(body="x" * 1_000_001)),
    (STORIES, lambda story: story.update(language="<b>")),
    (STORIES, lambda story: story.update(authors={"a": 1})),
    (STORIES, lambda story: story.pop("version")),
    (STORIES, lambda story: story["revisions"][0]["content"].update(month=float("nan"))),
    (PAGES, lambda page: page.update(path="a/b/c/d")),
    (PAGES, lambda page: page.update(path="a//b")),
    (SITE, lambda site: site.update(version=2)),
    (SITE, lambda site: site.update(people=[{"email": "a"}])),
    (SITE, lambda site: site["people"][0].update(role="owner")),
    (SITE, lambda site: site["pictures"][0].update(digest="../../../../etc/passwd")),
    (SITE, lambda site: site["pictures"][0].update(digest="0" * 32)),
    (SITE, lambda site: site["pictures"][0].update(extension="html")),
    (SITE, lambda site: site["public_lists"].append({"kind": "country", "key": "XX"})),
    (SITE, lambda site: site["public_lists"].append({"kind": "topic", "key": "XX"})),
    (SITE, lambda site: site.update(topics="many")),
]


@pytest.mark.parametrize(("name", "edit"), REFUSED)
def test_invalid_values_are_refused_in_one_line(
    target: Flask, hostile: Path, name: str, edit: Callable[[Any], Any]
) -> None:
    change(hostile, name, edit)
    with pytest.raises(SiteImportError) as refused:
        import_site(target, hostile, lambda *_: None)
    assert len(str(refused.value)) < 300 and "\n" not in str(refused.value)
    assert count(Article) == count(Author) == count(Page) == 0 and len(queries.sections()) == 7


def test_a_file_has_the_type_of_its_extension(target: Flask, hostile: Path) -> None:
    (path,) = (hostile / "media").glob("*.pdf")
    content = b"<script>x()</script>"
    digest = hashlib.sha256(content).hexdigest()
    path.with_name(f"{digest[:32]}.pdf").write_bytes(content)
    with (hostile / "spectator-json.sha256").open("a") as listed:
        listed.write(f"{digest}  media/{digest[:32]}.pdf\n")
    change(hostile, SITE, lambda site: site["pictures"][-1].update(digest=digest[:32]))
    with pytest.raises(SiteImportError, match="extension"):
        import_site(target, hostile, lambda *_: None)


def test_texts_are_cleaned_like_those_that_somebody_types(target: Flask, hostile: Path) -> None:
    script = '<p onclick="x()">Words<script>x()</script></p>'

    def edit(story: Any) -> None:
        story.update(body=script, source_url="javascript:x()", headline="A\u202eB\x07")
        story["revisions"][0]["content"].update(body=script, unknown="x")

    change(hostile, STORIES, edit)
    import_site(target, hostile, lambda *_: None)
    article = db.session.scalars(queries.select_full_articles().where(Article.id == 1)).first()
    assert article is not None
    assert (article.body, article.source_url) == ("<p>Words</p>", "")
    assert article.headline == "AB"
    (revision,) = queries.revisions(1)
    content = queries.revision(1, revision.number)
    assert content is not None and content.content["body"] == "<p>Words</p>"
    assert "unknown" not in content.content


def test_changed_and_missing_files_are_refused(target: Flask, hostile: Path) -> None:
    path = hostile / STORIES
    path.write_bytes(path.read_bytes() + b"\n")
    for damage in (lambda: None, path.unlink, lambda: path.symlink_to("/etc/passwd")):
        damage()
        with pytest.raises(SiteImportError, match="missing or was changed"):
            import_site(target, hostile, lambda *_: None)
    (hostile / "spectator-json.sha256").unlink()
    with pytest.raises(SiteImportError, match=r"spectator-json\.sha256 is missing"):
        import_site(target, hostile, lambda *_: None)


def test_the_commands_export_and_import(
    target: Flask, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_site(target, monkeypatch)
    monkeypatch.setenv("SPECTATOR_SITE_NAME", "Nyota")
    runner: FlaskCliRunner = target.test_cli_runner()
    result = runner.invoke(main, ["import", "json", str(exported / "json")])
    assert result.exit_code == 0, result.output
    assert "stories: 6, pages: 3, pictures: 2, people: 1" in result.output
    assert "SPECTATOR_SITE_NAME='The African Spectator'" in result.output
    result = runner.invoke(main, ["import", "json", str(exported / "json")])
    assert result.exit_code == 1 and "Traceback" not in result.output
    result = runner.invoke(main, ["export", "json", str(tmp_path / "again")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "again/spectator-json.sha256").is_file()
    assert count(Redirect) == 1
