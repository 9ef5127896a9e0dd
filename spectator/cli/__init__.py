"""The `spectator` command: one module per group of commands."""

from __future__ import annotations

import logging
import sys

import click

from spectator.cli import imports, people, search, site


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run a newsroom's site: The African Spectator."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)


for command in (*site.COMMANDS, people.user, imports.import_group, search.reindex):
    main.add_command(command)
