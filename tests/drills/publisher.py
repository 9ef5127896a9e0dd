"""Process that publishes stories until it is killed and records each one in a ledger file.

`python -m tests.drills.publisher LEDGER`
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable

from spectator import create_app
from tests.drills.running_site import Story, publish, token

PAUSE_SECONDS = 0.1


def format_line(story: Story) -> bytes:
    """Return one ledger line."""
    return f"{story.id} {story.token} {story.path}\n".encode()


def parse_ledger(lines: Iterable[str]) -> list[Story]:
    """Return the stories in a ledger."""
    parts = (line.split() for line in lines)
    return [Story(int(article_id), word, path) for article_id, word, path in parts]


def main() -> None:
    """Publish, record and pause until killed."""
    ledger = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    number = time.time_ns() // 1_000_000  # larger than those of earlier publishers
    app = create_app(os.environ)
    while True:
        number += 1
        with app.app_context():
            os.write(ledger, format_line(publish(token(number, "zp"))))
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
