"""The `spectator` command: one module per group of commands."""

from __future__ import annotations

import os
from typing import Any

import click

from spectator import config
from spectator.cli import (
    addresses,
    backups,
    database,
    exports,
    feed_imports,
    ghost_imports,
    imports,
    media,
    people,
    search,
    site,
    site_imports,
    wordpress_imports,
)
from spectator.cli.context import escape_unencodable_output
from spectator.cli.help_texts import read_help, translate_help
from spectator.i18n import closest_language, gettext_noop, use_language
from spectator.operations import logs


class _Spectator(click.Group):
    """The group of all commands: their output works on any terminal, in the site's language."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line in the language of the site."""
        escape_unencodable_output()
        tag = os.environ.get("SPECTATOR_LANGUAGE") or os.environ.get("SPECTATOR_LANGUAGES", "")
        with use_language(closest_language(tag.partition(",")[0])):
            translate_help(HELP_TEXTS)
            return super().main(*args, **kwargs)


@click.group(cls=_Spectator, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(
    config.version(),
    message="%(prog)s %(version)s",
    help=gettext_noop("Show the version and exit."),
)
def main() -> None:
    """Run a newsroom's site: The African Spectator."""
    logs.configure_logging(os.environ.get("SPECTATOR_LOG_FORMAT", "text"))


imports.import_group.add_command(feed_imports.import_feed)
imports.import_group.add_command(wordpress_imports.import_wordpress)
imports.import_group.add_command(ghost_imports.import_ghost)
imports.import_group.add_command(site_imports.import_json)
for command in (
    *site.COMMANDS,
    people.user,
    imports.import_group,
    addresses.check_addresses,
    exports.export_group,
    search.reindex,
    database.database,
    media.media_group,
    backups.backup,
    backups.restore,
):
    main.add_command(command)

HELP_TEXTS = list(read_help(main))
