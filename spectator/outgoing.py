"""Responses that wait in memory for slow clients, without a thread."""

from __future__ import annotations

import socket
from collections import deque
from typing import IO, Any


class Outgoing:
    """A socket on which gunicorn's writes never block: what cannot be sent yet is stored."""

    def __init__(self, sock: socket.socket, has_slot: bool = False) -> None:
        self.sock = sock
        self.has_slot = has_slot  # without one, a request of the newsroom is refused
        self.unsent: deque[memoryview] = deque()
        self.held_bytes = 0  # of this response in memory, until all is sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)

    def sendall(self, data: bytes) -> None:
        """Send what the client can receive now, store the rest. Raises OSError if it is gone."""
        if data:
            self.unsent.append(memoryview(data))
            self.held_bytes += len(data)
            self.flush()

    def send(self, data: bytes) -> int:
        """Send all data like `sendall`, and return its size."""
        self.sendall(data)
        return len(data)

    def sendfile(self, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
        """Send part of a file, and return its size. The file may be closed right after."""
        file.seek(offset)
        return self.send(file.read(-1 if count is None else count))

    def flush(self) -> bool:
        """Send what the client can receive now, and return whether that is all. Raises OSError."""
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
