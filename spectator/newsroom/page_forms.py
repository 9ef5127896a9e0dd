"""The form of a standing page: its values, their errors, and the draft built from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import current_app, request

from spectator.models import Page
from spectator.newsroom import forms
from spectator.publishing.page_drafts import PAGE_FIELDS, PageDraft, draft_from_page
from spectator.text.compare.loss_guard import Losses
from spectator.text.html.paragraphs import editable_body
from spectator.text.words.numbers import parse_int

FIELDS = (*PAGE_FIELDS, forms.FORM_ID_FIELD)
LABELS = {name: row.label for name, row in PAGE_FIELDS.items()}


@dataclass(slots=True)
class PageForm:
    """The values of the form of a page as text, and its errors.

    `version` is the page's version when the form was opened. `losses` asks about what a save would
    remove from the text. The template of languages reads `language_mismatch`.
    """

    values: dict[str, str]
    version: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    losses: Losses | None = None
    language_mismatch: str = ""

    def draft(self) -> PageDraft:
        """Return the values as a draft, not validated yet."""
        lines = {name: self.values[name] for name in PAGE_FIELDS if name != "parent"}
        return PageDraft(parent=parse_int(self.values["parent"]) or None, **lines)


def blank_form() -> PageForm:
    """Return the form of a new page."""
    language = {"language": current_app.config["LANGUAGE"]}
    return PageForm(dict.fromkeys(PAGE_FIELDS, "") | language | _new_id())


def form_from_page(page: Page) -> PageForm:
    """Return the form of a page as stored."""
    return PageForm(values_from_draft(draft_from_page(page)) | _new_id(), page.version)


def values_from_draft(draft: PageDraft) -> dict[str, str]:
    """Return the form values of a draft."""
    values = {name: getattr(draft, name) for name in PAGE_FIELDS}
    return values | {"parent": str(draft.parent or ""), "body": editable_body(draft.body)}


def form_from_request() -> PageForm:
    """Return the submitted form."""
    sent = request.form
    values = {name: forms.normalize_line_breaks(sent.get(name, "")) for name in PAGE_FIELDS}
    if values["language"] == forms.OTHER_LANGUAGE:
        values["language"] = sent.get("language_other", "").strip()
    form_id = forms.requested_form_id(sent)
    own_id = {forms.FORM_ID_FIELD: form_id} if form_id else _new_id()
    return PageForm(values | own_id, forms.parse_version(sent))


def _new_id() -> dict[str, str]:
    return {forms.FORM_ID_FIELD: forms.new_form_id()}
