"""The systemd units deny what the site does not need, and keep their measured exposure."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
UNITS = ("spectator", "spectator-web", "spectator-worker")
MAX_EXPOSURE = 2.0
RESTRICTIONS = """
    NoNewPrivileges=yes CapabilityBoundingSet= AmbientCapabilities=
    ProtectSystem=strict ProtectHome=yes ProtectProc=invisible ProcSubset=pid
    PrivateTmp=yes PrivateDevices=yes PrivateIPC=yes PrivateUsers=yes
    ProtectClock=yes ProtectControlGroups=yes ProtectHostname=yes
    ProtectKernelLogs=yes ProtectKernelModules=yes ProtectKernelTunables=yes
    RestrictNamespaces=yes RestrictRealtime=yes RestrictSUIDSGID=yes LockPersonality=yes
    MemoryDenyWriteExecute=yes RemoveIPC=yes
    SystemCallArchitectures=native SystemCallErrorNumber=EPERM
    StateDirectoryMode=0711 UMask=0027 IPAddressDeny=any
""".split()


@pytest.fixture(params=UNITS)
def unit(request: pytest.FixtureRequest) -> Path:
    return DEPLOY / f"{request.param}.service"


def directives(unit: Path) -> list[str]:
    """Return the effective lines of a unit."""
    return [
        line
        for line in unit.read_text("utf-8").splitlines()
        if "=" in line and not line.startswith("#")
    ]


@pytest.mark.parametrize("restriction", RESTRICTIONS)
def test_the_units_have_every_restriction(restriction: str, unit: Path) -> None:
    assert restriction in directives(unit)


def test_memory_and_tasks_are_limited(unit: Path) -> None:
    limits = dict(
        re.findall(
            r"^(MemoryHigh|MemoryMax|TasksMax)=(\d+)", unit.read_text("utf-8"), re.MULTILINE
        )
    )
    assert 0 < int(limits["MemoryHigh"]) < int(limits["MemoryMax"]) <= 2000
    assert 0 < int(limits["TasksMax"]) <= 1000


def test_only_listed_system_calls_are_allowed(unit: Path) -> None:
    filters = [
        line.partition("=")[2]
        for line in directives(unit)
        if line.startswith("SystemCallFilter=")
    ]
    assert filters[0] == "@system-service"
    assert {"@privileged", "@resources", "@obsolete"} <= set(filters[1].removeprefix("~").split())
    assert set(" ".join(filters[2:]).split()) == {
        "setpriority",
        "setrlimit",
        "prlimit64",
        "@chown",
    }


@pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)
def test_the_exposure_stays_low(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", str(unit)]
    result = subprocess.run(command, capture_output=True, encoding="utf-8")
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
    if exposure is None:
        pytest.skip(f"systemd-analyze cannot measure here: {result.stderr.strip()}")
    assert float(exposure[1]) <= MAX_EXPOSURE, result.stdout


@pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
)
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for name in UNITS:  # with a program and a user that this machine has
        text = (DEPLOY / f"{name}.service").read_text("utf-8")
        text = text.replace("/srv/spectator/.venv/bin/spectator", "/bin/true")
        text = re.sub(r"^(User|Group)=spectator$", r"\1=daemon", text, flags=re.MULTILINE)
        (tmp_path / f"{name}.service").write_text(text, "utf-8")
    command = ["systemd-analyze", "verify", *map(str, sorted(tmp_path.glob("*.service")))]
    result = subprocess.run(command, capture_output=True, encoding="utf-8")
    lines = [line for line in result.stderr.splitlines() if str(tmp_path) in line]
    assert lines == [] and result.returncode == 0, result.stderr


def test_of_the_pair_one_serves_and_the_other_works() -> None:
    commands = {
        name: [line for line in directives(DEPLOY / f"{name}.service") if "ExecStart=" in line]
        for name in UNITS[1:]
    }
    start = "ExecStart=/srv/spectator/.venv/bin/spectator"
    assert commands == {
        "spectator-web": [f"{start} run --no-worker --workers 2 --bind 127.0.0.1:8000"],
        "spectator-worker": [f"{start} worker"],
    }
