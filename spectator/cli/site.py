"""Commands for the site itself: set up, serve, look after."""

from __future__ import annotations

import logging
import os
import sys

import click
from flask import Flask

from spectator import accounts, config, demo, queries
from spectator.cli.context import in_app
from spectator.importers import jsonl, runner
from spectator.operations import setup
from spectator.operations.doctor import problems, versions
from spectator.worker import Worker

log = logging.getLogger(__name__)
NICENESS = 5  # of the worker: readers come first where a core is short
RESET = ".venv/bin/spectator user reset"


@click.command()
@in_app(is_ready=False)
def init(app: Flask) -> None:
    """Create or upgrade the database, directories and secret key; safe to repeat.

    Example: spectator init
    """
    has_changed = setup.initialise(app)
    click.echo(f"The site in {app.config['DATA_DIR']} is {'set up' if has_changed else 'up to date'}.")


@click.command("demo")
@in_app()
def demo_command(app: Flask) -> None:
    """Load the demo stories, written for this project, and an editor to log in as.

    Example: spectator demo
    """
    _load_demo(app)


def _load_demo(app: Flask) -> None:
    report = runner.run(jsonl.read(demo.STORIES, app.config["LANGUAGE"]), app.config["MEDIA"])
    click.echo(f"{report.added} demo stories added, {report.updated} updated.")
    if not queries.has_user(demo.EMAIL):
        _, password = accounts.add_user(demo.EMAIL, "Demo Editor", "editor")
        login = f"{app.config['SITE_URL']}/newsroom/"
        click.echo(f"Log in at {login} as {demo.EMAIL} with the password {password}  (shown this once)")


@click.command()
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Web processes.")
@click.option("--bind", default="", help="HOST:PORT; default 127.0.0.1:8000, or HOST and PORT of the environment.")
@click.option("--demo", "has_demo", is_flag=True, help="Set the site up first, with demo stories where it is empty.")
@in_app(is_ready=False)
def run(app: Flask, workers: int, bind: str, has_demo: bool) -> None:
    """Serve the site with gunicorn and keep the worker beside it.

    Example: spectator run --workers 4 --bind 127.0.0.1:8000
    """
    if has_demo:
        _set_up_with_demo(app)
    setup.require_ready(app)
    address = bind or f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
    click.echo(f"The site: http://{address}/   The newsroom: http://{address}/newsroom/   Stop: Ctrl-C")
    sys.stdout.flush()
    gunicorn = [sys.executable, "-m", "gunicorn", "--chdir", str(config.CHECKOUT), "--workers", str(workers)]
    gunicorn += ["--config", str(config.CHECKOUT / "gunicorn.conf.py"), "--bind", address, "wsgi:app"]
    os.execv(sys.executable, gunicorn)  # noqa: S606 - our own interpreter, no shell


def _set_up_with_demo(app: Flask) -> None:
    setup.initialise(app)
    if queries.has_articles() or queries.has_users():
        click.echo(f"Log in with the account you have; a new password: {RESET} {demo.EMAIL}")
    else:
        _load_demo(app)


@click.command()
@in_app()
def worker(app: Flask) -> None:
    """Follow the outbox alone, in the foreground; `spectator run` does so beside the site.

    Example: spectator worker
    """
    os.nice(NICENESS)
    try:
        Worker(app).run()
    except Exception:
        log.exception("the worker ends and is to be started again")
        sys.exit(1)


@click.command()
@in_app(is_ready=False)
def doctor(app: Flask) -> None:
    """Say in plain words what is wrong with this installation.

    Example: spectator doctor
    """
    found = list(problems(app))
    for line in found:
        click.echo(f"- {line}")
    click.echo(versions())
    click.echo(f"{len(found)} problem(s)." if found else "Nothing is wrong.")
    sys.exit(1 if found else 0)


COMMANDS = (init, demo_command, run, worker, doctor)
