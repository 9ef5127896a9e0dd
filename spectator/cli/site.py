"""Commands for the site itself: set up, serve, check."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from contextlib import suppress

import click
from flask import Flask
from gunicorn.util import parse_address
from sqlalchemy.exc import SQLAlchemyError

from spectator import accounts, config, create_app, demo, metrics, queries
from spectator.cli.context import report_errors, with_app
from spectator.i18n import gettext, gettext_noop, ngettext
from spectator.importers import jsonl, runner
from spectator.operations import diagnosis, setup
from spectator.operations.doctor import describe_database, describe_search, problems
from spectator.operations.hints import find_hints
from spectator.worker import Worker

log = logging.getLogger(__name__)
NICENESS = 5  # of the worker, so that readers come first on a busy machine
RESET = ".venv/bin/spectator user reset"


@click.command()
@with_app(must_be_ready=False)
def init(app: Flask) -> None:
    """Create or upgrade the database, directories and secret key; safe to repeat.

    Example: spectator init
    """
    has_changed = setup.initialise(app)
    directory = app.config["DATA_DIR"]
    if has_changed:
        click.echo(gettext("The site in %(directory)s is set up.", directory=directory))
    else:
        click.echo(gettext("The site in %(directory)s is up to date.", directory=directory))


@click.command("demo")
@with_app()
def demo_command(app: Flask) -> None:
    """Load the demo stories and create a demo editor.

    Example: spectator demo
    """
    _load_demo(app)


def _load_demo(app: Flask) -> None:
    with demo.STORIES.open("rb") as file:
        entries = jsonl.read(file, app.config["LANGUAGE"])
        report = runner.import_records(
            entries, app.config["MEDIA"], pictures_dir=demo.STORIES.parent
        )
    click.echo(
        gettext(
            "%(added)s demo stories added, %(updated)s updated.",
            added=report.added,
            updated=report.updated,
        )
    )
    if not queries.has_user(demo.EMAIL):
        _, password = accounts.add_user(demo.EMAIL, "Demo Editor", "editor")
        login = f"{app.config['SITE_URL']}/newsroom/"
        click.echo(
            gettext(
                "Log in at %(url)s as %(email)s with the password %(password)s  (shown "
                "this once)",
                url=login,
                email=demo.EMAIL,
                password=password,
            )
        )


@click.command()
@click.option(
    "--workers",
    default=2,
    show_default=True,
    type=click.IntRange(1, 64),
    help=gettext_noop("Web processes."),
)
@click.option(
    "--bind",
    default="",
    help=gettext_noop("HOST:PORT; default 127.0.0.1:8000, or $HOST:$PORT from the environment."),
)
@click.option(
    "--demo",
    "has_demo",
    is_flag=True,
    help=gettext_noop("Set the site up first; add demo stories if it is empty."),
)
@click.option(
    "--no-worker",
    is_flag=True,
    help=gettext_noop("The worker runs on its own: spectator worker."),
)
@with_app(must_be_ready=False)
def run(app: Flask, workers: int, bind: str, has_demo: bool, no_worker: bool) -> None:
    """Serve the site with gunicorn and run the worker.

    Example: spectator run --workers 4 --bind 127.0.0.1:8000
    """
    address = bind or f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
    _require_free_port(address)
    if has_demo:
        _set_up_with_demo(app)
    setup.require_ready(app.config)
    metrics.clear(app.config["DATA_DIR"])
    click.echo(
        gettext(
            "The site: %(site)s   The newsroom: %(site)snewsroom/   Stop: Ctrl-C",
            site="http://" + address + "/",
        )
    )
    sys.stdout.flush()
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "--chdir",
        str(config.PROJECT_ROOT),
        "--workers",
        str(workers),
        "--config",
        str(config.PROJECT_ROOT / "gunicorn.conf.py"),
        "--bind",
        address,
        "wsgi:app",
    ]
    # The processes log text in every language, whatever the locale of this terminal.
    environ = os.environ | {"PYTHONUTF8": "1"} | ({"WITHOUT_WORKER": "1"} if no_worker else {})
    os.execve(sys.executable, gunicorn, environ)  # noqa: S606 - our own interpreter, no shell


def _require_free_port(address: str) -> None:
    """Raise NotReadyError if the site cannot listen; gunicorn would retry for five seconds."""
    try:
        target = parse_address(address)
        if not isinstance(target, tuple):
            return  # The path of a socket: gunicorn replaces an old one.
        host, port = target[:2]
        if not 0 <= port < 65536:  # getaddrinfo would look up another port
            raise OverflowError
        family, _, _, _, socket_address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[
            0
        ]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(socket_address)
    except (RuntimeError, OverflowError) as error:
        message = gettext(
            "%(address)s is not an address like 127.0.0.1:8000. Check --bind, HOST and PORT.",
            address=address,
        )
        raise setup.NotReadyError(message) from error
    except OSError as error:
        message = gettext(
            "The site cannot listen on %(address)s: %(reason)s. Choose another --bind.",
            address=address,
            reason=error.strerror,
        )
        if error.errno == errno.EADDRINUSE:
            message = gettext(
                "%(address)s is in use by another program. Stop it or choose another port: "
                "spectator run --bind 127.0.0.1:8001, or PORT=8001 make run",
                address=address,
            )
        raise setup.NotReadyError(message) from error


def _set_up_with_demo(app: Flask) -> None:
    setup.initialise(app)
    if queries.has_articles() or queries.has_users():
        click.echo(
            gettext(
                "Log in with your account. To reset its password, run: %(command)s",
                command=" ".join((RESET, demo.EMAIL)),
            )
        )
    else:
        _load_demo(app)


@click.command()
@with_app()
def worker(app: Flask) -> None:
    """Run the background worker alone; `spectator run` starts one already.

    Example: spectator worker
    """
    os.nice(NICENESS)
    try:
        Worker(app).run()
    except Exception:
        log.exception("the worker stopped because of an error; start it again")
        sys.exit(1)


@click.command()
@report_errors
def doctor() -> None:
    """Check this installation for problems; changes nothing.

    Example: spectator doctor
    """
    problem_lines, hints, search = _examine()
    for line in problem_lines:
        click.echo(f"- {line}")
    click.echo(describe_database(config.load(os.environ)))
    click.echo(search, nl=bool(search))
    if problem_lines:
        click.echo(ngettext("%(count)s problem(s).", "%(count)s problem(s).", len(problem_lines)))
    else:
        click.echo(gettext("No problems found."))
    for line in hints:
        click.echo(gettext("Worth a look: %(hint)s", hint=line))
    sys.exit(1 if problem_lines else 0)


def _examine() -> tuple[list[str], list[str], str]:
    """Return the problems, the hints and the state of search.

    The app is created only if it can be served.
    """
    settings = config.load(os.environ)
    faults = diagnosis.examine(settings)
    if any(fault.stops_reading for fault in faults):
        return [str(fault) for fault in faults], [], ""
    app = create_app()
    with app.app_context():
        problem_lines, hints, search = list(problems(app)), list[str](), ""
        with suppress(SQLAlchemyError):  # Database errors are already among the problems.
            hints += find_hints()
            search = describe_search(app)
        return problem_lines, hints, search


COMMANDS = (init, demo_command, run, worker, doctor)
