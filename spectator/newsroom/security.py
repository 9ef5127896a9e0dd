"""Checks before every newsroom request: HTTPS, CSRF, session; its cookies and cache headers."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlsplit

from flask import Response, abort, current_app, g, has_request_context, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from spectator import tokens
from spectator.accounts import Client, is_unchanged, session_by_token
from spectator.db import db
from spectator.i18n import lazy_gettext
from spectator.models import User
from spectator.newsroom import URL_PREFIX, bp
from spectator.newsroom.preferences import follow_person
from spectator.urls import is_loopback

log = logging.getLogger(__name__)

SESSION_COOKIE = "__Host-session"
SESSION_COOKIE_SECONDS = 30 * 24 * 3600
# Identifies a browser that has logged in before, so that attackers who guess passwords cannot lock
# its owner out. It grants no access.
DEVICE_COOKIE, DEVICE_COOKIE_SECONDS = "__Host-device", 180 * 24 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
CSRF_TOKEN_SECONDS = 12 * 3600

View = TypeVar("View", bound=Callable[..., object])
PUBLIC_VIEWS: set[object] = set()
LARGE_FORM_VIEWS: set[object] = set()
RETURNED_FORM_VIEWS: set[object] = set()
ADMIN_VIEWS: set[object] = set()
EDITOR_VIEWS: set[object] = set()

# The limits of a request and of its fields together. Both lie far above what may be stored, so that
# a text or a picture that is too large comes back with a message and all other fields. Larger
# requests get a plain 413. The merge page contains a text of a megabyte two or three times;
# rendering it takes about thirty times as much memory.
MAX_STORY_BYTES, MAX_STORY_FIELD_BYTES = 64 * 1024 * 1024, 4 * 1024 * 1024
MAX_LOGIN_BYTES = 20_000

HTTPS_REQUIRED = lazy_gettext(
    "The newsroom needs https here (behind a proxy that has it, set SPECTATOR_TRUSTED_PROXIES)."
)
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}


def public(view: View) -> View:
    """Mark a view that needs no login."""
    PUBLIC_VIEWS.add(view)
    return view


def large_form(view: View) -> View:
    """Mark a view that accepts a story, a picture, or both."""
    LARGE_FORM_VIEWS.add(view)
    return view


def returned_if_logged_out(view: View) -> View:
    """Mark a view whose form is shown again, to be sent after a login."""
    RETURNED_FORM_VIEWS.add(view)
    return view


def for_admins(view: View) -> View:
    """Mark a view that only administrators may open."""
    ADMIN_VIEWS.add(view)
    return view


def for_editors(view: View) -> View:
    """Mark a view that only editors and administrators may open."""
    EDITOR_VIEWS.add(view)
    return view


def requested_view() -> object:
    """Return the view of the requested address, None if there is none."""
    return current_app.view_functions.get(request.endpoint or "")


@bp.after_app_request
def add_headers(response: Response) -> Response:
    """Keep everything below the newsroom's address out of caches and search engines."""
    if request.path == URL_PREFIX or request.path.startswith(URL_PREFIX + "/"):
        response.headers.update(HEADERS)
    return response


def check_request() -> AnyResponse | None:
    """Return the response to a refused request, else None; set `g.session` and `g.user`."""
    g.user = None
    if not has_safe_transport():
        return Response(f"{HTTPS_REQUIRED}\n", 403, content_type="text/plain; charset=utf-8")
    is_write = request.method not in SAFE_METHODS
    if not is_write and (url := canonical_url()):
        return redirect(url, 301)
    has_same_origin = is_same_origin() if is_write else True
    if has_same_origin is False:
        log.warning(
            "cross-site %s %s from %s refused", request.method, request.path, request.remote_addr
        )
        abort(403)
    token = request.cookies.get(SESSION_COOKIE, "")
    g.session = session_by_token(token) if token else None
    g.user = g.session.user if g.session else None
    if g.user is not None:
        follow_person(g.user)
    g.needs_form_token = is_write and has_same_origin is None
    return None


class SessionEnded(Exception):
    """The person was logged out, or got another role, while their request was running."""


def require_session(session: Session) -> None:
    """Raise SessionEnded if the person of this request may no longer write.

    A large text may take long to arrive, and a picture to be decoded.
    """
    user = g.get("user") if has_request_context() else None
    if user is None or requested_view() in PUBLIC_VIEWS:
        return
    if not is_unchanged(session, g.session, user):
        raise SessionEnded


db.write_checks.add(require_session)


def canonical_url() -> str:
    """Return the URL under `SITE_URL` if the request used another host name, else "".

    Logging in works only under the site's own name. Requests to a loopback address stay there.
    """
    site_url: str = current_app.config["SITE_URL"]
    if is_loopback(request.host) or request.host == urlsplit(site_url).netloc:
        return ""
    return (
        site_url
        + quote(request.path)
        + ("?" + request.query_string.decode("ascii", "ignore")).rstrip("?")
    )


def check_form_body() -> None:
    """Limit the size of a form, and require its token if the browser sent no origin."""
    if request.method in SAFE_METHODS:
        return
    if request.mimetype not in FORM_TYPES and (request.mimetype or request.content_length):
        abort(415)
    if requested_view() in LARGE_FORM_VIEWS:
        allow_large_form()
    if g.user is None:
        request.max_content_length = request.max_form_memory_size = MAX_LOGIN_BYTES
    if g.needs_form_token and not has_valid_csrf_token():
        log.warning(
            "%s %s from %s without a valid form token refused",
            request.method,
            request.path,
            request.remote_addr,
        )
        abort(403)


def allow_large_form() -> None:
    """Raise the size limits for a story with its picture."""
    request.max_content_length = MAX_STORY_BYTES
    request.max_form_memory_size = MAX_STORY_FIELD_BYTES


def current_user() -> User:
    """Return the logged-in user; only for views that need a login."""
    user = g.user
    assert isinstance(user, User)
    return user


def client_address() -> str:
    """Return the client's IP address; forwarded ones count only from trusted proxies."""
    return request.remote_addr or ""


def client(new_device: str = "") -> Client:
    """Return the client's address and device, or a new device, for the limits on logins."""
    return Client(client_address(), request.cookies.get(DEVICE_COOKIE, "")[:100] or new_device)


def has_safe_transport() -> bool:
    """Return whether cookies are safe: the request used HTTPS or a loopback address."""
    return request.is_secure or is_loopback(request.host)


def is_same_origin() -> bool | None:
    """Return whether a page of this site sent the request, None if its headers do not say.

    OWASP CSRF Prevention Cheat Sheet: Sec-Fetch-Site first, then Origin, the form token last. A
    foreign Origin is refused whatever Sec-Fetch-Site says.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if origin is not None and origin != f"{request.scheme}://{request.host}":
        return False
    if site is not None:
        return site in {"same-origin", "none"}
    return None if origin is None else True


def _csrf_purpose() -> str:
    """Return the purpose of form tokens, bound to the session or, at the login, to the address."""
    token = request.cookies.get(SESSION_COOKIE, "")
    is_logged_in = g.get("user") is not None and requested_view() not in PUBLIC_VIEWS
    visitor = tokens.token_hash(token) if is_logged_in else f"address {client_address()}"
    return f"newsroom form {visitor}"


def csrf_token() -> str:
    """Return the token for a newsroom form.

    The signed value is random, so that the size of compressed pages reveals nothing (BREACH).
    """
    return tokens.issue(_csrf_purpose(), 12)


def has_valid_csrf_token() -> bool:
    """Return whether the form has a token issued to this visitor in the last twelve hours."""
    return tokens.is_issued(
        _csrf_purpose(), request.form.get("csrf_token", ""), CSRF_TOKEN_SECONDS
    )


def safe_next_path(text: str | None) -> str:
    """Return the newsroom path to open after the login; the list of stories if it is unsafe."""
    home = url_for("newsroom.stories")
    if (
        not text
        or len(text) > 500
        or not re.fullmatch(URL_PREFIX + r"/(?:[A-Za-z0-9/?=&._~+-]|%[0-9A-Fa-f]{2})*", text)
    ):
        return home
    return (
        home if text.startswith((url_for("newsroom.login"), url_for("newsroom.logout"))) else text
    )


def set_session_cookie(response: AnyResponse, token: str) -> AnyResponse:
    """Set the session cookie; browsers accept `__Host-` only over HTTPS from this host."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        SESSION_COOKIE_SECONDS,
        path="/",
        secure=True,
        httponly=True,
        samesite="Lax",
    )
    return response


def set_device_cookie(response: AnyResponse, device: str) -> AnyResponse:
    """Set the cookie that identifies the browser at its next login."""
    response.set_cookie(
        DEVICE_COOKIE,
        device,
        DEVICE_COOKIE_SECONDS,
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )
    return response


def clear_session_cookie(response: AnyResponse) -> AnyResponse:
    """Delete the session cookie and the browser's cache; its local storage stays."""
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
