"""A story may be the translation of another: what may be linked, and what readers see of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from spectator import publishing
from spectator.db import db
from spectator.models import Article, Outbox, User
from spectator.publishing import Action, ValidationError, translations
from tests.conftest import add_user, make_draft
from tests.newsroom_client import get_article, reload_article
from tests.page_checks import Page

SITE = "https://spectator.example"
Story = Callable[..., int]


@pytest.fixture
def translated(story: Story) -> tuple[int, int, int]:
    """Ids of an English story and of its translations into French and Arabic."""
    original = story(headline="Mali votes", language="en")
    french = story(headline="Le Mali vote", language="fr", translation_of=str(original))
    arabic = story(headline="مالي تصوت", slug="mali", language="ar", translation_of=str(original))
    return original, french, arabic


def change(article_id: int, by: User, action: str = "save", **changes: Any) -> None:
    """Save a story with some fields changed."""
    article = reload_article(article_id)
    values = {name: getattr(publishing.draft_from_article(article), name) for name in changes}
    assert values != changes
    draft = publishing.draft_from_article(article)
    fields = {name: getattr(draft, name) for name in publishing.FIELDS} | changes
    publishing.save(
        article_id, publishing.Draft(**fields), by, article.version, Action(action, note="Fixed.")
    )


def error_of(
    by: User, article_id: int | None = None, action: str = "update", /, **changes: Any
) -> dict[str, str]:
    """Return the errors of a draft that cannot be stored."""
    with pytest.raises(ValidationError) as invalid:
        if article_id is None:
            publishing.create(make_draft(**changes), by)
        else:
            change(article_id, by, action, **changes)
    return invalid.value.errors


def links(client: FlaskClient, path: str) -> dict[str, str]:
    """Return the alternate pages of a page by their hreflang."""
    page = Page(client.get(path).text)
    return {
        link["hreflang"] or "": link["href"] or ""
        for link in page.find_all("link")
        if link.get("hreflang")
    }


def test_all_versions_of_a_story_link_to_each_other(
    client: FlaskClient, translated: tuple[int, int, int]
) -> None:
    expected = {
        "en": f"{SITE}/politics/mali-votes",
        "fr": f"{SITE}/politics/le-mali-vote",
        "ar": f"{SITE}/politics/mali",
        "x-default": f"{SITE}/politics/mali-votes",
    }
    for language, name in (("en", "English"), ("fr", "Français"), ("ar", "العربية")):
        path = expected[language].removeprefix(SITE)
        assert links(client, path) == expected
        html = client.get(path).text
        line = re.search(r'<p class="versions">(.*?)</p>', html, re.DOTALL)
        assert line
        assert name not in line[1]
        for other in {"en", "fr", "ar"} - {language}:
            assert re.search(rf'hreflang="{other}"\s+lang="{other}"', line[1])
    assert "Autres langues\u00a0: <a" in client.get("/politics/le-mali-vote").text


def test_machines_learn_which_story_is_the_original(
    client: FlaskClient, translated: tuple[int, int, int]
) -> None:
    def work(path: str) -> dict[str, Any]:
        scripts = re.findall(r'ld\+json">(.*?)</script>', client.get(path).text, re.DOTALL)
        data: dict[str, Any] = json.loads(scripts[0])
        return data

    original = work("/politics/mali-votes")
    assert [entry["inLanguage"] for entry in original["workTranslation"]] == ["ar", "fr"]
    assert "translationOfWork" not in original
    translation = work("/politics/le-mali-vote")
    assert translation["translationOfWork"] == {
        "@type": "NewsArticle",
        "url": f"{SITE}/politics/mali-votes",
        "inLanguage": "en",
    }
    assert "workTranslation" not in translation


def test_a_story_alone_has_no_links(client: FlaskClient, story: Story, editor: User) -> None:
    original = story(headline="Alone", language="en")
    publishing.create(make_draft(language="fr", translation_of=str(original)), editor)
    html = client.get("/politics/alone").text
    assert "hreflang" not in html and 'class="versions"' not in html
    assert "workTranslation" not in html


def test_a_cached_page_follows_the_other_versions(
    client: FlaskClient, translated: tuple[int, int, int], editor: User
) -> None:
    original, french, _ = translated
    path = "/politics/mali"
    assert set(links(client, path)) == {"en", "fr", "ar", "x-default"}
    publishing.apply_action(french, editor, Action("withdraw", note="Wrong."))
    assert set(links(client, path)) == {"en", "ar", "x-default"}
    publishing.apply_action(french, editor, Action("reinstate"))
    change(french, editor, "update", slug="le-vote")
    assert links(client, path)["fr"] == f"{SITE}/politics/le-vote"
    change(french, editor, "update", translation_of="")
    assert set(links(client, path)) == {"en", "ar", "x-default"}
    assert links(client, "/politics/le-vote") == {}
    publishing.apply_action(original, editor, Action("withdraw", note="Wrong."))
    assert links(client, path) == {}


def test_without_the_original_a_translation_is_the_default(
    client: FlaskClient, translated: tuple[int, int, int], editor: User
) -> None:
    publishing.apply_action(translated[0], editor, Action("withdraw", note="Wrong."))
    expected = f"{SITE}/politics/mali"
    assert links(client, "/politics/le-mali-vote")["x-default"] == expected
    assert "translationOfWork" not in client.get("/politics/mali").text


def test_of_two_translations_into_a_language_readers_get_the_newest(
    client: FlaskClient, translated: tuple[int, int, int], story: Story
) -> None:
    story(hours=-1, headline="Deux", language="fr", translation_of=str(translated[0]))
    assert links(client, "/politics/mali")["fr"] == f"{SITE}/politics/deux"
    assert links(client, "/politics/deux")["fr"] == f"{SITE}/politics/deux"
    older = client.get("/politics/le-mali-vote").text
    assert not re.search(r'rel="alternate"\s+hreflang="fr"', older)
    assert re.search(r'hreflang="ar"\s+lang="ar"', older)


def test_a_change_of_the_text_alone_changes_no_other_page(
    translated: tuple[int, int, int], editor: User
) -> None:
    last = db.session.scalar(select(Outbox.seq).order_by(Outbox.seq.desc()).limit(1)) or 0
    change(translated[0], editor, "correct", headline="Mali has voted", slug="mali-votes")
    rows = db.session.scalars(select(Outbox.article_id).where(Outbox.seq > last)).all()
    assert rows == [translated[0]]


def test_a_translation_of_a_translation_belongs_to_the_original(
    translated: tuple[int, int, int], editor: User
) -> None:
    hausa = publishing.create(
        make_draft(language="ha", translation_of=str(translated[1])), editor
    )
    assert get_article(hausa).translation_of_id == translated[0]


def test_what_cannot_be_linked_is_refused(
    translated: tuple[int, int, int], story: Story, editor: User
) -> None:
    original, french, _ = translated
    other = story(headline="Other", language="sw")
    own = error_of(editor, other, translation_of=str(other))
    assert own == {
        "translation_of": "A story cannot be its own translation. Choose another original."
    }
    cycle = error_of(editor, original, translation_of=str(french))
    assert "A story cannot be its own translation" in cycle["translation_of"]
    parent = error_of(editor, original, translation_of=str(other))
    assert "This story has translations, so it cannot be one." in parent["translation_of"]
    same = error_of(editor, language="en", translation_of=str(original))
    assert "The original is in English too." in same["translation_of"]
    back = error_of(editor, french, language="en")
    assert "The original is in English too." in back["translation_of"]
    changed = error_of(editor, original, language="ar")
    assert changed == {
        "language": "This story has a translation in Arabic. Choose another language."
    }
    for reference in ("999", "x", "/politics/nowhere", "999999999999"):
        unknown = error_of(editor, language="fr", translation_of=reference)
        assert "This story does not exist." in unknown["translation_of"]


def test_authors_link_only_stories_that_they_may_see(
    app: Flask, story: Story, editor: User
) -> None:
    author = add_user("author")
    hidden = publishing.create(make_draft(language="en"), editor)
    refusal = error_of(author, language="fr", translation_of=str(hidden))
    assert refusal == error_of(author, language="fr", translation_of="999")
    public = story(headline="Public", language="en")
    own = publishing.create(make_draft(language="fr", translation_of=str(public)), author)
    assert get_article(own).translation_of_id == public
    # Once an editor has linked it, its author can go on saving it, but cannot find the original.
    draft = publishing.create(make_draft(language="fr"), author)
    change(draft, editor, translation_of=str(hidden))
    assert publishing.known_reference(str(hidden), author) == str(draft)
    change(draft, author, dek="A standfirst", translation_of=str(draft))
    assert reload_article(draft).translation_of_id == hidden
    refusal = error_of(author, draft, "save", dek="Another", translation_of=str(hidden))
    assert refusal == error_of(author, draft, "save", dek="Another", translation_of="999")


def test_authors_do_not_learn_the_language_of_a_secret_original(
    story: Story, editor: User
) -> None:
    author = add_user("author")
    hidden = publishing.create(make_draft(headline="Hidden", language="ha"), editor)
    public = story(headline="Public", language="en", translation_of=str(hidden))
    drafts = [
        publishing.create(make_draft(language=tag, translation_of=str(public)), author)
        for tag in ("ha", "fr")
    ]
    assert [get_article(number).translation_of_id for number in drafts] == [hidden, hidden]
    # Nor by which of their own translations follow a story to it, or by a change of its language.
    own = publishing.create(make_draft(language="sw"), author)
    followers = [
        publishing.create(make_draft(language=tag, translation_of=str(own)), author)
        for tag in ("ha", "pt")
    ]
    change(own, author, translation_of=str(public))
    assert [reload_article(number).translation_of_id for number in followers] == [hidden, hidden]
    change(hidden, editor, language="fr")
    assert reload_article(drafts[1]).translation_of_id == hidden
    # Editors cannot publish what is in the original's language.
    message = {
        "translation_of": "The original is in French too. Choose the language of this story."
    }
    for name in ("publish", "update"):
        with pytest.raises(ValidationError) as invalid:
            if name == "publish":
                publishing.apply_action(drafts[1], editor, Action("publish"))
            else:
                change(drafts[1], editor, dek="A standfirst")
        assert invalid.value.errors == message
    change(drafts[1], editor, language="pt")
    publishing.apply_action(drafts[1], editor, Action("publish"))


def test_authors_restore_the_link_to_an_original_that_they_may_not_know(
    story: Story, editor: User
) -> None:
    author = add_user("author")
    hidden = publishing.create(make_draft(headline="Hidden", language="ha"), editor)
    public = story(headline="Public", language="en", translation_of=str(hidden))
    draft = publishing.create(make_draft(language="fr"), author)
    change(draft, editor, translation_of=str(hidden))
    change(draft, author, dek="A standfirst", translation_of=str(draft))
    change(draft, author, translation_of="")
    for by, number in ((author, 2), (author, 3), (editor, 3)):
        publishing.restore(draft, by, number, reload_article(draft).version)
        assert reload_article(draft).translation_of_id == hidden
        change(draft, editor, translation_of="")
    change(public, editor, "update", translation_of="")
    publishing.restore(draft, author, 2, reload_article(draft).version)
    assert reload_article(draft).translation_of_id is None


def test_drafts_neither_show_themselves_nor_stand_in_the_way(
    story: Story, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = add_user("author")
    own = publishing.create(make_draft(language="en"), author)
    secret = [
        publishing.create(make_draft(language=tag, translation_of=str(own)), editor)
        for tag in ("fr", "sw")
    ]
    public = story(headline="Public", language="sw")
    # The author gets no error that tells of the editor's drafts.
    change(own, author, language="fr")
    assert [reload_article(number).translation_of_id for number in secret] == [None, own]
    change(own, author, language="pt", translation_of=str(public))
    assert [reload_article(number).translation_of_id for number in secret] == [None, None]
    change(secret[0], editor, translation_of=str(public))
    # Nor do an author's drafts use up the number of others.
    monkeypatch.setattr(translations, "MAX_TRANSLATIONS", 1)
    refusal = error_of(author, language="ha", translation_of=str(public))
    assert refusal == {"translation_of": "This story already has 1 translation."}
    admin = add_user("admin")
    assert publishing.create(make_draft(language="yo", translation_of=str(public)), admin)


def test_translations_follow_a_story_that_becomes_one(
    client: FlaskClient, story: Story, editor: User
) -> None:
    story_id = story(headline="Le vote", language="fr")
    draft = publishing.create(make_draft(language="ar", translation_of=str(story_id)), editor)
    before = reload_article(draft).version
    original = story(headline="The vote", language="en")
    change(story_id, editor, "update", translation_of=str(original))
    followed = reload_article(draft)
    assert (followed.translation_of_id, followed.version) == (original, before)
    assert followed.original_version == reload_article(original).version
    publishing.apply_action(draft, editor, Action("publish"))
    assert set(links(client, "/politics/the-vote")) == {"en", "fr", "ar", "x-default"}


def test_an_older_version_brings_its_original_back(
    translated: tuple[int, int, int], editor: User
) -> None:
    original, french, _ = translated
    change(french, editor, "update", translation_of="")
    publishing.restore(french, editor, 2, reload_article(french).version)
    assert reload_article(french).translation_of_id == original


def test_a_scheduled_translation_shows_up_when_it_is_published(
    client: FlaskClient, story: Story, editor: User
) -> None:
    original = story(headline="Original", language="en")
    draft = make_draft(headline="Traduction", language="fr", translation_of=str(original))
    article_id = publishing.create(draft, editor)
    at = db.session.get_one(Article, original).published_at
    assert at is not None
    assert links(client, "/politics/original") == {}
    scheduled = at.replace(year=2099)
    publishing.apply_action(article_id, editor, Action("schedule", scheduled))
    assert links(client, "/politics/original") == {}
    assert publishing.publish_due(scheduled) == 1
    assert set(links(client, "/politics/original")) == {"en", "fr", "x-default"}


def test_a_story_has_a_limited_number_of_translations(
    translated: tuple[int, int, int], editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(translations, "MAX_TRANSLATIONS", 2)
    refusal = error_of(editor, language="sw", translation_of=str(translated[0]))
    assert refusal == {"translation_of": "This story already has 2 translations."}
    change(translated[1], editor, "update", dek="A standfirst")


def test_translations_that_move_along_count(
    story: Story, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = story(headline="Public", language="en")
    own = publishing.create(make_draft(language="fr"), editor)
    for tag in ("sw", "ar"):
        publishing.create(make_draft(language=tag, translation_of=str(own)), editor)
    monkeypatch.setattr(translations, "MAX_TRANSLATIONS", 2)
    with pytest.raises(ValidationError):
        change(own, editor, translation_of=str(public))
    monkeypatch.setattr(translations, "MAX_TRANSLATIONS", 3)
    change(own, editor, translation_of=str(public))


def test_an_action_on_a_version_makes_one_new_version(
    editor: User, translated: tuple[int, int, int]
) -> None:
    original, french, _ = translated
    for article_id, action in (
        (french, "withdraw"),
        (french, "reinstate"),
        (original, "withdraw"),
    ):
        before = reload_article(article_id).version
        publishing.apply_action(article_id, editor, Action(action, note="Wrong."))
        assert reload_article(article_id).version == before + 1
    scheduled = publishing.create(
        make_draft(headline="Due", language="pt", translation_of=str(original)),
        editor,
        Action("schedule", datetime.now(UTC) + timedelta(milliseconds=1)),
    )
    before = reload_article(scheduled).version
    time.sleep(0.01)
    assert publishing.publish_due(datetime.now(UTC)) == 1
    assert reload_article(scheduled).version == before + 1
