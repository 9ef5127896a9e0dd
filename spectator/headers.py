"""Security headers of every response, and safe targets of redirects."""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, request

from spectator import request_ids
from spectator.config import EDITOR_SCRIPTS
from spectator.stylesheet import Stylesheet
from spectator.urls import is_loopback

DEFAULT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


# Of a URL in a header. nginx answers 502 if the headers do not fit into its buffer of 32 kB, and
# with several hosts takes that for a failure of the host.
MAX_URL_LENGTH = 8_000

# Pages that the newsroom shows in a frame; all others may not be framed.
FRAMED_ENDPOINTS = frozenset({"newsroom.preview", "newsroom.preview_new"})


def content_security_policy(
    style_hashes: str, cdn: str, files: str, scripts: list[str], *directives: str
) -> str:
    """Return a strict policy: these scripts and files, the site's own styles, nothing else.

    `files` are the sources of pictures, audio and video, `cdn` is another one of pictures.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(scripts)}",
            f"style-src 'self' {style_hashes}",
            f"img-src {files} data: {cdn}".rstrip(),
            f"media-src {files}",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            *directives,
        )
    )


def safe_redirect_target(location: str, site_url: str) -> str:
    """Return a safe target of a redirect: a path, or a URL below SITE_URL, never another host."""
    parts = urlsplit(location)
    if not parts.netloc and not re.match(r"[/\\]{2}", location):
        return location
    if f"{parts.scheme}://{parts.netloc}" == site_url:
        return location
    # Browsers read // and /\ as the start of a host.
    path = re.sub(r"^[/\\]*", "/", parts.path, count=1)
    return urlunsplit(("", "", path, parts.query, parts.fragment))


def limit_urls(response: Response) -> None:
    """Keep a response's headers short, however long the URL of its request was.

    A redirect loses its query string, or becomes 414 if its path is too long.
    """
    if len(response.headers.get("HX-Replace-Url", "")) > MAX_URL_LENGTH:
        del response.headers["HX-Replace-Url"]
    if response.location and len(response.location) > MAX_URL_LENGTH:
        response.location = response.location.partition("?")[0]
        response.set_data("")  # the body has the whole URL
        if len(response.location) > MAX_URL_LENGTH:
            response.status_code = 414
            del response.headers["Location"]


def register(app: Flask) -> None:
    """Add the headers to every response."""
    htmx = app.config["HTMX_URL"]
    site_scripts = ["'self'", htmx] if urlsplit(htmx).netloc else ["'self'"]
    newsroom_scripts = [*site_scripts, *(url for url, _ in EDITOR_SCRIPTS)]
    stylesheet: Stylesheet = app.extensions["stylesheet"]
    media_url: str = app.config["MEDIA_URL"]
    cdn = f"{media_url}/" if media_url else ""
    policy_of = partial(content_security_policy, stylesheet.csp_sources, cdn)
    public = policy_of("'self'", site_scripts, "frame-ancestors 'none'")
    hsts = "max-age=31536000" + ("; includeSubDomains" if app.config["HSTS_SUBDOMAINS"] else "")
    framed = policy_of("'self'", ["'none'"], "frame-ancestors 'self'")

    def newsroom_policy() -> str:
        """Return the policy of newsroom pages: pictures in a text must not load costly pages."""
        hosts = {app.config["SITE_URL"]} | (
            {request.host_url.rstrip("/")} if is_loopback(request.host) else set()
        )
        files = [f"{host}{path}" for host in sorted(hosts) for path in ("/media/", "/static/")]
        directives = ("frame-src 'self'", "frame-ancestors 'none'")
        return policy_of(" ".join(files), newsroom_scripts, *directives)

    @app.after_request
    def add_headers(response: Response) -> Response:
        if response.location:
            location = safe_redirect_target(response.location, app.config["SITE_URL"])
            if location != response.location:
                response.set_data("")  # the body links to the unsafe target
            response.location = location
        limit_urls(response)
        if request.endpoint in FRAMED_ENDPOINTS:
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
            response.headers.setdefault("Content-Security-Policy", framed)
        for name, value in DEFAULT_HEADERS.items():
            response.headers.setdefault(name, value)
        is_newsroom = request.path.startswith("/newsroom/")
        policy = newsroom_policy() if is_newsroom else public
        response.headers.setdefault("Content-Security-Policy", policy)
        if request.path.startswith("/newsroom/") or response.status_code >= 500:
            # Never on a page that caches store: they would repeat the id to others.
            response.headers[request_ids.HEADER] = request_ids.current_id()
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", hsts)
        return response
