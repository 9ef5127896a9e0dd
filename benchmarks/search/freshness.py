"""Time from a commit until search lists the story, while four processes serve readers.

The search page is polled every 20 ms for a phrase of the story. Another process (`python -m
benchmarks.search.freshness PORT`) sends the readers' requests, 50 a second, without waiting for
earlier responses, until it reads a line from standard input.
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
CONSONANTS = "bcdfghjklmnpqrstvwxz"


def figures(site: BenchSite, folder: Path, publications: int) -> Iterator[Figure]:
    """Yield the median and 99th percentile of these times, on a copy of the site."""
    copy = copy_site(site, folder / "data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        serve_site(copy.environ, port),
        copy.app_context(),
        background_readers(port) as responses,
    ):
        waits = publish_stories(port, publications)
    requests = sum(responses.values())
    load = f"{publications} publications; {requests} responses to readers: {dict(responses)}"
    name = f"publication → search, {site.number:,} stories, {REQUESTS_PER_SECOND} requests/s"
    yield Figure(f"{name}, p50", quantile(waits, 0.5), "s", MEDIAN_GOAL, note=load)
    yield Figure(
        f"{name}, p99", quantile(waits, 0.99), "s", WORST_GOAL, note=f"worst {max(waits):.2f}"
    )


@contextmanager
def background_readers(port: int) -> Iterator[Counter[str]]:
    """Send readers' requests until the block ends; the yielded counter then has the number of
    responses by status.
    """
    responses: Counter[str] = Counter()
    command = [sys.executable, "-m", "benchmarks.search.freshness", str(port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )
    try:
        yield responses
    finally:
        output, _ = process.communicate("stop\n", timeout=60)
        responses.update(
            {status: int(number) for status, number in map(str.split, output.splitlines())}
        )


def publish_stories(port: int, number: int) -> list[float]:
    """Publish that many stories one after the other; return the seconds until search lists
    each.
    """
    rng, waits = random.Random(SEED), []
    user_id, _ = accounts.add_user("bench@news.example", "Bench", "editor")
    editor = db.session.get(User, user_id)
    assert editor is not None
    db.session.refresh(editor)
    for index in range(number):
        word = "zz" + "".join(CONSONANTS[index // 20**digit % 20] for digit in range(3))
        draft = publishing.Draft(
            headline=f"Story {word} {word}", body="A body. " * 200, section="politics"
        )
        publishing.create(draft, editor, publishing.Action("publish"))
        waits.append(wait_until_searchable(port, word))
        time.sleep(rng.uniform(0, PAUSE_SECONDS))
    return waits


def wait_until_searchable(port: int, word: str) -> float:
    """Return the seconds until the search page links to the story."""
    started = time.monotonic()
    link, address = f"/politics/story-{word}".encode(), "/search?q=" + quote(f'"{word} {word}"')
    while link not in get(port, address)[1]:
        if time.monotonic() - started > TIMEOUT_SECONDS:
            raise TimeoutError(word)
        time.sleep(POLL_SECONDS)
    return time.monotonic() - started


def reader_paths(port: int, number: int) -> list[str]:
    """Return random paths: 50 % stories, 25 % lists, 10 % searches, 15 % related stories."""
    rng = random.Random(SEED)
    stories = list(
        dict.fromkeys(
            re.findall(
                rb'href="(/[a-z]+/[^"/?#]+)"', b"".join(get(port, path)[1] for path in LISTS)
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
    return [rng.choice(rng.choices(kinds, (50, 25, 10, 15))[0]) for _ in range(number)]


def main() -> None:
    """Send requests until standard input has a line; print the number of responses by status."""
    port = int(sys.argv[1])
    responses: Counter[int] = Counter()
    stop_requested = threading.Event()

    def request(path: str) -> None:
        responses[get(port, path)[0]] += 1

    threading.Thread(
        target=lambda: (sys.stdin.readline(), stop_requested.set()), daemon=True
    ).start()
    paths, threads, next_at = reader_paths(port, 1000), [], time.monotonic()
    while not stop_requested.wait(max(0.0, next_at - time.monotonic())):
        threads.append(threading.Thread(target=request, args=(paths[len(threads) % len(paths)],)))
        threads[-1].start()
        next_at += 1 / REQUESTS_PER_SECOND
    for thread in threads:
        thread.join()
    for status, number in sorted(responses.items()):
        print(status, number)


if __name__ == "__main__":
    main()
