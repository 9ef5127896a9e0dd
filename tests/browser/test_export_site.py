"""An exported site, opened from the disk: links, search and pictures work without a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import axe
from tests.browser.running_site import spectator
from tests.browser.sample_stories import SERIES_LENGTH, headlines_newest_first

pytestmark = pytest.mark.browser
WAIT_MS = 10_000


@pytest.fixture(scope="module")
def exported(filled_data: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory with an export of the demo and sample stories."""
    directory = tmp_path_factory.mktemp("export") / "a static site"
    spectator(filled_data[0], "export", "site", str(directory))
    return directory


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Page without a network; errors and requests of anything but files fail the test."""
    context = browser.new_context(offline=True, viewport={"width": 360, "height": 740})
    page, errors = context.new_page(), list[str]()
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text))
    page.on("requestfailed", lambda request: errors.append(f"failed: {request.url}"))
    page.on(
        "request",
        lambda request: request.url.startswith(("file:", "data:")) or errors.append(request.url),
    )
    yield page
    context.close()
    assert errors == []


def headlines(page: Page) -> list[str]:
    return page.locator("main .stream h3").all_inner_texts()


def test_a_reader_goes_from_page_to_page(page: Page, exported: Path) -> None:
    page.goto((exported / "index.html").as_uri())
    page.locator("header nav").get_by_role("link", name="Society").click()
    seen = headlines(page)
    for _ in range(2):
        page.get_by_role("link", name="Load more").click()
        page.wait_for_url("**/older-*.html")
        seen += headlines(page)
    assert len(seen) >= SERIES_LENGTH and seen == headlines_newest_first()
    page.locator("main .stream h3 a").last.click()
    assert page.locator("h1").inner_text() == seen[-1]
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Home").click()
    assert page.url == (exported / "index.html").as_uri()


def test_a_picture_is_shown(page: Page, exported: Path) -> None:
    page.goto((exported / "culture/pictured/index.html").as_uri())
    picture = page.get_by_role("img", name="Boats at a jetty")
    picture.scroll_into_view_if_needed()
    page.wait_for_function(
        "image => image.complete && image.naturalWidth > 100", arg=picture.element_handle()
    )


def test_a_reader_searches(page: Page, exported: Path) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto((exported / "culture/pictured/index.html").as_uri())
    page.get_by_label("Search all stories").fill("village MARKET")
    page.get_by_label("Search all stories").press("Enter")
    results = page.locator("#results article")
    results.first.wait_for()
    assert results.count() == 20
    page.get_by_role("button", name="Load more").click()
    page.wait_for_function("document.querySelectorAll('#results article').length === 40")
    assert axe.violations(page) == []
    box = page.get_by_label("Words, names or places")
    box.fill("السُّوق في الصباح")
    page.wait_for_function("document.querySelectorAll('#results article').length === 1")
    link = results.get_by_role("link")
    assert (link.inner_text() or "").startswith("السوق في الصباح")
    box.fill("zzzqq")
    page.get_by_text("No stories", exact=True).first.wait_for()
    box.fill("")
    page.get_by_text("Read the latest in").wait_for()
    box.fill("harbour jetty")
    page.wait_for_function("document.querySelectorAll('#results article').length === 1")
    results.get_by_role("link").click()
    assert page.locator("h1").inner_text() == "A harbour in the morning"


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["index.html", "search/index.html", "culture/arabic/index.html"])
def test_pages_fit_and_are_accessible(page: Page, exported: Path, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto((exported / name).as_uri())
    assert axe.violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
