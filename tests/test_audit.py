"""The audit of pinned versions fails if the vulnerability database does not answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def audit(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "requirements/audit.py")],
        env=os.environ | {"OSV_URL": url},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.fixture
def database() -> Iterator[tuple[str, list[dict[str, Any]], Callable[[bytes], None]]]:
    """Local vulnerability database: its URL, received queries, and a setter for its answer."""
    queries: list[dict[str, Any]] = []
    answers: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            queries.extend(sent)
            body = answers[0] if answers else json.dumps({"results": [{} for _ in sent]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", queries, answers.append
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_pin_is_looked_up(
    database: tuple[str, list[dict[str, Any]], Callable[[bytes], None]],
) -> None:
    url, queries, _ = database
    done = audit(url)
    assert done.returncode == 0
    assert "0 vulnerable, 0 not checked" in done.stdout
    packages = {(query["package"]["ecosystem"], query["package"]["name"]) for query in queries}
    assert {
        ("PyPI", "flask"),
        ("PyPI", "pytest"),
        ("npm", "htmx.org"),
        ("npm", "dompurify"),
    } < packages


def test_a_vulnerable_pin_fails(
    database: tuple[str, list[dict[str, Any]], Callable[[bytes], None]],
) -> None:
    url, _, answer = database
    answer(json.dumps({"results": [{"vulns": [{"id": "CVE-2026-0001"}]}] + [{}] * 500}).encode())
    done = audit(url)
    assert done.returncode == 1
    assert "VULNERABLE" in done.stdout
    assert "CVE-2026-0001" in done.stdout


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"{}", b"[]", b'{"results": [{}]}', b'{"results": null}']
)
def test_packages_without_a_valid_answer_count_as_not_checked(
    database: tuple[str, list[dict[str, Any]], Callable[[bytes], None]], answer: bytes
) -> None:
    url, _, say = database
    say(answer)
    done = audit(url)
    assert done.returncode == 2
    assert "not checked: " in done.stdout


def test_packages_count_as_not_checked_without_a_database() -> None:
    done = audit("http://127.0.0.1:9")
    assert done.returncode == 2
    assert "0 vulnerable" in done.stdout
    assert "0 not checked" not in done.stdout
