"""The cards of Ghost's editor as HTML that stories may hold.

A card has a kind and a payload, in `lexical` and `mobiledoc` texts as JSON; `html_cards` reads the
same from rendered HTML. What only members or mails had becomes a note to editors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any

from spectator.i18n import gettext
from spectator.importers.ghost.markdown import markdown_html
from spectator.text.html.blocks import exact_tokens
from spectator.text.html.editor_notes import editor_note
from spectator.text.html.sanitizer import plain_text
from spectator.text.html.tokenizer import Tag

Payload = dict[str, Any]
PAYWALL = "paywall"
# Kinds that readers of the web never saw, or that need a service of Ghost.
LEFT_OUT = frozenset({"signup", "email", "email-cta", "transistor", "nft"})
MAX_NOTE = 5_000
# Elements that the sanitizer drops, apart from their text.
_CODE = frozenset(
    "script style form input select textarea button object embed svg canvas".split()
)


@dataclass(slots=True)
class CardRenderer:
    """Renders cards; `changes` says what was left out."""

    changes: list[str] = field(default_factory=list)

    def render(self, kind: str, payload: Payload) -> str:
        """Return the HTML of a card."""
        if kind == PAYWALL:
            return self.note(gettext("From here on, the text was for members only."))
        renderer = RENDERERS.get(kind)
        if renderer is None or kind in LEFT_OUT or is_hidden(payload):
            return self.leave_out(kind, " ".join(_words(payload)))
        html = renderer(payload)
        if kind in {"html", "markdown"}:
            self.report_code(html)
        return html

    def leave_out(self, kind: str, html: str) -> str:
        """Report a card that is left out; return a note with its words."""
        text = " ".join(plain_text(html).split())[:MAX_NOTE]
        return self.note(gettext("Card left out: %(name)s. %(text)s", name=kind, text=text))

    def note(self, text: str) -> str:
        """Report a change; return a note to editors about it."""
        self.changes.append(text.strip())
        return f"<p>{editor_note(text)}</p>"

    def report_code(self, html: str) -> None:
        """Report elements that do something in a browser: readers get only their text."""
        tags = (token.name for token in exact_tokens(html) if isinstance(token, Tag))
        if names := sorted(_CODE.intersection(tags)):
            self.changes.append(gettext("Code left out: %(names)s", names=", ".join(names)))


def is_hidden(payload: Payload) -> bool:
    """Return whether readers of the web who are no members do not see a card."""
    visibility = payload.get("visibility")
    if not isinstance(visibility, dict):
        return False
    web = visibility.get("web")
    is_for_members = isinstance(web, dict) and web.get("nonMember") is False
    return is_for_members or visibility.get("showOnWeb") is False


def _words(value: Any, depth: int = 0) -> list[str]:
    """Return the texts of a payload, but not its URLs and settings."""
    if isinstance(value, str):
        return [value] if " " in value.strip() and "://" not in value.split("<")[0] else []
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list) and depth < 10:
        return [word for child in children for word in _words(child, depth + 1)]
    return []


def text_of(payload: Payload, *names: str) -> str:
    """Return the first of these values that is a text or a number, as a text."""
    for name in names:
        value = payload.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return f"{value:g}" if isinstance(value, float) else str(value)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _objects(value: Any) -> list[Payload]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _attributes(**values: str) -> str:
    pairs = (f' {key}="{escape(value)}"' for key, value in values.items() if value)
    return "".join(pairs)


def _link(url: str, html: str) -> str:
    return f"<a{_attributes(href=url)}>{html}</a>" if url else html


def _figure(content: str, caption: str = "") -> str:
    text = f"<figcaption>{caption}</figcaption>" if caption else ""
    return f"<figure>{content}{text}</figure>" if content or text else ""


def _paragraph(*lines: str) -> str:
    content = "<br>".join(filter(None, lines))
    return f"<p>{content}</p>" if content else ""


def _plain(payload: Payload, *names: str) -> str:
    return escape(text_of(payload, *names), quote=False)


def _picture(payload: Payload) -> str:
    src = text_of(payload, "src")
    if not src:
        return ""
    alt = escape(text_of(payload, "alt"))
    sizes = _attributes(width=text_of(payload, "width"), height=text_of(payload, "height"))
    title = _attributes(title=text_of(payload, "title"))
    return _link(text_of(payload, "href"), f'<img src="{escape(src)}" alt="{alt}"{title}{sizes}>')


def _image(payload: Payload) -> str:
    return _figure(_picture(payload), text_of(payload, "caption"))


def _gallery(payload: Payload) -> str:
    pictures = "".join(map(_picture, _objects(payload.get("images"))))
    return _figure(pictures, text_of(payload, "caption"))


def _embed(payload: Payload) -> str:
    html, url = text_of(payload, "html"), text_of(payload, "url")
    if not any(f"<{name}" in html.lower() for name in ("iframe", "a ", "video", "audio", "img")):
        html += _paragraph(_link(url, escape(url)))
    return _figure(html, text_of(payload, "caption"))


def _bookmark(payload: Payload) -> str:
    metadata = payload.get("metadata")
    data = metadata if isinstance(metadata, dict) else payload
    url = text_of(payload, "url") or text_of(data, "url")
    title = _plain(data, "title") or escape(url, quote=False)
    people = " · ".join(filter(None, (_plain(data, "author"), _plain(data, "publisher"))))
    return _paragraph(_link(url, title), _plain(data, "description"), people) + _paragraph(
        text_of(payload, "caption")
    )


def _callout(payload: Payload) -> str:
    text = text_of(payload, "calloutText", "text")
    emoji = _plain(payload, "calloutEmoji", "emoji")
    text = text.removeprefix("<p>").removesuffix("</p>") if text.count("<p>") == 1 else text
    return f"<div><p>{f'{emoji} ' if emoji else ''}{text}</p></div>"


def _toggle(payload: Payload) -> str:
    heading, content = text_of(payload, "heading"), text_of(payload, "content")
    heading = heading.removeprefix("<p>").removesuffix("</p>")
    return f"<details><summary>{heading}</summary>{content}</details>"


def _button(payload: Payload) -> str:
    return _paragraph(_link(text_of(payload, "buttonUrl", "url"), _plain(payload, "buttonText")))


def _audio(payload: Payload) -> str:
    audio = f"<audio{_attributes(src=text_of(payload, 'src'))} controls></audio>"
    return _figure(audio, _plain(payload, "title"))


def _video(payload: Payload) -> str:
    attributes = _attributes(
        src=text_of(payload, "src"),
        poster=text_of(payload, "customThumbnailSrc", "thumbnailSrc", "poster"),
        width=text_of(payload, "width"),
        height=text_of(payload, "height"),
    )
    return _figure(f"<video{attributes} controls></video>", text_of(payload, "caption"))


def _file(payload: Payload) -> str:
    name = _plain(payload, "fileName")
    title = _plain(payload, "fileTitle") or name or _plain(payload, "src")
    details = name if name != title else ""
    return _paragraph(
        _link(text_of(payload, "src"), title), _plain(payload, "fileCaption"), details
    )


def _product(payload: Payload) -> str:
    picture = _figure(_picture({"src": text_of(payload, "productImageSrc")}))
    title = text_of(payload, "productTitle")
    rating = payload.get("productRatingEnabled") and text_of(payload, "productStarRating")
    stars = _paragraph(f"{rating}/5") if rating else ""
    has_button = payload.get("productButtonEnabled")
    link = _link(text_of(payload, "productUrl"), _plain(payload, "productButton"))
    heading = f"<h4>{title}</h4>" if title else ""
    description = _wrapped(text_of(payload, "productDescription"))
    return f"{picture}{heading}{stars}{description}{_paragraph(link) if has_button else ''}"


def _wrapped(html: str) -> str:
    return html if html.startswith("<p") else _paragraph(html)


def _header(payload: Payload) -> str:
    heading = text_of(payload, "header")
    button = _button(payload) if payload.get("buttonEnabled") else ""
    subheading = _wrapped(text_of(payload, "subheader"))
    picture = _figure(_picture({"src": text_of(payload, "backgroundImageSrc")}))
    return f"{picture}{f'<h2>{heading}</h2>' if heading else ''}{subheading}{button}"


def _call_to_action(payload: Payload) -> str:
    picture = _figure(_picture({"src": text_of(payload, "imageUrl")}))
    label = _wrapped(text_of(payload, "sponsorLabel"))
    button = _button(payload) if payload.get("showButton") else ""
    return f"{picture}{label}{_wrapped(text_of(payload, 'textValue'))}{button}"


def _code(payload: Payload) -> str:
    # White space at the beginning of code matters.
    code = escape(str(payload.get("code") or ""), quote=False)
    pre = f"<pre><code>{code}</code></pre>"
    caption = text_of(payload, "caption")
    return _figure(pre, caption) if caption else pre


RENDERERS: dict[str, Callable[[Payload], str]] = {
    "audio": _audio,
    "bookmark": _bookmark,
    "button": _button,
    "call-to-action": _call_to_action,
    "callout": _callout,
    "cta": _call_to_action,
    "code": _code,
    "codeblock": _code,
    "embed": _embed,
    "file": _file,
    "gallery": _gallery,
    "header": _header,
    "horizontalrule": lambda _payload: "<hr>",
    "hr": lambda _payload: "<hr>",
    "html": lambda payload: text_of(payload, "html"),
    "image": _image,
    "card-markdown": lambda payload: markdown_html(text_of(payload, "markdown")),
    "markdown": lambda payload: markdown_html(text_of(payload, "markdown")),
    "product": _product,
    "toggle": _toggle,
    "video": _video,
}
