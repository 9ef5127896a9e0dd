"""A `StubSite` behind nginx, for drills of deploy/nginx.conf."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.drills.nginx_proxy import Nginx, StubSite


@dataclass(frozen=True, slots=True)
class ProxiedSite:
    """A stub site and the nginx in front of it."""

    site: StubSite
    nginx: Nginx


@contextmanager
def run_proxied_site(home: Path, edit: Callable[[str], str] = str) -> Iterator[ProxiedSite]:
    """Run a stub site behind nginx; `edit` changes nginx's site configuration."""
    site = StubSite()
    nginx = Nginx(home / "nginx", site.port, home / "media")
    path = nginx.home / "site.conf"
    path.write_text(edit(path.read_text()))
    try:
        site.start()
        nginx.start()
        yield ProxiedSite(site, nginx)
    finally:
        nginx.stop()
        site.stop()
