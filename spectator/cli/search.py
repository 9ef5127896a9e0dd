"""`spectator reindex`: the search indexes."""

from __future__ import annotations

import sys

import click
from flask import Flask

from spectator import indexing, publishing
from spectator.cli.context import with_app
from spectator.i18n import gettext, gettext_noop, ngettext


@click.command()
@click.option(
    "--check",
    is_flag=True,
    help=gettext_noop("Compare with the database and repair differences; do not rebuild."),
)
@with_app()
def reindex(app: Flask, check: bool) -> None:
    """Rebuild both search indexes, the readers' and the newsroom's.

    New indexes are built beside those in use, so search works meanwhile.

    Example: spectator reindex --check
    """
    for index, source in indexing.open_indexes(app.config["DATA_DIR"]):
        kind = str(indexing.KIND_LABELS[source.name])
        if check:
            indexing.catch_up_to_now(index, source)
            stale, orphaned = indexing.repair(index, source)
            click.echo(_describe_repair(kind, len(stale), len(orphaned)))
            continue
        total = len(source.versions())
        with click.progressbar(
            length=total, label=gettext("indexing %(kind)s", kind=kind), file=sys.stderr
        ) as bar:
            indexing.rebuild(index, lambda done, bar=bar: bar.update(done - bar.pos), source)  # type: ignore[misc]
        click.echo(
            ngettext(
                "%(count)s %(kind)s story indexed",
                "%(count)s %(kind)s stories indexed",
                total,
                kind=kind,
            )
        )
    if publishing.repair_listings():
        click.echo(gettext("story lists and counts: rebuilt, they did not match the stories"))


def _describe_repair(kind: str, stale: int, orphaned: int) -> str:
    """Return what was repaired in an index."""
    if not stale and not orphaned:
        return gettext("%(kind)s stories: as in the database", kind=kind)
    return gettext(
        "%(kind)s stories: repaired %(stale)s missing or outdated, removed %(orphaned)s orphaned",
        kind=kind,
        stale=stale,
        orphaned=orphaned,
    )
