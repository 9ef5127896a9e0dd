"""Sites for drills; none of their processes may remain."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from spectator import accounts
from tests.drills.running_site import Site

# These mostly wait for the clocks of proxies and sockets, so they can run beside the others.
WAITING_MODULES = ("test_nginx", "test_other_proxies", "test_proxy_cache", "test_slow_sockets")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the drills that mostly wait into one process of `make test`, the others into another."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            is_waiting = item.path.stem.startswith(WAITING_MODULES)
            item.add_marker(pytest.mark.xdist_group("waiting" if is_waiting else "measuring"))


@contextmanager
def sites(fresh_data: Path, directory: Path) -> Iterator[Callable[[], Site]]:
    """Yield a function that sets up a stopped site; then stop the sites and check that no process
    remains.
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
            assert site.stop() == 0, f"the site exited with an error; see {site.log}"
            assert not site.processes(), f"processes remain; see {site.log}"
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
    """Running site without stories."""
    site = make_site()
    site.start()
    return site


@pytest.fixture(scope="session")
def shared_site(fresh_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Running site shared by the drills that do not damage it."""
    with sites(fresh_data, tmp_path_factory.mktemp("shared")) as make:
        site = make()
        site.start()
        yield site
