"""The browser runs htmx only if its hash matches; without it every link works.

The fixture `reader` runs a test with htmx 4, with htmx 2 and without JavaScript,
`scripted_reader` with htmx 4 and with htmx 2.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.running_site import RunningSite
from tests.browser.sample_stories import SERIES_SECTION
from tests.browser.windows import Window, open_window

pytestmark = pytest.mark.browser

SECTION = f"/{SERIES_SECTION}/"


def test_htmx_runs_from_the_configured_url(scripted_reader: Window) -> None:
    page = scripted_reader.open(SECTION)
    assert page.evaluate("typeof window.htmx") == "object"
    assert scripted_reader.site.htmx_url in scripted_reader.requests


@pytest.mark.parametrize("site_fixture", ["site", "htmx_2_site"])
def test_a_changed_htmx_file_is_blocked_and_links_still_work(
    site_fixture: str, browser: Browser, request: pytest.FixtureRequest
) -> None:
    site: RunningSite = request.getfixturevalue(site_fixture)
    with open_window(browser, site, htmx_file=site.htmx_file + b"\n") as window:
        window.ignored_errors = ("Failed to find a valid digest",)
        page = window.open(SECTION)
        assert any("Failed to find a valid digest" in message for message in window.console), (
            window.console
        )
        assert page.evaluate("typeof window.htmx") == "undefined"
        page.get_by_role("link", name="Load more").click()
        page.wait_for_url(f"**{SECTION}?before=*")
        expect(page.locator(".stream .card")).to_have_count(20)


def test_links_work_while_the_cdn_is_down(browser: Browser, site: RunningSite) -> None:
    with open_window(browser, site) as window:
        window.ignored_errors = ("net::ERR_",)
        window.page.context.route(site.htmx_url, lambda route: route.abort())
        page = window.open("/opinion/long")
        page.get_by_role("link", name="More in Opinion").click()
        page.wait_for_url("**/opinion/")


def test_pages_without_fragments_do_not_load_htmx(reader: Window) -> None:
    for path in ("/archive/", "/topic/wells/", "/politics/"):
        reader.open(path)
    assert not [url for url in reader.requests if not url.startswith(reader.site.url)]
