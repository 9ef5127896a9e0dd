"""The import of a WordPress site: both passes over its files, mapping, pictures and comments."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from flask import Config

from spectator import media, queries
from spectator.formats import tag_problem
from spectator.importers import runner
from spectator.importers.downloads import download
from spectator.importers.receipt import Receipt
from spectator.importers.wordpress.category_map import (
    Mapping,
    MappingError,
    propose_mapping,
    read_mapping,
    write_mapping,
)
from spectator.importers.wordpress.dates import SKIPPED_STATUSES
from spectator.importers.wordpress.media_library import MediaLibrary
from spectator.importers.wordpress.old_addresses import (
    register_files,
    register_lists,
)
from spectator.importers.wordpress.pages import store_pages
from spectator.importers.wordpress.stories import StoryReader
from spectator.importers.wordpress.survey import Advance, Survey, host_of, survey_files
from spectator.media.files import MAX_STORED_BYTES
from spectator.text.words.slugs import slugify

MAX_DOWNLOAD_BYTES = max(media.MAX_BYTES, MAX_STORED_BYTES)
Sources = Sequence[tuple[str, IO[bytes]]]


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for.

    `media` holds a copy of the uploads, `mapping` is a file's path. `fetches_media`: pictures come
    from the old site, from the hosts that the files name and from `media_hosts`.
    """

    is_dry: bool = False
    overwrite: bool = False
    media: Path | None = None
    mapping: Path | None = None
    fetches_media: bool = False
    media_hosts: tuple[str, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What was read and done.

    `mapping` is the file that was used, `is_proposed` whether this import wrote it; `comments` is
    the file with the comments, None without any.
    """

    survey: Survey
    report: runner.ImportReport
    missing: dict[str, str] = field(default_factory=dict)
    mapping: Path | None = None
    is_proposed: bool = False
    comments: Path | None = None

    def left_out(self) -> list[tuple[str, int]]:
        """Return what the files hold besides stories and files, with its number."""
        counts: Counter[str] = Counter()
        for (kind, status), count in self.survey.counts.items():
            if kind in {"post", "page"} and status in SKIPPED_STATUSES:
                counts[f"{kind} ({status})"] += count
            elif kind not in {"post", "page", "attachment", "guest-author"}:
                counts[kind] += count
        return sorted(counts.items())


def import_site(
    sources: Sources,
    config: Config,
    options: Options,
    receipt: Receipt,
    advance: Advance | None = None,
) -> Outcome:
    """Import the posts and pages of all export files of a site; `advance` gets their bytes, twice.

    `receipt` gets every old address and what became of every post. Raises XmlError and MappingError
    before anything is stored.
    """
    directory = config["DATA_DIR"] / "imports"
    if not options.is_dry:
        directory.mkdir(mode=0o700, exist_ok=True)
    with _comments_file(None if options.is_dry else directory) as comments:
        survey = survey_files(sources, comments, advance)
        outcome = Outcome(survey, runner.ImportReport())
        mapping = _mapping(outcome, directory, options)
        if comments and survey.comments:
            outcome.comments = directory / f"{slugify(survey.site)}-comments.jsonl"
            comments.flush()
            os.replace(comments.name, outcome.comments)
    library = _media_library(survey, config, directory, options)
    language = config["LANGUAGE"] if tag_problem(survey.language) else survey.language
    stories = StoryReader(survey, mapping, library, language, ZoneInfo(config["TIMEZONE"]))
    outcome.report = runner.import_records(
        stories.read(sources, advance),
        config["MEDIA"],
        options.is_dry,
        overwrite=options.overwrite,
        receipt=receipt,
    )
    outcome.report.add(store_pages(stories.pages, receipt, options.overwrite, options.is_dry))
    if not options.is_dry:
        stores = options.media is not None or options.fetches_media
        register_files(survey, library, receipt, stores)
        register_lists(survey, mapping, receipt, stories.public_names)
    for kind, count in survey.item_counts():
        receipt.count(kind, count)
    outcome.missing = library.missing
    return outcome


def _media_library(
    survey: Survey, config: Config, directory: Path, options: Options
) -> MediaLibrary:
    hosts = {host_of(f"//{host}") or host for host in options.media_hosts}
    library = MediaLibrary(
        config["MEDIA"],
        survey.attachments,
        survey.url,
        None if options.is_dry else directory / "pictures.sqlite",
        directory=options.media,
        hosts=survey.hosts | hosts,
        is_dry=options.is_dry,
    )
    if options.fetches_media:
        library.fetch = lambda url: (
            download(url, MAX_DOWNLOAD_BYTES, is_wanted=library.is_own_host).content
        )
    return library


@contextmanager
def _comments_file(directory: Path | None) -> Iterator[IO[str] | None]:
    """Yield a temporary file that only its owner can read, None without a directory.

    It is deleted unless it was renamed.
    """
    if directory is None:
        yield None
        return
    path = directory / f".comments-{os.getpid()}"
    try:
        with path.open("w", encoding="utf-8", errors="replace") as file:
            path.chmod(0o600)
            yield file
    finally:
        path.unlink(missing_ok=True)


def _mapping(outcome: Outcome, directory: Path, options: Options) -> Mapping:
    """Return the mapping of the user's file, or a proposal, which is written for the next time.

    A dry run writes it only where the user asks for it.
    """
    sections = {section.slug: section.name for section in queries.sections()}
    proposal = propose_mapping(outcome.survey, sections)
    outcome.mapping = options.mapping or directory / f"{slugify(outcome.survey.site)}.toml"
    if outcome.mapping.exists():
        try:
            return read_mapping(outcome.mapping, proposal)
        except MappingError as error:
            raise MappingError(f"{outcome.mapping}: {error}") from error
    if options.mapping or not options.is_dry:
        write_mapping(proposal, outcome.survey, outcome.mapping)
        outcome.is_proposed = True
    return proposal
