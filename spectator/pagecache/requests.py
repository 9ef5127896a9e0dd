"""What a request asks for and nothing of who asks; what the site may say of its answer; the site's whole answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from spectator.compression import accepts_gzip, gzipped, is_worth_packing
from spectator.pagecache.pages import Headers, Key

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

LONGEST_PATH, LONGEST_QUERY = 300, 2000
# What is no page, or depends on more than path and cursors.
APART = (
    "/newsroom",
    "/search",
    "/fragments/search",
    "/fragments/suggest",
    "/static/",
    "/media/",
    "/healthz",
    "/readyz",
)
STRANGERS = ("HTTP_", "CONTENT_", "REMOTE_")  # what of an environment tells who asks
_CURSOR = "-?[0-9]{1,18}-[0-9]{1,18}"
# The parts of lists that the site's own links ask for; `site.positions` says what each word means.
_PARTS = f"(?:&rails={_CURSOR})?(?:&start={_CURSOR})?(?:&through={_CURSOR})?"
POSITION = re.compile(f"before={_CURSOR}{_PARTS}|through={_CURSOR}")
CURSOR_NAMES = frozenset({"before", "rails", "start", "through"})
EDITION = "spectator.edition"  # in the environment that the site gets: the outbox number its answer will count for
MARK, SUBJECT = "spectator.keep", "spectator.subject"
READING = frozenset({"GET", "HEAD"})


def fit_to_keep(environ: WSGIEnvironment) -> None:
    """Say, while a request is answered, that its scheme, path and cursor name something real: keep the response."""
    environ[MARK] = True


def is_about(environ: WSGIEnvironment, article_id: int) -> None:
    """Say, while a request is answered, that the response shows this one story: acts on others leave it as it is."""
    environ[SUBJECT] = article_id


def is_position(query: str) -> bool:
    """Return whether a query string names a part of a list, written as this site writes them."""
    return POSITION.fullmatch(query) is not None


@dataclass(slots=True)
class Answer:
    """A response of the site as it came."""

    status: str
    headers: Headers
    body: bytes

    @property
    def is_personal(self) -> bool:
        """Return whether it sets a cookie; such a thing is never kept, whatever a view says."""
        return any(name.lower() == "set-cookie" for name, _ in self.headers)

    def compressed_for(self, accept_encoding: str) -> Answer:
        """Return the response in gzip where it is text and the browser takes that: an error page, mostly."""
        names = {name.lower(): value for name, value in self.headers}
        mimetype = names.get("content-type", "").partition(";")[0]
        is_plain = "content-encoding" not in names and is_worth_packing(mimetype, self.body)
        if not is_plain or not accepts_gzip(accept_encoding):
            return self
        body = gzipped(self.body)
        headers = [(name, value) for name, value in self.headers if name.lower() != "content-length"]
        return Answer(self.status, [*headers, ("Content-Length", str(len(body))), ("Content-Encoding", "gzip")], body)


def key_of(environ: WSGIEnvironment) -> Key | None:
    """Return what tells a page apart; None for what is never kept. Words that no page reads are left out."""
    path: str = environ.get("PATH_INFO", "")
    is_apart = path.lower().startswith(APART)  # /Search?q= leads to /search?q=, with its words
    if environ["REQUEST_METHOD"] not in READING or len(path) > LONGEST_PATH or is_apart:
        return None
    query: str = environ.get("QUERY_STRING", "")
    if query and not is_position(query):
        names = {name for name, _ in parse_qsl(query, keep_blank_values=True)} if len(query) <= LONGEST_QUERY else None
        if names is None or names & CURSOR_NAMES:
            return None
        query = ""
    return environ["wsgi.url_scheme"], path, query


def plain_environ(environ: WSGIEnvironment, key: Key) -> WSGIEnvironment:
    """Return the environment of a GET for an address that knows nothing else of the request than its host."""
    plain = {name: value for name, value in environ.items() if not name.startswith(STRANGERS)}
    host = {"HTTP_HOST": environ["HTTP_HOST"]} if "HTTP_HOST" in environ else {}
    return plain | host | {"REQUEST_METHOD": "GET", "QUERY_STRING": key[2]}


def answer_of(app: WSGIApplication, environ: WSGIEnvironment) -> Answer:
    """Return the whole response of an application."""
    answer = Answer("", [], b"")

    def start_response(status: str, headers: Headers, _failure: object = None) -> object:
        answer.status, answer.headers = status, headers
        return None

    chunks = app(environ, start_response)  # type: ignore[arg-type]
    try:
        answer.body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return answer
