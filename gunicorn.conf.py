"""How gunicorn serves the site, and how it keeps the worker running beside it.

The worker is a process of its own, started by one daemon thread of the master with Popen and wait. Nothing is
preloaded and nothing is forked with a database connection open. State hangs on the arbiter, since a reload runs this
file anew.
"""

import os
import subprocess
import sys
import threading
import time

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = 2
worker_class = "gthread"
threads = 4
timeout = 60
graceful_timeout = 20
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
limit_request_line = 8190
control_socket_disable = True  # two sites of one user would share its path
proc_name = "spectator"

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, HEALTHY_SECONDS = 1.0, 30.0, 60.0


class Keeper:
    """Starts `spectator worker` again whenever it ends, after a pause that grows while it keeps failing."""

    def __init__(self, log):
        self.log = log
        self.process = None
        self.is_leaving = threading.Event()
        threading.Thread(target=self.keep, name="worker-keeper", daemon=True).start()

    def keep(self):
        """Run the worker, wait for its end, pause, and run it again, until the master leaves."""
        pause = FIRST_PAUSE_SECONDS
        while not self.is_leaving.is_set():
            started = time.monotonic()
            self.process = subprocess.Popen([sys.executable, "-m", "spectator.commands", "worker"])
            if self.is_leaving.is_set():  # the master left between the test above and the start
                self.process.terminate()
            self.process.wait()
            if self.is_leaving.is_set():
                return
            if time.monotonic() - started > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self.log.info("the worker ended; it starts again in %s s", pause)
            self.is_leaving.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def end_worker(self):
        """Ask the worker to leave after the step in hand."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()


def when_ready(server):
    """Start the worker once the site listens."""
    server.spectator_keeper = Keeper(server.log)


def on_reload(server):
    """Let a reload reach the worker too: it ends, and the keeper starts the new code."""
    if keeper := getattr(server, "spectator_keeper", None):
        keeper.end_worker()


def on_exit(server):
    """End the worker with the site."""
    if keeper := getattr(server, "spectator_keeper", None):
        keeper.is_leaving.set()
        keeper.end_worker()
