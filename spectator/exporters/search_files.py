"""The search of an exported site: small scripts, of which a page loads those that it needs.

- `search/start.js`: the letters that words fold to, common words, and the names of the pieces.
- `search/words-<letters>.js`: the words that begin with two letters, with their stories.
- `search/stories-<number>.js`: what results show of ten stories, newest first.

A page opened from a disk may load scripts, but neither fetch files nor import modules.
`static/js/offline_search.js` reads these.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app

from spectator import queries
from spectator.db import db
from spectator.exporters.directories import ExportDirectory
from spectator.models import Article
from spectator.text.html.sanitizer import plain_text
from spectator.text.words.folding import fold, tokens

STORIES_PER_FILE = 10
MAX_SUMMARY = 200  # characters
# A word in more than this share of the stories finds nothing that a reader looks for.
COMMON_SHARE, MIN_STORIES = 0.4, 100
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
PREFIX_LENGTH = 2


class SearchFiles:
    """Words and stories, collected story by story.

    The number of a story is its position among all, newest first. `postings` has for each word
    twice the numbers of its stories in order, plus one if the word is in the headline.
    """

    def __init__(self, directory: ExportDirectory, files: Mapping[int, str]) -> None:
        self.directory, self.files = directory, files
        self.numbers = {article_id: number for number, article_id in enumerate(files)}
        self.rows: list[list[str] | None] = [None] * len(files)
        self.postings: dict[str, array[int]] = {}
        self.folds: dict[str, str] = {}
        self.zone = ZoneInfo(current_app.config["TIMEZONE"])

    def add(self, article: Article) -> None:
        """Add a story with its text and names."""
        number = self.numbers.get(article.id)
        if number is None:  # published since the export began
            return
        assert article.published_at is not None
        summary = article.dek or article.excerpt
        self.rows[number] = [
            article.headline,
            self.files[article.id],
            _date(article.published_at, self.zone),
            article.section.name,
            article.language,
            summary if len(summary) <= MAX_SUMMARY else f"{summary[:MAX_SUMMARY].rstrip()}…",
        ]
        headline = self._words(f"{article.kicker} {article.headline}")
        entities = (article.authors, article.topics, article.countries)
        names = [entity.name for group in entities for entity in group]
        text = [article.dek, plain_text(article.body), article.picture_caption]
        text += [article.section.name, article.source_name, *names]
        for word in headline | self._words("\n".join(text)):
            self.postings.setdefault(word, new_postings()).append(2 * number + (word in headline))

    def _words(self, text: str) -> set[str]:
        for char in set(text):
            if not char.isascii() and (folded := fold(char)) != char:
                self.folds[char] = folded
        return {token.text for token in tokens(text)}

    def write(self) -> None:
        """Write all files."""
        for start in range(0, len(self.rows), STORIES_PER_FILE):
            number = start // STORIES_PER_FILE
            self._write(f"stories-{number}", self.rows[start : start + STORIES_PER_FILE])
        pieces: dict[str, dict[str, str]] = {}
        common = []
        limit = max(MIN_STORIES, COMMON_SHARE * len(self.rows))
        for word, postings in sorted(self.postings.items()):
            if len(postings) > limit:
                common.append(word)
            else:
                piece = pieces.setdefault(word[:PREFIX_LENGTH], {})
                piece[word] = encode(sorted(postings))
        for prefix, words in pieces.items():
            self._write(f"words-{code_points(prefix)}", words)
        start_data = {
            "count": len(self.rows),
            "perFile": STORIES_PER_FILE,
            "prefixLength": PREFIX_LENGTH,
            "folds": dict(sorted(self.folds.items())),
            "common": common,
            "prefixes": list(pieces),
        }
        self._write("start", start_data)

    def _write(self, name: str, data: Any) -> None:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        script = f"spectatorSearch({json.dumps(name)},{text});\n"
        self.directory.write(f"search/{name}.js", script.encode())


def write_search_files(directory: ExportDirectory, files: Mapping[int, str]) -> None:
    """Write the files for the stories whose pages are `files`, by id, newest first."""
    search, after = SearchFiles(directory, files), 0
    while batch := queries.articles_to_index(after=after):
        for article in batch:
            search.add(article)
        after = batch[-1].id
        db.session.expunge_all()
    search.write()


def new_postings() -> array[int]:
    """Return an empty list of numbers."""
    return array("I")


def encode(numbers: list[int]) -> str:
    """Return ascending numbers as their differences in base 36, separated by spaces."""
    return " ".join(_base36(b - a) for a, b in pairwise((0, *numbers)))


def _base36(number: int) -> str:
    digits = DIGITS[number % 36]
    while number := number // 36:
        digits = DIGITS[number % 36] + digits
    return digits


def code_points(text: str) -> str:
    """Return characters as part of a file name, such as “65-6c” for “el”."""
    return "-".join(f"{ord(char):x}" for char in text)


def _date(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat()
