"""nginx with a deleted cache, other host names, a CDN in front, two sites, and long URLs."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from tests.drills.nginx_proxy import (
    BROWSER,
    DEFAULT_PORTS,
    NAME,
    NGINX,
    SITE_CONFIG,
    Nginx,
    Response,
    SmallSite,
    adapt_config,
    fetch,
)
from tests.drills.running_site import ROOT, free_port
from tests.drills.small_site import Small, small_site
from tests.drills.test_nginx import small

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]
__all__ = ["small"]


def test_deleting_the_cache_while_nginx_runs_causes_no_error(small: Small) -> None:
    small.site.pages["/cached"] = "first"
    assert fetch(small.nginx.port, "/cached", BROWSER).text == "first"
    assert any(key.endswith("/cached") for key in small.nginx.cached_keys())
    small.nginx.delete_cache()
    for path in ("/cached", "/fresh", "/cached"):
        small.site.pages.setdefault(path, f"words of {path}")
        response = fetch(small.nginx.port, path, BROWSER)
        assert (response.status, response.text) == (200, small.site.pages[path])
    small.nginx.cache.mkdir(exist_ok=True)
    assert fetch(small.nginx.port, "/fresh", BROWSER).status == 200


def test_an_unwritable_cache_causes_no_error(small: Small) -> None:
    """In production a deleted cache stays unwritable: its parent directory belongs to root, so that
    nginx's workers cannot create it again. A file in its place has the same effect here.
    """
    small.nginx.delete_cache()
    small.nginx.cache.write_text("not a directory")
    try:
        small.site.pages["/uncached"] = "words"
        for _ in range(3):
            response = fetch(small.nginx.port, "/uncached", BROWSER)
            assert (response.status, response.text) == (200, "words")
    finally:
        small.nginx.cache.unlink()


@pytest.mark.parametrize("host", ["www.news.example", "127.0.0.1", "localhost", "evil.example"])
def test_other_host_names_redirect_to_the_site(small: Small, host: str) -> None:
    small.site.visits.clear()
    for path in ("/politics/a-story?x=1", "/newsroom/login"):
        response = fetch(small.nginx.port, path, Host=host)
        assert (response.status, response.headers["location"]) == (301, f"http://{NAME}{path}")
    assert not small.site.visits
    for equivalent in (NAME.upper(), f"{NAME}.", f"{NAME}:8080"):
        assert fetch(small.nginx.port, "/politics/a-story", Host=equivalent).status != 301


def test_nginx_rejects_very_long_paths_but_not_long_searches(small: Small) -> None:
    for path in ("/" + "a" * 8000, "/p/" + "%41" * 2500):
        assert fetch(small.nginx.port, path, BROWSER).status == 414
    small.site.pages["/" + "b" * 1900] = "long"
    assert fetch(small.nginx.port, "/" + "b" * 1900, BROWSER).status == 200
    assert fetch(small.nginx.port, "/search?q=" + "a" * 20_000, BROWSER).status != 414


def enable_cdn(config: str) -> str:
    """Return the configuration with its lines for a CDN enabled, for a CDN on this machine."""
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
    """Small site behind nginx, which expects a CDN on this machine."""
    with small_site(tmp_path_factory.mktemp("cdn"), enable_cdn) as small:
        yield small


def test_the_readers_address_is_taken_from_x_forwarded_for_only_behind_a_cdn(
    behind_cdn: Small, small: Small
) -> None:
    for proxied, address in ((behind_cdn, "203.0.113.7"), (small, "127.0.0.1")):
        proxied.site.visits.clear()
        fetch(proxied.nginx.port, "/newsroom/who", X_Forwarded_For="198.51.100.9, 203.0.113.7")
        assert proxied.site.visits[0].headers["x-forwarded-for"] == address


def second_site_config() -> str:
    """Return deploy/nginx.conf as changed by the command in its head, for a second site."""
    [command] = re.findall(r"^#   (sed '.+' deploy/nginx\.conf)$", SITE_CONFIG.read_text(), re.M)
    return subprocess.run(
        shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_the_command_for_a_second_site_changes_all_names_that_must_differ() -> None:
    first, second = SITE_CONFIG.read_text(), second_site_config()
    assert re.findall(r"@\w+", second) == re.findall(r"@\w+", first)
    for own_name in (
        r"^proxy_cache_path (\S+)",
        r"keys_zone=(\w+)",
        r"^upstream (\w+)",
        r"^    server ([0-9.:]+)",
        r"^map \S+ (\$\w+)",
        r"^    server_name (\S+)",
        r"^    access_log (\S+)",
        r"^    error_log (\S+)",
    ):
        names, second_names = (re.findall(own_name, text, re.M) for text in (first, second))
        assert len(names) == len(second_names) > 0 and not set(names) & set(second_names)


def test_one_nginx_serves_two_sites(tmp_path_factory: pytest.TempPathFactory) -> None:
    home, first, second = tmp_path_factory.mktemp("two"), SmallSite(), SmallSite()
    nginx = Nginx(home / "nginx", first.port, home / "media")
    port = free_port()
    changes = {
        DEFAULT_PORTS: f"    listen 127.0.0.1:{port};\n",
        "127.0.0.1:8001": f"127.0.0.1:{second.port}",
        "/srv/second": str(ROOT),
        "/var/lib/second/media": str(home / "media2"),
        "/var/cache/second": f"{nginx.cache}2",
        "/var/log/nginx/second": str(nginx.home / "site2"),
    }
    (nginx.home / "site2.conf").write_text(adapt_config(second_site_config(), changes))

    def fetch_second(path: str, **headers: str) -> Response:
        return fetch(port, path, BROWSER, Host="second.example", **headers)

    try:
        for site in (first, second):
            site.start()
        first.pages["/"], second.pages["/"] = "the first", "the second"
        nginx.start()
        assert fetch(nginx.port, "/", BROWSER).text == "the first"
        for _ in range(2):  # from the site, then from the cache
            assert fetch_second("/").text == "the second"
        assert len(second.visits) == 1
        second.pages |= {"/": "changed", "/static/site.css": "styles"}
        # Each of these needs a named location: @renewal, @site and @seen.
        assert fetch_second("/", X_Spectator_Renew="1").text == "changed"
        assert fetch_second("/static/site.css").text == "styles"
        second.stop()
        assert fetch_second("/?fbclid=1").text == "changed"
    finally:
        nginx.stop()
        for site in (first, second):
            site.stop()


def test_hsts_does_not_include_subdomains(small: Small) -> None:
    config = (small.nginx.home / "site.conf").read_text()
    assert 'https "max-age=31536000";' in config


def test_nginx_accepts_the_configuration_without_warnings(small: Small) -> None:
    assert NGINX is not None
    command = [
        NGINX,
        "-t",
        "-p",
        str(small.nginx.home),
        "-c",
        str(small.nginx.home / "nginx.conf"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "[warn]" not in result.stderr
