"""The receipt of an import: what became of each address and each story of the older site.

Importers collect with the `add_…` methods. `write` is called after the import and asks this site
for each address, so that the receipt says what readers get. Entries wait in a temporary file, since
a large site has hundreds of thousands.
"""

from __future__ import annotations

import json
import os
import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from flask import current_app

from spectator.answers import Answer, ask_site, site_path
from spectator.i18n import lazy_gettext
from spectator.importers.records import Record
from spectator.operations.file_modes import PRIVATE_FILE
from spectator.queries.old_addresses import paths_by_external_id

FORMAT = 1
LABELS = {
    "200": lazy_gettext("at the same address"),
    "301": lazy_gettext("redirect"),
    "404": lazy_gettext("not public"),
    "410": lazy_gettext("gone"),
    "missing": lazy_gettext("no page"),
    "elsewhere": lazy_gettext("another page"),
}
BATCH_SIZE = 500


@dataclass(slots=True)
class Outcome:
    """What a reader gets at an old address.

    `problem` is "missing" (nothing, or only the front page), "elsewhere" (another story's page) or
    "". `external_id` is the story's, `reason` why it is gone or private.
    """

    address: str
    status: int
    location: str = ""
    external_id: str = ""
    reason: str = ""
    problem: str = ""


class _Spool:
    """Entries in a temporary file, in order."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - lives on
        weakref.finalize(self, self.file.close)

    def append(self, entry: Any) -> None:
        self.file.write(json.dumps(entry) + "\n")

    def __iter__(self) -> Iterator[Any]:
        self.file.flush()
        self.file.seek(0)
        for line in self.file:
            yield json.loads(line)
        self.file.seek(0, 2)


class Receipt:
    """What an import collects about the older site; `source` is its name or that of its file."""

    def __init__(self, source: str = "") -> None:
        self.source = source
        self.counts: Counter[str] = Counter()
        self.address_count = 0
        self._addresses, self._stories = _Spool(), _Spool()
        self._targets: dict[str, int] = {}  # statuses of the pages to which redirects lead

    def add_address(self, url: str, external_id: str | None = None) -> None:
        """Add an old address: that of the story or page with this external id, or of anything."""
        self._add(url, external_id or "", "")

    def add_gone(self, url: str, reason: str) -> None:
        """Add an address that had a page which this site has not, registered as "gone"."""
        self._add(url, "", reason)

    def _add(self, url: str, external_id: str, reason: str) -> None:
        with suppress(ValueError):  # no URL at all
            self._addresses.append([site_path(url), external_id, reason])
            self.address_count += 1

    def add_story(self, location: str, external_id: str | None, changes: Iterable[str]) -> None:
        """Add a story with sentences about what was converted, dropped or kept private."""
        entry = {"story": location, "external_id": external_id or "", "changes": list(changes)}
        self._stories.append(entry)

    def add_records(self, records: Iterable[Record]) -> None:
        """Add stories with their changes and old addresses."""
        for record in records:
            self.add_story(record.location, record.external_id, record.changes)
            for address in record.addresses:
                self.add_address(address, record.external_id)

    def count(self, kind: str, number: int = 1) -> None:
        """Count things by kind, in the words of the reader: "comments left behind"."""
        self.counts[kind] += number

    def write(self, path: Path, progress: Callable[[int], None] | None = None) -> Counter[str]:
        """Write the receipt as HTML to `path` and as JSON beside it.

        Return the numbers of addresses by what readers get there. `progress` gets the numbers of
        addresses that were asked for.
        """
        outcomes, totals = _Spool(), Counter[str]()
        for outcome in self._outcomes(progress):
            outcomes.append(asdict(outcome))
            totals[outcome.problem or str(outcome.status)] += 1
        head = {
            "format": FORMAT,
            "source": self.source,
            "site": current_app.config["SITE_URL"],
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "answers": dict(sorted(totals.items())),
            "counts": dict(sorted(self.counts.items())),
        }
        _write(path.with_suffix(".json"), _json_text(head, outcomes, self._stories))
        template = current_app.jinja_env.get_template("imports/receipt.html")
        context = {
            "outcomes": outcomes,
            "stories": self._stories,
            "labels": LABELS,
            "has_problems": bool(totals["missing"] + totals["elsewhere"]),
            **head,
        }
        current_app.update_template_context(context)
        _write(path, template.generate(context))
        return totals

    def _outcomes(self, progress: Callable[[int], None] | None) -> Iterator[Outcome]:
        entries = iter(self._addresses)
        while batch := list(islice(entries, BATCH_SIZE)):
            paths = paths_by_external_id({entry[1] for entry in batch if entry[1]})
            for address, external_id, reason in batch:
                expected = paths.get(external_id)
                # The page itself needs no rendering to know that it is there.
                answer = Answer(200) if expected == address else ask_site(address)
                outcome = Outcome(address, *answer, external_id, reason)
                is_lost = bool(external_id) and expected is None
                problem = "missing" if is_lost else self._problem(outcome, expected)
                yield replace(outcome, problem=problem)
            if progress:
                progress(len(batch))

    def _problem(self, outcome: Outcome, expected: str | None) -> str:
        """Return what is wrong with an outcome; `expected` is the path of a public story, or "".

        It is None for addresses of anything else. A story that is not public has no address.
        """
        if outcome.status == 301 and expected is None:
            is_right = outcome.location != "/" and self._target_status(outcome.location) == 200
            return "" if is_right else "missing"
        if outcome.status == 301:
            return "" if outcome.location == expected else "elsewhere"
        if outcome.status == 200:
            return "" if expected in (None, outcome.address) else "elsewhere"
        if outcome.status == 404:
            return "" if expected == "" else "missing"
        return "" if outcome.status == 410 else "missing"

    def _target_status(self, location: str) -> int:
        if location not in self._targets:
            self._targets[location] = ask_site(location).status
        return self._targets[location]


def _json_text(
    head: dict[str, Any], addresses: Iterable[Any], stories: Iterable[Any]
) -> Iterator[str]:
    """Yield a JSON object with a line for each address and story."""
    yield json.dumps(head, ensure_ascii=False)[:-1]
    for name, entries in (("addresses", addresses), ("stories", stories)):
        yield f',\n"{name}": ['
        lines = (json.dumps(entry, ensure_ascii=False) for entry in entries)
        for number, line in enumerate(lines):
            yield f"{',' if number else ''}\n{line}"
        yield "\n]"
    yield "}\n"


def _write(path: Path, pieces: Iterable[str]) -> None:
    """Write a private file, which replaces an older one only once it is complete."""
    handle, temporary = tempfile.mkstemp(prefix=".receipt-", dir=path.parent)
    try:
        os.fchmod(handle, PRIVATE_FILE)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.writelines(pieces)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
