"""Names of sections and topics in the languages of readers, and descriptions of sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from spectator import publishing, queries
from spectator.editions import all_editions
from spectator.formats import language_name
from spectator.i18n import gettext
from spectator.models import Section, Topic
from spectator.newsroom import bp, security
from spectator.publishing import OWN, NameText
from spectator.publishing.validation import clean_line
from spectator.text.words.folding import fold
from spectator.text.words.numbers import parse_int

KINDS = ("section", "topic")
MAX_PAGE, MAX_TEXT_LENGTH = 10_000, 1000


@dataclass(frozen=True, slots=True)
class NameRow:
    """A section or topic in the form: its texts by language, as stored or as somebody typed them.

    After a conflict, `stored` holds what a colleague has saved meanwhile.
    """

    entity: Section | Topic
    texts: Mapping[str, NameText]
    version: str
    errors: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, NameText] = field(default_factory=dict)
    is_open: bool = False


@bp.get("/taxonomy/")
@security.for_editors
def taxonomy() -> str:
    """Show editors the sections or topics, with a field for their names in each language."""
    kind = "topic" if request.args.get("kind") == "topic" else "section"
    text = clean_line(request.args.get("q", "")[:120])
    page = min(parse_int(request.args.get("page", "")) or 1, MAX_PAGE)
    names = queries.sections_or_topics(kind, text, page)
    return render(kind, names, [stored_row(entity) for entity in names.names], text, page)


@bp.post("/taxonomy/<any(section, topic):named>/<int(max=2147483647):row_id>")
@security.for_editors
def translate_name(named: str, row_id: int) -> Response | tuple[str, int]:
    """Store the names of a section or topic in the languages of the form."""
    texts = submitted_texts()
    version = request.form.get("version", "")
    try:
        publishing.translate_name(named, row_id, security.current_user(), texts, version)
    except publishing.ValidationError as invalid:
        return render_single(named, row_id, texts, version, invalid.errors), 422
    except publishing.ConflictError:
        return render_single(named, row_id, texts, None, {}), 409
    text, page = request.args.get("q"), request.args.get("page")
    anchor = f"{named}-{row_id}"
    return redirect(
        url_for("newsroom.taxonomy", kind=named, q=text, page=page, done="names", _anchor=anchor),
        303,
    )


def offered_languages() -> list[tuple[str, str]]:
    """Return the (code, name) of the languages besides the site's in which readers read, by name.

    These are the languages of editions and of published stories, and those in which there already
    are names.
    """
    codes = queries.languages_of_stories() | queries.languages_of_names()
    codes |= {edition.language for edition in all_editions()}
    names = [(code, language_name(code)) for code in codes - {current_app.extensions["language"]}]
    return sorted(names, key=lambda pair: fold(pair[1]))


def submitted_texts() -> dict[str, NameText]:
    """Return the texts of the form by language; a section's own description as `OWN`."""
    return {
        code: NameText(
            *(
                request.form.get(f"{part}-{code}", "")[:MAX_TEXT_LENGTH]
                for part in NameText._fields
            )
        )
        for code in [OWN, *(code for code, _ in offered_languages())]
        if f"name-{code}" in request.form or f"description-{code}" in request.form
    }


def stored_row(entity: Section | Topic) -> NameRow:
    """Return the row of a section or topic as it is stored."""
    texts = publishing.stored_texts(entity)
    return NameRow(entity, texts, publishing.texts_version(texts))


def render_single(
    kind: str,
    row_id: int,
    texts: Mapping[str, NameText],
    version: str | None,
    errors: Mapping[str, str],
) -> str:
    """Return the page with one row, open, with what was typed; without a version, a conflict."""
    entity = queries.section_or_topic(kind, row_id)
    if entity is None:
        raise publishing.NotFoundError
    row = stored_row(entity)
    stored = row.texts if version is None else {}
    edited = NameRow(entity, {**row.texts, **texts}, version or row.version, errors, stored, True)
    return render(kind, queries.NamePage([entity], {}, False), [edited], "", 1)


def render(kind: str, names: queries.NamePage, rows: list[NameRow], text: str, page: int) -> str:
    """Return the page of sections or topics."""
    return render_template(
        "newsroom/taxonomy.html",
        kind=kind,
        kinds={"section": gettext("Sections"), "topic": gettext("Topics")},
        rows=rows,
        counts=names.counts,
        has_more=names.has_more,
        languages=offered_languages(),
        own=OWN,
        text=text,
        page=page,
    )
