"""Names of authors and topics: stored as written, renamed, with slugs of their own."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from spectator import outbox, publishing, queries
from spectator.db import db
from spectator.importers import jsonl, runner
from spectator.models import Article, Author, Outbox, PublicListing, Revision, Topic, User
from spectator.operations import hints
from spectator.publishing import Action, SpellingAnswer
from spectator.publishing.names import get_or_create_ids, settle_slugs, unique_slugs
from spectator.text.words.slugs import is_slug
from tests.cases import case_file
from tests.conftest import NEWEST, add_user, make_draft

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


def test_a_rename_reaches_pages_feeds_index_and_drafts(
    app: Flask, editor: User, catch_up
) -> None:  # type: ignore[no-untyped-def]
    public = publish(editor, authors=("amina diallo",), headline="Public")
    waiting = publishing.create(make_draft(authors=("amina diallo",), headline="Waiting"), editor)
    reader = app.test_client()
    assert "amina diallo" in reader.get("/author/amina-diallo/").get_data(as_text=True)
    assert "amina diallo" in reader.get("/politics/public").get_data(as_text=True)
    before = outbox.newest_number()
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


@pytest.mark.parametrize(("count", "suffix"), [(20, ""), (21, " and more")])
def test_the_doctor_names_twenty_stories_of_a_replaced_name(
    app: Flask, monkeypatch: pytest.MonkeyPatch, count: int, suffix: str
) -> None:
    rows = [queries.MergedName("author", "Ali", number, "[]") for number in range(1, count + 1)]
    monkeypatch.setattr(queries, "merged_names", lambda _limit: rows)
    (sentence,) = hints.find_hints()
    numbers = ", ".join(map(str, range(1, 21)))
    assert f"save the stories {numbers}{suffix} (the first shows none)." in sentence


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
