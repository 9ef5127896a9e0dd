"""The addresses of an older site lead to their own page in one hop, or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from spectator import create_app, outbox, publishing
from spectator.db import db
from spectator.models import Article, Author, OldAddress, Section, Topic, User
from spectator.old_addresses import FRONT_PATH, FRONT_QUERY, may_be_old, normalize_address
from spectator.pagecache import PageCache
from spectator.publishing import Action, pages
from spectator.publishing.page_drafts import PageDraft
from tests.conftest import make_draft, settings

ROOT = Path(__file__).resolve().parent.parent
OLD = "https://old.example"
FILING = {"countries": ("Mali",), "authors": ("Ama Serwaa",), "topics": ("Peace",)}


def register(*entries: tuple[str, tuple[str, int | str]]) -> int:
    """Register addresses as an import does; return how many were written."""
    with db.write() as session:
        return publishing.register_old_addresses(session, entries)


@pytest.fixture
def site(client: FlaskClient, story: Callable[..., int]) -> FlaskClient:
    """Client of a site with a story that had addresses on an older site, and lists too."""
    article_id = story(headline="Rains", **FILING)
    register(
        (f"{OLD}/?p=7", ("article", article_id)),
        (f"{OLD}/2024/05/the-rains/", ("article", article_id)),
        (f"{OLD}/archives/123", ("article", article_id)),
        (f"{OLD}/2024/05/%e1%8b%9d%e1%8a%93%e1%89%a5/", ("article", article_id)),
        (f"{OLD}/story.php?id=12", ("article", article_id)),
        (f"{OLD}/category/africa/politics/", ("list", "/politics/")),
        (f"{OLD}/?cat=3", ("list", "/politics/")),
        (f"{OLD}/tag/paix/", ("list", "/topic/peace/")),
        (f"{OLD}/?tag=paix", ("list", "/topic/peace/")),
        (f"{OLD}/author/ama/", ("list", "/author/ama-serwaa/")),
        (f"{OLD}/?author=4", ("list", "/author/ama-serwaa/")),
        (f"{OLD}/mali/", ("list", "/country/mali/")),
        (f"{OLD}/may/", ("list", "/archive/2026/11/")),
        (f"{OLD}/all/", ("path", "/archive/")),
        (f"{OLD}/comments/feed/", ("gone", "Comments were not moved.")),
    )
    return client


STORY, SECTION, TOPIC = "/politics/rains", "/politics/", "/topic/peace/"
AUTHOR, MONTH = "/author/ama-serwaa/", "/archive/2026/11/"


REDIRECTS = [
    ("/?p=7", STORY),
    ("/?page_id=7", STORY),
    ("/?attachment_id=007", STORY),
    ("/?p=7&preview=true", STORY),
    ("/?utm_source=x&p=7", STORY),
    ("/?P=7&p=7", STORY),
    ("/index.php?p=7", STORY),
    ("/?feed=rss2&p=7", STORY),
    ("/2024/05/the-rains/", STORY),
    ("/2024/05/the-rains", STORY),
    ("/2024/05/The-Rains/", STORY),
    ("//2024//05/the-rains", STORY),
    ("/2024/05/the-rains).", STORY),
    ("/index.php/2024/05/the-rains/", STORY),
    ("/2024/05/the-rains/?utm_source=mail", STORY),
    ("/2024/05/the-rains/feed/", STORY),
    ("/2024/05/the-rains/2/", STORY),
    ("/2024/05/the-rains/page/2/", STORY),
    ("/2024/05/the-rains/amp/", STORY),
    ("/2024/05/the-rains/?amp=1", STORY),
    ("/2024/05/the-rains/embed/", STORY),
    ("/2024/05/the-rains/comment-page-3/", STORY),
    ("/2024/05/the-rains/?replytocom=9", STORY),
    ("/archives/123", STORY),
    ("/2024/05/%E1%8B%9D%E1%8A%93%E1%89%A5/", STORY),
    ("/2024/05/ዝናብ", STORY),
    ("/2024/05/%25e1%258b%259d%25e1%258a%2593%25e1%2589%25a5/", STORY),
    ("/story.php?id=12&utm_medium=x", STORY),
    ("/category/africa/politics/", SECTION),
    ("/Category/Africa/Politics", SECTION),
    ("/category/africa/politics/page/4/", SECTION),
    ("/category/africa/politics/feed/", "/politics/feed.xml"),
    ("/category/africa/politics/feed/atom/", "/politics/feed.xml"),
    ("/?cat=3", SECTION),
    ("/?cat=3&paged=2", SECTION),
    ("/?feed=rss2&cat=3", "/politics/feed.xml"),
    ("/tag/paix/", TOPIC),
    ("/tag/paix/feed/", f"{TOPIC}feed.xml"),
    ("/?tag=Paix", TOPIC),
    ("/author/ama/", AUTHOR),
    ("/author/ama/feed/", f"{AUTHOR}feed.xml"),
    ("/?author=4", AUTHOR),
    ("/mali", "/country/mali/"),
    ("/may/feed", "/archive/2026/11/feed.xml"),
    ("/all", "/archive/"),
    ("/?feed=rss2", "/feed.xml"),
    ("/?feed=comments-rss2", "/feed.xml"),
    ("/feed/", "/feed.xml"),
    ("/feed/rss2/", "/feed.xml"),
    ("/feed/atom", "/feed.xml"),
    ("/rdf", "/feed.xml"),
    ("/wp-rss2.php", "/feed.xml"),
    ("/?s=rain+season", "/search?q=rain+season"),
    ("/?s=", "/search?q="),
    ("/search/rain+season/", "/search?q=rain%2Bseason"),
    ("/2026/11/", MONTH),
    ("/2026/11", MONTH),
    ("/2026/11/20/", MONTH),
    ("/2026/", "/archive/"),
    ("/?m=202611", MONTH),
    ("/?m=20261120", MONTH),
    ("/page/2/", "/archive/"),
    ("/?paged=3", "/archive/"),
]


def test_an_old_address_redirects_in_one_hop(site: FlaskClient) -> None:
    for url, target in REDIRECTS:
        path, _, query = url.partition("?")
        environ = {"PATH_INFO": unquote(path).encode().decode("latin-1")}
        for method in ("GET", "HEAD"):
            response = site.open(
                "/", method=method, query_string=query, environ_overrides=environ
            )
            assert (response.status_code, response.location) == (301, target), (method, url)
    targets = {target for _, target in REDIRECTS if not target.startswith("/search")}
    assert {target for target in targets if site.get(target).status_code != 200} == set()


UNKNOWN = [
    "/?p=8",
    "/?page_id=99999999999",
    "/?cat=4",
    "/?author=5",
    "/?tag=war",
    "/2024/05/other/",
    "/story.php?id=13",
    "/story.php",
    "/category/africa/",
    "/category/africa/politics/x/",
    "/2025/05/",
    "/2024/13/",
    "/0000/",
    "/wp-sitemap.xml",
    "/wp-content/uploads/2024/05/none-300x200.jpg",
    "/2024/05/the-rains%00x/",
    "/" + "ዝ" * 299,
]


def test_other_addresses_get_404(site: FlaskClient) -> None:
    head = FlaskClient(site.application).head
    statuses = {url: (site.get(url).status_code, head(url).status_code) for url in UNKNOWN}
    assert {url for url, status in statuses.items() if status != (404, 404)} == set()


def test_other_queries_of_the_front_page_show_it(site: FlaskClient) -> None:
    for query in ("p=x", "p=", "page=2", "fbclid=p=7", "xp=7"):
        assert site.get(f"/?{query}").status_code == 200


def test_an_address_without_a_page_but_with_a_reason_is_gone(site: FlaskClient) -> None:
    response = site.get("/comments/feed/")
    assert response.status_code == 410
    assert "Comments were not moved." not in response.text
    assert "This page no longer exists" in response.text


def test_a_cached_front_page_hides_no_old_address(app: Flask, site: FlaskClient) -> None:
    cache = app.extensions["page_cache"]
    assert isinstance(cache, PageCache)
    assert site.get("/").status_code == 200
    assert [key[1:] for key in cache.store.pages] == [("/", "")]
    assert site.get("/?p=7").location == STORY
    assert site.get("/?p=8").status_code == 404
    assert site.get("/?fbclid=1").status_code == 200
    assert [key[1:] for key in cache.store.pages] == [("/", "")]


def test_a_cached_page_asks_nothing_about_old_addresses(
    site: FlaskClient, take_selects: Callable[[], list[str]]
) -> None:
    for url in ("/", "/politics/rains"):
        site.get(url)
        take_selects()
        for query in ("", "?fbclid=1", "?utm_source=x&q=1"):
            assert site.get(url + query).status_code == 200
        assert take_selects() == []


def test_one_indexed_query_looks_an_address_up(
    site: FlaskClient, take_selects: Callable[[], list[str]]
) -> None:
    site.get("/?p=8")
    take_selects()
    site.get("/2024/05/unknown/amp/")
    lookups = [select for select in take_selects() if "old_address" in select]
    assert len(lookups) == 1
    if db.engine.dialect.name == "sqlite":
        plan = "explain query plan select * from old_address where address in ('/a', '/b')"
        assert "SCAN" not in str(db.session.connection().exec_driver_sql(plan).all())


@pytest.mark.parametrize("state", ["draft", "review", "scheduled"])
def test_the_address_of_an_unpublished_story_is_as_unknown_as_any_other(
    state: str, client: FlaskClient, editor: User, story: Callable[..., int]
) -> None:
    story(headline="The rains")
    article_id = publishing.create(make_draft(headline="Secret"), editor)
    with db.write() as session:
        session.get_one(Article, article_id).status = state
    addresses = ("/?p=7", "/2024/05/the-storms/", "/2024/05/the-rains/", "/africa/the-rains")
    register(*((f"{OLD}{url}", ("article", article_id)) for url in addresses))
    unknown = ("/?p=8", "/2024/06/the-storms/", "/2024/06/the-rains/", "/asia/the-rains")
    for pair in zip(addresses, unknown, strict=True):
        secret_answer, answer = [client.get(url) for url in pair]
        assert (secret_answer.status, secret_answer.data) == (answer.status, answer.data)
        assert secret_answer.headers == answer.headers
    assert client.get(addresses[0]).status_code == client.get(addresses[1]).status_code == 404


def test_a_withdrawn_story_is_gone_at_its_old_addresses(site: FlaskClient, editor: User) -> None:
    article_id = db.session.scalars(select(Article.id)).one()
    publishing.apply_action(article_id, editor, Action("withdraw", note="It named someone."))
    for url in ("/?p=7", "/2024/05/the-rains/"):
        response = site.get(url)
        assert response.status_code == 410
        assert "It named someone." in response.text


def test_an_old_address_of_a_page(client: FlaskClient, editor: User) -> None:
    page = pages.create_page(PageDraft("About us", "<p>Who we are.</p>"), editor)
    register((f"{OLD}/?page_id=2", ("page", page)), (f"{OLD}/who-we-are/", ("page", page)))
    assert client.get("/?p=2").status_code == client.get("/who-we-are/").status_code == 404
    pages.apply_page_action(page, editor, "publish")
    assert client.get("/?page_id=2").location == client.get("/who-we-are").location == "/about-us"
    pages.apply_page_action(page, editor, "withdraw", "It was wrong.")
    for url in ("/?p=2", "/who-we-are"):
        response = client.get(url)
        assert response.status_code == 410 and "It was wrong." in response.text


def test_lists_that_only_drafts_have_are_unknown(client: FlaskClient, editor: User) -> None:
    filing = {"authors": ("Quokka Writer",), "topics": ("Quokka",), "countries": ("Lesotho",)}
    publishing.create(make_draft(**filing), editor)
    entries = {
        "/tag/q/": ("topic", "Quokka"),
        "/author/q/": ("author", "Quokka Writer"),
        "/lesotho/": ("list", "/country/lesotho/"),
        "/then/": ("list", "/archive/2031/07/"),
    }
    assert register(*entries.items()) == 4
    for url in entries:
        assert client.get(url).status_code == 404
    article_id = db.session.scalars(select(Article.id)).one()
    publishing.apply_action(article_id, editor, Action("publish"))
    assert client.get("/tag/q/feed").location == "/topic/quokka/feed.xml"
    assert client.get("/author/q/").location == "/author/quokka-writer/"
    assert client.get("/lesotho/").location == "/country/lesotho/"


def test_after_renaming_an_address_still_redirects_in_one_hop(
    site: FlaskClient, editor: User
) -> None:
    article_id = db.session.scalars(select(Article.id)).one()
    for number in (1, 2):
        draft = make_draft(headline="Rains", slug=f"rains-{number}", section="business")
        version = db.session.scalars(select(Article.version)).one()
        publishing.save(article_id, draft, editor, version, Action("update"))
    with db.write() as session:
        session.scalars(select(Topic)).one().slug = "calm"
        session.scalars(select(Author)).one().slug = "ama"
        session.scalars(select(Section).where(Section.slug == "politics")).one().slug = "power"
    assert site.get("/?p=7").location == "/business/rains-2"
    assert site.get("/2024/05/the-rains").location == "/business/rains-2"
    assert site.get("/tag/paix").location == "/topic/calm/"
    assert site.get("/?cat=3").location == "/power/"


def test_an_exact_address_wins_over_a_story_with_the_same_slug(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    story(headline="Rains")
    register((f"{OLD}/2019/rains/", ("article", story(headline="Rains again"))))
    for url in ("/2019/rains/", "/2019/rains", "/2019/Rains/feed/"):
        assert client.get(url).location == "/politics/rains-again"
    assert client.get("/2020/rains/").location == "/politics/rains"


def test_a_page_of_this_site_wins_over_an_old_address(
    client: FlaskClient, story: Callable[..., int]
) -> None:
    article_id = story(headline="Rains")
    register((f"{OLD}/business/", ("article", article_id)), ("/feed", ("article", article_id)))
    assert client.get("/business/").status_code == 200
    assert client.get("/business").location == "/business/"
    assert client.get("/feed").location == "/feed.xml"


def test_importing_addresses_again_writes_nothing(site: FlaskClient) -> None:
    article_id = db.session.scalars(select(Article.id)).one()
    newest = outbox.newest_number()
    assert register((f"{OLD}/?p=7", ("article", article_id))) == 0
    assert outbox.newest_number() == newest
    # A second story with the same address does not take it, and a list that was mapped anew does.
    assert register((f"{OLD}/?p=7", ("article", article_id + 1))) == 0
    assert register((f"{OLD}/tag/paix", ("list", "/business/"))) == 1
    assert outbox.newest_number() == newest + 1
    assert site.get("/tag/paix/").location == "/business/"


def test_an_import_leaves_what_the_newsroom_has_decided(site: FlaskClient) -> None:
    with db.write() as session:
        session.get_one(OldAddress, "/tag/paix").is_manual = True
    assert register((f"{OLD}/tag/paix", ("list", "/business/"))) == 0
    assert site.get("/tag/paix/").location == TOPIC


def test_invalid_addresses_and_targets_are_left_out(app: Flask) -> None:
    entries: list[tuple[str, tuple[str, int | str]]] = [
        ("", ("path", "/archive/")),
        ("/", ("path", "/archive/")),
        (f"{OLD}/", ("path", "/archive/")),
        ("http://[", ("path", "/archive/")),
        ("javascript:alert(1)", ("path", "/archive/")),
        ("mailto:a@example", ("path", "/archive/")),
        ("/" + "x" * 501, ("path", "/archive/")),
        ("/" * 4000 + "x", ("path", "/archive/")),
        ("/a", ("path", "https://evil.example/")),
        ("/a", ("list", "/nowhere/")),
        ("/a", ("list", "/topic/nothing/")),
        ("/a", ("media", "../../etc/passwd")),
        ("/a", ("media", f"ab/{'ab' * 16}-640.jpg")),
    ]
    assert register(*entries) == 0
    assert db.session.scalar(select(func.count()).select_from(OldAddress)) == 0


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (f"{OLD}/?p=07&x=1", "/?p=7"),
        (f"{OLD}?page_id=7", "/?p=7"),
        (f"{OLD}/blog/?p=7", "/blog?p=7"),
        (f"{OLD}/a//B/", "/a/b"),
        (f"{OLD}/a#part", "/a"),
        (f"{OLD}/caf%C3%A9/", "/café"),
        (f"{OLD}/cafe%CC%81/", "/café"),
        (f"{OLD}/a?z=1&b=2&utm_source=3", "/a?b=2&z=1"),
    ],
)
def test_the_stored_form_of_an_address(url: str, address: str) -> None:
    assert normalize_address(url) == address


def test_only_queries_of_the_front_page_can_be_old() -> None:
    assert may_be_old("/", "p=7") and may_be_old("/fr/", "s=x") and may_be_old("/", "a=b&cat=1")
    assert not may_be_old("/politics/", "p=7")
    assert not may_be_old("/", "fbclid=p=7") and not may_be_old("/", "p=7x")


def test_nginx_knows_the_same_queries() -> None:
    config = (ROOT / "deploy/nginx-shared.conf").read_text()
    alternatives = FRONT_QUERY.pattern.removeprefix("(?:^|&)(?:").removesuffix(")")
    assert (
        f'"~^{FRONT_PATH.pattern}\\?(?:[^#]*&)?(?:{alternatives})" $request_uri;'
        in config.replace("(?:[&#]|$)", "(?:&|$)")
    )


@pytest.mark.parametrize("permalink", ["/stories/<slug>", "/<year>/<month>/<day>/<slug>"])
def test_old_addresses_under_other_permalinks(permalink: str, fresh_data: Path) -> None:
    app = create_app(settings(fresh_data, SPECTATOR_PERMALINK=permalink))
    with app.app_context():
        client = app.test_client()
        for url in ("/?p=7", "/2024/05/17/the-rains", "/stories/rains", "/2024/05/17/the-rains/"):
            assert client.get(url).status_code == 404
