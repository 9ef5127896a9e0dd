"""The recipes of docs/operations.md run as written; `make help` and the command's version."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from spectator import config, object_storage
from spectator.cli import main
from spectator.db import db, sqlite
from spectator.media.sandbox import UPLOAD_SECONDS
from spectator.search.postgres.index import SLOT_TIMEOUT_SECONDS
from spectator.search.postgres.reader import MAX_SECONDS
from spectator.slow_clients import ANONYMOUS_QUEUE_SECONDS, QUEUE_SECONDS

pytestmark = pytest.mark.sqlite

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs/operations.md").read_text("utf-8")
[AS_SITE] = re.findall(
    r"^as_site\(\) \(\n.*?^\)\n",
    (ROOT / "docs/deployment.md").read_text("utf-8"),
    re.DOTALL | re.MULTILINE,
)


def recipe(title: str) -> str:
    """Return the shell lines under a heading of the guide."""
    chapter = GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return AS_SITE + chapter.partition("```sh\n")[2].partition("```")[0]


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a recipe with other paths, without systemd and `-o` options."""

    def run(lines: str, data: Path, backup: str) -> subprocess.CompletedProcess[str]:
        for old, new in {
            "/var/lib/spectator": str(data),
            "/etc/spectator.env": str(tmp_path / "spectator.env"),
            "runuser -u spectator -- ": "",
            "/var/backups/spectator/2026-11-28.backup": backup,
            "/var/backups/spectator": str(tmp_path / "backups"),
            "/srv/spectator/.venv/bin": str(Path(sys.executable).parent),
            "/srv/spectator": str(ROOT),
            "-o spectator -g spectator ": "",
        }.items():
            lines = lines.replace(old, new)
        lines = re.sub(r"^systemctl.*$", ":", lines, flags=re.MULTILINE)
        environ = {n: text for n, text in os.environ.items() if not n.startswith("SPECTATOR_")}
        return subprocess.run(
            ["sh", "-ec", lines], capture_output=True, encoding="utf-8", env=environ
        )

    return run


def test_a_backup_can_be_made_and_restored(
    app: Flask,
    story: Callable[..., int],
    shell: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    data, pictures = app.config["DATA_DIR"], tmp_path / "pictures/originals"
    pictures.mkdir(parents=True)
    (pictures / "aa.jpg").touch()
    (tmp_path / "spectator.env").write_text(f"SPECTATOR_MEDIA={pictures.parent}\n", "utf-8")
    story()
    result = shell(recipe("A backup"), data, "")
    assert result.returncode == 0, result.stderr
    [backup] = (tmp_path / "backups").iterdir()
    assert result.stdout == f"1 story and 1 picture are in {backup}\n"
    story()
    db.session.remove()
    db.engine.dispose(close=False)  # like a killed site, leave the write-ahead log
    result = shell(recipe("Restoring a backup"), data, str(backup))
    assert result.returncode == 0, result.stderr
    assert "restored: 1 story and 1 picture of " in result.stdout
    assert (data / "secret_key").read_text("ascii") == app.config["SECRET_KEY"]
    with closing(sqlite.connect(str(data / "spectator.db"))) as connection:
        assert connection.execute("SELECT count(*) FROM article").fetchone() == (1,)


def test_nginx_for_several_hosts_is_made_as_the_guide_says(tmp_path: Path) -> None:
    [command] = re.findall(r"^sed .* deploy/nginx.conf .*$", GUIDE, flags=re.MULTILINE)
    hosts = (ROOT / "deploy/nginx-hosts.conf").read_text("utf-8")
    assert f"#   {command.partition(' >')[0]}\n" in hosts
    target = tmp_path / "spectator"
    command = command.replace("/etc/nginx/sites-available/spectator", str(target))
    subprocess.run(["sh", "-ec", command], cwd=ROOT, check=True)
    before, after = (ROOT / "deploy/nginx.conf").read_text("utf-8"), target.read_text("utf-8")
    assert before.count("\nupstream spectator") == 5 and "\nupstream spectator" not in after
    assert set(re.findall(r"^upstream \w+", before, re.MULTILINE)) == set(
        re.findall(r"^upstream \w+", hosts, re.MULTILINE)
    )
    assert "proxy_read_timeout 5s;" in after and "proxy_read_timeout 15s;" not in after
    # A search that uses all its time must not look like a host that is down.
    [pattern] = re.findall(r"location ~ (\S+search\S+) {", after)
    for path in ("/search", "/fr/search/feed.xml", "/fragments/search", "/fragments/suggest"):
        assert re.match(pattern.strip('"'), path)
    search = after.partition(f"location ~ {pattern} {{")[2].partition("}")[0]
    [seconds] = re.findall(r"proxy_read_timeout (\d+)s;", search)
    assert int(seconds) > ANONYMOUS_QUEUE_SECONDS + SLOT_TIMEOUT_SECONDS + MAX_SECONDS + 5
    pictures = after.partition("location @media {")[2].partition("}")[0]
    [seconds] = re.findall(r"proxy_read_timeout (\d+)s;", pictures)
    patience = object_storage.READING
    attempts = patience.retries + 1
    assert int(seconds) > ANONYMOUS_QUEUE_SECONDS + attempts * patience.seconds + 5
    for own in (search, pictures):
        assert "proxy_pass http://spectator;" not in own and "proxy_next_upstream error;" in own
    # Nor must an upload that waits for its turn and then for the slowest picture.
    newsroom = after.partition("location ~ ^/newsroom(?:/|$) {")[2].partition("}")[0]
    assert "proxy_pass http://spectator_newsroom;" in newsroom
    times = dict(re.findall(r"proxy_(send|read)_timeout (\d+)s;", newsroom))
    assert int(times["send"]) > QUEUE_SECONDS + 10
    assert int(times["read"]) > max(QUEUE_SECONDS, UPLOAD_SECONDS) + 5
    # Nor must pages with a query string, which anybody can invent.
    [queries] = re.findall(
        r"^map \$is_args (\$\w+) {\n    default spectator_queries;", after, re.M
    )
    assert f"proxy_pass http://{queries};" in after.partition("location / {")[2]
    upstreams = re.findall(r"^upstream [^}]*}\n", before, re.MULTILINE)
    assert after.count("\n") == before.count("\n") - "".join(upstreams).count("\n")


def test_make_help_shows_the_address_of_the_site() -> None:
    environ = os.environ | {"PORT": "8123", "HOST": "127.0.0.1"}
    result = subprocess.run(
        ["make", "help"], cwd=ROOT, env=environ, capture_output=True, encoding="utf-8", check=True
    )
    assert "http://127.0.0.1:8123" in result.stdout
    assert "$" not in result.stdout and "(HOST)" not in result.stdout


def test_the_version_option_prints_the_version() -> None:
    result = CliRunner().invoke(main, ["--version"], prog_name="spectator")
    assert result.output == f"spectator {config.version()}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", config.version())


@pytest.mark.parametrize("path", re.findall(r"`?(deploy/[a-z.-]+)`?", GUIDE))
def test_files_that_the_guide_names_exist(path: str) -> None:
    assert (ROOT / path.rstrip(".")).exists()
