"""Run a command under SystemCallFilter and MemoryDenyWriteExecute of the systemd unit.

`python -m tests.drills.confined COMMAND [ARGUMENT…]`
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
import subprocess
import sys
from pathlib import Path

UNIT = Path(__file__).resolve().parents[2] / "deploy/spectator.service"
ALLOW, REFUSE = 0x7FFF0000, 0x00050001  # SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM)
MASKED_EQUAL = 7  # SCMP_CMP_MASKED_EQ
WRITE_EXECUTE, EXECUTE = 6, 4  # PROT_WRITE | PROT_EXEC, PROT_EXEC


class Comparison(ctypes.Structure):
    """Condition on an argument of a system call: libseccomp's scmp_arg_cmp."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


def find_library() -> ctypes.CDLL | None:
    """Return libseccomp if it is installed."""
    name = ctypes.util.find_library("seccomp")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = (ctypes.c_uint32,)
    library.seccomp_load.argtypes = (ctypes.c_void_p,)
    library.seccomp_rule_add_array.argtypes = (
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.POINTER(Comparison),
    )
    return library


def calls_of(name: str) -> set[str]:
    """Return the system calls of a set such as @system-service, or the single call of that name."""
    if not name.startswith("@"):
        return {name}
    command = ["systemd-analyze", "syscall-filter", name]
    listed = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
    members = [
        line.strip() for line in listed.splitlines()[1:] if line.strip() and "#" not in line
    ]
    return set().union(*(calls_of(member) for member in members))


def allowed_calls() -> set[str]:
    """Return the calls that the unit allows; a line that starts with ~ removes its calls."""
    allowed: set[str] = set()
    for removes, names in re.findall(
        r"^SystemCallFilter=(~?)(.+)$", UNIT.read_text("utf-8"), re.MULTILINE
    ):
        calls = set().union(*(calls_of(name) for name in names.split()))
        allowed = allowed - calls if removes else allowed | calls
    return allowed


def confine(library: ctypes.CDLL) -> None:
    """Restrict this process and its children permanently."""
    memory_filter = library.seccomp_init(ALLOW)
    for name, bits in (
        (b"mmap", WRITE_EXECUTE),
        (b"mprotect", EXECUTE),
        (b"pkey_mprotect", EXECUTE),
    ):
        has_bits = Comparison(2, MASKED_EQUAL, bits, bits)  # argument 2 is the protection
        number = library.seccomp_syscall_resolve_name(name)
        assert (
            library.seccomp_rule_add_array(
                memory_filter, REFUSE, number, 1, ctypes.byref(has_bits)
            )
            == 0
        )
    seccomp_filter = library.seccomp_init(REFUSE)
    for name in sorted(allowed_calls()):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # some calls exist only on other architectures
            assert library.seccomp_rule_add_array(seccomp_filter, ALLOW, number, 0, None) == 0
    assert library.seccomp_load(memory_filter) == library.seccomp_load(seccomp_filter) == 0


if __name__ == "__main__":
    libseccomp = find_library()
    assert libseccomp is not None
    confine(libseccomp)
    os.execv(sys.argv[1], sys.argv[1:])
