"""The table of story fields: forms, validation, merges, the history and importers read it.

A new field needs a column with its migration, a row in `Draft`, and a place in the templates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Annotated, Literal, get_type_hints

from spectator.i18n import lazy_gettext
from spectator.models import DEFAULT_STORY_KIND

MAX_BODY_BYTES = 1_000_000
Kind = Literal[
    "line", "body", "section", "language", "slug", "choice", "names", "picture", "story"
]


@dataclass(frozen=True, slots=True)
class StoryField:
    """The properties of a field.

    `limit` is in characters of a line or of each name, in bytes of a body. `required` is the
    message for an author who leaves it empty. `is_wording`: a change of it is an update for
    readers, and imports do not overwrite it in a story that was corrected since. `is_ordered`: the
    order of its names matters. Imports compare the fields of a `group` together.
    """

    label: str
    limit: int = 0
    kind: Kind = "line"
    required: str = ""
    is_wording: bool = False
    is_ordered: bool = False
    group: str = ""  # by default the name
    key: str = ""  # in JSON lines, by default the name
    name: str = ""  # the attribute of Draft, and the column if it has one


@dataclass(frozen=True, slots=True)
class Draft:
    """A story as a form or an importer provides it; an empty slug is made from the headline.

    `kind` is a key of STORY_KINDS, `section` a slug, `countries` are English names or ISO 3166
    codes, `authors` are in the order of the byline. `translation_of` is the number of the original;
    importers give the id that the original has in their source.
    """

    kind: Annotated[
        str,
        StoryField(
            lazy_gettext("Kind of story"), 20, "choice", lazy_gettext("Choose the kind of story.")
        ),
    ] = DEFAULT_STORY_KIND
    kicker: Annotated[str, StoryField(lazy_gettext("Kicker"), 60, is_wording=True)] = ""
    headline: Annotated[
        str,
        StoryField(
            lazy_gettext("Headline"),
            300,
            required=lazy_gettext("Write a headline."),
            is_wording=True,
        ),
    ] = ""
    dek: Annotated[str, StoryField(lazy_gettext("Standfirst"), 500, is_wording=True)] = ""
    body: Annotated[
        str,
        StoryField(
            lazy_gettext("Story"),
            MAX_BODY_BYTES,
            "body",
            required=lazy_gettext("Write the story."),
            is_wording=True,
        ),
    ] = ""
    section: Annotated[
        str,
        StoryField(lazy_gettext("Section"), 120, "section", lazy_gettext("Choose a section.")),
    ] = ""
    language: Annotated[str, StoryField(lazy_gettext("Language"), 35, "language")] = "en"
    translation_of: Annotated[str, StoryField(lazy_gettext("Translation of"), 200, "story")] = ""
    slug: Annotated[str, StoryField(lazy_gettext("Web address (URL)"), 100, "slug")] = ""
    authors: Annotated[
        tuple[str, ...], StoryField(lazy_gettext("Byline"), 120, "names", is_ordered=True)
    ] = ()
    countries: Annotated[
        tuple[str, ...], StoryField(lazy_gettext("Countries"), 120, "names")
    ] = ()
    topics: Annotated[tuple[str, ...], StoryField(lazy_gettext("Topics"), 120, "names")] = ()
    source_name: Annotated[str, StoryField(lazy_gettext("Source"), 200, group="source")] = ""
    source_url: Annotated[str, StoryField(lazy_gettext("Source link"), 2000, group="source")] = ""
    picture_id: Annotated[
        int | None,
        StoryField(lazy_gettext("Lead picture"), 0, "picture", group="picture", key="lead_image"),
    ] = None
    picture_alt: Annotated[
        str, StoryField(lazy_gettext("Alt text"), 500, group="picture", key="lead_image_alt")
    ] = ""
    picture_caption: Annotated[
        str,
        StoryField(
            lazy_gettext("Caption"),
            1000,
            is_wording=True,
            group="picture",
            key="lead_image_caption",
        ),
    ] = ""
    picture_credit: Annotated[
        str, StoryField(lazy_gettext("Credit"), 200, group="picture", key="lead_image_credit")
    ] = ""
    # What search engines and social networks show instead of the headline, the standfirst and the
    # lead picture. The picture is the path of a picture on this site, such as /media/ab/ab….jpg.
    search_title: Annotated[str, StoryField(lazy_gettext("Search title"), 120)] = ""
    search_description: Annotated[str, StoryField(lazy_gettext("Search description"), 320)] = ""
    share_picture: Annotated[str, StoryField(lazy_gettext("Share picture"), 200)] = ""


def _read_row(name: str, row: StoryField) -> StoryField:
    return replace(row, name=name, group=row.group or name, key=row.key or name)


FIELDS: dict[str, StoryField] = {
    name: _read_row(name, hint.__metadata__[0])
    for name, hint in get_type_hints(Draft, include_extras=True).items()
}


def names_of(*kinds: Kind) -> tuple[str, ...]:
    """Return the names of the fields of these kinds, in the order of the table."""
    return tuple(name for name, field in FIELDS.items() if field.kind in kinds)


LINE_FIELDS = names_of("line", "section", "language", "slug", "choice", "story")
NAME_FIELDS = names_of("names")
STORY_FIELDS = names_of("story")
COPIED_FIELDS = names_of(
    "line", "body", "language", "choice", "picture"
)  # a column holds the same value
WORDING_FIELDS = tuple(name for name, field in FIELDS.items() if field.is_wording)
IMPORT_GROUPS = {
    group: tuple(field.name for field in fields)
    for group, fields in groupby(FIELDS.values(), lambda field: field.group)
}
# By the name in forms and on the conflict page.
LABELS = {
    "picture" if field.kind == "picture" else name: field.label for name, field in FIELDS.items()
}
