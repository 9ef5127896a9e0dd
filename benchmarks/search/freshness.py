"""How long after its commit a story shows on the search page, while four processes serve readers without a pause.

The page is asked for the story's own words as a phrase, every 20 ms, until it is there. Readers come from a process of
their own (`python -m benchmarks.search.freshness PORT SECONDS`), at moments that do not wait for answers.
"""

from __future__ import annotations

import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from benchmarks.end_to_end import get, serve_site
from benchmarks.figures import Figure, quantile
from benchmarks.search.corpus import SEED
from benchmarks.search.sites import ROOT, BenchSite, copy_site
from benchmarks.search.speed import random_searches
from spectator import accounts, publishing
from spectator.db import db
from spectator.models import User

MEDIAN_GOAL, WORST_GOAL = 0.4, 3.0
REQUESTS_PER_SECOND = 50
LISTS = ("/", "/politics/", "/security/", "/business/", "/country/nigeria/", "/feed.xml")
POLL_SECONDS, PAUSE_SECONDS, TIMEOUT_SECONDS = 0.02, 0.5, 30.0
LETTERS = "bcdfghjklmnpqrstvwxz"


def figures(site: BenchSite, folder: Path, publications: int) -> Iterator[Figure]:
    """Yield the median and the 99th hundredth of the waits, on a copy of the site."""
    copy = copy_site(site, folder / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serve_site(copy.environ, port), copy.app_context(), background_readers(port) as answers:
        taken = publish_stories(port, publications)
    asked = sum(answers.values())
    load = f"{publications} publications; readers' answers: {dict(answers)} ({asked} in all)"
    name = f"published → findable, {site.number:,} stories, {REQUESTS_PER_SECOND} requests/s"
    yield Figure(f"{name}, p50", quantile(taken, 0.5), "s", MEDIAN_GOAL, note=load)
    yield Figure(
        f"{name}, p99", quantile(taken, 0.99), "s", WORST_GOAL, note=f"worst {max(taken):.2f}"
    )


@contextmanager
def background_readers(port: int) -> Iterator[Counter[str]]:
    """Let readers come until the block ends; afterwards the counter has their answers by status."""
    answers: Counter[str] = Counter()
    command = [sys.executable, "-m", "benchmarks.search.freshness", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    try:
        yield answers
    finally:
        told, _ = process.communicate("enough\n", timeout=60)
        answers.update(
            {status: int(number) for status, number in map(str.split, told.splitlines())}
        )


def publish_stories(port: int, number: int) -> list[float]:
    """Publish that many stories one after the other; return the seconds that each took to show."""
    chance, taken = random.Random(SEED), []
    user_id, _ = accounts.add_user("bench@news.example", "Bench", "editor")
    editor = db.session.get(User, user_id)
    assert editor is not None
    db.session.refresh(editor)
    for each in range(number):
        word = "zz" + "".join(LETTERS[each // 20**place % 20] for place in range(3))
        draft = publishing.Draft(
            headline=f"Found {word} {word}", body="A body. " * 200, section="politics"
        )
        publishing.create(draft, editor, publishing.Action("publish"))
        taken.append(wait_until_searchable(port, word))
        time.sleep(chance.uniform(0, PAUSE_SECONDS))
    return taken


def wait_until_searchable(port: int, word: str) -> float:
    """Return how long it takes until the search page links to the story."""
    started = time.monotonic()
    link, address = f"/politics/found-{word}".encode(), "/search?q=" + quote(f'"{word} {word}"')
    while link not in get(port, address)[1]:
        if time.monotonic() - started > TIMEOUT_SECONDS:
            raise TimeoutError(word)
        time.sleep(POLL_SECONDS)
    return time.monotonic() - started


def reader_paths(port: int, number: int) -> list[str]:
    """Return what readers ask for: half of it stories, a quarter lists, a tenth searches, the rest related stories."""
    chance = random.Random(SEED)
    stories = list(
        dict.fromkeys(
            re.findall(
                rb'href="(/[a-z]+/[^"/?#]+)"', b"".join(get(port, each)[1] for each in LISTS)
            )
        )
    )
    related = list(
        dict.fromkeys(re.findall(rb"/fragments/related/\d+", get(port, stories[0].decode())[1]))
    )
    kinds: tuple[Sequence[str], ...] = (
        [path.decode() for path in stories],
        LISTS,
        [f"/search?q={quote(text)}" for text in random_searches(200)],
        [path.decode() for path in related] or LISTS,
    )
    return [chance.choice(chance.choices(kinds, (50, 25, 10, 15))[0]) for _ in range(number)]


def main() -> None:
    """Ask 50 times a second until something is said on standard input; print statuses and their numbers."""
    port = int(sys.argv[1])
    answers: Counter[int] = Counter()
    is_over = threading.Event()

    def ask(path: str) -> None:
        answers[get(port, path)[0]] += 1

    threading.Thread(target=lambda: (sys.stdin.readline(), is_over.set()), daemon=True).start()
    asked, threads, next_at = reader_paths(port, 1000), [], time.monotonic()
    while not is_over.wait(max(0.0, next_at - time.monotonic())):
        threads.append(threading.Thread(target=ask, args=(asked[len(threads) % len(asked)],)))
        threads[-1].start()
        next_at += 1 / REQUESTS_PER_SECOND
    for thread in threads:
        thread.join()
    for status, number in sorted(answers.items()):
        print(status, number)


if __name__ == "__main__":
    main()
