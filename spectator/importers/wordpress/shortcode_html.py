"""Shortcodes to HTML: captions, galleries, players and embeds; notes to editors for all others."""

from __future__ import annotations

from spectator.importers.web_links import embed_url, link_paragraph
from spectator.importers.wordpress.body_context import Conversion
from spectator.importers.wordpress.galleries import caption_figure, gallery, players, playlist
from spectator.importers.wordpress.shortcodes import MAX_DEPTH, Shortcode, find_shortcodes


def convert_shortcodes(body: str, conversion: Conversion) -> str:
    """Return a body with placeholders for shortcodes that become blocks, and notes for the unknown.

    Brackets that are no shortcodes, such as "[Version]", stay as text.
    """
    codes = find_shortcodes(body)
    _limit_depth(codes)
    frames: list[list[str]] = [[]]
    at = 0
    for code in codes:
        frames[-1].append(body[at : code.start])
        at = code.end
        if code.is_escaped:
            is_one = code.is_converted or code.is_registered
            frames[-1].append(code.source[1:-1] if is_one else code.source)
        elif code.is_converted and code.mate >= 0:
            if code.is_end:
                content = "".join(frames.pop())
                frames[-1].append(_convert(codes[code.mate], content, conversion))
            else:
                frames.append([])
        elif code.is_converted and not code.is_end:
            frames[-1].append(_convert(code, "", conversion))
        else:
            left = _leave(code, conversion)
            frames[-1].append(
                f"\n\n{left}\n\n" if code.is_registered and _is_alone(body, code) else left
            )
    return "".join(frames[0]) + body[at:]


def _limit_depth(codes: list[Shortcode]) -> None:
    """Separate the pairs of shortcodes that are nested too deeply, so that each text is copied a
    limited number of times.
    """
    depth = 0
    for code in codes:
        if not code.is_converted or code.mate < 0:
            continue
        if code.is_end:
            depth -= 1
        elif depth >= MAX_DEPTH:
            codes[code.mate].mate = code.mate = -1
        else:
            depth += 1


def _is_alone(body: str, code: Shortcode) -> bool:
    """Return whether a tag that is left is on a line of its own."""
    before, after = body[code.start - 1 : code.start], body[code.end : code.end + 1]
    return before in {"", "\n"} and after in {"", "\n"}


def _leave(code: Shortcode, conversion: Conversion) -> str:
    """Return what stands for a tag that is not converted."""
    if code.is_converted:
        conversion.removed[code.source] += 1  # an end tag without its start
        return ""
    if code.is_layout:
        if not code.is_end:
            conversion.removed[code.source] += 1
        return "\n\n"
    if code.is_registered:
        return conversion.note(code.source)
    return code.source


def _convert(code: Shortcode, content: str, conversion: Conversion) -> str:
    """Return the placeholder of a shortcode's HTML, or a note and its content."""
    makers = {
        "caption": caption_figure,
        "wp_caption": caption_figure,
        "gallery": gallery,
        "playlist": playlist,
        "audio": players,
        "video": players,
    }
    maker = makers.get(code.name, _embed)
    html = maker(code, content, conversion)
    if html is None:
        return conversion.note(code.source) + content
    conversion.converted[f"[{code.name}]"] += 1
    return conversion.block(html)


def _embed(code: Shortcode, content: str, conversion: Conversion) -> str | None:
    """Return the link to what an embed shows, None if it does not say what that is."""
    url, rest = embed_url(code.name, [*code.attributes.values(), *code.values], content)
    return f"{link_paragraph(url)}{rest}" if url else None
