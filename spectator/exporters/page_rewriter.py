"""A page of the site as a file: relative links, no scripts of the site, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

from spectator.text.html.tokenizer import ATTRIBUTES, Tag, parse_attributes, split_tags

# Where an attribute leads: to a page, or to a file that the browser loads.
LINKS = frozenset({("a", "href"), ("area", "href"), ("form", "action")})
LOADED = frozenset({"src", "srcset", "poster"})
LOADED_RELATIONS = frozenset({"icon", "stylesheet", "manifest", "modulepreload", "preload"})
RELATED = "/fragments/related/"
_DATA_TYPES = frozenset({"application/ld+json", "application/json"})
_STATIC_URL = re.compile(r"""(?<=url\()(["'])(/static/[^"'()]+)\1(?=\))""")
_CANDIDATE = re.compile(r"\s*([^\s,]\S*[^\s,])((?:\s+[\d.]+[wx])?)\s*(?:,|$)")


@dataclass(frozen=True)
class Links:
    """What the rewriter asks about URLs; each function returns None for what the export lacks.

    `to_page(url, is_next)` and `to_file(url)` return relative links, `fragment(url)` returns HTML.
    `is_next`: the link leads to the next page of the same list.
    """

    to_page: Callable[[str, bool], str | None]
    to_file: Callable[[str], str | None]
    fragment: Callable[[str], str]


def rewrite(html: str, links: Links) -> str:
    """Return a page whose links lead to files."""
    return "".join(_rewrite_tokens(split_tags(html), links))


def _rewrite_tokens(tokens: Iterator[str | Tag], links: Links) -> Iterator[str]:
    element = ""  # the last start tag, whose content may follow
    for token in tokens:
        if isinstance(token, str):
            yield _rewrite_styles(token, links) if element == "style" else token
            continue
        element = "" if token.is_end else token.name
        if token.is_end:
            yield token.raw
            continue
        attributes = parse_attributes(token)
        if _is_dropped(token, attributes, links):
            if token.name == "script":
                _skip_element(tokens, "script")
        elif attributes.get("hx-get", "").startswith(RELATED):
            _skip_element(tokens, token.name)
            yield rewrite(links.fragment(attributes["hx-get"]), links)
        else:
            yield _rewrite_tag(token, attributes, links)


def _is_dropped(tag: Tag, attributes: dict[str, str], links: Links) -> bool:
    """Return whether an element is of no use without the site: htmx, modules, missing files."""
    if tag.name == "script":
        is_data = attributes.get("type", "") in _DATA_TYPES
        is_module = attributes.get("type") == "module"
        url = attributes.get("src")
        return not is_data and (is_module or url is None or links.to_file(url) is None)
    if tag.name == "link" and _relations(attributes) & LOADED_RELATIONS:
        return links.to_file(attributes.get("href", "")) is None
    return tag.name == "meta" and attributes.get("name") == "htmx-config"


def _relations(attributes: dict[str, str]) -> set[str]:
    return set(attributes.get("rel", "").lower().split())


def _skip_element(tokens: Iterator[str | Tag], name: str) -> None:
    """Skip the rest of an element whose start tag was read."""
    depth = 1
    for token in tokens:
        if isinstance(token, Tag) and token.name == name:
            depth += -1 if token.is_end else 1
            if depth == 0:
                return


def _rewrite_tag(tag: Tag, attributes: dict[str, str], links: Links) -> str:
    """Return a start tag with relative links; links that lead nowhere are left out."""
    parts, is_changed = [f"<{tag.name}"], False
    for match in ATTRIBUTES.finditer(tag.attributes):
        name = match[1].lower()
        url = attributes[name]
        is_htmx = name.startswith("hx-")
        rewritten = None if is_htmx else _rewrite_url(tag.name, name, url, attributes, links)
        if rewritten == url:
            parts.append(f" {match[0].strip()}")
            continue
        is_changed = True
        if rewritten is not None:
            parts.append(f' {name}="{escape(rewritten)}"')
    return "".join(parts) + ">" if is_changed else tag.raw


def _rewrite_url(
    tag: str, name: str, url: str, attributes: dict[str, str], links: Links
) -> str | None:
    """Return the value of an attribute as the file has it, None to leave the attribute out."""
    if (tag, name) in LINKS:
        return links.to_page(url, "next" in _relations(attributes))
    if name == "content" and attributes.get("property") == "og:image":
        links.to_file(url)  # other sites load it from the address of this one
        return url
    if tag == "link" and name == "href":
        relations = _relations(attributes)
        if relations & LOADED_RELATIONS:
            return links.to_file(url)
        # The addresses of translations and the canonical one stay those of the site.
        is_feed = "alternate" in relations and "hreflang" not in attributes
        return links.to_page(url, False) if is_feed else url
    if name == "srcset":
        return _rewrite_srcset(url, links)
    return links.to_file(url) if name in LOADED else url


def _rewrite_srcset(value: str, links: Links) -> str | None:
    candidates = [
        f"{link}{match[2]}"
        for match in _CANDIDATE.finditer(value)
        if (link := links.to_file(match[1])) is not None
    ]
    return ", ".join(candidates) or None


def _rewrite_styles(css: str, links: Links) -> str:
    """Return the content of a style element with relative links to static files."""
    return _STATIC_URL.sub(lambda match: f'"{links.to_file(match[2]) or ""}"', css)
