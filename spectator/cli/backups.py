"""`spectator backup` and `spectator restore`."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from spectator import config, create_app, object_storage
from spectator.cli.context import fail, report_errors
from spectator.i18n import gettext, gettext_noop, ngettext
from spectator.object_storage import StoreError
from spectator.operations import backup as backup_operations
from spectator.operations import file_modes, setup
from spectator.operations import restore as restore_operations
from spectator.operations.backup import BackupError, Destination, Manifest, local_copy
from spectator.operations.database_dump import DumpError
from spectator.operations.restore import find_lost_pictures
from spectator.operations.site_lock import require_stopped_site


class BackupFile(click.ParamType[Destination, str]):
    """A file, or the URL of an object such as s3://bucket/prefix/2026-11-29.backup."""

    name = "file"

    def __init__(self, exists: bool = False) -> None:
        self.path = click.Path(path_type=Path, dir_okay=False, exists=exists)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Destination:
        """Return the path or the URL. Fails if it is neither."""
        if "://" not in str(value):
            path: Path = self.path.convert(value, param, ctx)
            return path
        # A URL that ends in a slash names no object; one without a third slash names a bucket.
        is_object = object_storage.URL.fullmatch(value) and not value.endswith("/")
        if not is_object or value.count("/") < 3:
            self.fail(gettext("use a file, or s3://bucket/prefix/name"), param, ctx)
        if find_spec("obstore") is None:
            self.fail(
                gettext(
                    "install the client: "
                    ".venv/bin/pip install --require-hashes -r requirements/s3.txt"
                ),
                param,
                ctx,
            )
        return str(value)


@click.command()
@click.argument("file", type=BackupFile())
@click.option(
    "--with-key",
    is_flag=True,
    help=gettext_noop("Include the secret key, which signs tokens."),
)
@report_errors
def backup(file: Destination, with_key: bool) -> None:
    """Write a backup of the running or stopped site to a new FILE, or to s3://bucket/prefix/name.

    It holds the database and the uploaded pictures; pictures in a bucket are only listed. If the
    backup is a file, copy it to another machine.

    Example: spectator backup /var/backups/spectator/2026-11-29.backup
    """
    try:
        manifest = backup_operations.make(config.load(os.environ), file, with_key, _show_progress)
    except (BackupError, DumpError, StoreError) as error:
        fail(str(error))
    message = (
        gettext_noop("%(stories)s and the list of %(pictures)s are in %(file)s")
        if manifest.pictures_in_bucket
        else gettext_noop("%(stories)s and %(pictures)s are in %(file)s")
    )
    click.echo(gettext(message, **_counts(manifest), file=file))


@click.command()
@click.argument("file", type=BackupFile(exists=True))
@click.option(
    "--check",
    is_flag=True,
    help=gettext_noop("Verify the backup; write nothing."),
)
@report_errors
def restore(file: Destination, check: bool) -> None:
    """Restore a backup into an empty installation, or verify it.

    Nothing is overwritten. Sessions and preview links are not restored.

    Example: spectator restore --check /var/backups/spectator/2026-11-29.backup
    """
    settings = config.load(os.environ)
    try:
        manifest = _check(file) if check else _restore(settings, file)
    except (BackupError, DumpError, StoreError) as error:
        fail(str(error))
    message = (
        gettext_noop("complete: %(stories)s and %(pictures)s of %(time)s UTC")
        if check
        else gettext_noop("restored: %(stories)s and %(pictures)s of %(time)s UTC")
    )
    time = manifest.made_at.strftime("%Y-%m-%d %H:%M")
    click.echo(gettext(message, **_counts(manifest), time=time))
    if manifest.pictures_in_bucket and (sentence := find_lost_pictures(settings, manifest)):
        fail(sentence)


def _counts(manifest: Manifest) -> dict[str, str]:
    return {
        "stories": ngettext("%(count)s story", "%(count)s stories", manifest.stories),
        "pictures": ngettext("%(count)s picture", "%(count)s pictures", manifest.pictures),
    }


def _check(file: Destination) -> Manifest:
    with local_copy(file, Path(tempfile.gettempdir())) as path:
        return backup_operations.check(path, _show_progress)


def _restore(settings: dict[str, Any], file: Destination) -> Manifest:
    """Restore a backup and make the installation ready to start."""
    data: Path = settings["DATA_DIR"]
    data.mkdir(mode=file_modes.TRAVERSABLE_DIRECTORY, parents=True, exist_ok=True)
    with require_stopped_site(data):
        with local_copy(file, data) as path:
            manifest = restore_operations.restore(settings, path, _show_progress)
        app = create_app()
        with app.app_context():
            setup.initialise(app)
            restore_operations.set_file_owners(settings, manifest)
    return manifest


def _show_progress(name: str) -> None:
    """Show the name of a file of the backup on a terminal, in place of the one before."""
    if sys.stderr.isatty():
        click.echo(f"{name[:70]:<70}\r", nl=False, err=True)
