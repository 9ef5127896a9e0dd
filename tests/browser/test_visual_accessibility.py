"""What axe misses: focus rings, forced colours, large text, Arabic, wide tables, heading order."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, ViewportSize, expect

from tests.browser import page_kinds
from tests.browser.conftest import CHROMIUM_ARGS
from tests.browser.running_site import RunningSite
from tests.browser.test_every_page import SCHEMES
from tests.browser.visits import Visit, open_window

pytestmark = pytest.mark.browser

PHONE, DESKTOP = ViewportSize(width=360, height=640), ViewportSize(width=1280, height=900)
LEAST_CONTRAST = 3.0  # WCAG 1.4.11
DOUBLE_TEXT_SIZE = "--blink-settings=defaultFontSize=32"  # as a reader who needs text at 200 %
# Return the contrast of every focus ring with its background: the surroundings of the element, or
# the element itself if the ring is inside.
FOCUS_RINGS = """() => {
  const parts = colour => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = colour => parts(colour).slice(0, 3)
    .map(part => part / 255)
    .map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4)
    .reduce((sum, part, at) => sum + part * [.2126, .7152, .0722][at], 0);
  const ground = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (parts(colour)[3] > 250) return colour;
    }
    return "#fff";
  };
  const ringed = element => {
    for (let each = element; each; each = each.parentElement)
      if (getComputedStyle(each).outlineStyle !== "none") return each;
    return null;
  };
  const every = "a[href], button, input, select, textarea, summary, [tabindex='0'], "
    + "[contenteditable='true']";
  return [...document.querySelectorAll(every)]
    .filter(element => element.checkVisibility() && !element.disabled && element.type !== "hidden")
    .flatMap(element => {
      element.focus({ preventScroll: true });
      if (document.activeElement !== element || !element.matches(":focus-visible")) return [];
      const bearer = ringed(element);
      const name = element.outerHTML.slice(0, 90);
      if (!bearer) return [[name, 0]];
      const { outlineColor, outlineOffset } = getComputedStyle(bearer);
      const around = parseFloat(outlineOffset) < 0 ? bearer : bearer.parentElement;
      const [one, two] = [outlineColor, ground(around)].map(light);
      return [[name, (Math.max(one, two) + .05) / (Math.min(one, two) + .05)]];
    });
}"""
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
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter(heading => heading.checkVisibility())
  .map(heading => [
    Number(heading.tagName[1]), heading.closest("article.card, article.lead") !== null
  ])"""


@pytest.fixture(params=page_kinds.ALL)
def page_window(request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Wide window with one kind of page."""
    with page_kinds.open_page(request, request.param, viewport=DESKTOP) as visitor:
        yield visitor


def test_rings_are_seen_and_headings_are_in_order(page_window: Visit) -> None:
    page = page_window.page
    page.keyboard.press("Tab")  # from now on the browser shows the focus
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        rings = page.evaluate(FOCUS_RINGS)
        assert len(rings) >= 3, "nothing was focused"
        faint = [f"{name}: {contrast:.2f}" for name, contrast in rings if contrast < LEAST_CONTRAST]
        assert not faint, f"{scheme}: " + "\n".join(faint)
    headings = page.evaluate(HEADINGS)
    levels = [level for level, _ in headings]
    assert levels[:1] == [1] and levels.count(1) == 1, levels
    jumps = [(one, two) for one, two in pairwise(levels) if two > one + 1]
    assert not jumps, levels
    nested = [(one, two) for one, two in pairwise(headings) if one[1] and two[0] > one[0]]
    assert not nested, "a story stands under the headline of another"


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
def test_what_is_chosen_shows_in_forced_colours(
    path: str, selector: str, browser: Browser, site: RunningSite, editor_state: Any
) -> None:
    """Compare selected and other elements without backgrounds and shadows."""
    with open_window(
        browser, site, storage_state=editor_state, forced_colors="active", viewport=DESKTOP
    ) as visitor:
        page = visitor.open(path)
        mark = page.locator(selector).first
        expect(mark).to_be_visible()
        look = """element => {
            const { borderBlockEnd, backgroundColor, color } = getComputedStyle(element);
            return [borderBlockEnd, backgroundColor + color].join("; ");
        }"""
        other = mark.locator("xpath=following::*[self::a or self::button][not(@aria-current)][1]")
        assert mark.evaluate(look) != other.evaluate(look)
        if "aria-current" in selector:
            assert re.match(r"[3-9][0-9.]*px solid", mark.evaluate(look)), mark.evaluate(look)


def test_chosen_years_and_hits_show_in_forced_colours(browser: Browser, site: RunningSite) -> None:
    with open_window(browser, site, forced_colors="active", viewport=DESKTOP) as visitor:
        page = visitor.open("/search?q=the&from=2025-01-01&to=2025-12-31")
        fill = "element => getComputedStyle(element).fill"
        assert page.locator(".years .selected path").last.evaluate(fill) != page.evaluate(
            "getComputedStyle(document.querySelector('.years a:not(.selected) "
            "path:not(.bar-hit-area)')).fill"
        )


@pytest.fixture(scope="module")
def large_text_browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with the text size doubled."""
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=[*CHROMIUM_ARGS, DOUBLE_TEXT_SIZE]
    )
    yield browser
    browser.close()


@pytest.mark.parametrize(
    "path", [*page_kinds.PUBLIC_PAGES.values(), "/politics/never-written", "/newsroom/login"]
)
def test_text_of_twice_its_size_breaks_no_word(
    path: str, large_text_browser: Browser, site: RunningSite
) -> None:
    with open_window(large_text_browser, site, viewport=PHONE) as visitor:
        visitor.expected_statuses = {404, 410}
        page = visitor.open(path)
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
        assert page.evaluate(BROKEN_WORDS, 11) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        # The same if only the fonts grow, which no media query notices.
    with open_window(large_text_browser, site, viewport=DESKTOP) as visitor:
        visitor.expected_statuses = {404, 410}
        page = visitor.open(path)
        assert page.evaluate(BROKEN_WORDS, 14) == []


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP])
def test_arabic_is_never_italic_and_its_breadcrumb_runs_right_to_left(
    viewport: ViewportSize, browser: Browser, site: RunningSite
) -> None:
    with open_window(browser, site, viewport=viewport) as visitor:
        page = visitor.open("/culture/arabic")
        slanted = """() => [...document.querySelectorAll(".story, .story *")]
            .filter(element => getComputedStyle(element).fontStyle !== "normal")
            .map(element => element.outerHTML)"""
        assert page.evaluate(slanted) == []
        assert (
            page.locator(".prose em").evaluate("element => getComputedStyle(element).fontWeight")
            == "700"
        )
        crumb = page.locator(".breadcrumb li").last
        first = crumb.evaluate(
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
        assert first, "the headline's first letter is cut off"


def edge_contrast(page: Page, selector: str) -> tuple[int, int]:
    """Return how much the left and right edge differ from the middle, below the text."""
    image = Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("L")
    row = [image.getpixel((column, image.height - 6)) for column in range(image.width)]
    middle = row[image.width // 2]
    return abs(int(row[0]) - int(middle)), abs(int(row[-1]) - int(middle))  # type: ignore[arg-type, call-overload]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_table_shows_that_it_scrolls_and_its_caption_whole(
    scheme: str, browser: Browser, site: RunningSite
) -> None:
    with open_window(browser, site, viewport=PHONE, color_scheme=scheme) as visitor:
        page = visitor.open("/business/table")
        table = page.locator(".table")
        assert table.evaluate("element => element.scrollWidth > 1.5 * element.clientWidth")
        edges = {}
        for name, offset in (("start", 0), ("middle", 300), ("end", 9999)):
            table.evaluate("(element, offset) => element.scrollLeft = offset", offset)
            box, caption = table.bounding_box(), page.locator("caption").bounding_box()
            assert box and caption
            assert caption["x"] >= box["x"] - 1, name
            assert caption["x"] + caption["width"] <= box["x"] + box["width"] + 1, name
            edges[name] = [distance > 10 for distance in edge_contrast(page, ".table")]
        assert edges == {"start": [False, True], "middle": [True, True], "end": [True, False]}
