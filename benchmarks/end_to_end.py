"""Figures of the whole site: import, page weight, time from publication to search, memory.

`python -m benchmarks.end_to_end [STORIES]` creates a site in a temporary directory with that many
generated stories (10,000 by default), serves it with four workers on loopback, publishes 40 stories
one after the other and polls the search page until it lists each one. It prints one figure a line.
Linux only: memory is read from /proc.
"""

from __future__ import annotations

import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli

PUBLICATIONS = 40
VOCABULARY = 30_000
SECTIONS = ("politics", "security", "business", "society", "health", "culture", "opinion")
COUNTRIES = ("NG", "KE", "ML", "SN", "ZA", "ET", "GH", "CI", "CD", "TZ")
MEMORY_FIELDS = ("Rss", "Pss", "Private_Dirty")


def vocabulary(rng: random.Random) -> list[str]:
    """Return random words of two to four syllables."""
    syllables = [c + v for c in "bdfgklmnprstwyz" for v in "aeiou"]
    return ["".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(VOCABULARY)]


def write_stories(path: Path, number: int) -> None:
    """Write generated stories of about 400 words as JSON lines."""
    rng = random.Random(1)
    words = vocabulary(rng)
    weights = [1 / (rank + 3) for rank in range(len(words))]  # Zipf's law
    newest = datetime(2026, 11, 1, tzinfo=UTC)
    with path.open("w", encoding="utf-8") as file:
        for index in range(number):
            text = rng.choices(words, weights, k=400)
            body = "\n\n".join(
                " ".join(text[start : start + 50]).capitalize() + "."
                for start in range(0, 400, 50)
            )
            record = {
                "id": f"g{index}",
                "headline": " ".join(rng.choices(words, weights, k=8)).capitalize(),
                "body": body,
                "section": rng.choice(SECTIONS),
                "countries": [rng.choice(COUNTRIES)],
                "published_at": (newest - timedelta(minutes=7 * index)).isoformat(),
                "source_name": "Bench",
            }
            file.write(json.dumps(record) + "\n")


@contextmanager
def serve_site(environ: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the site with four workers until the block ends."""
    command = [
        sys.executable,
        "-m",
        "spectator",
        "run",
        "--workers",
        "4",
        "--bind",
        f"127.0.0.1:{port}",
    ]
    process = subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(lambda: has_index(get(port, "/readyz")), 120)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def has_index(readyz: tuple[int, bytes]) -> bool:
    """Return whether the response of /readyz reports a site that serves pages and can search."""
    status, body = readyz
    return status == 200 and b'"index_position":null' not in body


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition holds; raise TimeoutError if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


def get(port: int, path: str) -> tuple[int, bytes]:
    """Return status and body; status 0 if nothing listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, b""
    except OSError:
        return 0, b""


def process_memory(pid: int) -> dict[str, int]:
    """Return a process's memory in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return {
        name: int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1]) // 1024
        for name in MEMORY_FIELDS
    }  # type: ignore[index]


def child_processes(pid: int) -> dict[int, str]:
    """Return the command lines of a process's children."""
    pids = [
        int(child)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    ]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        pids += [int(child) for child in (thread / "children").read_text().split()]
    return {
        child: Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
        for child in set(pids)
    }


def time_until_searchable(port: int) -> list[float]:
    """Publish stories; return for each the seconds from the commit until search lists it."""
    from spectator import accounts, create_app, publishing
    from spectator.db import db
    from spectator.models import User

    durations = []
    app = create_app()
    with app.app_context():
        user_id, _ = accounts.add_user("bench@news.example", "Bench", "editor")
        editor = db.session.get(User, user_id)
        assert editor is not None
        db.session.refresh(editor)
        for number in range(PUBLICATIONS):
            word = f"unusual{number:03}x"
            draft = publishing.Draft(
                headline=f"Story {word}", body="A body. " * 200, section="politics"
            )
            publishing.create(draft, editor, publishing.Action("publish"))
            started = time.monotonic()
            while f"/politics/story-{word}".encode() not in get(port, f"/search?q={word}")[1]:
                time.sleep(0.005)
            durations.append(time.monotonic() - started)
            time.sleep(random.random() * 0.3)
    return durations


def main() -> None:
    """Measure and print."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        os.environ["SPECTATOR_DATA_DIR"] = f"{directory}/data"
        spectator = [sys.executable, "-m", "spectator"]
        stories = Path(directory) / "stories.jsonl"
        write_stories(stories, number)
        for name, command in (
            ("init", ["init"]),
            ("import", ["import", "jsonl", str(stories)]),
            ("reindex", ["reindex"]),
        ):
            started = time.monotonic()
            subprocess.run([*spectator, *command], check=True, capture_output=True)
            print(f"{name}: {time.monotonic() - started:.1f} s ({number} stories)")
        with serve_site(dict(os.environ), port) as master:
            for path in ("/", "/politics/", "/search?q=bench"):
                body = get(port, path)[1]
                print(
                    f"{path}: {len(body)} bytes, {len(brotli.compress(body, quality=11))} brotli"
                )
            durations = time_until_searchable(port)
            print(
                f"from publication to search: median {statistics.median(durations):.2f} s, "
                f"worst {max(durations):.2f} s"
            )
            for pid, command in sorted(child_processes(master.pid).items()):
                kind = "worker" if command.rstrip().endswith("worker") else "web"
                print(f"{kind} process: {process_memory(pid)} MB")


if __name__ == "__main__":
    main()
