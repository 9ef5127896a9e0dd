"""Every case file is read by a test."""

from __future__ import annotations

import pytest

from tests.cases import FOLDER

CASES = sorted(f"{path.parent.name}/{path.name}" for path in FOLDER.glob("[0-9]*/*"))
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.parent.rglob("test_*.py"))


@pytest.mark.parametrize("case", CASES)
def test_every_case_is_run_by_a_test(case: str) -> None:
    assert case in TESTS, f"no test reads tests/cases/{case}"
