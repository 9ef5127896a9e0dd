"""What a backup leaves that is killed."""

from __future__ import annotations

import socket
from pathlib import Path

from spectator.operations.backup import OWNER_FILE, WORKSPACE_PREFIX


def unfinished_workspace(directory: Path, host: str = "") -> Path:
    """Make the temporary directory of a killed backup of a host, by default this one."""
    workspace = directory / f"{WORKSPACE_PREFIX}killed-{host}"
    workspace.mkdir(parents=True)
    (workspace / OWNER_FILE).write_text(host or socket.gethostname(), "utf-8")
    (workspace / "database.sqlite").write_bytes(b"half")
    return workspace
