"""A whole site in its own processes, as an operator runs it, and what a drill needs from it."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from flask import Flask

from spectator import create_app, indexing, publishing, queries, urls
from spectator.db import db
from spectator.models import User
from spectator.search import IndexUnavailableError, open_index

ROOT = Path(__file__).resolve().parents[2]
BOOT_SECONDS = 40.0


def eventually(
    question: Callable[[], object], seconds: float, what: str, pause_seconds: float = 0.05
) -> None:
    """Poll until the condition is true; fail after `seconds`."""
    until = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(pause_seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP response; status 0 if none came."""

    path: str
    status: int
    body: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Story:
    """Acknowledged publication; `token` is a word of no other story."""

    id: int
    token: str
    path: str


class Site:
    """Site in its own data directory, which its processes know from the environment."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.address = f"http://127.0.0.1:{free_port()}"
        self.settings = {"SPECTATOR_DATA_DIR": str(data), "SPECTATOR_SITE_URL": self.address}
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("SPECTATOR_")
        }
        self.environ = inherited | self.settings | {"PYTHONUNBUFFERED": "1"}
        self.log = data.with_suffix(".log")
        self.checkout = ROOT
        self.master: subprocess.Popen[bytes] | None = None
        self.started: list[subprocess.Popen[bytes]] = []

    def spawn(self, module: str, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a Python module as a process of the site, in its own process group."""
        return self._start([sys.executable, "-m", module, *arguments], self.environ | more)

    def spawn_code(self, code: str) -> subprocess.Popen[bytes]:
        """Start a few lines of Python as a process of the site."""
        return self._start([sys.executable, "-c", code], self.environ)

    def _start(self, command: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self.checkout,
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def start(self) -> None:
        """Run the site and wait until it is ready; restart it if it exits, as a service manager
        does.

        An exit is legitimate: after a master is killed, its web processes keep the port until they
        notice.
        """

        def is_ready() -> bool:
            if self.master is None or self.master.poll() is not None:
                self.master = self.spawn(
                    "spectator", "run", "--workers", "2", "--bind", self.address[7:]
                )
            listens = rf"Listening at: .*\({self.master.pid}\)"
            answer = self.get("/readyz")
            # Search may come later; a drill waits for it.
            has_index = '"index_position":null' not in answer.body
            return bool(self.log_matches(listens)) and answer.status == 200 and has_index

        try:
            eventually(is_ready, BOOT_SECONDS, "ready")
        except AssertionError as error:
            error.add_note(self.log_tail())
            raise

    def stop(self) -> int:
        """Stop the site as a service manager does; return the master's exit code."""
        if self.master is None:
            return 0
        self.master.terminate()
        return self.master.wait(30)

    def processes(self, role: str = "") -> set[int]:
        """Return the pids of a role on this data directory: master, web, worker, publisher,
        or all.
        """
        pids = set()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):  # it has ended or belongs to another user
                if (
                    entry.name.isdigit()
                    and self._is_ours(entry)
                    and role in ("", self._role(entry))
                ):
                    pids.add(int(entry.name))
        return pids

    def _is_ours(self, entry: Path) -> bool:
        is_dead = entry.joinpath("stat").read_text().rpartition(")")[2].split()[0] in "ZX"
        mark = f"SPECTATOR_DATA_DIR={self.data}".encode()
        return not is_dead and mark in entry.joinpath("environ").read_bytes().split(b"\0")

    def _role(self, entry: Path) -> str:
        words = entry.joinpath("cmdline").read_text().split("\0")
        if "worker" in words:
            return "worker"
        if any(word.endswith("publisher") for word in words):
            return "publisher"
        return "master" if self.master and int(entry.name) == self.master.pid else "web"

    def kill(self, role: str) -> int:
        """Kill -9 one process of that role, which must exist; return its pid."""
        pid = min(self.processes(role))
        os.kill(pid, signal.SIGKILL)
        for process in self.started:
            if process.pid == pid:
                process.wait(10)
        eventually(lambda: pid not in self.processes(), 5, "dead after SIGKILL")
        return pid

    def kill_all(self) -> set[int]:
        """Kill remaining processes of the site; return their pids."""
        left = self.processes()
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.started:
            process.wait(10)
        return left

    def log_matches(self, pattern: str) -> list[str]:
        """Return what matches a pattern in the log."""
        return (
            re.findall(pattern, self.log.read_text(errors="replace")) if self.log.exists() else []
        )

    def get(self, path: str) -> Answer:
        """Send a GET request as a reader does."""
        started = time.monotonic()
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as response:
                status, body = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read().decode()
        except (OSError, http.client.HTTPException) as error:
            status, body = 0, repr(error)
        return Answer(path, status, body, time.monotonic() - started)

    def is_findable(self, story: Story) -> bool:
        """Return whether search shows a story."""
        return self.search_failure(story) == ""

    def search_failure(self, story: Story) -> str:
        """Return what search answered instead of a story, "" if it shows it."""
        answer = self.get(f"/search?q={story.token}")
        if answer.status != 200:
            return f"{story.token}: {answer.status} {answer.body[:200]}"
        return "" if f'href="{story.path}"' in answer.body else f"{story.token} is not found"

    def assert_findable(self, stories: Iterable[Story], seconds: float, what: str) -> None:
        """Search until every story shows; fail if one is still missing after `seconds`."""
        until, left, started = time.monotonic() + seconds, list(stories), time.monotonic()
        while hidden := [
            (reason, story) for story in left if (reason := self.search_failure(story))
        ]:
            complaint = (
                f"{len(hidden)} of {len(left)} stories are not findable {what} within {seconds} s"
            )
            assert started < until, f"{complaint}; {hidden[0][0]}\n{self.log_tail()}"
            left = [story for _, story in hidden]
            time.sleep(0.05)
            started = time.monotonic()  # hundreds of requests may take longer themselves

    def log_tail(self) -> str:
        """Return the end of the site's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def app(self) -> Flask:
        """Return the site's app in this process: same data directory, no server."""
        return create_app(self.settings)

    def publish(self, tokens: list[str]) -> list[Story]:
        """Publish a story for each token from this process, as the newsroom's code does."""
        with self.app_context():
            return [publish(token) for token in tokens]

    @contextmanager
    def app_context(self) -> Iterator[Flask]:
        """Enter the application context of the site in this process."""
        app = self.app()
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()

    def is_index_correct(self) -> bool:
        """Return whether the readers' index equals the database.

        `reindex --check` would repair it first.
        """
        index = open_index(self.data / indexing.PUBLIC.directory)
        with self.app_context(), closing(index), suppress(IndexUnavailableError):
            return indexing.find_differences(index) == (set(), set())
        return False

    @contextmanager
    def polling(self, paths: list[str]) -> Iterator[list[Answer]]:
        """Poll each path until the block ends; then fail if any page but search failed."""
        answers: list[Answer] = []
        is_over = Event()

        def ask() -> None:
            while not is_over.is_set():
                for path in paths:
                    answers.append(self.get(path))
                time.sleep(0.1)  # a moderate rate, since the machine may be small

        reader = Thread(target=ask)
        reader.start()
        try:
            yield answers
        finally:
            is_over.set()
            reader.join(30)
        assert len(answers) >= len(paths)
        for answer in answers:
            if answer.path.startswith("/search") and answer.status == 503:
                assert "<h1" in answer.body and "</html>" in answer.body, "a friendly page"
            else:
                assert answer.status == 200, f"{answer.path}: {answer.status} {answer.body[:300]}"


def publish(token: str) -> Story:
    """Publish a story for each token from this process, through the newsroom's code."""
    by = db.session.query(User).filter_by(role="editor").one()
    body = (
        f"The word {token} is told here.\n\nNothing else happened, and it took "
        f"{len(token)} letters to say so."
    )
    draft = publishing.Draft(
        headline=f"A drill, story {token}", body=body, section="politics", countries=("Mali",)
    )
    article_id = publishing.create(draft, by, publishing.Action("publish"))
    article = queries.published_article(article_id)
    assert article is not None
    return Story(article_id, token, urls.permalink(article))


def token(number: int, prefix: str = "zq") -> str:
    """Return a word of letters for a number: unique, and never the prefix of another."""
    return prefix + "".join("abcdefghij"[int(digit)] for digit in f"{number:05}")


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
