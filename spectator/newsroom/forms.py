"""The story form: its values, their errors, and the draft built from them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import current_app, request

from spectator import publishing, queries, times
from spectator.i18n import gettext, lazy_gettext
from spectator.media import PictureError
from spectator.models import DEFAULT_STORY_KIND, Article, Autosave, Picture, User
from spectator.newsroom.media import accept_upload, picture_from_token, picture_token
from spectator.newsroom.preferences import current_zone, find_zone, newsroom_zone
from spectator.newsroom.story_references import known_reference, reference_number
from spectator.publishing import Draft
from spectator.publishing.fields import LABELS, LINE_FIELDS, NAME_FIELDS, STORY_FIELDS
from spectator.publishing.validation import body_size_problem
from spectator.text.compare.loss_guard import Losses
from spectator.text.html.paragraphs import editable_body
from spectator.text.words.name_lists import join_names, split_names
from spectator.text.words.numbers import parse_int

CONTENT_FIELDS = (
    *LINE_FIELDS,
    *NAME_FIELDS,
    "body",
    "published_at",
    "published_at_choice",  # which of two moments an ambiguous time means
    "published_at_was",  # the date in the form when it was opened
    "published_at_zone",  # the time zone of these dates
)
# Messages to readers or colleagues, beside the story.
MESSAGE_FIELDS = ("note", "note_kind", "is_minor", "remark")
# The field, and the parameter in URLs, with the id of an opened form: it identifies the form's
# autosave, and shows that a form was sent twice. Open pages and browsers' stored text have this old
# name, so pages go on sending it; requests may use `form_id` instead.
FORM_ID_FIELD = "copy"
# The fields whose values a form keeps and an autosave stores. Pressed buttons and answers to
# questions are read from the request.
FIELDS = (*CONTENT_FIELDS, *MESSAGE_FIELDS, FORM_ID_FIELD)
# The values of fields that a form or an autosave of an older version does not have.
INITIAL_VALUES = dict.fromkeys(FIELDS, "") | {"kind": DEFAULT_STORY_KIND}
# The statuses in which editors may change the publish date.
DATED_STATUSES = frozenset({"draft", "review", "scheduled", "published"})
# The longest autosaved value other than the body, in characters. A story's limits are no higher.
MAX_VALUE_LENGTH = 5000
FORM_LABELS = LABELS | {
    "note": lazy_gettext("Note to readers"),
    "note_kind": lazy_gettext("Kind of note"),
    "published_at": lazy_gettext("Publish date"),
    # "now" or "date": what to do about a planned time that has passed
    "plan": lazy_gettext("Publish date"),
    "remark": lazy_gettext("Remark"),
    "reason": lazy_gettext("Reason"),
}
# What two versions of a story may differ in.
COMPARED_FIELDS = (*LABELS, "published_at")
OTHER_LANGUAGE = "other"  # the option that lets an editor type a language tag
FORM_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{20,40}", re.ASCII)


@dataclass(slots=True)
class StoryForm:
    """The values of the story form as text, with its picture and errors.

    `version` is the story's version when the form was opened. `copies_text` is set if some of it
    is stored text, which the user did not send. The last four fields are questions to the user: the
    moments that an ambiguous local time may mean, what a save would remove from the story, new
    names that look like existing ones, and a language and a script that do not fit together.
    """

    values: dict[str, str]
    version: int = 0
    picture: Picture | None = None
    errors: dict[str, str] = field(default_factory=dict)
    copies_text: bool = False
    time_choices: list[times.TimeChoice] = field(default_factory=list)
    losses: Losses | None = None
    spelling_questions: Sequence[publishing.SpellingQuestion] = ()
    language_mismatch: str = ""

    @property
    def form_id(self) -> str:
        """The id of the opened form."""
        return self.values[FORM_ID_FIELD]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the form's dates.

        A form keeps it when the person chooses another one. Forms of older versions name none:
        their dates are in the newsroom's.
        """
        return find_zone(self.values["published_at_zone"]) or newsroom_zone()

    def draft(self) -> Draft:
        """Return the values as a draft, not validated yet."""
        lines = {name: self.values[name] for name in LINE_FIELDS}
        lines |= {name: reference_number(self.values[name]) for name in STORY_FIELDS}
        names = {name: split_names(self.values[name]) for name in NAME_FIELDS}
        picture_id = self.picture.id if self.picture else None
        return Draft(body=self.values["body"], picture_id=picture_id, **lines, **names)  # type: ignore[arg-type]


def new_form_id() -> str:
    """Return an unguessable id for a new form."""
    return secrets.token_urlsafe(16)


def blank_form() -> StoryForm:
    """Return the form of a new story."""
    return StoryForm(
        INITIAL_VALUES
        | {
            "language": current_app.config["LANGUAGE"],
            FORM_ID_FIELD: new_form_id(),
            "published_at_zone": current_zone().key,
        }
    )


def form_from_article(article: Article, zone: ZoneInfo | None = None) -> StoryForm:
    """Return the form of a story as stored, with its date in this zone or else the user's."""
    form = StoryForm(
        values_from_draft(publishing.draft_from_article(article)),
        article.version,
        article.picture,
    )
    form.values["published_at_zone"] = (zone or current_zone()).key
    if article.status in DATED_STATUSES and article.published_at is not None:
        local = article.published_at.astimezone(form.zone)
        form.values["published_at"] = form.values["published_at_was"] = f"{local:%Y-%m-%dT%H:%M}"
        form.time_choices = times.time_choices(local.replace(tzinfo=None), form.zone)
        if form.time_choices:
            form.values["published_at_choice"] = f"{article.published_at:%Y-%m-%dT%H:%MZ}"
    return form


def values_from_draft(draft: Draft) -> dict[str, str]:
    """Return the form values of a stored draft. Originals have numbers that the user may know."""
    values = INITIAL_VALUES | {name: getattr(draft, name) for name in LINE_FIELDS}
    values |= {name: known_reference(values[name]) for name in STORY_FIELDS}
    values |= {name: join_names(list(getattr(draft, name))) for name in NAME_FIELDS}
    return values | {"body": editable_body(draft.body), FORM_ID_FIELD: new_form_id()}


def form_from_autosave(row: Autosave, by: User) -> StoryForm:
    """Return the form as last autosaved."""
    values = INITIAL_VALUES | {
        name: str(text) for name, text in row.values.items() if name in FIELDS
    }
    form = StoryForm(
        values | {FORM_ID_FIELD: row.form_id},
        row.version,
        picture_from_token(row.values.get("picture_id", ""), by),
    )
    publication_time(form)  # only to set the choices of an ambiguous time
    form.errors.clear()
    return form


def parse_values(data: Mapping[str, str]) -> dict[str, str]:
    """Return every field of a form with normalized line breaks, without U+0000, and a valid id."""
    values = {
        name: normalize_line_breaks(data.get(name, initial))
        for name, initial in INITIAL_VALUES.items()
    }
    zones = (*times.time_zone_names(), newsroom_zone().key)
    if values["published_at_zone"] not in zones:
        values["published_at_zone"] = current_zone().key
    if values["language"] == OTHER_LANGUAGE:
        values["language"] = data.get("language_other", "").strip()
    return values | {FORM_ID_FIELD: requested_form_id(data) or new_form_id()}


def requested_form_id(data: Mapping[str, str]) -> str:
    """Return the form id in a form or a query, "" if there is none or it is invalid."""
    form_id = data.get(FORM_ID_FIELD) or data.get("form_id", "")
    return form_id if FORM_ID_PATTERN.fullmatch(form_id) else ""


def normalize_line_breaks(text: str) -> str:
    """Return a text with line feeds only, and without U+0000."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def parse_version(data: Mapping[str, str]) -> int:
    """Return the version that a form started from, 0 if it is missing or invalid."""
    return parse_int(data.get("version", ""))


def form_from_request(by: User) -> StoryForm:
    """Return the submitted form; store its picture at once, so that no error can lose it."""
    sent = request.form
    form = StoryForm(parse_values(sent), parse_version(sent))
    token = sent.get("picture_id", "")
    if token and "remove_picture" not in sent:
        form.picture = picture_from_token(token, by)
        if form.picture is None:
            form.errors["picture"] = gettext("This picture is gone; upload it again.")
    upload = request.files.get("picture")
    if upload is not None and upload.filename:
        try:
            form.picture = queries.picture(accept_upload(upload, by))
        except PictureError as error:
            form.errors["picture"] = str(error)
    return form


def autosaved_values(by: User) -> dict[str, str]:
    """Return the values to autosave: the fields, and the picture if the user may use it."""
    token = request.form.get("picture_id", "")
    may_use = "remove_picture" not in request.form and picture_from_token(token, by) is not None
    return parse_values(request.form) | {"picture_id": token if may_use else ""}


def is_too_long(values: Mapping[str, str]) -> bool:
    """Return whether any value is too long for an autosave."""
    if body_size_problem(values["body"]):
        return True
    return any(len(text) > MAX_VALUE_LENGTH for name, text in values.items() if name != "body")


def publication_time(form: StoryForm) -> datetime | None:
    """Return the publication time in UTC; add an error if it is invalid or ambiguous."""
    text = form.values["published_at"].strip()
    if not text:
        return None
    try:
        wall_time = datetime.fromisoformat(text).replace(tzinfo=None)
        moments = times.possible_moments(wall_time, form.zone)
    except (ValueError, OverflowError):
        form.errors["published_at"] = gettext(
            "Enter a date and time, for example 2026-11-22T14:05."
        )
        return None
    if wall_time.year < 1000:  # a browser sends the year 26 as 0026
        form.errors["published_at"] = gettext("Enter the year in full, for example 2026.")
        return None
    if len(moments) == 1:
        return moments[0]
    form.time_choices = times.time_choices(wall_time, form.zone)
    for choice in form.time_choices:
        if choice.value == form.values["published_at_choice"]:
            return choice.at
    form.errors["published_at"] = times.explain_ambiguous_time(wall_time, form.zone)
    return None


def form_picture_token(form: StoryForm, by: User) -> str:
    """Return the signed token of the form's picture."""
    return picture_token(form.picture, by)
