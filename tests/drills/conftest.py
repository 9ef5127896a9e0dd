"""A running site for each drill, gone without a trace afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spectator import accounts
from tests.drills.running_site import Site, eventually


@pytest.fixture
def make_site(fresh_data: Path, tmp_path: Path) -> Iterator[Callable[[], Site]]:
    """Return a function that sets a site up, not yet running; afterwards no process of it may be left."""
    made: list[Site] = []

    def make() -> Site:
        site = Site(tmp_path / f"site{len(made)}")
        shutil.copytree(fresh_data, site.data)
        with site.opened():
            accounts.add_user("drill@news.example", "Drill Editor", "editor")
        made.append(site)
        return site

    try:
        yield make
        for site in made:
            assert site.stop() == 0, f"the exit code; see {site.log}"
            eventually(lambda site=site: not site.processes(), 5, f"no process left; see {site.log}")
    finally:
        left = {pid for site in made for pid in site.kill_all()}
    assert not left


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """A running site without stories."""
    made = make_site()
    made.start()
    return made
