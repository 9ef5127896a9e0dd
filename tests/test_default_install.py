"""The default install stays light: few packages, little disk."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.txt"
MAX_PACKAGES, MAX_BYTES = 36, 160_000_000


def locked_packages() -> list[str]:
    """Return the names of the packages that `make run` installs."""
    return re.findall(r"(?m)^([a-z0-9-]+)==", LOCK.read_text("utf-8"))


def installed_bytes(name: str) -> int:
    """Return the bytes of a package's files with their compiled code; 0 if not for this machine."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return 0
    paths = [Path(str(file.locate())) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file())


def test_the_default_install_has_at_most_36_packages() -> None:
    assert 20 < len(locked_packages()) <= MAX_PACKAGES


def test_the_default_install_has_at_most_160_megabytes() -> None:
    sizes = {name: installed_bytes(name) for name in locked_packages()}
    assert sizes["flask"] > 100_000 and sizes["pillow"] > 1_000_000, "no sizes were read"
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    assert sum(sizes.values()) <= MAX_BYTES, largest
