"""How gunicorn serves the site, and how it keeps the worker running beside it.

The worker is a process of its own, started by one daemon thread of the master with Popen and wait. Nothing is
preloaded and nothing is forked with a database connection open. State hangs on the arbiter, since a reload runs this
file anew.
"""

import functools
import gc
import ipaddress
import mmap
import os
import subprocess
import sys
import threading
import time

from gunicorn.http import message

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = 2
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 10
keepalive = 5
max_requests = 1_000_000  # a process that leaks is renewed now and then; kept pages go by ten thousand a second
max_requests_jitter = 100_000
# A pasted page in the search box makes an address of many thousands: the site cuts it and answers. gunicorn's own
# ceiling of 8,190 would answer with a bare 414.
message.MAX_REQUEST_LINE = limit_request_line = 32_768
# A cookie of a neighbour on the same domain may be larger than gunicorn's 8,190, which it answers with a bare 431.
limit_request_field_size = 32_768
control_socket_disable = True  # two sites of one user would share its path
proc_name = "spectator"

FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, HEALTHY_SECONDS = 1.0, 30.0, 60.0
STOP_TIMEOUT_SECONDS = 10.0
CHECK_SECONDS = 60.0  # what a boot may take before a reload is refused
MAX_BOOT_PAUSE_SECONDS = 5.0  # the master hears no signal meanwhile but at its end


class WorkerSupervisor:
    """Starts `spectator worker` again whenever it ends, after a pause that grows while it keeps failing."""

    def __init__(self, log):
        self.log = log
        self.process = None
        self.is_stopping = False
        self.is_end_expected = (
            threading.Event()
        )  # a reload or the exit: what ends now has not failed
        self.start_lock = threading.Lock()
        # Popen waits until the child has closed a pipe by its exec. A web process forked in that very moment would
        # hold the pipe open for its whole life, and the keeper would wait as long.
        os.register_at_fork(
            before=self.start_lock.acquire,
            after_in_parent=self.start_lock.release,
            after_in_child=self.start_lock.release,
        )
        self.thread = threading.Thread(target=self.supervise, name="worker-keeper", daemon=True)
        self.thread.start()

    def supervise(self):
        """Run the worker, wait for its end, pause, and run it again, until the master leaves."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = time.monotonic()
            self.run_worker()
            if time.monotonic() - started > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            if not self.is_end_expected.is_set():
                self.log.warning("the worker ended; it starts again in %s s", pause)
            pause = (
                FIRST_PAUSE_SECONDS
                if self.is_end_expected.wait(pause)
                else min(pause * 2, MAX_PAUSE_SECONDS)
            )
            if self.is_stopping:
                return

    def run_worker(self):
        """Start the worker and wait for its end; told our pid, it leaves when that is no longer its parent's."""
        environment = os.environ | {"KEEPER_PID": str(os.getpid())}
        with self.start_lock:
            if self.is_stopping:
                return
            self.is_end_expected.clear()
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "spectator", "worker"], env=environment
                )
            except OSError as error:  # no memory, no process to be had: as if it had ended at once
                self.log.error("the worker cannot start: %s", error)
                return
        self.process.wait()

    def end_worker(self):
        """Ask the worker to leave after the step in hand; the next one starts without a pause."""
        with self.start_lock:
            self.is_end_expected.set()
            if self.process is not None:
                self.process.terminate()

    def leave(self):
        """End the worker for good, and wait for that as long as a step usually takes."""
        self.is_stopping = True
        self.end_worker()
        self.thread.join(STOP_TIMEOUT_SECONDS)


def find_boot_error():
    """Boot the code on disk in a process of its own; return why it fails in one line, "" where it does not."""
    command = [sys.executable, "-m", "gunicorn", "--check-config", *sys.argv[1:]]
    try:
        check = subprocess.run(  # noqa: S603 - our own interpreter, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=CHECK_SECONDS,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = [line.strip() for line in check.stderr.splitlines() if line.strip()]
    last = lines[-1] if lines else f"exit code {check.returncode}"
    return last.removeprefix("gunicorn.errors.AppImportError: ") if check.returncode else ""


def reload_if_bootable(server):
    """Reload only what boots: gunicorn would let go of the running processes first, and then give up."""
    if fault := find_boot_error():
        server.log.error("Reload refused, what runs keeps running. %s", fault)
    else:
        type(server).handle_hup(server)


def is_public(address):
    """Say whether others than this machine may reach an address to listen on; a socket's path is none."""
    try:
        return isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return True  # a name


def warn_of_public_addresses(server):
    """Say what belongs in front of the site where others than this machine can reach it."""
    for listener in getattr(server, "LISTENERS", ()):
        address = listener.sock.getsockname()
        if is_public(address):
            name = f"{address[0]}:{address[1]}"
            server.log.warning(
                "%s is a public address: put a proxy that buffers requests in front; see README",
                name,
            )


def when_ready(server):
    """Start the worker once the site listens, and have every reload checked."""
    warn_of_public_addresses(server)
    server.handle_hup = functools.partial(reload_if_bootable, server)
    server.spectator_keeper = WorkerSupervisor(server.log)


def pre_fork(server, worker):
    """Give a web process a byte to say that it has booted; pause before one where the last one could not."""
    has_booted = any(is_booted(sibling) for sibling in server.WORKERS.values())
    server.spectator_has_booted = has_booted or getattr(server, "spectator_has_booted", False)
    worker.spectator_boot = mmap.mmap(-1, 1)
    until = time.monotonic() + getattr(server, "spectator_boot_pause", 0.0)
    while time.monotonic() < until and server.SIG_QUEUE.empty():
        time.sleep(0.05)


def is_booted(worker):
    """Say whether a web process has come up; one that an earlier configuration started has."""
    return bool(getattr(worker, "spectator_boot", b"\1")[0])


def post_fork(server, _worker):
    """Let a process that cannot boot end like any other once the site has run: gunicorn would end the site with it."""
    if server.spectator_has_booted:
        server.WORKER_BOOT_ERROR = server.APP_LOAD_ERROR = (
            1  # in the child alone; the master compares with its own
        )


def child_exit(server, worker):
    """Note whether a web process that has ended had come up, so that the next one waits where it had not."""
    pause = getattr(server, "spectator_boot_pause", 0.0)
    longer = min(max(pause * 2, FIRST_PAUSE_SECONDS), MAX_BOOT_PAUSE_SECONDS)
    server.spectator_has_booted = server.spectator_has_booted or is_booted(worker)
    server.spectator_boot_pause = 0.0 if is_booted(worker) else longer


def post_worker_init(worker):
    """Say that the process has come up, and take what the boot has made out of the garbage collector's sight."""
    from spectator import (
        slow_clients,
    )  # here: the master must hold no code, or a reload would not renew it

    slow_clients.install(worker)
    if hasattr(worker, "spectator_boot"):
        worker.spectator_boot[0] = 1
    gc.collect()  # what is there stays, and to look through it again costs
    gc.freeze()


def on_reload(server):
    """Let a reload reach the worker too: it ends, and the keeper starts the new code."""
    server.handle_hup = functools.partial(reload_if_bootable, server)
    if keeper := getattr(server, "spectator_keeper", None):
        keeper.end_worker()


def on_exit(server):
    """End the worker with the site."""
    if keeper := getattr(server, "spectator_keeper", None):
        keeper.leave()
