"""Woven covers: the small geometric picture an article shows when it has no photograph."""

from __future__ import annotations

from hashlib import sha256

_HEAD = (
    '<svg class="cover" viewBox="0 0 320 180" preserveAspectRatio="xMidYMid slice" aria-hidden="true"'
    ' focusable="false" fill="none"><path fill="{a}" d="M0 0h320v180H0z"/>'
)

# Ground, strong, bright, pale: every pair of neighbours keeps its contrast.
_PALETTES = (
    ("#5a2117", "#b5482a", "#e0a33e", "#f0dfbf"),
    ("#3a281d", "#85552f", "#c98f4b", "#ecdcc0"),
    ("#1f2d4d", "#4a6791", "#d08a45", "#ebdfc8"),
    ("#23443a", "#a63a26", "#dfa133", "#eeddb6"),
    ("#b5482a", "#5a2117", "#f0dfbf", "#e0a33e"),
    ("#c98f4b", "#3a281d", "#ecdcc0", "#85552f"),
)


def _line(colour: str, width: int, dashes: str, d: str, more: str = "") -> str:
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path stroke="{{{colour}}}" stroke-width="{width}"{dash}{more} d="{d}"/>'


_STRIPS = "M32 0v180M96-60v240M160 0v180M224-60v240M288 0v180"
_ZIGZAG = "l32-30 32 30 32-30 32 30 32-30 32 30 32-30 32 30 32-30 32 30"
_WARP = "M160 0v180"
_WEFT = "M0 90h320"
_LEFT = "M40-320v640M200-320v640"
_RIGHT = "M120-160v640M280-160v640"
_DOTS = "M32 26h320M32 90h320M32 154h320"
_ACROSS = "M32 0v180M160 0v180M288 0v180M96-60v240M224-60v240"


def _skew(slope: str, *lines: str) -> str:
    return f'<g transform="matrix(1 {slope} 0 1 0 0)">' + "".join(lines) + "</g>"


def _herringbone(*layers: tuple[str, str]) -> str:
    return "".join(
        f'<g stroke-width="80" transform="skewY({angle})">'
        + "".join(f'<path stroke="{{{c}}}" stroke-dasharray="{dash}" d="{d}"/>' for c, dash in layers)
        + "</g>"
        for angle, d in (("45", _LEFT), ("-45", _RIGHT))
    )


_FAMILIES = (
    # kente: blocks of weft bars against blocks of warp stripes
    _line("b", 64, "60", _STRIPS) + _line("d", 64, "0 12 12 12 12 72", _STRIPS) + _line("c", 32, "0 60 60 0", _STRIPS),
    # herringbone
    _herringbone(("b", "20 20"), ("c", "0 5 10 65")),
    # zigzag ribbons
    "".join(_line(c, w, "", f"M0 45{_ZIGZAG}M0 105{_ZIGZAG}M0 165{_ZIGZAG}") for c, w in (("b", 24), ("c", 8))),
    # stepped diamonds
    "".join(
        f'<path stroke="{{{c}}}" stroke-width="{h}" stroke-dasharray="{w} {80 - w}" d="M-{w // 2} 90h400"/>'
        for c, h, w in (("b", 160, 16), ("b", 120, 36), ("b", 80, 56), ("b", 40, 76), ("c", 80, 16), ("c", 40, 36))
    ),
    # adire
    '<g stroke-linecap="round" stroke-dasharray="0 64">'
    + "".join(
        f'<path stroke="{{{c}}}" stroke-width="{w}" d="{_DOTS}"/>'
        for c, w in (("b", 54), ("d", 38), ("a", 30), ("c", 12))
    )
    + "</g>",
    # plaid
    _line("b", 320, "30 30", _WARP)
    + _line("c", 180, "4 12 4 44", _WEFT, ' opacity=".9"')
    + _line("d", 320, "0 28 4 28", _WARP),
    # basket
    _line("b", 320, "0 12 36 12", _WARP) + _line("a", 48, "78 42", _STRIPS) + _line("c", 40, "78 42", _STRIPS),
    # triangles
    f'<path fill="{{b}}" d="M0 60{_ZIGZAG}M0 120{_ZIGZAG}M0 180{_ZIGZAG}"/>' + _line("c", 320, "0 10 4 4 4 38", _WARP),
)


def cover(slug: str) -> str:
    """Draw the cover of one slug as inline SVG.

    320 x 180 units; the same slug always gives the same drawing, and nothing of the slug itself is written out.
    """
    digest = sha256(slug.encode("utf-8", "surrogatepass")).digest()
    family = _FAMILIES[digest[0] % len(_FAMILIES)]
    a, b, c, d = _PALETTES[digest[1] % len(_PALETTES)]
    return (_HEAD + family + "</svg>").format(a=a, b=b, c=c, d=d)
