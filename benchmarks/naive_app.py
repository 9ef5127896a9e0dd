"""The article page as a plain Flask, Flask-SQLAlchemy and Jinja app, for comparison.

It reads the site's own database and renders the same text and links as the site's article page. The
comparison is fair: the database has its indexes, and the templates are compiled once. Only the
queries are not optimised: related rows are loaded lazily.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from flask import Flask, abort, render_template, url_for
from flask_sqlalchemy import SQLAlchemy
from markupsafe import Markup

from spectator.cli.context import create_ready_app
from spectator.config import HTMX_INTEGRITY, HTMX_URL, TAGLINE
from spectator.db import sqlite
from spectator.stylesheet import DEFAULT

db = SQLAlchemy()
WORDS_PER_MINUTE = 230
NAME = "The African Spectator"

article_topic = db.Table(
    "article_topic",
    db.Column("article_id", db.ForeignKey("article.id"), primary_key=True),
    db.Column("topic_id", db.ForeignKey("topic.id"), primary_key=True),
)
article_country = db.Table(
    "article_country",
    db.Column("article_id", db.ForeignKey("article.id"), primary_key=True),
    db.Column("country_id", db.ForeignKey("country.id"), primary_key=True),
)
article_author = db.Table(
    "article_author",
    db.Column("article_id", db.ForeignKey("article.id"), primary_key=True),
    db.Column("position", db.Integer, primary_key=True),
    db.Column("author_id", db.ForeignKey("author.id")),
)


class NamedMixin:
    """Columns for a name and a slug."""

    id = db.Column(db.Integer, primary_key=True)
    slug = db.Column(db.String, unique=True)
    name = db.Column(db.String)


class Section(NamedMixin, db.Model):
    """Section of the site."""

    position = db.Column(db.Integer)


class Topic(NamedMixin, db.Model):
    """Topic of a story."""


class Country(NamedMixin, db.Model):
    """Country that a story is about."""


class Author(NamedMixin, db.Model):
    """Author in a byline."""


class Correction(db.Model):
    """Dated correction of a story."""

    id = db.Column(db.Integer, primary_key=True)
    article_id = db.Column(db.ForeignKey("article.id"))
    text = db.Column(db.Text)
    made_at = db.Column(db.DateTime)


class Article(db.Model):
    """Story with every column that a page may show."""

    id = db.Column(db.Integer, primary_key=True)
    headline = db.Column(db.String)
    dek = db.Column(db.Text)
    slug = db.Column(db.String, unique=True)
    language = db.Column(db.String)
    status = db.Column(db.String)
    excerpt = db.Column(db.Text)
    word_count = db.Column(db.Integer)
    source_name = db.Column(db.String)
    source_url = db.Column(db.Text)
    published_at = db.Column(db.DateTime)
    updated_at = db.Column(db.DateTime)
    body = db.Column(db.Text)
    section_id = db.Column(db.ForeignKey("section.id"))

    section = db.relationship(Section)
    authors = db.relationship(
        Author, secondary=article_author, order_by=article_author.c.position
    )
    topics = db.relationship(Topic, secondary=article_topic, order_by=Topic.name)
    countries = db.relationship(Country, secondary=article_country, order_by=Country.name)
    corrections = db.relationship(Correction, order_by=Correction.made_at)


def json_ld(data: dict[str, object]) -> Markup:
    """Return JSON for a script element."""
    text = json.dumps({"@context": "https://schema.org"} | data, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))


def news_article(story: Article) -> Markup:
    """Return the NewsArticle data of a story."""
    return json_ld(
        {
            "@type": "NewsArticle",
            "headline": story.headline,
            "description": story.dek or story.excerpt,
            "datePublished": story.published_at.isoformat() + "Z",
            "dateModified": (story.updated_at or story.published_at).isoformat() + "Z",
            "mainEntityOfPage": article_url(story),
            "isAccessibleForFree": True,
            "inLanguage": story.language,
            "articleSection": story.section.name,
            "author": [
                {
                    "@type": "Person",
                    "name": author.name,
                    "url": url_for("author", slug=author.slug, _external=True),
                }
                for author in story.authors
            ],
            "publisher": {
                "@type": "NewsMediaOrganization",
                "name": NAME,
                "url": url_for("front", _external=True),
            },
            "sourceOrganization": {"@type": "Organization", "name": story.source_name},
        }
    )


def breadcrumb(story: Article) -> Markup:
    """Return the BreadcrumbList data of a story."""
    steps = [
        ("Home", url_for("front", _external=True)),
        (story.section.name, url_for("section", slug=story.section.slug, _external=True)),
        (story.headline, article_url(story)),
    ]
    items = [
        {"@type": "ListItem", "position": position, "name": name, "item": item}
        for position, (name, item) in enumerate(steps, 1)
    ]
    return json_ld({"@type": "BreadcrumbList", "itemListElement": items})


def article_url(story: Article) -> str:
    """Return the absolute URL of a story."""
    return url_for("article", section=story.section.slug, slug=story.slug, _external=True)


def article(section: str, slug: str) -> str:
    """Show a story."""
    story = Article.query.filter_by(slug=slug, status="published").first_or_404()
    if story.section.slug != section:
        abort(404)
    return render_template(
        "article.html", article=story, sections=Section.query.order_by(Section.position).all()
    )


def placeholder_page(**_url_values: str) -> str:
    """Serve the pages that the article links to."""
    return "not part of the measurement"


def create_app(database: str) -> Flask:
    """Return the naive site on an existing database file."""
    app = Flask(__name__, template_folder="naive_templates", static_folder="../static")
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{database}"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"module": sqlite}  # the site's driver
    db.init_app(app)
    for rule, endpoint in (
        ("/", "front"),
        ("/search", "search"),
        ("/archive/", "archive"),
        ("/feed.xml", "feed"),
        ("/<slug>/", "section"),
        ("/author/<slug>/", "author"),
        ("/topic/<slug>/", "topic"),
        ("/country/<slug>/", "country"),
    ):
        app.add_url_rule(rule, endpoint, placeholder_page)
    app.add_url_rule("/<section>/<slug>", "article", article)
    app.jinja_env.globals.update(
        site_name=NAME, site_tagline=TAGLINE, css=Markup(DEFAULT.article_css), address=article_url
    )
    app.jinja_env.globals.update(
        htmx_url=HTMX_URL, htmx_integrity=HTMX_INTEGRITY, year=datetime.now(UTC).year
    )
    app.jinja_env.globals.update(news_article=news_article, breadcrumb=breadcrumb)
    app.jinja_env.filters["minutes"] = lambda words: max(1, round(words / WORDS_PER_MINUTE))
    return app


def create_server(database: str) -> Flask:
    """Return the site for gunicorn, whose configuration needs it, answering as the naive app."""
    site = create_ready_app()
    site.wsgi_app = create_app(database).wsgi_app  # type: ignore[method-assign]
    return site
