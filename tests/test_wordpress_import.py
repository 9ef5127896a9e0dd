"""`spectator import wordpress`: posts to stories, what stays private, importing again, pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from spectator import queries
from spectator.cli import main
from spectator.db import db
from spectator.models import Article, Outbox, Revision
from tests.conftest import use_site
from tests.wordpress_samples import HEAD, HOST, category, comment, export, item, meta, term

Run = Callable[..., Result]


@pytest.fixture
def run(
    app: Flask, runner: FlaskCliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    use_site(app, monkeypatch)

    def run(*files: bytes, options: tuple[str, ...] = ()) -> Result:
        paths = []
        for number, content in enumerate(files):
            paths.append(str(tmp_path / f"export-{number}.xml"))
            Path(paths[-1]).write_bytes(content)
        db.session.rollback()
        return runner.invoke(main, ["import", "wordpress", *paths, *options])

    return run


def stories() -> dict[str, Article]:
    """Return the stored stories by external id, without its beginning."""
    db.session.rollback()
    db.session.expunge_all()
    ids = db.session.scalars(select(Article.id)).all()
    articles = [queries.article_to_edit(article_id) for article_id in ids]
    return {
        str(article.external_id).removeprefix(f"wordpress:{HOST}:"): article
        for article in articles
        if article
    }


def only_story() -> Article:
    (article,) = stories().values()
    return article


def test_a_post_becomes_a_story(run: Run) -> None:
    post = item(
        7,
        term("category", "world", "World"),
        term("post_tag", "gold", "Gold &amp; silver"),
        term("post_format", "post-format-chat", "Chat"),
        meta("_yoast_wpseo_title", "%%title%% %%sep%% All about it %%page%%"),
        meta("_yoast_wpseo_metadesc", "What &amp; why"),
        meta("subtitle", "Ours"),
        meta("_edit_lock", "1:1"),
        title="Fish &amp; <em>chips</em> &#8217;24",
        excerpt="In <b>short</b>.",
        post_modified_gmt="2024-05-02 08:00:00",
        is_sticky="1",
    )
    result = run(export(category("world", "World"), post))
    assert result.exit_code == 0, result.output
    assert "1 added" in result.output
    assert "subtitle (1)" in result.output
    assert "_edit_lock" not in result.output
    story = only_story()
    assert (story.headline, story.dek) == ("Fish & chips ’24", "In short.")
    assert (story.slug, story.section.name, story.kind) == ("post-7", "World", "interview")
    assert [author.name for author in story.authors] == ["Ama Mensah"]
    assert [topic.name for topic in story.topics] == ["Gold & silver"]
    assert (story.status, story.language) == ("published", "en-GB")
    assert f"{story.published_at:%Y-%m-%d %H:%M}" == "2024-05-01 10:00"
    assert f"{story.updated_at:%Y-%m-%d %H:%M}" == "2024-05-02 08:00"
    assert story.search_title == "Fish & chips ’24 | All about it"
    assert story.search_description == "What & why"
    assert db.session.scalar(select(Article.feed_id)) == f"https://{HOST}/?p=7"
    assert story.body == "<p>Some words of the story.</p>"


def test_importing_again_writes_nothing(run: Run) -> None:
    data = export(
        category("world", "World"), item(7, term("category", "world", "World")), item(8)
    )
    run(data)
    counts = [select(func.count()).select_from(model) for model in (Revision, Outbox)]
    before = [db.session.scalar(query) for query in counts]
    again = run(data)
    assert "0 added, 0 updated, 2 unchanged" in again.output
    assert [db.session.scalar(query) for query in counts] == before
    changed = run(data.replace(b"Some words", b"Other words"))
    assert "0 added, 2 updated" in changed.output


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"status": "publish"}, "published"),
        ({"status": "publish", "post_date_gmt": "2999-01-01 00:00:00"}, "scheduled"),
        ({"status": "future", "post_date_gmt": "2999-01-01 00:00:00"}, "scheduled"),
        ({"status": "future"}, "draft"),
        ({"status": "pending"}, "review"),
        ({"status": "draft", "post_date_gmt": "0000-00-00 00:00:00"}, "draft"),
        ({"status": "private"}, "draft"),
        ({"status": "in-progress"}, "draft"),
        ({"status": ""}, "draft"),
        ({"status": "publish", "post_password": "secret"}, "draft"),
        ({"status": "publish", "post_date_gmt": "", "post_date": ""}, "draft"),
        ({"status": "trash"}, None),
        ({"status": "auto-draft"}, None),
        ({"status": "inherit"}, None),
    ],
)
def test_only_public_posts_become_public(
    run: Run, fields: dict[str, str], status: str | None
) -> None:
    result = run(export(item(7, **fields)))
    assert result.exit_code == 0, result.output
    assert [article.status for article in stories().values()] == ([status] if status else [])
    assert "secret" not in result.output
    published = select(Outbox.article_id).where(Outbox.article_id.is_not(None))
    assert bool(db.session.scalar(published)) == (status == "published")


@pytest.mark.parametrize(
    ("fields", "date"),
    [
        ({"post_date_gmt": "0000-00-00 00:00:00"}, "2024-05-01 12:00"),  # in the site's time zone
        (
            {
                "post_date_gmt": "0000-00-00 00:00:00",
                "post_date": "0000-00-00 00:00:00",
                "pubDate": "Wed, 01 May 2024 12:30:00 +0200",
            },
            "2024-05-01 10:30",
        ),
        ({"post_date_gmt": "not a date", "post_date": "2024-05-01 11:00:00"}, "2024-05-01 11:00"),
    ],
)
def test_dates_fall_back_to_others(run: Run, fields: dict[str, str], date: str) -> None:
    run(export(item(7, **fields)))
    assert f"{only_story().published_at:%Y-%m-%d %H:%M}" == date


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"post_name": "%d8%a7%d9%84%d8%b3%d9%88%d8%af%d8%a7%d9%86"}, "lswdn"),
        ({"post_name": "Caf%C3%A9_2"}, "cafe-2"),
        ({"post_name": "", "title": "The rains"}, "the-rains"),
        ({"post_name": "", "title": "!"}, "post-7"),
        ({"post_name": "x" * 250}, "x" * 100),
    ],
)
def test_slugs_are_spelled_in_ascii(run: Run, fields: dict[str, str], slug: str) -> None:
    result = run(export(item(7, **fields)))
    assert result.exit_code == 0, result.output
    assert only_story().slug == slug


def test_posts_without_title_or_text_are_stored(run: Run) -> None:
    result = run(
        export(
            item(7, title="", content="<p>The rains came late this year.</p>"),
            item(8, title="A title", content="", excerpt="An excerpt & more"),
            item(9, title="", content=""),
            item(10, title="word " * 100),
        )
    )
    assert result.exit_code == 0, result.output
    stored = stories()
    assert stored["7"].headline == "The rains came late this year."
    assert stored["8"].body == "<p>An excerpt &amp; more</p>"
    assert (stored["9"].headline, stored["9"].body) == ("Post 9", "<p>Post 9</p>")
    assert stored["10"].headline.endswith("word…")


def test_coauthors_are_in_order_and_each_once(run: Run) -> None:
    guest = item(
        90,
        meta("cap-display_name", "Zola Adeyemi"),
        post_type="guest-author",
        post_name="cap-zola-adeyemi",
        title="zola",
    )
    coauthors = (
        term("author", "cap-zola-adeyemi", "zola-adeyemi"),
        term("author", "cap-ama", "ama"),
        term("author", "cap-zola-adeyemi", "zola-adeyemi"),
        term("author", "cap-kofi-annor", "kofi-annor"),
    )
    result = run(
        export(item(7, *coauthors), item(8, creator="AMA"), item(9, creator="ghost")),
        export(guest),
    )
    assert result.exit_code == 0, result.output
    bylines = {key: [a.name for a in story.authors] for key, story in stories().items()}
    assert bylines["7"] == ["Zola Adeyemi", "Ama Mensah", "Kofi Annor"]
    assert (bylines["8"], bylines["9"]) == (["Ama Mensah"], ["ghost"])


def test_the_mapping_is_proposed_kept_and_followed(run: Run, tmp_path: Path) -> None:
    data = export(
        category("world", "World"),
        category("africa", "Africa", "world"),
        category("economy", "Economy"),
        category("media", "Media"),
        item(7, term("category", "africa", "Africa"), term("category", "economy", "Economy")),
        item(8, term("category", "media", "Media"), term("category", "uncategorized", "None")),
    )
    path = tmp_path / "mapping.toml"
    dry = run(data, options=("--mapping", str(path), "--dry-run"))
    assert str(path) in dry.output
    assert not stories()
    run(data, options=("--mapping", str(path)))
    first = stories()
    assert first["7"].section.name == "World"
    assert {topic.name for topic in first["7"].topics} == {"Africa", "Economy"}
    assert first["8"].section.slug == "politics"  # /media/ is a reserved address
    assert [topic.name for topic in first["8"].topics] == ["Media"]
    text = path.read_text()
    edited = text.replace('topic = "Africa"\nkind = ""', 'topic = ""\nkind = "analysis"')
    edited = edited.replace('"ama" = "Ama Mensah"', '"ama" = "Ama M."')
    assert edited != text
    path.write_text(edited)
    result = run(data, options=("--mapping", str(path)))
    assert "2 updated" in result.output
    assert path.read_text() == edited
    story = stories()["7"]
    assert (story.kind, [author.name for author in story.authors]) == ("analysis", ["Ama M."])
    assert [topic.name for topic in story.topics] == ["Economy"]


def test_a_mapping_may_be_json(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mapping.json"
    data = export(category("world", "World"), item(7, term("category", "world", "World")))
    run(data, options=("--mapping", str(path), "--dry-run"))
    values = json.loads(path.read_text())
    values["category"][0]["section"] = "Abroad"
    path.write_text(json.dumps(values))
    run(data, options=("--mapping", str(path)))
    assert only_story().section.name == "Abroad"


@pytest.mark.parametrize(
    "text",
    ["[", "category = 3", "[[category]]\nslug = 3", '[[category]]\nslug = "x"\nkind = "poem"'],
)
def test_a_wrong_mapping_stops_the_import(run: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    result = run(export(item(7)), options=("--mapping", str(path)))
    assert result.exit_code == 1
    assert "mapping.toml: " in result.output
    assert result.output.count("\n") <= 2
    assert not stories()


def test_primary_categories_come_first(run: Run) -> None:
    head = (
        HEAD
        + category("world", "World")
        + category("economy", "Economy").replace(
            "<wp:category>", "<wp:category><wp:term_id>12</wp:term_id>"
        )
    )
    terms = (term("category", "world", "World"), term("category", "economy", "Economy"))
    run(export(item(7, *terms, meta("_yoast_wpseo_primary_category", "12")), head=head))
    story = only_story()
    assert story.section.name == "Economy"
    assert [topic.name for topic in story.topics] == ["World"]


def test_languages_of_translation_plugins_are_known(run: Run) -> None:
    run(export(item(7, term("language", "fr", "Français")), item(8, term("language", "x_", "?"))))
    assert {key: story.language for key, story in stories().items()} == {"7": "fr", "8": "en-GB"}


def test_items_with_the_same_number_are_kept_apart(run: Run) -> None:
    twin = item(7, guid=f"https://{HOST}/?p=7000", title="Twin", post_name="post-7")
    newer = item(8, title="Newer", post_modified_gmt="2024-06-01 00:00:00")
    older = item(8, title="Older", post_modified_gmt="2024-05-01 00:00:00")
    data = export(item(7), twin, newer), export(older)
    run(*data)
    assert sorted(story.headline for story in stories().values()) == ["Newer", "Post 7", "Twin"]
    assert len({story.slug for story in stories().values()}) == 3
    assert "3 unchanged" in run(*data).output


def test_other_items_are_counted_and_named(run: Run) -> None:
    result = run(export(item(7), item(8, post_type="nav_menu_item"), item(9, status="trash")))
    assert "nav_menu_item (1), post (trash) (1)" in result.output


def test_comments_are_saved_beside_without_addresses_of_readers(run: Run, app: Flask) -> None:
    remarks = (
        comment("Well said", comment_author_IP="203.0.113.9"),
        comment("For editors", comment_type="note"),
    )
    result = run(export(item(7, *remarks)))
    assert "comments: 2" in result.output
    path = app.config["DATA_DIR"] / "imports" / "old-example-comments.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["post_id"], line["comment_type"]) for line in lines] == [
        (7, "comment"),
        (7, "note"),
    ]
    assert "203.0.113.9" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


def test_damaged_files_stop_the_import_before_it_begins(run: Run) -> None:
    result = run(export(item(7)), export(item(8))[:-30])
    assert result.exit_code == 1
    assert "export-1.xml: it is damaged at byte" in result.output
    assert not stories()


def test_files_with_mended_markup_are_imported_once(run: Run, app: Flask) -> None:
    data = export(item(7, comment("One")), item(8, content="BODY"))
    result = run(data.replace(b"BODY", b"a <![CDATA[ b ]]> c"))
    assert result.exit_code == 0, result.output
    assert len(stories()) == 2
    assert "comments: 1" in result.output


def test_files_of_several_sites_are_refused(run: Run) -> None:
    other = export(item(8), head=HEAD.replace(HOST, "other.example"))
    result = run(export(item(7)), other)
    assert result.exit_code == 1
    assert "export-1.xml: it is an export of https://other.example" in result.output


def test_a_pipe_is_refused(run: Run, runner: FlaskCliRunner, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    result = runner.invoke(main, ["import", "wordpress", str(tmp_path / "pipe")])
    assert result.exit_code == 1
    assert "is not a file" in result.output
