"""Pages have a theme's colours and logo, in light and dark, with enough contrast."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from spectator import config
from tests.browser.axe import violations
from tests.browser.conftest import HTMX_4, serve_site
from tests.browser.running_site import CHECKOUT, RunningSite
from tests.browser.test_every_page import NARROW, SCHEMES, WIDE
from tests.browser.windows import open_window

pytestmark = pytest.mark.browser

THEME = CHECKOUT / "tests/browser/harmattan.css"
# Background, accent of the brand, and the URL-encoded circle of the logo.
COLOURS = {
    "light": ("rgb(255, 250, 240)", "rgb(154, 52, 18)", "%239a3412"),
    "dark": ("rgb(27, 19, 13)", "rgb(255, 162, 107)", "%23ffa26b"),
}
PATHS = ("/", "/society/", "/culture/pictured", "/search?q=village", "/politics/never-written")
# Return the colours and images that a theme sets.
STYLES = """() => {
  const style = selector => getComputedStyle(document.querySelector(selector));
  return [
    style("html").backgroundColor,
    style(".brand .mark").color,
    style(".top .mark").backgroundImage,
    style(".mark path").display,
    style(".site-footer").backgroundColor,
    style(".site-footer .mark").backgroundImage,
  ];
}"""


@pytest.fixture(scope="module")
def themed_site(
    filled_data: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    """The site with a theme."""
    yield from serve_site(
        filled_data,
        tmp_path_factory.mktemp("themed"),
        htmx_url=config.HTMX_URL,
        htmx_file=HTMX_4.read_bytes(),
        settings={"SPECTATOR_THEME": str(THEME)},
    )


@pytest.mark.parametrize("path", PATHS)
def test_readers_see_the_theme(browser: Browser, themed_site: RunningSite, path: str) -> None:
    with open_window(browser, themed_site, viewport=NARROW) as reader:
        reader.expected_statuses = {404}
        page = reader.open(path)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            paper, accent, circle = COLOURS[scheme]
            background, mark, logo, drawing, footer, footer_logo = page.evaluate(STYLES)
            assert (background, mark, drawing) == (paper, accent, "none")
            assert logo.startswith('url("data:image/svg+xml') and circle in logo
            assert footer == "rgb(59, 29, 15)" and "%23ffc48a" in footer_logo
            for viewport in (NARROW, WIDE):
                page.set_viewport_size(viewport)
                assert not violations(page), (scheme, viewport)


def test_editors_see_the_theme(browser: Browser, themed_site: RunningSite) -> None:
    with open_window(browser, themed_site, viewport=WIDE) as editor:
        editor.log_in()
        page = editor.open("/newsroom/stories/new")
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
            assert paper == COLOURS[scheme][0]
            assert not violations(page), scheme
