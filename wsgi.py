"""What gunicorn serves."""

from spectator.cli.context import create_ready_app

app = create_ready_app()
