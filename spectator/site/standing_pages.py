"""Standing pages, such as “About”, at `/<slug>` and below their parents at `/<parent>/<slug>`."""

from __future__ import annotations

import re

from flask import abort, make_response, redirect, render_template, request
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response

from spectator import queries
from spectator.editions import follow_story
from spectator.models import Page
from spectator.navigation import navigation
from spectator.site import bp
from spectator.site.caching import cacheable
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.excerpts import excerpt

# A permalink with two slugs: its view looks for pages too.
TWO_SLUGS = re.compile("/<(section|slug)>/<(section|slug)>")


@cacheable()
def page(slug: str, parent: str = "") -> Response:
    """Show a standing page; redirect from its former URLs. Sections come before pages."""
    if any(section.slug == (parent or slug) for section in navigation()):
        abort(404)
    current = queries.page_by_path(request.path)
    if current is None:
        abort(404)
    return page_response(current)


def page_response(page: Page) -> Response:
    """Return the response with a page, the notice of its withdrawal, or a redirect to it."""
    if f"/{page.path}" != request.path:
        return redirect(f"/{page.path}", 301)
    follow_story(page.language)
    if page.status == "withdrawn":
        return make_response(render_template("errors/410.html", page=page), 410)
    return make_response(render_template("site/page.html", **page_context(page)))


def page_context(page: Page) -> dict[str, object]:
    """Return the context of the template of a page."""
    return {"page": page, "summary": page.description or excerpt(plain_text(page.body))}


def add_page_rules(state: BlueprintSetupState) -> None:
    """Add the URLs of pages, except those that the URLs of stories include."""
    state.add_url_rule("/<slug:slug>", "page", page)
    if not TWO_SLUGS.fullmatch(state.app.config["PERMALINK"]):
        state.add_url_rule("/<slug:parent>/<slug:slug>", "page", page)


bp.record(add_page_rules)
