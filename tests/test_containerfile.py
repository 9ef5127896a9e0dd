"""The container image: no root, no secrets, a pinned base; built where podman or buildah works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from tests.drills.running_site import eventually, free_port

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "deploy/Containerfile"
IMAGE = "localhost/spectator-test"
# What no part of the running site opens.
NOT_IN_THE_IMAGE = {"tests", "benchmarks", "docs", "deploy", "requirements-dev.txt"}
NOT_IN_THE_IMAGE |= {"CHANGELOG.md", "CONTRIBUTING.md"}


def instructions(name: str) -> list[str]:
    """Return the arguments of an instruction of the Containerfile."""
    text = FILE.read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", text, re.MULTILINE)


def test_the_base_is_pinned_by_name_and_only_the_build_stage_has_tools() -> None:
    assert instructions("FROM") == ["debian:12.12-slim AS base", "base AS build", "base"]
    final = FILE.read_text("utf-8").rpartition("\nFROM ")[2]
    assert "make" not in final and "COPY . " not in final


def test_the_site_runs_as_a_user_of_its_own_with_its_data_in_a_volume() -> None:
    assert instructions("USER") == ["spectator"]
    assert instructions("VOLUME") == ["/var/lib/spectator"]
    assert FILE.read_text("utf-8").index("\nUSER ") < FILE.read_text("utf-8").index("\nCMD ")


def test_no_secret_is_written_into_a_layer() -> None:
    assert not re.search(r"SECRET|PASSWORD|TOKEN|DATABASE_URL", FILE.read_text("utf-8"))
    assert set(instructions("ARG")) == {"EXTRA="}


def test_the_image_gets_what_the_site_needs_and_nothing_else() -> None:
    # Docker reads no other file. podman and buildah prefer .containerignore, so there is none.
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert lines[1] == "*" and not (ROOT / ".containerignore").exists()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    ).stdout
    names = {line.partition("/")[0] for line in tracked.splitlines()}
    assert allowed == {name for name in names if not name.startswith(".")} - NOT_IN_THE_IMAGE


@pytest.mark.parametrize(
    ("extras", "files", "has_client"),
    [("", [], False), ("s3", ["s3"], False), ("postgres s3", ["postgres", "s3"], True)],
)
def test_an_image_has_the_packages_and_programs_of_its_extras(
    tmp_path: Path, extras: str, files: list[str], has_client: bool
) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("make", "apt-get", "rm", ".venv/bin/pip"):
        stub = tmp_path / name
        stub.write_text(f'#!/bin/sh\necho "{stub.name} $*"\n', "utf-8")
        stub.chmod(0o755)
    build, final = [text for text in instructions("RUN") if "EXTRA" in text]
    environ = {"PATH": str(tmp_path), "EXTRA": extras}
    output = [
        subprocess.run(
            ["/bin/sh", "-ec", text], cwd=tmp_path, env=environ, stdout=-1, check=True
        ).stdout.decode()
        for text in (build, final)
    ]
    assert re.findall(r"-r requirements/(\w+)\.txt", output[0]) == files
    assert ("install -y --no-install-recommends postgresql-client" in output[1]) == has_client


@pytest.mark.drill
def test_the_image_is_built_and_answers(tmp_path: Path) -> None:
    program = shutil.which("podman")
    if program is None or subprocess.run([program, "info"], capture_output=True).returncode:
        pytest.skip("the image was not built: podman is missing or does not work here")
    build = [
        program,
        "build",
        "--format",
        "docker",
        "--file",
        str(FILE),
        "--tag",
        IMAGE,
        str(ROOT),
    ]
    result = subprocess.run(build, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, result.stderr[-2000:]
    port = free_port()
    run = [program, "run", "--rm", "--detach", f"--publish=127.0.0.1:{port}:8000", IMAGE]
    container = subprocess.run(
        run, capture_output=True, encoding="utf-8", check=True
    ).stdout.strip()

    def is_ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    try:
        eventually(is_ready, 60, "the container answers")
        command = [program, "exec", container, "id", "-u"]
        user = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
        assert user.strip() not in ("0", str(os.getuid()) if os.getuid() else "0")
    finally:
        subprocess.run([program, "stop", container], capture_output=True, check=False)
        subprocess.run([program, "rmi", "--force", IMAGE], capture_output=True, check=False)
