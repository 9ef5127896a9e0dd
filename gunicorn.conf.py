"""gunicorn's settings, and the supervision of the background worker.

"Worker" below means `spectator worker`, a process that a daemon thread of gunicorn's master starts
and waits for; gunicorn's own workers are called web processes. Nothing is preloaded, and no process
is forked with an open database connection. State is stored on gunicorn's server object, because a
reload runs this file again.
"""

import functools
import gc
import ipaddress
import mmap
import os
import runpy
import subprocess
import sys
import threading
import time

from gunicorn.glogging import Logger
from gunicorn.http import message

# From its file, because a master that has imported the site's package could not reload it.
log_formats = runpy.run_path(
    os.path.join(os.path.dirname(__file__), "spectator", "operations", "log_formats.py")
)
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = 2
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 10
keepalive = 5
max_requests = 1_000_000  # replaces a leaking process; cached pages reach 10,000 a second
max_requests_jitter = 100_000
# A long text in the search box makes a long URL, which the site truncates. gunicorn's default of
# 8,190 would give a bare 414.
message.MAX_REQUEST_LINE = limit_request_line = 32_768
# Other sites on the same domain may set larger cookies than gunicorn's 8,190, which would give a
# bare 431.
limit_request_field_size = 32_768
# By default a local proxy may send SCRIPT_NAME, which changes the path that the site sees; Apache
# and Caddy pass on a client's.
forwarder_headers = ""
control_socket_disable = True  # two sites of the same user would share it
proc_name = "spectator"

# The pause before a restart doubles until the worker has run for HEALTHY_SECONDS.
FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, HEALTHY_SECONDS = 1.0, 30.0, 60.0
STOP_TIMEOUT_SECONDS = 10.0
CHECK_SECONDS = 60.0  # the longest start-up before a reload is refused
MAX_BOOT_PAUSE_SECONDS = 5.0  # short, because the master handles no signals during the pause


class SiteLogger(Logger):
    """gunicorn's log in the format of the site's other lines. No access log: nginx writes one."""

    def setup(self, cfg):
        """Configure the handlers."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            name = os.environ.get("SPECTATOR_LOG_FORMAT", "text")
            handler.setFormatter(log_formats["create_formatter"](name))


logger_class = SiteLogger


class WorkerSupervisor:
    """A thread that restarts `spectator worker` when it ends, after a growing pause if it fails."""

    def __init__(self, log):
        self.log = log
        self.process = None
        self.is_stopping = False
        # Set for a reload or the exit, when the end of the worker is not a failure.
        self.end_expected = threading.Event()
        self.start_lock = threading.Lock()
        # Popen waits until the child closes a pipe by its exec. A web process forked at that moment
        # would keep the pipe open, and this thread would wait until it ends.
        os.register_at_fork(
            before=self.start_lock.acquire,
            after_in_parent=self.start_lock.release,
            after_in_child=self.start_lock.release,
        )
        self.thread = threading.Thread(
            target=self.supervise, name="worker-supervisor", daemon=True
        )
        self.thread.start()

    def supervise(self):
        """Run the worker again and again, until the master exits."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            started = time.monotonic()
            self.run_worker()
            if time.monotonic() - started > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            if not self.end_expected.is_set():
                self.log.warning("the worker has stopped; restarting it in %s s", pause)
            # The wait ends early for a reload or the exit; then the next start needs no pause.
            pause = (
                FIRST_PAUSE_SECONDS
                if self.end_expected.wait(pause)
                else min(pause * 2, MAX_PAUSE_SECONDS)
            )
            if self.is_stopping:
                return

    def run_worker(self):
        """Start the worker and wait for its end. It exits if KEEPER_PID is no longer its parent."""
        environment = os.environ | {"KEEPER_PID": str(os.getpid()), "SITE_IS_RUNNING": "1"}
        with self.start_lock:
            if self.is_stopping:
                return
            self.end_expected.clear()
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "spectator", "worker"], env=environment
                )
            except OSError as error:  # no memory or no free process: try again later
                self.log.error("the worker cannot start: %s", error)
                return
        self.process.wait()

    def end_worker(self):
        """Ask the worker to exit after its current task. The next one starts without a pause."""
        with self.start_lock:
            self.end_expected.set()
            if self.process is not None:
                self.process.terminate()

    def stop(self):
        """Stop the worker for good, and wait `STOP_TIMEOUT_SECONDS` for its end."""
        self.is_stopping = True
        self.end_worker()
        self.thread.join(STOP_TIMEOUT_SECONDS)


def find_boot_error():
    """Start the code on disk in another process. Return its error in one line, or ""."""
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
    last_line = lines[-1] if lines else f"exit code {check.returncode}"
    return last_line.removeprefix("gunicorn.errors.AppImportError: ") if check.returncode else ""


def reload_if_bootable(server):
    """Reload only if the new code starts. gunicorn would stop the running processes first."""
    if error := find_boot_error():
        server.log.error("Reload refused: the new code does not start. %s", error)
    else:
        type(server).handle_hup(server)


def is_public(address):
    """Return whether other machines can reach a listening address, which may be a socket's path."""
    try:
        return isinstance(address, tuple) and not ipaddress.ip_address(address[0]).is_loopback
    except ValueError:
        return True  # a host name


def warn_of_public_addresses(server):
    """Log a warning if other machines can reach the site without a proxy."""
    for listener in getattr(server, "LISTENERS", ()):
        address = listener.sock.getsockname()
        if is_public(address):
            name = f"{address[0]}:{address[1]}"
            server.log.warning(
                "%s is a public address: put a proxy that buffers requests in front (see README)",
                name,
            )


def when_ready(server):
    """Start the worker once the site listens, unless it runs alone; check every reload."""
    warn_of_public_addresses(server)
    server.handle_hup = functools.partial(reload_if_bootable, server)
    if os.environ.get("WITHOUT_WORKER") != "1":  # set by `spectator run --no-worker`
        # The attribute's name is that of older versions, whose masters may reload this file.
        server.spectator_keeper = WorkerSupervisor(server.log)


def pre_fork(server, worker):
    """Share a byte in which a web process reports its start; pause if the last start failed."""
    has_booted = any(is_booted(sibling) for sibling in server.WORKERS.values())
    server.spectator_has_booted = has_booted or getattr(server, "spectator_has_booted", False)
    worker.spectator_boot = mmap.mmap(-1, 1)
    until = time.monotonic() + getattr(server, "spectator_boot_pause", 0.0)
    while time.monotonic() < until and server.SIG_QUEUE.empty():
        time.sleep(0.05)


def is_booted(worker):
    """Return whether a web process has started: always true if an older release forked it."""
    return bool(getattr(worker, "spectator_boot", b"\1")[0])


def post_fork(server, _worker):
    """Keep the site running if a later process cannot start; by default gunicorn would exit."""
    if server.spectator_has_booted:
        # This changes the child's exit status; the master compares it with its own constants.
        server.WORKER_BOOT_ERROR = server.APP_LOAD_ERROR = 1
        os.environ["SITE_IS_RUNNING"] = "1"  # only in this child; see spectator/stylesheet.py


def child_exit(server, worker):
    """Record whether an ended web process had started; if not, the next one waits longer."""
    pause = getattr(server, "spectator_boot_pause", 0.0)
    longer = min(max(pause * 2, FIRST_PAUSE_SECONDS), MAX_BOOT_PAUSE_SECONDS)
    server.spectator_has_booted = server.spectator_has_booted or is_booted(worker)
    server.spectator_boot_pause = 0.0 if is_booted(worker) else longer


def post_worker_init(worker):
    """Report that the process has started, and exempt its objects from garbage collection."""
    # Imported here, because a reload does not replace code that the master has loaded.
    from spectator import metrics, slow_clients

    metrics.share(worker.wsgi.config["DATA_DIR"])
    worker.wsgi.extensions["request_metrics"].count_hits_regularly()
    slow_clients.install(worker)
    if hasattr(worker, "spectator_boot"):
        worker.spectator_boot[0] = 1
    gc.collect()  # what remains is permanent, and need not be scanned again
    gc.freeze()


def on_reload(server):
    """Restart the worker too, with the new code."""
    server.handle_hup = functools.partial(reload_if_bootable, server)
    if supervisor := getattr(server, "spectator_keeper", None):
        supervisor.end_worker()


def on_exit(server):
    """Stop the worker with the site."""
    if supervisor := getattr(server, "spectator_keeper", None):
        supervisor.stop()
