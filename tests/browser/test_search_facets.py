"""Facets, years, sort orders and pages are links and work without scripts, as does Back.

The fixture `reader` runs a test with htmx 4, with htmx 2 and without JavaScript,
`plain_reader` only without.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.windows import Window

pytestmark = pytest.mark.browser


def facet(page: Page, label: str) -> Locator:
    """Return the link that narrows the results: a label with its number of stories."""
    return page.get_by_role("complementary").get_by_role(
        "link", name=re.compile(rf"^{label} [0-9]+$")
    )


def count(page: Page) -> int:
    """Return the number of results in their heading, 0 if it has none."""
    match = re.match(r"\s*([0-9,]+) stor", page.locator("#results h2").first.inner_text())
    return int(match[1].replace(",", "")) if match else 0


def test_a_facet_narrows_the_results_and_removing_its_chip_widens_them(reader: Window) -> None:
    page = reader.open("/search?q=village")
    total, kenyan = count(page), int(facet(page, "Kenya").locator("small").inner_text())
    facet(page, "Kenya").click()
    page.wait_for_url("**/search?q=village&country=kenya")
    assert count(page) == kenyan < total
    expect(facet(page, "Kenya")).to_have_attribute("aria-current", "true")
    expect(facet(page, "Ghana")).to_be_visible()
    # Never answer the requests that typing sends, so that only Enter searches.
    page.route("**/fragments/search?**", lambda _: None)
    page.get_by_label("Words, names or places").fill("village notes")
    page.get_by_label("Words, names or places").press("Enter")
    page.wait_for_url("**/search?q=village+notes&country=kenya*")
    page.get_by_role("link", name="Remove Country: Kenya").click()
    page.wait_for_url("**/search?q=village+notes")
    page.go_back()
    page.go_back()
    assert reader.path == "/search?q=village&country=kenya"
    assert count(page) == kenyan


def test_a_bar_of_the_chart_and_the_year_in_the_list_give_the_same_results(
    reader: Window,
) -> None:
    page = reader.open("/search?q=the")
    bars = page.locator(".years svg a")
    assert bars.count() >= 2
    bars.first.click()
    page.wait_for_url(re.compile(r"from=[0-9]{4}-01-01&to=[0-9]{4}-12-31$"))
    narrowed, path = count(page), reader.path
    expect(page.locator(".years svg a.selected")).to_have_count(1)
    page.go_back()
    page.get_by_text("Stories by year").click()
    page.locator(".years li a").first.click()
    assert reader.path == path
    assert count(page) == narrowed
    year = re.findall("from=([0-9]{4})", path)[0]
    page.get_by_role("link", name=f"Remove Year: {year}").click()
    page.wait_for_url("**/search?q=the")
    assert count(page) > narrowed


def test_typed_filters_appear_as_chips(reader: Window) -> None:
    page = reader.open("/search?q=village+in:society+by:serwaa")
    page.get_by_role("link", name="Remove Author: Ama Serwaa").click()
    page.wait_for_url("**/search?q=village+in%3Asociety")
    expect(page.get_by_role("link", name="Remove Section: Society")).to_be_visible()


def test_results_can_be_sorted_and_paged(reader: Window) -> None:
    page = reader.open("/search?q=village")
    page.get_by_role("navigation", name="Order").get_by_role("link", name="Oldest first").click()
    page.wait_for_url("**/search?q=village&sort=oldest")
    headlines = page.locator("#results h3 a").all_inner_texts()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**/search?q=village&sort=oldest&page=2")
    assert not set(headlines) & set(page.locator("#results .card h3 a").all_inner_texts())
    page.get_by_role("link", name="Previous").click()
    page.wait_for_url("**/search?q=village&sort=oldest")
    dates = [time.get_attribute("datetime") for time in page.locator("#results .card time").all()]
    assert dates == sorted(dates, key=str)


def test_a_phone_folds_all_filters_into_one(reader: Window) -> None:
    reader.page.set_viewport_size({"width": 320, "height": 640})
    page = reader.open("/search?q=the")
    expect(page.locator(".years")).not_to_be_visible()
    page.get_by_text("Filter", exact=True).click()
    for element in (page.locator(".years svg"), page.get_by_text("Search tips")):
        expect(element).to_be_visible()
    page.get_by_label("Section", exact=True).select_option("society")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_url("**/search?q=the&section=society*")
    expect(page.get_by_role("link", name="Remove Section: Society")).to_be_in_viewport()
    expect(page.get_by_role("heading", name="Country")).not_to_be_visible()


def test_a_search_without_results_links_to_fewer_words(reader: Window) -> None:
    page = reader.open("/search?q=village+ledger&section=health")
    empty = page.locator(".empty")
    empty.get_by_role("link", name=re.compile("^village [0-9]+")).click()
    page.wait_for_url("**/search?q=village")
    assert count(page) > 0


def test_another_spelling_is_suggested(reader: Window) -> None:
    page = reader.open("/search?q=vilage")
    page.locator(".did-you-mean").get_by_role("link", name="village").click()
    page.wait_for_url("**/search?q=village")
    assert count(page) > 2


def test_a_search_has_a_feed(plain_reader: Window) -> None:
    page = plain_reader.open("/search?q=village&country=kenya")
    link = page.get_by_role("link", name="Follow this search by RSS").get_attribute("href") or ""
    assert link == page.locator("link[rel=alternate]").last.get_attribute("href")
    feed = plain_reader.site.get(link)
    assert feed.count(b"<item>") == count(page)
