"""Accessibility beyond axe: forced colours, text size, Arabic, tables."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, ViewportSize, expect

from tests.browser import page_kinds
from tests.browser.conftest import CHROMIUM, CHROMIUM_ARGS
from tests.browser.running_site import RunningSite
from tests.browser.test_every_page import SCHEMES
from tests.browser.windows import open_window

pytestmark = pytest.mark.browser

PHONE, DESKTOP = ViewportSize(width=360, height=640), ViewportSize(width=1280, height=900)
DOUBLE_TEXT_SIZE = "--blink-settings=defaultFontSize=32"  # as a reader who needs text at 200 %
# Return the words that are broken over two lines; words longer than a line may break.
BROKEN_WORDS = """longest => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!parent.checkVisibility() || parent.closest("style, script, svg, pre")) continue;
    for (const match of node.data.matchAll(/\\S+/g)) {
      if (match[0].length > longest) continue;
      const range = document.createRange();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      const boxes = [...range.getClientRects()].filter(box => box.width);
      const lines = new Set(boxes.map(box => Math.round(box.top)));
      const hyphens = match[0].split(/[-–—/]/).length - 1; // where a line may end
      if (lines.size > 1 + hyphens) broken.push(match[0]);
    }
  }
  return broken;
}"""


@pytest.mark.parametrize(
    ("path", "selector"),
    [
        ("/society/", ".nav [aria-current]"),
        ("/opinion/long", ".nav [aria-current]"),
        ("/search?q=village&sort=oldest&country=kenya", ".sort-links [aria-current]"),
        ("/search?q=village&sort=oldest&country=kenya", ".facet-values [aria-current]"),
        ("/newsroom/stories/", "nav [aria-current]"),
        ("/newsroom/search?q=village&in=published", "main [aria-current]"),
        ("/newsroom/stories/new", ".views [aria-pressed='true']"),
    ],
)
def test_selected_elements_are_visible_in_forced_colours(
    path: str, selector: str, browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    """Compare selected and other elements without backgrounds and shadows."""
    with open_window(
        browser, site, storage_state=editor_state, forced_colors="active", viewport=DESKTOP
    ) as window:
        page = window.open(path)
        selected = page.locator(selector).first
        expect(selected).to_be_visible()
        style = """element => {
            const { borderBlockEnd, backgroundColor, color } = getComputedStyle(element);
            return [borderBlockEnd, backgroundColor + color].join("; ");
        }"""
        other = selected.locator(
            "xpath=following::*[self::a or self::button][not(@aria-current)][1]"
        )
        assert selected.evaluate(style) != other.evaluate(style)
        if "aria-current" in selector:
            assert re.match(r"[3-9][0-9.]*px solid", selected.evaluate(style))


def test_selected_years_are_visible_in_forced_colours(
    browser: Browser, site: RunningSite
) -> None:
    with open_window(browser, site, forced_colors="active", viewport=DESKTOP) as window:
        page = window.open("/search?q=the&from=2025-01-01&to=2025-12-31")
        fill = "element => getComputedStyle(element).fill"
        assert page.locator(".years .selected path").last.evaluate(fill) != page.evaluate(
            "getComputedStyle(document.querySelector('.years a:not(.selected) "
            "path:not(.bar-hit-area)')).fill"
        )


@pytest.fixture(scope="module")
def large_text_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with the text size doubled."""
    browser = playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*CHROMIUM_ARGS, DOUBLE_TEXT_SIZE]
    )
    yield browser
    browser.close()


@pytest.mark.parametrize(
    "path", [*page_kinds.PUBLIC_PAGES.values(), "/politics/never-written", "/newsroom/login"]
)
def test_no_word_is_broken_at_twice_the_text_size(
    path: str, large_text_browser: Browser, site: RunningSite
) -> None:
    with open_window(large_text_browser, site, viewport=PHONE) as window:
        window.expected_statuses = {404, 410}
        page = window.open(path)
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
        assert page.evaluate(BROKEN_WORDS, 11) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.set_viewport_size(DESKTOP)
        assert page.evaluate(BROKEN_WORDS, 14) == []


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_arabic_is_never_italic_and_its_breadcrumb_starts_at_the_right(
    viewport: ViewportSize, browser: Browser, site: RunningSite
) -> None:
    with open_window(browser, site, viewport=viewport) as window:
        page = window.open("/culture/arabic")
        italic = """() => [...document.querySelectorAll(".story, .story *")]
            .filter(element => getComputedStyle(element).fontStyle !== "normal")
            .map(element => element.outerHTML)"""
        assert page.evaluate(italic) == []
        assert (
            page.locator(".prose em").evaluate("element => getComputedStyle(element).fontWeight")
            == "700"
        )
        crumb = page.locator(".breadcrumb li").last
        is_first_letter_visible = crumb.evaluate(
            """element => {
                const range = document.createRange();
                const text = element.querySelector("bdi").firstChild;
                range.setStart(text, 0);
                range.setEnd(text, 1);
                const letter = range.getBoundingClientRect();
                const box = element.getBoundingClientRect();
                return letter.right <= box.right + 1 && letter.left >= box.left - 1;
            }"""
        )
        assert is_first_letter_visible


def edge_contrast(page: Page, selector: str) -> tuple[int, int]:
    """Return how much the brightness at both edges differs from the middle, below the text.

    A shadow at an edge shows that there is more to scroll to.
    """
    image = Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("L")
    row = [image.getpixel((column, image.height - 6)) for column in range(image.width)]
    middle = row[image.width // 2]
    return abs(int(row[0]) - int(middle)), abs(int(row[-1]) - int(middle))  # type: ignore[arg-type, call-overload]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_wide_table_has_scroll_shadows_and_its_caption_stays_in_view(
    scheme: str, browser: Browser, site: RunningSite
) -> None:
    with open_window(browser, site, viewport=PHONE, color_scheme=scheme) as window:
        page = window.open("/business/table")
        table = page.locator(".table")
        assert table.evaluate("element => element.scrollWidth > 1.5 * element.clientWidth")
        has_shadows = {}
        for name, offset in (("start", 0), ("middle", 300), ("end", 9999)):
            table.evaluate("(element, offset) => element.scrollLeft = offset", offset)
            box, caption = table.bounding_box(), page.locator("caption").bounding_box()
            assert box and caption
            assert caption["x"] >= box["x"] - 1, name
            assert caption["x"] + caption["width"] <= box["x"] + box["width"] + 1, name
            has_shadows[name] = [distance > 10 for distance in edge_contrast(page, ".table")]
        assert has_shadows == {
            "start": [False, True],
            "middle": [True, True],
            "end": [True, False],
        }
