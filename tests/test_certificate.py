"""What `doctor` says about the certificate of the proxy on this machine."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from spectator.operations import certificate

SITE = "https://news.example"
needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


def sentences(site: str = SITE, front: str = "") -> list[str]:
    return list(certificate.problems({"SITE_URL": site, "FRONT_URL": front}))


def make_certificate(directory: Path, days: int, name: str = "news.example") -> tuple[Path, Path]:
    """Create a self-signed certificate; return its file and its key."""
    paths = directory / "certificate.pem", directory / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", str(days), "-subj", f"/CN={name}", "-out", str(paths[0])]
    command += ["-addext", f"subjectAltName=DNS:{name}", "-keyout", str(paths[1])]
    subprocess.run(command, check=True, capture_output=True)
    return paths


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Return a function that serves a trusted certificate on loopback and returns its URL."""
    listeners: list[socket.socket] = []

    def start(days: int, name: str = "news.example") -> str:
        paths = make_certificate(tmp_path, days, name)
        monkeypatch.setenv("SSL_CERT_FILE", str(paths[0]))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*paths)
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def answer() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection, context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1)

        threading.Thread(target=answer, daemon=True).start()
        return f"https://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


@needs_openssl
@pytest.mark.parametrize(("days", "is_late"), [(90, False), (15, False), (13, True)])
def test_a_certificate_that_expires_soon_is_reported(
    serve: Callable[..., str], monkeypatch: pytest.MonkeyPatch, days: int, is_late: bool
) -> None:
    front, now = serve(90), time.time()
    monkeypatch.setattr(certificate.time, "time", lambda: now + (90 - days) * 86_400)
    lines = sentences(front=front)
    assert len(lines) == is_late
    for line in lines:
        assert line.startswith(
            f"The certificate expires in {days} days. Renew the certificate of"
        )


def test_a_certificate_of_days_is_reported_in_its_last_quarter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(certificate.time, "time", lambda: 1000.0)
    for ends_at, is_late in ((1240.0, True), (1260.0, False)):
        validity = (ends_at - 1000.0, ends_at)
        monkeypatch.setattr(certificate, "_read_validity", lambda *_, v=validity: v)
        assert len(sentences()) == is_late


@needs_openssl
def test_a_certificate_for_another_name_is_reported(serve: Callable[..., str]) -> None:
    [line] = sentences(front=serve(90, "other.example"))
    assert line.startswith("Browsers refuse the certificate: Hostname mismatch")


def test_nothing_is_said_without_tls(serve: Callable[..., str]) -> None:
    assert sentences("http://news.example") == []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert sentences(f"https://news.example:{port}") == [], "nobody listens"


def test_a_proxy_that_does_not_answer_delays_nobody_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(certificate, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert sentences(f"https://news.example:{listener.getsockname()[1]}") == []
