"""Names of authors and topics: stored as written, merged only by a person."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from spectator import outbox, publishing, queries
from spectator.db import db
from spectator.importers import jsonl, runner
from spectator.models import Article, Author, Outbox, PublicListing, Revision, Topic, User
from spectator.operations import hints
from spectator.publishing import Action, SpellingAnswer
from spectator.publishing import names as name_rules
from spectator.publishing.names import get_or_create_ids, settle_slugs, unique_slugs
from spectator.text.words.slugs import is_slug
from tests.cases import case_file
from tests.conftest import NEWEST, add_user, make_draft
from tests.newsroom_client import logged_in_client, post, story_form

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def authors_of(article_id: int) -> list[str]:
    db.session.rollback()
    db.session.expunge_all()
    article = queries.article_to_edit(article_id)
    assert article is not None
    return [author.name for author in article.authors]


def names(model: type[Author] | type[Topic]) -> dict[str, str]:
    db.session.rollback()
    return dict(db.session.execute(select(model.name, model.slug)).all())


def author_id(name: str) -> int:
    db.session.rollback()
    return db.session.scalars(select(Author.id).where(Author.name == name)).one()


def publish(editor: User, **fields: object) -> int:
    return publishing.create(make_draft(**fields), editor, publishing.Action("publish", NEWEST))


def test_two_people_with_equal_slugs_stay_separate(app: Flask) -> None:
    with case_file("2026-11/02-authors-one-slug.jsonl").open("rb") as file:
        report = runner.import_records(jsonl.read(file, "ar"), app.config["MEDIA"])
    assert (report.added, report.refused) == (3, [])
    author_names = names(Author)
    assert sorted(author_names) == sorted(["أحمد سعيد", "أحمد سيد"])
    assert len(set(author_names.values())) == 2
    ids = dict(db.session.execute(select(Article.external_id, Article.id)).all())
    assert authors_of(ids["bh-ar-3"]) == ["أحمد سعيد", "أحمد سيد"]
    reader = app.test_client()
    for name, slug in author_names.items():
        page = reader.get(f"/author/{slug}/").get_data(as_text=True)
        assert name in page
        assert page.count("<article") == 2 or page.count("card") >= 2


def test_topics_with_equal_slugs_stay_separate(app: Flask, editor: User) -> None:
    both = (SpellingAnswer("topics", "C#", "both"),)
    publish(editor, topics=("C++",))
    other = publishing.create(make_draft(topics=("C#", "C++")), editor, spelling_answers=both)
    publishing.apply_action(other, editor, Action("publish"))
    assert names(Topic) == {"C++": "c", "C#": "c-2"}


def test_numbered_slugs_skip_the_slugs_of_public_names(app: Flask, editor: User) -> None:
    publish(editor, topics=("C 2",))
    both = [SpellingAnswer("topics", name, "both") for name in ("C#", "C++")]
    other = publishing.create(make_draft(topics=("C#", "C++")), editor, spelling_answers=both)
    publishing.apply_action(other, editor, Action("publish"))
    assert names(Topic) == {"C 2": "c-2", "C#": "c", "C++": "c-3"}


@pytest.mark.parametrize("pattern", ["ab ", "a"])
@pytest.mark.parametrize("length", [2, 40, *range(70, 82)])
def test_public_names_with_equal_slugs_of_any_length_are_numbered(
    app: Flask, length: int, pattern: str
) -> None:
    """Publish one after the other, as stories are; numbers have one and two digits."""
    base = (pattern * 120)[:length].strip()
    with db.write() as session:
        for letter in "!#$%&()*+,:;":  # in no slug
            ids = get_or_create_ids(session, Topic, [base + letter]).values()
            settle_slugs(session, Topic, ids)
            session.add_all(PublicListing(kind="topic", key=row_id) for row_id in ids)
            session.flush()
        slugs = session.scalars(select(Topic.slug).order_by(Topic.id)).all()
    assert len(set(slugs)) == 12
    assert [slug.rpartition("-")[2] for slug in slugs[1:]] == [str(n) for n in range(2, 13)]
    assert all(is_slug(slug) and len(slug) <= 80 for slug in slugs)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("amina diallo", "Amina Diallo"),
        ("Sekou Touré", "Sékou Touré"),
        ("Jean Pierre", "Jean-Pierre"),
        ("Ngoni", "Ŋoni"),
        ("أحمد", "احمد"),
        ("N'Golo", "NGolo"),
    ],
)
def test_a_new_spelling_is_asked_about(app: Flask, editor: User, old: str, new: str) -> None:
    article_id = publish(editor, authors=(old,))
    with pytest.raises(publishing.SimilarNamesError) as raised:
        publishing.create(make_draft(authors=(new,)), editor)
    (question,) = raised.value.questions
    assert (question.field, question.name, question.may_rename) == ("authors", new, True)
    assert [(candidate.name, candidate.stories) for candidate in question.candidates] == [(old, 1)]
    assert list(names(Author)) == [old]
    yes = SpellingAnswer("authors", new, "rename", question.candidates[0].id)
    other = publishing.create(make_draft(authors=(new,)), editor, spelling_answers=[yes])
    assert authors_of(article_id) == authors_of(other) == [new]
    assert list(names(Author)) == [new]


def test_choosing_the_old_spelling_changes_only_the_new_story(app: Flask, editor: User) -> None:
    publish(editor, authors=("Sekou Touré",))
    edition = outbox.edition()
    use = SpellingAnswer("authors", "Sékou Touré", "use", author_id("Sekou Touré"))
    other = publishing.create(
        make_draft(authors=("Sékou Touré", "B")), editor, spelling_answers=[use]
    )
    assert authors_of(other) == ["Sekou Touré", "B"]
    assert outbox.edition() == edition
    revision = db.session.scalars(select(Revision).where(Revision.article_id == other)).one()
    assert revision.content["authors"] == ["Sekou Touré", "B"]


def test_a_rename_merges_both_spellings_in_one_form(app: Flask, editor: User) -> None:
    first = publish(editor, authors=("amina diallo",))
    yes = SpellingAnswer("authors", "Amina Diallo", "rename", author_id("amina diallo"))
    version = db.session.scalars(select(Article.version)).one()
    both = make_draft(authors=("amina diallo", "Amina Diallo"))
    publishing.save(first, both, editor, version, publishing.Action("update"), [yes])
    assert authors_of(first) == ["Amina Diallo"]


def test_answers_that_do_not_match_the_question_are_ignored(app: Flask, editor: User) -> None:
    publish(editor, authors=("Sekou", "Zed"))
    for wrong in (
        SpellingAnswer("authors", "Sékou", "rename", author_id("Zed")),
        SpellingAnswer("authors", "Sékou", "use", 999),
        SpellingAnswer("topics", "Sékou", "both"),
        SpellingAnswer("authors", "SEKOU", "both"),
    ):
        with pytest.raises(publishing.SimilarNamesError):
            publishing.create(make_draft(authors=("Sékou",)), editor, spelling_answers=[wrong])


def test_a_rename_reaches_pages_feeds_index_and_drafts(app: Flask, editor: User, catch_up) -> None:  # type: ignore[no-untyped-def]
    public = publish(editor, authors=("amina diallo",), headline="Public")
    waiting = publishing.create(make_draft(authors=("amina diallo",), headline="Waiting"), editor)
    reader = app.test_client()
    assert "amina diallo" in reader.get("/author/amina-diallo/").get_data(as_text=True)
    assert "amina diallo" in reader.get("/politics/public").get_data(as_text=True)
    before = outbox.edition()
    yes = SpellingAnswer("authors", "Amina Diallo", "rename", author_id("amina diallo"))
    publishing.create(make_draft(authors=("Amina Diallo",)), editor, spelling_answers=[yes])
    acts = db.session.execute(
        select(Outbox.article_id, Outbox.action).where(Outbox.seq > before)
    ).all()
    assert sorted(acts, key=str) == [(public, "rename"), (None, "rename")]
    for path in ("/author/amina-diallo/", "/politics/public"):
        page = reader.get(path).get_data(as_text=True)
        assert "Amina Diallo" in page
        assert "amina diallo" not in page
    newest = db.session.scalars(
        select(Revision).where(Revision.article_id == waiting).order_by(Revision.number.desc())
    ).first()
    assert newest is not None
    assert (newest.action, newest.content["authors"]) == ("rename", ["Amina Diallo"])
    assert newest.content["headline"] == "Waiting"
    assert authors_of(waiting) == ["Amina Diallo"]


def test_a_rename_redirects_the_old_url_and_reserves_its_slug(app: Flask, editor: User) -> None:
    publish(editor, authors=("Ŋoni",))
    old = names(Author)["Ŋoni"]
    yes = SpellingAnswer("authors", "Noni", "rename", author_id("Ŋoni"))
    publishing.create(make_draft(authors=("Noni",)), editor, spelling_answers=[yes])
    new = names(Author)["Noni"]
    assert old != new
    reader = app.test_client()
    for tail in ("", "feed.xml"):
        answer = reader.get(f"/author/{old}/{tail}")
        assert (answer.status_code, answer.headers["Location"]) == (301, f"/author/{new}/{tail}")
    assert reader.get(f"/fragments/stream/author/{old}/").status_code == 200
    with db.write() as session:  # the slug of a public author is never reused
        assert unique_slugs(session, Author, ["Ŋoni"])["Ŋoni"] == f"{old}-2"


def test_an_older_version_is_restored_with_the_present_name(app: Flask, editor: User) -> None:
    article_id = publishing.create(make_draft(authors=("amina diallo",)), editor)
    yes = SpellingAnswer("authors", "Amina Diallo", "rename", author_id("amina diallo"))
    publishing.save(
        article_id, make_draft(authors=("Amina Diallo",)), editor, 1, spelling_answers=[yes]
    )
    publishing.restore(article_id, editor, 1, 2)
    assert authors_of(article_id) == ["Amina Diallo"]
    assert list(names(Author)) == ["Amina Diallo"]


def test_a_name_changed_back_is_asked_about_again(app: Flask, editor: User) -> None:
    article_id = publish(editor, authors=("Sekou",))
    for name in ("Sékou", "Sekou", "Sékou"):
        answer = SpellingAnswer(
            "authors", name, "rename", next(iter(db.session.scalars(select(Author.id))))
        )
        publishing.create(make_draft(authors=(name,)), editor, spelling_answers=[answer])
        assert authors_of(article_id) == [name]
    no = SpellingAnswer("authors", "Sekou", "both")
    other = publishing.create(make_draft(authors=("Sekou",)), editor, spelling_answers=[no])
    assert authors_of(other) == ["Sekou"]
    assert sorted(names(Author)) == ["Sekou", "Sékou"]


def test_imports_never_merge_names_but_follow_renames(app: Flask, editor: User, tmp_path) -> None:  # type: ignore[no-untyped-def]
    article_id = publish(editor, authors=("amina diallo", "Sekou"))
    yes = SpellingAnswer("authors", "Amina Diallo", "rename", author_id("amina diallo"))
    publishing.create(make_draft(authors=("Amina Diallo",)), editor, spelling_answers=[yes])
    file = tmp_path / "a.jsonl"
    file.write_text(
        '{"id": "x", "headline": "H", "body": "b", "authors": ["amina diallo", "SEKOU", "Sekou"]}'
    )
    with file.open("rb") as lines:
        runner.import_records(jsonl.read(lines, "en"), app.config["MEDIA"])
    imported = db.session.scalars(select(Article.id).where(Article.external_id == "x")).one()
    assert authors_of(imported) == ["Amina Diallo", "SEKOU", "Sekou"]
    assert authors_of(article_id) == ["Amina Diallo", "Sekou"]


def test_authors_cannot_rename_and_do_not_see_names_in_colleagues_drafts(
    app: Flask, editor: User
) -> None:
    publishing.create(make_draft(authors=("Secret Source",)), editor)
    publish(editor, authors=("Sekou",))
    author = add_user("author")
    own = publishing.create(make_draft(authors=("secret source",)), author)
    assert authors_of(own) == ["secret source"]
    with pytest.raises(publishing.SimilarNamesError) as raised:
        publishing.create(make_draft(authors=("Sékou",)), author)
    (question,) = raised.value.questions
    assert question.may_rename is False
    with pytest.raises(publishing.SimilarNamesError):
        answer = SpellingAnswer("authors", "Sékou", "rename", question.candidates[0].id)
        publishing.create(make_draft(authors=("Sékou",)), author, spelling_answers=[answer])
    publishing.create(
        make_draft(authors=("Sékou",)),
        author,
        spelling_answers=[SpellingAnswer("authors", "Sékou", "both")],
    )
    assert set(names(Author)) == {"Secret Source", "secret source", "Sekou", "Sékou"}


def test_the_doctor_lists_a_limited_number_of_similar_names(app: Flask, editor: User) -> None:
    assert list(hints.find_hints()) == []
    with db.write() as session:
        get_or_create_ids(session, Author, ["Sekou", "Sékou", "Zed"])
        get_or_create_ids(session, Topic, ["أحمد", "احمد"])
    hint_text = " ".join(hints.find_hints())
    assert "These authors look alike: “Sekou”, “Sékou”." in hint_text
    assert "These topics look alike: “أحمد”, “احمد”." in hint_text
    assert "Zed" not in hint_text
    with db.write() as session:
        get_or_create_ids(
            session,
            Author,
            [f"{name} {number}" for number in range(99) for name in ("Ali", "ali", "ALI")],
        )
    hint_text = " ".join(hints.find_hints())
    assert hint_text.count("look alike") == hints.MAX_HINTS
    assert "There are more such names" in hint_text


def test_a_renamed_name_is_not_listed_by_the_doctor(app: Flask, editor: User) -> None:
    publish(editor, authors=("amina diallo",))
    yes = SpellingAnswer("authors", "Amina Diallo", "rename", author_id("amina diallo"))
    publishing.create(make_draft(authors=("Amina Diallo",)), editor, spelling_answers=[yes])
    assert list(hints.find_hints()) == []


SPELLINGS = (
    st.text("aáAäbBcC+#-' اأسيعየሀሐ1", min_size=1, max_size=6)
    .map(publishing.validation.clean_line)
    .filter(bool)
)


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(SPELLINGS, unique=True, min_size=1, max_size=12))
def test_every_name_has_its_own_row_and_slug(app: Flask, topic_names: list[str]) -> None:
    with db.write() as session:
        ids = get_or_create_ids(session, Topic, topic_names)
        assert get_or_create_ids(session, Topic, topic_names) == ids
        settle_slugs(session, Topic, ids.values())
        rows = session.execute(select(Topic.name, Topic.slug)).all()
    assert len(set(ids.values())) == len(topic_names)
    assert len({row.slug for row in rows}) == len(rows)
    assert all(is_slug(row.slug) and len(row.slug) <= 80 for row in rows)


def test_a_thousand_names_without_letters_get_slugs_in_few_selects(
    app: Flask, take_selects
) -> None:  # type: ignore[no-untyped-def]
    with db.write() as session:
        for repeat in (1, 2):
            take_selects()
            ids = get_or_create_ids(
                session, Author, [chr(0x1F300 + number) * repeat for number in range(500)]
            )
            settle_slugs(session, Author, ids.values())
            session.add_all(PublicListing(kind="author", key=row_id) for row_id in ids.values())
            session.flush()
            assert len(take_selects()) < 12
        assert not session.scalars(
            select(Author.slug).where(Author.slug.startswith("unpublished"))
        ).all()
        assert session.scalar(select(func.count(func.distinct(Author.slug)))) == 1000


def question_page(
    client: FlaskClient, path: str, data: dict[str, str]
) -> tuple[str, dict[str, str]]:
    """Send a form with an unclear spelling; return the page and the answers' values by label."""
    answer = post(client, path, data)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    choices = re.findall(
        r'name="(spelling-1)"\s+value="([^"]*)"[^>]*>\s*<span>(.*?)</span>', page, re.DOTALL
    )
    words = {
        " ".join(re.sub(r"<[^>]*>", "", text).split()): unescape(value)
        for _, value, text in choices
    }
    return page, words


def test_the_form_asks_about_a_spelling_and_keeps_all_entries(app: Flask, editor: User) -> None:
    publish(editor, authors=("Sekou Touré",))
    client = logged_in_client(app)
    form = story_form(authors="Sékou Touré, Other", dek="Kept dek", do="publish")
    page, answers = question_page(client, "/newsroom/stories/new", form)
    text = " ".join(re.sub(r"<[^>]*>", "", page).split())
    assert "Same person as Sekou Touré?" in unescape(text)
    for field_html in (
        "Ports of the Gulf of Guinea",
        "Kept dek",
        "Sékou Touré, Other",
        'name="then" value="publish"',
    ):
        assert field_html in page
    assert list(answers) == [
        "Yes. Keep the spelling Sekou Touré.",
        "Yes. Change Sekou Touré to Sékou Touré everywhere (1 story).",
        "No. Keep both names.",
    ]
    del form["do"]
    again = post(client, "/newsroom/stories/new", form | {"then": "publish", "answer": "spellings"})
    assert again.status_code == 422, "no answer was chosen"
    yes = answers["Yes. Change Sekou Touré to Sékou Touré everywhere (1 story)."]
    done = post(client, "/newsroom/stories/new", form | {"then": "publish", "spelling-1": yes})
    assert done.status_code == 303
    assert set(names(Author)) == {"Sékou Touré", "Other"}
    assert (
        db.session.scalar(
            select(Article.status).where(Article.slug == "ports-of-the-gulf-of-guinea")
        )
        == "published"
    )


def test_the_form_asks_about_topics_too(app: Flask, editor: User) -> None:
    publish(editor, topics=("Elections",))
    client = logged_in_client(app)
    page, answers = question_page(client, "/newsroom/stories/new", story_form(topics="elections"))
    assert "Same topic as" in " ".join(page.split())
    done = post(
        client,
        "/newsroom/stories/new",
        story_form(topics="elections") | {"spelling-1": answers["No. Keep both names."]},
    )
    assert done.status_code == 303
    publishing.apply_action(max(db.session.scalars(select(Article.id))), editor, Action("publish"))
    assert names(Topic) == {"Elections": "elections", "elections": "elections-2"}


def test_a_spelling_question_keeps_the_confirmed_removal_of_a_table(
    app: Flask, editor: User
) -> None:
    table = "<p>Text.</p><table><tbody><tr><td>1</td></tr></tbody></table>"
    article_id = publishing.create(make_draft(authors=("Sekou",), body=table), editor)
    client, path = logged_in_client(app), f"/newsroom/stories/{article_id}"
    form = story_form(authors="Sékou", body="Text.", version="1")
    page = post(client, path, form).get_data(as_text=True)
    token = re.search(r'name="loss_asked" value="([^"]*)"', page)
    assert token
    form |= {"loss": "remove", "loss_asked": unescape(token[1])}
    page, answers = question_page(client, path, form)
    assert 'name="loss" value="remove"' in page
    assert re.search(rf'name="loss_asked"\s+value="{token[1]}"', page)
    assert (
        post(client, path, form | {"spelling-1": answers["No. Keep both names."]}).status_code
        == 303
    )


@pytest.mark.parametrize(
    "value",
    ["", "x", "authors|rename|0|", "authors|rename|" + "9" * 30 + "|S", "a" * 9000, "\x00|"],
)
def test_invalid_answers_are_ignored(app: Flask, editor: User, value: str) -> None:
    publish(editor, authors=("Sekou",))
    client = logged_in_client(app)
    answer = post(
        client, "/newsroom/stories/new", story_form(authors="Sékou") | {"spelling-1": value}
    )
    assert answer.status_code == 422


def test_a_save_compares_a_limited_number_of_similar_names(app: Flask, editor: User) -> None:
    names_alike = [f"Zed{'!' * number}" for number in range(1, 20)]
    both = [SpellingAnswer("topics", name, "both") for name in names_alike]
    publishing.create(make_draft(topics=tuple(names_alike)), editor, spelling_answers=both)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(name_rules, "MAX_SIMILAR_NAMES", 7)
        with db.write() as session:
            similar = name_rules.similar_names(session, Topic, ["Zed", "Zed?"])
    assert [len(rows) for rows in similar.values()] == [7, 7]


def test_a_rename_copies_revisions_without_loading_their_texts(
    app: Flask, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [f"<p>{'word ' * 200}{number}</p>" for number in range(5)]
    ids = [
        publishing.create(make_draft(authors=("amina diallo",), body=body, dek="É"), editor)
        for body in bodies
    ]
    loaded: list[str] = []
    load = json.loads
    monkeypatch.setattr(json, "loads", lambda text: loaded.append(text) or load(text))
    yes = SpellingAnswer("authors", "Amina Diallo", "rename", author_id("amina diallo"))
    publishing.create(make_draft(authors=("Amina Diallo",)), editor, spelling_answers=[yes])
    monkeypatch.undo()
    assert max(map(len, loaded), default=0) < 200, "more than the names"
    assert {tuple(authors_of(article_id)) for article_id in ids} == {("Amina Diallo",)}
    for article_id, body in zip(ids, bodies, strict=True):
        second, first = queries.revisions(article_id, limit=5)
        assert second.content == first.content | {"authors": ["Amina Diallo"]}
        assert second.content["body"] == body and second.content["dek"] == "É"
        assert (second.number, second.version) == (2, 1)
        assert (second.action, second.note) == ("rename", "amina diallo → Amina Diallo")
        assert second.made_by_id == editor.id and second.made_at > first.made_at
