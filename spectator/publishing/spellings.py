"""New spellings of existing names: questions to the person who saves, and their answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from spectator.i18n import gettext
from spectator.models import Author, Topic, User
from spectator.publishing.fields import Draft
from spectator.publishing.names import (
    NamedModel,
    delete_former_names,
    find_exact_ids,
    find_ids,
    replacement_names,
    similar_names,
)
from spectator.publishing.permissions import is_publisher
from spectator.publishing.renames import link_columns, rename_everywhere
from spectator.publishing.validation import PreparedDraft, ValidationError
from spectator.queries import select_visible_counts

SpellingChoice = Literal["rename", "use", "both"]
NAME_FIELDS: dict[str, NamedModel] = {"authors": Author, "topics": Topic}
MAX_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class SpellingAnswer:
    """A person's decision about the new `name` in a field of the form.

    "rename" gives the row `existing_id` the new name on all stories, "use" keeps its old name,
    "both" adds the new name as another author or topic.
    """

    field: str
    name: str
    choice: SpellingChoice
    existing_id: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored name similar to a new one, with its number of stories."""

    id: int
    name: str
    stories: int


@dataclass(frozen=True, slots=True)
class SpellingQuestion:
    """A new name that is similar to stored ones.

    `field` is "authors" or "topics"; `may_rename`: the person may rename stored names.
    """

    field: str
    name: str
    candidates: tuple[Candidate, ...]
    may_rename: bool


class SimilarNamesError(ValidationError):
    """The draft has new names that are similar to existing ones; `questions` asks about them."""

    def __init__(self, questions: Sequence[SpellingQuestion]) -> None:
        errors: dict[str, str] = {}
        for question in questions:
            others = ", ".join(f"“{candidate.name}”" for candidate in question.candidates)
            message = gettext(
                "“%(name)s” is similar to %(others)s. Answer the question at the top of "
                "the page.",
                name=question.name,
                others=others,
            )
            errors[question.field] = (
                f"{errors[question.field]} {message}" if question.field in errors else message
            )
        super().__init__(errors)
        self.questions = tuple(questions)


def resolve_spellings(
    session: Session,
    prepared: PreparedDraft,
    by: User,
    answers: Iterable[SpellingAnswer],
    now: datetime,
    article_id: int | None,
) -> PreparedDraft:
    """Return the draft with the answers applied to its names; rename stored names accordingly.

    Raises SimilarNamesError if a new name is similar to a stored one and no valid answer says what
    to do.
    """
    draft = prepared.draft
    answers_by_name = {(answer.field, answer.name): answer for answer in answers}
    questions, decided = [], []
    for field, model in NAME_FIELDS.items():
        for question in _find_questions(
            session, field, model, getattr(draft, field), by, article_id
        ):
            answer = answers_by_name.get((field, question.name))
            if answer is None or not _is_valid_answer(answer, question):
                questions.append(question)
            else:
                decided.append((model, answer, question))
    if questions:
        raise SimilarNamesError(questions)
    if not is_publisher(by):
        _delete_hidden_former_names(session, draft, by)
    for model, answer, question in decided:
        names_by_id = {candidate.id: candidate.name for candidate in question.candidates}
        existing_name = names_by_id.get(answer.existing_id, "")
        if answer.choice == "rename":
            rename_everywhere(
                session, model, answer.existing_id, answer.name, by, now, article_id
            )
            draft = _replace_names(draft, answer.field, {existing_name: answer.name})
        elif answer.choice == "use":
            draft = _replace_names(draft, answer.field, {answer.name: existing_name})
        else:
            delete_former_names(session, model, [answer.name])
    return replace(prepared, draft=draft)


def _delete_hidden_former_names(session: Session, draft: Draft, by: User) -> None:
    """Delete former spellings of the draft's names whose current name the author may not see."""
    for field, model in NAME_FIELDS.items():
        ids = find_ids(session, model, getattr(draft, field))
        visible = _visible_ids(session, model, set(ids.values()), by)
        former = ids.keys() - find_exact_ids(session, model, list(ids)).keys()
        hidden = [name for name in former if ids[name] not in visible]
        delete_former_names(session, model, hidden)


def replace_former_spellings(
    session: Session, prepared: PreparedDraft, by: User
) -> PreparedDraft:
    """Return the draft of an old revision with current spellings of its names.

    Authors get no spellings from stories that they may not see.
    """
    draft = prepared.draft
    if not is_publisher(by):
        _delete_hidden_former_names(session, draft, by)
    for field, model in NAME_FIELDS.items():
        replacements = replacement_names(session, model, getattr(draft, field))
        draft = _replace_names(draft, field, replacements)
    return replace(prepared, draft=draft)


def _replace_names(draft: Draft, field: str, replacements: Mapping[str, str]) -> Draft:
    names = dict.fromkeys(replacements.get(name, name) for name in getattr(draft, field))
    return replace(draft, **{field: tuple(names)})  # type: ignore[arg-type]


def _is_valid_answer(answer: SpellingAnswer, question: SpellingQuestion) -> bool:
    if answer.choice == "both":
        return True
    if answer.choice == "rename" and not question.may_rename:
        return False
    return answer.existing_id in {candidate.id for candidate in question.candidates}


def _find_questions(
    session: Session,
    field: str,
    model: NamedModel,
    names: tuple[str, ...],
    by: User,
    article_id: int | None,
) -> list[SpellingQuestion]:
    ids = find_exact_ids(session, model, names)
    if not is_publisher(by):
        # Questions must not reveal names from colleagues' drafts.
        visible = _visible_ids(session, model, set(ids.values()), by)
        ids = {name: row_id for name, row_id in ids.items() if row_id in visible}
    new = [name for name in names if name not in ids]
    similar = similar_names(session, model, new, None if is_publisher(by) else by.id)
    candidate_ids = {row.id for rows in similar.values() for row in rows}
    counts = _story_counts(session, model, candidate_ids, by)
    questions = []
    for name, rows in similar.items():
        rows = sorted(
            (row for row in rows if row.id in candidate_ids),
            key=lambda row: -counts.get(row.id, 0),
        )
        candidates = tuple(
            Candidate(row.id, row.name, counts.get(row.id, 0)) for row in rows[:MAX_CANDIDATES]
        )
        if candidates:
            questions.append(SpellingQuestion(field, name, candidates, is_publisher(by)))
    return questions


def _visible_ids(session: Session, model: NamedModel, ids: set[int], by: User) -> set[int]:
    """Return the ids that an author may see: of names on public stories or on their own."""
    stories = select_visible_counts(model, by.id).subquery()
    return (
        set(session.scalars(select(stories.c.name_id).where(stories.c.name_id.in_(ids))))
        if ids
        else set()
    )


def _story_counts(session: Session, model: NamedModel, ids: set[int], by: User) -> dict[int, int]:
    """Return the number of stories of each name, counting those that the person may see."""
    if not is_publisher(by):
        stories = select_visible_counts(model, by.id).subquery()
        number = func.sum(stories.c.number).cast(Integer)
        query = select(stories.c.name_id, number).group_by(stories.c.name_id)
        return dict(session.execute(query.where(stories.c.name_id.in_(ids))).all())
    article_id, name_id = link_columns(model)
    query = select(name_id, func.count(func.distinct(article_id)))
    return dict(session.execute(query.where(name_id.in_(ids)).group_by(name_id)).all())
