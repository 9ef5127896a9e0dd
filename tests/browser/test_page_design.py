"""Where things are on readers' pages: what a reader with a phone sees before scrolling."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, ViewportSize, expect

from tests.browser.running_site import RunningSite
from tests.browser.windows import open_window

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
    with open_window(browser, site, has_script, viewport=PHONE) as window:
        for width in WIDTHS:
            window.page.set_viewport_size({"width": width, "height": 640})
            page = window.open("/opinion/long")
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
    with open_window(browser, site, viewport=PHONE) as window:
        page = window.open(path)
        assert top(page.locator(".prose > *").first) <= limit
        for cover in page.locator(".story > .cover").all():
            assert height(cover) <= 32
        page.set_viewport_size({"width": 1280, "height": 900})
        for cover in page.locator(".story > .cover").all():
            assert height(cover) <= 100


def test_the_months_of_a_year_read_down(browser: Browser, site: RunningSite) -> None:
    with open_window(browser, site, viewport=PHONE) as window:
        page = window.open("/archive/")
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


@pytest.mark.parametrize("query", ["q=village", "q=the&section=society&from=2025-01-01"])
def test_the_first_result_of_a_search_is_in_view(
    query: str, browser: Browser, site: RunningSite
) -> None:
    with open_window(browser, site, viewport=PHONE) as window:
        page = window.open(f"/search?{query}")
        headline = page.locator("#results .card h3").first
        assert top(headline) + height(headline) <= 560
        expect(page.locator("#facets")).not_to_be_visible()
        page.set_viewport_size({"width": 1280, "height": 900})
        expect(page.locator("#facets section a").first).to_be_visible()
        results, facets = page.locator("#results"), page.locator("#filter")
        assert abs(top(results) - top(facets)) < 30, "side by side"
        assert top(headline) <= 450


def test_the_rails_of_the_front_page_stand_two_a_row(browser: Browser, site: RunningSite) -> None:
    with open_window(browser, site, viewport={"width": 1280, "height": 900}) as window:
        page = window.open("/")
        boxes = [rail.bounding_box() for rail in page.locator(".rail").all()]
        assert len(boxes) >= 2 and boxes[0] and boxes[1]
        assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["width"] < 600
        page.set_viewport_size(PHONE)
        assert height(page.locator(".lead")) <= 640, "the lead fits a phone"
