"""Downloads of an import: public web addresses only, of a bounded size and in a bounded time.

The host's addresses are checked after they were resolved, and the connection goes to a checked one:
a name that resolves to another address a moment later changes nothing. Settings of the environment
(proxies) are not used, because a proxy would resolve the name itself.
"""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import SHUT_RDWR, SOCK_STREAM, create_connection, getaddrinfo, socket
from threading import Timer
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from spectator.i18n import gettext
from spectator.publishing.validation import is_http_url

MAX_REDIRECTS = 5
MAX_SECONDS = 60  # of a whole download, but for the resolution of names, which has its own limit
MAX_ADDRESSES, CONNECT_SECONDS = 3, 10  # of a host that are tried, and for how long each
CHUNK_BYTES = 65_536
# Addresses that contain an IPv4 address, for translation between the two.
_NAT64 = IPv6Network("64:ff9b::/96")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"
_HEADERS = {
    "User-Agent": "spectator-import/1.0",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


class DownloadError(Exception):
    """A web address that cannot be read; the message says why.

    `has_answered`: its server is there, but refused the request.
    """

    def __init__(self, message: str, has_answered: bool = False) -> None:
        super().__init__(message)
        self.has_answered = has_answered


@dataclass(frozen=True, slots=True)
class Download:
    """The content of a web address; `url` is where it was after redirects."""

    url: str
    content: bytes


def download(
    url: str,
    max_bytes: int,
    *,
    allows_loopback: bool = False,
    max_seconds: float = MAX_SECONDS,
    is_wanted: Callable[[str], bool] = lambda _host: True,
) -> Download:
    """Return the content of an http or https address, after at most five redirects.

    Raises DownloadError for any other, for one on a private network (this machine's own addresses
    are allowed with `allows_loopback`), for a host that is not wanted, also after a redirect, and
    if it has more than `max_bytes` or takes too long.
    """
    deadline = _Deadline(max_seconds)
    try:
        result = _follow(url, max_bytes, deadline, allows_loopback, is_wanted)
        if deadline.is_over:
            raise TimeoutError
        return result
    except (OSError, HTTPException, ValueError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if deadline.is_over:
            reason = gettext("it takes over %(seconds)s seconds", seconds=round(max_seconds))
        raise DownloadError(" ".join(str(reason).split())[:200]) from error
    finally:
        deadline.cancel()


class _Deadline:
    """A time after which the open connections are shut down, however slowly they send."""

    def __init__(self, seconds: float) -> None:
        self.connections: list[socket] = []
        self.is_over = False
        self.timer = Timer(seconds, self._shut_down)
        self.timer.daemon = True
        self.timer.start()

    def add(self, connection: socket) -> None:
        self.connections.append(connection)
        if self.is_over:
            self._shut_down()

    def cancel(self) -> None:
        self.timer.cancel()

    def _shut_down(self) -> None:
        self.is_over = True
        for connection in self.connections:
            with suppress(OSError):  # it is closed already
                # Not the method of a TLS connection, which another thread is reading from.
                socket.shutdown(connection, SHUT_RDWR)


def _follow(
    url: str,
    max_bytes: int,
    deadline: _Deadline,
    allows_loopback: bool,
    is_wanted: Callable[[str], bool],
) -> Download:
    for _ in range(MAX_REDIRECTS + 1):
        if not is_http_url(url):
            raise DownloadError(gettext("%(url)s is not a web address", url=url[:200]))
        parts = urlsplit(url)
        if not is_wanted(parts.hostname or ""):
            raise DownloadError(gettext("on another host"), has_answered=True)
        with closing(_connect(parts, deadline, allows_loopback)) as connection:
            target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            connection.request("GET", quote(target, safe=_URL_SAFE), headers=_HEADERS)
            response = connection.getresponse()
            if response.status == HTTPStatus.OK:
                return Download(url, _read(response, max_bytes))
            location = response.getheader("Location")
            if response.status not in _REDIRECTS or not location:
                raise DownloadError(f"HTTP {response.status}", has_answered=True)
            # The parser of headers reads each byte as a character.
            url = urljoin(url, quote(location.encode("latin-1"), safe=_URL_SAFE))
    raise DownloadError(gettext("it redirects too often"))


def _connect(parts: SplitResult, deadline: _Deadline, allows_loopback: bool) -> HTTPConnection:
    """Return a connection to the first allowed address of a host that accepts one."""
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    resolved = getaddrinfo(host, port, type=SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in resolved))
    allowed = [text for text in addresses if _is_allowed(text, allows_loopback)]
    if not allowed:
        raise DownloadError(gettext("%(host)s is not on the public Internet", host=host[:200]))
    error: OSError = OSError()
    for address in allowed[:MAX_ADDRESSES]:
        try:
            plain = create_connection((address, port), timeout=CONNECT_SECONDS)
        except OSError as failure:
            error = failure
            continue
        connection = HTTPConnection(host, port)
        connection.default_port = 443 if is_secure else 80  # which the header Host leaves out
        connection.sock = _encrypt(plain, host, deadline) if is_secure else plain
        deadline.add(connection.sock)
        return connection
    raise error


def _encrypt(plain: socket, host: str, deadline: _Deadline) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    encrypted = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    deadline.add(encrypted)
    encrypted.do_handshake()
    return encrypted


def _is_allowed(text: str, allows_loopback: bool) -> bool:
    """Return whether an address is on the public Internet, or this machine's own if allowed."""
    address = _inner_address(ip_address(text.partition("%")[0]))
    if address.is_loopback:
        return allows_loopback
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner_address(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address to which an IPv6 address leads, otherwise the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    tunnel = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or tunnel or address


def _read(response: HTTPResponse, max_bytes: int) -> bytes:
    """Return the content of a response, decompressed if the server compressed it unasked."""
    encoding = (response.getheader("Content-Encoding") or "").lower()
    unzip = zlib.decompressobj(47) if encoding in {"gzip", "x-gzip", "deflate"} else None
    content = bytearray()
    while chunk := response.read(CHUNK_BYTES):
        content += unzip.decompress(chunk, max_bytes + 1 - len(content)) if unzip else chunk
        if len(content) > max_bytes or (unzip and unzip.unconsumed_tail):
            limit = max_bytes // 1_000_000
            raise DownloadError(gettext("longer than %(limit)s MB", limit=limit))
    if response.length:
        raise DownloadError(gettext("the connection ended too early"))
    return bytes(content)
