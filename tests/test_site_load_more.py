"""“Load more”: nothing repeats or is skipped, and a URL restores what was loaded."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from spectator import queries
from spectator.queries import listings
from tests.page_checks import Page

Story = Callable[..., int]
SECTIONS = ("politics", "health", "culture")
NUMBER = 105


def links(html: str) -> list[str]:
    """Return the URLs of a page's headlines."""
    hrefs = [attrs.get("href") or "" for attrs in Page(html).find_all("a")]
    return [href for href in hrefs if "/story-" in href]


def load_more_links(html: str) -> dict[str, str | None] | None:
    """Return the attributes of the link to the next page."""
    anchors = [attrs for attrs in Page(html).find_all("a") if attrs.get("rel") == "next"]
    assert len(anchors) <= 1
    return anchors[0] if anchors else None


@pytest.fixture
def stories(story: Story) -> set[str]:
    """Stories of three sections, several of one moment; one section has few recent ones."""
    paths = set()
    for number in range(NUMBER):
        section = SECTIONS[number % 2] if number < 90 else SECTIONS[2]
        story(hours=number // 3, headline=f"Story {number}", section=section)
        paths.add(f"/{section}/story-{number}")
    return paths


@pytest.mark.parametrize("attribute", ["href", "hx-get"])
def test_the_front_page_goes_on_without_what_stands_in_its_rails(
    attribute: str, client: FlaskClient, stories: set[str]
) -> None:
    html = client.get("/").text
    seen = links(html)
    while link := load_more_links(html):
        html = client.get(link[attribute] or "").text
        assert len(links(html)) <= queries.PAGE_SIZE
        seen += links(html)
    assert len(seen) == len(set(seen)), "a story came twice"
    assert set(seen) == stories, "a story was skipped"


def test_a_front_page_that_shows_everything_has_no_more(client: FlaskClient, story: Story) -> None:
    for number in range(13):
        story(hours=number, headline=f"Story {number}")
    html = client.get("/").text
    assert len(links(html)) == 13
    assert load_more_links(html) is None
    story(hours=14, headline="Story 14")
    assert load_more_links(client.get("/").text) is not None


@pytest.mark.parametrize("path", ["/", "/politics/"])
def test_the_address_shows_again_what_was_loaded(
    path: str, client: FlaskClient, stories: set[str]
) -> None:
    html = client.get(path).text
    seen = links(html)
    while link := load_more_links(html):
        answer = client.get(link["hx-get"] or "")
        html = answer.text
        rails = 0 if path == "/politics/" else 4 * 3
        at = len(seen) - rails  # the rails stand below the stream
        seen[at:at] = links(html)
        page = client.get(answer.headers["HX-Replace-Url"])
        assert answer.headers["HX-Replace-Url"].startswith(f"{path}?through=")
        assert links(page.text) == seen
        following, again = load_more_links(html), load_more_links(page.text)
        assert (following and following["hx-get"]) == (again and again["hx-get"])
        assert "noindex" in page.text
        assert f'rel="canonical" href="https://spectator.example{path}"' in page.text


def test_what_was_loaded_behind_a_page_is_shown_behind_it(
    client: FlaskClient, stories: set[str]
) -> None:
    second = (load_more_links(client.get("/politics/").text) or {})["href"] or ""
    html = client.get(second).text
    answer = client.get((load_more_links(html) or {})["hx-get"] or "")
    assert answer.headers["HX-Replace-Url"].startswith(f"{second}&through=")
    page = client.get(answer.headers["HX-Replace-Url"]).text
    assert links(page) == links(html) + links(answer.text)
    assert "noindex" in page


def test_stories_that_came_meanwhile_stand_above(
    client: FlaskClient, stories: set[str], story: Story
) -> None:
    loaded = client.get(
        (load_more_links(client.get("/politics/").text) or {})["hx-get"] or ""
    ).headers["HX-Replace-Url"]
    before = links(client.get(loaded).text)
    story(hours=-1, headline="Story 999")
    assert links(client.get(loaded).text) == ["/politics/story-999", *before]


@pytest.mark.parametrize("path", ["/", "/politics/"])
def test_there_is_a_bound(
    path: str, client: FlaskClient, stories: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "MAX_LOADED", 15)
    html, last = client.get(path).text, ""
    for _ in range(1 if path == "/politics/" else 2):
        answer = client.get((load_more_links(html) or {})["hx-get"] or "")
        html, last = answer.text, answer.headers["HX-Replace-Url"]
    page = client.get(last).text
    assert links(page) == links(html)[-15:]
    assert "noindex" in page
    assert f'<a href="{path}">Newest stories</a>' in page
    assert (load_more_links(page) or {})["href"] == (load_more_links(html) or {})["href"]


def test_a_cursor_of_no_story_shows_the_page_without_it(
    client: FlaskClient, stories: set[str]
) -> None:
    assert (
        len(links(client.get("/politics/?through=99999999999999999-1").text)) == queries.PAGE_SIZE
    )
    for name in ("through", "rails", "before"):
        path = f"/?{name}=rubbish" if name != "rails" else "/?before=1-1&rails=rubbish"
        assert client.get(path).status_code == 400


def test_later_pages_have_titles_of_their_own(client: FlaskClient, stories: set[str]) -> None:
    titles, path = [], "/politics/"
    while path:
        html = client.get(path).text
        titles.append(html.partition("<title>")[2].partition("</title>")[0])
        link = load_more_links(html)
        path = (link["href"] or "") if link else ""
    assert titles[0] == "Politics – The African Spectator"
    assert (
        titles[1] == "Politics: stories up to 19 November 2026, 23:00 GMT – The African Spectator"
    )
    assert len(set(titles)) == len(titles) == 3


@pytest.mark.parametrize("start", ["%0d%0aSet-Cookie:a=b", "%E2%82%AC", "//other.example/", ""])
def test_a_start_that_is_no_cursor_is_refused(
    start: str, client: FlaskClient, stories: set[str]
) -> None:
    fragment = (load_more_links(client.get("/politics/").text) or {})["hx-get"] or ""
    cut = fragment.partition("&start=")[0]
    answer = client.get(f"{cut}&start={start}")
    assert answer.status_code == 400 and "HX-Replace-Url" not in answer.headers
