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
from spectator.i18n import gettext, gettext_noop
from spectator.object_storage import StoreError
from spectator.operations import backup as backups
from spectator.operations import file_modes, setup
from spectator.operations import restore as restoring
from spectator.operations.database_dump import DumpError
from spectator.operations.site_lock import require_stopped_site


class BackupFile(click.ParamType[backups.Destination, str]):
    """A file, or the URL of an object such as s3://bucket/prefix/2026-11-29.backup."""

    name = "file"

    def __init__(self, exists: bool = False) -> None:
        self.path = click.Path(path_type=Path, dir_okay=False, exists=exists)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> backups.Destination:
        """Return the path or the URL. Fails if it is neither."""
        if "://" not in str(value):
            path: Path = self.path.convert(value, param, ctx)
            return path
        if not object_storage.URL.fullmatch(value) or value.count("/") < 3:
            self.fail(gettext("use a file, or s3://bucket/prefix/name"), param, ctx)
        if find_spec("obstore") is None:
            self.fail(
                gettext("install the client: pip install -r requirements/s3.txt"), param, ctx
            )
        return str(value).rstrip("/")


@click.command()
@click.argument("file", type=BackupFile())
@click.option(
    "--with-key",
    is_flag=True,
    help=gettext_noop("Include the secret key, which signs tokens."),
)
@report_errors
def backup(file: backups.Destination, with_key: bool) -> None:
    """Write a backup of the running or stopped site to a new FILE, or to s3://bucket/prefix/name.

    It holds the database and the uploaded pictures; pictures in a bucket are only listed. Copy a
    file to another machine.

    Example: spectator backup /var/backups/spectator/2026-11-29.backup
    """
    try:
        manifest = backups.make(config.load(os.environ), file, with_key, _show)
    except (backups.BackupError, DumpError, StoreError) as error:
        fail(str(error))
    values = {"stories": manifest.stories, "pictures": manifest.pictures, "file": file}
    if manifest.listed:
        click.echo(
            gettext(
                "%(stories)s stories and the list of %(pictures)s pictures are in %(file)s",
                **values,
            )
        )
    else:
        click.echo(
            gettext("%(stories)s stories and %(pictures)s pictures are in %(file)s", **values)
        )


@click.command()
@click.argument("file", type=BackupFile(exists=True))
@click.option(
    "--check",
    is_flag=True,
    help=gettext_noop("Verify the backup; write nothing."),
)
@report_errors
def restore(file: backups.Destination, check: bool) -> None:
    """Restore a backup into an empty installation, or verify it.

    Nothing is overwritten. Sessions and preview links are not restored.

    Example: spectator restore --check /var/backups/spectator/2026-11-29.backup
    """
    settings = config.load(os.environ)
    try:
        manifest = _check(file) if check else _restore(settings, file)
    except (backups.BackupError, DumpError, StoreError) as error:
        fail(str(error))
    message = (
        gettext_noop("complete: %(stories)s stories and %(pictures)s pictures of %(time)s UTC")
        if check
        else gettext_noop(
            "restored: %(stories)s stories and %(pictures)s pictures of %(time)s UTC"
        )
    )
    click.echo(
        gettext(
            message,
            stories=manifest.stories,
            pictures=manifest.pictures,
            time=manifest.made_at.strftime("%Y-%m-%d %H:%M"),
        )
    )
    if manifest.listed and (sentence := restoring.find_lost_pictures(settings, manifest)):
        fail(sentence)


def _check(file: backups.Destination) -> backups.Manifest:
    with backups.local_copy(file, Path(tempfile.gettempdir())) as path:
        return backups.check(path, _show)


def _restore(settings: dict[str, Any], file: backups.Destination) -> backups.Manifest:
    """Restore a backup and make the installation ready to start."""
    data: Path = settings["DATA_DIR"]
    data.mkdir(mode=file_modes.TRAVERSABLE_DIRECTORY, parents=True, exist_ok=True)
    with require_stopped_site(data):
        with backups.local_copy(file, data) as path:
            manifest = restoring.restore(settings, path, _show)
        app = create_app()
        with app.app_context():
            setup.initialise(app)
            restoring.set_owner(settings, manifest)
    return manifest


def _show(name: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"{name[:70]:<70}\r", nl=False, err=True)
