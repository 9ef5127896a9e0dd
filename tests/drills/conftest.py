"""Sites for drills; none of their processes may remain."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from spectator import accounts
from tests.drills.running_site import Site

# The drills of each group run one after another, the groups beside each other (`make test`).
GROUPS = {
    # These mostly wait: for the clocks of proxies, for those of sockets and of the worker.
    "proxies": ("test_hosts", "test_nginx", "test_other_proxies", "test_proxy_cache"),
    "clocks": ("test_idle", "test_locked_database", "test_schedule", "test_slow_s"),
    # These repeat kills, damage and random actions.
    "repetition": (
        "test_backup_kill",
        "test_import_kill",
        "test_index_damage",
        "test_kill",
        "test_migration_kill",
        "test_search_damage",
        "test_search_kill",
        "test_story_machine",
        "test_wordpress_kill",
    ),
}
OTHERS = "load"


def group_of(module: str) -> str:
    """Return the group of a module of drills."""
    return next((name for name, starts in GROUPS.items() if module.startswith(starts)), OTHERS)


class GroupScheduling(LoadScopeScheduling):
    """Distribution of drills over the processes of pytest-xdist: each group to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(Path(nodeid.partition("::")[0]).stem)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling:
    """Let pytest-xdist keep the groups together. Its own groups do not work with this pytest."""
    return GroupScheduling(config, log)


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
