"""What gunicorn serves."""

from spectator.commands import create_ready_app

app = create_ready_app()
