"""A PostgreSQL server for tests, and a database for each process of pytest.

`python -m tests.postgresql COMMAND …` starts a server of Debian's package in a temporary directory
and runs the command with `TEST_POSTGRESQL_URL` in its environment. Tests then use PostgreSQL where
they would use SQLite. The server listens only on loopback and forgets everything at the end.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SERVER_URL = os.environ.get("TEST_POSTGRESQL_URL", "")
SERVER_USER = "postgres"
DATABASE = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
OPTIONS = ["max_connections=200"]
# Nothing has to survive a power cut.
FAST_OPTIONS = "fsync=off synchronous_commit=off full_page_writes=off".split()


def database_url() -> str:
    """Return the URL of this test process's database."""
    return f"{SERVER_URL}/{DATABASE}"


def create_database() -> None:
    """Create this process's database, empty."""
    with _connect("postgres") as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")


class Snapshot:
    """The rows of a database that `spectator init` has set up, to return to after each test.

    Deleting few rows is ten times as fast as copying or truncating. The triggers that check
    foreign keys are disabled meanwhile.
    """

    def __init__(self) -> None:
        with _connect(DATABASE) as connection:
            tables = [name for (name,) in connection.execute(TABLES).fetchall()]
            filled = [
                name
                for name in tables
                if connection.execute(f'SELECT EXISTS (SELECT FROM "{name}")').fetchone()[0]
            ]
            connection.execute("CREATE SCHEMA seed")
            for name in filled:
                connection.execute(f'CREATE TABLE seed."{name}" AS TABLE public."{name}"')
            sequences = connection.execute(SEQUENCES).fetchall()
        self.statements = ["SET session_replication_role = replica"]
        self.statements += [f'DELETE FROM public."{name}"' for name in tables]
        self.statements += [
            f'INSERT INTO public."{name}" SELECT * FROM seed."{name}"' for name in filled
        ]
        self.statements += [
            f"SELECT setval('public.\"{name}\"', {last or 1}, {last is not None})"
            for name, last in sequences
        ]

    def restore(self) -> None:
        """Return to the snapshot."""
        with _connect(DATABASE) as connection:
            connection.execute("; ".join(self.statements))


def execute(statement: str) -> None:
    """Execute a statement outside the tests' database, such as CREATE DATABASE."""
    with _connect("postgres") as connection:
        connection.execute(statement)


def _connect(name: str) -> Any:
    import psycopg

    url = SERVER_URL.replace("postgresql+psycopg", "postgresql")
    return psycopg.connect(f"{url}/{name}", autocommit=True)


def find_programs() -> Path | None:
    """Return the directory of PostgreSQL's newest server programs, None if there is none."""
    programs = Path("/usr/lib/postgresql").glob("[0-9]*/bin/initdb")
    newest_last = sorted(programs, key=lambda program: int(program.parts[-3]))
    return newest_last[-1].parent if newest_last else None


@contextmanager
def server(is_durable: bool = False) -> Iterator[str]:
    """Start a server, yield its URL without a database, and stop it.

    Only if it is durable does it write to disk as in production.
    """
    programs = find_programs()
    assert programs
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    directory = Path(tempfile.mkdtemp(prefix="postgresql-"))
    user: dict[str, object] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        account = pwd.getpwnam(SERVER_USER)
        os.chown(directory, account.pw_uid, account.pw_gid)
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def run(name: str, *words: str) -> None:
        quiet = subprocess.DEVNULL
        command = [str(programs / name), "-D", str(directory / "data"), *words]
        subprocess.run(command, check=True, cwd=directory, stdout=quiet, **user)  # type: ignore[call-overload]

    try:
        run("initdb", "-U", SERVER_USER, "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = [f"listen_addresses=127.0.0.1 port={port} unix_socket_directories={directory}"]
        options += OPTIONS if is_durable else [*OPTIONS, *FAST_OPTIONS]
        words = " ".join(f"-c {option}" for option in " ".join(options).split())
        run("pg_ctl", "-w", "-l", str(directory / "log"), "-o", words, "start")
        try:
            yield f"postgresql+psycopg://{SERVER_USER}@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def main() -> None:
    """Run a command with a server; without PostgreSQL, say so and do not run it."""
    if find_programs() is None:
        print("Not run with PostgreSQL, which is missing: apt-get install postgresql")
        return
    with server() as url:
        environ = os.environ | {"TEST_POSTGRESQL_URL": url}
        sys.exit(subprocess.run(sys.argv[1:], env=environ, check=False).returncode)


if __name__ == "__main__":
    main()
