"""The African Spectator: a lightweight publishing system for small newsrooms."""

from __future__ import annotations

import os
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from flask import Flask, Request
from flask.sessions import SessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from spectator import (
    config,
    db,
    editions,
    headers,
    i18n,
    metrics,
    navigation,
    newsroom,
    pagecache,
    request_ids,
    request_limits,
    script_texts,
    site,
    static_files,
    stylesheet,
    templating,
)
from spectator.outbox import OutboxReader


class NoSessions(SessionInterface):
    """Flask's own sessions are not used: people's are in the database, and readers have none."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Return None, so that Flask neither reads nor sets a cookie."""


def create_app(environ: Mapping[str, str] | None = None) -> Flask:
    """Create the application from the settings in the environment. Raises config.ConfigError."""
    app = Flask(__name__, template_folder="../templates", static_folder=None)
    app.jinja_environment = templating.TemplateEnvironment
    app.session_interface = NoSessions()
    settings = config.load(os.environ if environ is None else environ)
    app.config.update(settings, SECRET_KEY=config.secret_key(settings))
    request_limits.register(app)

    db.init_engine(app)
    static_files.register(app)
    stylesheet.register(app)
    headers.register(app)
    i18n.register(app)
    editions.register(app)
    navigation.register(app)
    templating.register(app)
    script_texts.register(app)
    site.register(app)
    newsroom.register(app)

    outbox_reader = OutboxReader(app.config["DATABASE_URL"])
    page_cache = pagecache.PageCache(
        app.wsgi_app, outbox_reader, zone=ZoneInfo(app.config["TIMEZONE"])
    )
    request_metrics = metrics.RequestMetrics(page_cache.answer, page_cache.hits)
    hops = app.config["TRUSTED_PROXIES"]
    page_cache.slow_path = request_ids.RequestIds(request_metrics, hops > 0)
    app.extensions.update(page_cache=page_cache, request_metrics=request_metrics)
    app.wsgi_app = page_cache  # type: ignore[method-assign]
    if hops:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops
        )
    return app
