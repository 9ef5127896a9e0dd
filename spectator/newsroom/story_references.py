"""References to stories as people type them in forms: numbers, URLs, and picked suggestions."""

from __future__ import annotations

import re

from spectator import publishing, queries
from spectator.models import Article, User
from spectator.newsroom.security import current_user
from spectator.text.words.numbers import parse_int

# What a picked suggestion leaves in its field: the number and the headline.
_LABEL = re.compile(r"([0-9]{1,9}) – .*", re.ASCII | re.DOTALL)


def find_article_id(text: str) -> int | None:
    """Return the id of the story that an id, slug or URL refers to, None if there is none."""
    if number := parse_int(text):
        return number
    in_newsroom = re.search(r"/newsroom/stories/([0-9]{1,9})(?:[/?#]|$)", text, re.ASCII)
    if in_newsroom:
        return int(in_newsroom[1])
    slug = re.split(r"[?#]", text)[0].rstrip("/").rpartition("/")[2]
    article = queries.article_by_slug(slug[:120]) if slug else None
    return article.id if article else None


def reference_number(text: str) -> str:
    """Return the number of the story that a text refers to; the text itself if there is none."""
    text = text.strip()
    if label := _LABEL.fullmatch(text):
        return label[1]
    number = find_article_id(text) if text else None
    return text if number is None else str(number)


def reference_label(article: Article) -> str:
    """Return the reference to a story that people can read: its number and headline."""
    return f"{article.id} – {article.headline}"


def describe_reference(text: str) -> str:
    """Return a reference with the story's headline, if it exists and the user may see it."""
    article = visible_article(reference_number(text), current_user())
    return text if article is None else reference_label(article)


def known_reference(reference: str) -> str:
    """Return the number by which the user may know the original that a story or revision names."""
    return publishing.known_reference(reference, current_user()) if reference else ""


def comparable_reference(text: str) -> str:
    """Return the same text for all references to the versions of a story."""
    number = reference_number(text)
    if visible_article(number, current_user()) is None:
        return text
    return describe_reference(known_reference(number))


def visible_article(reference: str, user: User) -> Article | None:
    """Return the story with this number if it is public or the user may view it."""
    number = parse_int(reference)
    article = queries.article_to_edit(number) if number else None
    return article if article is not None and is_visible(article, user) else None


def is_visible(article: Article, user: User) -> bool:
    """Return whether a story is public or the user may view it."""
    return article.is_public or publishing.may(user, "view", article)
