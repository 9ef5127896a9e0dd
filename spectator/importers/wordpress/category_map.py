"""The mapping file: what the categories and people of the old site become on this one.

The first import proposes it, with every category of the old site; editors change it before they
import again. It is TOML, or JSON with the same names.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spectator.i18n import gettext
from spectator.importers.wordpress.survey import Survey
from spectator.models import STORY_KINDS
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.folding import fold
from spectator.text.words.slugs import RESERVED_PATHS, slugify

MAX_BYTES = 4_000_000
MAX_PROPOSED_SECTIONS = 20  # of the old site's top categories; the others become topics
MAX_NAME = 120
UNCATEGORIZED = "uncategorized"
KEYS = ("section", "topic", "kind")


class MappingError(Exception):
    """A mapping file that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a category becomes: "" for nothing. Its stories are of `kind`."""

    section: str = ""
    topic: str = ""
    kind: str = ""


@dataclass(slots=True)
class Mapping:
    """The targets of categories by slug, and the names of people by login."""

    default_section: str
    categories: dict[str, Target] = field(default_factory=dict)
    authors: dict[str, str] = field(default_factory=dict)


def propose_mapping(survey: Survey, sections: Dictionary[str, str]) -> Mapping:
    """Return a mapping for the old site; `sections` are names of this site's by slug.

    A category with the name of a section becomes that section, and so do the most used ones that
    have no parent. A child becomes a topic in the section of its ancestor.
    """
    by_name = {fold(name): name for name in sections.values()}
    mapping = Mapping(next(iter(sections.values()), "News"))
    mapping.authors = dict(sorted(survey.names.items()))
    parents = survey.parents()
    tops = [term for term in survey.categories.values() if term.slug not in parents]
    tops.sort(key=lambda term: (-survey.category_uses[term.slug], term.slug))
    new_count = 0
    for term in tops:
        name = clean_name(term.name) or term.slug
        section = sections.get(term.slug) or by_name.get(fold(name), "")
        is_possible = slugify(name) not in RESERVED_PATHS and term.slug != UNCATEGORIZED
        if not section and is_possible and new_count < MAX_PROPOSED_SECTIONS:
            section, new_count = name, new_count + 1
        if term.slug == UNCATEGORIZED:
            mapping.categories[term.slug] = Target()
        else:
            mapping.categories[term.slug] = Target(section, "" if section else name)
    for term in sorted(survey.categories.values()):
        if term.slug not in mapping.categories:
            top = mapping.categories.get(ancestors(term.slug, parents)[0], Target())
            mapping.categories[term.slug] = Target(
                top.section, clean_name(term.name) or term.slug
            )
    return mapping


def clean_name(name: str) -> str:
    """Return the name of a term or a person as one line without markup."""
    return " ".join(plain_text(name).split())[:MAX_NAME]


def ancestors(slug: str, parents: Dictionary[str, str]) -> list[str]:
    """Return the slugs from the top category down to this one; parents may go in circles."""
    path = [slug]
    while (parent := parents.get(path[-1])) and parent not in path:
        path.append(parent)
    return path[::-1]


def write_mapping(mapping: Mapping, survey: Survey, path: Path) -> None:
    """Write a proposal, as JSON if the name of the file ends so."""
    rows: list[dict[str, Any]] = [
        {"slug": slug, "name": clean_name(term.name), "stories": survey.category_uses[slug]}
        | {key: getattr(mapping.categories[slug], key) for key in KEYS}
        for slug, term in sorted(
            survey.categories.items(), key=lambda pair: -survey.category_uses[pair[0]]
        )
    ]
    if path.suffix == ".json":
        data = {
            "default_section": mapping.default_section,
            "authors": mapping.authors,
            "category": rows,
        }
        path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", "utf-8")
        return
    lines = [
        "# " + gettext("What categories and people of %(site)s become here.", site=survey.site),
        "# " + gettext("Change section, topic and kind; leave empty what a category is not."),
        f"default_section = {_toml(mapping.default_section)}",
        "",
        "[authors]",
        *(f"{_toml(login)} = {_toml(name)}" for login, name in mapping.authors.items()),
    ]
    for row in rows:
        lines += ["", "[[category]]"]
        lines += [f"{key} = {_toml(value)}" for key, value in row.items()]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _toml(value: str | int) -> str:
    """Return a string or number as TOML writes it, which for strings is as JSON does."""
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def read_mapping(path: Path, proposal: Mapping) -> Mapping:
    """Return the mapping of a file; categories that it does not name are as proposed.

    Raises MappingError.
    """
    data = _load(path)
    names = data.get("authors", {})
    rows = data.get("category", [])
    default = data.get("default_section") or proposal.default_section
    is_valid = isinstance(default, str) and isinstance(names, dict) and isinstance(rows, list)
    if not is_valid or not all(isinstance(name, str) for name in names.values()):
        raise MappingError(gettext("its values have another form than in the proposal"))
    categories = dict(proposal.categories)
    for row in rows:
        slug, target = _read_row(row)
        categories[slug] = target
    logins = {login.lower(): name for login, name in names.items()}
    return Mapping(default, categories, proposal.authors | logins)


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8-sig")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise MappingError(" ".join(str(error).split())[:200]) from error
    return data if isinstance(data, dict) else {}


def _read_row(row: Any) -> tuple[str, Target]:
    values = row if isinstance(row, dict) else {}
    texts = [values.get(key, "") for key in ("slug", *KEYS)]
    if not all(isinstance(text, str) for text in texts) or max(map(len, texts[1:])) > MAX_NAME:
        raise MappingError(gettext("its values have another form than in the proposal"))
    slug, section, topic, kind = texts
    if kind and kind not in STORY_KINDS:
        raise MappingError(
            gettext("“kind” must be one of %(values)s", values=", ".join(STORY_KINDS))
        )
    return slug, Target(section, topic, kind)
