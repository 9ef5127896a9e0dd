"""What every command needs: the site's app, and one line instead of a traceback."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import click
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from spectator import accounts, config, create_app
from spectator.operations import logs, setup
from spectator.search import IndexUnavailable

log = logging.getLogger(__name__)


def create_ready_app() -> Flask:
    """Return the site for a server; raises BadSetting or NotReady where it cannot be served."""
    logs.set_up()
    app = create_app()
    with app.app_context():
        setup.require_ready(app)
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
            except (config.BadSetting, setup.NotReady, accounts.AccountError) as error:
                fail(str(error))
            except (SQLAlchemyError, OSError, IndexUnavailable) as error:
                log.debug("the command failed", exc_info=True)
                fail(f"{error}; run: spectator doctor")

        return run

    return wrap
