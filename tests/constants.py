"""The numbers in the site's modules: limits, times and weights.

`python -m tests.constants` writes `constants.txt`, which `test_tables.py` compares with the code.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import spectator

FILE = Path(__file__).with_name("constants.txt")


def current_lines() -> list[str]:
    """Return a line for each constant of a module that is a number or has only numbers."""
    return sorted(f"{name} = {value!r}" for name, value in _constants() if _is_number(value))


def _constants() -> Iterator[tuple[str, Any]]:
    for info in pkgutil.walk_packages(spectator.__path__, "spectator."):
        if ".migrations" in info.name or info.name.endswith(("__main__", "commands")):
            continue
        module = importlib.import_module(info.name)
        prefix = info.name.removeprefix("spectator.")
        for statement in ast.parse(inspect.getsource(module)).body:
            targets = statement.targets if isinstance(statement, ast.Assign) else ()
            for target in ast.walk(ast.Tuple(list(targets))):
                if isinstance(target, ast.Name) and target.id.lstrip("_").isupper():
                    yield f"{prefix}.{target.id}", getattr(module, target.id)


def _is_number(value: Any) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and all(map(_is_number, value.values()))
    if isinstance(value, tuple | list):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, int | float | timedelta) and not isinstance(value, bool | Enum)


if __name__ == "__main__":
    FILE.write_text("\n".join(current_lines()) + "\n", encoding="utf-8")
