"""A site as an operator runs it: data directory, `spectator` command, gunicorn and worker."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

CHECKOUT = Path(__file__).resolve().parents[2]
EDITOR = "editor@news.example"
READY_SECONDS, STOP_SECONDS = 120, 25  # of a busy machine


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """Return this process's environment without site settings, plus those of one site."""
    without_settings = {
        name: value for name, value in os.environ.items() if not name.startswith("SPECTATOR_")
    }
    return (
        without_settings
        | {"SPECTATOR_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}
        | settings
    )


def spectator(data_dir: Path, *arguments: str) -> str:
    """Run the `spectator` command on a site; return its output, or fail the test if it fails."""
    command = [sys.executable, "-m", "spectator", *arguments]
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        env=environment(data_dir),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, f"spectator {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def add_editor(data_dir: Path) -> str:
    """Add the editor and return the password that the command prints."""
    printed = spectator(
        data_dir, "user", "add", EDITOR, "--role", "editor", "--name", "Test Editor"
    )
    match = re.search(r"with the password (\S+)", printed)
    assert match, printed
    return match[1]


def free_port() -> int:
    """Return a free loopback port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class RunningSite:
    """Site with its URL, its editor's password, and the files that the CDN serves for it."""

    data_dir: Path
    password: str
    htmx_url: str
    htmx_file: bytes
    cdn_files: dict[str, bytes] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Return the URL without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Return the log file of gunicorn and the worker."""
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    def start(self, workers: int = 2) -> None:
        """Start gunicorn and wait until the site is ready."""
        command = [sys.executable, "-m", "spectator", "run", "--workers", str(workers)]
        settings = environment(self.data_dir, SPECTATOR_SITE_URL=self.url, **self.settings)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--bind", f"127.0.0.1:{self.port}"],
                cwd=CHECKOUT,
                env=settings,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + READY_SECONDS
        while self.status("/readyz") != 200 or b'"index_position":null' in self.get("/readyz"):
            assert self.process.poll() is None, f"the site exited: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, (
                f"the site is not ready: {self.log.read_text()[-2000:]}"
            )
            time.sleep(0.1)

    def get(self, path: str) -> bytes:
        """Return a page uncompressed."""
        with urlopen(
            Request(self.url + path, headers={"Accept-Encoding": "identity"}), timeout=10
        ) as response:
            body: bytes = response.read()
            return body

    def status(self, path: str) -> int:
        """Return the status of a path; 0 if the site does not respond."""
        try:
            with urlopen(self.url + path, timeout=10) as response:
                return int(response.status)
        except HTTPError as error:
            with error:
                return error.code
        except (URLError, OSError):
            return 0

    def stop(self) -> None:
        """Stop the site as a service manager does; fail on remaining processes or logged errors."""
        processes = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        deadline = time.monotonic() + STOP_SECONDS
        while remaining := [
            pid for pid, started in processes.items() if start_time_of(pid) == started
        ]:
            assert time.monotonic() < deadline, f"processes remain: {remaining}"
            time.sleep(0.05)
        assert len(processes) >= 3, f"two web processes and a worker were expected: {processes}"
        log_text = self.log.read_text()
        assert "Traceback" not in log_text, log_text[-4000:]


def start_time_of(pid: int) -> str:
    """Return the start time of a process in clock ticks; "" if it has ended or is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    state, start_time = fields[0], fields[19]
    return "" if state in "ZX" else start_time


def descendants(pid: int) -> dict[int, str]:
    """Return the descendants of a process with their start times, since pids are reused."""
    processes: dict[int, str] = {}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            processes[child] = start_time_of(child)
            processes |= descendants(child)
    return processes
