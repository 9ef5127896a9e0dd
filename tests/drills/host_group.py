"""Several hosts of one site on this machine, with one PostgreSQL, behind nginx."""

from __future__ import annotations

import http.client
import os
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode

from spectator import accounts
from spectator.operations import setup
from tests.drills.nginx_proxy import Nginx
from tests.drills.running_site import ROOT, Site

PASSWORD = "a long password of a drill"
EMAIL = "drill@news.example"
HOSTS_CONFIG = (ROOT / "deploy/nginx-hosts.conf").read_text()


class HostGroup:
    """Hosts with their own data directories; `pictures` is the store of pictures they share."""

    def __init__(self, directory: Path, database_url: str, number: int, **environ: str) -> None:
        self.hosts = [Site(directory / f"host{index}") for index in range(number)]
        ports = [host.address.rpartition(":")[2] for host in self.hosts]
        shared = {
            "SPECTATOR_DATABASE_URL": database_url,
            "SPECTATOR_SECRET_KEY": secrets.token_urlsafe(32),
            "SPECTATOR_SITE_URL": "http://localhost",
            "SPECTATOR_TRUSTED_PROXIES": "1",
            "SPECTATOR_MEDIA": str(directory / "pictures"),
        } | environ
        for host in self.hosts:
            host.settings |= shared
            host.environ |= shared
            host.web_processes = 1
            with host.app_context() as app:
                setup.initialise(app)
        with self.hosts[0].app_context():
            accounts.add_user(EMAIL, "Drill Editor", "editor", PASSWORD)
        self.nginx = Nginx(directory / "nginx", 8000, directory / "pictures", "localhost")
        self._configure_nginx(ports)

    def _configure_nginx(self, ports: list[str]) -> None:
        """Make nginx's files as the first lines of deploy/nginx-hosts.conf say."""
        site_file = self.nginx.home / "site.conf"
        [command] = re.findall(r"#   (sed '.*') deploy/nginx.conf", HOSTS_CONFIG)
        changed = subprocess.run(
            ["sh", "-c", f"{command} {site_file}"],
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        site_file.write_text(changed.stdout)
        hosts = HOSTS_CONFIG
        for number, port in enumerate(ports, 11):
            hosts = hosts.replace(f"server 10.0.0.{number}:8000", f"server 127.0.0.1:{port}")
        (self.nginx.home / "site-hosts.conf").write_text(hosts)

    def start(self) -> None:
        """Start all hosts at once, then nginx."""
        with ThreadPoolExecutor(len(self.hosts)) as pool:
            list(pool.map(Site.start, self.hosts))
        self.nginx.start()

    def stop(self) -> list[int]:
        """Stop nginx and the hosts; return the exit codes of the hosts."""
        self.nginx.stop()
        return [host.stop() for host in self.hosts]

    def kill_all(self) -> None:
        """Kill what remains."""
        self.nginx.stop()
        for host in self.hosts:
            send_signal(host, signal.SIGCONT)
            host.kill_all()


def send_signal(host: Site, number: int) -> None:
    """Send a signal to every process of a host."""
    for pid in host.processes():
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the load: when it began and ended (monotonic), and its status, 0 for none."""

    path: str
    started_at: float
    ended_at: float
    status: int


@dataclass
class Load:
    """Readers and an editor behind nginx; `published` has the words of acknowledged stories."""

    port: int
    reads: list[Request] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    refused: int = 0
    cookie: str = ""
    stop_event: Event = field(default_factory=Event)

    def log_in(self) -> None:
        """Log in through whichever host answers."""
        status, headers = self.post("/newsroom/login", {"email": EMAIL, "password": PASSWORD})
        cookies = SimpleCookie(headers.get("Set-Cookie", ""))
        assert status == 303, status
        self.cookie = f"__Host-session={cookies['__Host-session'].value}"

    def post(self, path: str, form: dict[str, str]) -> tuple[int, http.client.HTTPMessage]:
        """Send a form; return the status and the headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {
            "Host": "localhost",
            "Cookie": self.cookie,
            "Sec-Fetch-Site": "same-origin",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        try:
            connection.request("POST", path, urlencode(form), headers)
            response = connection.getresponse()
            response.read()
            return response.status, response.headers
        finally:
            connection.close()

    def read(self, path: str) -> Request:
        """Send a request as a reader does."""
        started_at, status = time.monotonic(), 0
        # nginx waits up to 20 seconds for a search on a frozen host, and asks no other.
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=25)
        try:
            connection.request("GET", path, headers={"Host": "localhost"})
            response = connection.getresponse()
            response.read()
            status = response.status
        except (OSError, http.client.HTTPException):
            status = 0
        finally:
            connection.close()
        return Request(path, started_at, time.monotonic(), status)

    def run_reader(self, paths: list[str]) -> None:
        """Read the paths in turn; the number in a query makes nginx ask a host."""
        number = 0
        while not self.stop_event.is_set():
            number += 1
            for path in paths:
                self.reads.append(self.read(path.format(number)))
            time.sleep(0.05)

    def run_editor(self) -> None:
        """Publish story after story; only those that were answered with 303 are acknowledged."""
        number = 0
        while not self.stop_event.is_set():
            number += 1
            word = "zh" + "".join("abcdefghij"[int(digit)] for digit in f"{number:05}")
            form = {"headline": f"Story {word}", "body": f"The word {word}.", "do": "publish"}
            form |= {"section": "politics", "language": "en", "form_id": word * 2}
            try:
                status, _ = self.post("/newsroom/stories/new", form)
            except (OSError, http.client.HTTPException):
                status = 0
            if status == 303:
                self.published.append(word)
            else:
                self.refused += 1
            time.sleep(0.3)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run two readers and an editor until the block ends."""
        paths = ["/", "/politics/?visit={}", "/search?q=mali&visit={}", "/archive/"]
        threads = [Thread(target=self.run_reader, args=(paths,)) for _ in range(2)]
        threads.append(Thread(target=self.run_editor))
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop_event.set()
            for thread in threads:
                thread.join(30)
