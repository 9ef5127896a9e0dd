"""The headers that every response carries: Content-Security-Policy and its companions."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from spectator.presentation import STYLE_HASH

PLAIN = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def content_security_policy(htmx_url: str) -> str:
    """Return the one strict policy: scripts from the htmx address alone, styles of ours alone, no third party."""
    script = htmx_url if urlsplit(htmx_url).netloc else "'self'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {script}",
            f"style-src 'self' '{STYLE_HASH}'",
            "img-src 'self' data:",
            "media-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def register(app: Flask) -> None:
    """Put the headers on every response, whatever made it."""
    policy = content_security_policy(app.config["HTMX_URL"])

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in PLAIN.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", policy)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        return response
