"""The certificate with which a proxy on this machine serves the site, and when it expires."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from spectator.i18n import gettext, ngettext

TIMEOUT_SECONDS = 3.0
DAY_SECONDS = 86_400
MIN_SECONDS = 14 * DAY_SECONDS
MIN_SHARE = 0.25  # of the certificate's lifetime, for certificates that live for days


def problems(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence if the site's certificate is invalid or about to expire.

    Only a proxy on this machine is asked: at `FRONT_URL`, or at the port of `SITE_URL`. Nothing is
    said if there is none.
    """
    site = urlsplit(settings["SITE_URL"])
    front = urlsplit(settings["FRONT_URL"])
    if site.scheme != "https" or site.hostname is None:
        return
    address = ("127.0.0.1", site.port or 443)
    if front.scheme == "https":
        address = (front.hostname or address[0], front.port or 443)
    renew = gettext(
        "Renew the certificate of %(host)s, and check what should do so by itself.",
        host=site.hostname,
    )
    try:
        starts_at, ends_at = _read_validity(address, site.hostname)
    except ssl.SSLCertVerificationError as error:
        refusal = gettext(
            "Browsers refuse the certificate: %(reason)s.", reason=error.verify_message
        )
        yield f"{refusal} {renew}"
    except OSError:
        return  # nobody listens, or it is no TLS
    else:
        remaining = ends_at - time.time()
        if remaining < min(MIN_SECONDS, MIN_SHARE * (ends_at - starts_at)):
            days = round(remaining / DAY_SECONDS)
            expiry = ngettext(
                "The certificate expires in %(count)s day.",
                "The certificate expires in %(count)s days.",
                days,
            )
            yield f"{expiry} {renew}"


def _read_validity(address: tuple[str, int], name: str) -> tuple[float, float]:
    """Return the times between which a valid certificate for a name is valid.

    Raises OSError; ssl.SSLCertVerificationError for an invalid certificate.
    """
    context = ssl.create_default_context()
    with (
        socket.create_connection(address, TIMEOUT_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=name) as tls,
    ):
        certificate = tls.getpeercert() or {}
    return tuple(  # type: ignore[return-value]
        float(ssl.cert_time_to_seconds(str(certificate[key])))
        for key in ("notBefore", "notAfter")
    )
