"""What the first letters in the search box may become."""

from __future__ import annotations

from flask import current_app, render_template, request, url_for

from spectator import indexing, queries
from spectator.search import IndexUnavailable, Suggested
from spectator.search.query import LONGEST_TEXT

MOST_STORIES, MOST_OTHERS = 5, 3
PEOPLE = "People"


def suggest() -> str | tuple[str, int]:
    """Show the countries and topics that the letters typed begin, then headlines with them, then people."""
    text = request.args.get("q", "")[:LONGEST_TEXT]
    try:
        found = indexing.index_in(current_app.config["DATA_DIR"]).suggest(text, MOST_STORIES)
    except IndexUnavailable:
        return "", 503
    stories = queries.articles_by_id(found.articles)
    groups = groups_of(found)
    people = [group for group in groups if group[0] == PEOPLE]
    places = [group for group in groups if group[0] != PEOPLE]
    return render_template("site/_suggested.html", before=places, stories=stories, after=people)


def groups_of(found: Suggested) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return (label, (name, address) pairs) of each kind of list that has any."""
    slugs = {"topic": found.topics[:MOST_OTHERS], "country": found.countries[:MOST_OTHERS]}
    slugs |= {"author": found.authors[:MOST_OTHERS]}
    names = queries.filed_names(slugs)
    groups = []
    for kind, label in (("country", "Countries"), ("topic", "Topics"), ("author", PEOPLE)):
        known = [slug for slug in slugs[kind] if (kind, slug) in names]
        if known:
            groups.append((label, [(names[kind, slug], url_for(f"site.{kind}", slug=slug)) for slug in known]))
    return groups
