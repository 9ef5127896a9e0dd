"""Text is read and written in UTF-8 in any locale, and no character stops a command."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [ROOT / "gunicorn.conf.py", ROOT / "wsgi.py", *(ROOT / "spectator").rglob("*.py")]
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
POSITION = {
    "open": 2,
    "read_text": 0,
    "write_text": 1,
    "fdopen": 3,
}  # of the encoding among the arguments
TEXTUAL = {"text", "universal_newlines"}


def careless_calls(source: str) -> Iterator[str]:
    """Yield the calls that read or write text in the locale's encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        )
        keywords = {keyword.arg for keyword in node.keywords}
        switched_on = {
            keyword.arg
            for keyword in node.keywords
            if isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        }
        modes = [
            arg.value
            for arg in node.args
            if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        is_text = name in POSITION and not any("b" in mode for mode in modes if len(mode) <= 3)
        is_os = (
            isinstance(node.func, ast.Attribute)
            and getattr(node.func.value, "id", "") == "os"
            and name == "open"
        )
        has_position = name in POSITION and len(node.args) > POSITION[name]
        if (
            (is_text and not is_os and not has_position) or switched_on & TEXTUAL
        ) and "encoding" not in keywords:
            yield ast.unparse(node)


def test_every_file_is_opened_with_its_encoding() -> None:
    careless = {path.name: list(careless_calls(path.read_text("utf-8"))) for path in FILES}
    assert {name: calls for name, calls in careless.items() if calls} == {}


@pytest.mark.parametrize(
    "call",
    [
        "open('x')",
        "path.read_text()",
        "path.write_text('x')",
        "path.open('w')",
        "run(a, text=True)",
        "os.fdopen(1, 'w')",
    ],
)
def test_a_careless_call_is_noticed(call: str) -> None:
    assert list(careless_calls(call))
    assert not list(
        careless_calls("open('x', 'rb'); path.read_text('utf-8'); path.open(encoding='utf-8')")
    )


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a machine with an ASCII locale."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("SPECTATOR_")
    }
    return inherited | C_LOCALE | {"SPECTATOR_DATA_DIR": str(tmp_path / "data")}


def test_every_command_works_where_the_locale_is_ascii(
    environ: dict[str, str], tmp_path: Path
) -> None:
    def spectator(*words: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "spectator", *words]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, timeout=60)
        assert b"Traceback" not in done.stderr + done.stdout, done.stderr.decode("utf-8", "replace")
        return done

    assert spectator("init").returncode == 0
    name = os.fsencode("Ọlá “Bọ́lá” Ṣóyínká")
    assert (
        spectator(
            "user", "add", "ola@news.example", "--role", "editor", "--name", os.fsdecode(name)
        ).returncode
        == 0
    )
    assert name in spectator("user", "list").stdout, "as it was typed"
    environ["PYTHONIOENCODING"] = "latin-1"
    assert b'\\u1eccl\xe1 "B' in spectator("user", "list").stdout, (
        "as near to it as the terminal can"
    )
    (tmp_path / "stories.jsonl").write_text('{"headline": "“No body”"}\n', "utf-8")
    refused = spectator("import", "jsonl", str(tmp_path / "stories.jsonl"))
    assert refused.returncode == 1 and b'"body" is missing' in refused.stderr
    for words in (["--help"], ["doctor"], ["user", "--help"], ["--version"]):
        spectator(*words)
