"""Edit conflicts: two versions of a story, field by field, with a proposed merge to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import render_template, request

from spectator import publishing, queries
from spectator.i18n import gettext
from spectator.models import Article, Autosave, User
from spectator.newsroom import forms, submissions
from spectator.newsroom.forms import StoryForm
from spectator.newsroom.media import picture_from_token, picture_token
from spectator.newsroom.story_references import comparable_reference
from spectator.publishing.fields import FIELDS, LABELS, NAME_FIELDS, STORY_FIELDS
from spectator.text.compare.diff import DiffPiece, diff_bodies, diff_lines
from spectator.text.compare.merge import merge_bodies, merge_line, merge_names
from spectator.text.html.paragraphs import editable_body, stored_body
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.name_lists import join_names, split_names

CHOICES = frozenset({"mine", "theirs", "together"})
MAX_COMPARED = 3  # unsaved forms on one page: each may hold a megabyte and take a second
DATE = "published_at"  # not a field of a draft, but a form that was opened earlier has an old one


@dataclass(frozen=True, slots=True)
class Difference:
    """A field whose value differs between two versions: the user's and another, saved one.

    The conflict page calls them "mine" and "theirs". `choice` is the proposed version, "" for
    none. `merged` combines both versions, None if they cannot be merged; `conflict_count` is the
    number of paragraphs that both versions changed. The merge is proposed only if there are no
    conflicts: a person has to resolve those.
    """

    name: str
    ours: str
    theirs: str
    choice: str = ""
    merged: str | None = None
    conflict_count: int = 0

    @property
    def diff_by_side(self) -> dict[str, list[list[DiffPiece]]]:
        """Return the paragraphs of both versions, "mine" and "theirs", as lists of diff pieces."""
        if self.name == "body":
            blocks = [block.pieces for block in diff_bodies(self.theirs, self.ours)]
        else:
            blocks = [diff_lines(self.theirs, self.ours)]
        return {"mine": _without(blocks, "removed"), "theirs": _without(blocks, "added")}

    @property
    def label(self) -> str:
        """Return the field's label in the form."""
        return forms.FORM_LABELS[self.name]


def _without(blocks: list[list[DiffPiece]], kind: str) -> list[list[DiffPiece]]:
    """Return the blocks without the pieces of one kind; drop blocks that become empty."""
    remaining = ([piece for piece in pieces if piece.kind != kind] for pieces in blocks)
    return [pieces for pieces in remaining if pieces]


@dataclass(frozen=True, slots=True)
class UnsavedChanges:
    """An unsaved form beside the form on the page."""

    autosave: Autosave
    differences: list[Difference] | None = None  # None: not compared


class MergeIncomplete(Exception):
    """A merge in which some fields have no choice yet; `form` holds what was sent."""

    def __init__(self, form: StoryForm, field_names: list[str]) -> None:
        super().__init__(", ".join(field_names))
        self.form = form
        self.field_names = field_names


def comparable_values(form: StoryForm) -> dict[str, str]:
    """Return the values of a form to compare: the body as stored, the picture by its id."""
    values = {name: form.values[name] for name in LABELS if name != "picture"}
    values |= {name: join_names(list(split_names(values[name]))) for name in NAME_FIELDS}
    values |= {name: comparable_reference(values[name]) for name in STORY_FIELDS}
    picture = f"{form.picture.id}" if form.picture else ""
    return values | {"body": stored_body(values["body"]), "picture": picture}


def has_same_content(form: StoryForm, other_form: StoryForm) -> bool:
    """Return whether two forms hold the same story; an empty slug matches any."""
    ours, other = comparable_values(form), comparable_values(other_form)
    return all(text == other[name] for name, text in ours.items() if name != "slug" or text)


def compare_unsaved(
    rows: Sequence[Autosave], current_form: StoryForm, user: User
) -> list[UnsavedChanges]:
    """Return unsaved forms, newest first, the newest few with their differences."""
    theirs = comparable_values(current_form) if rows else {}
    compared = [
        UnsavedChanges(row, _differences(forms.form_from_autosave(row, user), theirs))
        for row in rows[:MAX_COMPARED]
    ]
    return compared + [UnsavedChanges(row) for row in rows[MAX_COMPARED:]]


def _differences(form: StoryForm, theirs: dict[str, str]) -> list[Difference]:
    """Return the fields of an unsaved form that differ, as plain text."""
    ours = comparable_values(form)
    names = [name for name in LABELS if ours[name] != theirs[name]]
    return [
        Difference(name, _as_plain_text(name, ours), _as_plain_text(name, theirs))
        for name in names
    ]


def _as_plain_text(name: str, values: dict[str, str]) -> str:
    if name == "picture":
        return gettext("A picture") if values[name] else gettext("No picture")
    return plain_text(values[name]) if name == "body" else values[name]


def render_conflict(
    form: StoryForm, article: Article, user: User, undecided_fields: list[str] | None = None
) -> str:
    """Return the page that shows the user's text beside the newest version, with a merge.

    `missing` names the fields for which the submitted page had no choice.
    """
    newest = forms.form_from_article(article, form.zone)
    base = queries.revision_at_version(article.id, form.version)
    base_values = None
    if base:
        draft = publishing.draft_from_revision(base.content)
        base_values = comparable_values(StoryForm(forms.values_from_draft(draft)))
    ours, theirs = comparable_values(form), comparable_values(newest)
    ours["slug"] = ours["slug"] or theirs["slug"]
    differences = [
        _compare_field(name, ours, theirs, base_values)
        for name in LABELS
        if ours[name] != theirs[name]
    ]
    if publishing.is_publisher(user) and article.status in forms.DATED_STATUSES:
        differences += _compare_dates(form, newest)
    if undecided_fields:
        differences = [_with_submitted_choice(difference) for difference in differences]
    differing_names = {difference.name for difference in differences}
    return render_template(
        "newsroom/conflict.html",
        form=form,
        article=article,
        newest=newest,
        differences=differences,
        undecided_fields=undecided_fields or [],
        pending_action=submissions.requested_action(),
        saved_by=queries.last_saved_by(article.id),
        picture_token=picture_token(form.picture, user),
        unchanged_values={
            name: form.values[name]
            for name in forms.CONTENT_FIELDS
            if name not in differing_names
        },
        actions=publishing.allowed_actions(user, article),
        message_fields=forms.MESSAGE_FIELDS,
    )


def _compare_dates(form: StoryForm, newest: StoryForm) -> list[Difference]:
    """Return the difference of the publication dates, if there is one.

    The form then knows the newest date, with which its own is compared when it is saved.
    """
    base, ours, theirs = form.values[f"{DATE}_was"], form.values[DATE], newest.values[DATE]
    form.values[f"{DATE}_was"] = theirs
    choice = "theirs" if ours == base else "mine" if theirs == base else ""
    return [Difference(DATE, ours, theirs, choice)] if ours != theirs else []


def _with_submitted_choice(difference: Difference) -> Difference:
    """Return a field with the choice and the combined text that the page sent."""
    sent, name = request.form, difference.name
    choice = sent.get(f"choice.{name}", "")
    merged = sent.get(f"together.{name}", difference.merged)
    return replace(difference, choice=choice if choice in CHOICES else "", merged=merged)


def _compare_field(
    name: str,
    our_values: dict[str, str],
    their_values: dict[str, str],
    base_values: dict[str, str] | None,
) -> Difference:
    ours, other = our_values[name], their_values[name]
    base = base_values[name] if base_values and name not in {"picture", "slug"} else None
    if name == "body":
        merged = merge_bodies(base if base is not None else "", ours, other)
        choice = "" if merged.conflicts else "together"
        return Difference(name, ours, other, choice, editable_body(merged.body), merged.conflicts)
    if name in NAME_FIELDS:
        versions = split_names(base or ""), split_names(ours), split_names(other)
        names = join_names(list(merge_names(*versions)))
        is_conflict = FIELDS[name].is_ordered and _have_both_replaced(*versions)
        choice = "" if is_conflict else "together"
        return Difference(name, ours, other, choice, names, int(is_conflict))
    line = merge_line(base, ours, other) if base is not None else None
    choice = "" if line is None else "mine" if line == ours else "theirs"
    return Difference(name, ours, other, choice)


def _have_both_replaced(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Return whether both versions replaced names, perhaps with spellings of the same person."""
    return all(set(base) - set(side) and set(side) - set(base) for side in (ours, theirs))


def build_merged_form(article: Article, user: User) -> StoryForm:
    """Return the form that results from the user's choices; raises MergeIncomplete."""
    sent = request.form
    form = StoryForm(
        forms.parse_values(sent),
        forms.parse_version(sent),
        picture_from_token(sent.get("picture_id", ""), user),
    )
    newest, undecided = forms.form_from_article(article, form.zone), []
    for name in forms.COMPARED_FIELDS:
        choice = sent.get(f"choice.{name}", "")
        if f"mine.{name}" not in sent:
            continue
        if name == "picture":
            picture = picture_from_token(sent["mine.picture"], user)
            form.picture = newest.picture if choice == "theirs" else picture
        else:
            versions = {
                "theirs": newest.values[name],
                "together": sent.get(f"together.{name}", ""),
            }
            form.values[name] = versions.get(choice, sent[f"mine.{name}"]).replace("\r\n", "\n")
        if name == DATE and choice == "theirs":
            form.values[f"{DATE}_choice"] = newest.values[f"{DATE}_choice"]
        form.copies_text |= choice == "theirs" and name != DATE
        if choice not in CHOICES:
            undecided.append(name)
    if undecided:
        raise MergeIncomplete(form, undecided)
    return form


def build_partial_form(article: Article, user: User) -> StoryForm:
    """Return the form that results from the user's choices, their own text where they made none."""
    try:
        return build_merged_form(article, user)
    except MergeIncomplete as error:
        return error.form
