"""Old name of `cli`, with which a running master of that release starts its worker."""

from spectator.cli import main
from spectator.cli.context import create_ready_app

__all__ = ["create_ready_app", "main"]

if __name__ == "__main__":
    main(prog_name="spectator")
