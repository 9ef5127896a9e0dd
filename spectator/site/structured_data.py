"""JSON-LD of an article and its breadcrumb (schema.org/NewsArticle, BreadcrumbList)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import current_app
from markupsafe import Markup

from spectator.i18n import gettext
from spectator.media import rendition_names
from spectator.models import Article, Author
from spectator.navigation import section_name
from spectator.queries import LanguageVersion
from spectator.templating import iso, story_kind
from spectator.text.words.bylines import is_organization
from spectator.urls import absolute_url, listing_path, permalink, picture_url

# https://schema.org/NewsArticle has no subtype for interviews and obituaries.
ARTICLE_TYPES = {
    "analysis": "AnalysisNewsArticle",
    "opinion": "OpinionNewsArticle",
    "explainer": "BackgroundNewsArticle",
}
SCRIPT_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def _script(data: dict[str, Any]) -> Markup:
    """Return JSON-LD that cannot end the script element around it."""
    text = json.dumps(
        {"@context": "https://schema.org"} | data, ensure_ascii=False, separators=(",", ":")
    )
    return Markup(text.translate(SCRIPT_ESCAPES))  # noqa: S704 - escaped in the line above


def news_article_json(article: Article, versions: Sequence[LanguageVersion] = ()) -> Markup:
    """Return the NewsArticle of a published story, or the subtype of its kind.

    `versions` are its published versions in several languages.
    """
    address = absolute_url(permalink(article))
    name = current_app.config["SITE_NAME"]
    published = article.published_at or article.saved_at
    data: dict[str, Any] = {
        "@type": ARTICLE_TYPES.get(story_kind(article), "NewsArticle"),
        "headline": article.headline,
        "description": article.search_description or article.dek or article.excerpt,
        "datePublished": iso(published),
        "dateModified": iso(article.updated_at or published),
        "mainEntityOfPage": address,
        "isAccessibleForFree": True,
        "inLanguage": article.language,
        "articleSection": section_name(article.section),
        "author": [_author(article, author) for author in article.authors]
        or {"@type": "Organization", "name": name},
        "publisher": {"@type": "NewsMediaOrganization", "name": name, "url": absolute_url("/")},
    }
    corrections = [note for note in article.notes if note.kind == "correction"]
    if corrections:
        data["correction"] = [
            {"@type": "CorrectionComment", "text": note.text, "datePublished": iso(note.made_at)}
            for note in corrections
        ]
    if article.source_name:
        data["sourceOrganization"] = {"@type": "Organization", "name": article.source_name}
    if article.source_url:
        data["isBasedOn"] = article.source_url
    if article.picture is not None:
        *_, (widest, _) = rendition_names(
            article.picture.digest, article.picture.extension, article.picture.width
        )
        data["image"] = [absolute_url(picture_url(widest))]
    return _script(data | _linked_works(article, versions))


def _linked_works(article: Article, versions: Sequence[LanguageVersion]) -> dict[str, Any]:
    """Return the property with an original's translations, or with a translation's original."""
    works = [
        {
            "@type": "NewsArticle",
            "url": absolute_url(version.path),
            "inLanguage": version.language,
        }
        for version in versions
        if version.is_original == (article.translation_of_id is not None)
    ]
    if not works:
        return {}
    return (
        {"workTranslation": works}
        if article.translation_of_id is None
        else {"translationOfWork": works[0]}
    )


def _author(article: Article, author: Author) -> dict[str, str]:
    names = current_app.config["SITE_NAME"], article.source_name
    kind = "Organization" if is_organization(author.name, *names) else "Person"
    return {"@type": kind, "name": author.name, "url": absolute_url(listing_path(author))}


def breadcrumb_json(article: Article) -> Markup:
    """Return the BreadcrumbList of a story: home, section, headline."""
    steps = (
        (gettext("Home"), absolute_url("/")),
        (section_name(article.section), absolute_url(listing_path(article.section))),
        (article.headline, absolute_url(permalink(article))),
    )
    items = [
        {"@type": "ListItem", "position": position, "name": name, "item": url}
        for position, (name, url) in enumerate(steps, 1)
    ]
    return _script({"@type": "BreadcrumbList", "itemListElement": items})
