"""A running site for each drill, gone without a trace afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spectator import accounts
from tests.drills.running_site import Site


@contextmanager
def sites(fresh_data: Path, directory: Path) -> Iterator[Callable[[], Site]]:
    """Give a function that sets a site up, not yet running; afterwards no process of it may be left."""
    made: list[Site] = []

    def make() -> Site:
        site = Site(directory / f"site{len(made)}")
        shutil.copytree(fresh_data, site.data)
        with site.app_context():
            accounts.add_user("drill@news.example", "Drill Editor", "editor")
        made.append(site)
        return site

    try:
        yield make
        for site in made:
            assert site.stop() == 0, f"the exit code; see {site.log}"
            assert not site.processes(), f"nothing is left; see {site.log}"
    finally:
        for site in made:
            site.kill_all()


@pytest.fixture
def make_site(fresh_data: Path, tmp_path: Path) -> Iterator[Callable[[], Site]]:
    """A function that sets a site up, not yet running."""
    with sites(fresh_data, tmp_path) as make:
        yield make


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """A running site without stories."""
    made = make_site()
    made.start()
    return made


@pytest.fixture(scope="session")
def calm_site(fresh_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running site that several drills share, because nothing is broken on it."""
    with sites(fresh_data, tmp_path_factory.mktemp("calm")) as make:
        made = make()
        made.start()
        yield made
