"""A claim on a key: one thread at a time works on it, other threads can wait for that thread."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from threading import Event, Lock


class SingleFlight:
    """The keys that threads of this process are working on."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.in_flight: dict[Hashable, Event] = {}

    @contextmanager
    def claim(self, key: Hashable) -> Iterator[Event | None]:
        """Claim a key for the block and yield None.

        If another thread has claimed it, yield the event that is set when that thread is done.
        """
        with self.lock:
            other = self.in_flight.get(key)
            if other is None:
                done = self.in_flight[key] = Event()
        if other is not None:
            yield other
            return
        try:
            yield None
        finally:
            with self.lock:
                del self.in_flight[key]
            done.set()
