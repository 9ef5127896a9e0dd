"""Settings: defaults, bad values and unknown names."""

from __future__ import annotations

from pathlib import Path

import pytest

from spectator import config, create_app, setting_parsers
from tests.conftest import settings


def test_all_settings_have_working_defaults() -> None:
    values = config.load({})
    assert values["SITE_NAME"] == "The African Spectator"
    assert "Africa’s" in values["SITE_TAGLINE"]
    assert values["DATABASE_URL"] == f"sqlite:///{values['DATA_DIR'] / 'spectator.db'}"
    assert values["MEDIA"] == values["DATA_DIR"] / "media"
    assert values["SECRET_KEY"] == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://x"),
        ("SITE_URL", "spectator.example"),
        ("SITE_URL", "ftp://spectator.example"),
        ("SITE_URL", "https:///"),
        ("SITE_URL", "https://spectator.example/news"),
        ("SITE_URL", "https://spectator.example?a=b"),
        ("SITE_NAME", " "),
        ("SITE_NAME", "The\x1fSpectator"),
        ("PERMALINK", "/<section>/<id>"),
        ("PERMALINK", "/<slug>"),
        ("PERMALINK", "/<section>/<slug>/"),
        ("PERMALINK", "<section>/<slug>"),
        ("PERMALINK", "/<section>/<slug>.html"),
        ("PERMALINK", "/<section>/<section>/<slug>"),
        ("PERMALINK", "/<year>/<month>"),
        ("TIMEZONE", "Lagos"),
        ("TIMEZONE", "../etc/passwd"),
        ("LANGUAGE", "english language"),
        ("SEARCH", "elastic"),
        ("MEDIA", "s3://"),
        ("MEDIA", "s3://bucket/../other"),
        ("MEDIA", "s3://key:secret@bucket"),
        ("MEDIA", "gs://bucket"),
        ("BACKUP_TO", "s3://Bucket"),
        ("MEDIA_URL", "/media"),
        ("MEDIA_URL", "https://cdn.example/; script-src *"),
        ("MEDIA_URL", "https://cdn.example/a?b=c"),
        ("MEDIA_URL", "ftp://cdn.example"),
        ("HTMX_URL", "http://cdn.example/htmx.js"),
        ("HTMX_URL", "//cdn.example/htmx.js"),
        ("HTMX_URL", "https://cdn.example/htmx.js; script-src *"),
        ("HTMX_INTEGRITY", "sha384-short"),
        ("HTMX_INTEGRITY", "md5-AAAA"),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "100"),
        ("BACKUP_KEEP", "0"),
        ("BACKUP_KEEP", "100"),
        ("HSTS_SUBDOMAINS", "2"),
        ("LOG_FORMAT", "xml"),
        ("FRONT_URL", "http://192.0.2.1"),
        ("FRONT_URL", "http://127.0.0.1/path"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "k" * 31),
        ("METRICS_TOKEN", "short"),
        ("METRICS_TOKEN", "a token with spaces, which are not allowed in the header"),
    ],
)
def test_an_invalid_setting_is_reported_in_one_line(name: str, value: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({f"SPECTATOR_{name}": value})
    assert f"SPECTATOR_{name}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "parsed"),
    [
        ("SITE_URL", "https://spectator.example/", "https://spectator.example"),
        ("SITE_URL", "http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("SITE_NAME", " Le Spectateur ", "Le Spectateur"),
        ("PERMALINK", "/<section>/<year>/<month>/<day>/<slug>", None),
        ("PERMALINK", "/news-2/<slug>", None),
        ("TIMEZONE", "Africa/Lagos", None),
        ("LANGUAGE", "FR-sn", "fr-SN"),
        ("MEDIA_URL", "https://cdn.example:8443/a/b/", "https://cdn.example:8443/a/b"),
        ("MEDIA_URL", "http://cdn.example", None),
        ("HTMX_URL", "/static/htmx.min.js", None),
        ("HTMX_URL", "https://cdn.example:444/npm/htmx@4/a_b.js", None),
        ("HTMX_INTEGRITY", f"sha256-{'A' * 43}=", None),
        ("TRUSTED_PROXIES", "99", 99),
        ("TRUSTED_PROXIES", "0", 0),
        ("BACKUP_KEEP", "1", 1),
        ("BACKUP_KEEP", "99", 99),
        ("HSTS_SUBDOMAINS", "1", True),
        ("HSTS_SUBDOMAINS", "0", False),
        ("LOG_FORMAT", "json", None),
        ("LOG_FORMAT", "text", None),
        ("FRONT_URL", "https://127.0.0.1", None),
        ("FRONT_URL", "http://[::1]:8080", None),
        ("FRONT_URL", "http://localhost:80", None),
        ("FRONT_URL", "", ""),
        ("SECRET_KEY", "k" * 32, None),
        ("METRICS_TOKEN", "!" + "~" * 31, None),
        ("THEME", "", None),
    ],
)
def test_a_valid_setting_has_the_value_that_was_meant(
    name: str, value: str, parsed: object
) -> None:
    expected = parsed if parsed is not None or name == "THEME" else value
    assert config.load({f"SPECTATOR_{name}": value})[name] == expected


def test_search_in_postgresql_needs_a_database_in_postgresql() -> None:
    search = {"SPECTATOR_SEARCH": "postgres"}
    with pytest.raises(config.ConfigError, match="the database is SQLite"):
        config.load(search)
    database = {"SPECTATOR_DATABASE_URL": "postgresql+psycopg://user@127.0.0.1/news"}
    assert config.load(search | database)["SEARCH"] == "postgres"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(config.ConfigError, match="SPECTATOR_SITE_TITLE"):
        config.load({"SPECTATOR_SITE_TITLE": "x"})


def test_permalinks_may_contain_dates() -> None:
    assert (
        config.load({"SPECTATOR_PERMALINK": "/<year>/<month>/<slug>"})["PERMALINK"]
        == "/<year>/<month>/<slug>"
    )


def test_the_secret_key_is_read_from_its_file(tmp_path: Path) -> None:
    values = config.load({"SPECTATOR_DATA_DIR": str(tmp_path)})
    assert config.secret_key(values) is None
    (tmp_path / config.SECRET_FILE).write_text("s" * 64)
    assert config.secret_key(values) == "s" * 64


@pytest.mark.parametrize(
    ("value", "policy"), [("0", "max-age=31536000"), ("1", "max-age=31536000; includeSubDomains")]
)
def test_hsts_includes_subdomains_only_if_the_setting_says_so(
    tmp_path: Path, value: str, policy: str
) -> None:
    app = create_app(settings(tmp_path, SPECTATOR_HSTS_SUBDOMAINS=value))
    answer = app.test_client().get("/healthz", base_url="https://spectator.example")
    assert answer.headers["Strict-Transport-Security"] == policy
    assert "Strict-Transport-Security" not in app.test_client().get("/healthz").headers


def test_a_bucket_is_a_url_without_a_slash_at_its_end() -> None:
    values = config.load({"SPECTATOR_MEDIA": "s3://pictures/site/", "SPECTATOR_BACKUP_TO": "b"})
    assert values["MEDIA"] == "s3://pictures/site"
    assert values["BACKUP_TO"] == config.PROJECT_ROOT / "b"


@pytest.mark.parametrize("name", ["MEDIA", "BACKUP_TO"])
def test_a_bucket_without_its_client_says_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setting_parsers, "find_spec", lambda _name: None)
    with pytest.raises(config.ConfigError, match=r"requirements/s3\.txt"):
        config.load({f"SPECTATOR_{name}": "s3://pictures"})
