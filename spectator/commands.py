"""The `spectator` command: thin click commands over the rooms."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from spectator import accounts, config, create_app, demo, indexing, installation, publishing, queries
from spectator.importers import jsonl, runner
from spectator.models import ROLES
from spectator.search import IndexUnavailable
from spectator.worker import Worker

log = logging.getLogger(__name__)
NICENESS = 5  # of the worker: readers come first where a core is short
RESET = ".venv/bin/spectator user reset"


def create_ready_app() -> Flask:
    """Return the site for a server; raises BadSetting or NotReady where it cannot be served."""
    app = create_app()
    with app.app_context():
        installation.require_ready(app)
    return app


def fail(message: str) -> NoReturn:
    """End the command with one line that says what to do next, and exit code 1."""
    click.echo(f"spectator: {' '.join(message.split())}", err=True)
    sys.exit(1)


def in_app(is_ready: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the app, inside its context; known faults become one line."""

    def wrap(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                app = create_ready_app() if is_ready else create_app()
                with app.app_context():
                    return command(app, *args, **kwargs)
            except (config.BadSetting, installation.NotReady, accounts.AccountError) as error:
                fail(str(error))
            except (SQLAlchemyError, OSError, IndexUnavailable) as error:
                log.debug("the command failed", exc_info=True)
                fail(f"{error}; run: spectator doctor")

        return run

    return wrap


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run a newsroom's site: The African Spectator."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)


@main.command()
@in_app(is_ready=False)
def init(app: Flask) -> None:
    """Create or upgrade the database, directories and secret key; safe to repeat.

    Example: spectator init
    """
    has_changed = installation.initialise(app)
    click.echo(f"The site in {app.config['DATA_DIR']} is {'set up' if has_changed else 'up to date'}.")


@main.command("demo")
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


@main.command()
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
    installation.require_ready(app)
    address = bind or f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
    click.echo(f"The site: http://{address}/   The newsroom: http://{address}/newsroom/   Stop: Ctrl-C")
    sys.stdout.flush()
    gunicorn = [sys.executable, "-m", "gunicorn", "--chdir", str(config.CHECKOUT), "--workers", str(workers)]
    gunicorn += ["--config", str(config.CHECKOUT / "gunicorn.conf.py"), "--bind", address, "wsgi:app"]
    os.execv(sys.executable, gunicorn)  # noqa: S606 - our own interpreter, no shell


def _set_up_with_demo(app: Flask) -> None:
    installation.initialise(app)
    if queries.has_articles() or queries.has_users():
        click.echo(f"Log in with the account you have; a new password: {RESET} {demo.EMAIL}")
    else:
        _load_demo(app)


@main.command()
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


@main.group()
def user() -> None:
    """Manage the people of the newsroom."""


@user.command("add")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--name", default="", help="As colleagues see it; default: the e-mail's first part.")
@in_app()
def user_add(_app: Flask, email: str, role: str, name: str) -> None:
    """Add somebody who can log in, with a random password that is printed once.

    Example: spectator user add amina@news.example --role editor --name "Amina Diallo"
    """
    _, password = accounts.add_user(email, name or email.partition("@")[0], role)
    click.echo(f"{email} can log in as {role} with the password {password}  (shown this once)")


@user.command("list")
@in_app()
def user_list(_app: Flask) -> None:
    """List who can log in.

    Example: spectator user list
    """
    for person in queries.users():
        click.echo(f"{person.email:40} {person.role:8} {'' if person.is_active else 'disabled':10} {person.name}")


@user.command("disable")
@click.argument("email")
@in_app()
def user_disable(_app: Flask, email: str) -> None:
    """End somebody's sessions and let them log in no more.

    Example: spectator user disable amina@news.example
    """
    accounts.disable_user(email)
    click.echo(f"{email} can no longer log in.")


@user.command("reset")
@click.argument("email")
@in_app()
def user_reset(_app: Flask, email: str) -> None:
    """Give somebody a new random password, printed once, and end their sessions.

    Example: spectator user reset amina@news.example
    """
    click.echo(f"The new password of {email} is {accounts.reset_password(email)}  (shown this once)")


@main.group("import")
def import_group() -> None:
    """Bring stories in from elsewhere."""


@import_group.command("jsonl")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything, change nothing.")
@in_app()
def import_jsonl(app: Flask, file: Path, dry_run: bool) -> None:
    """Import stories, one JSON object a line; the same id again updates its story.

    Example: spectator import jsonl stories.jsonl --dry-run
    """
    with file.open("rb") as lines:
        total = sum(1 for _ in lines)
    with click.progressbar(length=total, label=file.name, file=sys.stderr) as bar:
        entries = jsonl.read(file, app.config["LANGUAGE"])
        report = runner.run(entries, app.config["MEDIA"], dry_run, bar.update)
    sys.exit(_show(report, dry_run))


def _show(report: runner.Report, is_dry: bool) -> int:
    click.echo(f"{report.added} added, {report.updated} updated{' (dry run: nothing was kept)' if is_dry else ''}")
    if report.sections:
        click.echo(f"sections created: {', '.join(report.sections)}")
    if report.unknown_keys:
        ignored = (f"{name} ({count})" for name, count in sorted(report.unknown_keys.items()))
        click.echo(f"unknown keys ignored: {', '.join(ignored)}")
    for place, reason in report.refused:
        click.echo(f"{place}: {reason}", err=True)
    return 1 if report.refused else 0


@main.command()
@click.option("--check", is_flag=True, help="Compare with the database and mend what differs; rebuild nothing.")
@in_app()
def reindex(app: Flask, check: bool) -> None:
    """Rebuild the search indexes, the readers' and the newsroom's, beside those in use, then switch.

    Example: spectator reindex --check
    """
    for index, source in indexing.indexes_in(app.config["DATA_DIR"]):
        if check:
            wrong, needless = indexing.mend(index, source)
            found = f"{len(wrong)} were missing or outdated, {len(needless)} held in vain; mended"
            click.echo(f"{source.name} stories: {found if wrong or needless else 'as in the database'}")
            continue
        total = len(source.versions())
        with click.progressbar(length=total, label=f"indexing {source.name}", file=sys.stderr) as bar:
            indexing.rebuild(index, lambda done, bar=bar: bar.update(done - bar.pos), source)  # type: ignore[misc]
        click.echo(f"{total} {source.name} stories indexed")
    if publishing.mend_lists():
        click.echo("lists and counts of stories: were not true; made anew")


@main.command()
@in_app(is_ready=False)
def doctor(app: Flask) -> None:
    """Say in plain words what is wrong with this installation.

    Example: spectator doctor
    """
    found = list(installation.problems(app))
    for line in found:
        click.echo(f"- {line}")
    click.echo(installation.versions())
    click.echo(f"{len(found)} problem(s)." if found else "Nothing is wrong.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
