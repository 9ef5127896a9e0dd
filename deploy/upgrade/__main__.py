"""Upgrade this checkout and the site that runs from it: `make upgrade [VERSION=v1.2.3]`.

Backup, code, packages, `spectator init`, a check of the new code, reload. If a step fails or the
new code does not answer, the code and the packages return to the previous commit, and the site too
if it was reloaded. The database is never restored by itself: older code can use the newer schema,
and a restored backup would lose what was saved since.

It uses the standard library only, and imports everything at the start: while it runs, every file of
the checkout may change.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time

from checkout import DEPLOYED, choose_commits, move_code, require_compatible
from commands import ROOT, StepError, call, say
from running_site import Site

BACKUP = """
set -e; data="${SPECTATOR_DATA_DIR:-instance}"; to="${SPECTATOR_BACKUP_TO:-$data/backups}"
case "$to" in *://*) to="$data/backups";; esac  # not into a bucket: it is needed at hand
mkdir -p -m 700 "$to"
rm -f -- "$to"/before-upgrade-*.backup.unfinished  # of an upgrade that was killed
.venv/bin/spectator backup "$to/before-upgrade-$1.backup" >&2
ls "$to"/before-upgrade-*.backup | sort | head -n -2 | xargs -r -d '\\n' rm --
echo "$to/before-upgrade-$1.backup"
"""
CHECK = """
import sys
from wsgi import app
client = app.test_client()
base = app.config["SITE_URL"].replace("http:", "https:")
for path in ("/", "/feed.xml", "/newsroom/login", "/readyz"):
    status = client.get(path, base_url=base).status_code
    if status != 200:
        sys.exit(f"{path} answers {status}")
"""


def upgrade(site: Site, version: str) -> int:
    """Upgrade and return the exit code."""
    old, new = choose_commits(version)
    if old:
        require_compatible(old, new)
    now = time.strftime("%Y-%m-%d-%H%M%S")
    backup = site.run("sh", "-c", BACKUP, "backup", now, step="The backup")
    say(f"Backup: {backup.splitlines()[-1]}")
    has_reloaded = False
    try:
        move_code(new)
        say(f"Code and packages: {new[:12]}")
        say(site.run(".venv/bin/spectator", "init", step="spectator init"))
        site.run(".venv/bin/python", "-c", CHECK, step="The trial of the new code")
        has_reloaded = True
        site.reload()
    except (Exception, KeyboardInterrupt) as error:  # whatever it is, the old code must return
        return roll_back(site, old, has_reloaded, error)
    call("git", "update-ref", DEPLOYED, new)
    say("The site runs with the new version.")
    return 0


def roll_back(site: Site, old: str, has_reloaded: bool, error: BaseException) -> int:
    """Return to the old code and say what happened; return the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave it half done
    say(f"The upgrade failed. {describe(error)}")
    if not old:
        say(
            "No earlier commit is known to return to. The running processes go on with their code."
        )
        return 1
    try:
        move_code(old)
        if has_reloaded:
            site.run(".venv/bin/python", "-c", CHECK, step="The trial of the old code")
            site.reload()
    except Exception as second_error:
        say(
            f"Returning to {old[:12]} failed too. {describe(second_error)} See docs/upgrading.md."
        )
        return 1
    say(f"The site runs with the previous version, {old[:12]}. Nothing that was saved is lost.")
    return 1


def describe(error: BaseException) -> str:
    """Return what went wrong as a sentence."""
    if isinstance(error, KeyboardInterrupt):
        return "It was interrupted."
    return str(error) if isinstance(error, StepError) else f"{type(error).__name__}: {error}"


def main() -> int:
    """Upgrade to the version in the first argument, by default to the upstream branch."""
    lock = os.open(ROOT, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return upgrade(Site.find(), sys.argv[1] if len(sys.argv) > 1 else "")
    except BlockingIOError:
        say("Another upgrade of this checkout is running.")
    except StepError as error:
        say(f"Nothing was changed. {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
