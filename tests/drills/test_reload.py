"""A broken installation does not stop a running site: a reload that would fail is refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from spectator.db import sqlite
from tests.drills.running_site import ROOT, Site, eventually, token

pytestmark = pytest.mark.drill
PAGES = ["/", "/politics/", "/readyz"]


def assert_reload_refused(site: Site, reason: str) -> None:
    """Request a reload; check that the log has the reason of its refusal and no process changes."""
    assert site.master is not None
    running = site.processes()
    with site.polling(["/", "/politics/"]):
        site.master.send_signal(signal.SIGHUP)
        eventually(
            lambda: site.log_matches(
                rf"Reload refused: the new code does not start\. .*{reason}"
            ),
            40,
            reason,
        )
        assert site.processes() == running
    assert not site.log_matches("Traceback")


def test_a_reload_on_a_broken_installation_is_refused(site: Site) -> None:
    assert site.master is not None
    key = site.data / "secret_key"
    secret = key.read_bytes()
    key.unlink()
    assert_reload_refused(site, "secret key .* is missing")
    key.write_bytes(bytes(range(256)))
    assert_reload_refused(site, "secret key .* is damaged")
    key.write_bytes(secret)
    with closing(sqlite.connect(str(site.data / "spectator.db"))) as connection:
        [version] = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
        assert_reload_refused(site, "older schema 0001.*spectator init")
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()
    old = site.processes("web")
    site.master.send_signal(signal.SIGHUP)
    eventually(lambda: not old & site.processes("web"), 40, "a reload replaces the web processes")
    [story] = site.publish([token(1)])
    site.assert_findable([story], 15, "after the reload")


def test_a_running_site_ignores_new_templates_and_does_not_load_broken_code(
    make_site: Callable[[], Site], tmp_path: Path
) -> None:
    site = make_site()
    checkout = tmp_path / "checkout"
    shutil.copytree(
        ROOT,
        checkout,
        ignore=shutil.ignore_patterns(".*", "tests", "benchmarks", "docs", "node_modules"),
    )
    site.checkout = checkout
    site.environ["PYTHONPATH"] = str(checkout)
    site.start()
    [story] = site.publish([token(1)])
    (checkout / "templates/site/article.html").write_text(
        "{{ a_name.that_only(newer_code) }}", "utf-8"
    )
    assert "<h1" in site.get(story.path).body, "the running code used the new template"
    module = checkout / "spectator/site/__init__.py"
    first_line = "from __future__ import annotations\n"
    module.write_text(
        module.read_text("utf-8").replace(first_line, first_line + "import a_missing_package\n"),
        "utf-8",
    )
    assert_reload_refused(site, "No module named 'a_missing_package'")


def test_the_site_runs_on_while_a_killed_web_process_cannot_restart(site: Site) -> None:
    key = site.data / "secret_key"
    secret = key.read_bytes()
    key.unlink()
    first = site.kill("web")
    with site.polling(["/", "/politics/"]):
        eventually(
            lambda: len(site.log_matches("secret key .* is missing")) > 1,
            20,
            "two attempts to restart it",
        )
    key.write_bytes(secret)
    eventually(
        lambda: len(site.processes("web") - {first}) == 2,
        20,
        "two web processes again",
    )


def test_starting_on_a_port_in_use_fails_with_a_one_line_message(
    site: Site, make_site: Callable[[], Site]
) -> None:
    other = make_site()
    command = [
        sys.executable,
        "-m",
        "spectator",
        "run",
        "--bind",
        site.address.removeprefix("http://"),
    ]
    run = subprocess.run(
        command, cwd=ROOT, env=other.environ, capture_output=True, encoding="utf-8", timeout=20
    )
    assert run.returncode == 1 and run.stdout == ""
    [line] = run.stderr.splitlines()
    assert "is in use by another program" in line and "--bind" in line


def test_three_concurrent_inits_set_up_one_site(tmp_path: Path) -> None:
    environ = os.environ | {"SPECTATOR_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "spectator", "init"]
    with (tmp_path / "log").open("wb") as log:
        setups = [
            subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
            for _ in range(3)
        ]
        codes = [setup.wait(60) for setup in setups]
    log_text = (tmp_path / "log").read_text("utf-8")
    assert codes == [0, 0, 0], log_text
    assert log_text.count("is set up") == 1 and log_text.count("is up to date") == 2
