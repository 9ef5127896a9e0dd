"""Templates belong to the running code; a later checkout takes effect at the next start."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment, TemplateNotFound

from spectator.templating import BootTemplateLoader


def test_templates_are_read_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    page = tmp_path / "site" / "page.html"
    page.write_text("Ọ̀nà of today", "utf-8")
    environment = Environment(loader=BootTemplateLoader(tmp_path), autoescape=True)
    page.write_text("of tomorrow", "utf-8")
    (tmp_path / "new.html").write_text("of tomorrow", "utf-8")
    assert environment.get_template("site/page.html").render() == "Ọ̀nà of today"
    assert environment.list_templates() == ["site/page.html"]
    with pytest.raises(TemplateNotFound):
        environment.get_template("new.html")
