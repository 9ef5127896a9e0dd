"""Caddy and Apache with the configurations of deploy/, in front of a stub site."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.drills.nginx_proxy import BROWSER, NAME, SITE_POLICY, StubSite, fetch, send_raw
from tests.drills.running_site import ROOT, eventually, free_port

pytestmark = pytest.mark.drill
PATH = "/usr/sbin:/usr/bin:/sbin:/usr/local/sbin:/usr/local/bin"
CADDY, APACHE = shutil.which("caddy", path=PATH), shutil.which("apache2", path=PATH)
APACHE_MAIN = """
ServerRoot "{home}"
PidFile "{home}/pid"
ErrorLog "{home}/error.log"
Listen 127.0.0.1:{port}
{modules}
{user}
Include "{home}/site.conf"
"""
MODULES = ("mpm_event", "authz_core", "proxy", "proxy_http", "headers", "rewrite", "reqtimeout")


@dataclass(frozen=True, slots=True)
class Proxied:
    """A stub site behind a proxy that listens on a port."""

    site: StubSite
    port: int


def prepare_caddy(home: Path, site_port: int, port: int) -> list[str]:
    """Write Caddy's configuration without https; return the command."""
    text = (ROOT / "deploy/Caddyfile").read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{site_port}")
    for name in (f"www.{NAME}", NAME):
        assert f"\n{name} {{" in text
        text = text.replace(f"\n{name} {{", f"\nhttp://{name}:{port} {{")
    text = text.replace("\n{\n", "\n{\n\tadmin off\n\tauto_https off\n", 1)
    (home / "Caddyfile").write_text(text, encoding="utf-8")
    assert CADDY is not None
    return [CADDY, "run", "--config", str(home / "Caddyfile"), "--adapter", "caddyfile"]


def prepare_apache(home: Path, site_port: int, port: int) -> list[str]:
    """Write Apache's configuration and its directories; return the command."""
    text = (ROOT / "deploy/apache.conf").read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:8000", f"127.0.0.1:{site_port}").replace(
        "*:80>", f"127.0.0.1:{port}>"
    )
    (home / "site.conf").write_text(text, encoding="utf-8")
    modules = "\n".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in MODULES
    )
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    main = APACHE_MAIN.format(home=home, port=port, modules=modules, user=user)
    (home / "apache2.conf").write_text(main, encoding="utf-8")
    assert APACHE is not None
    return [APACHE, "-f", str(home / "apache2.conf"), "-D", "FOREGROUND"]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            prepare_caddy,
            marks=pytest.mark.skipif(CADDY is None, reason="Caddy is not installed"),
            id="caddy",
        ),
        pytest.param(
            prepare_apache,
            marks=pytest.mark.skipif(APACHE is None, reason="Apache is not installed"),
            id="apache",
        ),
    ],
)
def proxied(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    """A stub site behind Caddy or Apache."""
    home, site, port = tmp_path_factory.mktemp("proxy"), StubSite(), free_port()
    prepare: Callable[[Path, int, int], list[str]] = request.param
    command = prepare(home, site.port, port)
    environment = {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "PATH": PATH,
    }
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        site.start()
        site.pages["/up"] = "up"
        eventually(lambda: is_up(port), 15, "a response through the proxy")
        yield Proxied(site, port)
    finally:
        process.terminate()
        process.wait(20)
        site.stop()


def is_up(port: int) -> bool:
    """Return whether the site responds through the proxy."""
    try:
        return fetch(port, "/up").status == 200
    except OSError:
        return False


def test_the_site_receives_the_clients_address_and_no_forged_headers(proxied: Proxied) -> None:
    proxied.site.pages["/a%2Fb"] = "words " * 500
    proxied.site.requests.clear()
    forged = {
        "X_Forwarded_For": "203.0.113.9",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "localhost",
        "X_Forwarded_Protocol": "ssl",
        "X_Forwarded_Ssl": "on",
        "X_Forwarded_Prefix": "/x",
        "Forwarded": "for=::1",
    }
    response = fetch(proxied.port, "/a%2Fb", BROWSER, **forged)
    assert (response.status, response.encoding, response.text) == (200, "br", "words " * 500)
    [request] = proxied.site.requests
    assert (request.path, request.headers["host"].partition(":")[0]) == ("/a%2Fb", NAME)
    assert request.headers["x-forwarded-for"].rpartition(",")[2].strip() == "127.0.0.1"
    assert request.headers["x-forwarded-proto"] == "http"
    assert (
        request.headers["x-forwarded-host"].rpartition(",")[2].strip().partition(":")[0] == NAME
    )
    removed = ("x-forwarded-protocol", "x-forwarded-ssl", "x-forwarded-prefix", "forwarded")
    assert not [name for name in removed if request.headers.get(name)]


def test_no_header_of_a_client_changes_the_path(proxied: Proxied) -> None:
    """SCRIPT_NAME and PATH_INFO would change the path if gunicorn is set to read them."""
    proxied.site.requests.clear()
    head = f"GET /up HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n"
    send_raw(proxied.port, f"{head}SCRIPT_NAME: /x\r\nPATH_INFO: /y\r\n\r\n".encode())
    [request] = proxied.site.requests
    assert not {"script_name", "path_info"} & request.headers.keys()


def test_long_searches_large_cookies_and_uploads_reach_the_site(proxied: Proxied) -> None:
    # 404 comes from the stub site, which has none of these pages.
    assert fetch(proxied.port, "/search?q=" + "a" * 20_000).status == 404
    assert fetch(proxied.port, "/newsroom/x", Cookie="neighbour=" + "a" * 9000).status == 404
    body = bytes(5_000_000)
    assert (
        fetch(
            proxied.port, "/newsroom/x", method="POST", body=body, Content_Length=str(len(body))
        ).status
        == 404
    )


def test_other_host_names_redirect_to_the_site(proxied: Proxied) -> None:
    response = fetch(proxied.port, "/politics/a-story?x=1", Host=f"www.{NAME}")
    assert response.status == 301
    assert response.headers["location"].partition("://")[2] == f"{NAME}/politics/a-story?x=1"


def test_responses_of_the_proxy_itself_have_the_security_headers(proxied: Proxied) -> None:
    proxied.site.pages["/page"] = "words"
    page = fetch(proxied.port, "/page", BROWSER)
    passed_on = [page, fetch(proxied.port, "/nothing")]
    unchanged = fetch(proxied.port, "/page", BROWSER, If_None_Match=page.headers["etag"])
    proxied.site.stop()
    try:
        own = fetch(proxied.port, "/up")
    finally:
        proxied.site.start()
    assert [response.status for response in passed_on] == [200, 404]
    for response in passed_on:
        assert response.headers["content-security-policy"] == SITE_POLICY
        assert "x-content-type-options" not in response.headers, "the site decides"
    assert unchanged.status == 304 and "content-security-policy" not in unchanged.headers
    assert own.status in (502, 503)
    assert own.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert own.headers["x-content-type-options"] == "nosniff"
    assert own.headers["referrer-policy"] == "strict-origin-when-cross-origin"
