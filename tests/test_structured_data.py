"""What machines read of a story: JSON-LD, feeds, sitemaps, and the head of its page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from flask.testing import FlaskClient

from spectator import publishing
from spectator.db import db
from spectator.models import Article, User
from spectator.publishing import Action
from tests.conftest import make_draft
from tests.page_checks import Page

SITE = "https://spectator.example"
NAME = "The African Spectator"
Story = Callable[..., int]


def structured_data(client: FlaskClient, path: str) -> list[dict[str, Any]]:
    html = client.get(path).text
    scripts = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    return [json.loads(script) for script in scripts]


def test_a_story_is_described_to_machines(
    client: FlaskClient, story: Story, editor: User
) -> None:
    article_id = story(
        headline="Mali votes",
        dek="A short standfirst.",
        authors=("Ama Mensah", "Reuters"),
        source_name="Reuters",
        source_url="https://www.reuters.com/x",
        language="fr",
    )
    version = db.session.get_one(Article, article_id).version
    correction = Action("correct", note="The date was wrong.")
    publishing.save(article_id, make_draft(headline="Mali votes"), editor, version, correction)
    description, breadcrumb = structured_data(client, "/politics/mali-votes")
    changed = description.pop("dateModified")
    assert changed > "2026-11-20T12:00:00" and changed == description["correction"][0].pop(
        "datePublished"
    )
    assert description == {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": "Mali votes",
        "description": "One paragraph. Another paragraph.",
        "datePublished": "2026-11-20T12:00:00Z",
        "mainEntityOfPage": f"{SITE}/politics/mali-votes",
        "isAccessibleForFree": True,
        "inLanguage": "en",
        "articleSection": "Politics",
        "author": {"@type": "Organization", "name": NAME},
        "publisher": {"@type": "NewsMediaOrganization", "name": NAME, "url": f"{SITE}/"},
        "correction": [{"@type": "CorrectionComment", "text": "The date was wrong."}],
    }
    assert breadcrumb == {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": 1, "name": "Home", "item": f"{SITE}/"},
            {"@type": "ListItem", "position": 2, "name": "Politics", "item": f"{SITE}/politics/"},
            {
                "@type": "ListItem",
                "position": 3,
                "name": "Mali votes",
                "item": f"{SITE}/politics/mali-votes",
            },
        ],
    }


def test_opinion_and_its_source_are_named(client: FlaskClient, story: Story) -> None:
    story(
        headline="Why we vote",
        section="opinion",
        dek="A short standfirst.",
        authors=("Ama Mensah", "Reuters"),
        source_name="Reuters",
        source_url="https://www.reuters.com/x",
        language="fr",
    )
    description = structured_data(client, "/opinion/why-we-vote")[0]
    assert description["@type"] == "OpinionNewsArticle"
    assert description["description"] == "A short standfirst."
    assert description["inLanguage"] == "fr"
    assert description["dateModified"] == description["datePublished"]
    assert description["author"] == [
        {"@type": "Person", "name": "Ama Mensah", "url": f"{SITE}/author/ama-mensah/"},
        {"@type": "Organization", "name": "Reuters", "url": f"{SITE}/author/reuters/"},
    ]
    assert description["sourceOrganization"] == {"@type": "Organization", "name": "Reuters"}
    assert description["isBasedOn"] == "https://www.reuters.com/x"


def test_the_head_of_a_page_has_its_address_and_its_card(
    client: FlaskClient, story: Story
) -> None:
    story(headline="Mali votes", dek="A short standfirst.")
    page = Page(client.get("/politics/mali-votes").text)
    links = {row["rel"]: row["href"] for row in page.find_all("head", "link") if "rel" in row}
    assert links["canonical"] == f"{SITE}/politics/mali-votes"
    metas = {
        str(row.get("property") or row.get("name")): row.get("content")
        for row in page.find_all("head", "meta")
    }
    assert metas["og:title"] == "Mali votes"
    assert metas["og:type"] == "article"
    assert metas["og:url"] == f"{SITE}/politics/mali-votes"
    assert metas["og:site_name"] == NAME
    assert metas["description"] == metas["og:description"] == "A short standfirst."


def test_a_feed_has_every_part_of_a_story(client: FlaskClient, story: Story) -> None:
    story(headline="Mali votes", dek="A short standfirst.", authors=("Ama Mensah", "Zola"))
    response = client.get("/feed.xml")
    assert response.mimetype == "application/rss+xml"
    channel = ElementTree.fromstring(response.text)[0]
    texts = {child.tag: child.text for child in channel if child.text and child.text.strip()}
    assert texts.pop("lastBuildDate")
    assert texts.pop("description").startswith("The African Spectator stands as the compass")
    assert texts == {"title": NAME, "link": f"{SITE}/", "language": "en"}
    assert channel[2].attrib == {
        "href": f"{SITE}/feed.xml",
        "rel": "self",
        "type": "application/rss+xml",
    }
    [item] = channel.findall("item")
    parts = [(child.tag.rpartition("}")[2], child.text) for child in item]
    assert parts[2][0] == "guid" and str(parts.pop(2)[1]).startswith("urn:uuid:")
    assert parts == [
        ("title", "Mali votes"),
        ("link", f"{SITE}/politics/mali-votes"),
        ("pubDate", "Fri, 20 Nov 2026 12:00:00 +0000"),
        ("creator", "Ama Mensah"),
        ("creator", "Zola"),
        ("category", "Politics"),
        ("description", "A short standfirst."),
    ]
