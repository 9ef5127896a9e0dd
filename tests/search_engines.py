"""Search indexes for tests: of PostgreSQL if the tests have a server, otherwise of Whoosh."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine

from spectator.db import WRITE_OPTION, engine_options, prepare_engine
from spectator.db.postgresql_engine import DerivedDatabase
from spectator.models import SearchIndex
from spectator.search import Index, open_index, open_shared_index
from tests import postgresql

MakeIndex = Callable[..., Index]
DATABASE = f"{postgresql.DATABASE}_search"  # apart from the sites, whose rows each test replaces


@pytest.fixture(scope="session")
def search_database() -> Iterator[DerivedDatabase | None]:
    """Database for indexes; None without PostgreSQL."""
    if not postgresql.SERVER_URL:
        yield None
        return
    postgresql.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    postgresql.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
    url = f"{postgresql.SERVER_URL}/{DATABASE}"
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine, ZoneInfo("UTC"))
    with engine.execution_options(**{WRITE_OPTION: True}).begin() as connection:
        SearchIndex.__table__.create(connection)  # type: ignore[attr-defined]
    yield DerivedDatabase(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def make_index(
    search_database: DerivedDatabase | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeIndex]:
    """Return a function that opens an index: a new one, or the one of that name again."""
    names, indexes = map("i{}".format, itertools.count()), []
    directory = tmp_path_factory.mktemp("search")

    def make(name: str = "", zone: tzinfo = UTC) -> Index:
        name = name or next(names)
        if search_database:
            index = open_shared_index(search_database, name, zone)
        else:
            index = open_index(directory / name, zone)
        indexes.append(index)
        return index

    yield make
    for index in indexes:
        index.close()
