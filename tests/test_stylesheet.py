"""The stylesheet of public pages, and themes: what they may change and what is refused."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from spectator import create_app, stylesheet
from spectator.config import PROJECT_ROOT, ConfigError
from spectator.stylesheet import (
    DEFAULT,
    MAX_THEME_BYTES,
    NEWSROOM_PROPERTIES,
    TOKENS,
    minify,
    parse_tokens,
)
from tests.conftest import settings

LIST, STORY = "/", "/politics/a-headline"  # the latter as the fixture `story` publishes it

THEME = PROJECT_ROOT / "tests/browser/harmattan.css"
MAX_STYLE_BYTES = 12_000
GUIDE = (PROJECT_ROOT / "docs/theming.md").read_text()


def themed_app(data: Path, theme: Path) -> Flask:
    """Return a site with a theme."""
    return create_app(settings(data, SPECTATOR_THEME=str(theme)))


def write_theme(directory: Path, css: str | bytes) -> Path:
    """Write a theme and return its path."""
    path = directory / "house style.css"
    path.write_bytes(css if isinstance(css, bytes) else css.encode())
    return path


def inline_style(html: str) -> str:
    """Return the content of a page's only style element."""
    (css,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    return str(css)


def test_a_page_includes_the_tokens_and_the_rules_once(
    app: Flask, story: Callable[..., int]
) -> None:
    story()
    client = FlaskClient(app)
    for path, expected in ((LIST, DEFAULT.list_css), (STORY, DEFAULT.article_css)):
        css = inline_style(client.get(path).text)
        assert css == expected and len(css.encode()) <= MAX_STYLE_BYTES
        assert css.startswith(":root{color-scheme:light dark;--paper:#fff;")
        assert css.count("--paper:") == 2, "one value for light and one for dark mode"
        assert "  " not in css and "/*" not in css
        assert "--alarm" not in css, "only the newsroom needs it"


def css_words(css: str) -> list[str]:
    """Return the words and punctuation of a stylesheet, without comments and last semicolons."""
    bare = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.findall(r"[^\s{}:;,>]+|[{}:,>]|;(?!\s*})", bare)


def test_the_stylesheet_of_a_page_has_every_rule_of_the_files(
    app: Flask, story: Callable[..., int]
) -> None:
    story()
    tokens, shared, lists, article = (
        css_words((PROJECT_ROOT / "static/css" / name).read_text())
        for name in ("tokens.css", "site.css", "lists.css", "article.css")
    )
    for path, rules in ((LIST, shared + lists), (STORY, shared + article)):
        words = css_words(inline_style(FlaskClient(app).get(path).text))
        assert words[-len(rules) :] == rules
    assert css_words(stylesheet.TOKENS.to_css()) == tokens
    names = {word for word in words if word.startswith("--")}
    assert {word for word in tokens if word.startswith("--")} - names == NEWSROOM_PROPERTIES


def test_the_content_security_policy_allows_only_the_stylesheets_of_the_pages(
    app: Flask, story: Callable[..., int]
) -> None:
    story()
    for site in (app, themed_app(app.config["DATA_DIR"], THEME)):
        sources = []
        for path in (LIST, STORY):
            answer = FlaskClient(site).get(path)
            digest = hashlib.sha256(inline_style(answer.text).encode()).digest()
            sources.append(f"'sha256-{base64.b64encode(digest).decode()}'")
        policy = f"style-src 'self' {' '.join(sources)};"
        assert policy in answer.headers["Content-Security-Policy"]


def test_every_token_is_used_and_every_use_is_a_token() -> None:
    sheets = "".join(path.read_text() for path in (PROJECT_ROOT / "static/css").glob("*.css"))
    used = set(re.findall(r"var\((--[\w-]+)", sheets))
    assert used == (TOKENS.light.keys() | stylesheet.LOGO_PROPERTIES) - {"color-scheme"}
    assert TOKENS.dark.keys() <= TOKENS.light.keys()


def test_colours_are_written_in_one_file() -> None:
    """Only tokens.css contains colours, except black and the yellow of highlights."""
    for path in (PROJECT_ROOT / "static/css").glob("*.css"):
        colours = re.findall(r"#[0-9a-f]{3,8}\b(?=[^{}]*})", minify(path.read_text()))
        if path.name != "tokens.css":
            assert set(colours) <= {"#000", "#ffe58a"}, path


def test_the_guide_lists_every_property() -> None:
    listed = set(re.findall(r"^\| `(--[\w-]+|color-scheme)`", GUIDE, re.MULTILINE))
    assert listed == TOKENS.light.keys() | stylesheet.LOGO_PROPERTIES


def test_a_theme_applies_to_public_and_newsroom_pages(app: Flask) -> None:
    client = FlaskClient(themed_app(app.config["DATA_DIR"], THEME))
    css = inline_style(client.get("/").text)
    assert "--accent:#9a3412;" in css and "--accent:#ffa26b;" in css and "#00664a" not in css
    assert "--target:2.75rem" in css, "what the theme does not set stays"
    assert ".brand .mark path{display:none}" in css
    addresses = set()
    for path in ("/newsroom/login", "/politics/never-written"):
        html = client.get(path).text
        addresses |= set(re.findall(r'href="(/static/theme\.css\?v=[0-9a-f]{10})"', html))
        assert "css/tokens.css" not in html, "the default tokens would override the theme"
    (address,) = addresses
    answer = client.get(address)
    assert answer.mimetype == "text/css"
    assert "--accent:#9a3412;" in answer.text and "--alarm:#8f1d2c;" in answer.text
    assert ".brand .mark path{display:none}" in answer.text
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/theme.css").headers["Cache-Control"] == "no-cache"


def test_without_a_theme_there_is_no_theme_stylesheet(app: Flask) -> None:
    client = FlaskClient(app)
    assert client.get("/static/theme.css").status_code == 404
    assert re.search(r'href="/static/[^"]*css/tokens\.css', client.get("/newsroom/login").text)
    assert "--logo" not in client.get("/").text


def test_a_colour_for_light_mode_leaves_dark_mode_readable(tmp_path: Path) -> None:
    path = write_theme(tmp_path, ":root { --accent: rgb(154 52 18); --sans: Inter, sans-serif }")
    tokens = TOKENS.with_theme(stylesheet.read_theme(path))
    assert tokens.light["--accent"] == "rgb(154 52 18)"
    assert tokens.dark["--accent"] == TOKENS.dark["--accent"]
    assert tokens.light["--sans"] == "Inter, sans-serif" and "--sans" not in tokens.dark


@pytest.mark.parametrize(
    "css",
    [
        "",
        "/* nothing yet */",
        "\ufeff:root { --accent: #123456; }",
        ":root{color-scheme:light;--accent:hsl(20deg 80% 30%)}",
        ":root { --gutter: clamp(1rem, calc(2vw + (1rem * 2)), 3rem); }",
        "@media (prefers-color-scheme: dark) { :root { --paper: black } }",
        ':root { --logo: url("/static/logo.svg"); --logo-width: 6rem; }',
        ":root { --logo: url('data:image/png;base64,iVBORw0KGgo='); }",
        ":root { --logo: none }",
    ],
)
def test_a_valid_theme_is_accepted(tmp_path: Path, css: str) -> None:
    merged = TOKENS.with_theme(stylesheet.read_theme(write_theme(tmp_path, css))).to_css()
    assert parse_tokens(merged).light.keys() >= TOKENS.light.keys()


@pytest.mark.parametrize(
    ("css", "reason"),
    [
        ("body { display: none }", "use only :root"),
        ('@import "https://evil.example/x.css";', "use only :root"),
        ("@media print { :root { --paper: #000 } }", "use only :root"),
        (":root { --paper: #000", "use only :root"),
        (":root { --paper: #000 } }", "use only :root"),
        (":root { --paper }", "use lines like"),
        (':root { --serif: "Charter; --paper: #000 }', "use lines like"),
        (":root { --serif: 'a\nb' }", "use lines like"),
        (":root { --acent: #000 }", "sets “--acent”"),
        (":root { color: red }", "sets “color”"),
        (":root { --paper: #12345 }", "--paper must be a colour like #00664a, not #12345"),
        (":root { --paper: 3px solid }", "--paper must be a colour"),
        (":root { --paper: var(--ink) }", "--paper must be a colour"),
        (":root { --paper: rgb(1 2 3 }", "not allowed"),
        (":root { --gutter: 1rem) (2rem }", "not allowed"),
        (":root { --gutter: [1rem }", "not allowed"),
        (":root { --gutter: 1rem !important }", "not allowed"),
        (":root { --gutter: 1re\\6d }", "not allowed"),
        (':root { --serif: "</style><script>alert(1)</script>" }', "not allowed"),
        (':root { --serif: "a/*b" }', "not allowed"),
        (":root { --serif: a\0b }", "not allowed"),
        (":root { --paper: url(/static/x.png) }", "must not load a file"),
        (':root { --serif: image-set("/x.png" 1x) }', "must not load a file"),
        (':root { --logo: url("https://evil.example/x.svg") }', "--logo must be"),
        (':root { --logo: url("//evil.example/static/x.svg") }', "--logo must be"),
        (':root { --logo: url("data:text/html,x") }', "--logo must be"),
        (":root { --logo: url(/static/logo.svg) }", "--logo must be"),
        (
            ':root { --logo: url("/static/a.svg"), url("https://evil.example/") }',
            "--logo must be",
        ),
        (b":root { --serif: \xff }", "not UTF-8"),
        (":root { --paper: #fff; }" + " " * MAX_THEME_BYTES, "larger than 16,000 bytes"),
    ],
)
def test_an_invalid_theme_stops_the_start_with_one_line(
    app: Flask, tmp_path: Path, css: str | bytes, reason: str
) -> None:
    path = write_theme(tmp_path, css)
    with pytest.raises(ConfigError) as caught:
        themed_app(app.config["DATA_DIR"], path)
    message = str(caught.value)
    assert reason in message and str(path) in message and "SPECTATOR_THEME" in message
    assert "\n" not in message and len(message) < 300 + len(str(path))


def test_an_unreadable_theme_stops_the_start(app: Flask, tmp_path: Path) -> None:
    data, pipe = app.config["DATA_DIR"], tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, reason in (
        (tmp_path / "none.css", "No such file or directory"),
        (tmp_path, "it is not a file"),
        (pipe, "it is not a file"),
    ):
        with pytest.raises(ConfigError, match=reason):
            themed_app(data, path)


def test_a_relative_theme_path_starts_at_the_checkout(app: Flask) -> None:
    site = themed_app(app.config["DATA_DIR"], THEME.relative_to(PROJECT_ROOT))
    assert "#9a3412" in FlaskClient(site).get("/").text


def test_the_site_keeps_running_if_its_theme_is_deleted(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A process keeps the theme; one that starts later has the default theme."""
    path, data = write_theme(tmp_path, ":root { --accent: #123456 }"), app.config["DATA_DIR"]
    site = FlaskClient(themed_app(data, path))
    path.unlink()
    assert "#123456" in site.get("/").text
    assert "#123456" in site.get("/static/theme.css").text
    monkeypatch.setenv(stylesheet.RUNNING_MARK, "1")
    later = FlaskClient(themed_app(data, path))
    assert inline_style(later.get("/").text) == DEFAULT.list_css
    assert "The default theme is used." in caplog.text
