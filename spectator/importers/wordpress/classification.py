"""What a post is filed under: section, topics, byline, language and kind of story."""

from __future__ import annotations

import re
from typing import NamedTuple

from spectator.formats import tag_problem
from spectator.i18n import gettext
from spectator.importers.wordpress.category_map import UNCATEGORIZED, Mapping, Target, clean_name
from spectator.importers.wordpress.elements import Item, Term
from spectator.importers.wordpress.survey import Survey
from spectator.models import DEFAULT_STORY_KIND
from spectator.publishing.validation import MAX_NAMES

PRIMARY_KEYS = ("_yoast_wpseo_primary_category", "rank_math_primary_category")
KINDS = {"post-format-chat": "interview"}  # the other formats say how a post looks
GUEST_PREFIX = "cap-"  # which Co-Authors Plus puts before the slugs of authors
LANGUAGE_TAXONOMIES = ("language", "post_language")  # of Polylang and others


class Classification(NamedTuple):
    """The classification of a story, and sentences for the receipt."""

    section: str
    topics: tuple[str, ...]
    authors: tuple[str, ...]
    language: str
    kind: str
    changes: tuple[str, ...]

    def names(self) -> set[tuple[str, str]]:
        """Return the section, topics and authors, each with its kind."""
        topics, authors = self.topics, self.authors
        return {("section", self.section)} | {
            (kind, name)
            for kind, names in (("topic", topics), ("author", authors))
            for name in names
        }


def classify(item: Item, survey: Survey, mapping: Mapping, language: str) -> Classification:
    """Return the classification of a post; `language` is that of posts that name none."""
    authors, unknown = byline(item, survey, mapping)
    section, topics, kind = _section_and_topics(item, survey, mapping)
    changes = [gettext("Unknown author: %(name)s", name=name) for name in unknown]
    left_out = [*topics[MAX_NAMES:], *authors[MAX_NAMES:]]
    if left_out:
        changes.append(gettext("Too many names, left out: %(names)s", names=", ".join(left_out)))
    for term in item.terms_of("post_format"):
        kind = kind or KINDS.get(term.slug, "")
    return Classification(
        section,
        tuple(topics[:MAX_NAMES]),
        tuple(authors[:MAX_NAMES]),
        post_language(item, language),
        kind or DEFAULT_STORY_KIND,
        tuple(changes),
    )


def byline(item: Item, survey: Survey, mapping: Mapping) -> tuple[list[str], list[str]]:
    """Return the names of a post's authors, in order and each once, and the unknown logins.

    Terms of Co-Authors Plus come before the person who created the post.
    """
    terms = item.terms_of("author")
    if not terms:
        login = item.get("creator")
        name = mapping.authors.get(login.lower()) or _name_of_login(login, survey)
        return [name or clean_name(login)] if login else [], [] if name or not login else [login]
    names = [name for term in terms if (name := _coauthor(term, survey, mapping))]
    return list(dict.fromkeys(names)), []


def _coauthor(term: Term, survey: Survey, mapping: Mapping) -> str:
    slug = term.slug.removeprefix(GUEST_PREFIX)
    login = term.name.strip().lower()
    for key in (login, slug.lower()):
        if name := mapping.authors.get(key) or survey.guests.get(key) or survey.names.get(key):
            return clean_name(name)
    if login in {"", term.slug.lower(), slug.lower()}:
        return " ".join(part.capitalize() for part in re.split("[-_.]+", slug) if part)
    return clean_name(term.name)


def _name_of_login(login: str, survey: Survey) -> str:
    """Return the name of a person whom a post names by the login or, mangled, by the name."""
    folded = login.strip().lower()
    if name := survey.names.get(folded):
        return clean_name(name)
    plain = re.sub(r"[\W_]+", "", folded)
    for other, name in survey.names.items():
        if plain and plain in {re.sub(r"[\W_]+", "", text.lower()) for text in (other, name)}:
            return clean_name(name)
    return ""


def _section_and_topics(
    item: Item, survey: Survey, mapping: Mapping
) -> tuple[str, list[str], str]:
    """Return the section, the topics and the kind that a post's categories and tags give it.

    The section is that of the primary category or of the first one with a section. Those with
    another section become topics.
    """
    terms = item.terms_of("category")
    targets = [(term, mapping.categories.get(term.slug, _default_target(term))) for term in terms]
    primary = _primary_slug(item, survey)
    targets.sort(key=lambda pair: pair[0].slug != primary)  # keeps the order of the others
    section = next((target.section for _, target in targets if target.section), "")
    topics = []
    for _, target in targets:
        is_other_section = target.section not in {"", section}
        topics.append(target.topic or (target.section if is_other_section else ""))
    topics += [clean_name(term.name) or term.slug for term in item.terms_of("post_tag")]
    kind = next((target.kind for _, target in targets if target.kind), "")
    names = list(dict.fromkeys(filter(None, topics)))
    return section or mapping.default_section, names, kind


def _default_target(term: Term) -> Target:
    """Return what a category becomes that no mapping names."""
    return Target(topic="" if term.slug in {"", UNCATEGORIZED} else clean_name(term.name))


def _primary_slug(item: Item, survey: Survey) -> str:
    """Return the slug of the category that an SEO plugin calls the main one."""
    number = next((value for key in PRIMARY_KEYS if (value := item.meta_value(key))), "")
    return survey.category_slugs.get(number.strip(), "") if number else ""


def post_language(item: Item, language: str) -> str:
    """Return the language that a translation plugin gives a post, otherwise `language`."""
    for term in item.terms_of(*LANGUAGE_TAXONOMIES):
        tag = term.slug.replace("_", "-")
        if tag and not tag_problem(tag):
            return tag
    return language
