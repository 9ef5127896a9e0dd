"""The commands of docs/deployment.md run as written, with other paths, and lead to a site."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from spectator.db import Base, sqlite
from tests.drills.running_site import ROOT, Site, eventually, token

pytestmark = pytest.mark.drill
GUIDE = (ROOT / "docs/deployment.md").read_text("utf-8")
# What needs root, systemd or another machine does nothing; `runuser` runs the command.
STUBS = dict.fromkeys(("apt-get", "useradd", "systemctl"), "exit 0")
STUBS["runuser"] = 'shift 3; exec "$@"'
START = "systemctl daemon-reload && systemctl enable --now spectator\n"
LITESTREAM = Path(sys.executable).with_name("litestream")
LITESTREAM_CHAPTER = "A copy of SQLite that is one second old: Litestream"


def chapter(title: str) -> str:
    """Return a chapter of the guide."""
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(text: str, language: str = "sh") -> str:
    """Return the code blocks of a text in a language."""
    return "".join(re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE))


AS_SITE = (
    "as_site()" + blocks(chapter("2. User and settings (5 minutes)")).partition("as_site()")[2]
)


class Machine:
    """A directory in which the guide's paths are, and programs that replace root's."""

    def __init__(self, root: Path, site: Site) -> None:
        self.root, self.site = root, site
        for name in ("etc/systemd/system", "srv", "var/lib", "var/backups", "stubs", "venv/bin"):
            (root / name).mkdir(parents=True)
        for name, code in STUBS.items():
            self.add_program(f"stubs/{name}", code)
        self.add_program("venv/bin/spectator", f'exec {sys.executable} -m spectator "$@"')
        self.add_program("venv/bin/python", f'exec {sys.executable} "$@"')
        if LITESTREAM.exists():
            (root / "venv/bin/litestream").symlink_to(LITESTREAM)
        (root / "venv/runtime").touch()
        site.data = root / "var/lib/spectator"

    def add_program(self, name: str, code: str) -> None:
        (self.root / name).write_text(f"#!/bin/sh\n{code}\n", "utf-8")
        (self.root / name).chmod(0o755)

    def run(self, script: str) -> str:
        """Run commands of the guide; return what they print."""
        for old, new in {
            "-o spectator -g spectator ": "",
            "https://github.com/YOUR-FORK/spectator.git": str(ROOT),
            "make .venv/runtime": f"cp -a {self.root}/venv .venv && touch .venv/runtime && "
            "make .venv/runtime",
            "http://127.0.0.1:8000": self.site.address,
        }.items():
            script = script.replace(old, new)
        script = re.sub(r"(?<![\w.])/(etc|srv|var)/", rf"{self.root}/\1/", script)
        environ = {name: text for name, text in os.environ.items() if name != "AWS_CA_BUNDLE"}
        environ = {n: text for n, text in environ.items() if not n.startswith("SPECTATOR_")}
        environ["PATH"] = f"{self.root}/stubs:{environ['PATH']}"
        result = subprocess.run(
            ["sh", "-ec", script],
            cwd=self.root,
            env=environ,
            capture_output=True,
            encoding="utf-8",
        )
        assert result.returncode == 0, f"{script}\n{result.stdout}{result.stderr}"
        return result.stdout


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Machine without a site yet."""
    site = Site(tmp_path / "site")
    machine = Machine(tmp_path / "machine", site)
    site.environ |= {"SPECTATOR_DATA_DIR": str(site.data)}
    try:
        yield machine
    finally:
        site.kill_all()


def test_the_guide_leads_from_a_clone_to_a_site_with_backups(machine: Machine) -> None:
    first, _, second = blocks(GUIDE.partition(f"\n## {LITESTREAM_CHAPTER}")[0]).partition(START)
    output = machine.run(first)
    assert "is set up" in output and "password" in output
    machine.site.start()
    output = machine.run(f"cd /srv/spectator\n{AS_SITE}{second}")
    assert "0 stories and 0 pictures are in" in output and "complete: 0 stories" in output
    assert "Nobody can log in" not in output
    settings = machine.root / "etc/spectator.env"
    assert settings.stat().st_mode & 0o777 == 0o600
    assert "SPECTATOR_BACKUP_TO=" in settings.read_text("utf-8")
    machine.run("cd /srv/spectator\n" + blocks(chapter("Web and worker as two services")))
    assert len(list((machine.root / "etc/systemd/system").iterdir())) == 3


def rows(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of the site's tables."""
    with closing(sqlite.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
            for name in Base.metadata.tables
        }


@pytest.mark.skipif(not LITESTREAM.exists(), reason="litestream is not installed")
def test_litestream_restores_the_database_after_the_loss_of_the_disk(
    machine: Machine, site: Site
) -> None:
    shutil.copytree(ROOT, machine.root / "srv/spectator", ignore=lambda *_: set(os.listdir(ROOT)))
    shutil.copytree(machine.root / "venv", machine.root / "srv/spectator/.venv", symlinks=True)
    config = blocks(chapter(LITESTREAM_CHAPTER), "yaml")
    config = config.replace("/var/backups", f"{machine.root}/var/backups")
    config_file = machine.root / "etc/litestream.yml"
    config_file.write_text(config.replace("/var/lib/spectator", str(site.data)), "utf-8")
    (machine.root / "etc/spectator.env").write_text(f"PYTHONPATH={ROOT}\n", "utf-8")
    environ = {name: text for name, text in os.environ.items() if name != "AWS_CA_BUNDLE"}
    with (machine.root / "litestream.log").open("wb") as log:
        replication = subprocess.Popen(
            [str(LITESTREAM), "replicate", "-config", str(config_file)],
            env=environ,
            stdout=log,
            stderr=log,
        )
    try:
        site.publish([token(number) for number in range(8)])
        replica = machine.root / "var/backups/litestream"
        eventually(lambda: is_quiet(replica), 60, "the replica is complete")
        expected = rows(site.data / "spectator.db")
        site.kill_all()
    finally:
        replication.kill()
        replication.wait(10)
    key = (site.data / "secret_key").read_bytes()
    shutil.rmtree(site.data)
    site.data.mkdir()
    (site.data / "secret_key").write_bytes(key)
    commands = AS_SITE + blocks(chapter(LITESTREAM_CHAPTER))
    output = machine.run(commands.replace("/var/lib/spectator", str(site.data)))
    assert "is up to date" in output and "The database" not in output
    assert rows(site.data / "spectator.db") == expected
    site.start()
    assert site.get("/politics/").body.count("A drill, story") >= 8


def is_quiet(replica: Path) -> bool:
    """Return whether the files of a replica have not changed for three sync intervals."""
    files = [path.stat().st_mtime for path in replica.rglob("*") if path.is_file()]

    return bool(files) and time.time() - max(files) > 3
