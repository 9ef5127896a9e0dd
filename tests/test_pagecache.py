"""The page cache of a site: which pages are cached, and when they are rendered again."""

from __future__ import annotations

import gzip
import itertools
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from spectator import create_app, outbox, pagecache, publishing, queries, search_paths
from spectator.db import db
from spectator.models import Consumer, User
from spectator.pagecache import PRIVATE_CACHE_CONTROL, PUBLIC_CACHE_CONTROL, PageCache
from spectator.pagecache.keys import CURSOR_PARAMS, CURSOR_QUERY, UNCACHED_PREFIXES, cache_key
from spectator.publishing import Action
from spectator.site import pagination
from tests.conftest import make_draft, settings

SITE = Path(__file__).resolve().parent.parent / "spectator" / "site"
Story = Callable[..., int]


def cache_of(app: Flask) -> PageCache:
    cache = app.extensions["page_cache"]
    assert isinstance(cache, PageCache)
    return cache


def correct(article_id: int, by: User, **more: object) -> None:
    version = queries.articles_to_index([article_id])[0].version
    publishing.save(article_id, make_draft(**more), by, version, publishing.Action("update"))


def test_a_cached_page_sends_no_more_queries(
    client: FlaskClient, story: Story, take_selects: Callable[[], list[str]]
) -> None:
    article_id = story(headline="Kept")
    for path in (
        "/",
        "/politics/",
        "/politics/kept",
        "/archive/",
        "/feed.xml",
        f"/fragments/related/{article_id}",
    ):
        first = client.get(path)
        take_selects()
        second = client.get(path)
        assert take_selects() == [], path
        assert second.data == first.data
        assert second.headers["Cache-Control"] == PUBLIC_CACHE_CONTROL
        assert second.headers["Vary"] == "Accept-Encoding"
        assert second.headers["ETag"] == first.headers["ETag"]
        assert (
            second.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
        )


def test_pages_need_few_queries(
    client: FlaskClient, story: Story, editor: User, take_selects: Callable[[], list[str]]
) -> None:
    original = story(headline="Alone")
    story(headline="Seule", language="fr", translation_of=str(original), hours=1)
    story(headline="Old", hours=2)
    client.get("/archive/")  # the navigation that it reads is shared by the pages below
    for path, count in (("/politics/old", 2), ("/politics/alone", 3), ("/politics/seule", 3)):
        take_selects()
        assert client.get(path).status_code == 200
        assert len(take_selects()) == count, path


def test_every_action_is_visible_at_once_in_every_process(
    app: Flask, story: Story, editor: User
) -> None:
    others = create_app(settings(app.config["DATA_DIR"]))
    cache_of(others).poll_seconds = 0.0
    clients = [app.test_client(), others.test_client()]
    story(headline="The first", hours=1)

    def page_texts(path: str) -> list[str]:
        return [client.get(path).text for client in clients]

    assert all("The second" not in text for text in page_texts("/"))
    article_id = story(headline="The second")
    assert all("The second" in text for text in page_texts("/"))
    assert all("One paragraph." in text for text in page_texts("/politics/the-second"))
    correct(article_id, editor, headline="The second", body="Corrected text.")
    assert all("Corrected text." in text for text in page_texts("/politics/the-second"))
    publishing.apply_action(article_id, editor, Action("withdraw", note="Wrong."))
    assert all("The second" not in text for text in page_texts("/"))
    assert [client.get("/politics/the-second").status_code for client in clients] == [410, 410]
    with others.app_context():
        db.engine.dispose()


def test_a_cached_article_is_not_rendered_again_after_actions_on_other_stories(
    app: Flask,
    client: FlaskClient,
    story: Story,
    editor: User,
    take_selects: Callable[[], list[str]],
) -> None:
    own, other = story(headline="Own"), story(headline="Other")
    client.get("/politics/own")
    publishing.apply_action(other, editor, Action("withdraw", note="Wrong."))
    story(headline="Third")
    take_selects()
    client.get("/politics/own")
    assert take_selects() == []
    assert client.get("/politics/").status_code == 200
    assert take_selects() != []
    with db.write() as session:
        outbox.append(session, None, "section")
    db.session.rollback()
    client.get("/politics/own")
    assert take_selects() != []
    correct(own, editor, headline="Own", body="Corrected text.")
    assert "Corrected text." in client.get("/politics/own").text


def test_the_outbox_reader_knows_only_recent_changes(
    app: Flask, client: FlaskClient, story: Story, editor: User
) -> None:
    own, other = story(headline="Own"), story(headline="Other")
    client.get("/politics/own")
    publishing.apply_action(other, editor, Action("withdraw", note="Wrong."))
    correct(own, editor, headline="Own", body="Corrected text.")
    client.get("/politics/own")
    reader = cache_of(app).outbox_reader
    newest = outbox.newest_number()
    assert reader.changed_between(newest - 1, newest) == {own}
    assert reader.changed_between(newest, newest) is None
    assert reader.changed_between(-1000, newest) is None
    outbox.prune(newest - 1)
    reader.recent = {}
    assert reader.changed_between(newest - 2, newest) is None
    assert reader.changed_between(newest - 1, newest) == {own}


def test_related_stories_are_rendered_again_after_the_worker_updates_them(
    client: FlaskClient, story: Story
) -> None:
    article_id, other = story(headline="One"), story(headline="Other", section="health")
    path = f"/fragments/related/{article_id}"
    assert "Other" not in client.get(path).text
    with db.write() as session:
        session.execute(
            db.text(
                "insert into related (article_id, position, related_id, score) values "
                "(:a, 0, :b, 1)"
            ),
            {"a": article_id, "b": other},
        )
        session.merge(Consumer(name="related", offset=2))
    assert "Other" in client.get(path).text


def test_unknown_parameters_create_no_cached_copies(
    app: Flask, client: FlaskClient, story: Story
) -> None:
    story(headline="One")
    plain = client.get("/politics/one")
    count = len(cache_of(app).store.pages)
    for number in range(50):
        answer = client.get(f"/politics/one?utm_source={number}&fbclid=x")
        assert answer.data == plain.data
        assert answer.headers["Cache-Control"] == PRIVATE_CACHE_CONTROL
    assert len(cache_of(app).store.pages) == count


def test_only_canonical_urls_are_cached(app: Flask, client: FlaskClient, story: Story) -> None:
    article_id = story(headline="One")
    cache_of(app).store.pages.clear()
    for path in (
        f"/fragments/related/000{article_id}",
        "/fragments/stream/politics//",
        "/fragments/stream//politics/",
    ):
        answer = client.get(path)
        assert (
            answer.status_code != 200 or answer.headers["Cache-Control"] == PRIVATE_CACHE_CONTROL
        ), path
        assert not cache_of(app).store.pages, path
    for path in (
        f"/fragments/related/{article_id}",
        "/fragments/stream/politics/",
        "/fragments/stream/",
    ):
        client.get(path)
    assert len(cache_of(app).store.pages) == 3


def test_pages_of_lists_are_cached_only_if_their_cursor_names_a_story(
    app: Flask, client: FlaskClient, story: Story, editor: User
) -> None:
    ids = [story(headline=f"Story {number}", hours=number) for number in range(3)]
    article = queries.published_article(ids[0])
    assert article is not None
    real = queries.cursor_after(article)
    moment, article_id = real.rsplit("-", 1)
    assert (
        client.get(f"/politics/?before={real}").headers["Cache-Control"] == PUBLIC_CACHE_CONTROL
    )
    assert ("/politics/", f"before={real}") in {key[1:] for key in cache_of(app).store.pages}
    cached_queries = {key[2] for key in cache_of(app).store.pages}
    for query in (f"through={real}", f"before={real}&through={real}"):
        assert (
            client.get(f"/politics/?{query}").headers["Cache-Control"] == PUBLIC_CACHE_CONTROL
        ), query
        cached_queries.add(query)
    assert {key[2] for key in cache_of(app).store.pages} == cached_queries
    count = len(cache_of(app).store.pages)
    made_up = [
        f"through={real}&before={real}",
        f"rails={real}",
        f"through=1-{article_id}",
        f"through={real}&x=1",
    ]
    made_up += [
        f"before={int(moment) + 1}-{article_id}",
        f"before=0{moment}-{article_id}",
        f"before={moment}-999",
    ]
    made_up += [
        f"before={real}&x=1",
        f"b%65fore={real}",
        f"before={real}&before={real}",
        f"before=1-{10**17}",
    ]
    for query in made_up:
        answer = client.get(f"/politics/?{query}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == PRIVATE_CACHE_CONTROL, query
    assert client.get("/politics/?before=rubbish").status_code == 400
    assert len(cache_of(app).store.pages) == count
    publishing.apply_action(ids[0], editor, Action("withdraw", note="Wrong."))
    assert (
        client.get(f"/politics/?before={real}").headers["Cache-Control"] == PRIVATE_CACHE_CONTROL
    )


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("/", {"before", "before&rails", "through", "before&through", "before&rails&through"}),
        ("/politics/", {"before", "through", "before&through"}),
        ("/fragments/stream/", {"before", "before&rails", "before&start", "before&rails&start"}),
        ("/fragments/stream/politics/", {"before", "before&start"}),
        ("/politics/story-0", set()),
        ("/feed.xml", set()),
        ("/politics/feed.xml", set()),
        ("/archive/", set()),
        ("/fragments/related/1", set()),
    ],
)
def test_cursors_that_a_page_does_not_read_create_no_cached_copies(
    app: Flask, client: FlaskClient, story: Story, path: str, read: set[str]
) -> None:
    ids = [story(headline=f"Story {number}", hours=number) for number in range(3)]
    article = queries.published_article(ids[0])
    assert article is not None
    names, real, seen_pages = (
        ("rails", "start", "through"),
        queries.cursor_after(article),
        set[str](),
    )
    combinations = [
        ("before", *more) for size in range(4) for more in itertools.combinations(names, size)
    ]
    for combination in [("through",), *combinations]:
        response = client.get(f"{path}?" + "&".join(f"{name}={real}" for name in combination))
        assert response.status_code == 200
        if response.headers["Cache-Control"] == PUBLIC_CACHE_CONTROL:
            seen_pages.add("&".join(combination))
    assert seen_pages == read
    assert len({key for key in cache_of(app).store.pages if key[2]}) == len(read)


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere/",
        "/politics/nothing",
        "/health/one",
        "/search?q=one",
        "/readyz",
        "/archive/1999/01/",
    ],
)
def test_a_url_without_a_page_is_not_cached(
    app: Flask, client: FlaskClient, story: Story, path: str
) -> None:
    story(headline="One")
    cache_of(app).store.pages.clear()
    for _ in range(2):
        client.get(path)
    assert not cache_of(app).store.pages


def test_cached_views_read_only_cursors_from_the_request() -> None:
    for name in ("pages", "listings", "fragments"):
        read = re.findall(
            r"request\.(?!path\b)\w+(?:\.\w+\([^)]*\))?", (SITE / f"{name}.py").read_text()
        )
        assert not read, name
    assert re.findall(r"request\.[^)]*\)", (SITE / "pagination.py").read_text()) == [
        "request.args.get(name)"
    ]
    assert set(pagination.CURSOR_PARAMS) == CURSOR_PARAMS
    feed, _, search_feed = (SITE / "feeds.py").read_text().partition("def search_feed")
    assert set(re.findall(r"request\.\w+", feed)) == {"request.path"}
    assert re.findall(r"request\.\w+", search_feed) == ["request.args"], (
        "feeds of searches are not cached"
    )


def test_nginx_caches_the_same_cursor_queries() -> None:
    site = (SITE.parent.parent / "deploy" / "nginx-shared.conf").read_text()
    assert f"(?:\\?(?:{CURSOR_QUERY.pattern}))?$" in site


def test_nginx_caches_none_of_the_uncached_prefixes() -> None:
    deploy = SITE.parent.parent / "deploy"
    locations = re.findall(r"location (?:\^~|~) \"?\^?(\S+)", (deploy / "nginx.conf").read_text())
    others = [
        prefix
        for prefix in UNCACHED_PREFIXES
        if not any(location.startswith(prefix) for location in locations)
    ]
    pattern = f"~^(?:{'|'.join(others)})(?:[/?]|$)"
    assert f'"{pattern}" 1;' in (deploy / "nginx-shared.conf").read_text()


def test_nginx_knows_the_searches_of_all_editions() -> None:
    deploy = SITE.parent.parent / "deploy"
    pattern = search_paths.SEARCH.pattern.replace("/+", "/")
    assert f'"^{pattern}"' in (deploy / "nginx.conf").read_text()
    shared = (deploy / "nginx-shared.conf").read_text()
    assert f'"~*^{pattern}"' in shared
    assert f'"~^{pattern.replace("[./]", "[./?]")}" 1;' in shared


@pytest.mark.parametrize(
    "path",
    ["/search", "/fr/search", "/FR/Search", "/fr/search/feed.xml", "/fr/fragments/suggest"],
)
def test_searches_of_no_edition_are_cached(path: str) -> None:
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "wsgi.url_scheme": "http"}
    assert cache_key(environ) is None
    assert cache_key(environ | {"PATH_INFO": "/fr/fragments/stream/"}) is not None


def test_a_browser_that_has_the_page_gets_304(app: Flask, story: Story) -> None:
    client = FlaskClient(app)
    story(headline="One")
    for accepted in ("", "gzip"):
        page = client.get("/politics/one", headers={"Accept-Encoding": accepted})
        tag = page.headers["ETag"]
        for held in (tag, f'"other", W/{tag}', tag.strip('"'), "*"):
            again = client.get(
                "/politics/one", headers={"Accept-Encoding": accepted, "If-None-Match": held}
            )
            assert (again.status_code, again.data) == (304, b"")
            assert again.headers["ETag"] == tag
            assert again.headers["Cache-Control"] == PUBLIC_CACHE_CONTROL
            assert again.headers["Vary"] == "Accept-Encoding"
        for held in ('"other"', tag[:-2] + '"'):
            assert client.get("/politics/one", headers={"If-None-Match": held}).status_code == 200
    story(headline="Elsewhere", section="health")
    # Rendered again, the page is the same; its ETag is that of the gzip body only.
    gzip_headers = {"If-None-Match": tag, "Accept-Encoding": "gzip"}
    assert client.get("/politics/one", headers=gzip_headers).status_code == 304
    assert client.get("/politics/one", headers={"If-None-Match": tag}).status_code == 200


def test_the_outbox_reader_sees_commits_and_survives_a_missing_database(
    app: Flask, story: Story
) -> None:
    reader = outbox.OutboxReader(app.config["DATABASE_URL"])
    assert reader.poll() == (0, "")
    story()
    assert reader.poll() == (1, "")
    reader.close()
    missing = outbox.OutboxReader(f"{app.config['DATABASE_URL']}-missing")
    assert missing.poll() is None


@pytest.mark.sqlite
def test_pages_are_served_while_the_database_is_locked(
    app: Flask, client: FlaskClient, story: Story
) -> None:
    story(headline="One")
    client.get("/politics/one")
    connection = sqlite3.connect(app.config["DATA_DIR"] / "spectator.db", isolation_level=None)
    connection.execute("begin immediate")
    assert client.get("/politics/one").status_code == 200
    connection.execute("rollback")
    connection.close()


def test_static_files_are_cached_forever_under_their_version(app: Flask) -> None:
    client = FlaskClient(app)
    (path,) = re.findall(r'src="(/static/[0-9a-f]{10}/js/site\.js)"', client.get("/").text)
    for other, cache_control in (
        (path, "public, max-age=31536000, immutable"),
        (path.replace("site.js", "search.js"), "public, max-age=31536000, immutable"),
        ("/static/0123456789/js/search.js", "no-cache"),
        ("/static/js/search.js", "no-cache"),
        ("/static/js/search.js?v=0123456789", "no-cache"),
    ):
        with client.get(other) as answer:
            assert answer.headers["Cache-Control"] == cache_control


def test_searches_are_compressed_and_not_publicly_cacheable(app: Flask, story: Story) -> None:
    story(headline="One")
    answer = FlaskClient(app).get("/search?q=one", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(answer.data)
    assert "public" not in answer.headers.get("Cache-Control", "")


def test_a_new_section_shows_in_the_navigation_at_once(client: FlaskClient, story: Story) -> None:
    story(headline="One")
    assert "/sport/" not in client.get("/politics/one").text
    with db.write() as session:
        publishing.add_section(session, "Sport")
    assert "/sport/" in client.get("/politics/one").text


@pytest.mark.parametrize(
    "path", ["/newsroom/", "/newsroom/login", "/newsroom/stories/1.css", "/newsroom"]
)
def test_newsroom_pages_are_never_cached(app: Flask, client: FlaskClient, path: str) -> None:
    client.get(path)
    assert not cache_of(app).store.pages
    assert pagecache.cache_key(EnvironBuilder(path).get_environ()) is None
