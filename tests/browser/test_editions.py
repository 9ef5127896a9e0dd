"""Pages of a French and an Arabic edition: accessible, on one line, with their own suggestions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from spectator import config
from tests.browser.axe import violations
from tests.browser.conftest import HTMX_4, serve_site
from tests.browser.running_site import RunningSite
from tests.browser.test_every_page import NARROW, SCHEMES, WIDE
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser

PHONE = NARROW | {"width": 360}
PATHS = {
    "fr": (
        "/fr/",
        "/fr/business/",
        "/business/franc-cfa-comment-fonctionne-la-parite-fixe-avec-leuro",
        "/fr/search?q=franc",
        "/fr/archive/",
    ),
    "ar": ("/ar/", "/ar/culture/", "/culture/arabic", "/ar/search?q=النص", "/ar/nowhere/"),
}
MAX_LINE_PIXELS = 40


@pytest.fixture(scope="module")
def editions_site(
    filled_data: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    """Site with an English, a French and an Arabic edition."""
    yield from serve_site(
        filled_data,
        tmp_path_factory.mktemp("editions-site"),
        htmx_url=config.HTMX_URL,
        htmx_file=HTMX_4.read_bytes(),
        settings={"SPECTATOR_LANGUAGES": "en,fr,ar"},
    )


@pytest.fixture
def window(browser: Browser, editions_site: RunningSite) -> Iterator[Window]:
    """Reader's window."""
    with open_window(browser, editions_site) as window:
        yield window


@pytest.mark.parametrize(
    ("language", "path"), [(tag, path) for tag, paths in PATHS.items() for path in paths]
)
def test_pages_of_an_edition_are_accessible(window: Window, language: str, path: str) -> None:
    window.expected_statuses = {200, 404}
    page, problems = window.page, []
    page.goto(window.site.url + path)
    assert page.get_attribute("html", "lang") == language
    links = page.locator(".editions a")
    assert links.all_inner_texts() == ["English", "Français", "العربية"]
    for size in (PHONE, WIDE):
        page.set_viewport_size(size)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            problems += [f"{size}, {scheme}: {violation}" for violation in violations(page)]
        box = page.locator(".editions ul").bounding_box()
        assert box is not None and box["height"] <= MAX_LINE_PIXELS
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), size
    assert not problems, "\n".join(problems)


def test_suggestions_are_those_of_the_edition(window: Window) -> None:
    page = window.open("/fr/")
    page.set_viewport_size(WIDE)
    with page.expect_response("**/fr/fragments/suggest?q=*") as answer:
        page.locator("#sitesearch").press_sequentially("franc")
    assert answer.value.status == 200
    assert "/business/" in answer.value.text()
