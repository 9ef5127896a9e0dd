"""Addresses of files on a WordPress site: absolute, and of originals, not of smaller copies."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

# "picture-300x200.jpg" is a smaller copy of "picture.jpg".
_SIZE_SUFFIX = re.compile(r"-[1-9][0-9]{0,4}x[1-9][0-9]{0,4}(?=\.[A-Za-z]{3,4}$)", re.ASCII)
# WordPress keeps a smaller or upright copy of a large upload under such a name.
_COPY_SUFFIX = re.compile(r"-(?:scaled|rotated)(?=\.[A-Za-z]{3,4}$)", re.ASCII)
_UPLOADS = re.compile(r"/(?:wp-content/)?(?:uploads|files|blogs\.dir)/")
# Jetpack's proxy of pictures, with the address of the original in its path.
_PHOTON = re.compile(r"(?:https?:)?//i[0-3]\.wp\.com/(?P<original>[^/?#]+/[^?#]+)(?:\?.*)?")
_RESIZING = re.compile(r"(?:^|&)(?:w|h|resize|fit|crop|quality|ssl|strip|zoom)=")


def absolute_url(url: str, base_url: str) -> str:
    """Return the absolute address of a file; a broken address is returned unchanged."""
    url = url.strip()
    try:
        return urljoin(f"{base_url.rstrip('/')}/", url) if base_url else url
    except ValueError:
        return url


def original_url(url: str) -> str:
    """Return the address of the original of a picture that may be one of its smaller copies.

    Only addresses of uploaded files are changed. A picture that was itself uploaded with a size in
    its name cannot be told apart: whoever looks for the file tries both addresses.
    """
    if photon := _PHOTON.fullmatch(url):
        url = f"https://{photon['original']}"
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if not _UPLOADS.search(parts.path):
        return url
    query = "" if _RESIZING.search(parts.query) else parts.query
    return parts._replace(path=_SIZE_SUFFIX.sub("", parts.path), query=query).geturl()


def picture_stem(url: str) -> str:
    """Return what the addresses of a picture's original and of its copies have in common."""
    path = url.partition("?")[0]
    return _COPY_SUFFIX.sub("", _SIZE_SUFFIX.sub("", path))
