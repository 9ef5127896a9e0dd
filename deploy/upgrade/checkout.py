"""The checkout: which commit it moves to, and its packages."""

from __future__ import annotations

import re
from pathlib import Path

from commands import ROOT, StepError, call

DEPLOYED = "refs/spectator/deployed"  # the commit of the last successful upgrade
MIGRATIONS = "spectator/migrations/__init__.py"


def commit(name: str) -> str:
    """Return the commit of a name, "" if there is none."""
    try:
        return call("git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except StepError:
        return ""


def choose_commits(version: str) -> tuple[str, str]:
    """Return the commit to return to, "" if none is known, and the commit to upgrade to.

    If the checkout is already there, somebody has moved it since the last upgrade or the last move.
    """
    if call("git", "status", "--porcelain", "--untracked-files=no"):
        raise StepError("The checkout has changes that are not committed. See: git status")
    if call("git", "remote"):
        call("git", "fetch", "--quiet", "--tags")
    before = commit("HEAD")
    if not version and call("git", "rev-parse", "--abbrev-ref", "HEAD") == "HEAD":
        raise StepError(
            "The checkout is on no branch, so it has no newest commit. Name a version, such as "
            "make upgrade VERSION=v1.2.3, or return to the branch with git switch."
        )
    target = commit(version) if version else commit("@{upstream}") or before
    if not target:
        raise StepError(f"There is no version {version}.")
    if call("git", "merge-base", before, target) not in (before, target):
        raise StepError(
            "The checkout has commits of its own. Merge them: git merge " + target[:12]
        )
    if not version and call("git", "merge-base", before, target) == target:
        target = before  # commits that are not pushed
    if target != before:
        return before, target
    deployed = commit(DEPLOYED) or commit("HEAD@{1}")
    return ("" if deployed == target else deployed), target


def constant(revision: str, name: str) -> str:
    """Return a constant of the migrations in a commit, "" if it has none."""
    match = re.search(
        rf'^{name} = "(\w+)"', call("git", "show", f"{revision}:{MIGRATIONS}"), re.M
    )
    return match[1] if match else ""


def require_compatible(old: str, new: str) -> None:
    """Raise StepError if the old code cannot use the new schema: it could not be returned to."""
    needed, present = constant(new, "OLDEST_CODE"), constant(old, "HEAD")
    if needed > present:
        raise StepError(
            f"The new version needs code of schema {needed} before it, and this one has {present}. "
            "Upgrade to a version in between first (docs/upgrading.md)."
        )


def move_code(target: str) -> None:
    """Move the checkout to a commit and install its packages, those of installed extras too."""
    call("git", "reset", "--quiet", "--keep", target)
    call("make", "--no-print-directory", ".venv/runtime", step="Installing the packages")
    site = packages_of(ROOT / "requirements.txt")
    freeze = call(".venv/bin/python", "-m", "pip", "freeze")
    installed = {line.partition("==")[0].lower() for line in freeze.splitlines()}
    for extra in sorted((ROOT / "requirements").glob("*.txt")):
        if extra.stem != "mutation" and (packages_of(extra) - site) & installed:
            pip = ("-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(extra))
            call(".venv/bin/python", *pip)


def packages_of(lock_file: Path) -> set[str]:
    """Return the names of the packages in a lock file."""
    return set(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", lock_file.read_text("utf-8"), re.M))
