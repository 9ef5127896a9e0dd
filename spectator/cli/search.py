"""`spectator reindex`: the search indexes."""

from __future__ import annotations

import sys

import click
from flask import Flask

from spectator import indexing, publishing
from spectator.cli.context import with_app


@click.command()
@click.option(
    "--check",
    is_flag=True,
    help="Compare with the database and repair differences; do not rebuild.",
)
@with_app()
def reindex(app: Flask, check: bool) -> None:
    """Rebuild both search indexes, the readers' and the newsroom's.

    New indexes are built beside those in use, so search works meanwhile.

    Example: spectator reindex --check
    """
    for index, source in indexing.open_indexes(app.config["DATA_DIR"]):
        if check:
            indexing.catch_up_to_now(index, source)
            stale, orphaned = indexing.repair(index, source)
            repaired = (
                f"repaired {len(stale)} missing or outdated, removed {len(orphaned)} orphaned"
            )
            result = repaired if stale or orphaned else "as in the database"
            click.echo(f"{source.name} stories: {result}")
            continue
        total = len(source.versions())
        with click.progressbar(
            length=total, label=f"indexing {source.name}", file=sys.stderr
        ) as bar:
            indexing.rebuild(index, lambda done, bar=bar: bar.update(done - bar.pos), source)  # type: ignore[misc]
        click.echo(f"{total} {source.name} stories indexed")
    if publishing.repair_listings():
        click.echo("story lists and counts: rebuilt, they did not match the stories")
