"""Shared parts of all commands: the app, and one line per error instead of a traceback."""

from __future__ import annotations

import codecs
import logging
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from spectator import accounts, config, create_app, migrations
from spectator.db import StorageError
from spectator.i18n import gettext
from spectator.operations import diagnosis, logs, setup
from spectator.search import EngineFaultError, IndexUnavailableError

log = logging.getLogger(__name__)

EXPECTED_ERRORS = (
    EngineFaultError,
    config.ConfigError,
    setup.NotReadyError,
    accounts.AccountError,
    migrations.UpgradeError,
)
INSTALLATION_ERRORS = (SQLAlchemyError, StorageError, OSError)
ASCII_REPLACEMENTS = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "×": "x"}
)


def create_ready_app() -> Flask:
    """Return the app for a server; raises ConfigError or NotReadyError if it cannot be served."""
    settings = config.load(os.environ)
    logs.configure_logging(settings["LOG_FORMAT"])
    setup.require_ready(settings)
    return create_app()


def create_app_for_init() -> Flask:
    """Return the app for `spectator init`.

    Raises ConfigError, or NotReadyError for a fault that `init` cannot fix.
    """
    setup.require_repairable(config.load(os.environ))
    return create_app()


def fail(message: str) -> NoReturn:
    """Print one line that says what to do next, and exit with code 1."""
    click.echo(f"spectator: {' '.join(message.split())}", err=True)
    sys.exit(1)


def with_app(must_be_ready: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Pass the app to a command inside an app context; report expected errors in one line."""

    def wrap(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        @report_errors
        def run(*args: Any, **kwargs: Any) -> Any:
            app = create_ready_app() if must_be_ready else create_app_for_init()
            with app.app_context():
                return command(app, *args, **kwargs)

        return run

    return wrap


def report_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Report expected errors of a command, and faults of the installation, in one line."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except BrokenPipeError:
            raise  # The reader of our output is gone; click exits quietly.
        except EXPECTED_ERRORS as error:
            fail(str(error))
        except IndexUnavailableError as error:
            fail(
                gettext(
                    "%(error)s. Try again in a minute; see the worker's log for details.",
                    error=error,
                )
            )
        except INSTALLATION_ERRORS as error:
            log.debug("the command failed", exc_info=True)
            fail(diagnosis.explain(error, config.load(os.environ)))

    return run


def escape_unencodable_output() -> None:
    """Make output work on ASCII terminals: “ becomes ", unknown letters become escapes."""
    codecs.register_error("spectator", _replace_unencodable)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="spectator")


def _replace_unencodable(error: UnicodeError) -> tuple[str, int]:
    """Return the replacement of characters that cannot be encoded (a codecs error handler)."""
    assert isinstance(error, UnicodeEncodeError)
    plain = error.object[error.start : error.end].translate(ASCII_REPLACEMENTS)
    return plain.encode("ascii", "backslashreplace").decode("ascii"), error.end
