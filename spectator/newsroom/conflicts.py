"""Two versions of one story: shown field by field, merged as far as they agree, chosen from by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import render_template, request

from spectator import publishing, queries
from spectator.models import Article, Autosave, User
from spectator.newsroom import forms
from spectator.newsroom.forms import StoryForm, join_names, split_names
from spectator.newsroom.media import picture_from_token, picture_token
from spectator.text.compare.diff import DiffPiece, diff_bodies, diff_lines
from spectator.text.compare.merge import merge_bodies, merge_line, merge_names
from spectator.text.html.paragraphs import editable_body, stored_body
from spectator.text.html.sanitizer import plain_text

FIELD_LABELS = {
    "headline": "Headline",
    "dek": "Standfirst",
    "body": "Story",
    "section": "Section",
    "language": "Language",
    "slug": "Web address (URL)",
    "authors": "Byline",
    "countries": "Countries",
    "topics": "Topics",
    "source_name": "Source",
    "source_url": "Source link",
    "picture": "Lead picture",
    "picture_alt": "Alt text",
    "picture_caption": "Caption",
    "picture_credit": "Credit",
}


CHOICES = frozenset({"mine", "theirs", "together"})
MAX_COMPARED = 3  # unsaved forms on one page: each may hold a megabyte, and a second's work


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two versions hold differently, as it is shown: `choice` is what is proposed, "" for nothing.

    `together` is the two merged, None where they cannot be; `clashes` counts the places that both have changed. Two
    merged are proposed only where nothing clashes: what both changed needs a person's choice.
    """

    name: str
    ours: str
    theirs: str
    choice: str = ""
    merged: str | None = None
    conflict_count: int = 0

    @property
    def diff_by_side(self) -> dict[str, list[list[DiffPiece]]]:
        """Return both versions, "mine" and "theirs", as paragraphs of pieces in which what differs is not "same"."""
        if self.name == "body":
            blocks = [each.pieces for each in diff_bodies(self.theirs, self.ours)]
        else:
            blocks = [diff_lines(self.theirs, self.ours)]
        left_out = {"mine": "removed", "theirs": "added"}
        return {
            side: [
                kept
                for pieces in blocks
                if (kept := [each for each in pieces if each.kind != kind])
            ]
            for side, kind in left_out.items()
        }

    @property
    def label(self) -> str:
        """Return what the form calls the field."""
        return FIELD_LABELS[self.name]


@dataclass(frozen=True, slots=True)
class UnsavedChanges:
    """A form that was typed and not saved, beside the form that is shown."""

    autosave: Autosave
    differences: list[Difference] | None = None  # None: it was not compared


class MergeIncomplete(Exception):
    """A choice between two versions of a field is still to be made; the form holds what was sent."""

    def __init__(self, form: StoryForm, field_names: list[str]) -> None:
        super().__init__(", ".join(field_names))
        self.form = form
        self.field_names = field_names


def comparable_values(form: StoryForm) -> dict[str, str]:
    """Return what a form holds in a shape that can be compared: the body as it would be stored, pictures by name."""
    values = {name: form.values[name] for name in FIELD_LABELS if name != "picture"}
    values |= {name: join_names(list(split_names(values[name]))) for name in forms.NAME_FIELDS}
    picture = f"{form.picture.id}" if form.picture else ""
    return values | {"body": stored_body(values["body"]), "picture": picture}


def has_same_content(form: StoryForm, other_form: StoryForm) -> bool:
    """Say whether two forms hold the same story; an address left empty agrees with any."""
    ours, other = comparable_values(form), comparable_values(other_form)
    return all(text == other[name] for name, text in ours.items() if name != "slug" or text)


def compare_unsaved(
    rows: Sequence[Autosave], current_form: StoryForm, user: User
) -> list[UnsavedChanges]:
    """Return a person's unsaved forms, newest first; the newest few with what they say differently from `shown`."""
    theirs = comparable_values(current_form) if rows else {}
    compared = [
        UnsavedChanges(row, _differences(forms.form_from_autosave(row, user), theirs))
        for row in rows[:MAX_COMPARED]
    ]
    return compared + [UnsavedChanges(row) for row in rows[MAX_COMPARED:]]


def _differences(typed: StoryForm, theirs: dict[str, str]) -> list[Difference]:
    """Return what an unsaved form says differently, as plain text."""
    mine = comparable_values(typed)
    names = [name for name in FIELD_LABELS if mine[name] != theirs[name]]
    return [
        Difference(name, _as_plain_text(name, mine), _as_plain_text(name, theirs)) for name in names
    ]


def _as_plain_text(name: str, values: dict[str, str]) -> str:
    if name == "picture":
        return "A picture" if values[name] else "None"
    return plain_text(values[name]) if name == "body" else values[name]


def render_conflict(
    form: StoryForm, article: Article, user: User, missing: list[str] | None = None
) -> str:
    """Return the page that shows a person's text beside the newest version, with a merge to choose from."""
    newest = forms.form_from_article(article)
    base = queries.revision_at_version(article.id, form.version)
    begun = (
        comparable_values(
            StoryForm(forms.values_from_draft(publishing.draft_from_revision(base.content)))
        )
        if base
        else None
    )
    mine, theirs = comparable_values(form), comparable_values(newest)
    mine["slug"] = mine["slug"] or theirs["slug"]
    found = [
        _compare_field(name, mine, theirs, begun)
        for name in FIELD_LABELS
        if mine[name] != theirs[name]
    ]
    if missing:
        found = [_with_submitted_choice(difference) for difference in found]
    return render_template(
        "newsroom/conflict.html",
        form=form,
        article=article,
        newest=newest,
        differences=found,
        missing=missing or [],
        then=forms.requested_action(),
        by=queries.last_saved_by(article.id),
        mine_picture=picture_token(form.picture, user),
        same={
            name: form.values[name]
            for name in forms.CONTENT_FIELDS
            if name not in {each.name for each in found}
        },
        verbs=publishing.allowed_actions(user, article),
        said=forms.MESSAGE_FIELDS,
    )


def _with_submitted_choice(difference: Difference) -> Difference:
    """Return a field with the choice and the combined text of the page that was sent without all choices."""
    sent, name = request.form, difference.name
    choice = sent.get(f"choice.{name}", "")
    together = sent.get(f"together.{name}", difference.merged)
    return replace(difference, choice=choice if choice in CHOICES else "", merged=together)


def _compare_field(
    name: str,
    our_values: dict[str, str],
    their_values: dict[str, str],
    base_values: dict[str, str] | None,
) -> Difference:
    ours, other = our_values[name], their_values[name]
    begun = base_values[name] if base_values and name not in {"picture", "slug"} else None
    if name == "body":
        merged = merge_bodies(begun if begun is not None else "", ours, other)
        choice = "" if merged.conflicts else "together"
        return Difference(name, ours, other, choice, editable_body(merged.body), merged.conflicts)
    if name in forms.NAME_FIELDS:
        names = merge_names(split_names(begun or ""), split_names(ours), split_names(other))
        is_clash = name == "authors" and _have_both_replaced(
            split_names(begun or ""), split_names(ours), split_names(other)
        )
        return Difference(
            name,
            ours,
            other,
            "" if is_clash else "together",
            join_names(list(names)),
            int(is_clash),
        )
    line = merge_line(begun, ours, other) if begun is not None else None
    choice = "" if line is None else "mine" if line == ours else "theirs"
    return Difference(name, ours, other, choice)


def _have_both_replaced(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Say whether both put other names in the place of names that were there: they may mean one person."""
    return all(set(base) - set(side) and set(side) - set(base) for side in (ours, theirs))


def build_merged_form(article: Article, user: User) -> StoryForm:
    """Return the form that a person's choices make, begun from the version they were shown; raises NotChosen."""
    sent, newest = request.form, forms.form_from_article(article)
    form = StoryForm(
        forms.parse_values(sent),
        forms.parse_version(sent),
        picture_from_token(sent.get("picture_id", ""), user),
    )
    missing = []
    for name in FIELD_LABELS:
        choice, is_mine = sent.get(f"choice.{name}", ""), f"mine.{name}" in sent
        if not is_mine:
            continue
        if name == "picture":
            mine = picture_from_token(sent["mine.picture"], user)
            form.picture = newest.picture if choice == "theirs" else mine
        else:
            source = {"theirs": newest.values[name], "together": sent.get(f"together.{name}", "")}
            form.values[name] = source.get(choice, sent[f"mine.{name}"]).replace("\r\n", "\n")
        if choice not in CHOICES:
            missing.append(name)
    if missing:
        raise MergeIncomplete(form, missing)
    return form


def build_partial_form(article: Article, user: User) -> StoryForm:
    """Return the form that a person's choices make, with their own text where nothing was chosen."""
    try:
        return build_merged_form(article, user)
    except MergeIncomplete as missing:
        return missing.form
