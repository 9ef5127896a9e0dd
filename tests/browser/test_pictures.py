"""Pictures as browsers choose and place them: AVIF in a width that fits, and no gap beside it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.running_site import RunningSite
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser

WORKER_SECONDS = 90.0  # it looks for pictures without AVIF once a minute
PICTURE = (
    """image => [image.currentSrc.split('-').pop(), image.naturalWidth, image.clientWidth]"""
)
LAYOUT_SHIFT = """() => new Promise(resolve => {
    const add = list => resolve(list.getEntries().reduce((sum, entry) => sum + entry.value, 0));
    new PerformanceObserver(add).observe({type: 'layout-shift', buffered: true});
    setTimeout(() => resolve(0), 200);
})"""


def open_with_avif(window: Window, path: str) -> Page:
    """Return the page once it has a picture in AVIF."""
    end = time.monotonic() + WORKER_SECONDS
    while not (page := window.open(path)).locator("source[type='image/avif']").count():
        assert time.monotonic() < end, "the worker has made no AVIF"
        time.sleep(0.5)
    return page


@pytest.mark.parametrize(
    ("width", "density", "expected"), [(360, 2, 720), (360, 3, 720), (1280, 1, 960)]
)
def test_a_story_loads_a_width_that_fits(
    width: int, density: int, expected: int, browser: Browser, site: RunningSite
) -> None:
    viewport: Any = {"width": width, "height": 640}
    options = {"viewport": viewport, "device_scale_factor": density}
    with open_window(browser, site, **options) as window:
        page = open_with_avif(window, "/culture/pictured")
        picture = page.locator("figure img")
        picture.evaluate("image => image.decode()")
        file, natural_width, client_width = picture.evaluate(PICTURE)
        assert file == f"{expected}.avif"
        assert natural_width and client_width >= min(width - 32, 900)
        assert page.evaluate(LAYOUT_SHIFT) == 0


def test_a_card_with_a_picture_has_no_gap(browser: Browser, site: RunningSite) -> None:
    with open_window(browser, site, viewport={"width": 360, "height": 640}) as window:
        page = open_with_avif(window, "/culture/")
        card = page.locator(".card", has=page.locator("source"))
        boxes = [
            card.locator(part).first.bounding_box() for part in (".eyebrow", "h3", ".dek", "img")
        ]
        eyebrow, headline, summary, picture = (box or {} for box in boxes)
        assert headline["y"] - eyebrow["y"] - eyebrow["height"] < 12
        assert summary["y"] - headline["y"] - headline["height"] < 12
        assert abs(picture["y"] - eyebrow["y"]) < 6 and picture["x"] > headline["x"] + 150
