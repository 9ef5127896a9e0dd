"""Text is read and written in UTF-8 in any locale, and no character stops a command."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from spectator.cli.context import escape_unencodable_output

ROOT = Path(__file__).resolve().parent.parent
FILES = [ROOT / "gunicorn.conf.py", ROOT / "wsgi.py", *(ROOT / "spectator").rglob("*.py")]
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
# Position of the encoding among the arguments of a function.
ENCODING_POSITION = {"open": 2, "read_text": 0, "write_text": 1, "fdopen": 3}
# Arguments that make a function read or write text.
TEXT_ARGUMENTS = {"text", "universal_newlines"}


def calls_without_encoding(source: str) -> Iterator[str]:
    """Yield the calls that read or write text in the locale's encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = (
            node.func.attr
            if isinstance(node.func, ast.Attribute)
            else getattr(node.func, "id", "")
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
        is_text = name in ENCODING_POSITION and not any(
            "b" in mode for mode in modes if len(mode) <= 3
        )
        is_os = (
            isinstance(node.func, ast.Attribute)
            and getattr(node.func.value, "id", "") == "os"
            and name == "open"
        )
        has_position = name in ENCODING_POSITION and len(node.args) > ENCODING_POSITION[name]
        opens_text = is_text and not is_os and not has_position
        if "encoding" not in keywords and (opens_text or switched_on & TEXT_ARGUMENTS):
            yield ast.unparse(node)


def test_every_text_file_is_opened_with_an_encoding() -> None:
    without_encoding = {
        path.name: list(calls_without_encoding(path.read_text("utf-8"))) for path in FILES
    }
    assert {name: calls for name, calls in without_encoding.items() if calls} == {}


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
def test_a_call_without_an_encoding_is_reported(call: str) -> None:
    assert list(calls_without_encoding(call))
    assert not list(
        calls_without_encoding(
            "open('x', 'rb'); path.read_text('utf-8'); path.open(encoding='utf-8')"
        )
    )


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a machine with an ASCII locale."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("SPECTATOR_")
    }
    return inherited | C_LOCALE | {"SPECTATOR_DATA_DIR": str(tmp_path / "data")}


def test_every_command_works_in_an_ascii_locale(environ: dict[str, str], tmp_path: Path) -> None:
    def spectator(*words: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "spectator", *words]
        done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, timeout=60)
        assert b"Traceback" not in done.stderr + done.stdout, done.stderr.decode(
            "utf-8", "replace"
        )
        return done

    assert spectator("init").returncode == 0
    name = os.fsencode("Ọlá “Bọ́lá” Ṣóyínká")
    assert (
        spectator(
            "user", "add", "ola@news.example", "--role", "editor", "--name", os.fsdecode(name)
        ).returncode
        == 0
    )
    assert name in spectator("user", "list").stdout
    environ["PYTHONIOENCODING"] = "latin-1"
    assert b'\\u1eccl\xe1 "B' in spectator("user", "list").stdout, (
        "characters that the terminal lacks are escaped"
    )
    (tmp_path / "stories.jsonl").write_text('{"headline": "“No body”"}\n', "utf-8")
    refused = spectator("import", "jsonl", str(tmp_path / "stories.jsonl"))
    assert refused.returncode == 1 and b'"body" is missing' in refused.stderr
    for words in (["--help"], ["doctor"], ["user", "--help"], ["--version"]):
        spectator(*words)


def test_characters_that_a_stream_lacks_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    ascii_streams = {name: TextIOWrapper(BytesIO(), "ascii") for name in ("stdout", "stderr")}
    for name, stream in ascii_streams.items():
        monkeypatch.setattr(sys, name, stream)
    escape_unencodable_output()
    for stream in ascii_streams.values():
        stream.write("“Ọlá…”")
        stream.seek(0)
        assert stream.buffer.read() == b'"\\u1eccl\\xe1..."'
    monkeypatch.setattr(sys, "stdout", StringIO())
    escape_unencodable_output()  # a stream that has no encoding is left alone
