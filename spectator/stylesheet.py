"""The stylesheets that readers' pages include, and the theme that SPECTATOR_THEME names.

A page has the rules of `site.css`, then those of its kind: a story or a list of stories.

A theme replaces values of `static/css/tokens.css`. It is read when a process starts. Only
properties and values that were understood are written out, so that a theme cannot add rules or
markup, or load anything from another host.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask

from spectator.config import PROJECT_ROOT, ConfigError
from spectator.formats import format_number
from spectator.i18n import gettext
from spectator.static_files import StaticFiles, file_of

log = logging.getLogger(__name__)

THEME_NAME = "theme.css"  # below /static/
MAX_THEME_BYTES = 16_000  # every page for readers includes it
# gunicorn's configuration sets it for processes that start while the site is running: they use the
# default theme if the theme has become unusable. A site that starts for the first time fails.
RUNNING_MARK = "SITE_IS_RUNNING"
NEWSROOM_PROPERTIES = frozenset({"--alarm", "--alarm-wash"})  # pages for readers do without
LOGO_PROPERTIES = frozenset({"--logo", "--footer-logo", "--logo-width", "--logo-height"})

_BLOCK = r":root\s*\{([^{}]*)\}\s*"
_DARK_BLOCK = r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)\s*\{\s*" + _BLOCK + r"\}\s*"
_RULE = re.compile(rf"{_BLOCK}|{_DARK_BLOCK}")
_STRING = r""""[^"\n]*"|'[^'\n]*'"""
_DECLARATION = re.compile(rf"""\s*([\w-]+)\s*:((?:{_STRING}|[^"';])+)(?:;|$)\s*""")
_COLOUR = re.compile(
    r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})|[a-z]+|(?!var)[a-z-]+\(.+\)", re.IGNORECASE
)
_LOCAL = r"(?:data:image/[\w.+-]+[;,]|/static/)"
_LOGO = re.compile(rf"""none|url\(\s*(?:"{_LOCAL}[^"]+"|'{_LOCAL}[^']+')\s*\)""")


@dataclass(frozen=True)
class Tokens:
    """The values of custom properties, and the values that differ in dark mode."""

    light: dict[str, str] = field(default_factory=dict)
    dark: dict[str, str] = field(default_factory=dict)

    def with_theme(self, theme: Tokens) -> Tokens:
        """Return these tokens with a theme's values.

        What a theme sets only for light mode applies to both modes, except for a colour that has a
        dark value here.
        """
        return Tokens(self.light | theme.light, self.dark | theme.dark)

    def to_css(self, skipped: frozenset[str] = frozenset()) -> str:
        """Return the stylesheet with these properties, without those that are skipped."""
        light, dark = (
            ";".join(f"{name}:{value}" for name, value in values.items() if name not in skipped)
            for values in (self.light, self.dark)
        )
        return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def minify(css: str) -> str:
    """Return a stylesheet without comments and spaces. Its strings must not have `{` or `/*`."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    return re.sub(r" ?([{};,>]) ?", r"\1", css).replace(": ", ":").replace(";}", "}").strip()


def _read_css(name: str) -> str:
    return (PROJECT_ROOT / "static/css" / name).read_text("utf-8")


def parse_tokens(css: str) -> Tokens:
    """Return the custom properties of a stylesheet that has only those; raises ValueError."""
    css, end = re.sub(r"/\*.*?\*/", " ", css, flags=re.DOTALL).strip(), 0
    tokens = Tokens()
    while end < len(css):
        rule = _RULE.match(css, end)
        if rule is None:
            start = " ".join(css[end : end + 40].split())
            raise ValueError(
                gettext(
                    "use only :root { … } and @media (prefers-color-scheme: dark) { :root { "
                    "… } }, not “%(start)s”",
                    start=start,
                )
            )
        light, dark = rule.groups("")
        tokens.light.update(_declarations(light))
        tokens.dark.update(_declarations(dark))
        end = rule.end()
    return tokens


def _declarations(block: str) -> dict[str, str]:
    values, end = {}, 0
    while end < len(block.rstrip()):
        declaration = _DECLARATION.match(block, end)
        if declaration is None:
            start = " ".join(block[end : end + 40].split())
            raise ValueError(
                gettext("use lines like “--accent: #00664a;”, not “%(start)s”", start=start)
            )
        values[declaration[1]] = " ".join(declaration[2].split())
        end = declaration.end()
    return values


TOKENS = parse_tokens(minify(_read_css("tokens.css")))
SITE_RULES = minify(_read_css("site.css"))
LIST_RULES, ARTICLE_RULES = (minify(_read_css(name)) for name in ("lists.css", "article.css"))


def read_theme(path: Path) -> Tokens:
    """Read a theme; raises ConfigError with what is wrong with it."""
    try:
        return _parse_theme(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            gettext(
                "the theme %(path)s (SPECTATOR_THEME) cannot be used: %(reason)s",
                path=path,
                reason=reason,
            )
        ) from error


def _parse_theme(path: Path) -> Tokens:
    if path.exists() and not path.is_file():
        raise ValueError(gettext("it is not a file"))
    if path.stat().st_size > MAX_THEME_BYTES:
        raise ValueError(
            gettext(
                "it is larger than %(limit)s bytes",
                limit=format_number(MAX_THEME_BYTES),
            )
        )
    try:
        theme = parse_tokens(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(gettext("it is not UTF-8 text")) from None
    for name, value in (*theme.light.items(), *theme.dark.items()):
        _check_property(name, value)
    return theme


def _check_property(name: str, value: str) -> None:
    if name not in TOKENS.light.keys() | LOGO_PROPERTIES:
        raise ValueError(
            gettext("it sets “%(name)s”, which docs/theming.md does not list", name=name)
        )
    unmatched = _without_pairs(re.sub(_STRING, "", value))
    if (
        not value.isprintable()
        or re.search(r"[<>\\@!]|/\*", value)
        or re.search(r"[()\[\]]", unmatched)
    ):
        raise ValueError(
            gettext(
                "%(name)s has a value that is not allowed: %(value)s", name=name, value=value[:60]
            )
        )
    if name.endswith("logo"):
        if not _LOGO.fullmatch(value):
            raise ValueError(
                gettext(
                    '%(name)s must be url("/static/…") or url("data:image/…"), in quotes',
                    name=name,
                )
            )
    elif re.search(r"url\(|image|src\(", value, re.IGNORECASE):
        raise ValueError(gettext("%(name)s must not load a file; only a logo may", name=name))
    elif TOKENS.light.get(name, "").startswith("#") and not _COLOUR.fullmatch(value):
        raise ValueError(
            gettext(
                "%(name)s must be a colour like #00664a, not %(value)s",
                name=name,
                value=value[:60],
            )
        )


def _without_pairs(text: str) -> str:
    """Return a text without matching parentheses and their content."""
    while (shorter := re.sub(r"\([^()]*\)", "", text)) != text:
        text = shorter
    return text


@dataclass(frozen=True)
class Stylesheet:
    """The CSS of lists and of stories, and the name of the static file with its properties."""

    list_css: str
    article_css: str
    tokens_name: str

    @property
    def csp_sources(self) -> str:
        """Return the hashes of the CSS as sources for a Content-Security-Policy."""
        return " ".join(map(_csp_hash, (self.list_css, self.article_css)))


def _csp_hash(css: str) -> str:
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def build_stylesheet(properties: str, tokens_name: str) -> Stylesheet:
    """Return the stylesheet with these properties, written as CSS."""
    shared = properties + SITE_RULES
    return Stylesheet(shared + LIST_RULES, shared + ARTICLE_RULES, tokens_name)


DEFAULT = build_stylesheet(TOKENS.to_css(NEWSROOM_PROPERTIES), "css/tokens.css")


def register(app: Flask) -> None:
    """Prepare the stylesheet with the theme; raises ConfigError if the theme cannot be used."""
    app.extensions["stylesheet"] = DEFAULT
    path: Path | None = app.config["THEME"]
    if path is None:
        return
    try:
        theme = read_theme(path)
    except ConfigError as error:
        if RUNNING_MARK not in os.environ:
            raise
        log.error("%s. The default theme is used.", error)
        return
    tokens = TOKENS.with_theme(theme)
    logo_rules = minify(_read_css("logo.css")) if "--logo" in tokens.light else ""
    files: StaticFiles = app.extensions["static_files"]
    files.operator_files[THEME_NAME] = file_of(
        (tokens.to_css() + logo_rules).encode(), "text/css"
    )
    properties = tokens.to_css(NEWSROOM_PROPERTIES) + logo_rules
    app.extensions["stylesheet"] = build_stylesheet(properties, THEME_NAME)
