"""PgBouncer in transaction mode for drills, with the settings that docs/operations.md names."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from tests.postgresql import SERVER_USER

PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
GUIDE = (Path(__file__).resolve().parent.parent / "docs/operations.md").read_text("utf-8")
CONFIG = """
[databases]
postgres = host=127.0.0.1 port={server_port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
logfile = {directory}/log
{documented}
"""
BOOT_SECONDS = 20.0


def documented_settings() -> str:
    """Return the settings in the chapter on PgBouncer."""
    chapter = GUIDE.partition("\n### PgBouncer\n")[2].partition("\n### ")[0]
    [settings] = re.findall(r"```ini\n(.*?)```", chapter, re.DOTALL)
    return str(settings)


class PgBouncer:
    """PgBouncer in front of a server on loopback; it may be stopped and started again."""

    def __init__(self, directory: Path, server_url: str, port: int) -> None:
        self.url = f"postgresql+psycopg://{SERVER_USER}@127.0.0.1:{port}/postgres"
        self.port = port
        self.config = directory / "pgbouncer.ini"
        values = {"server_port": make_url(server_url).port, "user": SERVER_USER, "port": port}
        self.config.write_text(
            CONFIG.format(directory=directory, documented=documented_settings(), **values)
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, never as root, and wait until it listens."""
        assert PROGRAM
        user: dict[str, object] = {}
        if os.geteuid() == 0:  # it refuses to run as root
            account = pwd.getpwnam(SERVER_USER)
            os.chown(self.config.parent, account.pw_uid, account.pw_gid)
            user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        command = [PROGRAM, "--quiet", str(self.config)]
        self.process = subprocess.Popen(command, cwd=self.config.parent, **user)  # type: ignore[call-overload]
        deadline = time.monotonic() + BOOT_SECONDS
        while not self._listens():
            assert self.process.poll() is None and time.monotonic() < deadline, "not started"
            time.sleep(0.05)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self) -> None:
        """Stop it at once."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def pgbouncer(server_url: str) -> Iterator[PgBouncer]:
    """Run PgBouncer in front of a server."""
    directory = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bouncer = PgBouncer(directory, server_url, port)
    try:
        bouncer.start()
        yield bouncer
    finally:
        bouncer.stop()
        shutil.rmtree(directory, ignore_errors=True)
