"""Renaming an author or a topic on all stories, inside publishing's transactions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from sqlalchemy import JSON, ColumnElement, bindparam, insert, literal, select
from sqlalchemy.orm import Session

from spectator import outbox
from spectator.db import UTCDateTime
from spectator.db.functions import json_set
from spectator.models import Article, ArticleAuthor, Author, FormerName, Revision, Topic, User
from spectator.models.article import article_topic
from spectator.publishing.names import (
    KINDS,
    NamedModel,
    assign_slugs,
    comparison_forms,
    delete_former_names,
    was_public,
)
from spectator.publishing.revisions import newest_number


def link_columns(model: NamedModel) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Return the story and name columns of the table that links stories to authors or topics."""
    if model is Author:
        return ArticleAuthor.__table__.c.article_id, ArticleAuthor.__table__.c.author_id
    return article_topic.c.article_id, article_topic.c.topic_id


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
    delete_former_names(session, model, [name])
    session.merge(FormerName(kind=KINDS[model], part="name", value=old_name, owner_id=row_id))
    if row.slug != old_slug:
        session.merge(FormerName(kind=KINDS[model], part="slug", value=old_slug, owner_id=row_id))
    session.flush()
    article_id_column, name_id_column = link_columns(model)
    article_ids = select(article_id_column).where(name_id_column == row_id)
    outbox.append(session, None, "rename")
    session.flush()
    public = session.scalars(
        select(Article.id).where(Article.id.in_(article_ids), Article.status == "published")
    )
    outbox.append_all(session, [(article_id, "rename") for article_id in public])
    _add_rename_revisions(
        session,
        article_ids.where(article_id_column != (except_article_id or 0)),
        model,
        (old_name, name),
        by,
        now,
    )


def _add_rename_revisions(
    session: Session,
    article_ids: Any,
    model: NamedModel,
    old_and_new_name: tuple[str, str],
    by: User,
    now: datetime,
) -> None:
    """Add a revision with the new name to those stories that are not public.

    The database copies the revisions, which contain whole texts: nobody else can save meanwhile.
    """
    field, (old, new) = f"{KINDS[model]}s", old_and_new_name
    query = (
        select(Revision.id, Article.version, Revision.content[field].label("names"))
        .join(Article, (Revision.article_id == Article.id) & (Revision.number == newest_number()))
        .where(Article.id.in_(article_ids), Article.status != "published")
    )
    names = bindparam("names", type_=JSON)
    values = {
        "article_id": Revision.article_id,
        "number": Revision.number + 1,
        "version": bindparam("version"),
        "action": literal("rename"),
        "note": literal(f"{old} → {new}"),
        "content": json_set(Revision.content, field, names),
        "made_at": literal(now, UTCDateTime),
        "made_by_id": literal(by.id),
    }
    copied = select(*values.values()).where(Revision.id == bindparam("revision_id"))
    rows = [
        {
            "revision_id": row.id,
            "version": row.version,
            "names": [new if name == old else name for name in row.names or ()],
        }
        for row in session.execute(query)
    ]
    if rows:
        session.connection().execute(insert(Revision).from_select(list(values), copied), rows)
