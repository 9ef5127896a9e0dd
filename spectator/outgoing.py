"""What a client has not taken of its answer yet: it waits in memory, without a thread of the web process."""

from __future__ import annotations

import socket
from collections import deque
from typing import IO, Any


class Outgoing:
    """A socket as gunicorn writes an answer to it: what does not go at once is kept, and no write waits."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.unsent: deque[memoryview] = deque()
        self.held_bytes = 0  # of the pieces of this answer, until all are sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def sendall(self, data: bytes) -> None:
        """Send what goes now, and keep the rest; raises OSError where the client is gone."""
        if data:
            self.unsent.append(memoryview(data))
            self.held_bytes += len(data)
            self.flush()

    def send(self, data: bytes) -> int:
        """Send all of the data as `sendall` does; return its size."""
        self.sendall(data)
        return len(data)

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """Send a part of a file, which may be closed or changed before all of it is taken; return its size."""
        file.seek(offset)
        return self.send(file.read(-1 if count is None else count))

    def flush(self) -> bool:
        """Send what goes now; return whether nothing is left. Raises OSError where the client is gone."""
        while self.unsent:
            piece = self.unsent[0]
            try:
                sent = self.sock.send(piece, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            if sent < len(piece):
                self.unsent[0] = piece[sent:]
            else:
                self.unsent.popleft()
        self.held_bytes = 0
        return True
