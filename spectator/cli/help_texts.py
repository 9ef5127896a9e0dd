"""The help of commands: its texts for the catalogues, and its translation."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from typing import IO, Any

import click
from babel.messages.extract import extract_python

from spectator.i18n import gettext

HelpText = tuple[click.Command | click.Option, str]


def extract(
    file: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[Any, ...]]:
    """Yield a module's texts with the docstrings of commands: a method of extraction for Babel."""
    yield from extract_python(file, keywords, comment_tags, options)
    file.seek(0)
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.FunctionDef) and any(map(_is_command, node.decorator_list)):
            yield node.lineno, "", ast.get_docstring(node) or "", []


def _is_command(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(function, ast.Attribute) and function.attr in {"command", "group"}


def read_help(command: click.Command) -> Iterator[HelpText]:
    """Yield the English help of a command, its options and its subcommands, with their objects."""
    yield command, inspect.cleandoc(command.help or "")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            yield parameter, parameter.help
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            yield from read_help(subcommand)


def translate_help(texts: list[HelpText]) -> None:
    """Let commands and options show their help in the current language."""
    for item, english in texts:
        item.help = gettext(english)
