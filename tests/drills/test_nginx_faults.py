"""nginx in trouble: cache deleted, other host names, a CDN in front, two sites, URLs too long."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.drills.nginx_proxy import BROWSER, NAME, NGINX, Nginx, SmallSite, ask
from tests.drills.running_site import free_port
from tests.drills.small_site import Small, small_site
from tests.drills.test_nginx import small

pytestmark = [pytest.mark.drill, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]
__all__ = ["small"]


def test_a_cache_that_is_deleted_costs_no_reader_an_answer(small: Small) -> None:
    small.site.pages["/kept"] = "first"
    assert ask(small.nginx.port, "/kept", BROWSER).text == "first"
    assert any(key.endswith("/kept") for key in small.nginx.cached_keys())
    shutil.rmtree(small.nginx.cache)
    for path in ("/kept", "/fresh", "/kept"):
        small.site.pages.setdefault(path, f"words of {path}")
        reply = ask(small.nginx.port, path, BROWSER)
        assert (reply.status, reply.text) == (200, small.site.pages[path])
    small.nginx.cache.mkdir(exist_ok=True)
    assert ask(small.nginx.port, "/fresh", BROWSER).status == 200


def test_a_cache_that_cannot_be_written_costs_no_reader_an_answer(small: Small) -> None:
    """Deleting a directory below root's has this effect on nginx, which runs as another user."""
    shutil.rmtree(small.nginx.cache)
    small.nginx.cache.write_text("a file where the directory was")
    try:
        small.site.pages["/unkept"] = "words"
        for _ in range(3):
            reply = ask(small.nginx.port, "/unkept", BROWSER)
            assert (reply.status, reply.text) == (200, "words")
    finally:
        small.nginx.cache.unlink()


@pytest.mark.parametrize("host", ["www.news.example", "127.0.0.1", "localhost", "evil.example"])
def test_another_name_leads_to_the_site(small: Small, host: str) -> None:
    small.site.visits.clear()
    for path in ("/politics/a-story?x=1", "/newsroom/login"):
        reply = ask(small.nginx.port, path, Host=host)
        assert (reply.status, reply.headers["location"]) == (301, f"http://{NAME}{path}")
    assert not small.site.visits
    for same in (NAME.upper(), f"{NAME}.", f"{NAME}:8080"):
        assert ask(small.nginx.port, "/politics/a-story", Host=same).status != 301


@pytest.mark.parametrize(
    ("path", "statuses"), [("/" + "a" * 8000, {414}), ("/p/" + "%41" * 2500, {414})]
)
def test_a_path_of_thousands_of_letters_is_no_fault_of_the_site(
    small: Small, path: str, statuses: set[int]
) -> None:
    assert ask(small.nginx.port, path, BROWSER).status in statuses
    small.site.pages["/" + "b" * 1900] = "long"
    assert ask(small.nginx.port, "/" + "b" * 1900, BROWSER).status == 200
    assert ask(small.nginx.port, "/search?q=" + "a" * 20_000, BROWSER).status != 414


def enable_cdn(config: str) -> str:
    """Return the configuration with the lines for a CDN, which is this machine."""
    for line in (
        "set_real_ip_from 192.0.2.0/24;",
        "real_ip_header X-Forwarded-For;",
        "real_ip_recursive on;",
    ):
        assert f"# {line}" in config
        config = config.replace(f"# {line}", line.replace("192.0.2.0/24", "127.0.0.1"))
    return config


@pytest.fixture
def behind_cdn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    """Small site behind nginx with the CDN lines enabled; the CDN is this machine."""
    with small_site(tmp_path_factory.mktemp("cdn"), enable_cdn) as small:
        yield small


def test_behind_a_cdn_each_reader_has_an_address(behind_cdn: Small, small: Small) -> None:
    for proxied, address in ((behind_cdn, "203.0.113.7"), (small, "127.0.0.1")):
        proxied.site.visits.clear()
        ask(proxied.nginx.port, "/newsroom/who", X_Forwarded_For="198.51.100.9, 203.0.113.7")
        assert proxied.site.visits[0].headers["x-forwarded-for"] == address


def test_two_sites_share_one_nginx(tmp_path_factory: pytest.TempPathFactory) -> None:
    home, first = tmp_path_factory.mktemp("two"), SmallSite()
    second = SmallSite()
    nginx = Nginx(home / "nginx", first.port, home / "media")
    text, port = (nginx.home / "site.conf").read_text(), free_port()
    own_config = text.replace(str(nginx.cache), "CACHE").replace(
        f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"
    )
    other = (
        own_config.replace("spectator", "second")
        .replace("CACHE", f"{nginx.cache}2")
        .replace(NAME, "second.example")
    )
    (nginx.home / "site2.conf").write_text(
        other.replace(f"listen 127.0.0.1:{nginx.port}", f"listen 127.0.0.1:{port}")
    )
    try:
        for site in (first, second):
            site.start()
        first.pages["/"], second.pages["/"] = "the first", "the second"
        nginx.start()
        assert ask(nginx.port, "/", BROWSER).text == "the first"
        assert ask(port, "/", BROWSER, Host="second.example").text == "the second"
        assert ask(port, "/", BROWSER, Host="second.example").text == "the second"
    finally:
        nginx.stop()
        for site in (first, second):
            site.stop()


def test_nginx_says_nothing_of_other_hosts_under_the_domain(small: Small) -> None:
    text = (small.nginx.home / "site.conf").read_text()
    assert 'https "max-age=31536000";' in text
    assert NGINX is not None
    command = [NGINX, "-t", "-p", str(small.nginx.home), "-c", str(small.nginx.home / "nginx.conf")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "[warn]" not in result.stderr
