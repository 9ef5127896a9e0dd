"""Checks of every page that the client fixture fetches."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from spectator.search_paths import without_edition

VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
}
NAMED = {"button", "label", "legend", "option", "title"}  # elements that say what something is
SHAPES = {"circle", "ellipse", "line", "path", "polygon", "polyline", "rect", "use"}
HTMX = {
    "hx-get",
    "hx-post",
    "hx-include",
    "hx-target",
    "hx-swap",
    "hx-trigger",
    "hx-sync",
    "hx-swap-oob",
}


class Page(HTMLParser):
    """Parsed page: its elements, their attributes and text, and errors of nesting."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        # Elements in a <template>, which a script completes.
        self.in_template: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.errors: list[str] = []
        self.nameless: list[str] = []  # open elements that should say something
        self.text: Counter[str] = Counter()
        self.pieces: list[str] = []
        self.feed(html)
        self.close()
        self.errors += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if "template" in self.open:
            self.in_template.append(self.elements[-1][1])
        is_shown = not {"template", "datalist"} & set(self.open)
        if tag in NAMED and is_shown and "aria-label" not in dict(attrs):
            self.nameless.append(tag)
        if tag not in VOID and tag not in SHAPES:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID or tag in SHAPES:
            return
        if not self.open or self.open[-1] != tag:
            self.errors.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()
        if self.nameless and self.nameless[-1] == tag:
            self.errors.append(f"<{tag}> says nothing: {self.elements[-1]}")
            self.nameless.pop()

    def handle_data(self, data: str) -> None:
        if not set(self.open) & {"script", "style"}:
            self.pieces.append(data)
        if data.strip():
            self.nameless.clear()
        if data.strip() and not set(self.open) & {"script", "style"}:
            for tag in set(self.open):
                self.text[tag] += 1

    @property
    def visible_text(self) -> str:
        """Return the visible text on one line."""
        return " ".join("".join(self.pieces).split())

    def find_all(self, *tags: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element of these names."""
        return [attrs for tag, attrs in self.elements if tag in tags]


def has_route(app: Flask, href: str, method: str = "GET") -> bool:
    """Return whether a URL of this site leads to a view."""
    path = href.split("#")[0].split("?")[0]
    try:
        app.url_map.bind("localhost").match(path, method=method)
    except HTTPException:
        return False
    return True


def check_markup(app: Flask, page: Page) -> None:
    """Check links, forms, ids and scripts of pages and fragments."""
    assert not page.errors, page.errors
    ids = Counter(attrs["id"] for _, attrs in page.elements if "id" in attrs)
    assert not [element_id for element_id, count in ids.items() if count > 1], (
        "an id is used twice"
    )
    for attrs in page.find_all("a"):
        href = attrs.get("href") or ""
        if "href" not in attrs:
            continue  # a link of a body whose URL was refused: valid HTML, but no link
        assert href.startswith(("/", "#", "http://", "https://", "mailto:", "tel:", "?")), href
        if href.startswith("/") and not href.startswith("//"):
            assert has_route(app, href), f"{href} leads nowhere"
    for attrs in page.find_all("form"):
        if attrs.get("method") == "dialog":
            continue  # a dialog sends nothing
        action = attrs.get("action") or ""
        assert has_route(app, action, (attrs.get("method") or "get").upper()), (
            f"no route for the form {action!r}"
        )
    for attrs in page.find_all("img"):
        if "src" not in attrs:
            continue  # in a template, for a script to fill
        assert "alt" in attrs and attrs.get("width") and attrs.get("height"), attrs
    for tag, attrs in page.elements:
        assert "style" not in attrs, f"<{tag}> has a style attribute, which the policy blocks"
        assert not [name for name in attrs if name.startswith("on")], f"<{tag}> has a handler"
        assert {name for name in attrs if name.startswith("hx-")} <= HTMX, (
            f"<{tag}> {sorted(attrs)}"
        )
        for name, method in (("hx-get", "GET"), ("hx-post", "POST")):
            if name in attrs:
                path = without_edition(attrs[name] or "")
                assert path.startswith(("/fragments/", "/newsroom/fragments/")), path
                assert has_route(app, attrs[name] or "", method)


def check_page(app: Flask, response: TestResponse) -> Page:
    """Check whole pages: title, one h1, landmarks, language, one main, labels."""
    page = Page(response.text)
    check_markup(app, page)
    assert response.text.lstrip().lower().startswith("<!doctype html>")
    assert page.find_all("html")[0].get("lang")
    assert len(page.find_all("title")) >= 1 and page.text["title"], "no title"
    assert len(page.find_all("h1")) == 1, f"{len(page.find_all('h1'))} h1"
    assert page.text["h1"], "an empty h1"
    assert len(page.find_all("main")) == 1
    assert page.find_all("header"), "no header"
    labelled = {attrs.get("for") for attrs in page.find_all("label")}
    for attrs in page.find_all("input", "select", "textarea"):
        if attrs.get("type") not in {"hidden", "submit"} and attrs not in page.in_template:
            assert attrs.get("id") in labelled or attrs.get("aria-label"), f"no label: {attrs}"
    return page


def check_public(response: TestResponse) -> None:
    """Check that public pages set no cookie and vary by nothing personal."""
    assert "Set-Cookie" not in response.headers
    assert "cookie" not in response.headers.get("Vary", "").lower()
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


class CheckingClient(FlaskClient):
    """Client that checks every response."""

    def open(self, *args: object, **kwargs: object) -> TestResponse:
        response = super().open(*args, **kwargs)  # type: ignore[arg-type]
        path = response.request.path
        assert response.status_code != 500, response.text
        assert all(name and value for name, value in response.headers), response.headers
        if not path.startswith("/newsroom"):
            check_public(response)
        if response.mimetype == "text/html" and not response.location:
            if "/fragments/" in path:
                if response.status_code == 200:
                    check_markup(self.application, Page(response.text))
            else:
                check_page(self.application, response)
        return response
