"""The supervisor in gunicorn.conf.py: the background worker runs as long as gunicorn's master."""

from __future__ import annotations

import logging
import os
import queue
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

CONFIGURATION = Path(__file__).resolve().parent.parent / "gunicorn.conf.py"


class FakeWorker:
    """Process that ends when it is terminated or when a test sets `ended`."""

    instances: list[FakeWorker]

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.command, self.env = command, env
        self.ended = threading.Event()
        self.is_terminated = False
        self.instances.append(self)

    def wait(self) -> None:
        self.ended.wait(5)

    def terminate(self) -> None:
        self.is_terminated = True
        self.ended.set()


@pytest.fixture
def conf(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Names of the configuration ("live"), with a fake Popen and short pauses, and fork hooks."""
    FakeWorker.instances = []
    hooks: list[dict[str, Callable[[], None]]] = []
    monkeypatch.setattr(subprocess, "Popen", FakeWorker)
    monkeypatch.setattr(os, "register_at_fork", lambda **callbacks: hooks.append(callbacks))
    namespace = runpy.run_path(str(CONFIGURATION))
    live = namespace["WorkerSupervisor"].supervise.__globals__
    live |= {"FIRST_PAUSE_SECONDS": 0.01, "MAX_PAUSE_SECONDS": 0.04, "STOP_TIMEOUT_SECONDS": 2.0}
    return {"hooks": hooks, "live": live}


@pytest.fixture
def server(conf: dict[str, Any]) -> Iterator[SimpleNamespace]:
    """Fake of gunicorn's master (arbiter), with its supervisor."""
    arbiter = SimpleNamespace(log=logging.getLogger("gunicorn.test"))
    conf["live"]["when_ready"](arbiter)
    wait_for_workers(1)
    yield arbiter
    conf["live"]["on_exit"](arbiter)
    assert not arbiter.spectator_keeper.thread.is_alive()


def wait_for_workers(count: int) -> list[FakeWorker]:
    """Wait until this number of workers was started; return them."""
    until = time.monotonic() + 2
    while len(FakeWorker.instances) < count:
        assert time.monotonic() < until, f"{len(FakeWorker.instances)} workers instead of {count}"
        time.sleep(0.002)
    assert len(FakeWorker.instances) == count
    return FakeWorker.instances


def test_the_worker_gets_its_supervisors_process_id(server: SimpleNamespace) -> None:
    [worker] = wait_for_workers(1)
    assert worker.command == [sys.executable, "-m", "spectator", "worker"]
    assert worker.env["KEEPER_PID"] == str(os.getpid()) and worker.env["SITE_IS_RUNNING"] == "1"


def test_a_worker_that_ends_is_started_again_after_growing_pauses(
    server: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1, 6):
        wait_for_workers(number)[-1].ended.set()
    wait_for_workers(6)
    pauses = [record.args for record in caplog.records]
    assert pauses == [(0.01,), (0.02,), (0.04,), (0.04,), (0.04,)]


def test_pauses_are_short_again_after_a_worker_ran_for_long(
    conf: dict[str, Any], server: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(1, 4):
        wait_for_workers(number)[-1].ended.set()
    wait_for_workers(4)
    conf["live"]["HEALTHY_SECONDS"] = 0.0
    FakeWorker.instances[-1].ended.set()
    wait_for_workers(5)
    assert caplog.records[-1].args == (0.01,)


def test_starting_a_worker_is_tried_again_after_an_error(
    conf: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    attempts: list[int] = []

    def start(command: list[str], env: dict[str, str]) -> FakeWorker:
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("no memory")
        return FakeWorker(command, env)

    monkeypatch.setattr(subprocess, "Popen", start)
    server = SimpleNamespace(log=logging.getLogger("gunicorn.test"))
    conf["live"]["when_ready"](server)
    wait_for_workers(1)
    assert "the worker cannot start: no memory" in caplog.messages
    conf["live"]["on_exit"](server)


def test_a_reload_replaces_the_worker_without_a_pause(
    conf: dict[str, Any], server: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    conf["live"] |= {"FIRST_PAUSE_SECONDS": 60.0}
    for number in range(1, 4):
        conf["live"]["on_reload"](server)
        wait_for_workers(number + 1)
        assert FakeWorker.instances[number - 1].is_terminated
    assert not caplog.messages


def test_a_reload_ends_a_pause_at_once(conf: dict[str, Any], server: SimpleNamespace) -> None:
    conf["live"] |= {"MAX_PAUSE_SECONDS": 60.0}
    wait_for_workers(1)[0].ended.set()
    conf["live"]["FIRST_PAUSE_SECONDS"] = 60.0
    wait_for_workers(2)[1].ended.set()
    time.sleep(0.05)
    conf["live"]["on_reload"](server)
    wait_for_workers(3)


def test_on_exit_the_worker_is_ended_and_not_started_again(
    conf: dict[str, Any], server: SimpleNamespace
) -> None:
    conf["live"]["on_exit"](server)
    assert not server.spectator_keeper.thread.is_alive()
    assert wait_for_workers(1)[0].is_terminated


def test_gunicorn_cannot_fork_while_the_worker_is_started(
    conf: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web process forked then would hold open the pipe that Popen waits for."""
    is_starting, may_continue = threading.Event(), threading.Event()

    def start(command: list[str], env: dict[str, str]) -> FakeWorker:
        is_starting.set()
        may_continue.wait(5)
        return FakeWorker(command, env)

    monkeypatch.setattr(subprocess, "Popen", start)
    server = SimpleNamespace(log=logging.getLogger("gunicorn.test"))
    conf["live"]["when_ready"](server)
    [hooks] = conf["hooks"]
    assert is_starting.wait(2)
    before_fork = threading.Thread(target=hooks["before"])
    before_fork.start()
    before_fork.join(0.05)
    assert before_fork.is_alive()
    may_continue.set()
    before_fork.join(2)
    assert not before_fork.is_alive()
    assert hooks["after_in_parent"] == hooks["after_in_child"]
    hooks["after_in_parent"]()
    conf["live"]["on_exit"](server)


class FakeArbiter(SimpleNamespace):
    """Master that counts the reloads that reach gunicorn."""

    def handle_hup(self) -> None:
        self.reloads += 1


@pytest.fixture
def arbiter() -> FakeArbiter:
    arbiter = FakeArbiter(
        WORKERS={},
        SIG_QUEUE=queue.SimpleQueue(),
        WORKER_BOOT_ERROR=3,
        APP_LOAD_ERROR=4,
        reloads=0,
    )
    arbiter.log = logging.getLogger("gunicorn.test")
    return arbiter


def test_a_reload_is_refused_if_the_new_code_does_not_start(
    conf: dict[str, Any],
    arbiter: FakeArbiter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    error_output = [
        "Error while loading the application:",
        "",
        "gunicorn.errors.AppImportError: spectator: no key. Run: x",
        "",
    ]
    checks: list[list[str]] = []

    def check(command: list[str], **_more: object) -> subprocess.CompletedProcess[str]:
        checks.append(command)
        return subprocess.CompletedProcess(
            command, 1 if len(checks) == 1 else 0, None, "\n".join(error_output)
        )

    monkeypatch.setattr(subprocess, "run", check)
    monkeypatch.setattr(sys, "argv", ["gunicorn", "--workers", "2", "wsgi:app"])
    conf["live"]["on_reload"](arbiter)
    arbiter.handle_hup()
    assert arbiter.reloads == 0
    assert caplog.messages == [
        "Reload refused: the new code does not start. spectator: no key. Run: x"
    ]
    arbiter.handle_hup()
    assert arbiter.reloads == 1
    assert checks[0] == [
        sys.executable,
        "-m",
        "gunicorn",
        "--check-config",
        "--workers",
        "2",
        "wsgi:app",
    ]


def test_a_reload_is_refused_if_its_check_times_out(
    conf: dict[str, Any],
    arbiter: FakeArbiter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def hang(command: list[str], timeout: float, **_more: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    conf["live"]["on_reload"](arbiter)
    arbiter.handle_hup()
    assert arbiter.reloads == 0 and "timed out" in caplog.messages[0]


def test_a_process_that_fails_to_boot_ends_the_site_only_if_none_ever_booted(
    conf: dict[str, Any], arbiter: FakeArbiter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    live = conf["live"]
    live["FIRST_PAUSE_SECONDS"] = 1.0
    pauses: list[float] = []
    monkeypatch.setattr(live["time"], "monotonic", lambda: sum(pauses))
    monkeypatch.setattr(live["time"], "sleep", pauses.append)
    monkeypatch.setattr(live["gc"], "freeze", lambda: None)

    fake_app = SimpleNamespace(
        config={"DATA_DIR": tmp_path / "missing"},
        extensions={"request_metrics": SimpleNamespace(count_hits_regularly=lambda: None)},
    )

    def spawn(boots: bool) -> SimpleNamespace:
        worker = SimpleNamespace(wsgi=fake_app)
        live["pre_fork"](arbiter, worker)
        child = FakeArbiter(**vars(arbiter))
        live["post_fork"](child, worker)
        worker.boot_error = child.WORKER_BOOT_ERROR
        if boots:
            live["post_worker_init"](worker)
        return worker

    monkeypatch.setenv("SITE_IS_RUNNING", "not yet")
    first = spawn(boots=True)
    assert os.environ["SITE_IS_RUNNING"] == "not yet"
    assert first.boot_error == 3, "the first boot may end the site"
    arbiter.WORKERS = {1: first}
    for expected in (0.0, 1.0, 3.0, 7.0, 12.0, 17.0):
        broken = spawn(boots=False)
        assert broken.boot_error == 1 and arbiter.WORKER_BOOT_ERROR == 3
        assert os.environ["SITE_IS_RUNNING"] == "1"
        assert sum(pauses) == pytest.approx(expected, abs=0.3)
        live["child_exit"](arbiter, broken)
    live["child_exit"](arbiter, first)
    paused_seconds = sum(pauses)
    spawn(boots=True)
    assert sum(pauses) == paused_seconds, "a process that had booted is replaced at once"


def test_without_a_supervisor_reload_and_exit_do_nothing(conf: dict[str, Any]) -> None:
    conf["live"]["on_reload"](SimpleNamespace())
    conf["live"]["on_exit"](SimpleNamespace())
    assert not FakeWorker.instances


@pytest.mark.parametrize(
    ("address", "warns"),
    [
        (("127.0.0.1", 8000), False),
        (("::1", 8000, 0, 0), False),
        ("/run/spectator.sock", False),
        (("0.0.0.0", 8000), True),
        (("::", 8000, 0, 0), True),
        (("192.0.2.7", 8000), True),
    ],
)
def test_listening_on_a_public_address_warns_that_a_buffering_proxy_is_needed(
    conf: dict[str, Any], caplog: pytest.LogCaptureFixture, address: object, warns: bool
) -> None:
    listener = SimpleNamespace(sock=SimpleNamespace(getsockname=lambda: address))
    log = logging.getLogger("gunicorn.test")
    conf["live"]["warn_of_public_addresses"](SimpleNamespace(log=log, LISTENERS=[listener]))
    warnings = [line for line in caplog.messages if "a proxy that buffers requests" in line]
    assert len(warnings) == len(caplog.messages) == (1 if warns else 0)


def test_the_worker_may_run_on_its_own(
    conf: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WITHOUT_WORKER", "1")
    arbiter = SimpleNamespace(log=logging.getLogger("gunicorn.test"))
    conf["live"]["when_ready"](arbiter)
    conf["live"]["on_reload"](arbiter)
    conf["live"]["on_exit"](arbiter)
    assert FakeWorker.instances == [] and not hasattr(arbiter, "spectator_keeper")
