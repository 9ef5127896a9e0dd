"""Settings that must be the same on all hosts, compared by hashes in the database."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from spectator.config import PREFIX, SECRET_FILE
from spectator.formats import format_list
from spectator.i18n import gettext
from spectator.models import Host

HASHED_BY_VALUE = (
    "SITE_URL",
    "SITE_NAME",
    "SITE_TAGLINE",
    "PERMALINK",
    "TIMEZONE",
    "LANGUAGE",
    "SEARCH",
    "LANGUAGES",
    "DEFAULT_EDITION",
    "HTMX_URL",
    "HTMX_INTEGRITY",
    "HSTS_SUBDOMAINS",
    "MEDIA_URL",
)
# Hashed in another way: see `hash_settings`.
SECRET_KEY, THEME, MEDIA = "SECRET_KEY", "THEME", "MEDIA"
HASH_BYTES = 16


def hash_settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return a hash of each shared setting.

    The theme's is of the content of its file. The secret key's is an HMAC, so that it shows
    nothing about the key.
    """
    contents = {name: str(settings[name]).encode() for name in HASHED_BY_VALUE}
    contents[THEME] = _read_theme(settings[THEME])
    # A shared directory may have another path on each host.
    is_directory = isinstance(settings[MEDIA], Path)
    contents[MEDIA] = b"directory" if is_directory else settings[MEDIA].encode()
    hashes = {name: hashlib.sha256(content).digest() for name, content in contents.items()}
    key: str = settings[SECRET_KEY]
    hashes[SECRET_KEY] = hmac.digest(key.encode(), b"the key of a host", hashlib.sha256)
    return {name: digest[:HASH_BYTES].hex() for name, digest in hashes.items()}


@cache  # a process keeps the theme that it read when it started
def _read_theme(path: Path | None) -> bytes:
    with suppress(OSError):  # an unreadable theme is reported when the site starts
        return path.read_bytes() if path else b""
    return b""


def find_differences(own_hashes: Mapping[str, str], others: Iterable[Host]) -> list[str]:
    """Return a sentence for each setting that has another value on other hosts.

    A setting that an older or newer version does not know is not compared.
    """
    hosts_by_setting: dict[str, list[str]] = {}
    for host in others:
        for setting, own_hash in own_hashes.items():
            if host.settings.get(setting, own_hash) != own_hash:
                hosts_by_setting.setdefault(setting, []).append(host.name)
    return [_describe(setting, hosts) for setting, hosts in sorted(hosts_by_setting.items())]


def _describe(setting: str, host_names: list[str]) -> str:
    hosts = format_list(sorted(host_names))
    if setting == SECRET_KEY:
        return gettext(
            "The secret key differs from that of %(hosts)s: people are logged out at "
            "random. Copy one host's %(file)s to the others, or set %(setting)s, "
            "and restart.",
            hosts=hosts,
            file=SECRET_FILE,
            setting=PREFIX + setting,
        )
    if setting == THEME:
        return gettext(
            "The theme differs from that of %(hosts)s. Copy the file, and restart.", hosts=hosts
        )
    return gettext(
        "%(setting)s differs from that of %(hosts)s. Set it alike on all, and restart.",
        setting=PREFIX + setting,
        hosts=hosts,
    )
