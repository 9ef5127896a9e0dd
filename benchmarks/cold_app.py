"""The site without its page cache, for gunicorn: every request is rendered."""

from __future__ import annotations

from benchmarks.speed.page_cost import unwrap_cache
from spectator.cli.context import create_ready_app

app = create_ready_app()
app.wsgi_app = unwrap_cache(app)  # type: ignore[method-assign]
