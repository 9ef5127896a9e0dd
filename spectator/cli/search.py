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
    help="Compare with the database and mend what differs; rebuild nothing.",
)
@with_app()
def reindex(app: Flask, check: bool) -> None:
    """Rebuild the search indexes, the readers' and the newsroom's, beside those in use, then switch.

    Example: spectator reindex --check
    """
    for index, source in indexing.open_indexes(app.config["DATA_DIR"]):
        if check:
            wrong, needless = indexing.repair(index, source)
            found = f"{len(wrong)} were missing or outdated, {len(needless)} held in vain; mended"
            click.echo(
                f"{source.name} stories: {found if wrong or needless else 'as in the database'}"
            )
            continue
        total = len(source.versions())
        with click.progressbar(
            length=total, label=f"indexing {source.name}", file=sys.stderr
        ) as bar:
            indexing.rebuild(index, lambda done, bar=bar: bar.update(done - bar.pos), source)  # type: ignore[misc]
        click.echo(f"{total} {source.name} stories indexed")
    if publishing.repair_listings():
        click.echo("lists and counts of stories: were not true; made anew")
