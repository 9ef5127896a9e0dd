"""The systemd unit denies what the site does not need, and keeps its measured exposure."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[1] / "deploy/spectator.service"
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


def directives() -> list[str]:
    """Return the effective lines of the unit."""
    return [
        line
        for line in UNIT.read_text("utf-8").splitlines()
        if "=" in line and not line.startswith("#")
    ]


@pytest.mark.parametrize("restriction", RESTRICTIONS)
def test_the_unit_has_every_restriction(restriction: str) -> None:
    assert restriction in directives()


def test_memory_and_tasks_are_limited() -> None:
    limits = dict(
        re.findall(r"^(MemoryHigh|MemoryMax|TasksMax)=(\d+)", UNIT.read_text("utf-8"), re.MULTILINE)
    )
    assert 0 < int(limits["MemoryHigh"]) < int(limits["MemoryMax"]) <= 2000
    assert 0 < int(limits["TasksMax"]) <= 1000


def test_only_listed_system_calls_are_allowed() -> None:
    filters = [
        line.partition("=")[2] for line in directives() if line.startswith("SystemCallFilter=")
    ]
    assert filters[0] == "@system-service"
    assert {"@privileged", "@resources", "@obsolete"} <= set(filters[1].removeprefix("~").split())
    assert set(" ".join(filters[2:]).split()) == {"setpriority", "setrlimit", "prlimit64", "@chown"}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_the_exposure_stays_low() -> None:
    command = ["systemd-analyze", "security", "--offline=true", str(UNIT)]
    result = subprocess.run(command, capture_output=True, encoding="utf-8")
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
    if exposure is None:
        pytest.skip(f"systemd-analyze cannot measure here: {result.stderr.strip()}")
    assert float(exposure[1]) <= MAX_EXPOSURE, result.stdout
