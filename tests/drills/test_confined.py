"""The site works under the system call restrictions of deploy/spectator.service."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.drills import confined
from tests.drills.running_site import Site, token

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(
        not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed"
    ),
    pytest.mark.skipif(confined.find_library() is None, reason="libseccomp is not installed"),
]
CONFINED = [sys.executable, "-m", "tests.drills.confined", sys.executable]


def test_the_filter_blocks_forbidden_system_calls() -> None:
    code = "import ctypes, mmap, os\n"
    code += "try: os.chroot('/')\nexcept PermissionError: print('no chroot')\n"
    code += "try: mmap.mmap(-1, 4096, prot=7)\nexcept OSError: print('no code in data')\n"
    result = subprocess.run(
        [*CONFINED, "-c", code], cwd=confined.UNIT.parents[1], capture_output=True, check=True
    )
    assert result.stdout.decode().split("\n")[:2] == ["no chroot", "no code in data"], result


def test_the_site_works_under_the_units_restrictions(
    make_site: Callable[[], Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site()
    start = site._start
    monkeypatch.setattr(
        # CONFINED ends with the interpreter, the first word of the command.
        site,
        "_start",
        lambda command, environ: start([*CONFINED, *command[1:]], environ),
    )
    assert site.spawn("spectator", "init").wait(60) == 0, site.log_tail()
    site.start()
    stories = site.publish([token(1)])
    site.assert_findable(stories, 20, "under the restrictions")
    Image.new("RGB", (1200, 800), "teal").save(tmp_path / "picture.png")
    record = {
        "id": "p",
        "headline": "A picture",
        "body": "Seen.",
        "section": "politics",
        "lead_image": "picture.png",
        "published_at": "2026-01-02T03:04:05Z",
    }
    (tmp_path / "stories.jsonl").write_text(json.dumps(record), "utf-8")
    importing = site.spawn("spectator", "import", "jsonl", str(tmp_path / "stories.jsonl"))
    assert importing.wait(60) == 0, site.log_tail()
    assert list((site.data / "media").rglob("*-1200.*")) or list(
        (site.data / "media").rglob("*-640.*")
    )
    for command in (["reindex", "--check"], ["doctor"]):
        assert site.spawn("spectator", *command).wait(60) == 0, site.log_tail()
    assert site.stop() == 0
    assert not site.log_matches("Operation not permitted|PermissionError"), site.log_tail()
