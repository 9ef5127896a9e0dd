"""Fixtures: a new site, a client that checks every page, accounts and stories."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient, FlaskCliRunner
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event
from werkzeug.routing import Rule

from spectator import create_app, i18n, indexing, publishing
from spectator.accounts import hashing
from spectator.db import db, postgresql_engine
from spectator.models import User
from spectator.operations import setup
from spectator.publishing import Action
from spectator.worker import Worker
from tests import object_stores, postgresql, text_checks
from tests.newsroom_client import create_account, logged_in_client
from tests.page_checks import CheckingClient
from tests.search_engines import make_index as make_index
from tests.search_engines import search_database as search_database

NEWEST = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BASE = "https://localhost"
# Of sites in PostgreSQL: `postgres` runs their tests with the search index in the database too.
SEARCH_ENGINE = os.environ.get("TEST_SEARCH", "whoosh")


def settings(data_dir: Path, **changes: str) -> dict[str, str]:
    """Return the environment variables of a site with this data directory."""
    values = {
        "SPECTATOR_DATA_DIR": str(data_dir),
        "SPECTATOR_SITE_URL": "https://spectator.example",
    }
    if postgresql.SERVER_URL:
        values["SPECTATOR_DATABASE_URL"] = postgresql.database_url()
        values["SPECTATOR_SEARCH"] = SEARCH_ENGINE
    return values | changes


def use_site(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands work on the site of a test."""
    for name in ("DATA_DIR", "DATABASE_URL", "SEARCH"):
        monkeypatch.setenv(f"SPECTATOR_{name}", str(app.config[name]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With PostgreSQL, run only the tests of a site or an index that are not about SQLite."""
    if postgresql.SERVER_URL:
        skipped = [
            item
            for item in items
            if item.get_closest_marker("sqlite")
            or (SEARCH_ENGINE != "whoosh" and item.get_closest_marker("whoosh"))
            or {"app", "make_index"}.isdisjoint(getattr(item, "fixturenames", ()))
        ]
        config.hook.pytest_deselected(items=skipped)
        items[:] = [item for item in items if item not in set(skipped)]


@pytest.fixture(scope="session")
def fresh_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data directory created by `spectator init`, for tests to copy."""
    directory = tmp_path_factory.mktemp("fresh")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if postgresql.SERVER_URL:
        postgresql.create_database()
    app = create_app(settings(directory))
    with app.app_context():
        setup.initialise(app)
        db.session.remove()
        db.engine.dispose()
    return directory


@pytest.fixture(scope="session")
def rows_of_init(fresh_data: Path) -> postgresql.Snapshot | None:
    """Rows of a new site in PostgreSQL; SQLite's are in the data directory."""
    return postgresql.Snapshot() if postgresql.SERVER_URL else None


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords at the lowest cost: it makes tests fast, and none depends on the cost."""
    patch = pytest.MonkeyPatch()
    patch.setattr(
        hashing, "hasher", hashing.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def compiled_url_builders() -> Iterator[None]:
    """Compile the function that builds a rule's URLs once, not again for the site of each test.

    Werkzeug compiles two for each of some seventy rules: most of the time in which a site starts.
    """
    compiled: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}
    compile_builder = Rule._compile_builder

    def compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (rule.rule, rule.subdomain, repr(rule.defaults), append_unknown)
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    patch = pytest.MonkeyPatch()
    patch.setattr(Rule, "_compile_builder", compile_once)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def patient_server() -> Iterator[None]:
    """Allow writing transactions a pause of a minute: a test machine may be that busy."""
    statements = postgresql_engine.TAKE_WRITE_LOCK.replace("'2s'", "'60s'")
    assert statements != postgresql_engine.TAKE_WRITE_LOCK
    patch = pytest.MonkeyPatch()
    patch.setattr(postgresql_engine, "TAKE_WRITE_LOCK", statements)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def checked_texts() -> Iterator[None]:
    """Check every text, log line and thread's name that tests come across."""
    patch = pytest.MonkeyPatch()
    text_checks.check_texts(patch)
    checker = text_checks.LogChecker()
    logging.getLogger("spectator").addHandler(checker)
    yield
    logging.getLogger("spectator").removeHandler(checker)
    patch.undo()
    i18n.load_catalogue.cache_clear()


@pytest.fixture(autouse=True)
def nameless_texts(checked_texts: None) -> Iterator[None]:
    """Fail if a text of the test was empty or unknown to the catalogues."""
    yield
    text_checks.check_threads()
    assert not text_checks.take_problems()


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Cache of compiled templates that all sites of a test run share."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(
    fresh_data: Path,
    rows_of_init: postgresql.Snapshot | None,
    tmp_path: Path,
    compiled_templates: FileSystemBytecodeCache,
) -> Iterator[Flask]:
    """New site for one test, inside its application context."""
    data = tmp_path / "data"
    shutil.copytree(fresh_data, data)
    app = create_app(settings(data))
    app.jinja_env.bytecode_cache = compiled_templates
    app.test_client_class = CheckingClient
    # Check at every request whether the database has changed, because tests read a page within a
    # millisecond after they change its story.
    app.extensions["page_cache"].poll_seconds = 0.0
    app.testing = True
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    if rows_of_init:
        rows_of_init.restore()


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """Address of a server of S3."""
    with object_stores.s3_server() as address:
        yield address


@pytest.fixture
def bucket(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of an empty bucket that this process can use."""
    object_stores.use_store(monkeypatch, s3_address)
    return object_stores.new_bucket(s3_address)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Reader's client that checks every page it fetches."""
    return app.test_client()


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Runner of the command line."""
    return app.test_cli_runner()


@pytest.fixture
def editor(app: Flask) -> User:
    """Account of an editor, who may publish."""
    return add_user("editor")


@pytest.fixture
def newsroom(app: Flask, editor: User) -> FlaskClient:
    """Client that is logged in as `editor`."""
    return logged_in_client(app)


def add_user(role: str) -> User:
    """Create an account with this role; return it detached from the session."""
    user = db.session.get(User, create_account(role))
    assert user is not None
    db.session.refresh(user)
    db.session.expunge(user)
    return user


def make_draft(**changes: object) -> publishing.Draft:
    """Return a draft that can be published, with some fields changed."""
    fields = {
        "headline": "A headline",
        "body": "One paragraph.\n\nAnother paragraph.",
        "section": "politics",
    }
    return publishing.Draft(**(fields | changes))  # type: ignore[arg-type]


@pytest.fixture
def story(app: Flask, editor: User) -> Callable[..., int]:
    """Return a function that publishes a story some hours before NEWEST and returns its id."""

    def publish(hours: float = 0, **changes: object) -> int:
        article_id = publishing.create(make_draft(**changes), editor)
        publishing.apply_action(
            article_id, editor, Action("publish", NEWEST - timedelta(hours=hours))
        )
        return article_id

    return publish


@pytest.fixture
def catch_up(app: Flask) -> Callable[[], None]:
    """Return a function that updates the readers' search index as the worker does."""

    def run_consumer() -> None:
        while indexing.catch_up(indexing.open_public_index(app.config["DATA_DIR"])):
            pass

    return run_consumer


@pytest.fixture
def take_statements(app: Flask) -> Iterator[Callable[[], list[str]]]:
    """Return a function that returns the texts of the SQL statements since its last call."""
    statements: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    def take() -> list[str]:
        taken = list(statements)
        statements.clear()
        return taken

    event.listen(db.engine, "before_cursor_execute", listen)
    yield take
    event.remove(db.engine, "before_cursor_execute", listen)


@pytest.fixture
def take_selects(take_statements: Callable[[], list[str]]) -> Callable[[], list[str]]:
    """Return a function that returns the texts of the SELECT statements since its last call."""
    return lambda: [
        statement
        for statement in take_statements()
        if statement.lstrip().upper().startswith(("SELECT", "WITH"))
    ]


@pytest.fixture
def idle_worker(app: Flask) -> Worker:
    """Worker whose loop does not run."""
    return Worker(app)


@pytest.fixture
def garbage_collection() -> Iterator[None]:
    """Collect garbage while the test's own warning filters apply."""
    yield
    gc.collect()


@pytest.fixture
def signals() -> Iterator[None]:
    """Restore the handlers that `run` replaces."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
