"""The name under which a master that runs the code before `cli` starts its worker after a reload."""

from spectator.cli import main
from spectator.cli.context import create_ready_app

__all__ = ["create_ready_app", "main"]

if __name__ == "__main__":
    main(prog_name="spectator")
