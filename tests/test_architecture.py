"""The house: which way imports point, and that every route and setting is documented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from flask import Flask

from spectator.config import PREFIX, SETTINGS

ROOT = Path(__file__).resolve().parent.parent
LAYERS = (
    {"wsgi"},
    {"commands", "__main__"},
    {"cli"},
    {"create_app", "headers", "request_limits", "slow_clients", "outgoing"},
    {"site", "newsroom", "importers", "worker", "operations", "demo"},
    {"proxy_cache", "related", "renditions"},
    {"indexing", "templating"},
    {
        "publishing",
        "accounts",
        "autosaves",
        "pagecache",
        "search",
        "media",
        "search_log",
        "static_files",
    },
    {"queries", "outbox", "migrations", "change_watcher"},
    {"urls"},
    {"models"},
    {"db", "config"},
    {"text", "times"},
)
FORBIDDEN = {
    ("site", "newsroom"),
    ("newsroom", "site"),
    ("site", "publishing"),
    ("site", "accounts"),
    ("site", "autosaves"),
    ("search", "queries"),
    ("search", "models"),
    ("search", "db"),
}


def room_of(module: str) -> str:
    """Return the room of a dotted module: `spectator.site.pages` is in `site`."""
    parts = module.split(".")
    return parts[0] if parts[0] == "wsgi" else parts[1] if len(parts) > 1 else "create_app"


def imports() -> set[tuple[str, str, str]]:
    """Return (file, importing room, imported room) of every import among our modules."""
    found = set()
    rooms = {path.stem for path in (ROOT / "spectator").iterdir()}
    for path in [ROOT / "wsgi.py", *(ROOT / "spectator").rglob("*.py")]:
        name = (
            path.relative_to(ROOT)
            .with_suffix("")
            .as_posix()
            .replace("/", ".")
            .removesuffix(".__init__")
        )
        for node in ast.walk(ast.parse(path.read_text())):
            targets = []
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                targets = [node.module]
                if node.module == "spectator":
                    targets = [
                        f"spectator.{a.name}" if a.name in rooms else "spectator"
                        for a in node.names
                    ]
            for target in targets:
                if target.split(".")[0] == "spectator":
                    found.add((path.relative_to(ROOT).as_posix(), room_of(name), room_of(target)))
    return found


def level(room: str) -> int:
    """Return the storey of a room, 0 at the top."""
    for number, rooms in enumerate(LAYERS):
        if room in rooms:
            return number
    raise AssertionError(
        f"the room {room!r} has no storey; give it one here and in docs/architecture.md"
    )


def test_imports_point_downward() -> None:
    wrong = [each for each in imports() if each[1] != each[2] and level(each[1]) > level(each[2])]
    assert not wrong
    assert not [each for each in imports() if each[1:] in FORBIDDEN]


def test_text_imports_nothing_of_ours() -> None:
    assert not [each for each in imports() if each[1] == "text" and each[2] != "text"]


def test_the_layers_are_seen_to_be_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ("spectator/publishing/__init__.py", "publishing", "outbox") in imports()
    assert level("text") > level("models") > level("site")


def test_every_setting_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [each.name for each in SETTINGS if f"`{PREFIX}{each.name}`" not in readme] == []


def test_every_address_is_documented(app: Flask) -> None:
    documented = (ROOT / "docs/architecture.md").read_text()
    rules = {
        re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"<\1>", rule.rule) for rule in app.url_map.iter_rules()
    }
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in documented] == []


def test_no_drawers_without_a_name() -> None:
    names = {path.stem for path in (ROOT / "spectator").rglob("*")}
    assert not names & {"utils", "helpers", "services", "misc", "common"}


def test_nothing_names_this_machine_or_leaves_work_behind() -> None:
    left = re.compile("TO" + "DO|FIX" + "ME|NotImplemented" + "Error")
    for path in (ROOT / "spectator").rglob("*.py"):
        assert not left.search(path.read_text()), path
