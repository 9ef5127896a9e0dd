"""Run a command as the unit's SystemCallFilter and MemoryDenyWriteExecute would let it run: python -m … COMMAND."""

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
MASKED_EQUAL = 7
WRITE_EXECUTE, EXECUTE = 6, 4  # PROT_WRITE | PROT_EXEC, PROT_EXEC


class Comparison(ctypes.Structure):
    """What an argument of a call has to be for a rule: libseccomp's scmp_arg_cmp."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


def find_library() -> ctypes.CDLL | None:
    """Return libseccomp where it is installed."""
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
    """Return the system calls of a set such as @system-service, or the one call of that name."""
    if not name.startswith("@"):
        return {name}
    command = ["systemd-analyze", "syscall-filter", name]
    listed = subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout
    words = [line.strip() for line in listed.splitlines()[1:] if line.strip() and "#" not in line]
    return set().union(*(calls_of(word) for word in words))


def allowed_calls() -> set[str]:
    """Return what the unit's lines leave: each adds its sets, or with ~ takes them away."""
    allowed: set[str] = set()
    for takes_away, names in re.findall(
        r"^SystemCallFilter=(~?)(.+)$", UNIT.read_text("utf-8"), re.MULTILINE
    ):
        calls = set().union(*(calls_of(name) for name in names.split()))
        allowed = allowed - calls if takes_away else allowed | calls
    return allowed


def confine(library: ctypes.CDLL) -> None:
    """Shut this process in, for good and with all that it starts."""
    no_code = library.seccomp_init(ALLOW)
    for name, bits in (
        (b"mmap", WRITE_EXECUTE),
        (b"mprotect", EXECUTE),
        (b"pkey_mprotect", EXECUTE),
    ):
        is_such = Comparison(2, MASKED_EQUAL, bits, bits)
        number = library.seccomp_syscall_resolve_name(name)
        assert (
            library.seccomp_rule_add_array(no_code, REFUSE, number, 1, ctypes.byref(is_such)) == 0
        )
    chosen = library.seccomp_init(REFUSE)
    for name in sorted(allowed_calls()):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # others are of other machines
            assert library.seccomp_rule_add_array(chosen, ALLOW, number, 0, None) == 0
    assert library.seccomp_load(no_code) == library.seccomp_load(chosen) == 0


if __name__ == "__main__":
    found = find_library()
    assert found is not None
    confine(found)
    os.execv(sys.argv[1], sys.argv[1:])
