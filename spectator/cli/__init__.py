"""The `spectator` command: one module per group of commands."""

from __future__ import annotations

import click

from spectator.cli import imports, people, search, site
from spectator.operations import logs


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run a newsroom's site: The African Spectator."""
    logs.set_up()


for command in (*site.COMMANDS, people.user, imports.import_group, search.reindex):
    main.add_command(command)
