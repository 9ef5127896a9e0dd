"""nginx with a deleted cache, other host names, a CDN in front, two sites, and long URLs."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from tests.drills.nginx_proxy import (
    BROWSER,
    LISTEN_LINES,
    NAME,
    NGINX,
    SITE_CONFIG,
    Nginx,
    Response,
    StubSite,
    adapt_config,
    fetch,
)
from tests.drills.proxied_site import ProxiedSite, run_proxied_site
from tests.drills.running_site import ROOT, free_port
from tests.drills.test_nginx import proxied

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]
__all__ = ["proxied"]


def test_deleting_the_cache_while_nginx_runs_causes_no_error(proxied: ProxiedSite) -> None:
    proxied.site.pages["/cached"] = "first"
    assert fetch(proxied.nginx.port, "/cached", BROWSER).text == "first"
    assert any(key.endswith("/cached") for key in proxied.nginx.cached_keys())
    proxied.nginx.delete_cache()
    for path in ("/cached", "/fresh", "/cached"):
        proxied.site.pages.setdefault(path, f"words of {path}")
        response = fetch(proxied.nginx.port, path, BROWSER)
        assert (response.status, response.text) == (200, proxied.site.pages[path])
    proxied.nginx.cache.mkdir(exist_ok=True)
    assert fetch(proxied.nginx.port, "/fresh", BROWSER).status == 200


def test_an_unwritable_cache_causes_no_error(proxied: ProxiedSite) -> None:
    """In production nginx cannot create a deleted cache directory again, because its parent belongs
    to root. A file in its place has the same effect here.
    """
    proxied.nginx.delete_cache()
    proxied.nginx.cache.write_text("not a directory")
    try:
        proxied.site.pages["/uncached"] = "words"
        for _ in range(3):
            response = fetch(proxied.nginx.port, "/uncached", BROWSER)
            assert (response.status, response.text) == (200, "words")
    finally:
        proxied.nginx.cache.unlink()


@pytest.mark.parametrize("host", ["www.news.example", "127.0.0.1", "localhost", "evil.example"])
def test_other_host_names_redirect_to_the_site(proxied: ProxiedSite, host: str) -> None:
    proxied.site.requests.clear()
    for path in ("/politics/a-story?x=1", "/newsroom/login"):
        response = fetch(proxied.nginx.port, path, Host=host)
        assert (response.status, response.headers["location"]) == (301, f"http://{NAME}{path}")
    assert not proxied.site.requests
    for equivalent in (NAME.upper(), f"{NAME}.", f"{NAME}:8080"):
        assert fetch(proxied.nginx.port, "/politics/a-story", Host=equivalent).status != 301


def test_nginx_rejects_very_long_paths_but_not_long_searches(proxied: ProxiedSite) -> None:
    for path in ("/" + "a" * 8000, "/p/" + "%41" * 2500):
        assert fetch(proxied.nginx.port, path, BROWSER).status == 414
    proxied.site.pages["/" + "b" * 1900] = "long"
    assert fetch(proxied.nginx.port, "/" + "b" * 1900, BROWSER).status == 200
    assert fetch(proxied.nginx.port, "/search?q=" + "a" * 20_000, BROWSER).status != 414


def enable_cdn(config: str) -> str:
    """Return the configuration with its CDN lines enabled; the CDN's address is 127.0.0.1."""
    for line in (
        "set_real_ip_from 192.0.2.0/24;",
        "real_ip_header X-Forwarded-For;",
        "real_ip_recursive on;",
    ):
        assert f"# {line}" in config
        config = config.replace(f"# {line}", line.replace("192.0.2.0/24", "127.0.0.1"))
    return config


@pytest.fixture
def behind_cdn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedSite]:
    """A stub site behind nginx, which expects a CDN on this machine."""
    with run_proxied_site(tmp_path_factory.mktemp("cdn"), enable_cdn) as proxied:
        yield proxied


def test_the_readers_address_is_taken_from_x_forwarded_for_only_behind_a_cdn(
    behind_cdn: ProxiedSite, proxied: ProxiedSite
) -> None:
    for stub, address in ((behind_cdn, "203.0.113.7"), (proxied, "127.0.0.1")):
        stub.site.requests.clear()
        fetch(stub.nginx.port, "/newsroom/who", X_Forwarded_For="198.51.100.9, 203.0.113.7")
        assert stub.site.requests[0].headers["x-forwarded-for"] == address


def second_site_config() -> str:
    """Return deploy/nginx.conf as changed by the command in its head, for a second site."""
    [command] = re.findall(r"^#   (sed '.+' deploy/nginx\.conf)$", SITE_CONFIG.read_text(), re.M)
    return subprocess.run(
        shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_the_command_for_a_second_site_changes_all_names_that_must_differ() -> None:
    first, second = SITE_CONFIG.read_text(), second_site_config()
    assert re.findall(r"@\w+", second) == re.findall(r"@\w+", first)
    for pattern in (  # of the names that must differ
        r"^proxy_cache_path (\S+)",
        r"keys_zone=(\w+)",
        r"^upstream (\w+)",
        r"^    server ([0-9.:]+)",
        r"^map \S+ (\$\w+)",
        r"^    server_name (\S+)",
        r"^    access_log (\S+)",
        r"^    error_log (\S+)",
    ):
        names, second_names = (re.findall(pattern, text, re.M) for text in (first, second))
        assert len(names) == len(second_names) > 0 and not set(names) & set(second_names)


def test_one_nginx_serves_two_sites(tmp_path_factory: pytest.TempPathFactory) -> None:
    home, first, second = tmp_path_factory.mktemp("two"), StubSite(), StubSite()
    nginx = Nginx(home / "nginx", first.port, home / "media")
    port = free_port()
    changes = {
        LISTEN_LINES: f"    listen 127.0.0.1:{port};\n",
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
        assert len(second.requests) == 1
        second.pages |= {"/": "changed", "/static/site.css": "styles"}
        # Each of these three requests needs one of nginx's named locations.
        assert fetch_second("/", X_Spectator_Renew="1").text == "changed"  # @renewal
        assert fetch_second("/static/site.css").text == "styles"  # @site
        second.stop()
        # @seen: while the site is down, nginx sends its copy of the page without the parameter.
        assert fetch_second("/?fbclid=1").text == "changed"
    finally:
        nginx.stop()
        for site in (first, second):
            site.stop()


def test_hsts_does_not_include_subdomains(proxied: ProxiedSite) -> None:
    config = (proxied.nginx.home / "site.conf").read_text()
    assert 'https "max-age=31536000";' in config


def test_nginx_accepts_the_configuration_without_warnings(proxied: ProxiedSite) -> None:
    assert NGINX is not None
    command = [
        NGINX,
        "-t",
        "-p",
        str(proxied.nginx.home),
        "-c",
        str(proxied.nginx.home / "nginx.conf"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "[warn]" not in result.stderr
