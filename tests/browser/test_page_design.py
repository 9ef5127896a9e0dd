"""Where things are on readers' pages: what a reader with a phone sees before scrolling."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, ViewportSize

from tests.browser.running_site import RunningSite
from tests.browser.visits import open_window

pytestmark = pytest.mark.browser

PHONE = ViewportSize(width=360, height=640)
WIDTHS = (320, 360, 640, 1280, 1920)
MAX_HEADER = 125  # pixels: the name of the site and one line of sections


def top(element: Locator) -> float:
    """Return the distance from the top of the page in pixels."""
    box = element.bounding_box()
    assert box
    return box["y"]


def height(element: Locator) -> float:
    """Return the height in pixels."""
    box = element.bounding_box()
    assert box
    return box["height"]


@pytest.mark.parametrize("has_script", [True, False])
def test_the_header_has_one_line_of_sections_with_the_current_one_in_view(
    has_script: bool, browser: Browser, site: RunningSite
) -> None:
    with open_window(browser, site, has_script, viewport=PHONE) as visit:
        for width in WIDTHS:
            visit.page.set_viewport_size({"width": width, "height": 640})
            page = visit.open("/opinion/long")
            assert height(page.locator("header.top")) <= MAX_HEADER, width
            box = page.locator(".top .nav [aria-current]").bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= width, (width, box)
        page.set_viewport_size(PHONE)
        page.locator(".top .nav a").last.focus()
        box = page.locator(".top .nav a").last.bounding_box()
        assert box and box["x"] + box["width"] <= PHONE["width"], "the keyboard reaches all"


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/opinion/long", 400), ("/culture/arabic", 450), ("/culture/pictured", 600)],
)
def test_a_story_begins_above_the_fold(
    path: str, limit: int, browser: Browser, site: RunningSite
) -> None:
    """A picture leaves room for a line of text below it; a cover is only a strip."""
    with open_window(browser, site, viewport=PHONE) as visit:
        page = visit.open(path)
        assert top(page.locator(".prose > *").first) <= limit
        for cover in page.locator(".story > .cover").all():
            assert height(cover) <= 32
        page.set_viewport_size({"width": 1280, "height": 900})
        for cover in page.locator(".story > .cover").all():
            assert height(cover) <= 100


def test_the_months_of_a_year_read_down(browser: Browser, site: RunningSite) -> None:
    with open_window(browser, site, viewport=PHONE) as visit:
        page = visit.open("/archive/")
        boxes = (
            page.locator(".months")
            .first.locator("a")
            .evaluate_all(
                "links => links.map(link => [link.getBoundingClientRect().x, link.offsetTop])"
            )
        )
        assert len(boxes) > 2, "the demo has stories in several months"
        assert boxes[0][0] == boxes[1][0] and boxes[0][1] < boxes[1][1]
        assert boxes[-1][0] > boxes[0][0], "there is a second column"
