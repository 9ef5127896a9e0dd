"""Readers' pages: what they show and refuse, and how many SELECTs they cost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from sqlalchemy import event

from spectator import publishing, queries
from spectator.db import db
from spectator.models import User
from spectator.publishing import Action
from tests.conftest import make_draft
from tests.page_checks import Page

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


def test_an_empty_site_is_readable(client: FlaskClient) -> None:
    for path in ("/", "/politics/", "/archive/", "/search", "/feed.xml", "/fragments/stream/"):
        assert client.get(path).status_code == 200


def test_an_article_shows_every_part_in_its_order(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(
        headline="Rebels Claim Gains",
        dek="A dek of one line",
        authors=("Motoni Olodun", "Amina Diallo", "B Three"),
        source_name="Reuters",
        source_url="https://www.reuters.com/",
        topics=("Peace talks",),
        countries=("Mali",),
    )
    flat = Page(client.get("/politics/rebels-claim-gains").text).visible_text
    parts = [
        "Home",
        "Politics",
        "Rebels Claim Gains",
        "A dek of one line",
        "by Motoni Olodun, Amina Diallo and B Three",
    ]
    parts += ["One paragraph.", "Another paragraph.", "Source: Reuters", "You may also like"]
    parts += ["The African Spectator stands as the compass", "All Rights Reserved."]
    offset = flat.index("Home")
    for part in parts:
        assert part in flat[offset:], f"{part!r} is missing behind {flat[offset : offset + 60]!r}"
        offset = flat.index(part, offset)
    assert "Peace talks" in flat
    assert "Mali" in flat


def test_structured_data_is_json_and_cannot_leave_its_script(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(
        headline="A </script><script>alert(1)</script> & \u2028 headline", slug="s", dek=HOSTILE
    )
    html = client.get("/politics/s").text
    scripts = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    kinds = [json.loads(script)["@type"] for script in scripts]
    assert kinds == ["NewsArticle", "BreadcrumbList"]
    assert "alert(1)</script>" not in html.replace(scripts[0], "").replace(scripts[1], "")


def test_desks_and_agencies_are_organizations_in_structured_data(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(slug="s", authors=("Amina Diallo", "Politics Desk", "Xinhua"), source_name="Xinhua")
    match = re.search(
        r'<script type="application/ld\+json">(.*?)</script>', client.get("/politics/s").text
    )
    assert match
    kinds = {author["name"]: author["@type"] for author in json.loads(match[1])["author"]}
    assert kinds == {
        "Amina Diallo": "Person",
        "Politics Desk": "Organization",
        "Xinhua": "Organization",
    }


def test_hostile_text_is_escaped_everywhere(
    client: FlaskClient, story: Callable[..., int], catch_up: Callable[[], None]
) -> None:
    entries = {"headline": HOSTILE, "dek": HOSTILE, "topics": (HOSTILE,), "authors": (HOSTILE,)}
    article_id = story(slug="s", source_name=HOSTILE, body=HOSTILE + "x", **entries)
    story(slug="t", **entries)
    catch_up()
    paths = ["/", "/politics/", "/politics/s", "/archive/2026/11/", "/feed.xml"]
    paths += [f"/fragments/related/{article_id}", "/fragments/stream/"]
    article = client.get("/politics/s").text
    paths += re.findall(r'href="(/(?:topic|author)/[^"]+/)"', article)
    assert len(set(paths)) == 9
    paths += ["/search?q=onerror", "/search/feed.xml?q=onerror", "/fragments/suggest?q=script"]
    paths += [f"/search?q={quote(HOSTILE)}"]
    for path in paths:
        page = client.get(path).text
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert "alert(1)" in re.sub("</?mark>", "", page), path


def test_every_page_stays_within_its_number_of_selects(
    client: FlaskClient, story: Callable[..., int], take_selects: Callable[[], list[str]]
) -> None:
    metadata = {
        "countries": ("Mali", "Niger"),
        "topics": ("One", "Two"),
        "authors": ("A One", "B Two"),
    }
    ids = [story(hours=number, headline=f"Story {number}", **metadata) for number in range(30)]
    limits = {
        "/politics/story-0": 5,
        "/": 5,
        "/politics/": 5,
        "/country/mali/": 5,
        "/topic/one/": 5,
    }
    limits |= {
        "/author/a-one/": 5,
        "/archive/": 4,
        "/archive/2026/11/": 5,
        "/fragments/stream/politics/": 4,
    }
    limits |= {f"/fragments/related/{ids[0]}": 4, "/feed.xml": 4}
    for path, limit in limits.items():
        take_selects()
        assert client.get(path).status_code == 200
        taken = take_selects()
        assert len(taken) <= limit, f"{path}: {len(taken)}\n" + "\n".join(taken)


def test_load_more_shows_every_story_exactly_once(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    slugs = {f"story-{number}" for number in range(45)}
    for number in range(45):
        story(hours=number // 4, headline=f"Story {number}")
    for attribute in ("href", "hx-get"):
        seen: list[str] = []
        path: str | None = "/politics/"
        while path:
            page = Page(client.get(path).text)
            links = [
                attrs["href"]
                for attrs in page.find_all("a")
                if (attrs.get("href") or "").startswith("/politics/story-")
            ]
            seen += dict.fromkeys(url.removeprefix("/politics/") for url in links)
            more = [attrs for attrs in page.find_all("a") if "hx-get" in attrs]
            path = more[0][attribute] if more else None
        assert sorted(seen) == sorted(slugs)


def test_old_urls_redirect_and_a_withdrawn_story_gets_410(
    client: FlaskClient, editor: User, story: Callable[..., int]
) -> None:
    article_id = story()
    version = queries.articles_to_index([article_id])[0].version
    publishing.save(
        article_id,
        make_draft(slug="new", section="health"),
        editor,
        version,
        publishing.Action("update"),
    )
    for old in ("/politics/a-headline", "/health/a-headline", "/politics/new"):
        response = client.get(old)
        assert (response.status_code, response.location) == (301, "/health/new")
    publishing.apply_action(
        article_id, editor, Action("withdraw", note="It named the wrong person.")
    )
    response = client.get("/health/new")
    assert response.status_code == 410
    assert "It named the wrong person." in response.text
    assert "One paragraph" not in response.text
    assert client.get(f"/fragments/related/{article_id}").status_code == 404
    for path in ("/", "/health/", "/feed.xml", "/fragments/stream/"):
        assert "A headline" not in client.get(path).text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere/", 404),
        ("/politics/nothing", 404),
        ("/wp-login.php", 404),
        ("/.env", 404),
        ("/country/atlantis/", 404),
        ("/archive/2026/13/", 404),
        ("/archive/1999/01/", 404),
        ("/media/../secret_key", 404),
        ("/media/aa/x.jpg", 404),
        ("/fragments/related/99999999999999999999", 404),
        ("/fragments/stream/nowhere/", 404),
        ("/politics/?before=rubbish", 400),
        ("/?before=" + "9" * 500, 400),
        ("/fragments/stream/?before=1", 400),
        ("/" + "x" * 20_000 + "/", 404),
        ("/%00", 404),
        ("/politics/%F0%9F%98%80", 404),
        ("/search?from=yesterday", 400),
        ("/search?page=x&q=y", 400),
        ("/search?sort=id;drop", 400),
    ],
)
def test_bad_urls_get_an_html_error_page(client: FlaskClient, path: str, status: int) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert response.mimetype == "text/html"


def test_readers_cannot_post(client: FlaskClient, story: Callable[..., int]) -> None:
    story()
    for path in ("/", "/politics/", "/politics/a-headline", "/search"):
        assert client.post(path, data={"x": "y"}).status_code == 405


def test_the_page_of_an_internal_error_needs_no_database(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(queries, "load_front_page", broken)
    monkeypatch.setattr(queries, "sections", broken)
    app.testing = False
    response = FlaskClient(app, Response).get("/")  # a client that accepts errors
    assert response.status_code == 500
    assert "secret detail" not in response.text
    assert "<h1" in response.text


def test_a_story_in_another_language_has_lang_and_dir_attributes(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="خبر من نواكشوط", slug="khabar", language="ar", body="نص الخبر")
    page = Page(client.get("/politics/khabar").text)
    marked = [
        attrs for attrs in page.find_all("article", "div", "h1") if attrs.get("lang") == "ar"
    ]
    assert marked
    assert marked[0].get("dir") == "rtl"


def test_healthz_reports_ok(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "ok"}


def test_a_page_is_rendered_in_one_transaction(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    article_id = story(topics=("One",), countries=("Mali",), authors=("A One",))
    transactions: list[object] = []
    record = transactions.append
    event.listen(db.engine, "begin", record)
    paths = ["/", "/politics/", "/politics/a-headline", "/topic/one/", "/archive/", "/feed.xml"]
    for path in [*paths, f"/fragments/related/{article_id}"]:
        db.session.rollback()
        transactions.clear()
        assert client.get(path).status_code == 200
        assert len(transactions) == 1, path
    event.remove(db.engine, "begin", record)
