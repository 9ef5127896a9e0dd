"""Woven covers: the small geometric picture an article shows when it has no photograph."""

from __future__ import annotations

from hashlib import sha256

_HEAD = (
    '<svg class="cover" viewBox="0 0 320 180" preserveAspectRatio="xMidYMid slice" aria-hidden="true"'
    ' focusable="false" fill="none"><path fill="{a}" d="M0 0h320v180H0z"/>'
)

# Dark, strong, bright, pale: every pair of neighbours keeps its contrast in either order.
_PALETTES = (
    ("#5a2117", "#b5482a", "#e0a33e", "#f0dfbf"),
    ("#33231a", "#85552f", "#c98f4b", "#ecdcc0"),
    ("#1f2d4d", "#4a6791", "#d08a45", "#ebdfc8"),
    ("#23443a", "#a63a26", "#dfa133", "#eeddb6"),
    ("#4a1f2b", "#96412f", "#d9a877", "#efe0cb"),
)

# Sixteen by nine falls into five strips by three rows of 64 x 60; a line starting one row higher shifts its dashes.
_STRIPS = 'd="M32 0v180M96-60v240M160 0v180M224-60v240M288 0v180"/>'
_ZIGZAG = "l32-30 32 30 32-30 32 30 32-30 32 30 32-30 32 30 32-30 32 30"
_ROWS = 'd="M-32 30h384M-32 90h384M-32 150h384"/>'
_FULL = 'd="M160 0v180"/>'

_FAMILIES = (
    # kente: blocks of weft bars against blocks of warp stripes
    f'<path stroke="{{b}}" stroke-width="64" stroke-dasharray="60" {_STRIPS}'
    f'<path stroke="{{c}}" stroke-width="64" stroke-dasharray="0 12 12 12 12 72" {_STRIPS}',
)


def cover(slug: str) -> str:
    """Draw the cover of one slug as inline SVG.

    320 x 180 units; the same slug always gives the same drawing, and nothing of the slug itself is written out.
    """
    digest = sha256(slug.encode("utf-8", "surrogatepass")).digest()
    family = _FAMILIES[digest[0] % len(_FAMILIES)]
    a, b, c, d = _PALETTES[digest[1] % len(_PALETTES)]
    return (_HEAD + family + "</svg>").format(a=a, b=b, c=c, d=d)
