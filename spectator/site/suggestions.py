"""What the first letters in the search box may become."""

from __future__ import annotations

from flask import current_app, render_template, request, url_for

from spectator import indexing, queries
from spectator.search import IndexUnavailableError, Suggestions
from spectator.search.language.query import MAX_QUERY_LENGTH

MAX_STORIES, MAX_OTHERS = 5, 3
PEOPLE_LABEL = "People"


def suggest() -> str | tuple[str, int]:
    """Show the countries and topics that the letters typed begin, then headlines with them, then people."""
    text = request.args.get("q", "")[:MAX_QUERY_LENGTH]
    try:
        found = indexing.open_public_index(current_app.config["DATA_DIR"]).suggest(
            text, MAX_STORIES
        )
    except IndexUnavailableError:
        return "", 503
    stories = queries.articles_by_id(found.articles)
    groups = suggestion_groups(found)
    people = [group for group in groups if group[0] == PEOPLE_LABEL]
    places = [group for group in groups if group[0] != PEOPLE_LABEL]
    return render_template("site/_suggested.html", before=places, stories=stories, after=people)


def suggestion_groups(suggested: Suggestions) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return (label, (name, address) pairs) of each kind of list that has any."""
    slugs = {"topic": suggested.topics[:MAX_OTHERS], "country": suggested.countries[:MAX_OTHERS]}
    slugs |= {"author": suggested.authors[:MAX_OTHERS]}
    names = queries.taxonomy_names(slugs)
    groups = []
    for kind, label in (("country", "Countries"), ("topic", "Topics"), ("author", PEOPLE_LABEL)):
        known = [slug for slug in slugs[kind] if (kind, slug) in names]
        if known:
            groups.append(
                (label, [(names[kind, slug], url_for(f"site.{kind}", slug=slug)) for slug in known])
            )
    return groups
