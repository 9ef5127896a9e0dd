"""Every kind of page fits a narrow phone, passes axe's checks, shows the focus and orders headings.

A page is opened once for all tests of its kind. It is narrow at first and wide from then on.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import dropwhile, pairwise
from typing import Literal

import pytest
from playwright.sync_api import ViewportSize

from tests.browser import page_kinds
from tests.browser.axe import violations
from tests.browser.windows import CDN, Window

pytestmark = pytest.mark.browser

NARROW = ViewportSize(width=320, height=640)
WIDE = ViewportSize(width=1280, height=900)
MIN_CONTRAST = 3.0  # WCAG 1.4.11
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


# Return the contrast of every focus ring with its background: the surroundings of the element, or
# the element itself if the ring is inside.
FOCUS_RINGS = """() => {
  const channels = colour => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = colour => channels(colour).slice(0, 3)
    .map(value => value / 255)
    .map(value => value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4)
    .reduce((sum, value, index) => sum + value * [.2126, .7152, .0722][index], 0);
  const background = element => {
    for (let node = element; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (channels(colour)[3] > 250) return colour;
    }
    return "#fff";
  };
  const outlined = element => {
    for (let node = element; node; node = node.parentElement)
      if (getComputedStyle(node).outlineStyle !== "none") return node;
    return null;
  };
  const focusable = "a[href], button, input, select, textarea, summary, [tabindex='0'], "
    + "[contenteditable='true']";
  return [...document.querySelectorAll(focusable)]
    .filter(element => element.checkVisibility() && !element.disabled && element.type !== "hidden")
    .flatMap(element => {
      element.focus({ preventScroll: true });
      if (document.activeElement !== element || !element.matches(":focus-visible")) return [];
      const bearer = outlined(element);
      const name = element.outerHTML.slice(0, 90);
      if (!bearer) return [[name, 0]];
      const { outlineColor, outlineOffset } = getComputedStyle(bearer);
      const surroundings = parseFloat(outlineOffset) < 0 ? bearer : bearer.parentElement;
      const pair = [outlineColor, background(surroundings)].map(luminance);
      return [[name, (Math.max(...pair) + .05) / (Math.min(...pair) + .05)]];
    });
}"""
# Return each heading's level and whether it is in a story's card.
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter(heading => heading.checkVisibility())
  .map(heading => [
    Number(heading.tagName[1]), heading.closest("article.card, article.lead") !== null
  ])"""


@pytest.fixture(scope="module", params=page_kinds.ALL)
def page_window(request: pytest.FixtureRequest) -> Iterator[Window]:
    """Window with one kind of page, opened at the width of a narrow phone."""
    with page_kinds.open_page(request, request.param, viewport=NARROW) as window:
        yield window


def test_only_the_editor_script_comes_after_scripts_of_the_cdn(page_window: Window) -> None:
    sources = page_window.page.locator("script[src]").evaluate_all(
        "scripts => scripts.map((script) => script.src)"
    )
    after_cdn = list(dropwhile(lambda source: not CDN.match(source), sources))
    own = [source for source in after_cdn if not CDN.match(source)]
    assert [source for source in own if "/js/editor.js" not in source] == []


def test_the_page_fits_a_narrow_phone_and_is_accessible(page_window: Window) -> None:
    page, problems = page_window.page, []
    page.set_viewport_size(NARROW)
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


def test_focus_rings_have_contrast_and_heading_levels_are_in_order(page_window: Window) -> None:
    page = page_window.page
    page.set_viewport_size(WIDE)
    page.keyboard.press("Tab")  # from now on the browser shows focus rings
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        rings = page.evaluate(FOCUS_RINGS)
        assert len(rings) >= 3, "nothing was focused"
        faint = [f"{name}: {contrast:.2f}" for name, contrast in rings if contrast < MIN_CONTRAST]
        assert not faint, f"{scheme}: " + "\n".join(faint)
    headings = page.evaluate(HEADINGS)
    levels = [level for level, _ in headings]
    assert levels[:1] == [1] and levels.count(1) == 1, levels
    skipped = [
        (level, following) for level, following in pairwise(levels) if following > level + 1
    ]
    assert not skipped, levels
    nested = [
        (level, following_level)
        for (level, is_in_card), (following_level, _) in pairwise(headings)
        if is_in_card and following_level > level
    ]
    assert not nested, "a heading is nested under a story's headline"
