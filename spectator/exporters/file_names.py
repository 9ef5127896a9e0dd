"""Where the pages of a site are in a directory, and the relative links between them."""

from __future__ import annotations

from posixpath import dirname, relpath
from urllib.parse import quote, unquote

PAGE = "index.html"


def file_of(path: str) -> str:
    """Return the name of the file for a URL's path: `/politics/a-story` is a directory of its own.

    So servers redirect the address that a story has on the site to its page. A path that ends like
    a file name, such as `/feed.xml`, is that file.
    """
    name = unquote(path).lstrip("/")
    if name == "" or name.endswith("/"):
        return f"{name}{PAGE}"
    return name if "." in name.rpartition("/")[2] else f"{name}/{PAGE}"


def page_file(first_page: str, number: int) -> str:
    """Return the name of a further page of a list, beside its first page.

    Slugs have no full stop, so that no story can have this name.
    """
    return first_page.removesuffix(PAGE) + f"older-{number}.html"


def relative_link(source: str, target: str) -> str:
    """Return the link from one file to another, which works without a server too."""
    return quote(relpath(target, dirname(source) or "."))


def root_of(name: str) -> str:
    """Return the relative link from a file to the directory of the export: "" or “../../”."""
    return "../" * name.count("/")
