"""The newsroom in French and Arabic: mirrored, without overflow, nothing that axe reports."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.browser.axe import violations
from tests.browser.running_site import RunningSite, spectator
from tests.browser.test_every_page import OVERFLOWING
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser

PHONE, DESKTOP = ViewportSize(width=360, height=800), ViewportSize(width=1280, height=900)
DIRECTIONS = {"fr": "ltr", "ar": "rtl"}
PATHS = {
    "list": "/newsroom/stories/",
    "search": "/newsroom/search?q=village&in=published",
    "searches": "/newsroom/searches",
    "new story": "/newsroom/stories/new",
    "status": "/newsroom/status/",
    "account": "/newsroom/account/",
    "password": "/newsroom/password",
}
STORY_PAGES = ("", "/history", "/history/compare", "/related", "/proof")


@pytest.fixture(scope="module", params=DIRECTIONS)
def person(
    request: pytest.FixtureRequest, browser: Browser, site: RunningSite
) -> Iterator[tuple[Window, str]]:
    """Window of an administrator who has chosen a language, and the language."""
    language, email = request.param, f"{request.param}@news.example"
    printed = spectator(site.data_dir, "user", "add", email, "--role", "admin")
    match = re.search(r"with the password (\S+)", printed)
    assert match, printed
    with open_window(browser, site) as window:
        page = window.open("/newsroom/login")
        page.locator("#email").fill(email)
        page.locator("#password").fill(match[1])
        page.locator("main button").click()
        page.wait_for_url("**/newsroom/stories/")
        window.open("/newsroom/account/")
        page.locator("#language").select_option(language)
        page.locator("main button").click()
        expect(page.locator("html")).to_have_attribute("lang", language)
        yield window, language


def check(window: Window, language: str, name: str) -> list[str]:
    """Return what is wrong with the open page: on a desktop, then on a phone, which axe checks.

    The colours are those of English pages, so one scheme is enough.
    """
    page, problems = window.page, []
    expect(page.locator("html")).to_have_attribute("lang", language)
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        direction = page.evaluate("getComputedStyle(document.body).direction")
        if direction != DIRECTIONS[language]:
            problems.append(f"{name}: written {direction}")
        if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
            problems.append(f"{name}, {size['width']}: overflows {page.evaluate(OVERFLOWING)}")
    return problems + [f"{name}: {violation}" for violation in violations(page)]


def test_every_newsroom_page_is_accessible_in_the_persons_language(
    person: tuple[Window, str],
) -> None:
    window, language = person
    problems = []
    for name, path in PATHS.items():
        window.open(path)
        problems += check(window, language, name)
    page = window.open("/newsroom/stories/?q=harbour+in+the+morning")
    path = page.locator(".stories h2 a").first.get_attribute("href") or ""
    for suffix in STORY_PAGES:
        window.open(path + suffix)
        problems += check(window, language, f"story{suffix}")
    assert not problems, "\n".join(problems)


def test_error_and_conflict_pages_are_accessible_in_the_persons_language(
    person: tuple[Window, str],
) -> None:
    window, language = person
    window.expected_statuses = {404, 409, 422}
    page = window.open("/newsroom/stories/999999")
    problems = check(window, language, "not found")
    page = window.open("/newsroom/stories/new")
    save = page.locator(".bar button[value=save]")
    save.click()
    expect(page.locator(".summary[role=alert]")).to_be_visible()
    problems += check(window, language, "refused form")
    page.locator("#headline").fill("Two of one")
    page.locator("#section").select_option("health")
    page.locator("[data-view=html]").click()
    page.locator("#body").fill("Words.")
    save.click()
    expect(page.locator(".notice")).to_be_visible()
    page.locator("#headline").fill("Three of one")
    page.locator("#story [name=version]").evaluate("field => { field.value = '0'; }")
    save.click()
    expect(page.locator("#merge")).to_be_visible()
    problems += check(window, language, "conflict")
    assert not problems, "\n".join(problems)


def test_charts_and_toolbars_are_mirrored_in_arabic(person: tuple[Window, str]) -> None:
    window, language = person
    page = window.open("/newsroom/status/")
    bars = page.locator(".chart svg").first.locator("rect")
    labels = page.locator(".chart").first.locator(".axis span")
    is_mirrored = language == "ar"
    first, last = (labels.nth(number).bounding_box() for number in (0, 1))
    assert first and last and (first["x"] > last["x"]) is is_mirrored
    edges = bars.evaluate_all("bars => bars.map(bar => bar.getBoundingClientRect().x)")
    assert (edges[0] > edges[47]) is is_mirrored
    window.open("/newsroom/stories/new")
    bold, undo = (page.locator(f"[data-do={name}]").bounding_box() for name in ("bold", "undo"))
    assert bold and undo and (bold["x"] > undo["x"]) is is_mirrored
