"""Commands for the site itself: what they print, and what they start."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import delete

from spectator import accounts, config, demo
from spectator.cli import context, main, site
from spectator.db import db
from spectator.models import Section
from spectator.worker import Worker
from tests.conftest import add_user, use_site

Command = Callable[..., Result]
Started = list[tuple[str, list[str], dict[str, str]]]


def all_commands(
    group: click.Group = main, name: str = ""
) -> Iterator[tuple[str, click.Command]]:
    for word, command in group.commands.items():
        yield f"{name} {word}".strip(), command
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{name} {word}".strip())


COMMANDS = dict(all_commands())


@pytest.fixture
def command(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return a function that runs a command on this site."""
    for maker in ("create_ready_app", "create_app_for_init"):
        monkeypatch.setattr(context, maker, lambda: app)
    monkeypatch.setattr(site, "create_app", lambda: app)
    use_site(app, monkeypatch)
    for name in ("HOST", "PORT"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words: CliRunner().invoke(main, words, prog_name="spectator")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Return the programs that take the place of the command."""
    programs: Started = []

    def start(path: str, words: list[str], environ: dict[str, str]) -> None:
        programs.append((path, words, environ))

    monkeypatch.setattr(os, "execve", start)
    return programs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def options_after(words: list[str], *names: str) -> dict[str, str]:
    return {name: words[words.index(name) + 1] for name in names}


def test_every_command_and_option_explains_itself() -> None:
    for name, command in COMMANDS.items():
        assert command.help, name
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name != "role":
                assert parameter.help, (name, parameter.name)
        if not isinstance(command, click.Group):
            assert f"Example: spectator {name}" in command.help


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_commands(flag: str) -> None:
    result = CliRunner().invoke(main, [flag])
    assert result.exit_code == 0
    assert set(main.commands) == {
        *("init", "demo", "run", "worker", "doctor"),
        *(
            "user",
            "import",
            "check-addresses",
            "export",
            "reindex",
            "database",
            "backup",
            "restore",
            "media",
        ),
    }
    assert all(f"\n  {name} " in result.output for name in main.commands)
    for name, words in {
        "user": "add list disable enable role rename reset",
        "import": "jsonl feed ghost json wordpress",
        "export": "json site",
        "database": "copy",
    }.items():
        group = main.commands[name]
        assert isinstance(group, click.Group)
        assert set(group.commands) == set(words.split())


def test_version_names_the_program_and_the_release() -> None:
    result = CliRunner().invoke(main, ["--version"], prog_name="spectator")
    assert result.output == f"spectator {config.version()}\n"


def test_run_leaves_the_worker_to_another_service_on_request(
    command: Command, started: Started
) -> None:
    for options in ((), ("--no-worker",)):
        command("run", "--bind", f"127.0.0.1:{free_port()}", *options)
    assert [environ.get("WITHOUT_WORKER") for _, _, environ in started] == [None, "1"]


def test_init_says_whether_it_changed_anything(command: Command, app: Flask) -> None:
    data = app.config["DATA_DIR"]
    assert command("init").output == f"The site in {data} is up to date.\n"
    with db.write() as session:
        session.execute(delete(Section))
    assert command("init").output == f"The site in {data} is set up.\n"


def test_demo_adds_stories_and_one_account(command: Command) -> None:
    first = command("demo").output
    assert " demo stories added, 0 updated.\n" in first and not first.startswith("0 ")
    assert f"Log in at https://spectator.example/newsroom/ as {demo.EMAIL} with the" in first
    password = first.partition("password ")[2].partition("  (shown this once)")[0]
    session = accounts.log_in(demo.EMAIL, password, accounts.Client("192.0.2.1"))
    assert session
    second = command("demo")
    assert second.exit_code == 0 and "password" not in second.output


def test_run_starts_gunicorn_in_its_place(command: Command, started: Started) -> None:
    address = f"127.0.0.1:{free_port()}"
    result = command("run", "--workers", "3", "--bind", address)
    assert result.output == (
        f"The site: http://{address}/   The newsroom: http://{address}/newsroom/   Stop: Ctrl-C\n"
    )
    [(path, words, environ)] = started
    assert (path, words[:3], words[-1]) == (
        sys.executable,
        [sys.executable, "-m", "gunicorn"],
        "wsgi:app",
    )
    assert environ["PYTHONUTF8"] == "1" and environ["PATH"] == os.environ["PATH"]
    assert options_after(words, "--chdir", "--workers", "--config", "--bind") == {
        "--chdir": str(config.PROJECT_ROOT),
        "--workers": "3",
        "--config": str(config.PROJECT_ROOT / "gunicorn.conf.py"),
        "--bind": address,
    }


def test_run_takes_the_address_of_the_environment(
    command: Command, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = str(free_port())
    monkeypatch.setattr(site, "_require_free_port", lambda _address: None)
    assert "http://127.0.0.1:8000/ " in command("run").output
    monkeypatch.setenv("HOST", "localhost")
    monkeypatch.setenv("PORT", port)
    assert f"http://localhost:{port}/newsroom/ " in command("run").output
    assert [options_after(words, "--workers", "--bind") for _, words, _ in started] == [
        {"--workers": "2", "--bind": "127.0.0.1:8000"},
        {"--workers": "2", "--bind": f"localhost:{port}"},
    ]


def test_run_with_demo_stories_leaves_a_site_with_accounts_alone(
    command: Command, started: Started, app: Flask
) -> None:
    address = f"127.0.0.1:{free_port()}"
    assert "(shown this once)" in command("run", "--demo", "--bind", address).output
    db.session.rollback()
    again = command("run", "--demo", "--bind", address).output
    assert again.startswith("Log in with your account.")
    assert f".venv/bin/spectator user reset {demo.EMAIL}" in again
    assert len(started) == 2


def test_run_says_why_it_cannot_listen(
    command: Command, started: Started, tmp_path: Path
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        used = command("run", "--bind", address)
    assert f"{address} is in use by another program. Stop it or choose" in used.output
    assert "spectator run --bind 127.0.0.1:8001, or PORT=8001 make run" in used.output
    foreign = command("run", "--bind", "192.0.2.1:8000")
    assert "The site cannot listen on 192.0.2.1:8000: " in foreign.output
    assert foreign.output.endswith(". Choose another --bind.\n")
    for wrong in ("127.0.0.1:http", "127.0.0.1:99999"):
        bad = command("run", "--bind", wrong)
        assert f"{wrong} is not an address like 127.0.0.1:8000. Check --bind" in bad.output
    assert {used.exit_code, foreign.exit_code, bad.exit_code} == {1}
    assert started == []
    assert command("run", "--bind", f"unix:{tmp_path}/site.sock").exit_code == 0
    assert len(started) == 1


def test_the_worker_gives_way_to_readers_and_reports_its_end(
    command: Command, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    niceness: list[int] = []
    monkeypatch.setattr(os, "nice", niceness.append)
    monkeypatch.setattr(Worker, "run", lambda _self: None)
    assert command("worker").exit_code == 0
    assert niceness == [5]

    def fail(_self: Worker) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Worker, "run", fail)
    assert command("worker").exit_code == 1
    assert "the worker stopped because of an error; start it again" in caplog.text


def test_the_doctor_counts_problems_and_adds_hints(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = command("doctor")
    assert lines.exit_code == 1
    assert "- Nobody can log in yet. Run: spectator user add EMAIL --role admin\n" in lines.output
    assert "\n3 problem(s).\n" in lines.output
    assert re.search(r"^(SQLite 3|PostgreSQL 1)\d*\.", lines.output, re.MULTILINE)
    add_user("editor")
    assert command("reindex").exit_code == 0
    monkeypatch.setattr(site, "find_hints", lambda: iter(["two names look alike"]))
    result = command("doctor")
    assert result.exit_code == 0
    assert result.output.splitlines()[-2:] == [
        "No problems found.",
        "Worth a look: two names look alike",
    ]


def test_accounts_are_listed_with_their_state(command: Command) -> None:
    command("user", "add", "b@news.example", "--role", "author")
    command("user", "add", "a@news.example", "--role", "admin", "--name", "Amina Diallo")
    command("user", "disable", "b@news.example")
    rows = [line.split(maxsplit=3) for line in command("user", "list").output.splitlines()]
    assert rows == [
        ["a@news.example", "admin", "Amina", "Diallo"],
        ["b@news.example", "author", "disabled", "b"],
    ]


def test_a_new_account_is_printed_with_its_only_password(command: Command) -> None:
    output = command("user", "add", "a@news.example", "--role", "admin").output
    start, _, rest = output.partition(" with the password ")
    assert start == "a@news.example can log in as admin"
    password, _, end = rest.partition("  ")
    assert end == "(shown this once)\n"
    assert accounts.log_in("a@news.example", password, accounts.Client("192.0.2.1"))
