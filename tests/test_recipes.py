"""docs/recipes.md: its code works, and the files that it names exist."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Blueprint, Flask, render_template_string

from spectator import config, create_app
from spectator.importers import runner
from spectator.importers.records import Record, RecordError
from spectator.models import User
from spectator.publishing import Draft
from spectator.site.caching import cacheable
from tests.conftest import settings

ROOT = Path(__file__).resolve().parent.parent
RECIPES = (ROOT / "docs/recipes.md").read_text("utf-8")


def code(title: str) -> str:
    """Return the code block of a recipe."""
    chapter = RECIPES.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    block = chapter.partition("```python\n")[2].partition("```")[0]
    assert block, title
    return textwrap.dedent(block)


def run(title: str, names: dict[str, Any]) -> dict[str, Any]:
    """Execute the code block of a recipe with these names, and return all names."""
    exec(compile(code(title), f"recipe: {title}", "exec"), names)
    return names


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:spectator|templates|tests|docs)/[\w./-]+)`", RECIPES)))
)
def test_every_file_named_exists(path: str) -> None:
    if path != "templates/site/contact.html":  # the page that is to be written
        assert (ROOT / path).exists()


def test_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    row = eval(code("A setting"), vars(config).copy())
    monkeypatch.setattr(config, "SETTINGS", (*config.SETTINGS, row))
    assert config.load({})["CONTACT_EMAIL"] == "desk@news.example"
    value = config.load({"SPECTATOR_CONTACT_EMAIL": "ed@news.example"})["CONTACT_EMAIL"]
    assert value == "ed@news.example"
    with pytest.raises(config.ConfigError, match="SPECTATOR_CONTACT_EMAIL"):
        config.load({"SPECTATOR_CONTACT_EMAIL": " "})


def test_a_page_for_readers(tmp_path: Path) -> None:
    bp = Blueprint("recipe", __name__)
    names = {"bp": bp, "cacheable": cacheable, "render_template_string": render_template_string}
    run("A page for readers", names)
    app = create_app(settings(tmp_path))
    app.register_blueprint(bp)
    response = app.test_client().get("/contact")
    assert response.text == f"<h1>Contact</h1>{app.config['SITE_NAME']}"
    assert "public" in response.headers["Cache-Control"]


def test_an_importer(app: Flask, editor: User) -> None:
    names: dict[str, Any] = {"csv": csv, "Draft": Draft, "TextIO": TextIO, "Iterator": Iterator}
    read = run("An importer", names | {"Record": Record, "RecordError": RecordError})["read_csv"]
    table = "id,title,text\n1,Rains,It rains.\n2,,No title.\n"
    report = runner.import_records(read(io.StringIO(table)), app.config["MEDIA"])
    assert (report.added, report.refused) == (1, [("line 3", "“title” is missing")])
    again = runner.import_records(read(io.StringIO(table)), app.config["MEDIA"])
    assert (again.added, again.unchanged) == (0, 1)


def test_a_migration() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE section (id INTEGER PRIMARY KEY)"))
        connection.execute(sa.text("INSERT INTO section DEFAULT VALUES"))
        operations = Operations(MigrationContext.configure(connection))
        run("A migration", {"op": operations, "sa": sa})["upgrade"]()
        assert connection.scalar(sa.text("SELECT motto FROM section")) == ""
