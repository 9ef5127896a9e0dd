"""The front page and the article page."""

from __future__ import annotations

from flask import abort, make_response, redirect, render_template, request
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response

from spectator import queries
from spectator.editions import follow_story
from spectator.navigation import navigation
from spectator.pagecache import SURROGATE_KEY, article_key
from spectator.site import bp, listings, old_addresses
from spectator.site.caching import cacheable
from spectator.site.pagination import load_more_context, requested_cursors
from spectator.site.standing_pages import page_response
from spectator.urls import permalink, permalink_rule


@bp.get("/")
@cacheable("before", "rails", "through")
def front() -> str:
    """Show the lead story, the newest after it and a rail for each section."""
    cursors, latest = requested_cursors(), queries.latest_listing()
    if cursors.before is not None:
        return listings.render(latest, cursors)
    page = queries.load_front_page(navigation(), cursors.through)
    context = load_more_context(latest, page.cursor, page.rails_cursor)
    if page.is_truncated:
        context |= {"articles": page.latest, "is_first_page": False}
        return render_template("site/listing.html", **context)
    context |= {"lead": page.lead, "latest": page.latest, "rails": page.rails}
    return render_template("site/front.html", **context, is_extended=cursors.through is not None)


@cacheable()
def article(slug: str, **_parts: object) -> Response:
    """Show a story, or the page at its URL; redirect from the story's former URLs."""
    story = queries.article_by_slug(slug)
    if story is None or permalink(story) != request.path:
        if (page := queries.page_by_path(request.path)) is not None:
            return page_response(page)
        if story is None:
            abort(404)
        return make_response(old_addresses.answer() or redirect(permalink(story), 301))
    follow_story(story.language)
    if story.status == "withdrawn":
        response = make_response(render_template("errors/410.html", article=story), 410)
    else:
        is_alone = story.translation_of_id is None and not story.has_translations
        versions = [] if is_alone else queries.language_versions(story)
        response = make_response(
            render_template("site/article.html", article=story, versions=versions)
        )
    response.headers[SURROGATE_KEY] = article_key(story.id)
    return response


def add_article_rule(state: BlueprintSetupState) -> None:
    """Add the URL of stories, which is a setting."""
    state.add_url_rule(permalink_rule(state.app.config["PERMALINK"]), "article", article)


bp.record(add_article_rule)
