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
    """Return the URLs of the stories on a page, in order."""
    hrefs = [attrs.get("href") or "" for attrs in Page(html).find_all("a")]
    return [href for href in hrefs if "/story-" in href]


def load_more_link(html: str) -> dict[str, str | None] | None:
    """Return the attributes of the link to the next page, or None."""
    anchors = [attrs for attrs in Page(html).find_all("a") if attrs.get("rel") == "next"]
    assert len(anchors) <= 1
    return anchors[0] if anchors else None


@pytest.fixture
def stories(story: Story) -> set[str]:
    """URLs of 105 stories in three sections, three at each time; one section has only old ones."""
    paths = set()
    for number in range(NUMBER):
        section = SECTIONS[number % 2] if number < 90 else SECTIONS[2]
        story(hours=number // 3, headline=f"Story {number}", section=section)
        paths.add(f"/{section}/story-{number}")
    return paths


@pytest.mark.parametrize("attribute", ["href", "hx-get"])
def test_the_front_page_loads_every_story_once(
    attribute: str, client: FlaskClient, stories: set[str]
) -> None:
    html = client.get("/").text
    loaded = links(html)
    while link := load_more_link(html):
        html = client.get(link[attribute] or "").text
        assert len(links(html)) <= queries.PAGE_SIZE
        loaded += links(html)
    assert len(loaded) == len(set(loaded)), "a story came twice"
    assert set(loaded) == stories, "a story was skipped"


def test_load_more_is_missing_if_the_front_page_shows_every_story(
    client: FlaskClient, story: Story
) -> None:
    for number in range(13):
        story(hours=number, headline=f"Story {number}")
    html = client.get("/").text
    assert len(links(html)) == 13
    assert load_more_link(html) is None
    story(hours=14, headline="Story 14")
    assert load_more_link(client.get("/").text) is not None


@pytest.mark.parametrize("path", ["/", "/politics/"])
def test_the_url_after_loading_more_shows_the_same_stories(
    path: str, client: FlaskClient, stories: set[str]
) -> None:
    html = client.get(path).text
    loaded = links(html)
    while link := load_more_link(html):
        response = client.get(link["hx-get"] or "")
        html = response.text
        # On the front page the rails, four stories of each section, are below the stream.
        rails = 0 if path == "/politics/" else 4 * len(SECTIONS)
        end_of_stream = len(loaded) - rails
        loaded[end_of_stream:end_of_stream] = links(html)
        page = client.get(response.headers["HX-Replace-Url"])
        assert response.headers["HX-Replace-Url"].startswith(f"{path}?through=")
        assert links(page.text) == loaded
        following, again = load_more_link(html), load_more_link(page.text)
        assert (following and following["hx-get"]) == (again and again["hx-get"])
        assert "noindex" in page.text
        assert f'rel="canonical" href="https://spectator.example{path}"' in page.text


def test_the_url_after_loading_more_on_a_later_page_shows_the_same_stories(
    client: FlaskClient, stories: set[str]
) -> None:
    second = (load_more_link(client.get("/politics/").text) or {})["href"] or ""
    html = client.get(second).text
    response = client.get((load_more_link(html) or {})["hx-get"] or "")
    assert response.headers["HX-Replace-Url"].startswith(f"{second}&through=")
    page = client.get(response.headers["HX-Replace-Url"]).text
    assert links(page) == links(html) + links(response.text)
    assert "noindex" in page


def test_newer_stories_are_added_above_loaded_ones(
    client: FlaskClient, stories: set[str], story: Story
) -> None:
    loaded = client.get(
        (load_more_link(client.get("/politics/").text) or {})["hx-get"] or ""
    ).headers["HX-Replace-Url"]
    before = links(client.get(loaded).text)
    story(hours=-1, headline="Story 999")
    assert links(client.get(loaded).text) == ["/politics/story-999", *before]


@pytest.mark.parametrize("path", ["/", "/politics/"])
def test_a_url_shows_a_limited_number_of_loaded_stories(
    path: str, client: FlaskClient, stories: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "MAX_LOADED", 15)
    html, last = client.get(path).text, ""
    for _ in range(1 if path == "/politics/" else 2):
        response = client.get((load_more_link(html) or {})["hx-get"] or "")
        html, last = response.text, response.headers["HX-Replace-Url"]
    page = client.get(last).text
    assert links(page) == links(html)[-15:]
    assert "noindex" in page
    assert f'<a href="{path}">Newest stories</a>' in page
    assert (load_more_link(page) or {})["href"] == (load_more_link(html) or {})["href"]


def test_a_cursor_without_a_story_shows_the_first_page(
    client: FlaskClient, stories: set[str]
) -> None:
    assert (
        len(links(client.get("/politics/?through=99999999999999999-1").text)) == queries.PAGE_SIZE
    )
    for name in ("through", "rails", "before"):
        path = f"/?{name}=rubbish" if name != "rails" else "/?before=1-1&rails=rubbish"
        assert client.get(path).status_code == 400


def test_later_pages_have_different_titles(client: FlaskClient, stories: set[str]) -> None:
    titles, path = [], "/politics/"
    while path:
        html = client.get(path).text
        titles.append(html.partition("<title>")[2].partition("</title>")[0])
        link = load_more_link(html)
        path = (link["href"] or "") if link else ""
    assert titles[0] == "Politics – The African Spectator"
    assert (
        titles[1] == "Politics: stories up to 19 November 2026, 23:00 GMT – The African Spectator"
    )
    assert len(set(titles)) == len(titles) == 3


@pytest.mark.parametrize("start", ["%0d%0aSet-Cookie:a=b", "%E2%82%AC", "//other.example/", ""])
def test_an_invalid_start_cursor_is_refused(
    start: str, client: FlaskClient, stories: set[str]
) -> None:
    fragment = (load_more_link(client.get("/politics/").text) or {})["hx-get"] or ""
    without_start = fragment.partition("&start=")[0]
    response = client.get(f"{without_start}&start={start}")
    assert response.status_code == 400 and "HX-Replace-Url" not in response.headers
