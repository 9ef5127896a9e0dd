"""Running sites for drills, which leave nothing behind."""

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
    """Return a function that sets up a stopped site; afterwards none of its processes may
    remain.
    """
    created: list[Site] = []

    def make() -> Site:
        site = Site(directory / f"site{len(created)}")
        shutil.copytree(fresh_data, site.data)
        with site.app_context():
            accounts.add_user("drill@news.example", "Drill Editor", "editor")
        created.append(site)
        return site

    try:
        yield make
        for site in created:
            assert site.stop() == 0, f"the exit code; see {site.log}"
            assert not site.processes(), f"nothing is left; see {site.log}"
    finally:
        for site in created:
            site.kill_all()


@pytest.fixture
def make_site(fresh_data: Path, tmp_path: Path) -> Iterator[Callable[[], Site]]:
    """Return a function that sets up a stopped site."""
    with sites(fresh_data, tmp_path) as make:
        yield make


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """A running site without stories."""
    site = make_site()
    site.start()
    return site


@pytest.fixture(scope="session")
def calm_site(fresh_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Running site that several drills share because none of them breaks anything."""
    with sites(fresh_data, tmp_path_factory.mktemp("calm")) as make:
        site = make()
        site.start()
        yield site
