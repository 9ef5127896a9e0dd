"""`spectator backup` and `spectator restore`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from spectator import config, create_app
from spectator.cli.context import fail, report_errors
from spectator.operations import backup as backups
from spectator.operations import file_modes, setup
from spectator.operations import restore as restoring
from spectator.operations.database_dump import DumpError
from spectator.operations.site_lock import require_stopped_site


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--with-key", is_flag=True, help="Include the secret key, which signs tokens.")
@report_errors
def backup(file: Path, with_key: bool) -> None:
    """Write a backup of the running or stopped site to a new FILE.

    It holds the database and the uploaded pictures. Copy it to another machine.

    Example: spectator backup /var/backups/spectator/2026-11-29.backup
    """
    try:
        manifest = backups.make(config.load(os.environ), file, with_key, _show)
    except (backups.BackupError, DumpError) as error:
        fail(str(error))
    click.echo(f"{manifest.stories} stories and {_pictures(manifest)} pictures are in {file}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--check", is_flag=True, help="Verify the backup; write nothing.")
@report_errors
def restore(file: Path, check: bool) -> None:
    """Restore a backup into an empty installation, or verify it.

    Nothing is overwritten. Sessions and preview links are not restored.

    Example: spectator restore --check /var/backups/spectator/2026-11-29.backup
    """
    settings = config.load(os.environ)
    try:
        if check:
            manifest = backups.check(file, _show)
        else:
            settings["DATA_DIR"].mkdir(
                mode=file_modes.TRAVERSABLE_DIRECTORY, parents=True, exist_ok=True
            )
            with require_stopped_site(settings["DATA_DIR"]):
                manifest = restoring.restore(settings, file, _show)
                app = create_app()
                with app.app_context():
                    setup.initialise(app)
    except (backups.BackupError, DumpError) as error:
        fail(str(error))
    done = "complete" if check else "restored"
    made_at = manifest.made_at.strftime("%Y-%m-%d %H:%M")
    click.echo(
        f"{done}: {manifest.stories} stories and {_pictures(manifest)} pictures of {made_at} UTC"
    )


def _pictures(manifest: backups.Manifest) -> int:
    return sum(name.startswith("originals/") for name in manifest.files)


def _show(name: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"{name[:70]:<70}\r", nl=False, err=True)
