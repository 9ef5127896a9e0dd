"""Sites of many generated stories, set up as an operator does: `spectator init`, `import`,
`reindex`.

They are stored for later runs until code that determines the database or the index changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from benchmarks.search.corpus import FOLDER, write_generated_stories
from spectator import create_app, indexing, queries
from spectator.db import db
from spectator.search import Document

ROOT = Path(__file__).resolve().parents[2]
STORY_SOURCES = ("models", "migrations", "publishing", "importers", "text")
INDEX_SOURCES = ("search", "text", "indexing.py")
ADDRESS = "https://bench.example"


@dataclass(frozen=True, slots=True)
class BenchSite:
    """Site in its own folder with that many stories and an index."""

    data: Path
    number: int

    @property
    def environ(self) -> dict[str, str]:
        """Return the environment for the site's processes."""
        without_settings = {
            name: value for name, value in os.environ.items() if not name.startswith("SPECTATOR_")
        }
        return without_settings | {
            "SPECTATOR_DATA_DIR": str(self.data),
            "SPECTATOR_SITE_URL": ADDRESS,
        }

    def run(self, *arguments: str) -> float:
        """Run the `spectator` command; return its seconds."""
        started = time.monotonic()
        command = [sys.executable, "-m", "spectator", *arguments]
        subprocess.run(command, cwd=ROOT, env=self.environ, check=True, capture_output=True)
        return time.monotonic() - started

    @contextmanager
    def app_context(self) -> Iterator[Flask]:
        """Enter the application context of the site in this process."""
        app = create_app(
            {name: value for name, value in self.environ.items() if name.startswith("SPECTATOR_")}
        )
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()

    def reindex(self) -> float:
        """Rebuild the index; return the seconds."""
        key = self.data / "index.key"
        key.unlink(missing_ok=True)
        seconds = self.run("reindex")
        key.write_text(source_digest(*INDEX_SOURCES))
        return seconds

    def has_index(self) -> bool:
        """Return whether the index exists and was built by the current code."""
        key = self.data / "index.key"
        return key.exists() and key.read_text() == source_digest(*INDEX_SOURCES)


def generated_site(cache: Path, number: int) -> BenchSite:
    """Return a site of that many generated stories; its index may be missing or outdated."""
    folder = cache / f"site-{number}-{source_digest(*STORY_SOURCES)}"
    site = BenchSite(folder / "data", number)
    if not (folder / "complete").exists():
        for old in cache.glob(f"site-{number}-*"):
            shutil.rmtree(old)
        folder.mkdir(parents=True)
        stories = folder / "stories.jsonl"
        write_generated_stories(stories, number)
        site.run("init")
        site.run("import", "jsonl", str(stories))
        stories.unlink()
        (folder / "complete").touch()
    return site


def documents() -> Iterator[Document]:
    """Yield every published story of the current application's site as a search document."""
    after = 0
    while articles := queries.articles_to_index(after=after):
        yield from map(indexing.build_document, articles)
        after = articles[-1].id
        db.session.expunge_all()


def copy_site(site: BenchSite, folder: Path) -> BenchSite:
    """Copy a site to a new folder, so that its data may be changed."""
    shutil.copytree(site.data, folder, symlinks=True)
    return BenchSite(folder, site.number)


def source_digest(*names: str) -> str:
    """Return a short digest of these packages or modules, the generator and the real stories."""
    digest = hashlib.sha256()
    generator = [Path(__file__).with_name("corpus.py"), ROOT / "benchmarks" / "end_to_end.py"]
    sources = [ROOT / "spectator" / name for name in names]
    paths = [
        path
        for source in sources
        for path in ([source] if source.is_file() else source.rglob("*"))
    ]
    for path in sorted([*generator, *paths, *FOLDER.glob("*.jsonl")]):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
