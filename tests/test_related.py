"""“You may also like”: what stories share decides, then the section, and nothing that is not public."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from spectator import publishing, queries
from spectator.models import User
from spectator.related import related_articles
from tests.conftest import draft


def headlines(article_id: int) -> list[str]:
    article = queries.published_article(article_id)
    assert article is not None
    return [each.headline for each in related_articles(article)]


def test_shared_topics_count_more_than_countries_and_both_more_than_the_section(
    app: Flask, editor: User, story: Callable[..., int]
) -> None:
    this = story(headline="This", topics=("Gold",), countries=("Mali",))
    story(headline="Section", hours=1)
    story(headline="Country", hours=2, section="health", countries=("Mali",))
    story(headline="Topic", hours=3, section="culture", topics=("Gold",))
    story(headline="Both", hours=4, section="culture", topics=("Gold",), countries=("Mali",))
    publishing.create(draft(headline="Draft", topics=("Gold",)), editor)
    assert headlines(this) == ["Both", "Topic", "Country", "Section"]


def test_the_same_language_comes_first_among_equals(app: Flask, story: Callable[..., int]) -> None:
    this = story(headline="Ceci", language="fr", topics=("Or",))
    story(headline="Anglais", hours=1, language="en", topics=("Or",))
    story(headline="Français", hours=2, language="fr", topics=("Or",))
    assert headlines(this) == ["Français", "Anglais"]


def test_a_lonely_story_has_none(app: Flask, story: Callable[..., int]) -> None:
    this = story()
    story(headline="Elsewhere", section="health")
    assert headlines(this) == []
