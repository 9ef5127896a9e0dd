"""The table of settings: names, defaults and descriptions; read from the environment at startup."""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from spectator import object_storage
from spectator.text.words.languages import canonical_tag, tag_problem

PREFIX = "SPECTATOR_"
PROJECT_ROOT = Path(__file__).resolve().parent.parent
SECRET_FILE = "secret_key"  # noqa: S105 - a file name
HTMX_URL = "https://cdn.jsdelivr.net/npm/htmx.org@4.0.1/dist/htmx.min.js"
HTMX_INTEGRITY = "sha384-Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"
# The newsroom's rich text editor and its sanitizer: exact versions, digests of the npm files.
EDITOR_SCRIPTS = (
    (
        "https://cdn.jsdelivr.net/npm/dompurify@3.5.0/dist/purify.min.js",
        "sha384-DOUwTXbuiiQxlONuue5N42674XXDfjIJ/LTPtJMZ2ZV1Ir4NRQ3OnM/yM505YQAc",
    ),
    (
        "https://cdn.jsdelivr.net/npm/squire-rte@2.4.8/dist/squire.js",
        "sha384-UlBLBsKoC6KmVdZI9KzsLNluu9fQkCqiEklxwCn3hNNw+iORdcdxd/zcnOM2NMbE",
    ),
)
PERMALINK_PARTS = {
    "section": "<slug:section>",
    "slug": "<slug:slug>",
    "year": "<int:year>",
    "month": "<int:month>",
    "day": "<int:day>",
}


class ConfigError(Exception):
    """A setting has an invalid value; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the settings table: `SPECTATOR_<name>`, default, description and parser.

    The parser raises ValueError with an instruction for the operator.
    """

    name: str
    default: str
    description: str
    parse: Callable[[str], Any]
    is_secret: bool = False  # error messages must not contain the value


def _text(value: str) -> str:
    if not value.strip() or any(ord(char) < 32 for char in value):
        raise ValueError("use one line of text")
    return value.strip()


def _database_url(value: str) -> str:
    if value.startswith("postgresql+psycopg://"):
        if find_spec("psycopg") is None:
            raise ValueError("install the driver: pip install -r requirements/postgres.txt")
    elif value and not value.startswith("sqlite:///"):
        raise ValueError(
            "use sqlite:////absolute/path/spectator.db or postgresql+psycopg://user@host/name"
        )
    return value


def _directory(value: str) -> Path:
    return (PROJECT_ROOT / Path(value).expanduser()).resolve()


def _site_url(value: str) -> str:
    parts = urlsplit(value)
    if (
        parts.scheme not in {"http", "https"}
        or not parts.netloc
        or parts.path.strip("/")
        or parts.query
    ):
        raise ValueError("use an address without a path, like https://news.example")
    return f"{parts.scheme}://{parts.netloc}"


def _front_url(value: str) -> str:
    if value and not re.fullmatch(
        r"https?://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?", value
    ):
        raise ValueError(
            "use an address of this machine, like http://127.0.0.1 or https://127.0.0.1"
        )
    return value


def _permalink(value: str) -> str:
    names = re.findall(r"<([a-z]+)>", value)
    shape = re.sub(r"<[a-z]+>", "", value)
    if not value.startswith("/") or value.endswith("/") or not re.fullmatch(r"[/a-z0-9-]*", shape):
        raise ValueError("use a path like /<section>/<slug>")
    if (
        "slug" not in names
        or not set(names) <= PERMALINK_PARTS.keys()
        or len(set(names)) != len(names)
    ):
        raise ValueError("use <slug> once, and each of <section> <year> <month> <day> at most once")
    if len(value.split("/")) < 3:
        raise ValueError("use at least two parts, to tell stories from sections")
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("use a time zone name like Africa/Lagos") from error
    return value


def _language(value: str) -> str:
    if problem := tag_problem(value):
        raise ValueError(problem)
    return canonical_tag(value)


def _search(value: str) -> str:
    if value not in {"whoosh", "postgres"}:
        raise ValueError("use whoosh or postgres")
    return value


def _media_url(value: str) -> str:
    if value and not re.fullmatch(
        r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?", value
    ):
        raise ValueError("use an address like https://cdn.example/media")
    return value.rstrip("/")


def _store(value: str) -> Path | str | None:
    """Return the URL of a bucket, the path of a directory, or None if there is no value."""
    if "://" not in value:
        return _path(value)
    if not object_storage.URL.fullmatch(value):
        raise ValueError("use a directory, or s3://bucket/prefix")
    if find_spec("obstore") is None:
        raise ValueError("install the client: pip install -r requirements/s3.txt")
    return value.rstrip("/")


def _path(value: str) -> Path | None:
    return _directory(value) if value else None


def _script_url(value: str) -> str:
    if not re.fullmatch(
        r"(https://[A-Za-z0-9.-]+(:\d+)?)?/[A-Za-z0-9@._/-]+", value
    ) or value.startswith("//"):
        raise ValueError("use an https address or a path on this site")
    return value


def _integrity(value: str) -> str:
    match = re.fullmatch(r"sha(256|384|512)-([A-Za-z0-9+/]+={0,2})", value)
    try:
        digest = base64.b64decode(match[2], validate=True) if match else b""
    except binascii.Error:
        digest = b""
    if match is None or len(digest) * 8 != int(match[1]):
        raise ValueError("use a digest like sha384-…")
    return value


def _log_format(value: str) -> str:
    if value not in {"text", "json"}:
        raise ValueError("use text or json")
    return value


def _count(value: str) -> int:
    if not re.fullmatch(r"\d{1,2}", value):
        raise ValueError("use a whole number from 0 to 99")
    return int(value)


def _positive_count(value: str) -> int:
    if not re.fullmatch(r"[1-9]\d?", value):
        raise ValueError("use a whole number from 1 to 99")
    return int(value)


def _switch(value: str) -> bool:
    if value not in {"0", "1"}:
        raise ValueError("use 0 or 1")
    return value == "1"


def _secret(value: str) -> str:
    if value and len(value) < 32:
        raise ValueError(
            "use at least 32 characters, or leave it out and let `spectator init` create one"
        )
    return value


def _token(value: str) -> str:
    if value and not is_good_secret(value):
        raise ValueError(
            "use at least 32 visible ASCII characters, like the output of `openssl rand -hex 32`"
        )
    return value


def version() -> str:
    """Return the version of the code in this checkout."""
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


def is_good_secret(text: str) -> bool:
    """Return whether a text can sign tokens: at least 32 visible ASCII characters."""
    return re.fullmatch(r"[!-~]{32,}", text) is not None


TAGLINE = (
    "The African Spectator stands as the compass for those seeking lucid, objective, "
    "and insightful commentary on Africa’s ever-evolving political and social landscape."
)

SETTINGS = (
    Setting(
        "DATABASE_URL",
        "",
        "where articles live; empty: spectator.db in the data directory",
        _database_url,
        is_secret=True,
    ),
    Setting(
        "DATA_DIR", "instance", "database, search index, pictures and the secret key", _directory
    ),
    Setting(
        "SECRET_KEY",
        "",
        "signs tokens; empty: the file `spectator init` made in the data directory",
        _secret,
        is_secret=True,
    ),
    Setting(
        "SITE_URL",
        "http://127.0.0.1:8000",
        "the public address, for feeds and canonical links",
        _site_url,
    ),
    Setting("SITE_NAME", "The African Spectator", "the name readers see", _text),
    Setting("SITE_TAGLINE", TAGLINE, "the line in the footer", _text),
    Setting("PERMALINK", "/<section>/<slug>", "the shape of a story's address", _permalink),
    Setting("THEME", "", "a CSS file with colours, type and logo: docs/theming.md", _path),
    Setting("TIMEZONE", "UTC", "the newsroom's time zone", _time_zone),
    Setting("LANGUAGE", "en", "the language of the site's own words and of new stories", _language),
    Setting("SEARCH", "whoosh", "the search engine: whoosh, or postgres with PostgreSQL", _search),
    Setting(
        "MEDIA",
        "",
        "directory or s3://bucket/prefix of uploaded pictures; empty: media in the data directory",
        _store,
    ),
    Setting("MEDIA_URL", "", "where readers get pictures; empty: from this site", _media_url),
    Setting(
        "BACKUP_TO",
        "",
        "directory or s3://bucket/prefix of the worker's nightly backups; empty: none",
        _store,
    ),
    Setting("BACKUP_KEEP", "7", "how many nightly backups are kept", _positive_count),
    Setting("HTMX_URL", HTMX_URL, "where readers' browsers get htmx", _script_url),
    Setting("HTMX_INTEGRITY", HTMX_INTEGRITY, "its SRI digest", _integrity),
    Setting("HSTS_SUBDOMAINS", "0", "1: browsers use https for every host under this one", _switch),
    Setting("TRUSTED_PROXIES", "0", "how many proxies in front set X-Forwarded-* headers", _count),
    Setting(
        "FRONT_URL", "", "where nginx listens on this machine, to renew its copies", _front_url
    ),
    Setting("LOG_FORMAT", "text", "the form of log lines: text or json", _log_format),
    Setting(
        "METRICS_TOKEN",
        "",
        "clients that send it may read /metrics and the details of /readyz from other machines",
        _token,
        is_secret=True,
    ),
)


def secret_key(values: Mapping[str, Any]) -> str | None:
    """Return the secret key: the setting, or the file that `spectator init` created, or None.

    Raises ConfigError if the file cannot be read or holds no valid secret.
    """
    if values["SECRET_KEY"]:
        return str(values["SECRET_KEY"])
    path: Path = values["DATA_DIR"] / SECRET_FILE
    try:
        content = path.read_bytes().decode("ascii", "replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"cannot read the secret key {path}: {error.strerror}") from error
    if content and not is_good_secret(content):
        raise ConfigError(f"the secret key {path} is damaged")
    return content or None


def load(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the parsed value of every setting by name, with default paths filled in.

    Raises ConfigError for the first invalid value, and for any unknown `SPECTATOR_*` variable.
    """
    names = {PREFIX + setting.name for setting in SETTINGS}
    unknown = {name for name in environ if name.startswith(PREFIX)} - names
    if unknown:
        raise ConfigError(f"{min(unknown)} is not a setting; see the table in README.md")
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        variable = PREFIX + setting.name
        raw = environ.get(variable, setting.default)
        try:
            values[setting.name] = setting.parse(raw)
        except ValueError as error:
            assignment = variable if setting.is_secret else f"{variable}={raw!r}"
            raise ConfigError(f"{assignment} is not valid: {error}") from error
    data = values["DATA_DIR"]
    values["DATABASE_URL"] = values["DATABASE_URL"] or f"sqlite:///{data / 'spectator.db'}"
    if values["SEARCH"] == "postgres" and not values["DATABASE_URL"].startswith("postgresql"):
        raise ConfigError(
            "SPECTATOR_SEARCH='postgres' is not valid: the database is SQLite; use whoosh"
        )
    values["MEDIA"] = values["MEDIA"] or data / "media"
    return values
