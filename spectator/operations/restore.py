"""Restoring a backup into an empty installation."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from spectator import config, media, migrations
from spectator.db import database_file
from spectator.i18n import gettext
from spectator.operations import backup, database_dump, file_modes, postgresql
from spectator.operations.backup_archive import (
    DATABASE_NAMES,
    BackupError,
    Manifest,
    Progress,
    check,
    digest_of,
    open_archive,
    open_member,
)
from spectator.operations.durable_files import open_private, sync_directory


def restore(settings: Mapping[str, Any], path: Path, show: Progress = str) -> Manifest:
    """Restore a verified backup; the database comes last, so an interrupted one can be repeated.

    Sessions and preview links are not restored: everybody logs in again. Raises BackupError if the
    backup is damaged or anything would be overwritten.
    """
    data: Path = settings["DATA_DIR"]
    manifest = check(path)
    _require_same_kind(settings["DATABASE_URL"], manifest)
    if manifest.schema not in migrations.supported_versions():
        raise BackupError(
            gettext("A newer version of the site made this backup. Update the code.")
        )
    _require_empty(settings)
    file = database_file(settings["DATABASE_URL"])
    if file and not file.parent.exists():
        file.parent.mkdir(mode=file_modes.TRAVERSABLE_DIRECTORY, parents=True)
        _copy_owner(data, file.parent)
    # Beside the database, which may be on another file system than the data directory.
    with open_archive(path) as archive, backup.workspace(file.parent if file else data) as work:
        for name in manifest.files:
            show(name)
            if name.startswith("originals/"):
                _restore_picture(archive, manifest, name, settings["MEDIA"], work)
            elif name == config.SECRET_FILE:
                _extract(archive, manifest, name, data / name)
        dump = work / DATABASE_NAMES[manifest.database]
        _extract(archive, manifest, dump.name, dump)
        for directory in ("index", "index-newsroom"):  # derived from another database
            shutil.rmtree(data / directory, ignore_errors=True)
        database_dump.restore(settings["DATABASE_URL"], dump)
    return manifest


def set_file_owners(settings: Mapping[str, Any], manifest: Manifest) -> None:
    """Give a restored site the modes of a site and, if root restored it, the directory's owner."""
    file_modes.apply_modes(settings)
    location: media.Location = settings["MEDIA"]
    paths = [mode.path for mode in file_modes.wrong_owners(settings)]
    if isinstance(location, Path):
        paths += [location / name for name in manifest.files if name.startswith("originals/")]
    for path in paths:
        _copy_owner(settings["DATA_DIR"], path)


def _copy_owner(source: Path, target: Path) -> None:
    """Give a file the owner of another one if root runs this; of a link, only the link itself."""
    if os.geteuid() == 0:
        status = source.stat()
        with suppress(FileNotFoundError):  # SQLite deletes its files when it closes them
            os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)


def find_lost_pictures(settings: Mapping[str, Any], manifest: Manifest) -> str | None:
    """Return a sentence if pictures that a backup lists are not in the store of the settings."""
    location: media.Location = settings["MEDIA"]
    names = [name.removeprefix("originals/") for name in manifest.pictures_in_bucket]
    try:
        lost = media.missing_originals(location, names)
        if isinstance(location, str) and not lost:
            sizes = media.open_bucket(location).sizes("originals")
            lost = [
                name
                for name, size in manifest.pictures_in_bucket.items()
                if sizes.get(name) != size
            ]
    except media.StoreError as error:
        return gettext("The pictures of the backup cannot be compared: %(error)s", error=error)
    if not lost:
        return None
    return gettext(
        "Pictures that the backup lists are missing or have another size in %(location)s: "
        "%(lost)s of %(count)s, such as %(example)s.",
        lost=len(lost),
        count=len(names),
        location=location,
        example=lost[0],
    )


def _restore_picture(
    archive: tarfile.TarFile, manifest: Manifest, name: str, location: media.Location, work: Path
) -> None:
    """Write an original into its store."""
    if isinstance(location, Path):
        directory = location / "originals"
        directory.mkdir(mode=file_modes.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        _extract(archive, manifest, name, location / name)
        return
    path = work / Path(name).name
    _extract(archive, manifest, name, path)
    media.open_bucket(location).save(name, path)
    path.unlink()


def _require_same_kind(url: str, manifest: Manifest) -> None:
    kind = "sqlite" if database_file(url) else "postgresql"
    if kind != manifest.database:
        raise BackupError(
            gettext(
                "This backup holds a database of %(database)s, but "
                "SPECTATOR_DATABASE_URL names one of %(kind)s. Restore it there, then "
                "run: spectator database copy URL",
                database=manifest.database,
                kind=kind,
            )
        )


def _require_empty(settings: Mapping[str, Any]) -> None:
    """Raise BackupError if the installation has a database."""
    url: str = settings["DATABASE_URL"]
    file = database_file(url)
    has_tables = file.exists() if file else bool(postgresql.read_schema(url).tables)
    if has_tables:
        name = file or postgresql.database_name(url)
        raise BackupError(
            gettext(
                "The database %(name)s exists. Restore into an empty installation.", name=name
            )
        )


def _extract(archive: tarfile.TarFile, manifest: Manifest, name: str, target: Path) -> None:
    """Write a file of the backup; an existing one with the same content stays."""
    if target.exists():
        with target.open("rb") as file:
            if digest_of(file) == manifest.files[name][1]:
                return
        raise BackupError(
            gettext(
                "%(target)s exists and differs. Restore into an empty installation.",
                target=target,
            )
        )
    unfinished = target.with_name(f".{target.name}.unfinished")
    with (
        open_member(archive, name) as source,
        open(unfinished, "wb", opener=open_private) as file,
    ):
        shutil.copyfileobj(source, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, target)
    sync_directory(target.parent)
