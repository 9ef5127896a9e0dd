"""`python -m spectator` is the `spectator` command."""

from spectator.cli import main

main(prog_name="spectator")
