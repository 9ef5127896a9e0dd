"""Sentences in Python that no catalogue can translate: outside of `gettext()` and the like."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.catalogues import KEYWORDS

# A whole sentence, or a capitalised text of several words.
SENTENCE = re.compile(r"^[A-Z“%{](?=[^{}]*[a-z]{2,} [^{}]*[a-z]{2,})[^<>=]*[a-z)”}][.!?]$")
STATEMENT_WORDS = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|WITH)\b")
# Errors for developers, whose texts stay English.
DEVELOPER_ERRORS = {"AssertionError", "RuntimeError", "TypeError"}


def find_bare_sentences(source: str) -> list[tuple[int, str]]:
    """Return (line, text) of every sentence of a module that is in no catalogue."""
    tree = ast.parse(source)
    ignored = {id(node) for node in _ignored_nodes(tree)}
    sentences = [
        (node.lineno, text)
        for node in ast.walk(tree)
        if id(node) not in ignored
        and (text := _text(node))
        and SENTENCE.search(text)
        and not STATEMENT_WORDS.match(text)
    ]
    return sorted(sentences)


def _text(node: ast.AST) -> str:
    """Return the text of a string; values in an f-string are {}."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        return "".join(map(str, parts))
    return ""


def _ignored_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield docstrings, translated and logged texts, and the parts of f-strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.Assign):
            yield from [node.value] if "__doc__" in ast.unparse(node.targets[0]) else []
        elif isinstance(node, ast.JoinedStr):
            yield from (part for part in ast.walk(node) if part is not node)
        elif isinstance(node, ast.Call) and _is_ignored(node.func):
            yield from ast.walk(node)


def _is_ignored(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in KEYWORDS or function.id in DEVELOPER_ERRORS
    is_log = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)
    return is_log and function.value.id == "log"  # type: ignore[attr-defined]
