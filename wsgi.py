"""The WSGI entry point for gunicorn."""

from gunicorn.errors import AppImportError

from spectator.cli.context import create_ready_app
from spectator.config import ConfigError
from spectator.hosts import registry
from spectator.operations.setup import NotReadyError

try:
    app = create_ready_app()
    with app.app_context():
        registry.warn_of_differences()
except (ConfigError, NotReadyError) as error:
    raise AppImportError(
        f"spectator: {error}"
    ) from error  # gunicorn prints it without a traceback
