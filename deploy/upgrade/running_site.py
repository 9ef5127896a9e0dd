"""The running site: its settings and user, its processes, and how it is reloaded."""

from __future__ import annotations

import fcntl
import http.client
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from commands import ROOT, StepError, call, say

UNITS = ("spectator", "spectator-web", "spectator-worker")
RELOAD_SECONDS = 120.0  # a refused reload changes nothing, so it is noticed only by waiting
ANSWERS = 8  # after a reload: more than there are web processes by default


@dataclass
class Site:
    """The running site: how commands get its user and settings, and its main processes."""

    prefix: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)

    @classmethod
    def find(cls) -> Site:
        """Return the site of the active units of this checkout, else that of this shell."""
        try:
            active = [unit for unit in UNITS if cls._runs_here(unit)]
        except FileNotFoundError:
            return cls()
        return cls(cls._prefix(active[0]), active) if active else cls()

    @staticmethod
    def _runs_here(unit: str) -> bool:
        """Return whether a unit is active and runs the code of this checkout."""
        command = ["systemctl", "is-active", "--quiet", unit]
        result = subprocess.run(command, stderr=subprocess.DEVNULL, check=False)  # noqa: S603
        show = ("systemctl", "show", unit, "-p", "WorkingDirectory", "--value")
        return result.returncode == 0 and Path(call(*show)).resolve() == ROOT

    @staticmethod
    def _prefix(unit: str) -> list[str]:
        """Return the command that runs another one with a unit's user and settings."""
        show = ("systemctl", "show", unit, "-p", "User,Environment,EnvironmentFiles")
        values: dict[str, list[str]] = {}
        for line in call(*show).splitlines():
            name, _, value = line.partition("=")
            values.setdefault(name, []).append(value)
        words = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect"]
        words += [f"--uid={user}" for user in values.get("User", []) if user]
        words += ["-p", f"WorkingDirectory={ROOT}", "-p", "UMask=0027"]
        for file in values.get("EnvironmentFiles", []):
            words += ["-p", f"EnvironmentFile={file.partition(' (')[0]}"]
        for setting in shlex.split(" ".join(values.get("Environment", []))):
            words += ["-E", setting]
        return words

    def run(self, *words: str, step: str = "") -> str:
        """Run a command as the site's user, with its settings."""
        return call(*self.prefix, *words, step=step)

    def master(self) -> int:
        """Return the process id of gunicorn's master, 0 if the site is not running."""
        for unit in self.units:
            if unit != "spectator-worker":
                return int(call("systemctl", "show", unit, "-p", "MainPID", "--value") or 0)
        return 0 if self.units else self._master_of_lock()

    @staticmethod
    def _master_of_lock() -> int:
        """Return the process id in the worker's lock file, if the lock is held."""
        lock = Path(os.environ.get("SPECTATOR_DATA_DIR") or ROOT / "instance") / "worker.lock"
        try:
            with lock.open("r") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return 0
        except FileNotFoundError:
            return 0
        except BlockingIOError:
            text = lock.read_text("ascii").strip()
        if not text:
            raise StepError(
                "The site runs with a version that cannot be reloaded by this command."
            )
        # A worker on its own, or a command that keeps the worker from starting, is no site.
        return int(text) if "gunicorn" in arguments(text) else 0

    def reload(self) -> None:
        """Reload, and wait until only new processes serve and all answer. Raises StepError."""
        master = self.master()
        if not master and not self.units:
            say("The site is not running. Start it: .venv/bin/spectator run")
            return
        old = web_processes(master)
        if self.units:
            call("systemctl", "reload", *self.units)
        else:
            os.kill(master, signal.SIGHUP)
        if master:
            wait_for_new_processes(master, old)
            require_answers(master)


def arguments(pid: int | str) -> list[str]:
    """Return the command line of a process, [] if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace").split("\0")
    except OSError:
        return []


def web_processes(master: int) -> set[str]:
    """Return the process ids of the web processes: forks, so they have the master's arguments."""
    own, pids = arguments(master), set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and arguments(entry.name) == own:
            try:
                parent = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()[1]
            except OSError:
                continue
            if parent == str(master):
                pids.add(entry.name)
    return pids


def wait_for_new_processes(master: int, old: set[str]) -> None:
    """Wait until all web processes are new. Raises StepError."""
    deadline = time.monotonic() + RELOAD_SECONDS
    while True:
        current = web_processes(master)
        if current and not current & old:
            return
        if time.monotonic() > deadline:
            raise StepError("The site did not reload; its log says why.")
        time.sleep(0.2)


def require_answers(master: int) -> None:
    """Request the front page and /readyz at the master's address. Raises StepError."""
    words = arguments(master)
    address = words[words.index("--bind") + 1] if "--bind" in words else "127.0.0.1:8000"
    if address.startswith("unix:"):
        return
    for path in ("/readyz", "/") * ANSWERS:
        connection = http.client.HTTPConnection(address, timeout=20)
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise StepError(f"The site does not answer on {address}: {error}") from error
        finally:
            connection.close()
        if status != 200:
            raise StepError(f"The site answers {path} with {status}.")
