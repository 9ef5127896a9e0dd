"""Captions, galleries and players: the shortcodes that show files of the old site."""

from __future__ import annotations

import re
from html import escape, unescape

from spectator.importers.wordpress.body_context import Attachment, Conversion
from spectator.importers.wordpress.shortcodes import Shortcode
from spectator.text.html.blocks import exact_tokens
from spectator.text.html.sanitizer import plain_text
from spectator.text.html.tokenizer import Tag

MAX_FILES = 1000  # in the galleries and playlists of a body

_MEDIA_KEYS = (
    "src",
    "mp4",
    "m4v",
    "webm",
    "ogv",
    "flv",
    "mp3",
    "m4a",
    "ogg",
    "oga",
    "wav",
    "url",
)
_ADDRESS = re.compile(r"(?:https?:/)?/[^\s<>\"'\[\]\x00]+", re.IGNORECASE)
_PICTURE_CLASS = re.compile(r"wp-image-([0-9]{1,18})\b")


def parse_ids(text: str) -> list[int]:
    """Return the numbers in a list such as "3, 14,15", at most `MAX_FILES`."""
    return [int(number) for number in re.findall(r"[0-9]{1,18}", text[:10_000])[:MAX_FILES]]


def picture_id(attributes: dict[str, str]) -> int:
    """Return the attachment's id in the class of a picture, 0 if it has none."""
    match = _PICTURE_CLASS.search(attributes.get("class", ""))
    return int(match[1]) if match else 0


def picture_html(attachment: Attachment) -> str:
    """Return the tag of a picture."""
    size = "".join(
        f' {name}="{value}"'
        for name, value in (("width", attachment.width), ("height", attachment.height))
        if value
    )
    return f'<img src="{escape(attachment.url)}" alt="{escape(attachment.alt)}"{size}>'


def credit_html(credit: str, caption: str) -> str:
    """Return the credit of a caption, "" if the caption names it already."""
    is_named = not credit or credit.casefold() in caption.casefold()
    return "" if is_named else f"<cite>{escape(credit, quote=False)}</cite>"


def _figure(content: str, caption: str, credit: str = "") -> str:
    """Return a figure; the caption may hold HTML."""
    text = " ".join(filter(None, (caption.strip(), credit_html(credit, caption))))
    return f"<figure>{content}{f'<figcaption>{text}</figcaption>' if text else ''}</figure>"


def caption_figure(code: Shortcode, content: str, conversion: Conversion) -> str:
    """Return the figure of a picture and its caption, which follows it or is an attribute."""
    picture, text = _split_picture(content)
    caption = code.attributes.get("caption", "").strip()
    if text and caption and plain_text(caption) != plain_text(text):
        text = f"{caption} {text}"
    text = text or caption
    if not picture:
        return f"<p>{text}</p>" if text else ""
    ids = parse_ids(code.attributes.get("id", "")) or [0]
    attachment = conversion.context.attachment(ids[0]) if ids[0] else None
    return _figure(picture, text, attachment.credit if attachment else "")


def _split_picture(content: str) -> tuple[str, str]:
    """Return the first picture of a caption, with the link around it, and everything else."""
    tokens = list(exact_tokens(content))
    raws = [token.raw if isinstance(token, Tag) else token for token in tokens]
    for index, token in enumerate(tokens):
        if isinstance(token, Tag) and token.name == "img":
            start, end = index, index + 1
            before = [at for at in range(index) if raws[at].strip()]
            after = [at for at in range(index + 1, len(raws)) if raws[at].strip()]
            is_linked = before and after and _is_tag(tokens[before[-1]], "a", is_end=False)
            if is_linked and _is_tag(tokens[after[0]], "a", is_end=True):
                start, end = before[-1], after[0] + 1
            text = "".join(raws[:start] + raws[end:]).strip()
            return "".join(raws[start:end]), text
    return "", content.strip()


def _is_tag(token: str | Tag, name: str, *, is_end: bool) -> bool:
    return isinstance(token, Tag) and token.name == name and token.is_end == is_end


def _select_files(
    code: Shortcode, kind: str, conversion: Conversion
) -> list[tuple[int, Attachment | None]]:
    """Return (id, file) of what a shortcode names, or without names the post's own files.

    There are none if the body has too many already.
    """
    context = conversion.context
    ids = parse_ids(code.attributes.get("ids") or code.attributes.get("include", ""))
    files = [(number, context.attachment(number)) for number in dict.fromkeys(ids)]
    if not ids:
        left_out = {
            file.url
            for number in parse_ids(code.attributes.get("exclude", ""))
            if (file := context.attachment(number))
        }
        files = [
            (0, file)
            for file in context.attached
            if file.mime_type.startswith(f"{kind}/") and file.url not in left_out
        ]
    conversion.file_count += len(files)
    return files if conversion.file_count <= MAX_FILES else []


def gallery(code: Shortcode, content: str, conversion: Conversion) -> str | None:
    """Return a figure with a figure for each picture; None without any, so that a note stays."""
    files = _select_files(code, "image", conversion)
    if code.attributes.get("order", "").upper() == "DESC":
        files.reverse()
    if not any(file for _, file in files):
        return None
    figures = [
        _figure(picture_html(file), file.caption, file.credit)
        if file
        else f"<p>{conversion.missing_picture(f'[gallery] {number}')}</p>"
        for number, file in files
    ]
    return f"<figure>{''.join(figures)}</figure>{content}"


def playlist(code: Shortcode, content: str, conversion: Conversion) -> str | None:
    """Return a player with its title for each file of a playlist."""
    kind = "video" if code.attributes.get("type") == "video" else "audio"
    files = _select_files(code, kind, conversion)
    if not any(file for _, file in files):
        return None
    figures = [
        _figure(_player(kind, [file.url]), file.caption or escape(file.title, quote=False))
        if file
        else f"<p>{conversion.note(f'[playlist] {number}')}</p>"
        for number, file in files
    ]
    return "".join(figures) + content


def players(code: Shortcode, content: str, conversion: Conversion) -> str | None:
    """Return the player of an audio or video shortcode; without a name, of the post's own file."""
    urls = [unescape(code.attributes[key]) for key in _MEDIA_KEYS if code.attributes.get(key)]
    urls += [unescape(value) for value in code.values if _ADDRESS.fullmatch(value)]
    text = content.strip()
    if not urls and _ADDRESS.fullmatch(address := plain_text(text)):
        urls, text = [address], ""
    if not urls:
        urls = [file.url for _, file in _select_files(code, code.name, conversion)[:1] if file]
    if not urls:
        return None
    return _player(code.name, urls, unescape(code.attributes.get("poster", ""))) + text


def _player(kind: str, urls: list[str], poster: str = "") -> str:
    """Return an audio or video element; several addresses are formats of the same recording."""
    image = f' poster="{escape(poster)}"' if poster and kind == "video" else ""
    if len(urls) == 1:
        return f'<{kind} src="{escape(urls[0])}"{image} controls></{kind}>'
    sources = "".join(f'<source src="{escape(url)}">' for url in urls)
    return f"<{kind}{image} controls>{sources}</{kind}>"
