"""`spectator export site`: every page that readers may see, as files with relative links.

The export follows the links of pages. It begins with all public paths, so that pages to which no
other links are not left out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

from flask import Flask

from spectator import config, queries
from spectator.db import db
from spectator.editions import all_editions
from spectator.exporters.directories import ExportDirectory
from spectator.exporters.file_names import file_of, page_file, relative_link, root_of
from spectator.exporters.page_rewriter import Links, rewrite
from spectator.exporters.renderer import Answer, Renderer
from spectator.exporters.search_files import write_search_files
from spectator.exporters.warc import WarcWriter
from spectator.queries.cursors import EPOCH
from spectator.search_paths import is_search_path

NOT_FOUND = "404.html"
MISSING_PATH = "/404/"  # no section can have this slug
PRIVATE = ("/newsroom", "/fragments/", "/healthz", "/readyz", "/metrics")
FILES = ("/media/", "/static/")
MAX_HOPS = 3
Progress = Callable[[int, int], None]  # pages written, pages known


class StaticSite:
    """An export that is being written.

    `pages` are the files of known pages by path; `files` those of pictures, styles and feeds, None
    for what the site does not have. `missing` are the files that pages need and the site lacks.
    """

    def __init__(
        self, app: Flask, directory: ExportDirectory, warc: WarcWriter | None = None
    ) -> None:
        self.renderer = Renderer(app)
        self.directory, self.warc = directory, warc
        self.media_url: str = app.config["MEDIA_URL"]
        self.site_url: str = app.config["SITE_URL"]
        self.pages: dict[str, str | None] = {}
        self.files: dict[str, str | None] = {}
        self.page_numbers: dict[str, int] = {}
        self.waiting: deque[str] = deque()
        self.missing: list[str] = []

    def write(self, show: Progress) -> None:
        """Write all pages, the search and the page for missing addresses."""
        stories = queries.published_story_paths()
        for path in (*queries.paths_to_export(), *stories.values()):
            self._add_page(path, file_of(path))
        for edition in all_editions()[1:]:
            for path in (f"{edition.prefix}/", f"{edition.prefix}/archive/"):
                self._add_page(path, file_of(path))
        db.session.rollback()  # Pages have sessions of their own.
        written = 0
        while self.waiting:
            self._write_page(self.waiting.popleft())
            written += 1
            show(written, written + len(self.waiting))
        missing_page = self.renderer.get(MISSING_PATH)
        self._write_html(NOT_FOUND, "/", missing_page.body.decode(), is_anywhere=True)
        self._write_search_pages()
        write_search_files(
            self.directory, {number: file_of(path) for number, path in stories.items()}
        )

    def _add_page(self, path: str, name: str, number: int = 1) -> str:
        """Remember a page to be written; return the name of its file."""
        if (existing := self.pages.get(path)) is not None:
            return existing
        self.pages[path] = name
        self.page_numbers[path] = number
        self.waiting.append(path)
        return name

    def _write_page(self, path: str) -> None:
        answer, name = self._get(path), self.pages[path]
        if answer.code != 200 or name is None:
            self.missing.append(path)  # withdrawn since the export began
        elif answer.is_page:
            self._write_html(name, path, answer.body.decode())
        else:
            self.directory.write(name, answer.body)

    def _get(self, path: str) -> Answer:
        """Return an answer of the site, which goes into the web archive too."""
        answer = self.renderer.get(path)
        if self.warc and answer.code == 200:
            self.warc.add_response(
                self.site_url + path, answer.status, answer.headers, answer.body
            )
        return answer

    def _write_html(self, name: str, path: str, html: str, is_anywhere: bool = False) -> None:
        """Write a page. With `is_anywhere` a server may send it for any address of the site."""

        def link_to(target: str | None) -> str | None:
            if target is None:
                return None
            return f"/{target}" if is_anywhere else relative_link(name, target)

        def link_to_page(url: str, is_next: bool) -> str | None:
            return self._page_link(path, url, is_next, link_to)

        links = Links(
            link_to_page,
            lambda url: link_to(self._file(path, url)),
            lambda url: self.renderer.get(url).body.decode(),
        )
        self.directory.write(name, rewrite(html, links).encode())

    def _page_link(
        self, path: str, url: str, is_next: bool, link_to: Callable[[str | None], str | None]
    ) -> str | None:
        """Return the link to a page of the export, or to another site; None if it has no page."""
        try:
            parts = urlsplit(urljoin(self.site_url + path, url))
        except ValueError:
            return None
        if url.startswith("#") or f"{parts.scheme}://{parts.netloc}" != self.site_url:
            return url
        suffix = f"#{parts.fragment}" if parts.fragment else ""
        name: str | None
        if is_next and parts.query:
            name = self._next_page(path, parts.path, parts.query)
        elif is_search_path(parts.path):
            name = file_of(parts.path.rstrip("/"))
            suffix = (f"?{parts.query}" if parts.query else "") + suffix
        elif parts.path.startswith(FILES):
            name = self._file(path, url)
        else:
            name = self._known_page(parts.path or "/")
        link = link_to(name)
        return None if link is None else link + suffix

    def _next_page(self, path: str, target: str, query: str) -> str:
        """Return the file of the page that continues the list at a path."""
        first_page = self.pages[target] or file_of(target)
        number = self.page_numbers[path] + 1
        return self._add_page(f"{target}?{query}", page_file(first_page, number), number)

    def _known_page(self, path: str, hops: int = 0) -> str | None:
        """Return the file of the page at a path, None if readers get no page there."""
        if path in self.pages:
            return self.pages[path]
        if path.startswith(PRIVATE) or ".." in path or "\\" in path:
            return None
        answer = self.renderer.get(path)
        if answer.code == 200:
            return self._add_page(path, file_of(path))
        name = None
        if answer.code in {301, 302, 308} and hops < MAX_HOPS:
            target = urlsplit(urljoin(self.site_url + path, answer.header("location")))
            if f"{target.scheme}://{target.netloc}" == self.site_url:
                name = self._known_page(target.path, hops + 1)
        self.pages[path] = name
        return name

    def _file(self, path: str, url: str) -> str | None:
        """Write a picture, style or other file that a page loads; return its name.

        Return None for files that the site does not have, and for those of other sites.
        """
        if self.media_url and url.startswith(f"{self.media_url}/"):
            url = "/media" + url.removeprefix(self.media_url)
        try:
            parts = urlsplit(urljoin(self.site_url + path, url))
        except ValueError:
            return None
        is_own = f"{parts.scheme}://{parts.netloc}" == self.site_url
        if not is_own or not parts.path.startswith(FILES) or ".." in parts.path:
            return None
        if parts.path not in self.files:
            answer = self._get(parts.path + (f"?{parts.query}" if parts.query else ""))
            if answer.code == 200:
                self.directory.write(file_of(parts.path), answer.body)
                self.files[parts.path] = file_of(parts.path)
            else:
                self.files[parts.path] = None
                self.missing.append(parts.path)
        return self.files[parts.path]

    def _write_search_pages(self) -> None:
        for edition in all_editions():
            path = f"{edition.prefix}/search"
            name = file_of(path)
            html = self.renderer.render(path, "exports/search.html", root=root_of(name))
            self._write_html(name, path, html)


def export_site(
    app: Flask, directory: ExportDirectory, warc: WarcWriter | None, show: Progress
) -> StaticSite:
    """Write the site that readers see to a directory, and its answers to a web archive.

    Raises ExportError and OSError.
    """
    site = StaticSite(app, directory, warc)
    with site.renderer.lasting_dates(last_change()):
        site.write(show)
    return site


def last_change() -> datetime:
    """Return when readers last saw a change, the date of an export."""
    return (queries.last_public_change() or EPOCH).astimezone(UTC)


def software() -> str:
    """Return the name and version of this software, for archives."""
    return f"spectator/{config.version()}"
