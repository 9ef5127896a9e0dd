"""New spellings of existing names: ask the person who saves, then use, rename or add the name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.models import Article, ArticleAuthor, Author, FormerName, Revision, Topic, User
from spectator.models.article import article_topic
from spectator.publishing.fields import Draft
from spectator.publishing.names import (
    KINDS,
    NamedModel,
    assign_slugs,
    comparison_forms,
    find_exact_ids,
    find_ids,
    similar_names,
    was_public,
)
from spectator.publishing.permissions import is_publisher
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
    """The draft has names similar to existing ones, and nobody has said if they are the same."""

    def __init__(self, questions: Sequence[SpellingQuestion]) -> None:
        errors: dict[str, str] = {}
        for question in questions:
            others = ", ".join(f"“{candidate.name}”" for candidate in question.candidates)
            message = (
                f"“{question.name}” is similar to {others}. "
                "Answer the question at the top of the page."
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
        existing = {candidate.id: candidate.name for candidate in question.candidates}.get(
            answer.existing_id, ""
        )
        if answer.choice == "rename":
            rename_everywhere(session, model, answer.existing_id, answer.name, by, now, article_id)
            draft = _replace_names(draft, answer.field, {existing: answer.name})
        elif answer.choice == "use":
            draft = _replace_names(draft, answer.field, {answer.name: existing})
        else:
            _delete_former_name(session, model, answer.name)
    return replace(prepared, draft=draft)


def _delete_hidden_former_names(session: Session, draft: Draft, by: User) -> None:
    """Delete former spellings of the draft's names whose current name the author may not see."""
    for field, model in NAME_FIELDS.items():
        ids = find_ids(session, model, getattr(draft, field))
        visible = _visible_ids(session, model, set(ids.values()), by)
        for name in ids.keys() - find_exact_ids(session, model, list(ids)).keys():
            if ids[name] not in visible:
                _delete_former_name(session, model, name)


def replace_former_spellings(session: Session, prepared: PreparedDraft) -> PreparedDraft:
    """Return the draft of an old revision with current spellings of its names."""
    draft = prepared.draft
    for field, model in NAME_FIELDS.items():
        names = getattr(draft, field)
        ids = find_ids(session, model, names)
        current = dict(
            session.execute(select(model.id, model.name).where(model.id.in_(ids.values()))).all()
        )
        draft = _replace_names(
            draft, field, {name: current[ids[name]] for name in ids if ids[name] in current}
        )
    return replace(prepared, draft=draft)


def _replace_names(draft: Draft, field: str, names: Mapping[str, str]) -> Draft:
    changed = dict.fromkeys(names.get(name, name) for name in getattr(draft, field))
    return replace(draft, **{field: tuple(changed)})  # type: ignore[arg-type]


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
    similar = similar_names(session, model, new)
    candidate_ids = {row.id for rows in similar.values() for row in rows}
    if not is_publisher(by):
        candidate_ids &= _visible_ids(session, model, candidate_ids, by)
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


def _link_columns(model: NamedModel) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return the story and name columns of the table that links stories to authors or topics."""
    if model is Author:
        return ArticleAuthor.__table__.c.article_id, ArticleAuthor.__table__.c.author_id
    return article_topic.c.article_id, article_topic.c.topic_id


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
        number = select(stories.c.name_id, func.sum(stories.c.number)).where(
            stories.c.name_id.in_(ids)
        )
        return dict(session.execute(number.group_by(stories.c.name_id)).all())
    article, named = _link_columns(model)
    count = func.count(func.distinct(article))
    return dict(session.execute(select(named, count).where(named.in_(ids)).group_by(named)).all())


def rename_everywhere(
    session: Session,
    model: NamedModel,
    row_id: int,
    name: str,
    by: User,
    now: datetime,
    except_article_id: int | None = None,
) -> None:
    """Rename an author or a topic on all stories; the old URL then redirects to the new one.

    Outbox rows expire every page and reindex each public story. Each story that is not public gets
    a revision, except `except_article_id`, which is being saved.
    """
    row = cast("Author | Topic", session.get_one(model, row_id))
    old_name, old_slug, forms = row.name, row.slug, comparison_forms(name)
    needs_slug = was_public(session, model, row_id) and forms["ascii_form"] != row.ascii_form
    row.name, row.ascii_form, row.folded_form = name, forms["ascii_form"], forms["folded_form"]
    session.flush()
    if needs_slug:
        assign_slugs(session, model, [row])
    _delete_former_name(session, model, name)
    session.merge(FormerName(kind=KINDS[model], part="name", value=old_name, owner_id=row_id))
    if row.slug != old_slug:
        session.merge(FormerName(kind=KINDS[model], part="slug", value=old_slug, owner_id=row_id))
    session.flush()
    article, named = _link_columns(model)
    carriers = select(article).where(named == row_id)
    outbox.append(session, None, "rename")
    session.flush()
    public = session.scalars(
        select(Article.id).where(Article.id.in_(carriers), Article.status == "published")
    )
    outbox.append_all(session, [(article_id, "rename") for article_id in public])
    _add_rename_revisions(
        session,
        carriers.where(article != (except_article_id or 0)),
        model,
        (old_name, name),
        by,
        now,
    )


def _delete_former_name(session: Session, model: NamedModel, name: str) -> None:
    own = (
        (FormerName.kind == KINDS[model]) & (FormerName.part == "name") & (FormerName.value == name)
    )
    session.execute(delete(FormerName).where(own))


def _add_rename_revisions(
    session: Session,
    carriers: Any,
    model: NamedModel,
    names: tuple[str, str],
    by: User,
    now: datetime,
) -> None:
    """Add a revision with the new name to the `carriers` that are not public."""
    newest = (
        select(func.max(Revision.number))
        .where(Revision.article_id == Article.id)
        .correlate(Article)
        .scalar_subquery()
    )
    query = (
        select(Article.id, Article.version, Revision.number, Revision.content)
        .join(Revision, (Revision.article_id == Article.id) & (Revision.number == newest))
        .where(Article.id.in_(carriers), Article.status != "published")
    )
    field, (old, new) = f"{KINDS[model]}s", names
    rows = [
        {
            "article_id": row.id,
            "number": row.number + 1,
            "version": row.version,
            "action": "rename",
            "note": f"{old} → {new}",
            "content": row.content
            | {field: [new if name == old else name for name in row.content.get(field, ())]},
            "made_at": now,
            "made_by_id": by.id,
        }
        for row in session.execute(query)
    ]
    if rows:
        session.execute(insert(Revision), rows)
