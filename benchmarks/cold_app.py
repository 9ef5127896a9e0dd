"""The site without its page cache, for gunicorn: every request is rendered."""

from __future__ import annotations

from benchmarks.speed.inside import uncached
from spectator.cli.context import create_ready_app

app = uncached(create_ready_app())
