"""Two versions of one story: shown field by field, merged as far as they agree, chosen from by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import render_template, request

from spectator import publishing, queries
from spectator.models import Article, Autosave, User
from spectator.newsroom import forms
from spectator.newsroom.forms import StoryForm, in_one_line, names_in
from spectator.newsroom.media import claimed_picture, picture_token
from spectator.text.differences import Piece, body_differences, line_differences
from spectator.text.html import plain_text
from spectator.text.merging import merge_bodies, merge_line, merge_names
from spectator.text.paragraphs import editable, stored_body

LABELS = {
    "headline": "Headline",
    "dek": "Dek",
    "body": "Text",
    "section": "Section",
    "language": "Language",
    "slug": "Address",
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
    mine: str
    theirs: str
    choice: str = ""
    together: str | None = None
    clashes: int = 0

    @property
    def marked(self) -> dict[str, list[list[Piece]]]:
        """Return both versions, "mine" and "theirs", as paragraphs of pieces in which what differs is not "same"."""
        if self.name == "body":
            blocks = [each.pieces for each in body_differences(self.theirs, self.mine)]
        else:
            blocks = [line_differences(self.theirs, self.mine)]
        left_out = {"mine": "removed", "theirs": "added"}
        return {
            side: [kept for pieces in blocks if (kept := [each for each in pieces if each.kind != kind])]
            for side, kind in left_out.items()
        }

    @property
    def label(self) -> str:
        """Return what the form calls the field."""
        return LABELS[self.name]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """A form that was typed and not saved, beside the form that is shown."""

    row: Autosave
    differences: list[Difference] | None = None  # None: it was not compared


class NotChosen(Exception):
    """A choice between two versions of a field is still to be made; the form holds what was sent."""

    def __init__(self, form: StoryForm, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.form = form
        self.names = names


def fields(form: StoryForm) -> dict[str, str]:
    """Return what a form holds in a shape that can be compared: the body as it would be stored, pictures by name."""
    values = {name: form.values[name] for name in LABELS if name != "picture"}
    values |= {name: in_one_line(list(names_in(values[name]))) for name in forms.NAMES}
    picture = f"{form.picture.id}" if form.picture else ""
    return values | {"body": stored_body(values["body"]), "picture": picture}


def is_same(mine: StoryForm, theirs: StoryForm) -> bool:
    """Say whether two forms hold the same story; an address left empty agrees with any."""
    ours, other = fields(mine), fields(theirs)
    return all(text == other[name] for name, text in ours.items() if name != "slug" or text)


def unsaved(rows: Sequence[Autosave], shown: StoryForm, user: User) -> list[Unsaved]:
    """Return a person's unsaved forms, newest first; the newest few with what they say differently from `shown`."""
    theirs = fields(shown) if rows else {}
    compared = [Unsaved(row, _differences(forms.of_autosave(row, user), theirs)) for row in rows[:MAX_COMPARED]]
    return compared + [Unsaved(row) for row in rows[MAX_COMPARED:]]


def _differences(typed: StoryForm, theirs: dict[str, str]) -> list[Difference]:
    """Return what an unsaved form says differently, as plain text."""
    mine = fields(typed)
    names = [name for name in LABELS if mine[name] != theirs[name]]
    return [Difference(name, _readable(name, mine), _readable(name, theirs)) for name in names]


def _readable(name: str, values: dict[str, str]) -> str:
    if name == "picture":
        return "A picture" if values[name] else "None"
    return plain_text(values[name]) if name == "body" else values[name]


def page(form: StoryForm, article: Article, user: User, missing: list[str] | None = None) -> str:
    """Return the page that shows a person's text beside the newest version, with a merge to choose from."""
    newest = forms.of_article(article)
    base = queries.revision_at_version(article.id, form.version)
    begun = fields(StoryForm(forms.of_draft(publishing.draft_of(base.content)))) if base else None
    mine, theirs = fields(form), fields(newest)
    mine["slug"] = mine["slug"] or theirs["slug"]
    found = [_difference(name, mine, theirs, begun) for name in LABELS if mine[name] != theirs[name]]
    if missing:
        found = [_as_sent(difference) for difference in found]
    return render_template(
        "newsroom/conflict.html",
        form=form,
        article=article,
        newest=newest,
        differences=found,
        missing=missing or [],
        then=forms.verb(),
        by=queries.last_saved_by(article.id),
        mine_picture=picture_token(form.picture, user),
        same={name: form.values[name] for name in forms.CONTENT if name not in {each.name for each in found}},
        verbs=publishing.verbs(user, article),
        said=forms.SAID,
    )


def _as_sent(difference: Difference) -> Difference:
    """Return a field with the choice and the combined text of the page that was sent without all choices."""
    sent, name = request.form, difference.name
    choice = sent.get(f"choice.{name}", "")
    together = sent.get(f"together.{name}", difference.together)
    return replace(difference, choice=choice if choice in CHOICES else "", together=together)


def _difference(name: str, mine: dict[str, str], theirs: dict[str, str], base: dict[str, str] | None) -> Difference:
    ours, other = mine[name], theirs[name]
    begun = base[name] if base and name not in {"picture", "slug"} else None
    if name == "body":
        merged = merge_bodies(begun if begun is not None else "", ours, other)
        choice = "" if merged.clashes else "together"
        return Difference(name, ours, other, choice, editable(merged.body), merged.clashes)
    if name in forms.NAMES:
        names = merge_names(names_in(begun or ""), names_in(ours), names_in(other))
        is_clash = name == "authors" and _have_both_replaced(names_in(begun or ""), names_in(ours), names_in(other))
        return Difference(name, ours, other, "" if is_clash else "together", in_one_line(list(names)), int(is_clash))
    line = merge_line(begun, ours, other) if begun is not None else None
    choice = "" if line is None else "mine" if line == ours else "theirs"
    return Difference(name, ours, other, choice)


def _have_both_replaced(begun: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Say whether both put other names in the place of names that were there: they may mean one person."""
    return all(set(begun) - set(side) and set(side) - set(begun) for side in (mine, theirs))


def chosen(article: Article, user: User) -> StoryForm:
    """Return the form that a person's choices make, begun from the version they were shown; raises NotChosen."""
    sent, newest = request.form, forms.of_article(article)
    form = StoryForm(forms.entries(sent), forms.version_in(sent), claimed_picture(sent.get("picture_id", ""), user))
    missing = []
    for name in LABELS:
        choice, is_mine = sent.get(f"choice.{name}", ""), f"mine.{name}" in sent
        if not is_mine:
            continue
        if name == "picture":
            mine = claimed_picture(sent["mine.picture"], user)
            form.picture = newest.picture if choice == "theirs" else mine
        else:
            source = {"theirs": newest.values[name], "together": sent.get(f"together.{name}", "")}
            form.values[name] = source.get(choice, sent[f"mine.{name}"]).replace("\r\n", "\n")
        if choice not in CHOICES:
            missing.append(name)
    if missing:
        raise NotChosen(form, missing)
    return form


def chosen_so_far(article: Article, user: User) -> StoryForm:
    """Return the form that a person's choices make, with their own text where nothing was chosen."""
    try:
        return chosen(article, user)
    except NotChosen as missing:
        return missing.form
