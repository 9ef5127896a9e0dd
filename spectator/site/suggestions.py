"""Suggestions in the search box."""

from __future__ import annotations

from flask import current_app, render_template, request, url_for

from spectator import indexing, queries
from spectator.editions import current_edition
from spectator.i18n import lazy_gettext
from spectator.search import IndexUnavailableError, Suggestions
from spectator.search.language.parser import MAX_QUERY_LENGTH
from spectator.site import fragments
from spectator.site.search_params import edition_test

MAX_STORIES, MAX_OTHERS = 5, 3
MAX_SUGGESTIONS = 20  # of which an edition may have few
LABELS = {
    "country": lazy_gettext("Countries"),
    "topic": lazy_gettext("Topics"),
    "author": lazy_gettext("People"),
}


@fragments.bp.get("/suggest")
def suggest() -> str | tuple[str, int]:
    """Show matching countries and topics, then headlines, then people."""
    text = request.args.get("q", "")[:MAX_QUERY_LENGTH]
    try:
        index = indexing.open_public_index(current_app.config["DATA_DIR"])
        suggested = index.suggest(text, MAX_SUGGESTIONS, edition_test())
    except IndexUnavailableError:
        return "", 503
    stories = queries.articles_by_id(suggested.articles[:MAX_STORIES])
    groups = suggestion_groups(suggested)
    people = [(label, links) for label, links in groups if label == LABELS["author"]]
    places = [(label, links) for label, links in groups if label != LABELS["author"]]
    return render_template(
        "site/_suggestions.html", place_groups=places, stories=stories, people_groups=people
    )


def suggestion_groups(suggested: Suggestions) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return (label, (name, URL) pairs) of each kind of list with suggestions."""
    slugs = {
        "topic": suggested.topics,
        "country": suggested.countries,
        "author": suggested.authors,
    }
    names = queries.taxonomy_names(slugs, current_edition())
    groups = []
    for kind, label in LABELS.items():
        links = [
            (names[kind, slug], url_for(f"site.{kind}", slug=slug))
            for slug in slugs[kind]
            if (kind, slug) in names
        ][:MAX_OTHERS]
        if links:
            groups.append((label, links))
    return groups
