"""Print the views whose bodies, after the docstring, have more than 15 lines."""

from __future__ import annotations

import ast
from pathlib import Path

MAX_LINES = 15
ROUTE_DECORATORS = frozenset({"get", "post", "route"})


def is_view(node: ast.FunctionDef) -> bool:
    """Return whether a function has the decorator of a route."""
    return any(
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in ROUTE_DECORATORS
        for decorator in node.decorator_list
    )


def body_lines(node: ast.FunctionDef) -> int:
    """Return the number of lines of a function's body after its docstring."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


for path in sorted(Path("spectator").rglob("*.py")):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and is_view(node) and body_lines(node) > MAX_LINES:
            print("long view:", body_lines(node), f"{path}:{node.name}")
