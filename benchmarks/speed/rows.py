"""Sites of a thousand to a million short stories, inserted by SQL with only the columns that
readers' pages need.

Every site spans the same three years, so a month's page is always full; the topic Rare always has
sixty stories.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import closing
from pathlib import Path

from benchmarks.search.sites import ROOT, BenchSite
from spectator import publishing
from spectator.db import sqlite

TOPICS, AUTHORS, RARE_STORIES = 40, 30, 60
NEWEST, SPAN = 1_793_491_200, 3 * 365 * 24 * 3600  # 1 November 2026; seconds
SCHEMA_PACKAGES = ("models", "migrations", "publishing")
SENTENCE = "The river rose in the night and the market moved to the hill. "

# A number that looks random but is the same on every run.
PSEUDO_RANDOM = "(i * 2654435761 / 4096)"
STORIES = (
    "WITH RECURSIVE story(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM story WHERE i < :number)"
)
MOMENT = (
    "strftime('%Y-%m-%d %H:%M:%f000', :newest - (:number - i) * :span / (1.0 * :number), "
    "'unixepoch')"
)

DERIVED_TABLES = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('listed', 'story_count')"
)

STATEMENTS = (
    f"""INSERT INTO topic (id, slug, name)
    {STORIES} SELECT i, CASE i WHEN 1 THEN 'rare' ELSE 'topic-' || i END,
        CASE i WHEN 1 THEN 'Rare' ELSE 'Topic ' || i END
    FROM story WHERE i <= :topics""",
    f"""INSERT INTO author (id, slug, name)
    {STORIES} SELECT i, 'author-' || i, 'Author ' || i FROM story WHERE i <= :authors""",
    f"""INSERT INTO article (
      id, headline, dek, slug, language, status, excerpt, word_count, source_name, source_url,
      published_at, created_at, saved_at, withdrawn_reason, version, section_id,
      picture_alt, picture_caption, picture_credit, body)
    {STORIES} SELECT
      i, 'What the river left behind, part ' || i,
      'A dek of one line that says what story ' || i || ' tells.',
      'what-the-river-left-behind-part-' || i, 'en', 'published', :sentence, 60, 'Bench', '',
      {MOMENT}, {MOMENT}, {MOMENT}, '', 1,
      1 + {PSEUDO_RANDOM} % (SELECT count(*) FROM section), '', '', '', :body FROM story""",
    f"""INSERT INTO article_author (article_id, position, author_id)
    {STORIES} SELECT i, 0, 1 + {PSEUDO_RANDOM} / 7 % :authors FROM story""",
    f"""INSERT INTO article_topic (article_id, topic_id)
    {STORIES} SELECT i, 2 + {PSEUDO_RANDOM} / 11 % (:topics - 1) FROM story""",
    f"""INSERT INTO article_topic (article_id, topic_id)
    {STORIES} SELECT i, 1 FROM story WHERE i % (:number / :rare) = 0""",
    f"""INSERT INTO article_country (article_id, country_id)
    {STORIES} SELECT i, 1 + {PSEUDO_RANDOM} / 13 % (SELECT count(*) FROM country) FROM story""",
    f"""INSERT OR IGNORE INTO article_country (article_id, country_id)
    {STORIES} SELECT i, (SELECT id FROM country WHERE slug = 'nigeria') FROM story
    WHERE {PSEUDO_RANDOM} % 5 = 0""",
    f"INSERT INTO outbox (article_id, action, at) {STORIES} SELECT i, 'publish', "
    f"{MOMENT} FROM story WHERE i = :number",
)


def rows_site(cache: Path, number: int) -> BenchSite:
    """Return a site of that many short stories, reused until the schema or this file changes."""
    folder = cache / f"rows-{number}-{source_digest()}"
    site = BenchSite(folder / "data", number)
    if not (folder / "complete").exists():
        for old in cache.glob(f"rows-{number}-*"):
            shutil.rmtree(old)
        folder.mkdir(parents=True)
        site.run("init")
        insert_stories(site.data / "spectator.db", number)
        build_derived_tables(site)
        (folder / "complete").touch()
    return site


def insert_stories(database: Path, number: int) -> None:
    """Insert the stories and their metadata."""
    values: dict[str, int | str] = {
        "number": number,
        "topics": TOPICS,
        "authors": AUTHORS,
        "rare": RARE_STORIES,
    }
    values |= {"newest": NEWEST, "span": SPAN}
    values |= {"sentence": SENTENCE.strip(), "body": f"<p>{SENTENCE * 2}</p>" * 3}
    with closing(sqlite.connect(database, isolation_level=None)) as connection:
        # After a power failure the site is created again.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN IMMEDIATE")
        for statement in STATEMENTS:
            connection.execute(statement, values)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def build_derived_tables(site: BenchSite) -> None:
    """Fill the derived tables; raise RuntimeError if one stays empty."""
    with site.app_context():
        publishing.repair_listings()
    with closing(sqlite.connect(site.data / "spectator.db")) as connection:
        for (table,) in connection.execute(DERIVED_TABLES).fetchall():
            if connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,):
                raise RuntimeError(f"the table {table} of a site of short stories is empty")


def source_digest() -> str:
    """Return a short digest of this file and of the code that defines the database."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in SCHEMA_PACKAGES:
        for path in sorted((ROOT / "spectator" / name).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
