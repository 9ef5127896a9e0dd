"""Sites with several editions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from spectator import create_app
from spectator.db import db
from tests.conftest import settings
from tests.page_checks import CheckingClient


@contextmanager
def in_languages(app: Flask, languages: str, **changes: str) -> Iterator[Flask]:
    """Yield the site of a test in these languages, inside its application context."""
    environ = settings(app.config["DATA_DIR"], SPECTATOR_LANGUAGES=languages, **changes)
    site = create_app(environ)
    site.jinja_env.bytecode_cache = app.jinja_env.bytecode_cache
    site.test_client_class = CheckingClient
    site.extensions["page_cache"].poll_seconds = 0.0
    site.testing = True
    with site.app_context():
        yield site
        db.session.remove()
        db.engine.dispose()
