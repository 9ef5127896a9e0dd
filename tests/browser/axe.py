"""Accessibility checks with axe-core."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.running_site import CHECKOUT

FILE = CHECKOUT / "tests" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """Return axe's violations on the page, one text for each element."""
    page.wait_for_load_state("load")  # stylesheets may still be loading
    if not page.evaluate("'axe' in window"):
        page.evaluate(FILE.read_text(encoding="utf-8"))
    report = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
    )
    assert len(report["passes"]) > 5, "axe checked nothing"
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in report["violations"]
        for node in violation["nodes"]
    ]
