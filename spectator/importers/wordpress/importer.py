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
from spectator.importers.records import Record
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
    register_lists,
    register_pictures,
    register_stories,
)
from spectator.importers.wordpress.stories import StoryReader
from spectator.importers.wordpress.survey import Advance, Survey, host_of, survey_files
from spectator.text.words.slugs import slugify

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
            if kind == "post" and status in SKIPPED_STATUSES:
                counts[f"{kind} ({status})"] += count
            elif kind not in {"post", "attachment", "guest-author"}:
                counts[kind] += count
        return sorted(counts.items())


def import_site(
    sources: Sources, config: Config, options: Options, advance: Advance | None = None
) -> Outcome:
    """Import the posts of all export files of a site; `advance` gets their bytes, twice.

    Raises XmlError and MappingError before anything is stored.
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
    batch = _Batch(options.is_dry)
    outcome.report = runner.import_records(
        batch.collect(stories.read(sources, advance)),
        config["MEDIA"],
        options.is_dry,
        batch.register,
        overwrite=options.overwrite,
    )
    if not options.is_dry:
        if options.media or options.fetches_media:
            register_pictures(survey, library)
        register_lists(survey, mapping)
    outcome.missing = library.missing
    return outcome


class _Batch:
    """The records of the batch that is being stored, whose addresses are registered after it."""

    def __init__(self, is_dry: bool) -> None:
        self.is_dry = is_dry
        self.entries: list[runner.Entry] = []

    def collect(self, entries: Iterator[runner.Entry]) -> Iterator[runner.Entry]:
        """Yield the entries, and remember them."""
        for entry in entries:
            self.entries.append(entry)
            yield entry

    def register(self, count: int) -> None:
        """Register the addresses of the first entries, which are stored now."""
        batch, self.entries = self.entries[:count], self.entries[count:]
        if not self.is_dry:
            register_stories(entry for entry in batch if isinstance(entry, Record))


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
            download(url, media.MAX_BYTES, is_wanted=library.is_own_host).content
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
