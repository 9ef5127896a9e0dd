"""The story form: what a person sent, held as it came until it can be stored, and the draft made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import current_app, request

from spectator import publishing, queries
from spectator.media import PictureRefused
from spectator.models import Article, Picture, User
from spectator.newsroom.media import claimed_picture, receive
from spectator.publishing import Draft, Invalid
from spectator.text.paragraphs import editable

# All that a form may say; anything else in a request is not looked at.
LINES = (
    "headline",
    "dek",
    "section",
    "language",
    "slug",
    "source_name",
    "source_url",
    "picture_alt",
    "picture_caption",
    "picture_credit",
)
NAMES = ("authors", "countries", "topics")
FIELDS = (*LINES, *NAMES, "body", "note", "published_at")
CLOCK_SLACK = timedelta(minutes=1)


@dataclass(slots=True)
class StoryForm:
    """The form as it is shown: every entry as text, the picture it holds, the version it began from, what is wrong."""

    values: dict[str, str]
    version: int = 0
    picture: Picture | None = None
    errors: dict[str, str] = field(default_factory=dict)

    def draft(self) -> Draft:
        """Return the draft that the entries make; `publishing` says what is wrong with it."""
        lines = {name: self.values[name] for name in LINES}
        names = {name: names_in(self.values[name]) for name in NAMES}
        picture_id = self.picture.id if self.picture else None
        return Draft(body=self.values["body"], picture_id=picture_id, **lines, **names)  # type: ignore[arg-type]


def blank() -> StoryForm:
    """Return the form of a new story."""
    return StoryForm(dict.fromkeys(FIELDS, "") | {"language": current_app.config["LANGUAGE"]})


def of_article(article: Article) -> StoryForm:
    """Return the form of a story as it is stored."""
    values = dict.fromkeys(FIELDS, "") | {name: getattr(article, name) for name in LINES if name != "section"}
    values |= {name: in_one_line([each.name for each in getattr(article, name)]) for name in NAMES}
    values |= {"section": article.section.slug, "body": editable(article.body)}
    if article.status == "draft" and article.published_at is not None:
        local = article.published_at.astimezone(ZoneInfo(current_app.config["TIMEZONE"]))
        values["published_at"] = f"{local:%Y-%m-%dT%H:%M}"
    return StoryForm(values, article.version, article.picture)


def posted(by: User) -> StoryForm:
    """Return the form as it was sent; a good picture in it is stored already, so that nothing can lose it."""
    sent = request.form
    values = {name: sent.get(name, "").replace("\r\n", "\n").replace("\r", "\n") for name in FIELDS}
    version = sent.get("version", "")
    form = StoryForm(values, int(version) if re.fullmatch(r"[0-9]{1,9}", version) else 0)
    token = sent.get("picture_id", "")
    if token and "remove_picture" not in sent:
        form.picture = claimed_picture(token, by)
        if form.picture is None:
            form.errors["picture"] = "This picture is gone; upload it again."
    upload = request.files.get("picture")
    if upload is not None and upload.filename:
        try:
            form.picture = queries.picture(receive(upload, by))
        except PictureRefused as refused:
            form.errors["picture"] = str(refused)
    return form


def store(form: StoryForm, by: User, article: Article | None) -> int:
    """Store what was sent, publish it where the button said so, and return the story's id.

    Raises publishing's Invalid, Conflict, Forbidden, NotFound.
    """
    draft, wants_public = form.draft(), request.form.get("do") == "publish"
    has_date = publishing.may_publish(by) and (article is None or article.status == "draft")
    at = _publication_time(form) if has_date else None
    _require_no_errors(form, draft)
    if article is None:
        return publishing.create(draft, by, wants_public, at)
    publishing.save(article.id, draft, by, form.version, form.values["note"], wants_public, at)
    return article.id


def _require_no_errors(form: StoryForm, draft: Draft) -> None:
    """Raise Invalid with everything that is wrong, where the form alone knows of something."""
    if form.errors:
        try:
            publishing.prepare(draft)
        except Invalid as invalid:
            form.errors |= invalid.errors
        raise Invalid(form.errors)


def _publication_time(form: StoryForm) -> datetime | None:
    """Return the moment that was typed, in the newsroom's time zone; a wrong one is noted beside its field."""
    text = form.values["published_at"].strip()
    if not text:
        return None
    try:
        typed = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(current_app.config["TIMEZONE"]))
        moment = typed.astimezone(UTC)
    except (ValueError, OverflowError):
        form.errors["published_at"] = "This is not a date and time; example: 2026-11-22T14:05."
        return None
    if moment.year < 1000:
        form.errors["published_at"] = "The year needs four digits."
    elif moment > datetime.now(UTC) + CLOCK_SLACK:
        form.errors["published_at"] = "Scheduling comes later; leave this empty to publish now."
    return moment


def names_in(text: str) -> tuple[str, ...]:
    """Return the names in a line: parted by semicolons or lines where there are any, otherwise by commas."""
    separator = r"[;؛\n]" if re.search(r"[;؛\n]", text) else r"[,،፣]"
    return tuple(name for part in re.split(separator, text) if (name := part.strip()))


def in_one_line(names: list[str]) -> str:
    """Return names as one line that `names_in` reads back; one that holds a comma makes semicolons part them."""
    if any(re.search(r"[,،፣]", name) for name in names):
        return "; ".join(names) + ";"
    return ", ".join(names)
