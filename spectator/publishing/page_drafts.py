"""The draft of a standing page: its fields, and the rules for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from spectator.formats import tag_problem
from spectator.i18n import gettext, lazy_gettext
from spectator.models import Page
from spectator.publishing.fields import MAX_BODY_BYTES, StoryField
from spectator.publishing.validation import ValidationError, clean_line, size_problem
from spectator.text.html.paragraphs import stored_body
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.languages import canonical_tag
from spectator.text.words.slugs import is_slug

PAGE_FIELDS = {
    "title": StoryField(lazy_gettext("Title"), 300, required=lazy_gettext("Write a title.")),
    "body": StoryField(
        lazy_gettext("Text"), MAX_BODY_BYTES, "body", required=lazy_gettext("Write the text.")
    ),
    "parent": StoryField(lazy_gettext("Parent page"), 12, "choice"),
    "slug": StoryField(lazy_gettext("Web address (URL)"), 100, "slug"),
    "language": StoryField(lazy_gettext("Language"), 35, "language"),
    "description": StoryField(lazy_gettext("Description"), 500),
}
_LINES = ("title", "slug", "language", "description")


@dataclass(frozen=True, slots=True)
class PageDraft:
    """A page as a form or an importer provides it; an empty slug is made from the title.

    `parent` is the id of the page above it, None for a page at the top. `description` is for
    search engines and links; without one they get the beginning of the text.
    """

    title: str = ""
    body: str = ""
    slug: str = ""
    parent: int | None = None
    language: str = "en"
    description: str = ""


def prepare_page(draft: PageDraft) -> PageDraft:
    """Return a checked and cleaned draft; a pure but slow function.

    Raises ValidationError with a message for every wrong field. `page_addresses` checks what only
    the database knows.
    """
    if errors := _size_errors(draft):
        raise ValidationError(errors)
    lines: dict[str, Any] = {name: clean_line(getattr(draft, name)) for name in _LINES}
    if problem := tag_problem(lines["language"]):
        errors["language"] = problem
    else:
        lines["language"] = canonical_tag(lines["language"])
    draft = replace(draft, **lines, body=stored_body(draft.body))
    errors |= _size_errors(draft)  # NFC writes some letters with two or three characters
    if not draft.title:
        errors["title"] = str(PAGE_FIELDS["title"].required)
    if not plain_text(draft.body).strip() and "<img" not in draft.body:
        errors["body"] = str(PAGE_FIELDS["body"].required)
    if draft.slug and not is_slug(draft.slug):
        errors["slug"] = gettext("Use lowercase letters, numbers and hyphens.")
    if errors:
        raise ValidationError(errors)
    return draft


def _size_errors(draft: PageDraft) -> dict[str, str]:
    return {
        name: problem
        for name in (*_LINES, "body")
        if (problem := size_problem(PAGE_FIELDS[name], getattr(draft, name)))
    }


def draft_from_page(page: Page) -> PageDraft:
    """Return the draft of a page that was loaded with its body."""
    return PageDraft(
        page.title, page.body, page.slug, page.parent_id, page.language, page.description
    )


def page_draft_from_revision(content: Mapping[str, Any]) -> PageDraft:
    """Return the draft that a revision of a page holds."""
    names = {field.name for field in fields(PageDraft)}
    return PageDraft(**{name: value for name, value in content.items() if name in names})
