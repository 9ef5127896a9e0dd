"""The table of settings: names, defaults and descriptions; read from the environment at startup."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spectator import setting_parsers as parsers
from spectator.i18n import gettext
from spectator.setting_parsers import PROJECT_ROOT as PROJECT_ROOT
from spectator.setting_parsers import is_good_secret

PREFIX = "SPECTATOR_"
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


def version() -> str:
    """Return the version of the code in this checkout."""
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


TAGLINE = (
    "The African Spectator stands as the compass for those seeking lucid, objective, "
    "and insightful commentary on Africa’s ever-evolving political and social landscape."
)

SETTINGS = (
    Setting(
        "DATABASE_URL",
        "",
        "where articles live; empty: spectator.db in the data directory",
        parsers.parse_database_url,
        is_secret=True,
    ),
    Setting(
        "DATA_DIR",
        "instance",
        "database, search index, pictures and the secret key",
        parsers.parse_directory,
    ),
    Setting(
        "SECRET_KEY",
        "",
        "signs tokens; empty: the file `spectator init` made in the data directory",
        parsers.parse_secret,
        is_secret=True,
    ),
    Setting(
        "SITE_URL",
        "http://127.0.0.1:8000",
        "the public address, for feeds and canonical links",
        parsers.parse_site_url,
    ),
    Setting("SITE_NAME", "The African Spectator", "the name readers see", parsers.parse_text),
    Setting("SITE_TAGLINE", TAGLINE, "the line in the footer", parsers.parse_text),
    Setting(
        "PERMALINK",
        "/<section>/<slug>",
        "the shape of a story's address",
        parsers.parse_permalink,
    ),
    Setting(
        "THEME",
        "",
        "a CSS file with colours, type and logo: docs/theming.md",
        parsers.parse_path,
    ),
    Setting("TIMEZONE", "UTC", "the newsroom's time zone", parsers.parse_time_zone),
    Setting(
        "LANGUAGE",
        "en",
        "the language of the site's own words and of new stories",
        parsers.parse_language,
    ),
    Setting(
        "LANGUAGES",
        "",
        "the languages of the site's editions, such as en,fr,ar; the first is SPECTATOR_LANGUAGE",
        parsers.parse_languages,
    ),
    Setting(
        "DEFAULT_EDITION",
        "own",
        "own: the lists at / leave out stories that have an edition of their own; all: they do not",
        parsers.parse_default_edition,
    ),
    Setting(
        "SEARCH",
        "whoosh",
        "the search engine: whoosh, or postgres with PostgreSQL",
        parsers.parse_search,
    ),
    Setting(
        "MEDIA",
        "",
        "directory or s3://bucket/prefix of uploaded pictures; empty: media in the data directory",
        parsers.parse_store,
    ),
    Setting(
        "MEDIA_URL",
        "",
        "where readers get pictures; empty: from this site",
        parsers.parse_media_url,
    ),
    Setting(
        "BACKUP_TO",
        "",
        "directory or s3://bucket/prefix of the worker's nightly backups; empty: none",
        parsers.parse_store,
    ),
    Setting(
        "BACKUP_KEEP",
        "7",
        "how many nightly backups are kept",
        parsers.parse_positive_count,
    ),
    Setting("HTMX_URL", HTMX_URL, "where readers' browsers get htmx", parsers.parse_script_url),
    Setting("HTMX_INTEGRITY", HTMX_INTEGRITY, "its SRI digest", parsers.parse_integrity),
    Setting(
        "HSTS_SUBDOMAINS",
        "0",
        "1: browsers use https for every host under this one",
        parsers.parse_switch,
    ),
    Setting(
        "TRUSTED_PROXIES",
        "0",
        "how many proxies in front set X-Forwarded-* headers",
        parsers.parse_count,
    ),
    Setting(
        "FRONT_URL",
        "",
        "where nginx listens on this machine, to renew its copies",
        parsers.parse_front_url,
    ),
    Setting(
        "LOG_FORMAT",
        "text",
        "the form of log lines: text or json",
        parsers.parse_log_format,
    ),
    Setting(
        "METRICS_TOKEN",
        "",
        "clients that send it may read /metrics and the details of /readyz from other machines",
        parsers.parse_token,
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
        raise ConfigError(
            gettext(
                "cannot read the secret key %(path)s: %(strerror)s",
                path=path,
                strerror=error.strerror,
            )
        ) from error
    if content and not is_good_secret(content):
        raise ConfigError(gettext("the secret key %(path)s is damaged", path=path))
    return content or None


def load(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the parsed value of every setting by name, with default paths filled in.

    Raises ConfigError for the first invalid value, and for any unknown `SPECTATOR_*` variable.
    """
    names = {PREFIX + setting.name for setting in SETTINGS}
    unknown = {name for name in environ if name.startswith(PREFIX)} - names
    if unknown:
        raise ConfigError(
            gettext("%(name)s is not a setting; see the table in README.md", name=min(unknown))
        )
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        variable = PREFIX + setting.name
        raw = environ.get(variable, setting.default)
        try:
            values[setting.name] = setting.parse(raw)
        except ValueError as error:
            assignment = variable if setting.is_secret else f"{variable}={raw!r}"
            raise ConfigError(
                gettext(
                    "%(assignment)s is not valid: %(error)s", assignment=assignment, error=error
                )
            ) from error
    data = values["DATA_DIR"]
    values["DATABASE_URL"] = values["DATABASE_URL"] or f"sqlite:///{data / 'spectator.db'}"
    if values["SEARCH"] == "postgres" and not values["DATABASE_URL"].startswith("postgresql"):
        raise ConfigError(
            gettext(
                "SPECTATOR_SEARCH='postgres' is not valid: the database is SQLite; use whoosh"
            )
        )
    values["MEDIA"] = values["MEDIA"] or data / "media"
    _combine_languages(values, PREFIX + "LANGUAGE" in environ)
    return values


def _combine_languages(values: dict[str, Any], has_language: bool) -> None:
    """Let LANGUAGE be the first of LANGUAGES. Raises ConfigError if they contradict each other."""
    languages: tuple[str, ...] = values["LANGUAGES"] or (values["LANGUAGE"],)
    if has_language and values["LANGUAGE"] != languages[0]:
        raise ConfigError(
            gettext(
                "SPECTATOR_LANGUAGE='%(language)s' is not valid: the first of "
                "SPECTATOR_LANGUAGES is %(first)s; set both alike, or only SPECTATOR_LANGUAGES",
                language=values["LANGUAGE"],
                first=languages[0],
            )
        )
    values["LANGUAGES"], values["LANGUAGE"] = languages, languages[0]
    first_part = values["PERMALINK"].split("/")[1]
    if first_part in languages[1:]:
        raise ConfigError(
            gettext(
                "SPECTATOR_PERMALINK='%(permalink)s' is not valid: "
                "/%(code)s/ is the address of an edition (SPECTATOR_LANGUAGES)",
                permalink=values["PERMALINK"],
                code=first_part,
            )
        )
