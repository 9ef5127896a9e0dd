"""A site that runs in its own processes, as an operator runs it, with helpers for drills."""

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
from spectator.search.whoosh.generations import DAMAGE_MARKER, OFFSET_FILE

ROOT = Path(__file__).resolve().parents[2]
BOOT_SECONDS = 40.0
OWN_INDEX_FILES = {OFFSET_FILE, DAMAGE_MARKER, "MAIN_WRITELOCK"}  # not the engine's


def eventually(
    condition: Callable[[], object], seconds: float, description: str, pause_seconds: float = 0.05
) -> None:
    """Poll until the condition is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {description}"
        time.sleep(pause_seconds)


@dataclass(frozen=True, slots=True)
class Response:
    """HTTP response; status 0 if the request failed."""

    path: str
    status: int
    body: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Story:
    """Published story; `token` is a word that no other story has."""

    id: int
    token: str
    path: str


class Site:
    """Site with its own data directory; its processes are configured by environment variables."""

    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.address = f"http://127.0.0.1:{free_port()}"
        self.settings = {
            "SPECTATOR_DATA_DIR": str(data),
            "SPECTATOR_SITE_URL": self.address,
            **settings,
        }
        without_settings = {
            name: value for name, value in os.environ.items() if not name.startswith("SPECTATOR_")
        }
        self.environ = without_settings | self.settings | {"PYTHONUNBUFFERED": "1"}
        self.log = data.with_suffix(".log")
        self.checkout = ROOT
        self.web_processes = 2
        self.master: subprocess.Popen[bytes] | None = None
        self.started: list[subprocess.Popen[bytes]] = []

    def spawn(self, module: str, *arguments: str, **environ: str) -> subprocess.Popen[bytes]:
        """Start a Python module as a process of the site, in its own process group."""
        return self._start([sys.executable, "-m", module, *arguments], self.environ | environ)

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
        """Run the site and wait until it is ready, with an index.

        If it exits, it is started again, as by a service manager: after a master is killed, its web
        processes occupy the port until they notice.
        """

        def is_ready() -> bool:
            if self.master is None or self.master.poll() is not None:
                bind = self.address.removeprefix("http://")
                number = str(self.web_processes)
                self.master = self.spawn("spectator", "run", "--workers", number, "--bind", bind)
            listens = rf"Listening at: .*\({self.master.pid}\)"
            response = self.get("/readyz")
            has_index = '"index_position":null' not in response.body
            return bool(self.log_matches(listens)) and response.status == 200 and has_index

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
        """Return the pids of a role (master, web, worker, publisher) of this site, or of all."""
        pids = set()
        for entry in Path("/proc").iterdir():
            with suppress(OSError):  # the process has ended or belongs to another user
                if not entry.name.isdigit() or not self._is_alive_and_ours(entry):
                    continue
                if role in ("", self._role(entry)):
                    pids.add(int(entry.name))
        return pids

    def _is_alive_and_ours(self, entry: Path) -> bool:
        state = entry.joinpath("stat").read_text().rpartition(")")[2].split()[0]
        if state in "ZX":  # zombie or dead
            return False
        variable = f"SPECTATOR_DATA_DIR={self.data}".encode()
        return variable in entry.joinpath("environ").read_bytes().split(b"\0")

    def _role(self, entry: Path) -> str:
        arguments = entry.joinpath("cmdline").read_text().split("\0")
        if "worker" in arguments:
            return "worker"
        if any(argument.endswith("publisher") for argument in arguments):
            return "publisher"
        return "master" if self.master and int(entry.name) == self.master.pid else "web"

    def kill(self, role: str) -> int:
        """Kill one process of that role with SIGKILL; return its pid."""
        pid = min(self.processes(role))
        os.kill(pid, signal.SIGKILL)
        for process in self.started:
            if process.pid == pid:
                process.wait(10)
        eventually(lambda: pid not in self.processes(), 5, "dead after SIGKILL")
        return pid

    def kill_all(self) -> set[int]:
        """Kill remaining processes of the site; return their pids."""
        remaining = self.processes()
        for pid in remaining:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.started:
            process.wait(10)
        return remaining

    def log_matches(self, pattern: str) -> list[str]:
        """Return all matches of a pattern in the log."""
        return (
            re.findall(pattern, self.log.read_text(errors="replace")) if self.log.exists() else []
        )

    def get(self, path: str) -> Response:
        """Send a GET request as a reader does."""
        started = time.monotonic()
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as response:
                status, body = response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read().decode()
        except (OSError, http.client.HTTPException) as error:
            status, body = 0, repr(error)
        return Response(path, status, body, time.monotonic() - started)

    def is_findable(self, story: Story) -> bool:
        """Return whether search lists a story."""
        return self.search_failure(story) == ""

    def search_failure(self, story: Story) -> str:
        """Return how search failed to list a story; "" if it lists the story."""
        response = self.get(f"/search?q={story.token}")
        if response.status != 200:
            return f"{story.token}: {response.status} {response.body[:200]}"
        return "" if f'href="{story.path}"' in response.body else f"{story.token} is not listed"

    def assert_findable(self, stories: Iterable[Story], seconds: float, when: str) -> None:
        """Search until every story is listed; fail if one is still missing after `seconds`."""
        deadline, missing = time.monotonic() + seconds, list(stories)
        while True:
            # The round must begin in time; its hundreds of requests may end later.
            is_in_time = time.monotonic() < deadline
            failures = {story: self.search_failure(story) for story in missing}
            missing = [story for story, failure in failures.items() if failure]
            if not missing:
                return
            assert is_in_time, (
                f"{len(missing)} stories are not findable {when} within {seconds} s; "
                f"{failures[missing[0]]}\n{self.log_tail()}"
            )
            time.sleep(0.05)

    def log_tail(self) -> str:
        """Return the end of the site's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def app(self) -> Flask:
        """Return an app in this process on the site's data directory."""
        return create_app(self.settings)

    def publish(self, tokens: list[str]) -> list[Story]:
        """Publish a story for each token from this process, with the newsroom's code."""
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
        """Return whether the readers' index agrees with the database.

        `reindex --check` is no alternative, because it repairs the index.
        """
        index = open_index(self.data / indexing.PUBLIC.directory)
        with self.app_context(), closing(index), suppress(IndexUnavailableError):
            return indexing.find_differences(index) == (set(), set())
        return False

    @contextmanager
    def polling(self, paths: list[str]) -> Iterator[list[Response]]:
        """Poll the paths until the block ends; then fail on any status but 200 (search: 503)."""
        responses: list[Response] = []
        stop_event = Event()

        def poll() -> None:
            while not stop_event.is_set():
                for path in paths:
                    responses.append(self.get(path))
                time.sleep(0.1)  # a moderate rate, since the machine may be small

        reader = Thread(target=poll)
        reader.start()
        try:
            yield responses
        finally:
            stop_event.set()
            reader.join(30)
        assert len(responses) >= len(paths)
        for response in responses:
            if response.path.startswith("/search") and response.status == 503:
                assert "<h1" in response.body and "</html>" in response.body, "an incomplete page"
            else:
                assert response.status == 200, response


def publish(token: str) -> Story:
    """Publish a story with a token, as the drill editor."""
    by = db.session.query(User).filter_by(role="editor").one()
    body = f"The word {token} appears here.\n\nNothing else happened."
    draft = publishing.Draft(
        headline=f"A drill, story {token}", body=body, section="politics", countries=("Mali",)
    )
    article_id = publishing.create(draft, by, publishing.Action("publish"))
    article = queries.published_article(article_id)
    assert article is not None
    return Story(article_id, token, urls.permalink(article))


def stable_index_files(index: Path) -> dict[Path, int]:
    """Return the files and sizes of the current generation, once the worker leaves them alone."""

    sizes: dict[Path, int] = {}

    def listing() -> dict[Path, int]:
        directory = (index / "current").resolve()
        paths = [path for path in directory.iterdir() if path.name not in OWN_INDEX_FILES]
        return {path: path.stat().st_size for path in paths if path.is_file()}

    def is_stable() -> bool:
        nonlocal sizes
        try:
            sizes = listing()
            time.sleep(0.2)
            return sizes == listing()
        except FileNotFoundError:  # deleted between being listed and measured
            return False

    eventually(is_stable, 15, "the worker leaves the files of the index alone")
    return sizes


def token(number: int, prefix: str = "zq") -> str:
    """Return a word of letters for a number; no token is the prefix of another token."""
    return prefix + "".join("abcdefghij"[int(digit)] for digit in f"{number:05}")


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
