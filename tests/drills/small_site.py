"""A `SmallSite` behind nginx, for drills of deploy/nginx.conf."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.drills.nginx_proxy import Nginx, SmallSite


@dataclass(frozen=True, slots=True)
class Small:
    """Small site behind nginx."""

    site: SmallSite
    nginx: Nginx


@contextmanager
def small_site(home: Path, edit: Callable[[str], str] = str) -> Iterator[Small]:
    """Run a small site behind nginx; `edit` changes nginx's site configuration."""
    site = SmallSite()
    nginx = Nginx(home / "nginx", site.port, home / "media")
    path = nginx.home / "site.conf"
    path.write_text(edit(path.read_text()))
    try:
        site.start()
        nginx.start()
        yield Small(site, nginx)
    finally:
        nginx.stop()
        site.stop()
