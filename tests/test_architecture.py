"""The architecture: layers of packages, use of Whoosh, documented URLs and settings, and names."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask

from spectator.config import PREFIX, SETTINGS

ROOT = Path(__file__).resolve().parent.parent
LAYERS = (
    {"wsgi"},
    {"commands", "__main__"},
    {"cli"},
    {
        "create_app",
        "headers",
        "request_limits",
        "slow_clients",
        "incoming",
        "request_slots",
        "outgoing",
    },
    {"site", "newsroom", "importers", "exporters", "worker", "maintenance", "operations", "demo"},
    {"avif", "listing_consumer", "proxy_cache", "related", "renditions"},
    {"indexing", "templating"},
    {"navigation"},
    {
        "publishing",
        "accounts",
        "autosaves",
        "presence",
        "preview_links",
        "pagecache",
        "metrics",
        "search",
        "media",
        "search_log",
        "missing_pages",
        "static_files",
        "stylesheet",
        "script_texts",
    },
    {"queries", "outbox", "hosts", "migrations", "change_watcher"},
    {"urls", "editions"},
    {"models"},
    {"db", "config", "tokens"},
    {"setting_parsers"},
    {"object_storage"},
    {
        "text",
        "times",
        "formats",
        "i18n",
        "request_ids",
        "search_paths",
        "old_addresses",
        "answers",
    },
)
FORBIDDEN = {
    ("site", "newsroom"),
    ("newsroom", "site"),
    ("site", "publishing"),
    ("site", "accounts"),
    ("site", "autosaves"),
    ("site", "presence"),
    ("site", "preview_links"),
    ("search", "queries"),
    ("search", "models"),
    ("search", "db"),
}


# Names that hide what a value is; the style guide asks for its type or role.
VAGUE_NAMES = frozenset(
    "found each asked known kept thing given mine here place it made".split()
    + "shown typed chosen posted".split()
)
# Nouns that end in -ing, established in web development and search.
FIELD_TERMS = {
    "caching",
    "folding",
    "indexing",
    "scoring",
    "spelling",
    "templating",
    "throttling",
}


class Import(NamedTuple):
    """An import within the project: the module, its package and the imported package."""

    module: str
    source: str
    target: str


def package_of(module: str) -> str:
    """Return the package of a dotted module: `site` for `spectator.site.pages`.

    The module `spectator` itself counts as `create_app`.
    """
    if module == "wsgi":
        return module
    _, _, path = module.partition(".")
    return path.split(".")[0] or "create_app"


def imports(root: Path = ROOT) -> set[Import]:
    """Return every import within the project."""
    edges = set()
    packages = {path.stem for path in (root / "spectator").iterdir()}
    for path in [root / "wsgi.py", *(root / "spectator").rglob("*.py")]:
        name = (
            path.relative_to(root)
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
                        f"spectator.{a.name}" if a.name in packages else "spectator"
                        for a in node.names
                    ]
            for target in targets:
                if target.split(".")[0] == "spectator":
                    edges.add(Import(name, package_of(name), package_of(target)))
    return edges


def level(package: str) -> int:
    """Return the number of a package's layer, 0 at the top."""
    for number, layer in enumerate(LAYERS):
        if package in layer:
            return number
    raise AssertionError(f"{package!r} has no layer; add it here and in docs/architecture.md")


def violations(edges: set[Import]) -> list[Import]:
    """Return the imports of higher layers, the forbidden imports, and every import in `text`.

    `text` imports no other package at all.
    """
    return sorted(
        edge
        for edge in edges
        if edge.source != edge.target
        and (
            edge.source == "text"
            or level(edge.source) > level(edge.target)
            or (edge.source, edge.target) in FORBIDDEN
        )
    )


def test_imports_respect_the_layers() -> None:
    assert Import("spectator.publishing.effects", "publishing", "outbox") in imports()
    assert violations(imports()) == []


@pytest.mark.parametrize(
    ("module", "line", "target"),
    [
        ("queries/articles.py", "from spectator.site import pages", "site"),
        ("models/article.py", "import spectator.publishing.revisions", "publishing"),
        ("outbox.py", "def read():\n    from spectator import indexing", "indexing"),
        ("db.py", "from spectator import create_app", "create_app"),
        ("site/pages.py", "from spectator.newsroom.forms import StoryForm", "newsroom"),
        ("site/pages.py", "from spectator import publishing", "publishing"),
        ("search/__init__.py", "from spectator import queries", "queries"),
        ("text/slugs.py", "from spectator import times", "times"),
    ],
)
def test_a_broken_layer_is_reported(tmp_path: Path, module: str, line: str, target: str) -> None:
    for directory in ("site", "newsroom", "publishing", "queries", "models", "search", "text"):
        (tmp_path / "spectator" / directory).mkdir(parents=True)
    (tmp_path / "spectator/indexing.py").write_text("from spectator import queries\n")
    (tmp_path / "spectator/times.py").write_text("")
    (tmp_path / "wsgi.py").write_text("from spectator import create_app\n")
    assert violations(imports(tmp_path)) == []
    (tmp_path / "spectator" / module).write_text(line + "\n")
    [violation] = violations(imports(tmp_path))
    assert (violation.source, violation.target) == (package_of(violation.module), target)


def test_a_package_without_a_layer_is_reported() -> None:
    with pytest.raises(AssertionError, match="'shelving' has no layer"):
        level("shelving")


def whoosh_imports() -> set[tuple[str, str]]:
    """Return (file, imported module) of every import of Whoosh in the package `spectator`."""
    return {
        (path.relative_to(ROOT / "spectator").as_posix(), module)
        for path in (ROOT / "spectator").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for module in imported_modules(node)
        if module.split(".")[0] == "whoosh"
    }


def imported_modules(node: ast.AST) -> list[str]:
    """Return the dotted modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def test_only_the_whoosh_package_imports_whoosh() -> None:
    # Indexes on disk contain a pickled object of this module, so it cannot move to search/whoosh/.
    module_of_pickles = "search/analysis.py"
    files = {file for file, _ in whoosh_imports()} - {module_of_pickles}
    assert files and all(file.startswith("search/whoosh/") for file in files), files


def test_search_language_modules_do_not_import_whoosh() -> None:
    modules = {
        module
        for path in (ROOT / "spectator/search/language").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for module in imported_modules(node)
    }
    assert not {module for module in modules if "whoosh" in module}
    assert "spectator.search" in modules, "no imports were read"


DOCUMENTED_WHOOSH = {
    "whoosh.analysis",
    "whoosh.columns",
    "whoosh.fields",
    "whoosh.index",
    "whoosh.lang.porter",
    "whoosh.reading",
}


def private_attributes_of_others(tree: ast.AST) -> set[str]:
    """Return the underscored attributes that a module uses of objects other than self and cls.

    `_fields` is the documented name of a named tuple's fields.
    """
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and re.match(r"_(?!_|fields$)", node.attr)
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
    }


def test_only_internals_uses_undocumented_names_of_whoosh() -> None:
    internals = "search/whoosh/internals.py"
    modules = {module for file, module in whoosh_imports() if file != internals}
    assert modules <= DOCUMENTED_WHOOSH
    trees = {
        path.relative_to(ROOT / "spectator").as_posix(): ast.parse(path.read_text("utf-8"))
        for path in (ROOT / "spectator/search").rglob("*.py")
    }
    private = {file: private_attributes_of_others(tree) for file, tree in trees.items()}
    private_in_internals = private.pop(internals)
    assert not any(private.values()), private
    docstring = ast.get_docstring(trees[internals]) or ""
    assert private_in_internals, "internals.py needs none: this test then checks nothing"
    assert [name for name in private_in_internals if name not in docstring] == []


def test_one_module_normalizes_text() -> None:
    """Sorting combining marks takes quadratic time; `normalization` limits them before."""
    users = {
        path.relative_to(ROOT / "spectator").as_posix()
        for path in (ROOT / "spectator").rglob("*.py")
        if re.search(r"unicodedata\.(is_)?normalize|from unicodedata", path.read_text("utf-8"))
    }
    assert users == {"text/words/normalization.py"}


def test_every_setting_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [
        setting.name for setting in SETTINGS if f"`{PREFIX}{setting.name}`" not in readme
    ] == []


def test_every_url_rule_is_documented(app: Flask) -> None:
    documented = (ROOT / "docs/architecture.md").read_text()
    rules = {
        re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"<\1>", rule.rule)
        for rule in app.url_map.iter_rules()
    }
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in documented] == []


def test_no_module_is_called_utils_or_the_like() -> None:
    names = {path.stem for path in (ROOT / "spectator").rglob("*")}
    assert not names & {"utils", "helpers", "services", "misc", "common"}


def test_no_unfinished_work_is_left_in_the_code() -> None:
    marker = re.compile("TODO|FIXME|NotImplementedError")
    for path in (ROOT / "spectator").rglob("*.py"):
        assert not marker.search(path.read_text()), path


def python_files() -> list[Path]:
    """Return every Python file of the repository, without installed packages."""
    directories = ("spectator", "tests", "benchmarks", "requirements")
    return [
        path
        for paths in (ROOT.glob("*.py"), *((ROOT / name).rglob("*.py") for name in directories))
        for path in paths
        if "node_modules" not in path.parts
    ]


def assigned_names(tree: ast.AST) -> set[str]:
    """Return every name that a module assigns or defines: variables, attributes, arguments."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def test_names_say_what_a_value_is() -> None:
    files = python_files()
    assert {Path(__file__), ROOT / "gunicorn.conf.py", ROOT / "wsgi.py"} <= set(files)
    vague = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files
        for name in assigned_names(ast.parse(path.read_text("utf-8"))) & VAGUE_NAMES
    }
    assert sorted(vague) == []


def test_vague_names_are_reported_wherever_they_are_assigned() -> None:
    source = "def made(given):\n    self.kept = [each for each in given]\n"
    source += "    for place in x: found = 1"
    assert assigned_names(ast.parse(source)) == {
        "made",
        "given",
        "kept",
        "each",
        "place",
        "found",
    }


def test_modules_are_nouns() -> None:
    """At most three modules are named after an activity, apart from terms of the field."""
    modules = {
        path.stem
        for path in (ROOT / "spectator").rglob("*ing.py")
        if "migrations" not in path.parts
    }
    assert len(modules - FIELD_TERMS) <= 3


def test_no_browser_test_waits_for_a_promise_that_is_always_true() -> None:
    """An async function returns a promise, which `wait_for_function` takes for true at once.

    `poll` in test_autosave.py awaits the promise.
    """
    waits = re.compile(r"wait_for_function\(\s*[\"']{1,3}\s*async")
    files = sorted((ROOT / "tests").rglob("*.py"))
    assert [path.name for path in files if waits.search(path.read_text("utf-8"))] == []
