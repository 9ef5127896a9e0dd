"""Every kind of page fits a narrow phone and passes axe's checks, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import ViewportSize

from tests.browser import page_kinds
from tests.browser.axe import violations
from tests.browser.visits import Visit

pytestmark = pytest.mark.browser

NARROW = ViewportSize(width=320, height=640)
WIDE = ViewportSize(width=1280, height=900)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Return the elements that extend beyond the right edge and cannot be scrolled.
OVERFLOWING = """() => {
  const scrolls = element => element
    && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  return [...document.querySelectorAll("body *")]
    .map(element => [element, element.getBoundingClientRect().right])
    .filter(([element, right]) => right > innerWidth + 1 && !scrolls(element.parentElement))
    .map(([element, right]) => `${element.tagName}.${element.className} to ${right}`);
}"""


@pytest.fixture(params=page_kinds.ALL)
def page_window(request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Window with one kind of page at the width of a narrow phone."""
    with page_kinds.open_page(request, request.param, viewport=NARROW) as visit:
        yield visit


def test_the_page_fits_a_narrow_phone_and_is_accessible(page_window: Visit) -> None:
    page, problems = page_window.page, []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            problems.append(f"{scheme}: {width} pixels wide: {page.evaluate(OVERFLOWING)}")
        problems += [f"{scheme}, narrow: {violation}" for violation in violations(page)]
    page.set_viewport_size(WIDE)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        problems += [f"{scheme}, wide: {violation}" for violation in violations(page)]
    assert not problems, "\n".join(problems)
