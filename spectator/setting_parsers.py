"""Parsers of settings' values; each raises ValueError with an instruction for the operator."""

from __future__ import annotations

import base64
import binascii
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from spectator import object_storage
from spectator.formats import tag_problem
from spectator.i18n import (
    SOURCE_LANGUAGE,
    gettext,
    language_of_readers,
    readers_languages,
)
from spectator.text.words.language_tags import base_language
from spectator.text.words.languages import canonical_tag

PROJECT_ROOT = Path(__file__).resolve().parent.parent
MAX_EDITIONS = 20
PERMALINK_PARTS = {
    "section": "<slug:section>",
    "slug": "<slug:slug>",
    "year": "<int:year>",
    "month": "<int:month>",
    "day": "<int:day>",
}


def parse_text(value: str) -> str:
    """Return one line of text."""
    if not value.strip() or any(ord(char) < 32 for char in value):
        raise ValueError(gettext("use one line of text"))
    return value.strip()


def parse_database_url(value: str) -> str:
    """Return the URL of a database whose driver is installed."""
    if value.startswith("postgresql+psycopg://"):
        if find_spec("psycopg") is None:
            raise ValueError(
                gettext(
                    "install the driver: "
                    ".venv/bin/pip install --require-hashes -r requirements/postgres.txt"
                )
            )
    elif value and not value.startswith("sqlite:///"):
        raise ValueError(
            gettext(
                "use sqlite:////absolute/path/spectator.db or postgresql+psycopg://user@host/name"
            )
        )
    return value


def parse_directory(value: str) -> Path:
    """Return the absolute path of a directory; relative ones start at the checkout."""
    return (PROJECT_ROOT / Path(value).expanduser()).resolve()


def parse_site_url(value: str) -> str:
    """Return the scheme and host of the site."""
    parts = urlsplit(value)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.netloc
        or parts.path.strip("/")
        or parts.query
    ):
        raise ValueError(gettext("use an address without a path, like https://news.example"))
    return f"{parts.scheme}://{parts.netloc}"


def parse_front_url(value: str) -> str:
    """Return the URL of a web server on this machine."""
    if value and not re.fullmatch(
        r"https?://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?", value
    ):
        raise ValueError(
            gettext("use an address of this machine, like http://127.0.0.1 or https://127.0.0.1")
        )
    return value


def parse_permalink(value: str) -> str:
    """Return the pattern of stories' paths."""
    names = re.findall(r"<([a-z]+)>", value)
    shape = re.sub(r"<[a-z]+>", "", value)
    if (
        not value.startswith("/")
        or value.endswith("/")
        or not re.fullmatch(r"[/a-z0-9-]*", shape)
    ):
        raise ValueError(gettext("use a path like /<section>/<slug>"))
    if (
        "slug" not in names
        or not set(names) <= PERMALINK_PARTS.keys()
        or len(set(names)) != len(names)
    ):
        raise ValueError(
            gettext("use <slug> once, and each of <section> <year> <month> <day> at most once")
        )
    if len(value.split("/")) < 3:
        raise ValueError(gettext("use at least two parts, to tell stories from sections"))
    return value


def parse_time_zone(value: str) -> str:
    """Return the name of a time zone."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(gettext("use a time zone name like Africa/Lagos")) from error
    return value


def parse_language(value: str) -> str:
    """Return a language tag in its usual form."""
    if problem := tag_problem(value):
        raise ValueError(problem)
    return canonical_tag(value)


def parse_languages(value: str) -> tuple[str, ...]:
    """Return the languages of the editions: the site's own tag, then languages without a region."""
    if not value.strip():
        return ()
    first, *others = (parse_language(tag.strip()) for tag in value.split(","))
    if len(others) >= MAX_EDITIONS:
        raise ValueError(gettext("use at most %(limit)s languages", limit=MAX_EDITIONS))
    for tag in (first, *others):
        if not language_of_readers(tag):
            raise ValueError(
                gettext(
                    "there are no translations for %(tag)s; use %(languages)s",
                    tag=tag,
                    languages=", ".join([SOURCE_LANGUAGE, *readers_languages()]),
                )
            )
    for tag in others:
        if tag != base_language(tag):
            raise ValueError(
                gettext("use %(tag)s without a region: an edition is for all of them", tag=tag)
            )
    languages = [base_language(first), *others]
    if len(set(languages)) < len(languages):
        raise ValueError(gettext("use each language once"))
    return (first, *others)


def parse_default_edition(value: str) -> str:
    """Return which stories the lists at / have."""
    if value not in {"own", "all"}:
        raise ValueError(gettext("use own or all"))
    return value


def parse_search(value: str) -> str:
    """Return the name of a search engine."""
    if value not in {"whoosh", "postgres"}:
        raise ValueError(gettext("use whoosh or postgres"))
    return value


def parse_media_url(value: str) -> str:
    """Return a URL without a slash at its end."""
    if value and not re.fullmatch(
        r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?", value
    ):
        raise ValueError(gettext("use an address like https://cdn.example/media"))
    return value.rstrip("/")


def parse_store(value: str) -> Path | str | None:
    """Return the URL of a bucket, the path of a directory, or None if there is no value."""
    if "://" not in value:
        return parse_path(value)
    if not object_storage.URL.fullmatch(value):
        raise ValueError(gettext("use a directory, or s3://bucket/prefix"))
    if find_spec("obstore") is None:
        raise ValueError(
            gettext(
                "install the client: .venv/bin/pip install --require-hashes -r requirements/s3.txt"
            )
        )
    return value.rstrip("/")


def parse_path(value: str) -> Path | None:
    """Return an absolute path, or None if there is no value."""
    return parse_directory(value) if value else None


def parse_script_url(value: str) -> str:
    """Return the URL of a script."""
    if not re.fullmatch(
        r"(https://[A-Za-z0-9.-]+(:\d+)?)?/[A-Za-z0-9@._/-]+", value
    ) or value.startswith("//"):
        raise ValueError(gettext("use an https address or a path on this site"))
    return value


def parse_integrity(value: str) -> str:
    """Return a digest of subresource integrity."""
    match = re.fullmatch(r"sha(256|384|512)-([A-Za-z0-9+/]+={0,2})", value)
    try:
        digest = base64.b64decode(match[2], validate=True) if match else b""
    except binascii.Error:
        digest = b""
    if match is None or len(digest) * 8 != int(match[1]):
        raise ValueError(gettext("use a digest like sha384-…"))
    return value


def parse_log_format(value: str) -> str:
    """Return the format of log lines."""
    if value not in {"text", "json"}:
        raise ValueError(gettext("use text or json"))
    return value


def parse_count(value: str) -> int:
    """Return a number from 0 to 99."""
    if not re.fullmatch(r"\d{1,2}", value):
        raise ValueError(gettext("use a whole number from 0 to 99"))
    return int(value)


def parse_positive_count(value: str) -> int:
    """Return a number from 1 to 99."""
    if not re.fullmatch(r"[1-9]\d?", value):
        raise ValueError(gettext("use a whole number from 1 to 99"))
    return int(value)


def parse_switch(value: str) -> bool:
    """Return whether something is on."""
    if value not in {"0", "1"}:
        raise ValueError(gettext("use 0 or 1"))
    return value == "1"


def parse_secret(value: str) -> str:
    """Return a secret key."""
    if value and len(value) < 32:
        raise ValueError(
            gettext(
                "use at least 32 characters, or leave it out and let `spectator init` create one"
            )
        )
    return value


def parse_token(value: str) -> str:
    """Return a secret of visible ASCII characters."""
    if value and not is_good_secret(value):
        raise ValueError(
            gettext(
                "use at least 32 visible ASCII characters, like the output of `openssl "
                "rand -hex 32`"
            )
        )
    return value


def is_good_secret(text: str) -> bool:
    """Return whether a text can sign tokens: at least 32 visible ASCII characters."""
    return re.fullmatch(r"[!-~]{32,}", text) is not None
