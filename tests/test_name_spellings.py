"""The question about spellings that look alike, and the answers that a person may give."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator import outbox, publishing, queries
from spectator.db import db
from spectator.models import Article, Author, Revision, Topic, User
from spectator.publishing import Action, SpellingAnswer
from spectator.publishing import names as name_rules
from spectator.publishing.names import get_or_create_ids
from tests.conftest import add_user, make_draft
from tests.newsroom_client import get_article, logged_in_client, post, reload_article, story_form
from tests.test_names import author_id, authors_of, names, publish


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
    assert [(candidate.name, candidate.stories) for candidate in question.candidates] == [
        (old, 1)
    ]
    assert list(names(Author)) == [old]
    yes = SpellingAnswer("authors", new, "rename", question.candidates[0].id)
    other = publishing.create(make_draft(authors=(new,)), editor, spelling_answers=[yes])
    assert authors_of(article_id) == authors_of(other) == [new]
    assert list(names(Author)) == [new]


def test_choosing_the_old_spelling_changes_only_the_new_story(app: Flask, editor: User) -> None:
    publish(editor, authors=("Sekou Touré",))
    before = outbox.newest_number()
    use = SpellingAnswer("authors", "Sékou Touré", "use", author_id("Sekou Touré"))
    other = publishing.create(
        make_draft(authors=("Sékou Touré", "B")), editor, spelling_answers=[use]
    )
    assert authors_of(other) == ["Sekou Touré", "B"]
    assert outbox.newest_number() == before
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


def test_the_spelling_with_most_stories_is_offered_first(app: Flask, editor: User) -> None:
    no = SpellingAnswer("authors", "SEKOU", "both")
    publish(editor, authors=("Sekou",))
    publishing.create(make_draft(authors=("SEKOU",)), editor, spelling_answers=[no])
    with db.write() as session:
        get_or_create_ids(session, Author, ["sekou"])
    with pytest.raises(publishing.SimilarNamesError) as raised:
        publishing.create(make_draft(authors=("Sékou",)), editor)
    (question,) = raised.value.questions
    counts = [candidate.stories for candidate in question.candidates]
    assert counts == sorted(counts, reverse=True) and counts[-1] == 0


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
    again = post(
        client, "/newsroom/stories/new", form | {"then": "publish", "answer": "spellings"}
    )
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
    publishing.apply_action(
        max(db.session.scalars(select(Article.id))), editor, Action("publish")
    )
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


def test_authors_restore_no_spellings_of_stories_that_they_may_not_see(
    app: Flask, editor: User
) -> None:
    author = add_user("author")

    def topics_of(article_id: int) -> list[str]:
        return [topic.name for topic in get_article(article_id).topics]

    own = publishing.create(make_draft(topics=("Operation Zeta",)), author)
    publishing.save(own, make_draft(), author, reload_article(own).version)
    secret = publishing.create(make_draft(topics=("Operation Zeta",)), editor)
    topic_id = db.session.scalars(select(Topic.id)).one()
    rename = SpellingAnswer("topics", "Opération Zeta", "rename", topic_id)
    draft, version = make_draft(topics=("Opération Zeta",)), reload_article(secret).version
    publishing.save(secret, draft, editor, version, spelling_answers=[rename])
    publishing.restore(own, author, 1, reload_article(own).version)
    assert topics_of(own) == ["Operation Zeta"]
    assert topics_of(secret) == ["Opération Zeta"]


def test_counts_of_stories_are_integers_for_authors_too(app: Flask, editor: User) -> None:
    author = add_user("author")
    publish(editor, authors=("Sekou Touré",))
    publishing.create(make_draft(authors=("Sekou Touré",)), author)
    ((_, count),) = queries.authors_like("sekou", author.id)
    with pytest.raises(publishing.SimilarNamesError) as raised:
        publishing.create(make_draft(authors=("Sékou Touré",)), author)
    candidate = raised.value.questions[0].candidates[0]
    assert [(count, type(count)), (candidate.stories, type(candidate.stories))] == [(2, int)] * 2
